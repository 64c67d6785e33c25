"""A library that cannot be read: each screen says so, keeps what it shows, and tries again."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tests.screens.filled_library import MadeFile, fill, photos
from tests.screens.scripted_engine import screen_text, snapshot
from tui.config import default_config
from tui.errors import LibraryError
from tui.library.files import add_folder, insert_files
from tui.library.roots import add_root
from tui.library.scans import start_scan
from tui.records import FoundFile, Kind, ScanCounters
from tui.scan.request import NothingToScanError, ScanRequest
from tui.scan.service import ScanService
from tui.screens import library as library_screen
from tui.screens.library import LibraryScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from tests.screens.conftest import OpenApp
    from tests.screens.scripted_engine import ScriptedEngine
    from tui.library.database import Library

    Wait = Callable[..., Any]

NOTICE = "answered: no such table"
"""What the notice says while tables are away."""

TABLES = ("file", "root", "problem", "scan")


class Fault:
    """A fault of the library that can be mended: its tables are renamed, by a connection of another program's."""

    def __init__(self, library: Library) -> None:
        self._path = library.path
        self._is_on = False

    def begin(self) -> None:
        """Let every question about files, roots, problems and scans fail from now on."""
        self._rename([(name, f"{name}_away") for name in TABLES])
        self._is_on = True

    def end(self) -> None:
        """Let everything be read again."""
        if self._is_on:
            self._rename([(f"{name}_away", name) for name in TABLES])
            self._is_on = False

    def _rename(self, pairs: list[tuple[str, str]]) -> None:
        with contextlib.closing(sqlite3.connect(os.fsdecode(self._path), isolation_level=None)) as db:
            db.execute("PRAGMA legacy_alter_table = ON")
            db.execute("BEGIN IMMEDIATE")
            for old, new in pairs:
                db.execute(f"ALTER TABLE {old} RENAME TO {new}")
            db.execute("COMMIT")


