"""The rows of table `file`: found, changed, missing, moved, listed.

Every function takes the connection and belongs inside a transaction of the writer (those that change) or on a
reading connection (those that list).
"""

from __future__ import annotations

import json
import time
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from tui.display import display
from tui.library import folder_digests, search_index
from tui.library.values import LARGEST_INTEGER, join_path, stored_integer
from tui.records import FileState, Kind, KnownFile, stored_inode

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from tui.records import FoundFile

_COLUMNS = "folder_id, first_seen, name, display_name, extension, kind, size, mtime_ns, inode, links"
_STAMP = "id, name, size, mtime_ns, inode, links, kind"
_KINDS = {kind: str(kind) for kind in Kind}
_ROW_VALUES = 8
_ROWS_AT_ONCE = 100
"""Rows of one INSERT: a statement for each row takes twice as long, and so does a JSON array of them."""


def add_folder(db: sqlite3.Connection, root_id: int, path: bytes, file_system: str | None) -> int:
    """Return the id of a folder, added with those above it if the library does not know it.

    Args:
        db: the library.
        root_id: its root.
        path: relative to the root, `b""` for the root itself.
        file_system: identity of the file system it lies on, None when that is the root's.
    """
    folder = find_folder(db, root_id, path)
    if folder is None:
        return _insert_folders(db, root_id, path, file_system)
    folder_id, known = folder
    if known != file_system:
        db.execute("UPDATE folder SET file_system = ? WHERE id = ?", (file_system, folder_id))
    return folder_id


def find_folder(db: sqlite3.Connection, root_id: int, path: bytes) -> tuple[int, str | None] | None:
    """Return id and file system (None: the root's) of a folder, None when the library does not know it."""
    row: tuple[int, str | None] | None = db.execute(
        "SELECT id, file_system FROM folder WHERE root_id = ? AND path = ?", (root_id, path)
    ).fetchone()
    return row


def _insert_folders(db: sqlite3.Connection, root_id: int, path: bytes, file_system: str | None) -> int:
    """Insert a folder and what lacks above it; return its id. No recursion: folders may lie a thousand deep."""
    lacking = [path]
    parent_id: int | None = None
    while lacking[-1]:
        above = lacking[-1].rpartition(b"/")[0]
        row = db.execute("SELECT id FROM folder WHERE root_id = ? AND path = ?", (root_id, above)).fetchone()
        if row is not None:
            parent_id = int(row[0])
            break
        lacking.append(above)
    for folder in reversed(lacking):
        cursor = db.execute(
            "INSERT INTO folder (root_id, parent_id, path, display_path, file_system) VALUES (?,?,?,?,?)",
            (root_id, parent_id, folder, display(folder), file_system if folder == path else None),
        )
        parent_id = int(cursor.lastrowid or 0)
    return int(parent_id or 0)


def insert_files(db: sqlite3.Connection, folder_id: int, found: Sequence[FoundFile], now_ns: int) -> int:
    """Add files that were found in a folder, with their names in the search index; return how many were added.

    A name that a present file of the folder has already is left alone.
    """
    (last_id,) = db.execute("SELECT coalesce(max(id), 0) FROM file").fetchone()
    before = db.total_changes
    for start in range(0, len(found), _ROWS_AT_ONCE):
        part = found[start : start + _ROWS_AT_ONCE]
        db.execute(_insertion(len(part)), [folder_id, now_ns, *chain.from_iterable(_rows_of(part))])
    added = db.total_changes - before
    folder_digests.raise_version(db, folder_id)
    search_index.index_new(db, folder_id, last_id)
    db.execute("INSERT OR IGNORE INTO regrouping VALUES (?)", (folder_id,))
    return added


@lru_cache(maxsize=_ROWS_AT_ONCE)
def _insertion(rows: int) -> str:
    """Return the SQL that inserts so many files: folder and time, then the values of each."""
    places = (
        ", ".join(f"?{number}" for number in range(first, first + _ROW_VALUES))
        for first in range(3, 3 + rows * _ROW_VALUES, _ROW_VALUES)
    )
    rows_of_values = ", ".join(f"(?1, ?2, {place})" for place in places)
    return f"INSERT INTO file ({_COLUMNS}) VALUES {rows_of_values} ON CONFLICT DO NOTHING"


