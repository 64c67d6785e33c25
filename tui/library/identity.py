"""Which file is which: what a scan found, settled into new, changed, moved, returned and missing files.

The rules and the table of cases are in `docs/identity.md`. What one folder tells for certain is written at once;
what only the whole walk can tell (a path that came or went) waits in the tables `arrival` and `departure` until
`resolve_moves` and `mark_missing`. A scan that ends before that leaves nothing decided: the next one finds the
same again.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.library import files
from tui.records import FoundFile, Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    from tui.records import FolderUpdate


@dataclass(frozen=True, slots=True)
class ScanKey:
    """One scan of one root, as the library needs to know it.

    Attributes:
        scan_id: id in table `scan`.
        root_id: id in table `root`.
        started_ns: when the scan began; rows that it adds are first seen then.
        expect_moves: False when the library held no file at all, so nothing that comes can have moved.
    """

    scan_id: int
    root_id: int
    started_ns: int
    expect_moves: bool = True


@dataclass(frozen=True, slots=True)
class Settled:
    """How many files a step settled, by outcome."""

    new: int = 0
    changed: int = 0
    moved: int = 0
    returned: int = 0
    missing: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Matched:
    """How many files `match_fingerprints` recognised as moved, and what a scan had counted them as before.

    Attributes:
        moved: all of them.
        new: those whose new path the scan had found to be new.
        missing: those that the scan had found to be missing.
    """

    moved: int = 0
    new: int = 0
    missing: int = 0


def clear_staging(db: sqlite3.Connection, scan_ids: Iterable[int]) -> None:
    """Forget the undecided paths of these scans."""
    for scan_id in scan_ids:
        db.execute("DELETE FROM arrival WHERE scan_id = ?", (scan_id,))
        db.execute("DELETE FROM departure WHERE scan_id = ?", (scan_id,))


def clear_dead_staging(db: sqlite3.Connection) -> None:
    """Forget the undecided paths that scans left which ended, or died, before they could decide."""
    for table in ("arrival", "departure"):
        db.execute(
            f"DELETE FROM {table} WHERE scan_id NOT IN "
            "(SELECT id FROM scan WHERE state IN ('running', 'paused', 'aborting'))"
        )


def apply_folder_updates(db: sqlite3.Connection, key: ScanKey, updates: Sequence[FolderUpdate]) -> Settled:
    """Write what the walk learned about some folders.

    Files at unknown paths become rows at once, unless their inode belongs to a file known from before this scan; those,
    paths with another inode, and paths that have gone wait for the end of the walk.
    """
    new = changed = returned = 0
    for update in updates:
        folder_id = files.add_folder(db, key.root_id, update.path, update.file_system)
        fresh, undecided = _split_by_known_inode(db, key, update)
        files.insert_files(db, folder_id, fresh, key.started_ns)
        _stage_arrivals(db, key, folder_id, [*undecided, *(file for _, file in update.replaced)])
        _stage_departures(db, key, [(file_id, 1) for file_id, _ in update.replaced])
        _stage_departures(db, key, [(file_id, 0) for file_id in update.gone])
        for file_id, file in update.changed:
            files.update_changed(db, file_id, file)
        for file_id, file in update.returned:
            files.set_present(db, file_id, file)
        new, changed, returned = (
            new + len(fresh),
            changed + len(update.changed),
            returned + len(update.returned),
        )
    return Settled(new=new, changed=changed, returned=returned)


def _split_by_known_inode(
    db: sqlite3.Connection, key: ScanKey, update: FolderUpdate
) -> tuple[list[FoundFile], list[FoundFile]]:
    """Return the new files whose inode is unknown, and those whose inode an older row has."""
    if not update.new or not key.expect_moves or not update.stable_inodes:
        return list(update.new), []
    inodes = json.dumps([file.inode for file in update.new])
    known = {
        inode
        for (inode,) in db.execute(
            "SELECT f.inode FROM json_each(?) AS j CROSS JOIN file AS f ON f.inode = j.value WHERE f.first_seen < ?",
            (inodes, key.started_ns),
        )
    }
    fresh = [file for file in update.new if file.inode not in known]
    return fresh, [file for file in update.new if file.inode in known]


def _stage_arrivals(db: sqlite3.Connection, key: ScanKey, folder_id: int, found: Iterable[FoundFile]) -> None:
    db.executemany(
        "INSERT INTO arrival(scan_id, folder_id, name, kind, size, mtime_ns, inode, links) VALUES (?,?,?,?,?,?,?,?)",
        (
            (
                key.scan_id,
                folder_id,
                file.name,
                str(file.kind),
                file.size,
                file.mtime_ns,
                file.inode,
                file.links,
            )
            for file in found
        ),
    )


def _stage_departures(db: sqlite3.Connection, key: ScanKey, gone: Iterable[tuple[int, int]]) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO departure(scan_id, file_id, replaced) VALUES (?,?,?)",
        ((key.scan_id, file_id, replaced) for file_id, replaced in gone),
    )


def moved_from_elsewhere(db: sqlite3.Connection, scan_ids: Sequence[int]) -> list[tuple[int, bytes, int]]:
    """Return the present files that arrivals may have moved from and that these scans did not look at.

    Whoever resolves the moves has to look whether they are still at their paths.

    Returns:
        Id, absolute path and inode of each.
    """
    rows = db.execute(
        f"""
        SELECT DISTINCT f.id FROM arrival AS a
        JOIN file AS f ON f.inode = a.inode AND f.size = a.size AND f.mtime_ns = a.mtime_ns
        WHERE a.scan_id IN ({_places(scan_ids)}) AND f.missing_since IS NULL
          AND NOT EXISTS (SELECT 1 FROM departure AS d WHERE d.file_id = f.id)
        """,
        tuple(scan_ids),
    ).fetchall()
    found = []
    for (file_id,) in rows:
        path, inode = files.path_and_inode(db, file_id)
        found.append((file_id, path, inode))
    return found


def resolve_moves(
    db: sqlite3.Connection, keys: Sequence[ScanKey], gone_elsewhere: Sequence[int] = ()
) -> Settled:
    """Settle every arrival: moved files keep their ids, the rest is new or changed (rules 1, 3 and 4).

    Args:
        db: the library, in a transaction.
        keys: the scans whose walks have ended.
        gone_elsewhere: files of other roots, or outside the part that was walked, that are gone from their paths.
    """
    scan_ids = [key.scan_id for key in keys]
    moves = _match_stamps(db, scan_ids, gone_elsewhere)
    moved_arrivals = {arrival_id for arrival_id, _ in moves}
    arrivals = db.execute(
        "SELECT rowid, folder_id, name, kind, size, mtime_ns, inode, links, scan_id FROM arrival "
        f"WHERE scan_id IN ({_places(scan_ids)})",
        tuple(scan_ids),
    ).fetchall()
    by_id = {row[0]: row for row in arrivals}
    before = _count_missing(db, scan_ids)
    files.move_files(db, [(file_id, by_id[arrival][1], by_id[arrival][2]) for arrival, file_id in moves])
    displaced = _count_missing(db, scan_ids) - before
    for arrival, file_id in moves:
        files.set_present(db, file_id, _found(by_id[arrival]))
    started = {key.scan_id: key.started_ns for key in keys}
    new = changed = returned = unchanged = 0
    fresh: dict[tuple[int, int], list[FoundFile]] = defaultdict(list)
    for row in arrivals:
        if row[0] in moved_arrivals:
            continue
        outcome = _settle_in_place(db, row[1], _found(row))
        if outcome == "new":
            fresh[row[8], row[1]].append(_found(row))
        changed += outcome == "changed"
        returned += outcome == "returned"
        unchanged += outcome == "unchanged"
    for (scan_id, folder_id), found in fresh.items():
        files.insert_files(db, folder_id, found, started[scan_id])
        new += len(found)
    moved_ids = [(file_id,) for _, file_id in moves]
    db.executemany("DELETE FROM departure WHERE file_id = ?", moved_ids)
    db.execute(
        f"DELETE FROM departure WHERE replaced = 1 AND scan_id IN ({_places(scan_ids)})", tuple(scan_ids)
    )
    db.execute(f"DELETE FROM arrival WHERE scan_id IN ({_places(scan_ids)})", tuple(scan_ids))
    return Settled(new, changed, len(moves), returned, missing=displaced, unchanged=unchanged)


def _count_missing(db: sqlite3.Connection, scan_ids: Sequence[int]) -> int:
    """Return how many files whose path now holds another inode are missing."""
    number: int = db.execute(
        "SELECT count(*) FROM departure AS d JOIN file AS f ON f.id = d.file_id WHERE d.replaced = 1 "
        f"AND f.missing_since IS NOT NULL AND d.scan_id IN ({_places(scan_ids)})",
        tuple(scan_ids),
    ).fetchone()[0]
    return number


def _match_stamps(
    db: sqlite3.Connection, scan_ids: Sequence[int], gone_elsewhere: Sequence[int]
) -> list[tuple[int, int]]:
    """Return (arrival, file) for every stamp that exactly one path came with and exactly one path went with (rule 1)."""
    rows = db.execute(
        f"""
        SELECT a.rowid, f.id, f.missing_since IS NOT NULL OR EXISTS (
                   SELECT 1 FROM departure AS d WHERE d.file_id = f.id AND d.scan_id IN ({_places(scan_ids)})),
               a.inode, a.size, a.mtime_ns, coalesce(af.file_system, ar.file_system)
        FROM arrival AS a
        JOIN folder AS af ON af.id = a.folder_id JOIN root AS ar ON ar.id = af.root_id
        JOIN file AS f ON f.inode = a.inode AND f.size = a.size AND f.mtime_ns = a.mtime_ns
        JOIN folder AS ff ON ff.id = f.folder_id JOIN root AS fr ON fr.id = ff.root_id
        WHERE a.scan_id IN ({_places(scan_ids)})
          AND coalesce(af.file_system, ar.file_system) = coalesce(ff.file_system, fr.file_system)
          AND NOT (f.folder_id = a.folder_id AND f.name = a.name)
        """,
        (*scan_ids, *scan_ids),
    ).fetchall()
    elsewhere = set(gone_elsewhere)
    came: dict[tuple[object, ...], set[int]] = defaultdict(set)
    went: dict[tuple[object, ...], set[int]] = defaultdict(set)
    for arrival, file_id, is_gone, *stamp in rows:
        came[tuple(stamp)].add(arrival)
        if is_gone or file_id in elsewhere:
            went[tuple(stamp)].add(file_id)
    return [
        (next(iter(arrivals)), next(iter(went[stamp])))
        for stamp, arrivals in came.items()
        if len(arrivals) == 1 and len(went[stamp]) == 1
    ]


def _settle_in_place(db: sqlite3.Connection, folder_id: int, found: FoundFile) -> str:
    """Settle an arrival that moved from nowhere: it changes the file at its path, or it is new."""
    file_id = files.file_at(db, folder_id, found.name)
    if file_id is None:
        return "new"
    size, mtime_ns, missing_since = db.execute(
        "SELECT size, mtime_ns, missing_since FROM file WHERE id = ?", (file_id,)
    ).fetchone()
    if (size, mtime_ns) == (found.size, found.mtime_ns):
        files.set_present(db, file_id, found)
        return "returned" if missing_since is not None else "unchanged"
    files.update_changed(db, file_id, found)
    return "changed"


def count_departures(db: sqlite3.Connection, scan_id: int) -> int:
    """Return how many present files would become missing now."""
    number: int = db.execute(
        "SELECT count(*) FROM departure AS d JOIN file AS f ON f.id = d.file_id "
        "WHERE d.scan_id = ? AND f.missing_since IS NULL",
        (scan_id,),
    ).fetchone()[0]
    return number


def count_present(db: sqlite3.Connection, root_id: int) -> int:
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
    for name in away:
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
    db.execute("UPDATE root SET settled_at = ? WHERE id = ?", (key.started_ns, key.root_id))
    clear_staging(db, [key.scan_id])
    return len(ids)


def match_fingerprints(db: sqlite3.Connection, root_ids: Sequence[int], *, since_ns: int = 0) -> Matched:
    """Let missing files take over the rows that are their only equals by fingerprint (rule 2).

    Args:
        db: the library, in a transaction.
        root_ids: roots whose files may have come from elsewhere.
        since_ns: when the scan began that counts what is recognised.
    """
    pairs = db.execute(
        f"""
        SELECT m.id, n.id, m.missing_since >= ?, n.first_seen >= ? FROM file AS m
        JOIN file AS n ON n.quick_fingerprint = m.quick_fingerprint AND n.size = m.size
        JOIN folder AS f ON f.id = n.folder_id
        WHERE m.missing_since IS NOT NULL AND m.quick_fingerprint IS NOT NULL AND m.size > 0
          AND n.missing_since IS NULL AND n.first_seen > coalesce(m.last_seen_at, 0)
          AND (m.fingerprint IS NULL OR n.fingerprint IS NULL OR m.fingerprint = n.fingerprint)
          AND f.root_id IN ({_places(root_ids)})
        """,
        (since_ns, since_ns, *root_ids),
    ).fetchall()
    news = Counter(missing_id for missing_id, *_ in pairs)
    olds = Counter(new_id for _, new_id, *_ in pairs)
    moves = [pair for pair in pairs if news[pair[0]] == 1 and olds[pair[1]] == 1]
    for missing_id, new_id, *_ in moves:
        files.merge_file(db, new_id, missing_id)
    return Matched(
        len(moves),
        new=sum(is_new for *_, is_new in moves),
        missing=sum(is_missing for _, _, is_missing, _ in moves),
    )


def _found(row: Sequence[object]) -> FoundFile:
    _, _, name, kind, size, mtime_ns, inode, links, *_ = row
    return FoundFile(name, Kind(str(kind)), size, mtime_ns, inode, links)  # type: ignore[arg-type]  # columns of `arrival`


def _places(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
