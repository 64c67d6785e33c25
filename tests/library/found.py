"""Files as the walk would find them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.library import files
from tui.records import FileState, FoundFile, Kind, KnownFile

if TYPE_CHECKING:
    import sqlite3

NOW = 1_700_000_000_000_000_000
"""Nanoseconds since the epoch; the time at which everything in these tests happens."""


def found(
    name: bytes,
    *,
    size: int = 1_000,
    mtime_ns: int = NOW,
    inode: int = 1,
    links: int = 1,
    kind: Kind = Kind.IMAGE,
) -> FoundFile:
    """Return a file as the walk would find it."""
    return FoundFile(name, kind, size, mtime_ns, inode, links)


def folder_files(db: sqlite3.Connection, root_id: int, path: bytes) -> list[KnownFile]:
    """Return what the library knows of the files directly in a folder, missing ones first."""
    known = files.find_folder(db, root_id, path)
    if known is None:
        return []
    present = [KnownFile._make((*row, FileState.PRESENT)) for row in files.present_stamps(db, known[0])]
    return [*files.missing_files(db, known[0]), *present]
