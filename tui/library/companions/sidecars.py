"""The rows of table `sidecar`: found, changed, gone.

What has gone waits in table `sidecar_departure` until the scan knows that it may believe what it saw, as files do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.records import FoundSidecar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from tui.records import FolderUpdate


def holds_any(db: sqlite3.Connection) -> bool:
    """Return whether the library knows any sidecar at all."""
    return bool(db.execute("SELECT EXISTS (SELECT 1 FROM sidecar)").fetchone()[0])


def folder_sidecars(db: sqlite3.Connection, root_id: int, path: bytes) -> list[FoundSidecar]:
    """Return the sidecars that the library knows in a folder (relative to its root)."""
    rows = db.execute(
        "SELECT name, size, mtime_ns FROM folder CROSS JOIN sidecar ON sidecar.folder_id = folder.id "
        "WHERE folder.root_id = ? AND folder.path = ?",
        (root_id, path),
    )
    return [FoundSidecar(*row) for row in rows]


def find_sidecar_changes(
    found: Sequence[FoundSidecar], known: Sequence[FoundSidecar], unknown: Collection[bytes] = ()
) -> tuple[tuple[FoundSidecar, ...], tuple[bytes, ...]]:
    """Return the sidecars of a folder that are new or changed, and the names of those that have gone.

    Args:
        found: what the walk saw.
        known: what the library has.
        unknown: names that are there and could not be looked at.
    """
    came = set(found).difference(known)
    gone = {item.name for item in known}.difference((item.name for item in found), unknown)
    return tuple(sorted(came)), tuple(sorted(gone))


def apply_sidecars(db: sqlite3.Connection, scan_id: int, folder_id: int, update: FolderUpdate) -> None:
    """Write the sidecars of a folder that are new or changed; put down those that have gone."""
    if update.sidecars:
        before = _count(db, folder_id)
        db.executemany(
            "INSERT INTO sidecar (folder_id, name, size, mtime_ns) VALUES (?,?,?,?) "
            "ON CONFLICT (folder_id, name) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns",
            ((folder_id, *sidecar) for sidecar in update.sidecars),
        )
        if _count(db, folder_id) != before:
            db.execute("INSERT OR IGNORE INTO regrouping VALUES (?)", (folder_id,))
    db.executemany(
        "INSERT OR IGNORE INTO sidecar_departure (scan_id, folder_id, name) VALUES (?,?,?)",
        ((scan_id, folder_id, name) for name in update.sidecars_gone),
    )


def _count(db: sqlite3.Connection, folder_id: int) -> int:
    number: int = db.execute("SELECT count(*) FROM sidecar WHERE folder_id = ?", (folder_id,)).fetchone()[0]
    return number


def spare_sidecars(db: sqlite3.Connection, scan_id: int, visited: Collection[str]) -> None:
    """Let sidecars stay that lie on a file system which the walk did not meet."""
    rows = db.execute(
        "SELECT DISTINCT o.id, o.file_system FROM sidecar_departure AS d JOIN folder AS o ON o.id = d.folder_id "
        "WHERE d.scan_id = ? AND o.file_system IS NOT NULL",
        (scan_id,),
    ).fetchall()
    db.executemany(
        "DELETE FROM sidecar_departure WHERE scan_id = ? AND folder_id = ?",
        ((scan_id, folder_id) for folder_id, file_system in rows if file_system not in visited),
    )


def forget_gone_sidecars(db: sqlite3.Connection, scan_id: int) -> None:
    """Forget the sidecars that have gone."""
    db.execute(
        "DELETE FROM sidecar WHERE (folder_id, name) IN "
        "(SELECT folder_id, name FROM sidecar_departure WHERE scan_id = ?)",
        (scan_id,),
    )
