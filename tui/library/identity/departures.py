"""What has gone, once moves are taken off: how much it is, what is spared, and what becomes missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.library import files
from tui.library.companions.sidecars import forget_gone_sidecars, spare_sidecars
from tui.library.identity.staging import clear_staging, make_sightings

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from tui.library.identity.staging import ScanKey


def count_departures(db: sqlite3.Connection, scan_id: int) -> int:
    """Return how many present files would become missing now."""
    number: int = db.execute(
        "SELECT count(*) FROM departure AS d JOIN file AS f ON f.id = d.file_id "
        "WHERE d.scan_id = ? AND f.missing_since IS NULL",
        (scan_id,),
    ).fetchone()[0]
    return number


def count_present_in_root(db: sqlite3.Connection, root_id: int) -> int:
    """Return how many files of a root are present."""
    number: int = db.execute(
        "SELECT count(*) FROM folder AS d JOIN file AS f ON f.folder_id = d.id "
        "WHERE d.root_id = ? AND f.missing_since IS NULL",
        (root_id,),
    ).fetchone()[0]
    return number


def spare_unmounted(db: sqlite3.Connection, key: ScanKey, visited: Collection[str]) -> dict[str, int]:
    """Let files stay present that lie on a file system inside the root which the walk did not meet.

    Args:
        db: the library, in a transaction.
        key: the scan.
        visited: identities of the file systems that the walk met.

    Returns:
        Number of files spared, by file system.
    """
    counts: dict[str, int] = dict(
        db.execute(
            "SELECT o.file_system, count(*) FROM departure AS d JOIN file AS f ON f.id = d.file_id "
            "JOIN folder AS o ON o.id = f.folder_id WHERE d.scan_id = ? AND o.file_system IS NOT NULL GROUP BY 1",
            (key.scan_id,),
        ).fetchall()
    )
    away = {name: number for name, number in counts.items() if name not in visited}
    spare_sidecars(db, key.scan_id, visited)
    make_sightings(db)
    for name in away:
        db.execute(
            "DELETE FROM sighting WHERE scan_id = ?1 AND folder_id IN (SELECT f.folder_id FROM departure AS d "
            "JOIN file AS f ON f.id = d.file_id JOIN folder AS o ON o.id = f.folder_id "
            "WHERE d.scan_id = ?1 AND o.file_system = ?2)",
            (key.scan_id, name),
        )
        db.execute(
            "DELETE FROM departure WHERE scan_id = ? AND file_id IN (SELECT f.id FROM file AS f "
            "JOIN folder AS o ON o.id = f.folder_id WHERE o.file_system = ?)",
            (key.scan_id, name),
        )
    return away


def mark_missing(db: sqlite3.Connection, key: ScanKey, now_ns: int) -> int:
    """Mark what has gone as missing and note that the root is settled as of this scan; returns the number of files."""
    ids = [
        file_id
        for (file_id,) in db.execute(
            "SELECT d.file_id FROM departure AS d JOIN file AS f ON f.id = d.file_id "
            "WHERE d.scan_id = ? AND f.missing_since IS NULL",
            (key.scan_id,),
        )
    ]
    (settled_at,) = db.execute("SELECT settled_at FROM root WHERE id = ?", (key.root_id,)).fetchone()
    files.set_missing(db, ids, now_ns, last_seen_ns=settled_at)
    forget_gone_sidecars(db, key.scan_id)
    db.execute("UPDATE root SET settled_at = ? WHERE id = ?", (key.started_ns, key.root_id))
    make_sightings(db)
    db.execute(
        "UPDATE folder SET file_system = s.file_system FROM sighting AS s WHERE s.folder_id = folder.id AND s.scan_id = ?",
        (key.scan_id,),
    )
    clear_staging(db, [key.scan_id])
    return len(ids)