def _rows_of(part: Sequence[FoundFile]) -> Iterable[tuple[object, ...]]:
    """Return the values of found files as they are stored, those of `_values_of`.

    What is plain in all of them, as is usual, is asked of all at once: one by one it is a fifth of the time of a first scan.
    """
    names, kinds, sizes, mtimes_ns, inodes, links = zip(*part, strict=True)
    joined = b"/".join(names)  # no name holds a slash
    shown = joined.decode("ascii") if joined.isascii() else ""
    largest = max(max(sizes), max(mtimes_ns), -min(mtimes_ns), max(inodes))
    if not (shown.isprintable() and all(names)) or not shown or largest > LARGEST_INTEGER:
        return map(_values_of, part)
    shown_names = shown.split("/")
    extensions = [name.rpartition(".")[2].lower() if "." in name else "" for name in shown_names]
    stored_kinds = map(_KINDS.__getitem__, kinds)
    return zip(names, shown_names, extensions, stored_kinds, sizes, mtimes_ns, inodes, links, strict=True)


def _values_of(file: FoundFile) -> tuple[object, ...]:
    """Return name, shown name, extension, kind, size, mtime, inode and links of a found file as they are stored."""
    name, kind, size, mtime_ns, inode, links = file
    if size > LARGEST_INTEGER or abs(mtime_ns) > LARGEST_INTEGER or inode > LARGEST_INTEGER:
        size, mtime_ns, inode = stored_integer(size), stored_integer(mtime_ns), stored_inode(inode)
    text = name.decode("ascii") if name.isascii() else ""
    if not text.isprintable() or not text:
        return name, display(name), _extension_of(name), _KINDS[kind], size, mtime_ns, inode, links
    _, dot, extension = text.rpartition(".")
    return name, text, extension.lower() if dot else "", _KINDS[kind], size, mtime_ns, inode, links


def _extension_of(name: bytes) -> str:
    """Return what follows the last dot of a file name, in lower case and safe to show; empty without a dot."""
    return _shown_extension(name.rpartition(b".")[2]) if b"." in name else ""


@lru_cache(maxsize=1024)
def _shown_extension(extension: bytes) -> str:
    return display(extension.lower())


def update_changed(db: sqlite3.Connection, file_id: int, found: FoundFile) -> None:
    """Note that a file is present with new content: its metadata and fingerprint are to be read again.

    What is known of it stays until then; only its fingerprints are forgotten, because they are no longer true.
    """
    _set_status(db, file_id, found)
    db.execute(
        "UPDATE file SET metadata_state = 0, fingerprint_state = 0, analysis_state = 0, "
        "quick_fingerprint = NULL, fingerprint = NULL WHERE id = ?",
        (file_id,),
    )


def set_present(db: sqlite3.Connection, file_id: int, found: FoundFile) -> None:
    """Note that a file is present as `found`; another size or time makes its stages pending again, another kind its metadata."""
    row = db.execute("SELECT size, mtime_ns FROM file WHERE id = ?", (file_id,)).fetchone()
    if row == (stored_integer(found.size), stored_integer(found.mtime_ns)):
        restate_files(db, [(file_id, found)])
        _set_status(db, file_id, found)
    else:
        update_changed(db, file_id, found)


def _set_status(db: sqlite3.Connection, file_id: int, found: FoundFile) -> None:
    db.execute(
        "UPDATE file SET kind = ?, size = ?, mtime_ns = ?, inode = ?, links = ?, missing_since = NULL, "
        "last_seen_at = NULL WHERE id = ?",
        (
            str(found.kind),
            stored_integer(found.size),
            stored_integer(found.mtime_ns),
            stored_inode(found.inode),
            stored_integer(found.links),
            file_id,
        ),
    )


