"""Copies of a library: made while it is in use, found again beside it, and brought back in its place.

A copy is one whole file, mode 0600. It gets its name when it is complete, and no name is ever taken from another file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import shlex
import sqlite3
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import LibraryError
from tui.library.schema import APPLICATION_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger("yapmo.library")

SUFFIX = b".backup"
"""How the names of copies end that lie beside their library."""

COMPANIONS = (b"-wal", b"-journal", b"-shm")
"""What SQLite keeps beside a database, by the ends of the names; it belongs to that one file."""

_MAGIC = b"SQLite format 3\0"

_SHM_IN_USE = 128
"""Byte of the file `-shm` that every connection holds a shared lock on (SQLite's os_unix.c, UNIX_SHM_DMS)."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """How a library was replaced by a copy.

    Attributes:
        path: of the library.
        aside: where the file lies that was there before, None if there was none.
    """

    path: bytes
    aside: bytes | None


def stamp() -> bytes:
    """Return the present second for a file name, UTC."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S").encode()


def copy_library(db: sqlite3.Connection, target: bytes) -> None:
    """Copy the open library `db` to the new file `target` with SQLite's backup API, what is in its log included.

    The copy is made under another name, written through to the disk, and linked to its place when it is complete.

    Raises:
        FileExistsError: there is something at `target`, which stays as it is.
        OSError: the copy cannot be made; nothing is left of it.
        sqlite3.Error: likewise, or the library is damaged.
    """
    draft = write_draft(db, target)
    try:
        _give_name(draft, target)
    finally:
        _remove(draft)


def write_draft(db: sqlite3.Connection, target: bytes) -> bytes:
    """Copy the open library `db` to a file beside `target` and return its path; whoever calls gives it its name.

    Raises:
        OSError: the copy cannot be made; nothing is left of it.
        sqlite3.Error: likewise.
    """
    draft = target + b".new-%d" % os.getpid()
    try:
        _remove(draft)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        with contextlib.closing(sqlite3.connect(draft)) as copy:
            db.backup(copy)
        _write_through(draft)
    except BaseException:
        _remove(draft)
        raise
    return draft


def back_up(db: sqlite3.Connection, path: bytes, reason: str) -> bytes:
    """Copy the open library `db` to a new file beside `path`; return its path.

    Args:
        db: an open connection to the library.
        path: of the library.
        reason: part of the copy's name.

    Raises:
        OSError: the copy cannot be made.
        sqlite3.Error: likewise.
    """
    draft = write_draft(db, path)
    try:
        for name in _free_names(path + f".{reason}-".encode() + stamp(), SUFFIX):
            with contextlib.suppress(FileExistsError):
                _give_name(draft, name)
                return name
    finally:
        _remove(draft)
    raise AssertionError("there is always another name")


def find_backups(path: bytes) -> list[bytes]:
    """Return the copies of the library at `path` that lie beside it, the newest first."""
    folder, name = os.path.split(path)
    found: list[tuple[int, bytes]] = []
    with contextlib.suppress(OSError), os.scandir(folder or b".") as entries:
        for entry in entries:
            if entry.name.startswith(name + b".") and entry.name.endswith(SUFFIX):
                with contextlib.suppress(OSError):
                    found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.path))
    return [backup for _, backup in sorted(found, reverse=True)]


def newest_backup(path: bytes) -> bytes | None:
    """Return the newest copy beside the library at `path` that looks like one; None if there is none."""
    return next(filter(_looks_like_library, find_backups(path)), None)


def restore_hint(path: bytes) -> str:
    """Return what to do about a damaged library: bring back the newest copy beside it, or scan anew."""
    backup = newest_backup(path)
    if backup is None:
        return (
            f"The file was left as it is. Put {display(path)} aside (keep it), then bring a copy back with "
            "`yapmo restore BACKUP` if you have one, or scan anew."
        )
    return (
        "The file was left as it is. The newest copy beside it is brought back, and the damaged file kept, by: "
        f"{restore_command(path, backup)}"
    )


