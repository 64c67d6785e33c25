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
from tui.screens import found_files
from tui.screens.library import LibraryScreen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from textual.pilot import Pilot

    from tests.screens.conftest import OpenApp
    from tests.screens.scripted_engine import ScriptedEngine
    from tui.library.database import Library

    Wait = Callable[..., Any]
    Watch = Callable[..., AbstractAsyncContextManager["Watched"]]

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
    monkeypatch.setattr(found_files, "FAULT_PERIOD_S", 0.0)


@pytest.fixture
async def filled(library: Library) -> Library:
    """A library with three photos and one file that has a problem."""
    await fill(library, [*photos(3), MadeFile(b"bad/0.jpg", error="broken 0")])
    return library


def says(pilot: Pilot[int], words: str) -> Callable[[], bool]:
    """Return whether the screen says `words`, as a condition."""
    return lambda: words in screen_text(pilot.app)


class Watched:
    """The application while its library fails and is mended."""

    def __init__(self, pilot: Pilot[int], fault: Fault, wait_until: Wait) -> None:
        self.pilot = pilot
        self._fault = fault
        self._wait_until = wait_until

    @property
    def text(self) -> str:
        """What the screen says."""
        return screen_text(self.pilot.app)

    @property
    def notices(self) -> list[str]:
        """The notices that were given."""
        return [notice.message for notice in self.pilot.app._notifications]

    async def sees(self, *texts: str) -> None:
        """Wait until the screen says each of `texts`."""
        for words in texts:
            await self._wait_until(says(self.pilot, words))

    async def fails_after(self, *keys: str) -> None:
        """Let the library fail before `keys` are pressed, and wait for the notice."""
        self._fault.begin()
        await self.pilot.press(*keys)
        await self.sees(NOTICE)

    async def is_mended(self, *texts: str) -> None:
        """Mend the library, and wait until the screen says each of `texts`."""
        self._fault.end()
        await self.sees(*texts)


@pytest.fixture
def watch(open_app: OpenApp, fault: Fault, wait_until: Wait) -> Watch:
    """Open the application on the library that may fail: `async with watch("library") as watched`."""

    @contextlib.asynccontextmanager
    async def open_it(mode: str, **how: Any) -> AsyncIterator[Watched]:
        async with open_app(mode, **how) as pilot:
            yield Watched(pilot, fault, wait_until)

    return open_it


@pytest.mark.parametrize(
    ("before", "keys", "kept", "afterwards"),
    [
        pytest.param("IMG_0002", ("slash", *"0001", "enter"), "IMG_0002", "1 found", id="query"),
        pytest.param("IMG_0002", ("enter",), "IMG_0001", "EXIF:DateTimeOriginal", id="details"),
        pytest.param("▸ /srv/media", ("f", "down", "right"), "/srv/media", "▸ 2019", id="folder"),
    ],
)
async def test_what_is_shown_stays_and_what_is_asked_for_comes_when_it_can_be_read(
    watch: Watch, filled: Library, before: str, keys: tuple[str, ...], kept: str, afterwards: str
) -> None:
    async with watch("library", size=(160, 40)) as watched:
        await watched.sees(before)
        await watched.fails_after(*keys)
        assert kept in watched.text
        assert afterwards not in watched.text
        await watched.is_mended(afterwards)


async def test_the_library_at_its_first_question(watch: Watch, filled: Library, fault: Fault) -> None:
    fault.begin()
    async with watch("library") as watched:
        await watched.sees(NOTICE)
        assert "Nothing is catalogued" not in watched.text
        await watched.is_mended("IMG_0002.JPG", "● All files  ", "▸ /srv/media")


async def test_an_unanswered_query_does_not_claim_that_nothing_matches(
    watch: Watch, filled: Library, fault: Fault
) -> None:
    async with watch("library") as watched:
        await watched.pilot.press("slash", *"zebra")
        await watched.sees("No file matches.")
        fault.begin()
        await watched.pilot.press("backspace")
        await watched.sees("The library could not be read; it is tried again in a moment.")
        await watched.is_mended("No file matches.")


