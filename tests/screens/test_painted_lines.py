"""Painted lines: what is sent is the difference, no more and never less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult

from tests.screens.scripted_engine import FORBIDDEN, HOSTILE_NAMES
from tui.widgets.painted_lines import Line, PaintedLines, Piece, changed_span, cut, fit, line_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.color import Color
    from textual.geometry import Region

TEXTS = st.text(alphabet="aé漢 0…", max_size=8)
LINES = st.lists(st.builds(Piece, TEXTS, st.sampled_from(["", "dim", "bad"])), max_size=5).map(tuple)


def cells(line: Line, width: int) -> list[tuple[str, str]]:
    """Return the line cell by cell: character and look; the second cell of a wide character repeats it."""
    shown = [(char, piece.look) for piece in line for char in piece.text for _ in range(cell_len(char))]
    return (shown + [(" ", "")] * width)[:width]


@given(old=LINES, new=LINES, width=st.integers(1, 30))
def test_outside_of_the_changed_span_nothing_differs(old: Line, new: Line, width: int) -> None:
    start, end = changed_span(old, new, width) or (0, 0)
    before, after = cells(old, width), cells(new, width)
    assert 0 <= start <= end <= width
    assert before[:start] == after[:start]
    assert before[end:] == after[end:]


def test_a_number_that_changes_sends_its_digits_only() -> None:
    old = (Piece("files "), Piece("  1,024", "strong"), Piece("  rest of the line"))
    new = (Piece("files "), Piece("  1,031", "strong"), Piece("  rest of the line"))
    assert changed_span(old, new, 80) == (11, 13)


def test_the_same_line_sends_nothing() -> None:
    line = (Piece("files "), Piece("1,024", "strong"))
    assert changed_span(line, (Piece("files "), Piece("1,024", "strong")), 80) is None


@given(text=TEXTS, width=st.integers(0, 12), side=st.sampled_from(["start", "end"]))
def test_fitted_text_has_exactly_the_width(text: str, width: int, side: str) -> None:
    fitted = fit(text, width, cut="start" if side == "start" else "end")
    assert cell_len(fitted) == width
    if cell_len(text) > width > 1:
        assert "…" in fitted


@given(line=LINES, width=st.integers(1, 30))
def test_a_cut_line_has_exactly_the_width(line: Line, width: int) -> None:
    assert line_width(cut(line, width)) == width


class NamesApp(App[None]):
    """Shows whatever names it is given, unescaped, as a careless screen would."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = names

    def compose(self) -> ComposeResult:
        yield Names()


class Names(PaintedLines):
    """One line a name."""

    def lines(self, width: int, height: int) -> Sequence[Line]:
        assert isinstance(self.app, NamesApp)
        return [(Piece(name, "bad"),) for name in self.app.names]


async def test_even_text_that_nobody_escaped_cannot_command_the_terminal() -> None:
    app = NamesApp([name.decode("utf-8", "surrogateescape") for name in HOSTILE_NAMES])
    async with app.run_test(size=(80, 24), notifications=True):
        shown = "".join(strip.text for strip in app.screen._compositor.render_strips())
        assert not FORBIDDEN.intersection(shown)
        assert "[@click=app.quit]x" in shown
        assert r"csi\x1b[31m" in shown
        assert r"caf\xe9\xff" in shown


async def test_a_repaint_asks_for_the_changed_cells_only() -> None:
    app = NamesApp(["worker 1  idle", "worker 2  idle"])
    async with app.run_test(size=(80, 24)) as pilot:
        names = app.query_one(Names)
        app.names = ["worker 1  idle", "worker 2  busy"]
        asked: list[Region] = []
        refresh = names.refresh

        def noting(*regions: Region, **how: bool) -> Names:
            asked.extend(regions)
            return refresh(*regions, **how)

        names.refresh = noting  # type: ignore[method-assign]  # to see what is asked for
        names.repaint()
        await pilot.pause()
        assert [(region.y, region.x, region.right) for region in asked] == [(1, 10, 14)]
        names.repaint()
        assert len(asked) == 1


async def test_another_theme_paints_anew_in_its_colours() -> None:
    app = NamesApp(["a name"])
    async with app.run_test(size=(80, 24)) as pilot:
        seen = set()
        for theme in ("textual-dark", "nord", "textual-light", "ansi-dark"):
            app.theme = theme
            await pilot.pause()
            segment = next(iter(app.screen._compositor.render_strips()[0]))
            assert segment.text.startswith("a name")
            assert segment.style is not None
            seen.add((segment.style.color, segment.style.bgcolor))
        assert len(seen) == 4


class ScrollBar(PaintedLines):
    def lines(self, width: int, height: int) -> Sequence[Line]:
        return [(Piece("█", "thumb"), Piece("│", "track"))]


class ScrollBarApp(App[None]):
    def compose(self) -> ComposeResult:
        yield ScrollBar()


def shade(color: Color | None) -> float:
    """Return what is left of a colour where there are none: 0 for black to 255 for white."""
    assert color is not None
    red, green, blue = color.get_truecolor()
    return 0.3 * red + 0.59 * green + 0.11 * blue


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "nord", "gruvbox"])
async def test_the_thumb_stands_out_without_colour(theme: str) -> None:
    app = ScrollBarApp()
    app.theme = theme
    async with app.run_test(size=(10, 2)) as pilot:
        bar = app.query_one(ScrollBar)
        bar.repaint()
        await pilot.pause()
        thumb, track = (segment.style or Style() for segment in list(bar.render_line(0))[:2])
        assert abs(shade(thumb.color) - shade(thumb.bgcolor)) > 70
        assert abs(shade(thumb.color) - shade(track.color)) > 30
