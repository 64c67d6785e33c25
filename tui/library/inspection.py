"""Looking at a file before trusting it as a library: empty, foreign, cut off, damaged, or newer than this program."""

from __future__ import annotations

import os

from tui.display import display
from tui.errors import LibraryError
from tui.library.backups import newest_backup, restore_hint
from tui.library.connections import connect_reading, explained
from tui.library.schema import APPLICATION_ID, REQUIRED_TABLES, SCHEMA_VERSION
from tui.mounts import NETWORK_TYPES, TABLE, find_mount

_MAGIC = b"SQLite format 3\0"


def inspect_header(path: bytes) -> int:
    """Return the schema version that the file at `path` states; the file is only read.

    The layout of the header stands in the SQLite documentation, "Database File Format", section 1.3.

    Raises:
        LibraryError: the file is empty, cut off, no SQLite database, no library, newer than this program, or
            cannot be read.
    """
    name = display(path)
    try:
        with open(path, "rb") as file:
            header = file.read(100)
            size = os.fstat(file.fileno()).st_size
        log_size = _size_of(path + b"-wal")
    except OSError as error:
        raise LibraryError(
            f"The library {name} cannot be read: {error.strerror}", hint="Check its permissions and its disk."
        ) from None
    if not header:
        raise LibraryError(f"The library {name} is empty (0 bytes)", hint=restore_hint(path))
    if len(header) < 100 or not header.startswith(_MAGIC):
        raise LibraryError(f"{name} is no library, or its beginning is damaged", hint=restore_hint(path))
    page_size = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    if log_size == 0 and size < pages * (65536 if page_size == 1 else page_size):
        raise LibraryError(f"The library {name} is cut off: its end is missing", hint=restore_hint(path))
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise LibraryError(
            f"{name} is a database of another program, not a YAPMO library",
            hint=restore_hint(path)
            if newest_backup(path)
            else "Nothing was changed. Choose another file with --library FILE or [library] path.",
        )
    version = int.from_bytes(header[60:64], "big")
    refuse_newer(version, path)
    return version


def inspect_content(path: bytes, *, immutable: bool = False) -> int:
    """Return the schema version of the library at `path`, as a reading connection sees it, log included.

    Raises:
        LibraryError: as `inspect_header`, or tables are missing, or SQLite cannot read it.
    """
    with explained(path):
        db = connect_reading(path, immutable=immutable)
        try:
            (application,) = db.execute("PRAGMA application_id").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        finally:
            db.close()
    refuse_newer(version, path)
    missing = sorted(REQUIRED_TABLES - tables)
    if application != APPLICATION_ID or missing:
        what = f" (without {', '.join(missing)})" if missing else ""
        raise LibraryError(f"The library {display(path)} is incomplete{what}", hint=restore_hint(path))
    return int(version)


def refuse_newer(version: int, path: bytes) -> None:
    """Raise `LibraryError` when a library of schema `version` was made by a newer program."""
    if version > SCHEMA_VERSION:
        raise LibraryError(
            f"The library {display(path)} was written by a newer YAPMO (schema {version}, this one knows "
            f"{SCHEMA_VERSION})",
            hint="Upgrade YAPMO, or choose another library with --library FILE. Nothing was changed.",
        )


def refuse_network_disk(path: bytes, mounts: str = TABLE) -> None:
    """Raise `LibraryError` when `path` lies on a network share, where SQLite's log and locks do not work.

    See SQLite documentation, "Write-Ahead Logging": all processes must be on the same host. Where the system
    does not tell in its table of `mounts`, nothing is refused.
    """
    mount = find_mount(os.path.realpath(os.path.dirname(path) or b"."), mounts)
    if mount is not None and mount.type in NETWORK_TYPES:
        raise LibraryError(
            f"The library {display(path)} lies on a network share ({mount.type}), where SQLite is not safe",
            hint="Keep it on a local disk (the media may lie anywhere): --library FILE or [library] path.",
        )


def _size_of(path: bytes) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
