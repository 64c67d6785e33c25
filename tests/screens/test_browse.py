"""Browse: going about, what the library knows of folders, choosing and scanning."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from textual import events

from tests.screens.keys import type_at_once
from tests.screens.scripted_engine import ScriptedEngine, screen_text
from tui.library.files import add_folder, insert_files
from tui.library.roots import add_root, note_offline
from tui.records import FoundFile, Kind
from tui.scan.subfolders import find_nearest_folder
from tui.screens.browse import BrowseScreen

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from tests.screens.conftest import OpenApp
    from tui.library.database import Library

    Wait = Callable[..., Any]


def screen_of(pilot: Pilot[int]) -> BrowseScreen:
    assert isinstance(pilot.app.screen, BrowseScreen)
    return pilot.app.screen


def rows(pilot: Pilot[int]) -> list[str]:
    """Return the lines of the screen without the scroll bar at their end."""
    return [line.rstrip(" │█") for line in screen_text(pilot.app).split("\n")]


async def go_to(pilot: Pilot[int], path: bytes, wait_until: Wait) -> None:
    tree = screen_of(pilot).tree_view
    tree.go_to(path)
    await wait_until(lambda: tree.node.path == path)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_cursor_begins_at_home(
    open_app: OpenApp, home: Path, wait_until: Wait, size: tuple[int, int]
) -> None:
    async with open_app("browse", size=size) as pilot:
        await wait_until(lambda: screen_of(pilot).tree_view.node.path == os.fsencode(home))
        await wait_until(lambda: "not in the library" in screen_text(pilot.app))


async def test_s_scans_the_folder_under_the_cursor(
    open_app: OpenApp, engine: ScriptedEngine, tmp_path: Path, wait_until: Wait
) -> None:
    async with open_app("browse") as pilot:
        await go_to(pilot, os.fsencode(tmp_path), wait_until)
        await pilot.press("s")
        assert [request.paths for request in engine.requests] == [(os.fsencode(tmp_path),)]


async def test_folders_of_the_library_are_marked_and_enter_opens_them_there(
    open_app: OpenApp, library: Library, tmp_path: Path, wait_until: Wait
) -> None:
    root_path = os.fsencode(tmp_path / "photos")
    os.makedirs(root_path + b"/2019/07 \xff")

    def fill(db: sqlite3.Connection) -> None:
        root = add_root(db, root_path)
        for folder, count in ((b"2019", 2), (b"2019/07 \xff", 1_500)):
            found = [FoundFile(b"%d.jpg" % number, Kind.IMAGE, 1, 1, number) for number in range(count)]
            insert_files(db, add_folder(db, root.root_id, folder, None), found, 1)

    await library.writer.run(fill)
    async with open_app("browse") as pilot:
        await go_to(pilot, root_path + b"/2019", wait_until)
        await wait_until(lambda: "1,502 files in the library" in screen_text(pilot.app))
        await wait_until(
            lambda: any(line.endswith("1,500 files") for line in rows(pilot) if r"07 \xff" in line)
        )
        assert any(
            line.endswith("1,502 files") and "root" in line for line in rows(pilot) if "photos" in line
        )
        await pilot.press("enter")
        await wait_until(lambda: "┤ 2 Library ├" in screen_text(pilot.app))


@pytest.mark.parametrize("folder", [b"", b"/2019"], ids=["a root", "a folder in a root"])
async def test_enter_does_not_need_the_counts_to_have_come(
    open_app: OpenApp,
    library: Library,
    tmp_path: Path,
    wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
    folder: bytes,
) -> None:
    root_path = os.fsencode(tmp_path / "photos")
    os.makedirs(root_path + folder)

    def fill(db: sqlite3.Connection) -> None:
        root = add_root(db, root_path)
        found = FoundFile(b"1.jpg", Kind.IMAGE, 1, 1, 1)
        insert_files(db, add_folder(db, root.root_id, folder.lstrip(b"/"), None), [found], 1)

    await library.writer.run(fill)
    monkeypatch.setattr(BrowseScreen, "_read_marks", lambda *_: None)  # answers that are late
    async with open_app("browse") as pilot:
        await go_to(pilot, root_path + folder, wait_until)
        await pilot.press("enter")
        await wait_until(lambda: "┤ 2 Library ├" in screen_text(pilot.app))


async def test_enter_on_another_folder_unfolds_it(
    open_app: OpenApp, tmp_path: Path, wait_until: Wait
) -> None:
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    async with open_app("browse") as pilot:
        await go_to(pilot, os.fsencode(tmp_path), wait_until)
        await wait_until(lambda: "outer" in screen_text(pilot.app))
        await pilot.press("down", "enter")
        await wait_until(lambda: "inner" in screen_text(pilot.app))


async def test_a_path_is_typed_at_full_speed(open_app: OpenApp, tmp_path: Path, wait_until: Wait) -> None:
    (tmp_path / "scan me").mkdir()
    async with open_app("browse") as pilot:
        for sign in f"{tmp_path}/scan me":
            key = {"/": "slash", " ": "space"}.get(sign, sign)
            pilot.app.post_message(events.Key(key, sign))
        await pilot.pause()
        await pilot.press("enter")
        tree = screen_of(pilot).tree_view
        await wait_until(lambda: tree.node.path == os.fsencode(tmp_path / "scan me"))


async def test_a_path_that_is_not_there_leads_to_the_nearest_folder(
    open_app: OpenApp, tmp_path: Path, wait_until: Wait
) -> None:
    async with open_app("browse") as pilot:
        type_at_once(pilot.app, "slash", *f"{tmp_path}/[/]"[1:], "enter")
        await wait_until(lambda: "There is no folder" in screen_text(pilot.app))
        tree = screen_of(pilot).tree_view
        await wait_until(lambda: tree.node.path == os.fsencode(tmp_path))


async def test_escape_leaves_the_line_without_going_anywhere(
    open_app: OpenApp, home: Path, wait_until: Wait
) -> None:
    async with open_app("browse") as pilot:
        tree = screen_of(pilot).tree_view
        await wait_until(lambda: tree.node.path == os.fsencode(home))
        await pilot.press("slash", "x", "escape", "down")
        assert "Go to" not in screen_text(pilot.app)
        assert tree.has_focus


async def test_the_nearest_folder_is_the_path_itself_if_it_is_one(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path)
    assert await find_nearest_folder(path) == path
    assert await find_nearest_folder(path + b"/a/b/c") == path
    (tmp_path / "file").touch()
    assert await find_nearest_folder(path + b"/file") == path


async def test_a_running_scan_reads_first_where_the_cursor_rests(
    open_app: OpenApp, engine: ScriptedEngine, tmp_path: Path, wait_until: Wait
) -> None:
    (tmp_path / "looked at").mkdir()
    async with open_app("browse") as pilot:
        await go_to(pilot, os.fsencode(tmp_path), wait_until)
        await pilot.press("s")
        assert engine.priority is None
        await go_to(pilot, os.fsencode(tmp_path / "looked at"), wait_until)
        await wait_until(lambda: engine.priority == os.fsencode(tmp_path / "looked at"))


async def test_a_root_that_is_away_is_told_at_the_start_and_in_the_tree(
    open_app: OpenApp, library: Library, engine: ScriptedEngine, tmp_path: Path, wait_until: Wait
) -> None:
    path = tmp_path / "[b] disk"
    path.mkdir()
    await library.writer.run(lambda db: add_root(db, os.fsencode(path)))

    async def look() -> bool:
        await library.writer.run(lambda db: note_offline(db, [1], now_ns=1))
        return True

    engine.find_roots = look
    async with open_app("browse") as pilot:
        await wait_until(lambda: "Offline: " in screen_text(pilot.app))
        await go_to(pilot, os.fsencode(path), wait_until)
        await wait_until(lambda: any("offline" in line for line in rows(pilot) if "▾ [b] disk" in line))
        await wait_until(lambda: "0 files in the library, offline" in screen_text(pilot.app))
