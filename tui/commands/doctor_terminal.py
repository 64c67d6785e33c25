"""What `yapmo doctor` finds about the terminal: size, colours, UTF-8, mouse, and what lies between."""

from __future__ import annotations

import locale
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui.commands.doctor_checks import Finding, Verdict
from tui.display import PLAIN_TERMINALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SMALLEST = (80, 24)
"""Columns and lines that every screen fits in."""


@dataclass(frozen=True, slots=True)
class _Terminfo:
    colours: int
    mouse: bool


def check_terminal(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Yield what the terminal can do, as far as the environment and terminfo(5) tell."""
    term = environ.get("TERM", "")
    terminfo = _read_terminfo(term)
    size = _find_size()
    findings = [
        _check_size(size),
        _check_type(term, terminfo),
        _check_colours(terminfo, environ),
        _check_encoding(),
        _check_mouse(term, terminfo),
        *_check_between(term, environ),
    ]
    for finding in findings:
        # where nobody looks, it is only good to know
        harmless = finding.verdict is Verdict.WARNING and size is None
        yield replace(finding, verdict=Verdict.NOTE) if harmless else finding


def _find_size() -> os.terminal_size | None:
    """Return the size of the terminal that any of the standard streams is connected to."""
    for descriptor in (1, 2, 0):
        with suppress(OSError):
            size = os.get_terminal_size(descriptor)
            if size.columns and size.lines:
                return size
    return None


def _check_size(size: os.terminal_size | None) -> Finding:
    if size is None:
        return Finding("terminal", "Size", Verdict.NOTE, "no terminal: input and output are redirected")
    facts = {"columns": size.columns, "lines": size.lines}
    found = f"{size.columns}×{size.lines}"
    if size.columns < SMALLEST[0] or size.lines < SMALLEST[1]:
        remedy = f"Make the window larger: the screens want {SMALLEST[0]}×{SMALLEST[1]}."
        return Finding("terminal", "Size", Verdict.WARNING, found, remedy, facts=facts)
    return Finding("terminal", "Size", Verdict.OK, found, facts=facts)


def _check_type(term: str, terminfo: _Terminfo | None) -> Finding:
    facts = {"term": term}
    if term in PLAIN_TERMINALS:
        remedy = "Set TERM to what your terminal is, such as: export TERM=xterm-256color"
        return Finding(
            "terminal", "Type", Verdict.WARNING, f"TERM is {term or 'not set'}", remedy, facts=facts
        )
    if terminfo is None:
        remedy = "Its terminfo entry is not installed (Debian: apt-get install ncurses-term), or use TERM=xterm-256color."
        return Finding(
            "terminal",
            "Type",
            Verdict.WARNING,
            f"{term}, which this machine does not know",
            remedy,
            facts=facts,
        )
    return Finding("terminal", "Type", Verdict.OK, term, facts=facts)


def _check_colours(terminfo: _Terminfo | None, environ: Mapping[str, str]) -> Finding:
    colours = 1 << 24 if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") else 0
    colours = colours or (terminfo.colours if terminfo else 0)
    facts = {"colours": colours, "no_color": "NO_COLOR" in environ}
    if environ.get("NO_COLOR"):
        return Finding("terminal", "Colours", Verdict.NOTE, "switched off by NO_COLOR", facts=facts)
    if colours < 16:
        remedy = "Where the terminal can do more: export TERM=xterm-256color"
        return Finding(
            "terminal", "Colours", Verdict.WARNING, f"{max(colours, 0)} colours", remedy, facts=facts
        )
    found = "16 million" if colours == 1 << 24 else str(colours)
    remedy = (
        "For exact colours, where the terminal has them: export COLORTERM=truecolor"
        if colours < 1 << 24
        else ""
    )
    return Finding("terminal", "Colours", Verdict.OK, found, remedy, facts=facts)


def _check_encoding() -> Finding:
    encoding = locale.getpreferredencoding(do_setlocale=False)
    output = getattr(sys.__stdout__, "encoding", None) or encoding
    facts = {"encoding": output}
    if output.lower().replace("-", "") != "utf8":
        remedy = "export LC_ALL=C.UTF-8, else frames and names with accents break."
        return Finding("terminal", "Encoding", Verdict.WARNING, output, remedy, facts=facts)
    return Finding("terminal", "Encoding", Verdict.OK, "UTF-8", facts=facts)


def _check_mouse(term: str, terminfo: _Terminfo | None) -> Finding:
    has_mouse = bool(terminfo and terminfo.mouse) or term.startswith("xterm")
    found = "understood (not needed)" if has_mouse else "none (not needed)"
    return Finding("terminal", "Mouse", Verdict.OK, found, facts={"mouse": has_mouse})


def _check_between(term: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what stands between program and eye: multiplexer and network."""
    if environ.get("TMUX"):
        remedy = "To copy and be notified through it: tmux set -g set-clipboard on, tmux set -g allow-passthrough on"
        yield Finding("terminal", "Multiplexer", Verdict.NOTE, "tmux", remedy, facts={"multiplexer": "tmux"})
    elif environ.get("STY") or term.startswith("screen"):
        remedy = "screen does not pass on copied text (OSC 52); tmux does."
        yield Finding(
            "terminal", "Multiplexer", Verdict.NOTE, "screen", remedy, facts={"multiplexer": "screen"}
        )
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        yield Finding("terminal", "Connection", Verdict.NOTE, "over SSH", facts={"ssh": True})


def _read_terminfo(term: str) -> _Terminfo | None:
    """Return what terminfo says of `term`; None where it, or the database, is not there."""
    try:
        import curses

        curses.setupterm(term, 1)
    except (ImportError, ValueError, OSError):
        return None
    except curses.error:
        return None
    return _Terminfo(curses.tigetnum("colors"), bool(curses.tigetstr("kmous")))
