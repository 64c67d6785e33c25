"""The one task that writes: everything that changes the library goes through its queue.

Writes are gathered into batches, each one transaction, under the turn that processes take (`locks`). The
connection belongs to this task alone and every transaction is one shielded hop to its thread, because a
cancelled `await` in aiosqlite still runs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tui.display import display
from tui.errors import LibraryError
from tui.library.batches import PAUSING, Refused, write_batch
from tui.library.connections import explain, is_disk_full, primary_code
from tui.library.locks import TurnRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.library.batches import Write
    from tui.library.connections import Connection
    from tui.library.locks import WriteTurns

logger = logging.getLogger("yapmo.library")
T = TypeVar("T")

_QUEUE_LENGTH = 32
_SAY_WAITING_AFTER_S = 1.0
_FIRST_RETRY_S = 0.1
_LONGEST_RETRY_S = 2.0
_CLOSE_S = 10.0
_CLOSE_ON_FULL_DISK_S = 2.0
_LOG_LIMIT_BYTES = 64_000_000


@dataclass(slots=True, eq=False)
class _Entry:
    write: Write
    rows: int
    future: asyncio.Future[Any] | None = None


class Writer:
    """Takes writes from anyone on the event loop and commits them in batches.

    A write is a function that takes the writing `sqlite3.Connection` and changes the library. It may be run more than once
    (a batch that met a full disk, or in which a write raised, is run again), so it must have no other effect.

    Attributes:
        waiting: empty, or one sentence: what the writer waits for (a full disk, another process).
        refusal: empty, or why the disk or another program refuses what it writes now; it is tried again until it is not.
        committed: number of commits so far; a front door that sees it rise knows that the library changed.
    """

    def __init__(
        self,
        connection: Connection,
        turns: WriteTurns,
        path: bytes,
        *,
        batch_size: int = 500,
        batch_ms: int = 250,
    ) -> None:
        """Take over `connection`; `batch_size` is rows and `batch_ms` milliseconds to gather a batch for."""
        self.waiting = ""
        self.refusal = ""
        self.committed = 0
        self._connection = connection
        self._turns = turns
        self._path = path
        self._batch_size = batch_size
        self._batch_s = batch_ms / 1000
        self._queue: asyncio.Queue[_Entry | None] = asyncio.Queue(_QUEUE_LENGTH)
        self._failure: LibraryError | None = None
        self._refusals: list[Exception] = []
        self._give_up_at = float("inf")
        self._closing = asyncio.Event()
        self._log_checked_bytes = 0
        self._task = asyncio.create_task(self._work(), name="library writer")

    async def submit(self, write: Write, *, rows: int = 1) -> None:
        """Queue a write; return as soon as it is queued, which waits while the queue is full.

        Args:
            write: changes the library; if it raises, it alone is rolled back, and the next `flush` says so.
            rows: about how many rows it writes, so that batches stay of one size.

        Raises:
            LibraryError: the writer is closed, or the library failed.
        """
        await self._put(_Entry(write, rows))

    async def run(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `write` returned, once it is committed; what was submitted before is committed too.

        Raises:
            LibraryError: the writer is closed, or the library failed.
            Exception: whatever `write` raised; it alone was rolled back.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._put(_Entry(write, 1, future))
        return await future

    async def flush(self) -> None:
        """Return once everything submitted so far is committed.

        Raises:
            LibraryError: the library failed, or a submitted write was refused since the last flush.
        """
        await self.run(_write_nothing)
        if self._refusals:
            refusals, self._refusals = self._refusals, []
            raise LibraryError(
                f"{len(refusals)} changes could not be written to the library {display(self._path)}: "
                f"{refusals[0]}",
                hint="This is a fault of the program; the log has the details.",
            ) from refusals[0]

    async def close(self) -> None:
        """Commit what is queued and close the connection; a second call only waits for the first.

        Gives up after two seconds when the disk stays full, after ten when another process does not let go.

        Raises:
            LibraryError: the library failed; what was queued could not be committed.
        """
        first = not self._closing.is_set()
        if first:
            self._give_up_at = time.monotonic() + _CLOSE_S
            self._closing.set()
            await self._queue.put(None)
        await asyncio.shield(self._task)
        if first and self._failure is not None:
            raise self._failure

    async def _put(self, entry: _Entry) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closing.is_set() or self._task.done():
            raise LibraryError(f"The library {display(self._path)} is closed")
        await self._queue.put(entry)

    async def _work(self) -> None:
        """Take, gather, commit, until closed; being cancelled means to close now."""
        try:
            while not self._closing.is_set() or not self._queue.empty():
                first = await self._queue.get()
                if first is None:
                    break
                await self._commit(await self._gather(first))
        except asyncio.CancelledError:
            self._stop_soon()
        finally:
            await self._commit(self._take_all())
            await self._leave()

    def _stop_soon(self) -> None:
        """End the work although nobody asked by `close`: the task was cancelled, as at the end of the event loop."""
        self._closing.set()
        self._give_up_at = min(self._give_up_at, time.monotonic() + _CLOSE_S)

    async def _gather(self, first: _Entry) -> list[_Entry]:
        """Return a batch that begins with `first`.

        Someone who waits for a write (`run`) ends the gathering once the queue is empty, and so does closing.
        """
        batch, rows = [first], first.rows
        urgent = first.future is not None or self._closing.is_set()
        deadline = time.monotonic() + self._batch_s
        try:
            while rows < self._batch_size:
                entry = await self._next(0 if urgent else deadline - time.monotonic())
                if entry is None:
                    break
                batch.append(entry)
                rows += entry.rows
                urgent = urgent or entry.future is not None
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            self._stop_soon()
        return batch

    async def _next(self, patience_s: float) -> _Entry | None:
        """Return the next entry, None for the end; raise TimeoutError when none comes in time."""
        if not self._queue.empty():
            return self._queue.get_nowait()
        if patience_s <= 0:
            raise TimeoutError
        async with asyncio.timeout(patience_s):
            return await self._queue.get()

    def _take_all(self) -> list[_Entry]:
        entries = []
        while not self._queue.empty():
            entry = self._queue.get_nowait()
            if entry is not None:
                entries.append(entry)
        return entries

    async def _commit(self, batch: list[_Entry]) -> None:
        """Commit a batch, however long a full disk makes it wait; settle everyone who waits for it."""
        retry_s = _FIRST_RETRY_S
        while batch:
            if self._failure is not None:
                self._reject(batch, self._failure)
                return
            try:
                outcomes = await self._finish(self._connection.start(lambda db: self._write_batch(db, batch)))
            except Exception as error:  # noqa: BLE001  # whoever waits for the batch must hear of whatever it was
                if not self._may_retry(error, len(batch)):
                    continue
                await self._pause(retry_s)
                retry_s = min(retry_s * 2, _LONGEST_RETRY_S)
            else:
                self._settle(batch, outcomes)
                return

    def _write_batch(self, db: sqlite3.Connection, batch: list[_Entry]) -> list[object]:
        """Run a batch as one transaction in the connection's thread and return each write's outcome."""
        with self._turns.turn(self._keep_waiting):
            self.waiting = self._say_refusal()
            outcomes = write_batch(db, [entry.write for entry in batch])
            self._bound_log(db)
        return outcomes

    def _bound_log(self, db: sqlite3.Connection) -> None:
        """Empty the write-ahead log when readers kept the checkpoints at commits from reusing it."""
        size = _log_size(self._path)
        if size < self._log_checked_bytes + _LOG_LIMIT_BYTES:
            self._log_checked_bytes = min(self._log_checked_bytes, size)
            return
        db.execute("PRAGMA busy_timeout = 500")
        try:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            db.execute("PRAGMA busy_timeout = 2000")
        self._log_checked_bytes = _log_size(self._path)
        if self._log_checked_bytes:
            logger.warning(
                "the log of the library has grown to %d MB because another program keeps reading",
                self._log_checked_bytes // 1_000_000,
            )

    def _say_refusal(self) -> str:
        return f"{self.refusal}; waiting" if self.refusal else ""

    def _keep_waiting(self, waited_s: float) -> bool:
        if waited_s > _SAY_WAITING_AFTER_S:
            self.waiting = "waiting for another process that is writing to the library"
        return time.monotonic() < self._give_up_at

    def _may_retry(self, error: Exception, writes: int) -> bool:
        """Return whether to try again later; otherwise note that the library has failed."""
        code = primary_code(error) if isinstance(error, sqlite3.Error) else -1
        if isinstance(error, sqlite3.Error):
            reason = explain(error, self._path)
        elif isinstance(error, LibraryError):
            reason = error
        else:
            logger.error("writing to the library failed", exc_info=error)
            fault = "This is a fault of the program; the log has the details."
            reason = LibraryError(f"Writing to the library failed: {error!r}", hint=fault)
        passing = (
            code in PAUSING
            or getattr(error, "sqlite_errorname", "") == "SQLITE_IOERR_WRITE"
            or (code == sqlite3.SQLITE_IOERR and is_disk_full(self._path))
        )
        if passing and time.monotonic() < self._patience_ends_at(code):
            if reason.message != self.refusal:
                logger.warning("%s; waiting", reason.message)
            self.refusal = reason.message
            self.waiting = self._say_refusal()
            return True
        self.refusal = self.waiting = ""
        lost = (
            f" {writes} changes were not written." if passing or isinstance(error, TurnRefusedError) else ""
        )
        self._failure = LibraryError(f"{reason.message}.{lost}" if lost else reason.message, hint=reason.hint)
        logger.error("%s", self._failure.message)
        return False

    def _patience_ends_at(self, code: int) -> float:
        """Return until when a batch is tried again that failed with this primary result code."""
        others_write = code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        return self._give_up_at if others_write else self._give_up_at - _CLOSE_S + _CLOSE_ON_FULL_DISK_S

    async def _pause(self, seconds: float) -> None:
        """Wait, at most until someone closes the writer; being cancelled counts as that."""
        try:
            async with asyncio.timeout(seconds):
                if self._closing.is_set():
                    await asyncio.sleep(seconds)
                await self._closing.wait()
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            self._stop_soon()

    def _settle(self, batch: list[_Entry], outcomes: list[object]) -> None:
        self.committed += 1
        if self.refusal:
            logger.info("the library can be written again")
            self.refusal = self.waiting = ""
        for entry, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Refused):
                self._refuse(entry, outcome.error)
            elif entry.future is not None and not entry.future.done():
                entry.future.set_result(outcome)

    def _refuse(self, entry: _Entry, error: Exception) -> None:
        if entry.future is None:
            logger.error("a write to the library failed: %s", error, exc_info=error)
            self._refusals.append(error)
        elif not entry.future.done():
            entry.future.set_exception(error)

    def _reject(self, batch: list[_Entry], failure: LibraryError) -> None:
        for entry in batch:
            if entry.future is not None and not entry.future.done():
                entry.future.set_exception(failure)

    async def _leave(self) -> None:
        """Close the connection, and reject what came too late."""
        await self._finish(self._connection.start(self._last_checkpoint))
        await self._connection.close()
        self._turns.close()
        closed = self._failure or LibraryError(f"The library {display(self._path)} is closed")
        while not self._queue.empty():
            self._reject(self._take_all(), closed)
            await asyncio.sleep(0)

    async def _finish(self, work: asyncio.Future[T]) -> T:
        """Return the result of `work`; a cancellation meanwhile does not stop it, but ends the writer after it."""
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError:
                self._stop_soon()
        return work.result()

    def _last_checkpoint(self, db: sqlite3.Connection) -> None:
        """Move the log into the library before closing, if that is possible at once."""
        try:
            with self._turns.turn(lambda waited_s: waited_s < _SAY_WAITING_AFTER_S):
                db.execute("PRAGMA busy_timeout = 100")
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except (sqlite3.Error, LibraryError) as error:
            logger.debug("the last checkpoint did not run: %s", error)


def _write_nothing(_db: sqlite3.Connection) -> None:
    """Be the write of a `flush`: what counts is that it is committed after all before it."""


def _log_size(path: bytes) -> int:
    try:
        return os.stat(path + b"-wal").st_size
    except OSError:
        return 0
