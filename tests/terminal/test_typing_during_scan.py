"""Somebody types into the application while the engine scans at full speed."""

from __future__ import annotations

import os
import random
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.media import jpeg_bytes, write_file
from tests.terminal.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from pathlib import Path

FILES = 600


LEAST_ROUNDS, MOST_ROUNDS = 4, 12


def is_scanning(library: Path) -> bool:
    """Tell whether the scan on record has not ended."""
    with sqlite3.connect(library) as db:
        return db.execute("SELECT state FROM scan").fetchall() == [("running",)]


def is_gone(word: str, text: str) -> bool:
    """Tell whether the screen shows `word` no more."""
    return word not in text


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of photos that takes some seconds to scan."""
    contents = [jpeg_bytes(seed) for seed in range(6)]
    for number in range(FILES):
        write_file(
            tmp_path / f"photos/{number // 50:02}/IMG_{number:04}.jpg",
            contents[number % 6] + str(number).encode(),
        )
    return tmp_path / "photos"


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_every_key_is_heard_while_a_scan_runs(photos: Path, tmp_path: Path, columns: int, rows: int) -> None:
    library = tmp_path / "library.yapmo"
    noise = random.Random(columns)
    with PseudoTerminal.yapmo("--library", str(library), str(photos), columns=columns, rows=rows) as terminal:
        terminal.wait_for("IMG_")
        rounds_during_scan = 0
        for done in range(MOST_ROUNDS):
            scanning = is_scanning(library)
            if not scanning and done >= LEAST_ROUNDS:
                break
            rounds_during_scan += scanning
            terminal.send("2")
            terminal.wait_for("┤ 2 Library ├")
            terminal.send("/")
            word = "img_" + "".join(noise.choices("0123456789", k=3))
            for character in word:
                terminal.send(character)
                terminal.pump(0.01)
            terminal.wait_for(word)
            terminal.send("escape")  # alone: with more behind it, ESC could be a function key
            terminal.wait_for(partial(is_gone, word))
            terminal.send("escape")
            terminal.wait_for("details")
            for key in noise.choices(["down", "pagedown", "end"], k=8):
                terminal.send(key)
                terminal.pump(0.01)
            elsewhere = noise.choice(["1", "3", "5", "l", "l"])
            terminal.send(elsewhere)
            terminal.wait_for(f"┤ {'2' if elsewhere == 'l' else elsewhere} ")
        assert rounds_during_scan, "the scan was over before a key was typed"
        terminal.send("3")
        terminal.wait_for("Progress")
        terminal.wait_for(lambda text: "completed" in text.lower(), seconds=300)
        terminal.send("q")
        assert terminal.wait_end() == 0, terminal.text
        assert terminal.is_restored
        assert b"Traceback" not in terminal.received
    with sqlite3.connect(library) as db:
        assert db.execute("SELECT count(*), sum(metadata_state = 1) FROM file").fetchone() == (FILES, FILES)


def test_leaving_during_a_scan_keeps_what_is_finished(photos: Path, tmp_path: Path) -> None:
    library = tmp_path / "library.yapmo"
    with PseudoTerminal.yapmo("--library", str(library), str(photos)) as terminal:
        terminal.wait_for("Library")
        terminal.send("3")
        terminal.wait_for("IMG_")
        terminal.send("q")
        assert terminal.wait_end() == 3, "leaving cut a scan short"
        assert terminal.is_restored
    with sqlite3.connect(library) as db:
        assert db.execute("SELECT state FROM scan").fetchall() == [("aborted",)]
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
    assert os.path.exists(library)
