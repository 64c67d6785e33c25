"""Any number of one-line rows, scrolled; what it costs depends on the rows in view alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.widgets.painted_lines import Line, PaintedLines, Piece, cut, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

WHEEL_ROWS = 3
"""Rows that one notch of a mouse wheel moves the view."""


class ScrolledLines(PaintedLines, can_focus=True):
    """Rows on painted lines, with a scroll bar when they do not all fit.

    A subclass implements `row_count` and `row`, and calls `rows_changed`. The rows in view are asked for, no others.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's name
        """Begin at the first row."""
        super().__init__(id=id, classes=classes)
        self.top = 0
        self._grip: int | None = None

    def row_count(self) -> int:
        """Return the number of rows."""
        raise NotImplementedError

    def row(self, index: int, width: int) -> Line:
        """Return row `index` (0-based) for `width` cells; it may be shorter."""
        raise NotImplementedError

    def head(self, width: int) -> Line:  # noqa: ARG002  # for lists with a heading
        """Return the heading that stays above the rows; empty for none."""
        return ()

    def empty_text(self) -> str:
        """Return what is shown instead of rows while there are none."""
        return ""

    @property
    def page_height(self) -> int:
        """Number of rows that can be shown at once."""
        return max(1, self.size.height - bool(self.head(self.size.width)))

    def rows_changed(self) -> None:
        """Show the rows anew after their number or content changed."""
        self.keep_in_range()
        self.repaint()

    def keep_in_range(self) -> None:
        """Move the view so that it shows as many rows as it can."""
        self.top = max(0, min(self.top, self.row_count() - self.page_height))

    def move(self, step: str) -> None:
        """Scroll `up`, `down`, `page_up`, `page_down`, to `start` or to `end`."""
        page = max(1, self.page_height - 1)
        distances = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        ends = {"start": 0, "end": self.row_count()}
        self.top = ends[step] if step in ends else self.top + distances[step]
        self.rows_changed()

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the heading and the rows in view, with a scroll bar if need be."""
        count = self.row_count()
        rows = height - bool(self.head(width))
        thumb = thumb_rows(self.top, rows, count)
        inner = width - 1 if thumb else width
        head = [self.head(inner)] if self.head(inner) else []
        if not count:
            return [*head, (Piece(fit(f" {self.empty_text()}", width), "dim"),)]
        return [*head, *(self._shown(y, inner, thumb) for y in range(min(rows, count - self.top)))]

    def dressed_row(self, index: int, width: int) -> Line:
        """Return row `index` as it is shown."""
        return self.row(index, width)

    def _shown(self, y: int, width: int, thumb: range) -> Line:
        line = self.dressed_row(self.top + y, width)
        if not thumb:
            return line
        return (*cut(line, width), Piece("█", "thumb") if y in thumb else Piece("│", "track"))

    # The scroll bar

    def is_bar_at(self, x: int, y: int) -> bool:
        """Tell whether the scroll bar stands at cell `x` of line `y` of the widget."""
        return (
            x == self.size.width - 1
            and self.size.height - self.page_height <= y < self.size.height
            and bool(thumb_rows(self.top, self.page_height, self.row_count()))
        )

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scroll bar; beside its thumb, the thumb comes under the pointer."""
        if event.button != 1 or not self.is_bar_at(event.x, event.y):
            return
        thumb = thumb_rows(self.top, self.page_height, self.row_count())
        line = self._bar_line(event.y)
        self._grip = line - thumb.start if line in thumb else len(thumb) // 2
        self.capture_mouse()
        self._drag_to(line)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Let the rows follow the scroll bar."""
        if self._grip is not None:
            self._drag_to(self._bar_line(event.y))

    def on_mouse_up(self) -> None:
        """Let go of the scroll bar."""
        if self._grip is not None:
            self._grip = None
            self.release_mouse()

    def _bar_line(self, y: int) -> int:
        return y - (self.size.height - self.page_height)

    def _drag_to(self, line: int) -> None:
        """Show the rows that belong to the thumb where line `line` of the bar is under the pointer."""
        height, count = self.page_height, self.row_count()
        room = height - len(thumb_rows(self.top, height, count))
        if room and self._grip is not None:
            start = max(0, min(line - self._grip, room))
            if start != thumb_rows(self.top, height, count).start:
                self.scroll_rows(round(start / room * (count - height)) - self.top)

    def row_at(self, y: int) -> int | None:
        """Return the row that stands on line `y` of the widget, None for the heading and below the last."""
        index = self.top + y - (self.size.height - self.page_height)
        return index if self.top <= index < self.row_count() else None

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Show whether keys move this list; `on_focus` and `on_blur` come before `has_focus` has changed."""
        super().watch_has_focus(_has_focus)
        self.repaint()

    def on_resize(self) -> None:
        """Fill the new size."""
        self.keep_in_range()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the view down."""
        event.stop()
        self.scroll_rows(WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the view up."""
        event.stop()
        self.scroll_rows(-WHEEL_ROWS)

    def scroll_rows(self, rows: int) -> None:
        """Move the view by `rows`, down or (negative) up."""
        self.top += rows
        self.rows_changed()


def thumb_rows(top: int, height: int, count: int) -> range:
    """Return the lines that the thumb of a scroll bar covers; none when all of `count` rows fit."""
    if count <= height or height < 2:
        return range(0)
    size = max(1, round(height * height / count))
    start = round(top / (count - height) * (height - size))
    return range(start, start + size)
