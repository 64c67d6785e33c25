"""Opening: the first picture, keys typed ahead, a library that cannot be opened, the path of the command line."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from textual.worker import Worker, WorkerState

from tests.screens.filled_library import fill, photos
from tests.screens.scripted_engine import ScriptedEngine, screen_text
from tui.app import YapmoApp
from tui.config import default_config
from tui.errors import LibraryError, UsageError
from tui.library.reader import FileView, Reader
from tui.library.roots import add_root
from tui.log import LogFeed
from tui.opening import open_application
from tui.screens.session import ScreenSession
from tui.widgets.file_table import FileTable
from tui.widgets.folder_tree import FolderTree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.geometry import Region
    from textual.strip import Strip

    from tests.screens.conftest import OpenApp
    from tui.library.database import Library
    from tui.library.query import Query

    Wait = Callable[..., Any]


class SlowOpening:
    """Opens when the test says."""

    def __init__(self, library: Library, engine: ScriptedEngine, *, is_slow: bool = True) -> None:
        self.may_open = asyncio.Event()
        if not is_slow:
            self.may_open.set()
        self.session = ScreenSession(default_config(), library, engine, LogFeed())

    async def __call__(self) -> ScreenSession:
        await self.may_open.wait()
        return self.session


async def test_the_frame_is_shown_while_the_library_opens(
    library: Library, engine: ScriptedEngine, wait_until: Wait
) -> None:
    opening = SlowOpening(library, engine)
    app = YapmoApp(default_config(), opening)
    async with app.run_test(size=(80, 24), notifications=True):
        await wait_until(lambda: "┤ 2 Library ├" in screen_text(app))
        await wait_until(lambda: screen_text(app).split("\n")[-1] == " q quit")
        opening.may_open.set()
        await wait_until(lambda: "┤ 1 Browse ├" in screen_text(app))


async def test_keys_typed_while_the_library_opens_are_heard_in_order(
    library: Library, engine: ScriptedEngine, wait_until: Wait
) -> None:
    opening = SlowOpening(library, engine)
    app = YapmoApp(default_config(), opening)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("1", "slash", "q", "x")
        opening.may_open.set()
        await wait_until(lambda: "Go to /qx" in screen_text(app))


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_one_can_leave_while_the_library_opens(
    library: Library, engine: ScriptedEngine, wait_until: Wait, key: str
) -> None:
    app = YapmoApp(default_config(), SlowOpening(library, engine))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press(*[key, key][: 1 + (key == "ctrl+c")])
        await wait_until(lambda: app.return_value is not None)
        assert app.return_value == 0


async def test_a_library_that_cannot_be_opened_ends_the_application(wait_until: Wait) -> None:
    error = LibraryError("The library is damaged")

    async def fail() -> ScreenSession:
        raise error

    app = YapmoApp(default_config(), fail)
    async with app.run_test(size=(80, 24), notifications=True):
        await wait_until(lambda: app.return_value is not None)
        assert app.return_value == 4
        assert app.failure is error


async def test_a_library_with_roots_begins_with_its_table(
    open_app: OpenApp, library: Library, tmp_path: Path
) -> None:
    await library.writer.run(lambda db: add_root(db, bytes(tmp_path)))
    async with open_app("") as pilot:
        assert "┤ 2 Library ├" in screen_text(pilot.app)


async def test_the_first_rows_are_asked_for_once_and_stand_in_the_first_picture_of_the_table(
    library: Library, engine: ScriptedEngine, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(library, photos(3))
    asked = []
    open_view = Reader.open_view

    async def note(reader: Reader, query: Query) -> FileView:
        asked.append(query.sort)
        return await open_view(reader, query)

    monkeypatch.setattr(Reader, "open_view", note)
    pictures, thrown_away = [], []
    render = FileTable.render_lines

    def keep(table: FileTable, crop: Region) -> list[Strip]:
        strips = render(table, crop)
        pictures.append("\n".join(strip.text for strip in strips))
        thrown_away.append(bool(table.app._batch_count))
        return strips

    monkeypatch.setattr(FileTable, "render_lines", keep)
    app = YapmoApp(default_config(), SlowOpening(library, engine, is_slow=False))
    async with app.run_test(size=(80, 24), notifications=True):
        await wait_until(lambda: "IMG_0002.JPG" in screen_text(app))
        assert "▸  IMG_0002.JPG" in pictures[0]
        assert not thrown_away[0]
        assert asked == ["taken"]


async def test_a_path_that_is_not_in_the_library_is_scanned_at_once(
    open_app: OpenApp, engine: ScriptedEngine, tmp_path: Path, wait_until: Wait
) -> None:
    async with open_app("", start_path=bytes(tmp_path)) as pilot:
        await wait_until(lambda: engine.requests)
        assert engine.requests[0].paths == (bytes(tmp_path),)
        assert "┤ 2 Library ├" in screen_text(pilot.app)


async def test_a_path_that_is_in_the_library_is_shown_and_not_scanned(
    open_app: OpenApp, engine: ScriptedEngine, library: Library, tmp_path: Path, wait_until: Wait
) -> None:
    await library.writer.run(lambda db: add_root(db, bytes(tmp_path)))
    async with open_app("", start_path=bytes(tmp_path / "2019")) as pilot:
        await wait_until(lambda: "2019" in screen_text(pilot.app))
        assert not engine.requests


async def test_what_works_for_a_screen_stops_before_the_screen_is_taken_apart(open_app: OpenApp) -> None:
    states = []

    class SeenAtTheEnd(threading.Event):
        def set(self) -> None:
            states.append(worker.state)
            super().set()

    async with open_app("browse") as pilot:
        screen = pilot.app.screen
        worker: Worker[bool] = screen.run_worker(asyncio.Event().wait())
        await pilot.pause()
        assert worker.state is WorkerState.RUNNING
        screen.query_one(FolderTree)._stop = SeenAtTheEnd()  # set when the tree is unmounted
    assert states == [WorkerState.CANCELLED]


def test_a_path_that_is_not_there_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file or folder"):
        open_application(str(tmp_path / "missing"))


def test_the_first_picture_needs_neither_library_nor_engine() -> None:
    rooms = (
        "tui.library",
        "tui.records",
        "tui.scan",
        "tui.workers",
        "aiosqlite",
        "typer",
        "textual.widgets._data_table",
    )
    program = (
        "import sys, tui.opening, tui.app, tui.config; "
        f"print([name for name in sys.modules if name.startswith({rooms!r})])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
