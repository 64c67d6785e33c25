"""The roots: what was given to scan. Roots never overlap; one above others adopts them, and ids stay."""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import UsageError
from tui.library import search_index
from tui.library.files import add_folder
from tui.library.scans import refuse_running
from tui.library.values import stored_text
from tui.paths import is_inside

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_COLUMNS = (
    "id, uuid, path, label, file_system, path_in_file_system, disk, guessed_disk, last_scan_id, settled_at, "
    "seen_at, offline_since"
)

# CROSS JOIN keeps the order: folder after folder, whose files one index alone adds up
_PRESENT_BY_ROOT = (
    "SELECT folder.root_id, count(*), sum(size) FROM folder CROSS JOIN file INDEXED BY file_folder "
    "ON file.folder_id = folder.id WHERE missing_since IS NULL GROUP BY folder.root_id"
)
_MISSING_BY_ROOT = (
    "SELECT folder.root_id, count(*) FROM folder CROSS JOIN file INDEXED BY file_missing "
    "ON file.folder_id = folder.id WHERE missing_since IS NOT NULL GROUP BY folder.root_id"
)


@dataclass(frozen=True, slots=True)
class Root:
    """One root.

    Attributes:
        root_id: id in table `root`.
        uuid: the same in every copy of the library.
        path: where it is mounted now, absolute.
        label: name for people.
        file_system: identity of its file system at the last scan, None before the first.
        path_in_file_system: its path seen from there.
        disk: kind of disk as a person said (`ssd`, `hdd`, `network`), None for what is guessed.
        guessed_disk: kind of disk that the last scan took it for, None before the first.
        last_scan_id: the last scan that was completed.
        settled_at: start of the last scan that also settled what is missing, nanoseconds since the epoch.
        seen_at: when it was last seen, nanoseconds since the epoch; None before the first scan.
        offline_since: when it was first found to be away, nanoseconds since the epoch; None while it is there.
    """

    root_id: int
    uuid: str
    path: bytes
    label: str
    file_system: str | None
    path_in_file_system: bytes | None
    disk: str | None
    guessed_disk: str | None
    last_scan_id: int | None
    settled_at: int | None
    seen_at: int | None
    offline_since: int | None

    @property
    def disk_kind(self) -> str:
        """The kind of disk that scans go by: as a person said, else as it was guessed, else `ssd`."""
        return self.disk or self.guessed_disk or "ssd"


@dataclass(frozen=True, slots=True)
class RootCounts:
    """A root with how much is in it.

    Attributes:
        root: the root.
        files: present files.
        missing: missing files.
        size: bytes of the present files.
        folders: folders.
    """

    root: Root
    files: int
    missing: int
    size: int
    folders: int


def add_root(
    db: sqlite3.Connection,
    path: bytes,
    *,
    file_system: str | None = None,
    path_in_file_system: bytes | None = None,
) -> Root:
    """Add a root at `path` (absolute); roots below it become part of it.

    Returns:
        The new root, or the one that is at `path` already.

    Raises:
        UsageError: a root above holds the path.
        ScanRunningError: a root below is being scanned.
    """
    holding = find_root(db, path)
    if holding is not None and holding.path == path:
        return holding
    if holding is not None:
        raise UsageError(f"{display(path)} lies in the root {display(holding.path)}")
    below = roots_below(db, path)
    for root in below:
        refuse_running(db, root.root_id, now_ns=time.time_ns())
    label = stored_text(display(os.path.basename(path) or path))
    cursor = db.execute(
        "INSERT INTO root (uuid, path, label, file_system, path_in_file_system) VALUES (?,?,?,?,?)",
        (str(uuid.uuid4()), path, label, file_system, path_in_file_system),
    )
    root_id = int(cursor.lastrowid or 0)
    add_folder(db, root_id, b"", None)
    for root in below:
        _adopt(db, root, root_id, path)
    return root_by_id(db, root_id)


def _adopt(db: sqlite3.Connection, root: Root, into_id: int, into_path: bytes) -> None:
    """Make a root part of the root above it; its folders and files keep their ids."""
    inner = root.path[len(into_path.rstrip(b"/")) + 1 :]
    files = [
        file_id
        for (file_id,) in db.execute(
            "SELECT file.id FROM folder CROSS JOIN file ON file.folder_id = folder.id WHERE folder.root_id = ?",
            (root.root_id,),
        )
    ]
    with search_index.reindexing(db, files):
        above_id = add_folder(db, into_id, inner.rpartition(b"/")[0], None)
        for folder_id, path in db.execute(
            "SELECT id, path FROM folder WHERE root_id = ?", (root.root_id,)
        ).fetchall():
            moved = inner + b"/" + path if path else inner
            db.execute(
                "UPDATE folder SET root_id = ?, path = ?, display_path = ?, "
                "file_system = coalesce(file_system, ?), parent_id = coalesce(parent_id, ?) WHERE id = ?",
                (into_id, moved, display(moved), root.file_system, above_id, folder_id),
            )
    db.execute("UPDATE scan SET root_id = ? WHERE root_id = ?", (into_id, root.root_id))
    db.execute("DELETE FROM root WHERE id = ?", (root.root_id,))


