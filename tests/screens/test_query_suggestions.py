"""What the search box offers while a query is typed, and how it is taken."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Button

from tui.errors import LibraryError
from tui.library.query_completion import Completion, complete_query
from tui.widgets import suggestions
from tui.widgets.search_box import QueryInput, SearchBox
from tui.widgets.suggestions import Suggestions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Wait = Callable[..., Any]

CAMERAS = ("Canon EOS R6", "D850", "evil\x1b[31m[/]")


async def _suggest(typed: str) -> Sequence[Completion]:
    """Offer cameras, and what is known without a library."""
    if typed.endswith("camera:"):
        return [Completion(len(typed), f'"{camera}"', camera) for camera in CAMERAS]
    return complete_query(typed)


class BoxApp(App[None]):
    """A search box above a button."""

    def __init__(self, suggest: Any = _suggest) -> None:
        super().__init__()
        self.box = SearchBox(lambda: None, suggest)

    def compose(self) -> ComposeResult:
        yield self.box
        yield Button("below")

    def on_mount(self) -> None:
        self.box.focus_line()

    @property
    def line(self) -> str:
        return self.box.query_one(QueryInput).value

    def row(self, number: int) -> str:
        return "".join(segment.text for segment in self.screen._compositor.render_strips()[number]).rstrip()


async def test_a_field_is_shown_in_grey_and_taken_by_right_or_tab(wait_until: Wait) -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press(*"beach cam")
        await wait_until(lambda: app.row(0) == " / beach camera:")
        assert app.line == "beach cam"
        await pilot.press("right")
        assert app.line == "beach camera:"
        app.box.replace_text("capt")
        await pilot.press("tab")
        assert app.line == "caption:"


async def test_values_are_listed_and_tab_goes_through_them(wait_until: Wait) -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press(*"camera:")
        await wait_until(lambda: "Canon EOS R6   D850" in app.row(1))
        assert r"evil\x1b[31m[/]" in app.row(1)
        app.box.show_mistake("camera has no value", 7)
        await pilot.pause()
        assert "D850" in app.row(1), "what may come is of more use than that it is not there yet"
        await pilot.press("tab")
        assert app.line == 'camera:"Canon EOS R6"'
        await pilot.press("tab")
        assert app.line == 'camera:"D850"'
        await pilot.press("tab", "tab")
        assert app.line == 'camera:"Canon EOS R6"'
        await pilot.press("shift+tab", "shift+tab")
        assert app.line == 'camera:"D850"'
        await pilot.press("space", *"x")
        await wait_until(lambda: "D850" not in app.row(1))


async def test_tab_is_heard_before_what_is_typed_behind_it() -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press(*"came", "tab", "tab", "space", *"kind:v", "tab")
        assert app.line == 'camera:"Canon EOS R6" kind:video'
        app.box.replace_text("x camera:")
        assert await app.box.complete(1), "nothing has looked for it yet"
        assert app.line == 'x camera:"Canon EOS R6"'


@pytest.mark.parametrize("typed", ["", "nothing", "kind:image "])
async def test_without_a_suggestion_tab_goes_on(typed: str) -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.box.replace_text(typed)
        await pilot.press("tab")
        assert isinstance(app.focused, Button)
        assert app.line == typed


async def test_the_list_goes_when_the_box_is_left_or_emptied(wait_until: Wait) -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press(*"kind:")
        await wait_until(lambda: "image   raw" in app.row(1))
        app.set_focus(app.query_one(Button))
        await wait_until(lambda: "image" not in app.row(1))
        app.box.focus_line()
        await pilot.press("r")
        await wait_until(lambda: "raw" in app.row(1))
        await pilot.press("escape")
        await wait_until(lambda: "raw" not in app.row(1))


async def test_a_slow_or_broken_library_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def never(typed: str) -> Sequence[Completion]:
        asked.append(typed)
        await asyncio.Event().wait()
        return []

    async def broken(_typed: str) -> Sequence[Completion]:
        raise LibraryError("The library is damaged")

    monkeypatch.setattr(suggestions, "PATIENCE_S", 0.01)
    for suggest in (never, broken):
        app = BoxApp(suggest)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await pilot.press(*"cam", "tab")
            assert app.line == "camera:"
    assert asked


async def test_a_long_list_keeps_the_taken_one_in_sight() -> None:
    async def many(_typed: str) -> Sequence[Completion]:
        return [Completion(0, f"value-{number:02}", f"value-{number:02}") for number in range(20)]

    offered = Suggestions(many)
    await offered.find("v")
    for number in range(20):
        assert offered.take(1) == f"value-{number:02}"
        line = offered.line(30)
        assert line.cell_length <= 30
        assert f"value-{number:02}" in line.plain
