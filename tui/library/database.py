"""Opening a library: make it if there is none, check it, bring it up to date, start its writer and its reader."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from typing import TYPE_CHECKING, Self

from tui.display import display
from tui.errors import LibraryError
from tui.library.backups import back_up
from tui.library.connections import Connection, connect_reading, connect_writing, explained
from tui.library.inspection import inspect_content, inspect_header, refuse_network_disk
from tui.library.locks import WriteTurns
from tui.library.reader import Reader
from tui.library.schema import APPLICATION_ID, MIGRATIONS
from tui.library.writer import Writer
from tui.paths import absolute, make_private_dir

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from tui.config import Config
    from tui.library.schema import Migration

logger = logging.getLogger("yapmo.library")

_OPEN_WAIT_S = 30.0


async def open_configured_library(
    config: Config, path: bytes, *, create: bool = True, read_only: bool = False
) -> Library:
    """Open the library at `path` with the batches of section `[library]`; as `Library.open` otherwise."""
    return await Library.open(
        path,
        create=create,
        read_only=read_only,
        write_batch_size=config.library.write_batch_size,
        write_batch_ms=config.library.write_batch_ms,
    )


class Library:
    """One open library: a file, a writer and a reader.

    Attributes:
        path: of the file, absolute.
        reader: answers questions.
    """

    def __init__(
        self, path: bytes, writer: Writer | None, reader: Reader, *, immutable: bool = False
    ) -> None:
        """Hold what `open` made; use that."""
        self.path = path
        self.reader = reader
        self._writer = writer
        self._immutable = immutable

    @classmethod
    async def open(
        cls,
        path: bytes | str,
        *,
        create: bool = True,
        read_only: bool = False,
        write_batch_size: int = 500,
        write_batch_ms: int = 250,
    ) -> Self:
        """Open the library at `path`.

        Args:
            path: the file.
            create: make it, and its directory, when there is none.
            read_only: never write; the file may then lie where nothing can be written.
            write_batch_size: rows to commit together.
            write_batch_ms: milliseconds to gather a batch for.

        Raises:
            LibraryError: there is none, or it is locked, damaged, foreign, newer than this program, on a network share, or may
                not be read or written. The file is then as it was.
        """
        path = absolute(path)
        immutable = await asyncio.to_thread(_prepare, path, create and not read_only, read_only)
        if read_only:
            return cls(path, None, Reader(path, immutable=immutable), immutable=immutable)
        with explained(path):
            connection = Connection(lambda: connect_writing(path), iter_chunk_size=64)
            await connection
        writer = Writer(
            connection, WriteTurns(path), path, batch_size=write_batch_size, batch_ms=write_batch_ms
        )
        return cls(path, writer, Reader(path))

    @property
    def writer(self) -> Writer:
        """The writer; a library that was opened read-only has none and raises `LibraryError`."""
        if self._writer is None:
            raise LibraryError(f"The library {display(self.path)} was opened for reading only")
        return self._writer

    @property
    def read_only(self) -> bool:
        """True when the library was opened for reading only."""
        return self._writer is None

    def connect_read_only(self) -> sqlite3.Connection:
        """Return a reading connection for a thread of the caller's, who closes it.

        Keep reads short: while a statement is open, the write-ahead log cannot be emptied.
        """
        with explained(self.path):
            return connect_reading(self.path, immutable=self._immutable)

    async def close(self) -> None:
        """Commit what is queued and close all connections; idempotent.

        Raises:
            LibraryError: something that was queued could not be written.
        """
        try:
            await self.reader.close()
        finally:
            if self._writer is not None:
                await self._writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def _prepare(path: bytes, create: bool, read_only: bool) -> bool:
    """Make or check the library and apply what migrations it lacks; return whether it must be read as immutable."""
    if read_only:
        return _prepare_reading(path)
    refuse_network_disk(path)
    if not os.path.exists(path):
        if not create:
            raise _no_library(path)
        create_library(path)
    inspect_header(path)
    _refuse_unwritable(path)
    version = inspect_content(path)
    if version < len(MIGRATIONS):
        migrate(path, MIGRATIONS)
    return False


def _prepare_reading(path: bytes) -> bool:
    if not os.path.exists(path):
        raise _no_library(path)
    version = inspect_header(path)
    immutable = not os.access(os.path.dirname(path), os.W_OK) and not os.path.exists(path + b"-wal")
    version = inspect_content(path, immutable=immutable)
    if version < len(MIGRATIONS):
        raise LibraryError(
            f"The library {display(path)} was written by an older YAPMO and must be brought up to date first",
            hint="Open it once where it can be written.",
        )
    return immutable


def _no_library(path: bytes) -> LibraryError:
    return LibraryError(f"There is no library at {display(path)}", hint="`yapmo scan PATH` makes one.")


def _refuse_unwritable(path: bytes) -> None:
    for what in (path, os.path.dirname(path)):
        if not os.access(what, os.W_OK):
            raise LibraryError(
                f"{display(what)} cannot be written, but the library needs it",
                hint="Check the permissions, or choose another place with --library FILE or [library] path.",
            )


def create_library(path: bytes, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Make an empty library at `path`, mode 0600, and its directory, mode 0700.

    It is made under another name and linked to its place when complete, so that nobody ever meets half a library; if another
    process was quicker, its library stays.

    Raises:
        LibraryError: the directory cannot be written, or the disk is full.
    """
    draft = path + b".new-%d" % os.getpid()
    try:
        make_private_dir(os.path.dirname(path))
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        with explained(path):
            _fill(draft, migrations)
        try:
            os.link(draft, path)
        except FileExistsError:
            logger.info("another process made the library first")
        except OSError:
            os.rename(draft, path)  # a file system without hard links
    except OSError as error:
        raise LibraryError(
            f"The library {display(path)} cannot be made: {error.strerror}",
            hint="Check its directory, or choose another place with --library FILE or [library] path.",
        ) from None
    finally:
        for leftover in (draft, draft + b"-wal", draft + b"-shm", draft + b"-journal"):
            if os.path.lexists(leftover):
                os.unlink(leftover)


