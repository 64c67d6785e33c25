"""A table of files that shows a million rows as fast as a hundred.

The table holds the rows around what is shown and asks its view for others when they come into sight; a row that is not
there yet is drawn as a placeholder, and nothing waits for it longer than a moment that nobody notices.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from textual import work
from textual.geometry import clamp
from textual.message import Message

from tui.display import display
from tui.errors import YapmoError
from tui.widgets.file_lines import FileLines
from tui.widgets.line_list import LineList
from tui.widgets.painted_lines import Line, Piece, fit
from tui.widgets.row_pages import PAGE_ROWS, RowPages, page_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual import events
    from textual.timer import Timer

    from tui.records import FileRow
    from tui.widgets.file_columns import Column
    from tui.widgets.row_pages import FileView

logger = logging.getLogger("yapmo.widgets")

COUNT_PATIENCE_S = 0.03
"""How long the first rows wait for their number, so that they are mostly painted once."""

PLACES_PAUSE_S = 0.5
"""How long a list stands before it gets ready for jumps to any place: who types a query meanwhile has moved on."""

ROWS_PATIENCE_S = 0.03
"""How long rows that come into sight have to come before placeholders are shown, so that they are mostly painted once."""

RENEWAL_TRIES = 4
"""How often a renewal begins again because the cursor moved meanwhile, before it leaves it to the next one."""


class FileTable(LineList):
    """A virtual table over a `FileView`, with a cursor that stays on its file while the list changes.

    Set a list with `show()`, take in its changes with `renew()`. `LineList.CursorMoved` comes when the cursor stands on
    another file, and when the row of that file has arrived.
    """

    class Opened(Message):
        """The user wants to see everything about a file.

        Attributes:
            row: the file.
        """

        def __init__(self, row: FileRow) -> None:
            """Say which file."""
            super().__init__()
            self.row = row

    class SortChosen(Message):
        """The user wants the list in another order.

        Attributes:
            field: field of the query language.
            falling: True for the highest first.
        """

        def __init__(self, field: str, *, falling: bool) -> None:
            """Say by what and in which direction."""
            super().__init__()
            self.field = field
            self.falling = falling

    class ReadFailed(Message):
        """Rows could not be read.

        Attributes:
            error: why, and what to do.
        """

        def __init__(self, error: YapmoError) -> None:
            """Keep the reason."""
            super().__init__()
            self.error = error

    def __init__(
        self,
        columns: Iterable[str] = ("name",),
        *,
        date_format: str = "%Y-%m-%d %H:%M",
        id: str | None = None,  # noqa: A002  # Textual's name for it
    ) -> None:
        """Make an empty table.

        Args:
            columns: names of columns as in `interface.columns`.
            date_format: `strftime` pattern of all dates.
            id: the widget's id.
        """
        super().__init__(id=id)
        self._drawing = FileLines(columns, date_format)
        self._sort: tuple[str, bool] | None = None
        self._notice: tuple[str, ...] = ()
        self._view: FileView | None = None
        self._latest: FileView | None = None
        self._count = 0
        self._pages = RowPages()
        self._cursor_id: int | None = None
        self._chosen = False
        self._rows_wanted = asyncio.Event()
        self._patience: Timer | None = None
        self._shown_lacking: frozenset[int] = frozenset()

    # What is shown

    @property
    def cursor_row(self) -> FileRow | None:
        """The file under the cursor, None when there is none or its row is on the way."""
        return self._pages.row(self.cursor)

    @property
    def sort(self) -> tuple[str, bool] | None:
        """Field of the query language that the list is sorted by, and whether the highest comes first."""
        return self._sort

    async def show(self, view: FileView, sort: tuple[str, bool] | None = None) -> None:
        """Show another list from its beginning; what stood there stays until the first rows are here.

        When lists are shown faster than they can be read, the last one wins.

        Args:
            view: the list.
            sort: field of the query language that it is sorted by, and whether the highest comes first.

        Raises:
            YapmoError: the rows could not be read; what stood there still stands.
        """
        self._latest = view
        self.workers.cancel_group(self, "places")
        rows = await view.page(0, PAGE_ROWS)
        if view is not self._latest:
            return
        self._begin(view, rows, sort)
        counting = asyncio.ensure_future(view.count())
        try:
            await asyncio.wait([counting], timeout=COUNT_PATIENCE_S)
            if not counting.done() and view is self._latest:
                self.rows_changed()
            count = await counting
            if view is self._latest:
                self._count = count
                self.rows_changed()
                self._prepare_places(view)
        finally:
            counting.cancel()

    def _begin(self, view: FileView, rows: Sequence[FileRow], sort: tuple[str, bool] | None) -> None:
        """Take the first rows of another list; they are painted with their number, or with whatever is painted before."""
        self._view, self._pages, self._sort = view, RowPages(), sort
        self._pages.put(0, rows)
        self._cursor, self.top, self._chosen, self._cursor_id = 0, 0, False, None
        self._count = len(rows)
        self._fetch_wanted_rows()  # whoever waits for rows of the list before gives them up

    async def renew(self, view: FileView) -> bool:
        """Show `view`, the same list read anew, without moving what the user looks at.

        The cursor stays on its file and the file on its line. A cursor that the user never moved stays at the top, and
        one whose file is gone from the list stays at its place. Nothing changes on the screen before everything that is
        needed is here, and then only lines that differ are painted.

        Returns:
            False when the list was left as it was: the user kept moving too fast, or another list is being shown.

        Raises:
            YapmoError: the rows could not be read; what stood there still stands.
        """
        shown = self._latest
        for _ in range(RENEWAL_TRIES):
            file_id, index, top = self._kept_id(), self.cursor, self.top
            count = await view.count()
            place = await view.position_of(file_id) if file_id is not None else None
            place = clamp(index if place is None else place, 0, max(0, count - 1))
            first = max(0, place - (index - top))
            pages = RowPages()
            for number in page_numbers(first, min(first + self.page_height, max(0, count - 1))):
                pages.put(number, await view.page(number * PAGE_ROWS, PAGE_ROWS))
            if self._latest is not shown:
                return False
            if (file_id, index) == (self._kept_id(), self.cursor):
                found = pages.place_of(file_id) if file_id is not None else None
                self._latest = self._view = view
                self._count, self._pages = count, pages
                line = self._cursor - self.top
                self._cursor = place if found is None else found
                self.top = max(0, self._cursor - line)
                self.rows_changed()
                return True
        return False

    def set_columns(self, columns: Iterable[str], date_format: str) -> None:
        """Show other columns, or write dates in another way (`strftime`)."""
        self._drawing = FileLines(columns, date_format)
        self.repaint()

    def set_notice(self, lines: Sequence[str]) -> None:
        """Say what to do where there are no rows; shown only while the list is empty."""
        self._notice = tuple(lines)
        self.repaint()

    # What the user does

    def move_to(self, index: int) -> None:
        """Put the cursor on the row at the 0-based `index`, as near as there is one, and bring it into sight."""
        self._chosen = True
        super().move_to(index)

    def move(self, step: str) -> None:
        """Move the cursor; by pages, the window moves with it, so that the cursor keeps its line."""
        page = max(1, self.page_height - 1)
        rows = {"page_up": -page, "page_down": page}.get(step)
        if rows is not None:
            self.top = clamp(self.top + rows, 0, max(0, self._count - self.page_height))
        super().move(step)

    def open_cursor(self) -> None:
        """Ask for everything about the file under the cursor."""
        if (row := self.cursor_row) is not None:
            self._chosen = True
            self.post_message(self.Opened(row))

    def sort_beside(self, step: int) -> None:
        """Ask for the order of the next sortable column to the right (1) or left (-1) of the present one."""
        if columns := self._drawing.sortable(self.size.width):
            fields = [column.sort for column in columns]
            present = fields.index(self._sort[0]) if self._sort and self._sort[0] in fields else -max(step, 0)
            self._choose_sort(columns[(present + step) % len(columns)])

    def reverse_sort(self) -> None:
        """Ask for the order to be turned round."""
        if self._sort is not None:
            self.post_message(self.SortChosen(self._sort[0], falling=not self._sort[1]))

    def _choose_sort(self, column: Column) -> None:
        if self._sort is not None and self._sort[0] == column.sort:
            self.reverse_sort()
        else:
            self.post_message(self.SortChosen(column.sort, falling=column.falling))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor under the pointer; twice opens the file, and a title sorts."""
        if self.row_at(event.y) is not None:
            super().on_click(event)
            if event.chain == 2 and not self.is_bar_at(event.x, event.y):
                self.open_cursor()
        elif event.y == 0 and (column := self._drawing.sortable_at(event.x, self.size.width)) is not None:
            self._choose_sort(column)

    # Rows come and go

    def on_mount(self) -> None:
        """Begin to fetch rows as they are wanted."""
        self._fetch_wanted_rows()

    def on_resize(self) -> None:
        """Fit the columns to the new width."""
        self._drawing.forget()

    def repaint(self) -> None:
        """Show what there is, and see to it that what lacks will come; at once, or with rows that come within a moment."""
        row = self.cursor_row
        if row is not None and row.file_id != self._cursor_id:
            self._cursor_id = row.file_id
            self.post_message(self.CursorMoved(self))
        self._rows_wanted.set()
        if self._lacking_in_sight() <= self._shown_lacking or not self.is_running:
            self._paint()
        elif self._patience is None:
            self._patience = self.set_timer(ROWS_PATIENCE_S, self._paint, name="patience")

    def _paint(self) -> None:
        """Show what there is now, rows and placeholders."""
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        self._shown_lacking = self._lacking_in_sight()
        super().repaint()

    def _lacking_in_sight(self) -> frozenset[int]:
        """Return the numbers of the pages in sight that are not here."""
        last = self._count - 1
        bottom = self.top + self.page_height - 1
        return frozenset(self._pages.lacking(min(self.top, last), min(bottom, last)) if self._count else ())

    @work(name="rows", group="rows", exclusive=True)
    async def _fetch_wanted_rows(self) -> None:
        """Fetch the pages around the window and at the ends, those in sight first, for as long as the table lives."""
        while True:
            await self._rows_wanted.wait()
            self._rows_wanted.clear()
            try:
                while (number := self._next_page_wanted()) is not None and (view := self._view) is not None:
                    rows = await view.page(number * PAGE_ROWS, PAGE_ROWS)
                    if view is self._view:
                        self._pages.put(number, rows)
                        if number in page_numbers(self.top, self.top + self.page_height):
                            self.repaint()
            except YapmoError as error:
                logger.warning("could not read rows: %s", display(error.message))
                self.post_message(self.ReadFailed(error))

    @work(name="places", group="places", exclusive=True)
    async def _prepare_places(self, view: FileView) -> None:
        """Get `view` ready for jumps to any place while nobody asks for one."""
        await asyncio.sleep(PLACES_PAUSE_S)
        try:
            await view.prepare_places()
        except YapmoError as error:  # who goes there is told
            logger.info("could not read the order: %s", display(error.message))

    def _next_page_wanted(self) -> int | None:
        """Return the number of the next page to fetch: in sight, else a screen below or above, else at an end of the list."""
        if not self._count:
            return None
        height, last = self.page_height, self._count - 1
        for first in (self.top, self.top + height, self.top - height, 0, last - height):
            if lacking := self._pages.lacking(clamp(first, 0, last), clamp(first + height - 1, 0, last)):
                return lacking[0]
        return None

    def _kept_id(self) -> int | None:
        """Return the id of the file that a renewal must keep the cursor on; None for a cursor nobody moved."""
        return self._cursor_id if self._chosen else None

    def _go(self, index: int) -> None:
        if index != self._cursor:
            self._cursor_id = None
        super()._go(index)

    # Lines

    def row_count(self) -> int:
        """Return how many files the list has, as far as is known."""
        return self._count

    def head(self, width: int) -> Line:
        """Return the titles of the columns, that of the sorted one with ▲ or ▼."""
        return self._drawing.head(width, self._sort)

    def row(self, index: int, width: int) -> Line:
        """Return one row, or the placeholder of a row that is on the way."""
        return self._drawing.row(self._pages.row(index), width, under_cursor=index == self.cursor)

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """Return titles and rows, or titles and the notice while there are no rows."""
        if self._count:
            return super().lines(width, height)
        if self._view is None:
            return [self.head(width)]
        block = max(map(len, self._notice), default=0)
        indent = " " * max(1, (width - block) // 2)
        above = max(1, (height - len(self._notice)) // 3)
        blank: Line = (Piece(" " * width),)
        notice: list[Line] = [(Piece(fit(indent + line, width), "dim"),) for line in self._notice]
        return [self.head(width), *[blank] * above, *notice]
