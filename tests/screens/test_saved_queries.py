"""Saved queries on the library screen: kept by a name, chosen from a list, usable in the search box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.command import CommandPalette

from tests.screens.filled_library import fill, photos
from tests.screens.scripted_engine import screen_text
from tests.screens.test_library_screen import library_screen, shown_names
from tui.library.saved_queries import list_saved, save_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.screens.conftest import OpenApp
    from tui.library.database import Library

    Wait = Callable[..., Any]


@pytest.fixture
async def filled(library: Library) -> Library:
    """A library of thirty photos of 2019 and five of 2020."""
    await fill(library, [*photos(30), *photos(5, b"2020", 100)])
    return library


async def _saved(library: Library) -> list[tuple[str, str]]:
    return [(item.name, item.query) for item in await library.reader.saved_queries()]


async def test_a_query_is_kept_and_asked_by_its_name(
    open_app: OpenApp, filled: Library, wait_until: Wait
) -> None:
    async with open_app("library") as pilot:
        screen = library_screen(pilot)
        await pilot.press("slash", *"path:2020/", "ctrl+s", *"new ones", "enter")
        await wait_until(lambda: '@"new ones" asks it' in screen_text(pilot.app))
        assert await _saved(filled) == [("new ones", "path:2020/")]
        screen.box.replace_text('@"new ones" -0104')
        await wait_until(lambda: len(shown_names(pilot)) == 4)
        await pilot.press("slash", "ctrl+s", *"NEW ones", "enter")
        await wait_until(lambda: "asks for itself" in screen_text(pilot.app))
        screen.box.replace_text("@nothing")
        await wait_until(lambda: "no collection or saved query 'nothing'" in screen_text(pilot.app))


async def test_a_saved_query_is_chosen_from_a_list(
    open_app: OpenApp, filled: Library, wait_until: Wait
) -> None:
    hostile = 'name:"[/] [@click=app.quit]x[/]" or 0003'
    async with open_app("library", size=(100, 30)) as pilot:
        await pilot.press("ctrl+o")
        await wait_until(lambda: "There are no saved queries; ctrl+s keeps one" in screen_text(pilot.app))
        await filled.writer.run(lambda db: save_query(db, "third", hostile, 1))
        await filled.writer.run(lambda db: save_query(db, "second", "0002", 1))
        await pilot.press("ctrl+o")
        await wait_until(lambda: isinstance(pilot.app.screen, CommandPalette))
        await wait_until(lambda: "[@click=app.quit]" in screen_text(pilot.app))
        await pilot.press(*"thi")
        await wait_until(lambda: "second" not in screen_text(pilot.app))
        await wait_until(lambda: "third" in screen_text(pilot.app))
        await pilot.press("enter")
        await wait_until(lambda: not isinstance(pilot.app.screen, CommandPalette))
        await wait_until(lambda: shown_names(pilot) == ["▸IMG_0003.JPG"])
        assert library_screen(pilot).box.text == "@third"


async def test_a_column_goes_before_the_order_of_a_saved_query(
    open_app: OpenApp, filled: Library, wait_until: Wait
) -> None:
    await filled.writer.run(lambda db: save_query(db, "few", "path:2020/ sort:name", 1))
    async with open_app("library") as pilot:
        screen = library_screen(pilot)
        screen.box.replace_text("@few")
        await wait_until(lambda: shown_names(pilot)[:1] == ["▸IMG_0100.JPG"] and len(shown_names(pilot)) == 5)
        await pilot.press("o")
        await wait_until(lambda: "IMG_0104.JPG" in shown_names(pilot)[0])
        assert screen.box.text == "@few sort:name-"


async def test_nothing_is_kept_without_a_query_or_a_name(
    open_app: OpenApp, filled: Library, wait_until: Wait
) -> None:
    async with open_app("library") as pilot:
        await pilot.press("ctrl+s")
        await wait_until(lambda: "Type a query first: /" in screen_text(pilot.app))
        await pilot.press("slash", *"0001", "ctrl+s", "escape")
        assert library_screen(pilot).box.text == "0001"
        await pilot.press("slash", "ctrl+s", "enter")
        await wait_until(lambda: "cannot be the name" in screen_text(pilot.app))
    assert await filled.writer.run(list_saved) == []
