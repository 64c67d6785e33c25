"""The details panel: groups of facts, wrapped, scrolled, and harmless whatever a file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from tui.actions import Place, bindings
from tui.display import display
from tui.file_facts import Fact, FactGroup
from tui.widgets.details_panel import DetailsPanel, lay_out, wrap_text

if TYPE_CHECKING:
    from tui.widgets.painted_lines import Line


def text_of(line: Line) -> str:
    return "".join(piece.text for piece in line)


class PanelApp(App[None]):
    """A details panel alone on the screen."""

    BINDINGS = bindings(Place.LISTS)
    CSS_PATH = "../../tui/app.tcss"

    def __init__(self) -> None:
        super().__init__()
        self.panel = DetailsPanel()

    def compose(self) -> ComposeResult:
        yield self.panel

    def on_mount(self) -> None:
        self.panel.focus()

    def action_move(self, step: str) -> None:
        self.panel.move(step)


def shown_text(panel: DetailsPanel) -> str:
    return "\n".join(panel.render_line(y).text.rstrip() for y in range(panel.size.height))


@given(st.text(max_size=200), st.integers(2, 60))
def test_wrapping_loses_nothing_and_keeps_the_width(text: str, width: int) -> None:
    lines = list(wrap_text(text, width))
    assert all(cell_len(line) <= width for line in lines)
    kept = "".join(lines).replace(" ", "")
    assert kept == "".join(display(line) for line in text.splitlines()).replace(" ", "")


def test_values_stand_beside_their_labels_and_wrap_there() -> None:
    groups = [
        FactGroup(
            "File", (Fact("Name", "a.jpg"), Fact("Folder", "/srv/photos/some/rather/deep/place of mine"))
        ),
        FactGroup("Camera", (Fact("ISO", "800", "warning"),)),
    ]
    lines = list(lay_out(groups, 32))
    assert [text_of(line) for line in lines] == [
        " File",
        " Name    a.jpg",
        " Folder  /srv/photos/some/rather",
        "         /deep/place of mine",
        "",
        " Camera",
        " ISO     800",
    ]
    assert lines[-1][-1].look == "warning"


def test_long_labels_and_narrow_panels_put_values_below() -> None:
    groups = [FactGroup("EXIF", (Fact("A", "1"), Fact("ThumbnailOffsetInTheFile", "12345")))]
    assert [text_of(line) for line in lay_out(groups, 40)] == [
        " EXIF",
        f" {'A':18}  1",
        " ThumbnailOffsetInTheFile",
        "   12345",
    ]
    assert all(cell_len(text_of(line)) <= 12 for line in lay_out(groups, 12))


def test_a_value_of_megabytes_is_shortened() -> None:
    lines = list(lay_out([FactGroup("XMP", (Fact("Blob", "x" * 3_000_000),))], 60))
    assert len(lines) < 60
    assert "(3,000,000 characters)" in text_of(lines[-1])


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_the_panel_scrolls_below_the_name(size: tuple[int, int]) -> None:
    app = PanelApp()
    facts = tuple(Fact(f"Tag {number}", str(number)) for number in range(300))
    async with app.run_test(size=size, notifications=True) as pilot:
        app.panel.show("[/]a\x1b[31m.jpg", [FactGroup("EXIF", facts)])
        await pilot.pause()
        assert "Tag 0 " in shown_text(app.panel)
        await pilot.press("end")
        await pilot.pause()
        text = shown_text(app.panel)
        assert text.startswith(r" [/]a\x1b[31m.jpg")
        assert "Tag 299" in text
        await pilot.resize_terminal(60, 30)
        await pilot.pause()
        assert "Tag 299" in shown_text(app.panel)
        app.panel.show("b.jpg", [FactGroup("EXIF", facts)], from_top=False)
        await pilot.pause()
        assert "Tag 299" in shown_text(app.panel)
        app.panel.show("b.jpg", [FactGroup("EXIF", facts)])
        await pilot.pause()
        assert "Tag 0 " in shown_text(app.panel)


async def test_hostile_values_are_shown_and_do_nothing() -> None:
    app = PanelApp()
    hostile = "[@click=app.quit]x[/] \x1b]52;c;eA==\x07 \u202eabc\x9b \x00 [red]"
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.panel.show(hostile, [FactGroup(hostile, (Fact(hostile, hostile), Fact("Lines", "one\ntwo")))])
        await pilot.pause()
        text = shown_text(app.panel)
        assert "[@click=app.quit]x[/] \\x1b]52;c;eA==\\x07" in text
        assert not any(ord(sign) < 32 and sign != "\n" for sign in text)
        assert "\u202e" not in text
        for y in range(6):
            await pilot.click(app.panel, offset=(8, y))
        assert app.is_running
