"""A batch of writes as one transaction, in which a write that raises takes no other along."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.library.connections import primary_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Write = Callable[[sqlite3.Connection], object]

PAUSING = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
"""Primary result codes after which the same batch may succeed later."""

_FATAL = frozenset(
    {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
    }
)


@dataclass(frozen=True, slots=True)
class Refused:
    """The outcome of a write that raised; it alone was rolled back."""

    error: Exception


def write_batch(db: sqlite3.Connection, writes: Sequence[Write]) -> list[object]:
    """Run writes as one transaction and return the outcome of each: what it returned, or `Refused`.

    Writes may be run twice: first all together, then, if one raised, each so that it can be undone alone.

    Raises:
        Exception: of the disk or the library (or of COMMIT); nothing was written.
    """
    try:
        return _write_together(db, writes)
    except _WriteRaised:
        return _write_apart(db, writes)


class _WriteRaised(Exception):  # noqa: N818  # no mistake of the program: the batch is done in another way
    """A write of a batch raised for a reason of its own."""


def _write_together(db: sqlite3.Connection, writes: Sequence[Write]) -> list[object]:
    """Run a batch as one transaction and return each write's outcome.

    Raises:
        _WriteRaised: a write raised, so that nothing was written. To undo it alone takes a savepoint, under which SQLite
            writes down every page before it changes it: twice as many writes to disk, and hardly any write ever raises.
    """
    with _transaction(db):
        return [_run(db, write) for write in writes]


def _run(db: sqlite3.Connection, write: Write) -> object:
    try:
        return write(db)
    except Exception as error:  # a write is anyone's function, and must not take the others along
        if _concerns_all(db, error):
            raise
        raise _WriteRaised from error


def _write_apart(db: sqlite3.Connection, writes: Sequence[Write]) -> list[object]:
    """Run a batch as one transaction, but undo each write that raises alone; return each write's outcome."""
    with _transaction(db):
        return [_write_one(db, write) for write in writes]


def _write_one(db: sqlite3.Connection, write: Write) -> object:
    """Run one write of a batch; if it raises for a reason of its own, undo it alone."""
    db.execute("SAVEPOINT one")
    try:
        outcome = write(db)
    except Exception as error:  # as above
        if _concerns_all(db, error):
            raise
        db.execute("ROLLBACK TO one")
        outcome = Refused(error)
    db.execute("RELEASE one")
    return outcome


def _concerns_all(db: sqlite3.Connection, error: Exception) -> bool:
    """Return whether an error is of the disk or the library, not of the write that met it."""
    code = primary_code(error) if isinstance(error, sqlite3.Error) else 0
    return code in PAUSING or code in _FATAL or not db.in_transaction


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block does, or undo it all if it raises."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