def find_root(db: sqlite3.Connection, path: bytes) -> Root | None:
    """Return the root that is at `path` (absolute) or holds it, None when there is none."""
    for root in list_roots(db):
        if is_inside(path, root.path):
            return root
    return None


def roots_below(db: sqlite3.Connection, path: bytes) -> list[Root]:
    """Return the roots that lie below `path` (absolute), without one at it."""
    return [root for root in list_roots(db) if root.path != path and is_inside(root.path, path)]


def root_by_id(db: sqlite3.Connection, root_id: int) -> Root:
    """Return a root.

    Raises:
        LookupError: there is no such root.
    """
    row = db.execute(f"SELECT {_COLUMNS} FROM root WHERE id = ?", (root_id,)).fetchone()
    if row is None:
        raise LookupError(f"no root {root_id} in the library")
    return Root(*row)


def list_roots(db: sqlite3.Connection) -> list[Root]:
    """Return all roots by path."""
    return [Root(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM root ORDER BY path")]


def count_roots(db: sqlite3.Connection) -> list[RootCounts]:
    """Return all roots by path with what is in them; reads one index, a tenth of a second for a million files."""
    folders = dict(db.execute("SELECT root_id, count(*) FROM folder GROUP BY root_id").fetchall())
    present = {root_id: numbers for root_id, *numbers in db.execute(_PRESENT_BY_ROOT)}
    missing = dict(db.execute(_MISSING_BY_ROOT).fetchall())
    found = []
    for root in list_roots(db):
        files, size = present.get(root.root_id, (0, 0))
        found.append(
            RootCounts(root, files, missing.get(root.root_id, 0), size, folders.get(root.root_id, 0))
        )
    return found


def update_root(
    db: sqlite3.Connection,
    root_id: int,
    *,
    file_system: str | None,
    path_in_file_system: bytes | None = None,
) -> None:
    """Note what a root lies on, as a scan found it."""
    db.execute(
        "UPDATE root SET file_system = ?, path_in_file_system = ? WHERE id = ?",
        (file_system, path_in_file_system, root_id),
    )


def set_disk(db: sqlite3.Connection, root_id: int, disk: str | None) -> None:
    """Let scans read a root as befits a kind of disk (`ssd`, `hdd`, `network`); None for what is guessed."""
    db.execute("UPDATE root SET disk = ? WHERE id = ?", (disk, root_id))


def note_seen(db: sqlite3.Connection, root_id: int, *, guessed_disk: str | None = None, now_ns: int) -> None:
    """Note that a root is there, and which kind of disk it was taken for, if anyone looked."""
    db.execute(
        "UPDATE root SET seen_at = ?, offline_since = NULL, guessed_disk = coalesce(?, guessed_disk) WHERE id = ?",
        (now_ns, guessed_disk, root_id),
    )


def note_offline(db: sqlite3.Connection, root_ids: Sequence[int], *, now_ns: int) -> None:
    """Note that roots are away; one that was away before keeps its time."""
    db.executemany(
        "UPDATE root SET offline_since = ? WHERE id = ? AND offline_since IS NULL",
        [(now_ns, root_id) for root_id in root_ids],
    )


def rename_root(db: sqlite3.Connection, root_id: int, label: str) -> None:
    """Give a root another name for people; its files are found by it, so they are indexed anew."""
    files = _files_of(db, root_id)
    with search_index.reindexing(db, files):
        db.execute("UPDATE root SET label = ? WHERE id = ?", (stored_text(label), root_id))


def relocate_root(db: sqlite3.Connection, root_id: int, path: bytes) -> None:
    """Note that a root is at another path now (absolute).

    Raises:
        UsageError: the path lies in another root, or holds one.
    """
    others: Sequence[Root] = [
        root for root in (find_root(db, path), *roots_below(db, path)) if root is not None
    ]
    for other in others:
        if other.root_id != root_id:
            raise UsageError(f"{display(path)} overlaps the root {display(other.path)}")
    db.execute("UPDATE root SET path = ? WHERE id = ?", (path, root_id))


def forget_root(db: sqlite3.Connection, root_id: int) -> int:
    """Delete a root from the library with all that is known of its files; return their number. Disks are not touched.

    Raises:
        ScanRunningError: it is being scanned.
    """
    refuse_running(db, root_id, now_ns=time.time_ns())
    root = root_by_id(db, root_id)
    files = _files_of(db, root_id)
    search_index.forget(db, files)
    db.executemany("DELETE FROM file WHERE id = ?", ((file_id,) for file_id in files))
    prefix = root.path.rstrip(b"/")
    db.execute(
        "DELETE FROM problem WHERE file_id IS NULL AND (path = ? OR (path > ? AND path < ?))",
        (root.path, prefix + b"/", prefix + b"0"),
    )
    db.execute("UPDATE folder SET parent_id = NULL WHERE root_id = ?", (root_id,))
    db.execute("DELETE FROM root WHERE id = ?", (root_id,))
    return len(files)


def _files_of(db: sqlite3.Connection, root_id: int) -> list[int]:
    rows = db.execute(
        "SELECT file.id FROM folder CROSS JOIN file ON file.folder_id = folder.id WHERE folder.root_id = ?",
        (root_id,),
    )
    return [file_id for (file_id,) in rows]
