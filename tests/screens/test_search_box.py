"""The search box: when it asks, what it remembers, how it points at mistakes, what it does with foreign text."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from tui.widgets.search_box import QueryInput, SearchBox, without_field
from tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from collections.abc import Callable


class BoxApp(App[None]):
    """A search box above something else that can have the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.box = SearchBox(self.leave)
        self.queries: list[str] = []
        self.left = 0

    def compose(self) -> ComposeResult:
        yield self.box
        yield Static("below")

    def on_mount(self) -> None:
        self.box.focus_line()

    def on_search_box_query_changed(self, message: SearchBox.QueryChanged) -> None:
        self.queries.append(message.text)

    def leave(self) -> None:
        self.left += 1


def screen_lines(app: App[None]) -> list[str]:
    return ["".join(segment.text for segment in line) for line in app.screen._compositor.render_strips()]


async def test_a_query_is_asked_when_the_keys_rest(wait_until: Callable[..., Any]) -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        began = time.monotonic()
        await pilot.press(*"beach")
        typed_s = time.monotonic() - began
        await wait_until(lambda: app.queries)
        assert app.queries[-1] == "beach"
        assert len(app.queries) <= 1 + typed_s / 0.12
        await pilot.press("space")
        await wait_until(lambda: app.box._pause is None)
        assert app.queries[-1] == "beach"
        assert app.queries.count("beach") == 1, "blanks at the end make no other query"


async def test_a_typed_letter_is_painted_without_a_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    class LineApp(App[None]):
        def compose(self) -> ComposeResult:
            yield TypedLine()

    app = LineApp()
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.press("a")
        layouts = []
        monkeypatch.setattr(app.screen, "_refresh_layout", lambda *_, **__: layouts.append("a layout"))
        await pilot.press("b", "c")
        assert "abc" in app.screen._compositor.render_strips()[0].text
        assert not layouts


async def test_enter_asks_at_once_and_goes_on_to_the_table() -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press(*"a/b", "enter")
        await pilot.pause()
        assert app.queries[-1] == "a/b"
        assert app.left == 1


async def test_escape_clears_then_leaves() -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press(*"x", "enter", "escape")
        await pilot.pause()
        assert app.box.text == ""
        assert app.queries == ["x", ""]
        assert app.left == 1
        await pilot.press("escape")
        await pilot.pause()
        assert app.left == 2


async def test_older_queries_come_back() -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        for query in ("one", "two"):
            app.box.replace_text("")
            await pilot.press(*query, "enter")
        app.box.replace_text("dra")
        await pilot.press("up")
        await pilot.pause()
        assert app.box.text == "two"
        await pilot.press("up", "up")
        await pilot.pause()
        assert app.box.text == "one"
        await pilot.press("down", "down")
        await pilot.pause()
        assert app.box.text == "dra"
        left = app.left
        await pilot.press("down")
        await pilot.pause()
        assert app.left == left + 1, "below the newest lies the table"


async def test_what_was_found_stands_on_the_right() -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.box.show_result(3118, 41.4)
        await pilot.pause()
        assert screen_lines(app)[0].rstrip().endswith("3,118 found  41 ms")
        app.box.show_searching()
        await pilot.pause()
        assert "searching …" in screen_lines(app)[0]
        app.box.show_nothing()
        await pilot.pause()
        assert "search" not in screen_lines(app)[0]


@pytest.mark.parametrize(
    ("query", "position", "line"),
    [
        ("beach iso>many", 10, " " * 13 + "▲ a number was expected"),
        ("x" * 60 + " iso>", 61, " " * 42 + "a number was expected ▲"),
        ("日本 iso>many", 3, " " * 8 + "▲ a number was expected"),
    ],
)
async def test_a_mistake_is_shown_under_its_place(query: str, position: int, line: str) -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.box.replace_text(query)
        await pilot.pause()
        before = screen_lines(app)[2:]
        app.box.show_mistake("a number was expected", position)
        await pilot.pause()
        assert screen_lines(app)[1].rstrip() == line
        assert screen_lines(app)[2:] == before, "the mistake pushes nothing aside"
        app.box.show_result(1, 1)
        await pilot.pause()
        assert "expected" not in screen_lines(app)[1]


async def test_a_long_mistake_is_cut_and_a_hostile_one_does_nothing() -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.box.show_mistake("[@click=app.quit]x[/] \x1b[31m " + "y" * 100, 0)
        await pilot.pause()
        assert r"▲ [@click=app.quit]x[/] \x1b[31m yyy" in screen_lines(app)[1]
        await pilot.click(offset=(8, 1))
        assert app.is_running


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("beach sort:taken- kind:image", "beach kind:image"),
        ("sort=taken img", "img"),
        ("img ORDER:=name", "img"),
        ("img -sort:name sort>taken", "img"),
        ('img sort:"taken" "sort:name" x', 'img "sort:name" x'),
        ('title:"a sort:b c" x', 'title:"a sort:b c" x'),
        ("a (sort:name b) c", "a ( b) c"),
        ("resort:x sort:name", "resort:x sort:name"),
        ('sort:name "not closed', '"not closed'),
        ("sort:name", ""),
        ("  x  sort:a,b  y  ", "x  y"),
    ],
)
def test_the_terms_of_a_field_are_taken_out(query: str, kept: str) -> None:
    assert without_field(query, ("sort", "order")) == kept


async def test_an_idle_box_sends_nothing() -> None:
    app = BoxApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        assert app.box.query_one(QueryInput).cursor_blink is False
