"""Lines of styled pieces on Textual's line API: a new picture repaints only the cells that differ.

A terminal is a network link. A widget describes the whole of what it shows as pieces of text; what is sent is
the difference to what is on the screen already, and no change of content ever asks for a layout.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.display import display

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.geometry import Size

ELLIPSIS = "…"
"""Stands where text was cut away."""


class Piece(NamedTuple):
    """Text in one style.

    Attributes:
        text: what it says.
        look: one of `LOOKS`; empty for the style of the widget.
    """

    text: str
    look: str = ""


Line = tuple[Piece, ...]
"""One line, from the left."""

LOOKS = {
    "": "",
    "dim": "$foreground 62%",
    "strong": "bold",
    "accent": "bold $text-accent",
    "good": "$text-success",
    "warning": "$text-warning",
    "bad": "bold $text-error",
    "bar": "$primary",
    "track": "$foreground 25%",
    "key": "bold $footer-key-foreground",
    "thumb": "$foreground 50%",
    "cursor": "bold $block-cursor-foreground on $block-cursor-background",
    "blurred": "$block-cursor-blurred-foreground on $block-cursor-blurred-background",
}
"""What each look is, in variables of the theme, on top of the widget's own colours.

Not component classes of Textual's: those are a style sheet lookup each for every widget, half of the time that a screen
takes to open.
"""

_DECORATIONS = frozenset({"tint", "hatch", "outline_top", "outline_right", "outline_bottom", "outline_left"})
"""Rules of a style sheet that put something over the lines of a widget."""

FAINT = frozenset({"dim", "track"})
"""Looks that are a mixture with the background; where the terminal's own colours are used, they are its faint text."""


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

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's name
        """Show nothing until the first `repaint`."""
        super().__init__(id=id, classes=classes)
        self._described: list[Line] = []
        self._painted: list[Line] = []
        self._painted_size: Size | None = None
        self._styles_by_look: dict[str, Style] = {}
        self._strips: dict[int, tuple[Line, Strip]] = {}

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """Return what to show in `width` × `height` cells; what goes beyond is cut off."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Show what `lines` now says; only the cells that differ are sent to the terminal."""
        if not self.size or not self.is_attached:
            return
        before, same_size = self._painted, self._painted_size == self.size
        self._describe()
        if not same_size:
            self.refresh()
            return
        width = self.size.width
        spans = (changed_span(old, new, width) for old, new in _pair(before, self._painted))
        regions = [Region(span[0], y, span[1] - span[0], 1) for y, span in enumerate(spans) if span]
        if regions:
            self.refresh(*regions)

    def _describe(self) -> None:
        """Take what `lines` now says; lines that say the same as before stay as they were."""
        width, height = self.size
        before = self._painted if self._painted_size == self.size else []
        described = list(self.lines(width, height))[:height]
        self._painted = [
            before[y] if y < len(before) and line == self._described[y] else _clean(line)
            for y, line in enumerate(described)
        ]
        self._described, self._painted_size = described, self.size

    def on_resize(self) -> None:
        """Paint for the new size, unless that was done when Textual asked for it."""
        self.repaint()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return painted lines (called by Textual, for a new size before the widget hears of it: no frame need be empty).

        Lines that nothing stands around go to the screen as they are. Textual would look for borders, filters and the
        like at every line, which is half of the time that a page takes.
        """
        if self.size and self._painted_size != self.size:
            self._describe()
        styles = self.styles
        if any(styles.gutter) or self.opacity < 1 or not _DECORATIONS.isdisjoint(styles.get_rules()):
            return super().render_lines(crop)
        strips = [self.render_line(y) for y in crop.line_range]
        return (
            [strip.crop(crop.x, crop.right) for strip in strips] if crop.width < self.size.width else strips
        )

    def notify_style_update(self) -> None:
        """Forget the styles of before (called by Textual when theme, focus or classes change)."""
        self._styles_by_look = {}
        self._strips = {}
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """Return one painted line (called by Textual)."""
        width = self.size.width
        line = self._painted[y] if y < len(self._painted) else ()
        before, strip = self._strips.get(y, (None, None))
        if before is line and strip is not None and strip.cell_length == width:
            return strip
        strip = self._strip(line, width)
        self._strips[y] = line, strip
        return strip

    def _strip(self, line: Line, width: int) -> Strip:
        segments = [Segment(piece.text, self._style(piece.look)) for piece in line]
        cells = line_width(line)
        if cells < width:
            segments.append(Segment(" " * (width - cells), self._style("")))
        strip = Strip(segments, max(cells, width))
        return strip if cells <= width else strip.crop(0, width)

    def _style(self, look: str) -> Style:
        """Return the style of a look; Textual works it out anew at each call, which is most of the cost of a line."""
        style = self._styles_by_look.get(look)
        if style is None:
            style = (self.visual_style + self.app.stylesheet.parse_style(LOOKS[look])).rich_style
            if look in FAINT and self.app.native_ansi_color:
                style += Style(dim=True)
            for line_filter in self.get_line_filters():
                (segment,) = line_filter.apply([Segment(" ", style)], self.background_colors[1])
                style = segment.style or style
            self._styles_by_look[look] = style
        return style


def _clean(line: Line) -> Line:
    """Return a line as few pieces, its text made safe once more: nothing else reaches the terminal."""
    return tuple(
        Piece(display("".join(piece.text for piece in pieces)), look)
        for look, pieces in groupby(line, key=lambda piece: piece.look)
    )


def _pair(before: list[Line], after: list[Line]) -> Iterator[tuple[Line, Line]]:
    for index in range(max(len(before), len(after))):
        yield before[index] if index < len(before) else (), after[index] if index < len(after) else ()


def changed_span(old: Line, new: Line, width: int) -> tuple[int, int] | None:
    """Return the cells (start, end) within `width` outside of which two lines are the same; None when all are.

    One span a line: Textual sends a line of a widget from its first cell to the end of the span, so what changes
    often belongs to the left, and two spans would send the first one twice.
    """
    if old == new:
        return None
    start, end, x = width, 0, 0
    for index, piece in enumerate(new):
        cells = cell_len(piece.text)
        if index >= len(old) or cell_len(old[index].text) != cells:
            return min(start, x), width
        if piece != old[index]:
            first, last = _differing_cells(old[index], piece, cells)
            start = min(start, x + first)
            end = x + last
        x += cells
    if len(old) != len(new):
        return min(start, x), width
    return (start, min(end, width)) if start < width else None


def _differing_cells(old: Piece, new: Piece, cells: int) -> tuple[int, int]:
    """Return the cells of two pieces of equal width between which they differ."""
    if old.look != new.look or len(old.text) != cells or len(new.text) != cells:
        return 0, cells
    return _equal_start(old.text, new.text), cells - _equal_start(old.text[::-1], new.text[::-1])


def _equal_start(old: str, new: str) -> int:
    """Return with how many equal characters two texts of one length begin, found by halving."""
    equal, end = 0, len(old)
    while equal < end:
        middle = (equal + end + 1) // 2
        if old[equal:middle] == new[equal:middle]:
            equal = middle
        else:
            end = middle - 1
    return equal
