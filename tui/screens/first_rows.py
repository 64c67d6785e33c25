"""The first rows of the table, asked for while the screen that will show them is still being made."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.errors import LibraryError
from tui.library.query import Query
from tui.widgets.row_pages import PAGE_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.library.reader import FileView, Reader
    from tui.records import FileRow

FIRST_ORDER = ("taken", True)
"""Field and direction that the table is sorted by until the user chooses others: the latest first."""


class FirstRows:
    """All files in the first order, their first page and their number on the way.

    Attributes:
        query: what is asked for.
    """

    def __init__(self, reader: Reader) -> None:
        """Ask `reader`, at once."""
        self.query = Query().sorted_by(FIRST_ORDER[0], falling=FIRST_ORDER[1])
        self._reader = reader
        self._answer = asyncio.ensure_future(self._ask())

    async def wait(self, patience_s: float) -> None:
        """Return when the rows are here or could not be read, after `patience_s` seconds at the latest."""
        await asyncio.wait([self._answer], timeout=patience_s)

    async def take(self) -> tuple[int, FirstView] | None:
        """Return the state of the library and its view; None where it could not be read and is to be asked again."""
        try:
            return await self._answer
        except LibraryError:
            return None

    async def _ask(self) -> tuple[int, FirstView]:
        version = await self._reader.data_version()
        view = await self._reader.open_view(self.query)
        count = asyncio.ensure_future(view.count())
        try:
            return version, FirstView(view, await view.page(0, PAGE_ROWS), count)
        except LibraryError:
            count.cancel()
            raise


class FirstView:
    """A view of the library whose first page is here already, and its number of files on the way."""

    def __init__(self, view: FileView, rows: Sequence[FileRow], count: asyncio.Future[int]) -> None:
        """Answer as `view` does, but the first time with the page `rows` and with `count`."""
        self._view = view
        self._rows: Sequence[FileRow] | None = rows
        self._count: asyncio.Future[int] | None = count
        self.prepare_places = view.prepare_places
        self.position_of = view.position_of

    async def count(self) -> int:
        """Return how many files there are."""
        count, self._count = self._count, None
        return await (count if count is not None else self._view.count())

    async def page(self, offset: int, limit: int) -> Sequence[FileRow]:
        """Return up to `limit` rows from the 0-based `offset` on."""
        rows, self._rows = self._rows, None
        if rows is not None and (offset, limit) == (0, PAGE_ROWS):
            return rows
        return await self._view.page(offset, limit)
