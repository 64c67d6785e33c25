"""Answers questions about the library over short reading connections.

Each kind of question has a lane: a connection of its own, opened when first needed, that answers one question at a
time. A question about a newer query interrupts the lane's older one, which is asked again afterwards if someone
still waits for it.

What the first rows of a table do not need is imported where it is used.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tui.library.answers import count_files, read_ids, read_order
from tui.library.connections import Connection, connect_reading, explain, explained, primary_code
from tui.library.query_plans import Plan, plan_query
from tui.library.rows import FileDetails, find_file, read_details, read_rows

if TYPE_CHECKING:
    from array import array
    from collections.abc import AsyncIterator, Callable, Sequence

    from tui.library.query import Query
    from tui.library.query_completion import Completion
    from tui.library.saved_queries import SavedQuery
    from tui.library.statistics import LibraryStatistics
    from tui.records import FileRow

__all__ = [
    "FileDetails",
    "FileView",
    "Reader",
    "count_files",
    "read_ids",
    "read_order",
]

T = TypeVar("T")

NEAR_ROWS = 2_000
"""Rows from either end of a view that are read directly; the order of all is read for those between."""

QUICK_S = 0.005
"""Processor time, in seconds, that finding a page directly may take without counting as slow."""

PATIENCE_S = 0.1
"""Processor time that slow pages may take, all together, before the order of all is read once instead."""

_CHUNK_ROWS = 500
_MOST_TRIES = 5


class _Lane:
    """One reading connection that answers one question at a time, the newest first."""

    def __init__(self, path: bytes, immutable: bool) -> None:
        self._path = path
        self._immutable = immutable
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()
        self._age = 0
        self._busy = False

    async def ask(self, question: Callable[[sqlite3.Connection], T], age: int = 0) -> T:
        """Return the answer to `question`; one of a lower `age` is interrupted and asked again after this one.

        If the caller is cancelled, the question is interrupted.

        Raises:
            LibraryError: the library cannot be read.
        """
        while True:
            if self._busy and age > self._age and self._connection is not None:
                self._connection.interrupt_now()
            async with self._turn:
                self._age, self._busy = age, True
                try:
                    return await self._answer(question)
                except sqlite3.Error as error:
                    if primary_code(error) != sqlite3.SQLITE_INTERRUPT:
                        raise explain(error, self._path) from error
                finally:
                    self._busy = False

    async def _answer(self, question: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = await self._connect()
        asked = self._connection.start(question)
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            self._connection.interrupt_now()
            await asyncio.wait([asked])
            if not asked.cancelled():
                asked.exception()
            raise

    async def _connect(self) -> Connection:
        path, immutable = self._path, self._immutable
        connection = Connection(lambda: connect_reading(path, immutable=immutable), iter_chunk_size=64)
        with explained(path):
            await connection
        return connection

    async def close(self) -> None:
        if self._busy and self._connection is not None:
            self._connection.interrupt_now()
        async with self._turn:
            if self._connection is not None:
                connection, self._connection = self._connection, None
                await connection.close()


class FileView:
    """The files that a query finds, in its order, read in parts.

    Attributes:
        query: the query.
    """

    def __init__(self, reader: Reader, query: Query, age: int) -> None:
        """Show `query`; `age` rises with every view, so that newer ones are answered first."""
        self.query = query
        self._reader = reader
        self._age = age
        self._count: int | None = None
        self._order: asyncio.Task[array[int]] | None = None
        self._waiting_for_order = 0
        self._plan: Plan | None = None
        self._slow_s = 0.0

    async def count(self) -> int:
        """Return how many files there are.

        Raises:
            LibraryError: the library cannot be read.
        """
        if self._count is None:
            self._count = await self._reader.counts.ask(
                lambda db: count_files(db, self.query, self._plan), self._age
            )
        return self._count

    async def page(self, offset: int, limit: int) -> list[FileRow]:
        """Return up to `limit` rows from the 0-based `offset` on.

        Raises:
            LibraryError: the library cannot be read.
        """
        last = None if self._count is None else self._count - offset
        if self._order_is_known or self._slow_s > PATIENCE_S:
            return await self._page_by_order(offset, limit)
        if offset + limit <= NEAR_ROWS:
            return await self._ask(lambda db: self._find(db, offset, limit))
        if last is not None and 0 < last <= NEAR_ROWS:
            beyond = max(0, last - limit)
            return await self._ask(lambda db: self._find(db, beyond, last - beyond, backwards=True))
        return await self._page_by_order(offset, limit)

    async def prepare_places(self) -> None:
        """Read the order now if it is not known, so that pages far from either end are quick: a second for a million files.

        Raises:
            LibraryError: the library cannot be read.
        """
        if await self.count() > 2 * NEAR_ROWS:
            await self._read_order()

    async def position_of(self, file_id: int) -> int | None:
        """Return the 0-based place of a file, None when it is not in the view.

        Raises:
            LibraryError: the library cannot be read.
        """
        if not self._order_is_known:
            ids = await self._reader.pages.ask(
                lambda db: read_ids(db, self._plan_with(db), 0, NEAR_ROWS), self._age
            )
            if file_id in ids:
                return ids.index(file_id)
            if len(ids) < NEAR_ROWS:
                return None
        order = await self._read_order()
        try:
            return order.index(file_id)
        except ValueError:
            return None

    @property
    def _order_is_known(self) -> bool:
        order = self._order
        return order is not None and order.done() and not order.cancelled() and order.exception() is None

    async def _read_order(self) -> array[int]:
        """Return the ids of all files in order, read once for the view: eight bytes a file."""
        if self._order is None or (self._order.done() and not self._order_is_known):
            question = self._reader.orders.ask(lambda db: read_order(db, self.query), self._age)
            self._order = asyncio.create_task(question)
        order = self._order
        self._waiting_for_order += 1
        try:
            ids = await asyncio.shield(order)
        finally:
            self._waiting_for_order -= 1
            if not self._waiting_for_order and not order.done():  # given up by all who wanted it
                order.cancel()
                self._order = None  # it takes a moment to end, and whoever comes meanwhile wants another one
        self._count = len(ids)
        return ids

    async def _page_by_order(self, offset: int, limit: int) -> list[FileRow]:
        order = await self._read_order()
        return await self._ask(lambda _db: order[offset : offset + limit])

    def _find(
        self, db: sqlite3.Connection, offset: int, limit: int, *, backwards: bool = False
    ) -> Sequence[int]:
        """Return ids as `read_ids` does, and note how much longer than quick it took."""
        began = time.thread_time()
        ids = read_ids(db, self._plan_with(db), offset, limit, backwards=backwards)
        self._slow_s += max(0.0, time.thread_time() - began - QUICK_S)
        return ids

    async def _ask(self, find: Callable[[sqlite3.Connection], Sequence[int]]) -> list[FileRow]:
        return await self._reader.pages.ask(lambda db: read_rows(db, find(db)), self._age)

    def _plan_with(self, db: sqlite3.Connection) -> Plan:
        if self._plan is None:
            self._plan = plan_query(db, self.query)
        return self._plan


class Reader:
    """Answers questions about one library.

    Attributes:
        pages: lane for rows, details and look-ups: short questions.
        counts: lane for counts.
        orders: lane for the order of long views.
        suggestions: lane for what a query that is being typed may go on with.
    """

    def __init__(self, path: bytes, *, immutable: bool = False) -> None:
        """Read the library at `path`; connections are opened when they are first needed."""
        self._path = path
        self._immutable = immutable
        self._age = 0
        self.pages = _Lane(path, immutable)
        self.counts = _Lane(path, immutable)
        self.orders = _Lane(path, immutable)
        self.suggestions = _Lane(path, immutable)

    async def open_view(self, query: Query) -> FileView:
        """Return a view of what `query` finds; nothing is read before it is asked for."""
        self._age += 1
        return FileView(self, query, self._age)

    async def data_version(self) -> int:
        """Return a number that changes whenever someone, in this process or another, has committed to the library.

        Raises:
            LibraryError: the library cannot be read.
        """
        return await self.pages.ask(_data_version)

    async def saved_queries(self) -> list[SavedQuery]:
        """Return all saved queries in alphabetical order.

        Raises:
            LibraryError: the library cannot be read.
        """
        from tui.library.saved_queries import list_saved

        return await self.pages.ask(list_saved)

    async def collections(self) -> dict[str, str | None]:
        """Return what `parse_query` must know of saved queries and collections.

        Raises:
            LibraryError: the library cannot be read.
        """
        from tui.library.saved_queries import collection_queries

        return await self.pages.ask(collection_queries)

    async def completions(self, typed: str) -> list[Completion]:
        """Return how a query may go on, by fields and by what the library has; takes a twentieth of a second at most.

        Raises:
            LibraryError: the library cannot be read.
        """
        from tui.library.query_completion import asks_library, complete_query

        if not asks_library(typed):
            return complete_query(typed)
        return await self.suggestions.ask(lambda db: complete_query(typed, db))

    async def details(self, file_id: int) -> FileDetails | None:
        """Return everything known about a file, None when there is no such file.

        Raises:
            LibraryError: the library cannot be read.
        """
        return await self.pages.ask(lambda db: read_details(db, file_id))

    async def find(self, which: bytes | int) -> int | None:
        """Return the id of the file at an absolute path, or with that id; None when there is none.

        Raises:
            LibraryError: the library cannot be read.
        """
        return await self.pages.ask(lambda db: find_file(db, which))

    async def statistics(self) -> LibraryStatistics:
        """Return sums over the whole library as it is at one instant; about a second for a million files.

        Raises:
            LibraryError: the library cannot be read.
        """
        from tui.library.statistics import PARTS, LibraryStatistics

        lanes = [_Lane(self._path, self._immutable) for _ in PARTS]
        try:
            await self._hold_one_instant(lanes)
            parts = await asyncio.gather(*(lane.ask(read) for lane, read in zip(lanes, PARTS, strict=True)))
        finally:
            for lane in lanes:
                await lane.close()
        return LibraryStatistics(**{name: value for part in parts for name, value in part.items()})

    async def _hold_one_instant(self, lanes: Sequence[_Lane]) -> None:
        """Begin a transaction in each lane, all at the same state of the library; while it changes fast, nearly the same."""
        for _ in range(_MOST_TRIES):
            version = await self.data_version()
            for lane in lanes:
                await lane.ask(_hold)
            if await self.data_version() == version:
                return

    async def iterate(self, query: Query, *, limit: int | None = None) -> AsyncIterator[FileRow]:
        """Yield the files that `query` finds, in its order; between rows no read of the library is open.

        Args:
            query: the query.
            limit: at most so many; None for all.

        Raises:
            LibraryError: the library cannot be read.
        """
        lane = _Lane(self._path, self._immutable)
        try:
            if limit is not None and limit <= NEAR_ROWS:
                ids: Sequence[int] = await lane.ask(lambda db: read_ids(db, plan_query(db, query), 0, limit))
            else:
                ids = (await lane.ask(lambda db: read_order(db, query)))[:limit]
            for start in range(0, len(ids), _CHUNK_ROWS):
                part = ids[start : start + _CHUNK_ROWS]
                for row in await lane.ask(partial(read_rows, file_ids=part)):
                    yield row
        finally:
            await lane.close()

    async def close(self) -> None:
        """Interrupt what runs and close the connections; idempotent."""
        for lane in (self.pages, self.counts, self.orders, self.suggestions):
            await lane.close()


def _hold(db: sqlite3.Connection) -> None:
    """Let what follows on this connection see the library as it is now."""
    if db.in_transaction:
        db.execute("COMMIT")
    db.execute("BEGIN")
    db.execute("SELECT 1 FROM setting LIMIT 1").fetchone()


def _data_version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA data_version").fetchone()
    return int(version)
