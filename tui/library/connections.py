"""Opening SQLite the way the library needs it: the settings of a writing and of a reading connection."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote_from_bytes

import aiosqlite

from tui.display import display
from tui.errors import LibraryError
from tui.library.backups import restore_hint
from tui.library.patterns import add_fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

WAL_PAGES_BEFORE_CHECKPOINT = 4_000
"""Pages in the write-ahead log after which a commit moves them into the library (16 MB)."""

_WRITER_CACHE_KB = 24_000
_READER_CACHE_KB = 8_000
_BUSY_MS = 2_000
_LEAST_ROOM = 128 * 1024


class Connection(aiosqlite.Connection):
    """An aiosqlite connection that runs whole functions in its thread.

    One hop to the thread for a whole transaction: a cancelled `await` cannot stop between BEGIN and COMMIT.
    """

    def start(self, function: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Hand `function` to the connection's thread, which runs it on the connection, to its end and in turn.

        Returns:
            A future for what it returns. A future and no task: the end of the event loop cancels all tasks, and one that had
            not begun would take its function with it.

        Raises:
            ValueError: the connection is closed.
        """
        if not self._running or self._connection is None:
            raise ValueError("the connection is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, partial(function, self._connection)))
        return future

    async def transact(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Return `function(connection)`, run in the connection's thread; it runs to its end even if cancelled."""
        return await self.start(function)

    def interrupt_now(self) -> None:
        """Make the statement that runs now fail with `OperationalError: interrupted`; nothing if none runs."""
        if self._connection is not None:
            self._connection.interrupt()


def _uri(path: bytes, options: str) -> str:
    return f"file:{quote_from_bytes(path)}?{options}"


def connect_writing(path: bytes) -> sqlite3.Connection:
    """Return a connection that may write to the existing database at `path`; transactions are explicit."""
    db = sqlite3.connect(_uri(path, "mode=rw"), uri=True, isolation_level=None, cached_statements=256)
    try:
        db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KB}")
        db.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES_BEFORE_CHECKPOINT}")
        db.execute(f"PRAGMA journal_size_limit = {WAL_PAGES_BEFORE_CHECKPOINT * 4096 * 2}")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = OFF")
        _harden(db)
        add_fold(db)
    except BaseException:
        db.close()
        raise
    return db


def connect_reading(path: bytes, *, immutable: bool = False) -> sqlite3.Connection:
    """Return a connection that only reads the database at `path`.

    Args:
        path: the library.
        immutable: the file lies where nothing can be written, so that SQLite can make no lock.
    """
    options = "mode=ro&immutable=1" if immutable else "mode=ro"
    # used from one thread at a time, but closed from wherever the owner ends
    db = sqlite3.connect(_uri(path, options), uri=True, isolation_level=None, check_same_thread=False)
    try:
        db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        db.execute(f"PRAGMA cache_size = -{_READER_CACHE_KB}")
        db.execute("PRAGMA query_only = ON")
        _harden(db)
        add_fold(db)
    except BaseException:
        db.close()
        raise
    return db


def _harden(db: sqlite3.Connection) -> None:
    """Distrust the file: what its schema says must not run code, and damaged pages must not mislead."""
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA cell_size_check = ON")


@contextmanager
def explained(path: bytes) -> Iterator[None]:
    """Turn SQLite's errors about the library at `path` into a `LibraryError` that a person can act upon."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise explain(error, path) from error


def explain(error: sqlite3.Error, path: bytes) -> LibraryError:
    """Return what an error of SQLite means for the library at `path`, and what to do."""
    name = display(path)
    code = primary_code(error)
    if code == sqlite3.SQLITE_IOERR and is_disk_full(path):
        code = sqlite3.SQLITE_FULL
    damage = {
        sqlite3.SQLITE_CORRUPT: f"The library {name} is damaged: {error}",
        sqlite3.SQLITE_NOTADB: f"{name} is no library, or its beginning is damaged",
    }
    if code in damage:
        return LibraryError(damage[code], hint=restore_hint(path))
    messages: dict[int, tuple[str, str]] = {
        sqlite3.SQLITE_FULL: (f"The library's disk is full: {name}", "Make room on it."),
        sqlite3.SQLITE_BUSY: (f"Another program holds the library {name}", "Close it, then try again."),
        sqlite3.SQLITE_READONLY: (
            f"The library {name} cannot be written",
            "Check the permissions of the file and of its directory, or choose another with --library FILE.",
        ),
        sqlite3.SQLITE_PERM: (f"No permission for the library {name}", "Check who owns it."),
        sqlite3.SQLITE_CANTOPEN: (
            f"The library {name} cannot be opened",
            "Check that its directory exists and that you may read and write there.",
        ),
        sqlite3.SQLITE_IOERR: (
            f"The disk that holds the library {name} reports an error: {error}",
            "Look at the system's log; copy the library to a sound disk.",
        ),
    }
    message, hint = messages.get(code, (f"The library {name} answered: {error}", ""))
    return LibraryError(message, hint=hint)


def is_disk_full(path: bytes) -> bool:
    """Tell whether the disk that holds `path` has no room for what SQLite makes beside a library.

    SQLite then reports an error of the disk (SQLITE_IOERR) where the room for the index of its log cannot be had.
    """
    try:
        disk = os.statvfs(os.path.dirname(path) or b".")
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _LEAST_ROOM


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code of an error, 0 when it has none."""
    code: Any = getattr(error, "sqlite_errorcode", None)
    return int(code) & 0xFF if code is not None else 0