@pytest.fixture
def fault(library: Library) -> Iterator[Fault]:
    """A fault that is over at the end of the test."""
    made = Fault(library)
    yield made
    made.end()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the library screen try again at once."""
    monkeypatch.setattr(library_screen, "FAULT_PERIOD_S", 0.0)


@pytest.fixture
async def filled(library: Library) -> Library:
    """A library with three photos and one file that has a problem."""
    await fill(library, [*photos(3), MadeFile(b"bad/0.jpg", error="broken 0")])
    return library


def says(pilot: Pilot[int], words: str) -> Callable[[], bool]:
    """Return whether the screen says `words`, as a condition."""
    return lambda: words in screen_text(pilot.app)


async def test_the_library_at_its_first_question(
    open_app: OpenApp, filled: Library, fault: Fault, wait_until: Wait
) -> None:
    fault.begin()
    async with open_app("library") as pilot:
        await wait_until(says(pilot, NOTICE))
        assert "Nothing is catalogued" not in screen_text(pilot.app)
        fault.end()
        await wait_until(says(pilot, "IMG_0002.JPG"))
        await wait_until(says(pilot, "● All files  "))
        await wait_until(says(pilot, "▸ /srv/media"))


async def test_the_library_keeps_its_files_and_answers_the_query_afterwards(
    open_app: OpenApp, filled: Library, fault: Fault, wait_until: Wait
) -> None:
    async with open_app("library") as pilot:
        await wait_until(says(pilot, "IMG_0002.JPG"))
        fault.begin()
        await pilot.press("slash", *"0001", "enter")
        await wait_until(says(pilot, NOTICE))
        assert "IMG_0002.JPG" in screen_text(pilot.app)
        fault.end()
        await wait_until(says(pilot, "1 found"))
        assert "IMG_0002.JPG" not in screen_text(pilot.app)


async def test_an_unanswered_query_does_not_claim_that_nothing_matches(
    open_app: OpenApp, filled: Library, fault: Fault, wait_until: Wait
) -> None:
    async with open_app("library") as pilot:
        await pilot.press("slash", *"zebra")
        await wait_until(says(pilot, "No file matches."))
        fault.begin()
        await pilot.press("backspace")
        await wait_until(says(pilot, "The library could not be read; it is tried again in a moment."))
        fault.end()
        await wait_until(says(pilot, "No file matches."))


async def test_a_list_that_cannot_be_renewed_stays_until_it_can(
    open_app: OpenApp, filled: Library, fault: Fault, wait_until: Wait
) -> None:
    async with open_app("library") as pilot:
        await wait_until(says(pilot, "IMG_0002.JPG"))
        fault.begin()
        await wait_until(says(pilot, NOTICE))
        assert "IMG_0002.JPG" in screen_text(pilot.app)
        fault.end()
        await fill(filled, photos(1, first=7))
        await wait_until(says(pilot, "IMG_0007.JPG"))


async def test_details_come_when_they_can_be_read(
    open_app: OpenApp, filled: Library, fault: Fault, wait_until: Wait
) -> None:
    async with open_app("library", size=(160, 40)) as pilot:
        await wait_until(says(pilot, "IMG_0002.JPG"))
        fault.begin()
        await pilot.press("enter")
        await wait_until(says(pilot, NOTICE))
        assert "/srv/media/2019/IMG_0002.JPG" not in screen_text(pilot.app)
        fault.end()
        await wait_until(says(pilot, "EXIF:DateTimeOriginal"))


async def test_rows_further_down_come_when_they_can_be_read(
    open_app: OpenApp, library: Library, fault: Fault, wait_until: Wait
) -> None:
    await fill(library, photos(1_000))
    async with open_app("library") as pilot:
        await wait_until(says(pilot, "1,000 files"))
        fault.begin()
        await pilot.press("end")
        await wait_until(says(pilot, NOTICE))
        fault.end()
        screen = pilot.app.screen
        assert isinstance(screen, LibraryScreen)
        await wait_until(lambda: screen.table.cursor_row is not None)


async def test_a_folder_that_was_unfolded_is_filled_later(
    open_app: OpenApp, filled: Library, fault: Fault, wait_until: Wait
) -> None:
    async with open_app("library") as pilot:
        await wait_until(says(pilot, "▸ /srv/media"))
        fault.begin()
        await pilot.press("f", "down", "right")
        await wait_until(says(pilot, NOTICE))
        assert "/srv/media" in screen_text(pilot.app)
        fault.end()
        await wait_until(says(pilot, "▸ 2019"))


async def test_browse_goes_about_without_the_library(
    open_app: OpenApp, library: Library, home: Path, fault: Fault, wait_until: Wait
) -> None:
    def fill_home(db: sqlite3.Connection) -> None:
        root = add_root(db, os.fsencode(home))
        insert_files(
            db, add_folder(db, root.root_id, b"", None), [FoundFile(b"a.jpg", Kind.IMAGE, 1, 1, 1)], 1
        )

    await library.writer.run(fill_home)
    fault.begin()
    async with open_app("browse") as pilot:
        await wait_until(says(pilot, NOTICE))
        await wait_until(says(pilot, home.name))
        assert "in the library" not in screen_text(pilot.app), "nobody knows"
        texts = [notice.message for notice in pilot.app._notifications]
        assert len(texts) == len(set(texts)), "many folders were asked about at once"
        fault.end()
        await pilot.press("5", "1")
        await wait_until(says(pilot, "1 file in the library"))


async def test_the_history_is_read_again_while_a_scan_runs(
    open_app: OpenApp, filled: Library, fault: Fault, wait_until: Wait
) -> None:
    def begin_scan(db: sqlite3.Connection) -> None:
        root = add_root(db, b"/srv/other")
        start_scan(db, root.root_id, b"/srv/other", now_ns=1_562_178_131_000_000_000)

    await filled.writer.run(begin_scan)
    async with open_app("browse") as pilot:
        fault.begin()
        await pilot.press("3")
        await wait_until(says(pilot, NOTICE))
        assert "/srv/other" not in screen_text(pilot.app)
        await pilot.press("s")
        fault.end()
        await wait_until(says(pilot, "/srv/other"))


async def test_problems_stay_listed_and_are_read_again(
    open_app: OpenApp, filled: Library, engine: ScriptedEngine, fault: Fault, wait_until: Wait
) -> None:
    async with open_app("problems") as pilot:
        await wait_until(says(pilot, "1 problem of all stages"))
        fault.begin()
        await pilot.press("s")
        await wait_until(says(pilot, NOTICE))
        await pilot.press("r")
        assert "broken 0" in screen_text(pilot.app)
        fault.end()
        await fill(filled, [MadeFile(b"bad/1.jpg", error="broken 1")])
        await wait_until(says(pilot, "2 problems of all stages"))


async def test_lists_that_could_not_be_read_do_not_claim_to_be_empty(
    open_app: OpenApp, filled: Library, fault: Fault, wait_until: Wait
) -> None:
    fault.begin()
    async with open_app("problems") as pilot:
        await wait_until(says(pilot, NOTICE))
        assert "No problems." not in screen_text(pilot.app)
        await pilot.press("3")
        await wait_until(says(pilot, "No scan was made since the start."))
        assert "No scan yet." not in screen_text(pilot.app)


async def test_problems_that_cannot_be_tried_again_are_told(
    open_app: OpenApp, filled: Library, fault: Fault, wait_until: Wait
) -> None:
    async with open_app("problems") as pilot:
        await wait_until(says(pilot, "broken 0"))
        fault.begin()
        await pilot.press("r")
        await wait_until(says(pilot, NOTICE))
        assert "broken 0" in screen_text(pilot.app)
        assert pilot.app.is_running


async def test_a_fault_that_lasts_is_one_notice(
    open_app: OpenApp, filled: Library, engine: ScriptedEngine, fault: Fault, wait_until: Wait
) -> None:
    async with open_app("problems") as pilot:
        await wait_until(says(pilot, "broken 0"))
        fault.begin()
        await pilot.press("s")
        for number in range(4, 8):
            engine.shown = snapshot(counters=ScanCounters(problems=number))
            await wait_until(says(pilot, f"problems {number}"))
        await wait_until(says(pilot, NOTICE))
        texts = [notice.message for notice in pilot.app._notifications]
        assert len(texts) == len(set(texts))


async def test_a_path_of_the_command_line_is_not_scanned_on_a_guess(
    open_app: OpenApp, filled: Library, engine: ScriptedEngine, fault: Fault, wait_until: Wait, tmp_path: Path
) -> None:
    fault.begin()
    async with open_app("", start_path=bytes(tmp_path)) as pilot:
        await wait_until(says(pilot, NOTICE))
        await pilot.pause()
        assert not engine.requests
        fault.end()
        await pilot.press("s")
        await wait_until(lambda: engine.requests)


async def test_without_a_scan_before_the_key_names_the_keys(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    engine.refusal = NothingToScanError("No folder has been scanned yet.", hint="Name one: yapmo scan PATH")
    async with open_app("progress", keys={"show_browse": "b", "scan": "x"}) as pilot:
        await pilot.press("x")
        await wait_until(says(pilot, "No folder has been scanned yet."))
        assert "Press b, choose a folder, press x." in screen_text(pilot.app)
        assert "yapmo scan" not in screen_text(pilot.app)


async def test_the_engine_refuses_in_words_that_the_screens_know(library: Library, fault: Fault) -> None:
    service = ScanService(library, default_config())
    with pytest.raises(NothingToScanError):
        await service.start(ScanRequest())
    fault.begin()
    with pytest.raises(LibraryError, match="no such table"):
        await service.start(ScanRequest())
    assert not service.running
