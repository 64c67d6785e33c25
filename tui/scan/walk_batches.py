"""What a walk learned, on its way to the writer: in batches that an abort need not wait for, few at a time."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.library import files
from tui.library.identity.staging import Settled, apply_folder_updates
from tui.records import FolderUpdate
from tui.scan.cancel import ScanCancelledError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from tui.library.database import Library
    from tui.library.identity.staging import ScanKey
    from tui.records import FoundFile
    from tui.scan.cancel import CancelToken
    from tui.scan.progress import Tally

BATCH_FILES = 2_000
"""Files that one transaction writes: a tenth of a second of a slow machine, which an abort may have to wait for."""

_BATCH_S = 0.2
_UNDER_WAY = 2
"""Batches that were handed over and are not committed: one is written while the next is made."""


class WalkBatches:
    """Takes what one walk learned, in its thread, and hands it to the writer on the event loop."""

    def __init__(
        self,
        library: Library,
        key: ScanKey,
        token: CancelToken,
        tally: Tally,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Begin with nothing; `tally` counts what is written."""
        self._library = library
        self._key = key
        self._token = token
        self._tally = tally
        self._loop = loop
        self._batch: list[FolderUpdate] = []
        self._batch_files = 0
        self._batch_since = 0.0
        self._under_way: deque[Future[None]] = deque()

    def add(self, update: FolderUpdate) -> None:
        """Add what was learned about one folder; wait while the writer has enough to do.

        Raises:
            ScanCancelledError: the scan was aborted.
            LibraryError: the library cannot be written.
        """
        for part in split_update(update):
            if not self._batch:
                self._batch_since = time.monotonic()
            self._batch.append(part)
            self._batch_files += count_files(part)
            if self._batch_files >= BATCH_FILES or time.monotonic() - self._batch_since >= _BATCH_S:
                self._hand_over()

    def finish(self) -> None:
        """Return once everything is committed; raises as `add` does."""
        self._hand_over()
        self._wait(0)

    def _hand_over(self) -> None:
        self._token.check()
        if not self._batch:
            return
        batch, self._batch, self._batch_files = tuple(self._batch), [], 0
        self._wait(_UNDER_WAY - 1)
        write = _Write(self._key, batch, self._tally)
        self._under_way.append(asyncio.run_coroutine_threadsafe(self._library.writer.run(write), self._loop))

    def _wait(self, left: int) -> None:
        """Wait until at most `left` batches are not committed."""
        while len(self._under_way) > left:
            future = self._under_way[0]
            with contextlib.suppress(TimeoutError):
                future.exception(timeout=0.1)
            if future.done():
                self._under_way.popleft().result()
            elif self._token.aborted:
                raise ScanCancelledError


class _Write:
    """Writes one batch; the writer runs it again when it met a full disk."""

    def __init__(self, key: ScanKey, batch: Sequence[FolderUpdate], tally: Tally) -> None:
        self._key = key
        self._batch = batch
        self._tally = tally
        self._counted = Settled()

    def __call__(self, db: sqlite3.Connection) -> None:
        before, self._counted = self._counted, apply_folder_updates(db, self._key, self._batch)
        files.restate_files(db, (pair for update in self._batch for pair in update.restated))
        for name in ("new", "changed", "returned"):
            self._tally.add(name, getattr(self._counted, name) - getattr(before, name))


def count_files(update: FolderUpdate) -> int:
    """Return how many files an update speaks of."""
    found = len(update.new) + len(update.changed) + len(update.replaced) + len(update.returned)
    return found + len(update.restated) + len(update.gone)


def split_update(update: FolderUpdate, limit: int = BATCH_FILES) -> Iterator[FolderUpdate]:
    """Yield an update in parts of at most `limit` files; their listing has no digest, which the next scan makes up for.

    One from which files depart stays whole: the file system that its folder is on is judged by all of it.
    """
    if count_files(update) <= limit or update.gone or update.replaced or update.sidecars_gone:
        yield update
        return
    part = FolderUpdate(update.path, update.file_system, stable_inodes=update.stable_inodes)
    if update.sidecars:
        yield replace(part, sidecars=update.sidecars)
    for start in range(0, len(update.new), limit):
        yield replace(part, new=update.new[start : start + limit])
    for start in range(0, len(update.changed), limit):
        yield replace(part, changed=update.changed[start : start + limit])
    for start in range(0, len(update.returned), limit):
        yield replace(part, returned=update.returned[start : start + limit])
    for start in range(0, len(update.restated), limit):
        yield replace(part, restated=update.restated[start : start + limit])


def in_order(found: Sequence[FoundFile], limit: int = BATCH_FILES) -> list[FoundFile]:
    """Return files by name: rows in the order of the indexes are written in two thirds of the time.

    Many are sorted in runs that are then merged, because one call that sorts 100,000 would hold the interpreter, and with
    it the event loop, for a tenth of a second.
    """
    if not found:
        return []
    runs = [sorted(found[start : start + limit]) for start in range(0, len(found), limit)]
    return runs[0] if len(runs) == 1 else list(heapq.merge(*runs))
