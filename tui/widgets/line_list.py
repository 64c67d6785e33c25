"""A scrolled list with a cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from tui.widgets.painted_lines import Line, Piece, fit
from tui.widgets.scrolled_lines import ScrolledLines

if TYPE_CHECKING:
    from textual import events


class LineList(ScrolledLines):
    """Rows of which one is under the cursor. A subclass implements `row_count` and `row`."""

    class CursorMoved(Message):
        """The cursor stands on another row.

        Attributes:
            rows: the list whose cursor moved.
        """

        def __init__(self, rows: LineList) -> None:
            """Keep whose cursor moved."""
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> LineList:
            """The list whose cursor moved."""
            return self.rows

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's name
        """Begin at the first row."""
        super().__init__(id=id, classes=classes)
        self._cursor = 0

    @property
    def cursor(self) -> int:
        """0-based row of the cursor; 0 in an empty list."""
        return self._cursor

    def move(self, step: str) -> None:
        """Move the cursor `up`, `down`, `page_up`, `page_down`, to `start` or to `end`."""
        page = max(1, self.page_height - 1)
        distances = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        ends = {"start": 0, "end": self.row_count() - 1}
        self.move_to(ends[step] if step in ends else self._cursor + distances[step])

    def move_to(self, index: int) -> None:
        """Move the cursor to row `index`, or to the nearest that there is, and into view."""
        self._go(index)
        self.repaint()

    def keep_in_range(self) -> None:
        """Keep the cursor on a row that there is, and in view."""
        self._go(self._cursor)

    def scroll_rows(self, rows: int) -> None:
        """Move the view by `rows`; the cursor stays in it."""
        height = self.page_height
        self.top = max(0, min(self.top + rows, self.row_count() - height))
        self.move_to(max(self.top, min(self._cursor, self.top + height - 1)))

    def _go(self, index: int) -> None:
        before = self._cursor
        self._cursor = max(0, min(index, self.row_count() - 1))
        height = self.page_height
        self.top = max(self._cursor - height + 1, min(self.top, self._cursor))
        self.top = max(0, min(self.top, self.row_count() - height))
        if self._cursor != before:
            self.post_message(self.CursorMoved(self))

    def dressed_row(self, index: int, width: int) -> Line:
        """Return row `index`, the one under the cursor in its own look."""
        line = self.row(index, width)
        if index != self._cursor:
            return line
        look = "cursor" if self.has_focus else "blurred"
        return (Piece(fit("".join(piece.text for piece in line), width), look),)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor under the pointer."""
        index = self.row_at(event.y)
        if index is not None and not self.is_bar_at(event.x, event.y):
            self.move_to(index)
