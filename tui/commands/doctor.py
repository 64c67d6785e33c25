"""`yapmo doctor`: what is installed, what the terminal can do, where things lie, what is wrong and how to mend it."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

from tui.commands.doctor_checks import Finding, Verdict, check_files, check_programs, load_or_explain
from tui.commands.doctor_terminal import check_terminal
from tui.commands.output import counted, terminal_console, to_json
from tui.display import display

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STYLES = {Verdict.OK: "green", Verdict.NOTE: "cyan", Verdict.WARNING: "yellow", Verdict.ERROR: "bold red"}


def run_doctor(config_path: str, library_path: str, as_json: bool) -> int:
    """Look at everything, say what was found, and return the exit code.

    Args:
        config_path: value of `--config`, "" for the user's own.
        library_path: value of `--library`, "" for the configured one.
        as_json: print one JSON object a finding, and a last one with the event `finished`.

    Returns:
        0 when YAPMO works here, perhaps with limits; 2 for a broken configuration or a missing program; 4 for a library that cannot
        be used (the higher, if both).
    """
    findings = []
    for finding in examine(config_path, library_path):
        findings.append(finding)
        if as_json:
            print(to_json(_as_json(finding)), flush=True)
    exit_code = max(
        (finding.exit_code for finding in findings if finding.verdict is Verdict.ERROR), default=0
    )
    if as_json:
        counts = {
            verdict.value: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict
        }
        print(to_json({"event": "finished", "exit_code": exit_code, **counts}))
    else:
        _print(findings)
    return exit_code


def examine(config_path: str = "", library_path: str = "") -> Iterator[Finding]:
    """Yield every finding, group by group; takes about half a second and raises nothing.

    Args:
        config_path: value of `--config`, "" for the user's own.
        library_path: value of `--library`, "" for the configured one.
    """
    config, _ = load_or_explain(config_path)
    yield from check_programs(config)
    yield from check_terminal()
    yield from check_files(config_path, library_path)


def _as_json(finding: Finding) -> dict[str, object]:
    return {
        "event": "finding",
        "group": finding.group,
        "name": finding.name,
        "verdict": finding.verdict.value,
        "found": display(finding.found),
        "remedy": display(finding.remedy),
        **finding.facts,
    }


def _print(findings: Sequence[Finding]) -> None:
    from rich.text import Text

    console = terminal_console()
    width = max(len(finding.name) for finding in findings) + 2
    for group, members in groupby(findings, key=lambda finding: finding.group):
        console.print(Text(group.capitalize(), style="bold"))
        for finding in members:
            line = Text("  ").append(f"{finding.verdict.value:<9}", style=_STYLES[finding.verdict])
            console.print(line.append(f"{finding.name:<{width}}").append(display(finding.found)))
            if finding.remedy:
                console.print(Text(" " * (11 + width)).append(display(finding.remedy), style="italic"))
        console.print()
    faults = [finding for finding in findings if finding.verdict in (Verdict.WARNING, Verdict.ERROR)]
    errors = sum(finding.verdict is Verdict.ERROR for finding in faults)
    summary = (
        f"{counted(errors, 'error')}, {counted(len(faults) - errors, 'warning')}"
        if faults
        else "Everything is as it should be."
    )
    console.print(Text(summary, style="bold red" if errors else "yellow" if faults else "green"))
    sys.stdout.flush()
