"""Lines of styled pieces on Textual's line API: a new picture repaints only the cells that differ.

A terminal is a network link. A widget describes the whole of what it shows as pieces of text; what is sent is
the difference to what is on the screen already, and no change of content ever asks for a layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.display import display

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ELLIPSIS = "…"
"""Stands where text was cut away."""


class Piece(NamedTuple):
    """Text in one style.

    Attributes:
        text: what it says.
        look: one of `LOOKS` without its prefix, such as `dim`; empty for the style of the widget.
    """

    text: str
    look: str = ""


Line = tuple[Piece, ...]
"""One line, from the left."""

LOOKS = (
    "dim",
    "strong",
    "accent",
    "good",
    "warning",
    "bad",
    "bar",
    "track",
    "key",
    "cursor",
    "blurred",
    "thumb",
)
"""The styles that pieces can have; `app.tcss` says what each looks like."""


def fit(
    text: str, width: int, *, align: Literal["left", "right"] = "left", cut: Literal["start", "end"] = "end"
) -> str:
    """Return `text` in exactly `width` cells: padded, or cut with an ellipsis where it is too long.

    Args:
        text: one line of safe text.
        width: cells; zero or less gives nothing.
        align: side on which the text stands when there is room to spare.
        cut: side on which the text loses what there is no room for (`start` for paths: their end tells more).
    """
    if width <= 0:
        return ""
    excess = cell_len(text) - width
    if excess <= 0:
        return text + " " * -excess if align == "left" else " " * -excess + text
    if cut == "end":
        return set_cell_size(text, width - 1) + ELLIPSIS
    kept = text[excess:]
    while cell_len(kept) > width - 1:
        kept = kept[1:]
    return fit(ELLIPSIS + kept, width)


def line_width(line: Line) -> int:
    """Return the width of a line in cells."""
    return sum(cell_len(piece.text) for piece in line)


def cut(line: Line, width: int) -> Line:
    """Return `line` in exactly `width` cells: padded, or its last pieces cut off."""
    pieces: list[Piece] = []
    left = width
    for piece in line:
        cells = cell_len(piece.text)
        if cells >= left:
            return (*pieces, Piece(fit(piece.text, left), piece.look))
        pieces.append(piece)
        left -= cells
    return (*pieces, Piece(" " * left))


class PaintedLines(Widget):
    """A widget that is described as lines of pieces.

    A subclass implements `lines` and calls `repaint` whenever what it shows may have changed.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{look}" for look in LOOKS}
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's name
        """Show nothing until the first `repaint`."""
        super().__init__(id=id, classes=classes)
        self._painted: list[Line] = []

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """Return what to show in `width` × `height` cells; what goes beyond is cut off."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Show what `lines` now says; only the cells that differ are sent to the terminal."""
        width, height = self.size
        if not width or not height or not self.is_attached:
            return
        before, self._painted = self._painted, [_clean(line) for line in self.lines(width, height)][:height]
        regions = [
            Region(start, y, end - start, 1)
            for y, (old, new) in enumerate(_pair(before, self._painted))
            for start, end in changed_spans(old, new, width)
        ]
        if regions:
            self.refresh(*regions)

    def on_resize(self) -> None:
        """Paint anew for the new size."""
        self._painted = []
        self.repaint()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one painted line (called by Textual)."""
        base = self.rich_style
        width = self.size.width
        segments = []
        if y < len(self._painted):
            for text, look in self._painted[y]:
                style = base + self.get_component_rich_style(f"line--{look}", partial=True) if look else base
                segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(width, base)


def _clean(line: Line) -> Line:
    """Return a line without empty pieces, its text made safe once more: nothing else reaches the terminal."""
    return tuple(Piece(display(piece.text), piece.look) for piece in line if piece.text)


def _pair(before: list[Line], after: list[Line]) -> Iterator[tuple[Line, Line]]:
    for index in range(max(len(before), len(after))):
        yield before[index] if index < len(before) else (), after[index] if index < len(after) else ()


def changed_spans(old: Line, new: Line, width: int) -> list[tuple[int, int]]:
    """Return the spans of cells (start, end) in which two lines of `width` cells differ.

    Pieces of equal width are compared one by one; from the first piece on that moved, all is taken as changed.
    """
    if old == new:
        return []
    spans: list[tuple[int, int]] = []
    x = 0
    for index, piece in enumerate(new):
        cells = cell_len(piece.text)
        if index >= len(old) or cell_len(old[index].text) != cells:
            return _joined([*spans, (x, width)], width)
        if piece != old[index]:
            spans.append((x, x + cells))
        x += cells
    return _joined(spans if len(old) == len(new) else [*spans, (x, width)], width)


def _joined(spans: list[tuple[int, int]], width: int) -> list[tuple[int, int]]:
    """Return `spans` within `width`, neighbours made one."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        stop = min(end, width)
        if start >= stop:
            continue
        if joined and joined[-1][1] >= start:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined
