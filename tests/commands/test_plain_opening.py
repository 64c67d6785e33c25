"""What is understood without Typer means the same with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tui.cli
import tui.opening
from tui.commands.plain_opening import Opening, parse_plain_opening

PLAIN = [
    [],
    ["/"],
    ["."],
    ["~"],
    [".."],
    ["--library", "/l.yapmo"],
    ["--config", "c.toml", "--library", "l.yapmo", "/"],
    ["--library", "a.yapmo", "--library", "b.yapmo"],
]
OTHERS = [
    ["photos"],
    ["scan", "/srv/photos"],
    ["--version"],
    ["--help"],
    ["-h"],
    ["--json"],
    ["--json", "/srv/photos"],
    ["--", "/srv/photos"],
    ["/srv/photos", "/srv/music"],
    ["/srv/photos", "--library", "l.yapmo"],
    ["--library"],
    ["--library", ""],
    ["--library", "--json"],
    ["--library=l.yapmo"],
    [""],
    ["-x"],
]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Opening]:
    """What the application was opened with."""
    seen: list[Opening] = []

    def note(path: str | None, *, library_path: str, config_path: str) -> int:
        seen.append(Opening(path, library_path, config_path))
        return 0

    monkeypatch.setattr(tui.opening, "open_application", note)
    return seen


@pytest.mark.parametrize("arguments", PLAIN, ids=" ".join)
def test_plain_openings_mean_what_typer_makes_of_them(arguments: list[str], opened: list[Opening]) -> None:
    assert tui.cli.run(arguments) == 0
    assert [parse_plain_opening(arguments)] == opened


@pytest.mark.parametrize("arguments", OTHERS, ids=" ".join)
def test_all_else_is_for_typer(arguments: list[str]) -> None:
    assert parse_plain_opening(arguments) is None


def test_the_application_starts_without_typer_and_records() -> None:
    code = (
        "import sys; sys.argv = ['yapmo', '/']\n"
        "from tui.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted({'typer', 'tui.cli', 'tui.records', 'tui.app', 'tui.opening'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True
    )
    assert done.stdout.split() == ["tui.opening"], (
        "there is no terminal, so the screens are not loaded either"
    )
