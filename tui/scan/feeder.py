"""The feeder: hands out files whose stage is pending, those first that the user looks at.

The backlog is the library itself; in memory are one page of jobs and the ids of those under way.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

    from tui.records import FileJob
    from tui.scan.daemon_thread import DaemonThread

_PAGE = 512
_MAX_ATTEMPTS = 3
_PREFERRED_AGAIN_S = 1.0
"""After so many seconds it is asked again whether a preferred folder without pending files has got some."""


class PendingQuery(Protocol):
    """A library function that lists files whose stage is pending, by id."""

    def __call__(
        self,
        db: sqlite3.Connection,
        *,
        after_id: int,
        limit: int,
        under: bytes | None,
    ) -> list[FileJob]:
        """Return at most `limit` jobs with ids above `after_id`; only those at or below the folder `under` if given."""
        ...


class Feeder:
    """Hands every pending file out once, and again only after it was given back undone."""

    def __init__(
        self,
        thread: DaemonThread,
        connection: sqlite3.Connection,
        query: PendingQuery,
        *,
        in_path_order: bool = False,
    ) -> None:
        """Read with `connection`, which belongs to `thread` alone.

        Args:
            thread: where the library is read.
            connection: the library.
            query: lists what is pending.
            in_path_order: whether each page is handed out by folder and name instead of by id, for disks whose head
                should not jump. Ids follow the walk, so a page holds whole folders.
        """
        self._in_path_order = in_path_order
        self._thread = thread
        self._connection = connection
        self._query = query
        self._page: deque[FileJob] = deque()
        self._after_id = 0
        self._claimed: set[int] = set()
        self._settled_since_read: set[int] = set()
        self._is_reading = False
        self._aside: set[int] = set()
        self._returns: Counter[int] = Counter()
        self._preferred: bytes | None = None
        self._preferred_again_s = 0.0

    @property
    def under_way(self) -> int:
        """Number of files that were handed out and not yet settled."""
        return len(self._claimed)

    def prefer(self, folder: bytes | None) -> None:
        """Hand out the files at or below `folder` (absolute path) before all others, also those that are still to come."""
        if folder == self._preferred:
            return
        self._preferred = folder
        self._preferred_again_s = 0.0
        self._page.clear()
        self._after_id = 0

    def settle(self, file_ids: Iterable[int]) -> None:
        """Note that the outcome of these files is committed."""
        for file_id in file_ids:
            self._claimed.discard(file_id)
            if self._page or self._is_reading:  # else no page is left in which it still looks pending
                self._settled_since_read.add(file_id)

    def give_back(self, file_ids: Collection[int]) -> None:
        """Note that these files may still be pending; what a page held back says of them may be outdated."""
        self._returns.update(file_ids)
        self.settle(file_ids)

    def take_back(self, file_ids: Iterable[int]) -> None:
        """Note that these files were not read, through no fault of theirs; they are handed out as if they never had been."""
        self.settle(file_ids)

    @property
    def has_aside(self) -> bool:
        """Whether files were put aside and not brought back."""
        return bool(self._aside)

    def put_aside(self, file_ids: Iterable[int]) -> set[int]:
        """Hold back files that were handed out until `bring_back`; returns which were handed out here."""
        aside = self._claimed.intersection(file_ids)
        self._aside |= aside
        return aside

    def bring_back(self) -> None:
        """Let the files that were put aside be handed out again, as the library has them by then."""
        if self._aside:
            aside, self._aside = self._aside, set()
            self._page.clear()
            self._after_id = 0
            self.settle(aside)

    def claim(self, job: FileJob) -> bool:
        """Hand out a file that came by another way; False when it is under way already."""
        if job.file_id in self._claimed:
            return False
        self._claimed.add(job.file_id)
        return True

    def may_retry(self, file_id: int) -> bool:
        """Tell whether a file that is under way may be given back: it is handed out three times at most in one scan."""
        return self._returns[file_id] < _MAX_ATTEMPTS - 1

    async def next_job(self) -> FileJob | None:
        """Return a file to work on, None when nothing is pending that is not under way."""
        while True:
            if not self._page and not await self._read_page():
                return None
            job = self._page.popleft()
            if self._is_free(job):
                self._claimed.add(job.file_id)
                return job

    def _is_free(self, job: FileJob) -> bool:
        """Tell whether a file may be handed out: what was settled after the page was read only looks pending in it."""
        return (
            job.file_id not in self._claimed
            and job.file_id not in self._settled_since_read
            and self._returns[job.file_id] < _MAX_ATTEMPTS
        )

    async def _read_page(self) -> bool:
        """Fill the page: preferred folders, then onwards by id, then from the start once more."""
        preferred = self._preferred
        if preferred is not None and time.monotonic() >= self._preferred_again_s:
            if await self._read(0, preferred):
                return True
            self._preferred_again_s = time.monotonic() + _PREFERRED_AGAIN_S
        if await self._read(self._after_id, None):
            return True
        started, self._after_id = self._after_id, 0
        return started > 0 and await self._read(0, None)

    async def _read(self, after_id: int, under: bytes | None) -> bool:
        """Read pages until one holds a job that may be handed out; False when there is none."""
        while True:
            last = after_id
            self._settled_since_read.clear()

            def read(after: int = last) -> list[FileJob]:
                return self._query(self._connection, after_id=after, limit=_PAGE, under=under)

            self._is_reading = True
            try:
                jobs = await self._thread.run(read)
            finally:
                self._is_reading = False
            if not jobs:
                return False
            after_id = jobs[-1].file_id
            if under is None:
                self._after_id = after_id
            free = [job for job in jobs if self._is_free(job)]
            if self._in_path_order:
                free.sort(key=lambda job: os.path.split(job.path))
            self._page.extend(free)
            if self._page:
                return True
