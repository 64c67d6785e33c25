"""Folders that need no comparison: the digest of a listing that is known to say nothing new.

What a scan learns from a folder follows from two things: what the walk found there, and what the library knows of it. So
once a comparison has told nothing, the next one tells nothing either, as long as both are the same. `folder_listing` keeps
the digest of such a listing. Whatever changes the library's side (a row of `file` added, removed, or changed in what a scan
compares) forgets it and raises the folder's version: triggers on UPDATE and DELETE, `files.insert_files` for INSERT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3


class KnownFolder(NamedTuple):
    """A folder as the library knows it.

    Attributes:
        folder_id: its id.
        version: rises with every change of what a scan compares.
        digest: of a listing that tells nothing new; None when no such is known.
        file_system: identity of the file system that it lies on; None when that is the root's.
    """

    folder_id: int
    version: int
    digest: bytes | None
    file_system: str | None


def find_known_folder(db: sqlite3.Connection, root_id: int, path: bytes) -> KnownFolder | None:
    """Return what is known of a folder, None for nothing. To be read before its rows, or `keep_digest` may err."""
    row = db.execute(
        "SELECT folder.id, coalesce(listing.version, 0), listing.digest, folder.file_system FROM folder "
        "LEFT JOIN folder_listing AS listing ON listing.folder_id = folder.id "
        "WHERE folder.root_id = ? AND folder.path = ?",
        (root_id, path),
    ).fetchone()
    return None if row is None else KnownFolder(*row)


def is_at(db: sqlite3.Connection, folder_id: int, version: int) -> bool:
    """Tell whether nothing has changed in a folder since it had `version`."""
    row = db.execute("SELECT version FROM folder_listing WHERE folder_id = ?", (folder_id,)).fetchone()
    return version == (0 if row is None else row[0])


def raise_version(db: sqlite3.Connection, folder_id: int) -> None:
    """Note that files were added to a folder."""
    db.execute(
        "INSERT INTO folder_listing (folder_id, version) VALUES (?, 1) "
        "ON CONFLICT DO UPDATE SET version = version + 1, digest = NULL",
        (folder_id,),
    )


def keep_digest(db: sqlite3.Connection, folder_id: int, digest: bytes) -> None:
    """Keep the digest of a listing from which the library, as it is now, has nothing to learn."""
    db.execute(
        "INSERT INTO folder_listing (folder_id, version, digest) VALUES (?, 0, ?) "
        "ON CONFLICT DO UPDATE SET digest = excluded.digest",
        (folder_id, digest),
    )
