"""The program is told to end in the middle of a scan, or its terminal goes away."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest

from tests.media import jpeg_bytes, write_file
from tests.process_tree import descendants, is_alive
from tests.terminal.pseudo_terminal import PATIENCE_S, PseudoTerminal

if TYPE_CHECKING:
    from pathlib import Path

FILES = 400


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of photos that takes some seconds to scan."""
    contents = [jpeg_bytes(seed) for seed in range(4)]
    for number in range(FILES):
        write_file(tmp_path / f"photos/IMG_{number:04}.jpg", contents[number % 4] + str(number).encode())
    return tmp_path / "photos"


def start_scan(photos: Path, library: Path) -> PseudoTerminal:
    """Start the program on `photos` and return once it reads metadata."""
    terminal = PseudoTerminal.yapmo("--library", str(library), str(photos))
    terminal.wait_for("Library")
    terminal.send("3")
    terminal.wait_for(lambda text: "┤ 3 Progress ├" in text and "metadata" in text and "/s" in text)
    return terminal


def check_library(library: Path) -> None:
    """Check that the scan is recorded as aborted, and that the next one finishes it."""
    with sqlite3.connect(library) as db:
        assert db.execute("SELECT state FROM scan ORDER BY id").fetchall()[-1] == ("aborted",)
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_scan_and_restores_the_terminal(
    photos: Path, tmp_path: Path, number: signal.Signals
) -> None:
    library = tmp_path / "library.yapmo"
    with start_scan(photos, library) as terminal:
        children = descendants(terminal.process.pid)
        assert children, "the scan reads with processes"
        terminal.process.send_signal(number)
        assert terminal.wait_end() == 3
        assert terminal.is_restored
        assert not [pid for pid in children if is_alive(pid)]
    check_library(library)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads /proc")
def test_a_terminal_that_goes_away_ends_the_program(photos: Path, tmp_path: Path) -> None:
    library = tmp_path / "library.yapmo"
    terminal = start_scan(photos, library)
    try:
        children = descendants(terminal.process.pid)
        os.close(terminal._master)
        assert terminal.process.wait(PATIENCE_S) == 3
        assert not [pid for pid in children if is_alive(pid)]
    finally:
        terminal._master = os.open(os.devnull, os.O_RDONLY)
        terminal.close()
    check_library(library)


def test_ctrl_c_aborts_and_again_leaves(photos: Path, tmp_path: Path) -> None:
    library = tmp_path / "library.yapmo"
    with start_scan(photos, library) as terminal:
        terminal.send("ctrl+c")
        terminal.wait_for("scan aborted")
        assert terminal.process.poll() is None
        terminal.send("ctrl+c")
        assert terminal.wait_end() == 0
        assert terminal.is_restored
    check_library(library)


def test_a_library_that_cannot_be_opened_is_told_after_the_terminal_is_restored(tmp_path: Path) -> None:
    library = tmp_path / "library.yapmo"
    library.write_bytes(b"this is no database" * 1_000)
    with PseudoTerminal.yapmo("--library", str(library)) as terminal:
        assert terminal.wait_end() == 4
        assert terminal.is_restored
        assert "yapmo:" in terminal.text
        assert str(library) in terminal.text.replace("\n", "")
    assert library.read_bytes() == b"this is no database" * 1_000


_BREAKS = """
import sys
from tui.app import YapmoApp
from tui.cli import run

def fail(*_):
    raise ZeroDivisionError("by a test")

YapmoApp.action_toggle_log = fail
sys.exit(run(sys.argv[1:]))
"""


def test_a_fault_of_the_application_is_exit_code_70(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _BREAKS, "--library", str(tmp_path / "library.yapmo")]
    with PseudoTerminal(command) as terminal:
        terminal.wait_for("Browse")
        terminal.send("l")
        assert terminal.wait_end() == 70
        assert terminal.is_restored
        assert "stopped by a mistake of its own: ZeroDivisionError: by a test" in terminal.text
