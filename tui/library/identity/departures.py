"""What has gone, once moves are taken off: how much it is, what is spared, and what becomes missing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tui.library import files
from tui.library.companions.sidecars import forget_gone_sidecars, spare_sidecars
from tui.library.identity.staging import clear_staging, make_sightings

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

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


def mark_missing(db: sqlite3.Connection, key: ScanKey, now_ns: int, *, whole_root: bool = True) -> int:
    """Mark what has gone as missing, note what this scan settled, and return the number of files.

    Args:
        db: the library.
        key: the scan.
        now_ns: when the files were missed.
        whole_root: whether the scan looked at all of the root. What lies outside the part of another scan was not seen
            by it, and so may have gone before.
    """
    ids = [
        file_id
        for (file_id,) in db.execute(
            "SELECT d.file_id FROM departure AS d JOIN file AS f ON f.id = d.file_id "
            "WHERE d.scan_id = ? AND f.missing_since IS NULL",
            (key.scan_id,),
        )
    ]
    for last_seen_ns, seen_together in _by_last_seen(db, key, ids).items():
        files.set_missing(db, seen_together, now_ns, last_seen_ns=last_seen_ns)
    forget_gone_sidecars(db, key.scan_id)
    if whole_root:
        db.execute("UPDATE root SET settled_at = ? WHERE id = ?", (key.started_ns, key.root_id))
    db.execute("UPDATE scan SET settled = 1 WHERE id = ?", (key.scan_id,))
    make_sightings(db)
    db.execute(
        "UPDATE folder SET file_system = s.file_system FROM sighting AS s WHERE s.folder_id = folder.id AND s.scan_id = ?",
        (key.scan_id,),
    )
    clear_staging(db, [key.scan_id])
    return len(ids)


def _by_last_seen(
    db: sqlite3.Connection, key: ScanKey, file_ids: Sequence[int]
) -> dict[int | None, list[int]]:
    """Group files by the start of the last settled scan that looked at their place; None where there was none."""
    (settled_at,) = db.execute("SELECT settled_at FROM root WHERE id = ?", (key.root_id,)).fetchone()
    parts = db.execute(
        "SELECT path, started_at FROM scan WHERE root_id = ? AND settled = 1 AND started_at > ? ORDER BY started_at DESC",
        (key.root_id, settled_at or 0),
    ).fetchall()
    if not parts:
        return {settled_at: list(file_ids)}
    found: dict[int | None, list[int]] = defaultdict(list)
    for file_id in file_ids:
        path, _ = files.path_and_inode(db, file_id)
        seen = (started_at for part, started_at in parts if path == part or path.startswith(part + b"/"))
        found[next(seen, settled_at)].append(file_id)
    return found