def restate_files(db: sqlite3.Connection, restated: Iterable[tuple[int, FoundFile]]) -> None:
    """Note kind and hard links of files that are otherwise as they were; one of another kind is read by another extractor.

    A file that is no longer what was found is left alone. Neither column forgets a digest: they follow what was found.
    """
    rows = [
        (
            stored_integer(found.links),
            str(found.kind),
            file_id,
            found.name,
            stored_integer(found.size),
            stored_integer(found.mtime_ns),
        )
        for file_id, found in restated
    ]
    db.executemany(
        "INSERT OR IGNORE INTO regrouping SELECT folder_id FROM file WHERE id = ? AND kind <> ?",
        ((file_id, kind) for _, kind, file_id, *_ in rows),
    )
    db.executemany(
        "UPDATE file SET links = ?1, kind = ?2, metadata_state = iif(kind = ?2, metadata_state, 0), "
        "analysis_state = iif(kind = ?2, analysis_state, 0) "
        "WHERE id = ?3 AND name = ?4 AND size = ?5 AND mtime_ns = ?6",
        rows,
    )


def set_missing(
    db: sqlite3.Connection, file_ids: Iterable[int], now_ns: int, *, last_seen_ns: int | None = None
) -> None:
    """Mark present files as missing since `now_ns`; nothing else that is known of them changes.

    Args:
        db: the library.
        file_ids: the files; those that are missing already stay as they are.
        now_ns: when that was noticed.
        last_seen_ns: when they were last known present; by default when their root was last settled, or they were
            first seen.
    """
    db.executemany(
        """
        UPDATE file SET missing_since = ?, last_seen_at = max(first_seen, coalesce(?, (
            SELECT settled_at FROM root JOIN folder ON folder.root_id = root.id WHERE folder.id = file.folder_id
        ), first_seen))
        WHERE id = ? AND missing_since IS NULL
        """,
        ((now_ns, last_seen_ns, file_id) for file_id in file_ids),
    )


def move_files(
    db: sqlite3.Connection, moves: Sequence[tuple[int, int, bytes]], *, now_ns: int | None = None
) -> int:
    """Give files new places; swaps, circles and chains are fine.

    Args:
        db: the library.
        moves: id, folder and name of each, every id once.
        now_ns: time for what is marked missing; the clock's by default.

    A present file that holds one of the new places and does not move itself has gone from there: it is marked missing.

    Returns:
        Number of files so marked.

    Raises:
        sqlite3.IntegrityError: two present files are given the same place.
    """
    ids = [file_id for file_id, _, _ in moves]
    holders = _holders(db, moves)
    displaced = holders.difference(ids)
    set_missing(db, displaced, time.time_ns() if now_ns is None else now_ns)
    with search_index.reindexing(db, ids):
        # no file name holds NUL, so these names meet no other while the places are exchanged
        parked = [(b"\0%d" % file_id, file_id) for file_id in holders - displaced]
        db.executemany("UPDATE file SET name = ? WHERE id = ?", parked)
        _set_places(db, moves)
    return len(displaced)


def _holders(db: sqlite3.Connection, moves: Sequence[tuple[int, int, bytes]]) -> set[int]:
    """Return the present files that are where others are to be."""
    query = "SELECT id FROM file WHERE folder_id = ? AND name = ? AND missing_since IS NULL AND id <> ?"
    return {
        holder
        for file_id, folder_id, name in moves
        for (holder,) in db.execute(query, (folder_id, name, file_id))
    }


def _set_places(db: sqlite3.Connection, moves: Sequence[tuple[int, int, bytes]]) -> None:
    """Write folder and name of each; what keeps its name costs no change of the indexes of names.

    A stage that failed is pending again: it may have failed because of the place.
    """
    ids = json.dumps([file_id for file_id, _, _ in moves])
    db.execute(
        "UPDATE file SET metadata_state = iif(metadata_state = 2, 0, metadata_state), "
        "fingerprint_state = iif(fingerprint_state = 2, 0, fingerprint_state) "
        "WHERE id IN (SELECT value FROM json_each(?)) AND (metadata_state = 2 OR fingerprint_state = 2)",
        (ids,),
    )
    names = dict(db.execute("SELECT id, name FROM file WHERE id IN (SELECT value FROM json_each(?))", (ids,)))
    kept = [(file_id, folder_id) for file_id, folder_id, name in moves if names.get(file_id) == name]
    db.execute(
        "UPDATE file SET folder_id = place.folder FROM (SELECT json_extract(value, '$[0]') AS id, "
        "json_extract(value, '$[1]') AS folder FROM json_each(?)) AS place WHERE file.id = place.id",
        (json.dumps(kept),),
    )
    db.executemany(
        "UPDATE file SET folder_id = ?, name = ?, display_name = ?, extension = ? WHERE id = ?",
        (
            (folder_id, name, display(name), _extension_of(name), file_id)
            for file_id, folder_id, name in moves
            if names.get(file_id) != name
        ),
    )