def _fill(draft: bytes, migrations: Sequence[Migration]) -> None:
    db = sqlite3.connect(draft, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for migration in migrations:
            migration.apply(db)
        db.execute(f"PRAGMA user_version = {len(migrations)}")
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")
    finally:
        db.close()


def migrate(path: bytes, migrations: Sequence[Migration]) -> bytes | None:
    """Bring the library at `path` up to date: back it up, then apply each step it lacks as one transaction.

    Killed at any point, the library is as some whole number of steps left it.

    Returns:
        The path of the backup, None when another process was quicker.

    Raises:
        LibraryError: another process kept writing, the disk is full, or a step failed; the library is then as it
            was before that step.
    """
    turns = WriteTurns(path)
    try:
        with turns.turn(lambda waited_s: waited_s < _OPEN_WAIT_S), explained(path):
            db = connect_writing(path)
            try:
                (version,) = db.execute("PRAGMA user_version").fetchone()
                if version >= len(migrations):
                    return None
                copy = back_up(db, path, f"before-schema-{len(migrations)}")
                for migration in migrations[version:]:
                    _apply(db, migration)
                return copy
            finally:
                db.close()
    finally:
        turns.close()


def _apply(db: sqlite3.Connection, migration: Migration) -> None:
    logger.info("library: step %d, %s", migration.number, migration.title)
    # a step may rebuild tables that others refer to; the references are checked before it is committed
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("BEGIN IMMEDIATE")
    try:
        migration.apply(db)
        if db.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise sqlite3.IntegrityError(f"step {migration.number} left references to nothing")
        db.execute(f"PRAGMA user_version = {migration.number}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    finally:
        db.execute("PRAGMA foreign_keys = ON")