def restore_command(path: bytes, backup: bytes) -> str:
    """Return the command that brings `backup` back as the library at `path`, ready to be pasted into a shell."""
    return f"yapmo restore --library {_quoted(path)} {_quoted(backup)}"


def put_in_place(draft: bytes, path: bytes) -> Replaced:
    """Make `draft`, a complete copy beside it, the library at `path`; what is there is kept under a name of its own.

    Whoever calls holds the turn to write. Killed at any point, the former library is whole at its place or aside.

    Raises:
        LibraryError: a program has the library open, or what is there is no file.
        OSError: the folder cannot be written; the library is then as it was.
    """
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise LibraryError(
            f"{display(path)} is no file, so it is no library that could be replaced",
            hint="Nothing was changed. Name the library with --library FILE.",
        )
    with _unused(path):
        aside = _put_aside(path) if os.path.lexists(path) else None
        # a log that lies beside another file than its own would be taken for that one's
        for companion in COMPANIONS:
            _remove(path + companion)
        if aside is None:
            _give_name(draft, path)
        else:
            os.rename(draft, path)  # over a file that has another name by now
    _write_through(os.path.dirname(path) or b".")
    return Replaced(path, aside)


@contextlib.contextmanager
def _unused(path: bytes) -> Iterator[None]:
    """Keep programs from opening the library for the block.

    Raises:
        LibraryError: one has it open.
    """
    try:
        descriptor = os.open(path + b"-shm", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield  # SQLite removes the file when the last one leaves
        return
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _SHM_IN_USE)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
            raise LibraryError(
                f"Another program has the library {display(path)} open",
                hint=f"Close it, or let its scan end, then try again; `fuser {display(path)}` names it.",
            ) from None
        yield
    finally:
        os.close(descriptor)


def _put_aside(path: bytes) -> bytes:
    """Give the library at `path`, and its log, a second name; return it."""
    for aside in _free_names(path + b".aside-" + stamp()):
        if any(os.path.lexists(aside + companion) for companion in COMPANIONS):
            continue
        with contextlib.suppress(FileExistsError):
            for log in (b"-wal", b"-journal"):  # what the former library has not taken in yet
                if _has_content(path + log):
                    _give_name(path + log, aside + log)
            _give_name(path, aside)
            return aside
    raise AssertionError("there is always another name")


def _free_names(begin: bytes, end: bytes = b"") -> Iterator[bytes]:
    """Yield names that nothing has, as far as one can tell: `BEGINEND`, `BEGIN-2END` and so on."""
    number = 1
    while True:
        name = begin + (b"-%d" % number if number > 1 else b"") + end
        if not os.path.lexists(name):
            yield name
        number += 1


def _give_name(present: bytes, name: bytes) -> None:
    """Give the file at `present` the name `name` too; where the file system knows no second names, instead.

    Raises:
        FileExistsError: something has that name.
    """
    try:
        os.link(present, name, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name) from None
        os.rename(present, name)


def _write_through(path: bytes) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _has_content(path: bytes) -> bool:
    try:
        return os.lstat(path).st_size > 0
    except FileNotFoundError:
        return False


def _remove(path: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _looks_like_library(path: bytes) -> bool:
    """Tell whether a file begins as a library does; see the SQLite documentation, "Database File Format", section 1.3."""
    try:
        with open(path, "rb") as file:
            header = file.read(100)
    except OSError:
        return False
    return header.startswith(_MAGIC) and int.from_bytes(header[68:72], "big") == APPLICATION_ID


def _quoted(path: bytes) -> str:
    """Return a path as one word of a shell; what no terminal should show is written as Bash reads it ($'…')."""
    text = os.fsdecode(path)
    if text.isprintable():
        return shlex.quote(text)
    plain = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b"'\\" else f"\\x{byte:02x}" for byte in path
    )
    return f"$'{plain}'"
