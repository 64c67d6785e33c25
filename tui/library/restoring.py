"""Bringing a copy back in the place of a library, whatever state that is in."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import dataclass

from tui.display import display
from tui.errors import LibraryError, UsageError
from tui.library.backups import put_in_place, write_draft
from tui.library.connections import connect_reading, explain
from tui.library.inspection import inspect_content, inspect_header, refuse_network_disk
from tui.library.locks import WriteTurns
from tui.paths import make_private_dir

_PATIENCE_S = 10.0
"""How long another process may take to end what it is writing."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back.

    Attributes:
        path: of the library.
        backup: the copy that it was made from, which stays.
        aside: where the former library is kept, None if there was none.
        files: how many files the library knows now, missing ones among them.
        size: of the library in bytes.
    """

    path: bytes
    backup: bytes
    aside: bytes | None
    files: int
    size: int


def restore_library(backup: bytes, path: bytes) -> Restored:
    """Make a copy of `backup` the library at `path`; what is there now is kept beside it under another name.

    Raises:
        UsageError: there is no such copy, or it is the library itself.
        LibraryError: the copy is not whole, or of a newer program; the library is open in another program; or its folder
            cannot be written. The library is then as it was.
    """
    if not os.path.isfile(backup):
        raise UsageError(f"There is no copy of a library at {display(backup)}.")
    if os.path.exists(path) and os.path.samefile(backup, path):
        raise UsageError(f"{display(backup)} is the library itself, not a copy of it.")
    path = os.path.realpath(path)  # locks and log of SQLite lie beside the file that a link leads to
    refuse_network_disk(path)
    turns = WriteTurns(path)
    try:
        make_private_dir(os.path.dirname(path))
        with turns.turn(lambda waited_s: waited_s < _PATIENCE_S):
            draft, files = _copy(backup, path)
            try:
                size = os.stat(draft).st_size
                replaced = put_in_place(draft, path)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(draft)
    except OSError as error:
        raise LibraryError(
            f"The library {display(path)} cannot be replaced: {error.strerror}. It is as it was.",
            hint="Check its folder, and that its disk has room for another copy.",
        ) from None
    finally:
        turns.close()
    return Restored(path, backup, replaced.aside, files, size)


def _copy(backup: bytes, path: bytes) -> tuple[bytes, int]:
    """Check `backup` and copy it beside `path`; return the copy and how many files it knows.

    Raises:
        LibraryError: it is not whole.
        OSError: the copy cannot be made.
    """
    # a library that was put aside with its log is read with that log
    immutable = not os.path.exists(backup + b"-wal")
    try:
        inspect_header(backup)
        inspect_content(backup, immutable=immutable)
    except LibraryError as error:
        raise LibraryError(error.message, hint="Nothing was changed. Try another copy.") from None
    try:
        with contextlib.closing(connect_reading(backup, immutable=immutable)) as db:
            _refuse_damaged(db, backup)
            (files,) = db.execute("SELECT count(*) FROM file").fetchone()
            return write_draft(db, path), int(files)
    except sqlite3.DatabaseError as error:
        full = isinstance(error, sqlite3.OperationalError) and "full" in str(error)
        raise explain(error, path if full else backup) from error


def _refuse_damaged(db: sqlite3.Connection, backup: bytes) -> None:
    found = [str(fault) for (fault,) in db.execute("PRAGMA quick_check(1)")]
    if found != ["ok"]:
        raise LibraryError(
            f"The copy {display(backup)} is damaged: {found[0]}",
            hint="Nothing was changed. Try another copy.",
        )