async def test_a_list_that_cannot_be_renewed_stays_until_it_can(watch: Watch, filled: Library) -> None:
    async with watch("library") as watched:
        await watched.sees("IMG_0002.JPG")
        await watched.fails_after()
        assert "IMG_0002.JPG" in watched.text
        await watched.is_mended()
        await fill(filled, photos(1, first=7))
        await watched.sees("IMG_0007.JPG")


async def test_rows_further_down_come_when_they_can_be_read(
    watch: Watch, library: Library, wait_until: Wait
) -> None:
    await fill(library, photos(1_000))
    async with watch("library") as watched:
        await watched.sees("1,000 files")
        await watched.fails_after("end")
        await watched.is_mended()
        screen = watched.pilot.app.screen
        assert isinstance(screen, LibraryScreen)
        await wait_until(lambda: screen.table.cursor_row is not None)


async def test_browse_goes_about_without_the_library(
    watch: Watch, library: Library, home: Path, fault: Fault
) -> None:
    def fill_home(db: sqlite3.Connection) -> None:
        root = add_root(db, os.fsencode(home))
        insert_files(
            db, add_folder(db, root.root_id, b"", None), [FoundFile(b"a.jpg", Kind.IMAGE, 1, 1, 1)], 1
        )

    await library.writer.run(fill_home)
    fault.begin()
    async with watch("browse") as watched:
        await watched.sees(NOTICE, home.name)
        assert "in the library" not in watched.text, "nobody knows"
        assert len(watched.notices) == len(set(watched.notices)), "many folders were asked about at once"
        fault.end()
        await watched.pilot.press("5", "1")
        await watched.sees("1 file in the library")


async def test_the_history_is_read_again_while_a_scan_runs(watch: Watch, filled: Library) -> None:
    def begin_scan(db: sqlite3.Connection) -> None:
        root = add_root(db, b"/srv/other")
        start_scan(db, root.root_id, b"/srv/other", now_ns=1_562_178_131_000_000_000)

    await filled.writer.run(begin_scan)
    async with watch("browse") as watched:
        await watched.fails_after("3")
        assert "/srv/other" not in watched.text
        await watched.pilot.press("s")
        await watched.is_mended("/srv/other")


async def test_problems_stay_listed_and_are_read_again(watch: Watch, filled: Library) -> None:
    async with watch("problems") as watched:
        await watched.sees("1 problem of all stages")
        await fill(filled, [MadeFile(b"bad/1.jpg", error="broken 1")])
        await watched.fails_after("s")
        await watched.pilot.press("r")
        assert "1 problem of all stages" in watched.text
        assert "broken 0" in watched.text
        await watched.is_mended("2 problems of all stages")


async def test_lists_that_could_not_be_read_do_not_claim_to_be_empty(
    watch: Watch, filled: Library, fault: Fault
) -> None:
    fault.begin()
    async with watch("problems") as watched:
        await watched.sees(NOTICE)
        assert "No problems." not in watched.text
        await watched.pilot.press("3")
        await watched.sees("No scan was made since the start.")
        assert "No scan yet." not in watched.text


async def test_problems_that_cannot_be_tried_again_are_told(watch: Watch, filled: Library) -> None:
    async with watch("problems") as watched:
        await watched.sees("broken 0")
        await watched.fails_after("r")
        assert "broken 0" in watched.text
        assert watched.pilot.app.is_running


async def test_a_fault_that_lasts_is_one_notice(
    watch: Watch, filled: Library, engine: ScriptedEngine
) -> None:
    async with watch("problems") as watched:
        await watched.sees("broken 0")
        await watched.fails_after("s")
        for number in range(4, 8):
            engine.shown = snapshot(counters=ScanCounters(problems=number))
            await watched.sees(f"problems {number}")
        await watched.sees(NOTICE)
        assert len(watched.notices) == len(set(watched.notices))


async def test_a_path_of_the_command_line_is_not_scanned_on_a_guess(
    watch: Watch, filled: Library, engine: ScriptedEngine, fault: Fault, wait_until: Wait, tmp_path: Path
) -> None:
    fault.begin()
    async with watch("", start_path=bytes(tmp_path)) as watched:
        await watched.sees(NOTICE)
        await watched.pilot.pause()
        assert not engine.requests
        fault.end()
        await watched.pilot.press("s")
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