def remove_files(db: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    """Delete files from the library, with their edits, tags and problems; nothing on disk is touched."""
    known = [
        file_id
        for (file_id,) in db.execute(
            "SELECT id FROM file WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(file_ids)),)
        )
    ]
    search_index.forget(db, known)
    db.executemany("DELETE FROM file WHERE id = ?", ((file_id,) for file_id in known))


def missing_files(db: sqlite3.Connection, folder_id: int) -> list[KnownFile]:
    """Return the missing files that were directly in a folder, those that went first first."""
    rows = db.execute(
        f"SELECT {_STAMP} FROM file WHERE folder_id = ? AND missing_since IS NOT NULL ORDER BY missing_since",
        (folder_id,),
    )
    return [KnownFile._make((*row, FileState.MISSING)) for row in rows]


def present_stamps(
    db: sqlite3.Connection, folder_id: int
) -> list[tuple[int, bytes, int, int, int, int, str]]:
    """Return id, name, size, mtime_ns, inode, links and kind of the present files directly in a folder."""
    return db.execute(
        f"SELECT {_STAMP} FROM file WHERE folder_id = ? AND missing_since IS NULL", (folder_id,)
    ).fetchall()


def file_at(db: sqlite3.Connection, folder_id: int, name: bytes) -> int | None:
    """Return the id of the file of that name in a folder: the present one, else the one that went missing last."""
    row = db.execute(
        "SELECT id FROM file WHERE folder_id = ? AND name = ? AND missing_since IS NULL", (folder_id, name)
    ).fetchone()
    if row is None:
        row = db.execute(
            "SELECT id FROM file WHERE folder_id = ? AND name = ? AND missing_since IS NOT NULL "
            "ORDER BY missing_since DESC, id DESC LIMIT 1",
            (folder_id, name),
        ).fetchone()
    return None if row is None else int(row[0])


def folders_under(db: sqlite3.Connection, root_id: int, path: bytes) -> list[tuple[int, bytes]]:
    """Return id and path (relative to the root) of a folder and of all folders below it."""
    if not path:
        return db.execute("SELECT id, path FROM folder WHERE root_id = ?", (root_id,)).fetchall()
    # "0" is the byte after "/", so the range holds exactly what lies below
    return db.execute(
        "SELECT id, path FROM folder WHERE root_id = ?1 AND (path = ?2 OR (path > ?3 AND path < ?4))",
        (root_id, path, path + b"/", path + b"0"),
    ).fetchall()


def present_ids(db: sqlite3.Connection, folder_id: int) -> list[int]:
    """Return the ids of the present files directly in a folder."""
    rows = db.execute("SELECT id FROM file WHERE folder_id = ? AND missing_since IS NULL", (folder_id,))
    return [file_id for (file_id,) in rows]


def path_and_inode(db: sqlite3.Connection, file_id: int) -> tuple[bytes, int]:
    """Return absolute path and inode of a file.

    Raises:
        LookupError: there is no such file.
    """
    row = db.execute(
        "SELECT root.path, folder.path, file.name, file.inode FROM file JOIN folder ON folder.id = file.folder_id "
        "JOIN root ON root.id = folder.root_id WHERE file.id = ?",
        (file_id,),
    ).fetchone()
    if row is None:
        raise LookupError(f"no file {file_id} in the library")
    return join_path(*row[:3]), row[3]
