"""Keys that come faster than screens: each belongs to what those before it bring, in their order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from textual import events

from tests.screens.filled_library import ROOT, MadeFile, fill, photos
from tests.screens.keys import type_at_once
from tests.screens.scripted_engine import screen_text
from tui.app import YapmoApp
from tui.library.roots import add_root
from tui.screens.shell import footer_items
from tui.widgets.bars import FooterBar
from tui.widgets.search_box import SearchBox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.screens.conftest import OpenApp
    from tests.screens.scripted_engine import ScriptedEngine
    from tui.library.database import Library
    from tui.scan.request import ScanRequest

    Wait = Callable[..., Any]


@pytest.fixture
async def filled(library: Library) -> Library:
    """A library of photos in two folders, and two files with problems."""
    broken = [MadeFile(b"bad/%d.jpg" % number, error=f"broken {number}") for number in range(2)]
    await fill(library, [*photos(30), *photos(5, b"2020"), *broken])
    return library


@pytest.fixture(autouse=True)
def patient_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let keys wait for what they are meant for however slow the machine is; that they give up has a test of its own."""
    monkeypatch.setattr("tui.screens.typed_keys.KEYS_PATIENCE_S", 60.0)


@pytest.mark.parametrize(
    ("start", "keys", "shown"),
    [
        ("browse", ("2", "down", "down"), "▸  IMG_0027.JPG"),
        ("progress", ("5", "down", "enter"), "│   /srv/media/bad/0.jpg"),
        ("problems", ("2", "slash", *"2020", "enter", "down"), "▸  IMG_0003.JPG"),
        ("problems", ("2", "slash", *"2020", "escape", *"0004"), " / 0004"),
        ("problems", ("down", "enter", "escape", "2", "down", "enter"), "IMG_0028.JPG"),
        ("progress", ("1", "enter", "down"), "▸  IMG_0028.JPG"),
    ],
)
async def test_keys_typed_at_once_reach_what_they_are_meant_for(
    open_app: OpenApp, filled: Library, wait_until: Wait, start: str, keys: tuple[str, ...], shown: str
) -> None:
    async with open_app(start) as pilot:
        app = pilot.app
        assert isinstance(app, YapmoApp)
        type_at_once(app, *keys)
        await wait_until(lambda: shown in screen_text(app))
        footer = app.screen.query(FooterBar)
        await wait_until(lambda: not footer or footer.first().items == footer_items(app.screen, app.session))


async def test_a_paste_and_the_key_behind_it_arrive_in_order(
    open_app: OpenApp, filled: Library, wait_until: Wait
) -> None:
    async with open_app("library") as pilot:
        app = pilot.app
        type_at_once(app, "slash")
        app.post_message(events.Paste("2020"))
        type_at_once(app, "enter", "down")
        await wait_until(lambda: "▸  IMG_0003.JPG" in screen_text(app))
        assert "/ 2020" in screen_text(app)


async def test_a_pasted_folder_is_the_one_that_is_scanned(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait, tmp_path: Path
) -> None:
    folder = tmp_path / "wanted"
    folder.mkdir()
    async with open_app("browse") as pilot:
        type_at_once(pilot.app, "slash")
        pilot.app.post_message(events.Paste(f"{folder}\nsecond line"))
        type_at_once(pilot.app, "enter", "s")
        await wait_until(lambda: engine.requests)
        assert engine.requests[0].paths == (bytes(folder),)


async def test_pasted_text_is_one_safe_line(open_app: OpenApp, filled: Library, wait_until: Wait) -> None:
    async with open_app("library") as pilot:
        app = pilot.app
        type_at_once(app, "slash")
        app.post_message(events.Paste("a\x1b]52;c;eA==\x07\u202eb\nsecond"))
        app.post_message(events.Paste("\n"))
        type_at_once(app, "z")
        box = app.screen.query_one(SearchBox)
        await wait_until(lambda: box.text == r"a\x1b]52;c;eA==\x07\u202ebz")


async def test_a_folder_that_is_typed_is_the_one_that_is_scanned(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait, tmp_path: Path
) -> None:
    folder = tmp_path / "wanted"
    folder.mkdir()
    async with open_app("browse") as pilot:
        type_at_once(pilot.app, "slash", *str(folder)[1:], "enter", "s")
        await wait_until(lambda: engine.requests)
        assert engine.requests[0].paths == (bytes(folder),)


async def test_a_key_behind_the_one_that_scans_is_for_that_scan(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    async with open_app() as pilot:
        type_at_once(pilot.app, "s", "a")
        await wait_until(lambda: engine.aborts == 1)


async def test_typed_text_wins_over_the_folder_of_the_command_line(
    open_app: OpenApp,
    engine: ScriptedEngine,
    library: Library,
    wait_until: Wait,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.screens.typed_keys.KEYS_PATIENCE_S", 0.1)
    may_start = asyncio.Event()
    start = engine.start

    async def start_late(request: ScanRequest) -> None:
        await may_start.wait()
        await start(request)

    monkeypatch.setattr(engine, "start", start_late)  # a disk that takes its time
    await library.writer.run(lambda db: add_root(db, ROOT))
    async with open_app("", start_path=bytes(tmp_path)) as pilot:
        await pilot.press("slash", *"beach")
        await wait_until(lambda: "/ beach" in screen_text(pilot.app))
        may_start.set()
        await wait_until(lambda: engine.running)
        await wait_until(lambda: "scanning" in screen_text(pilot.app))
        assert "/ beach" in screen_text(pilot.app)


async def test_keys_do_not_wait_for_ever(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.typed_keys.KEYS_PATIENCE_S", 0.1)

    async def never(request: ScanRequest) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(engine, "start", never)  # a disk that does not answer
    async with open_app() as pilot:
        app = pilot.app
        assert isinstance(app, YapmoApp)
        type_at_once(app, "s", "5")
        await wait_until(lambda: "┤ 5 Problems ├" in screen_text(app))
        type_at_once(app, "q")
        await wait_until(lambda: app.return_value == 0)
