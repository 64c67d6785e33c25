"""Commands on a real terminal: tables, colours, questions, and nothing that a file could say to the terminal."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from tests.terminal.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.commands.conftest import Catalogue

STYLE = re.compile(rb"\x1b\[[0-9;]*m")


def run_on_terminal(*arguments: str, code: int = 0, setting: str = "LINES=60") -> PseudoTerminal:
    """Run a command on a terminal to its end; `setting` is a variable of its environment."""
    command = ["env", setting, sys.executable, "-m", "tui", *arguments]
    terminal = PseudoTerminal(command, columns=150, rows=60)
    assert terminal.wait_end() == code
    return terminal


def lines(terminal: PseudoTerminal) -> Iterator[str]:
    return (line for line in terminal.text.split("\n") if line)


def test_search_is_an_aligned_table_with_a_header_and_a_count(catalogue: Catalogue) -> None:
    with run_on_terminal("search", *catalogue.option, "path:2019", "sort:name") as terminal:
        header, *rows, count = lines(terminal)
    assert header.split() == ["Id", "Kind", "Taken", "Size", "Path"]
    assert [row.index("/") for row in rows] == [header.index("Path")] * 2
    assert [row[header.index("Taken") :][:16] for row in rows] == ["2019-07-03 18:22", "2020-01-02 03:04"]
    assert rows[1].endswith("forest 東京.jpg")
    assert count == "2 files"


@pytest.mark.parametrize(
    "command", [["search"], ["show", "song.mp3", "esc.jpg"], ["problems"], ["search", "--json"]]
)
def test_nothing_from_a_file_controls_the_terminal(catalogue: Catalogue, command: list[str]) -> None:
    names = {"song.mp3": catalogue.path("song.mp3"), "esc.jpg": catalogue.path("esc\x1b[31m\x9b\u202e.jpg")}
    words = [names.get(word, word) for word in command]
    with run_on_terminal(*words, *catalogue.option) as terminal:
        written = STYLE.sub(b"", bytes(terminal.received)).decode()
    assert "song.mp3" in written or "damaged.jpg" in written
    assert all(line.isprintable() for line in written.replace("\r\n", "\n").split("\n"))


def test_colours_are_for_terminals_that_want_them(catalogue: Catalogue) -> None:
    with run_on_terminal("search", *catalogue.option) as terminal:
        assert STYLE.search(terminal.received)
    for setting in ("NO_COLOR=1", "TERM=dumb"):
        with run_on_terminal("search", *catalogue.option, setting=setting) as terminal:
            assert not re.search(rb"\x1b\[[0-9;]*3[0-9]", terminal.received)
            assert "Path" in terminal.text


def test_exact_bytes_are_not_sent_to_a_terminal(catalogue: Catalogue) -> None:
    with run_on_terminal("search", "--null", *catalogue.option, code=2) as terminal:
        assert "pipe" in terminal.text


def test_forgetting_asks_first(catalogue: Catalogue) -> None:
    for answer, code, left in (("n", 3, "7"), ("y", 0, "0")):
        with PseudoTerminal.yapmo("roots", "forget", *catalogue.option, "media", columns=150) as terminal:
            terminal.wait_for("7 files with their edits, tags and problems? [y/N]")
            terminal.send(answer, "enter")
            assert terminal.wait_end() == code
        with run_on_terminal("search", "--count", *catalogue.option) as terminal:
            assert list(lines(terminal)) == [left]


def test_config_fits_a_narrow_terminal() -> None:
    with PseudoTerminal.yapmo("config", columns=80, rows=60) as terminal:
        assert terminal.wait_end() == 0
        shown = list(lines(terminal))
    assert shown[0].split() == ["Option", "Value", "From", "Default"]
    assert len(shown) == 1 + len(
        [
            line
            for line in shown
            if line.startswith(("library.", "scan.", "exiftool.", "interface.", "logging."))
        ]
    )


def test_a_scan_shows_one_line_of_progress_and_takes_it_away(catalogue: Catalogue) -> None:
    with run_on_terminal("scan", "--rescan", "everything", *catalogue.option) as terminal:
        shown = list(lines(terminal))
    assert shown[0].startswith("completed: 7 files")
    assert not any(line.startswith("running") for line in shown)


def test_a_dumb_terminal_is_told_that_the_application_cannot_be_drawn() -> None:
    with run_on_terminal(setting="TERM=dumb", code=2) as terminal:
        assert "cannot be drawn: TERM is dumb" in " ".join(lines(terminal))
