"""Which file is which: what a scan found, settled into new, changed, moved, returned and missing files.

The rules and the table of cases are in `docs/identity.md`. What one folder tells for certain is written at once;
what only the whole walk can tell (a path that came or went) waits in the tables `arrival` and `departure` until
`resolve_moves` and `mark_missing`. A scan that ends before that leaves nothing decided: the next one finds the
same again.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from tui.library import files
from tui.library.merging import merge_file
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


_Alike = tuple[int, int, bytes | None]
"""A file among those that share size and quick fingerprint: when it was last seen, or came (negative, so that the
latest is first), its id, and its full fingerprint where that is known."""


def clear_staging(db: sqlite3.Connection, scan_ids: Iterable[int]) -> None:
    """Forget the undecided paths of these scans."""
    _make_sightings(db)
    for scan_id in scan_ids:
        db.execute("DELETE FROM sighting WHERE scan_id = ?", (scan_id,))
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
        folder_id = _add_folder(db, key, update)
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


def _add_folder(db: sqlite3.Connection, key: ScanKey, update: FolderUpdate) -> int:
    """Return the id of a folder, and note the file system that it lies on.

    While files depart from it, the library keeps what they lay on, because `spare_unmounted` judges by that: a bare
    mount point lies on another file system than the files that vanished from it.
    """
    folder = files.find_folder(db, key.root_id, update.path)
    departing = update.gone or update.replaced
    if folder is None or not departing:
        return files.add_folder(db, key.root_id, update.path, update.file_system)
    folder_id, file_system = folder
    if file_system != update.file_system:
        _make_sightings(db)
        db.execute(
            "INSERT OR REPLACE INTO sighting (scan_id, folder_id, file_system) VALUES (?,?,?)",
            (key.scan_id, folder_id, update.file_system),
        )
    return folder_id


def _make_sightings(db: sqlite3.Connection) -> None:
    """Make the table of folders that a scan saw on another file system than the library has for them.

    It belongs to the connection that writes: what dies with it is seen again by the next scan.
    """
    db.execute(
        "CREATE TEMP TABLE IF NOT EXISTS sighting "
        "(scan_id INTEGER, folder_id INTEGER, file_system TEXT, PRIMARY KEY (scan_id, folder_id)) WITHOUT ROWID"
    )


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

    One transaction, however many they are: half of a swap or of a chain would leave two files at one place, and
    a scan that dies before the end finds all of it again. Two seconds of processor time for 30,000 moved files.

    Args:
        db: the library, in a transaction.
        keys: the scans whose walks have ended.
        gone_elsewhere: files of other roots, or outside the part that was walked, that are gone from their paths.
    """
    scan_ids = [key.scan_id for key in keys]
    moved = _match_stamps(db, scan_ids, gone_elsewhere)
    displaced = _move_to_arrivals(db, scan_ids) if moved else 0
    in_place = _settle_in_place(db, keys)
    _forget_settled(db, scan_ids)
    return replace(in_place, moved=moved, missing=displaced)


def _match_stamps(db: sqlite3.Connection, scan_ids: Sequence[int], gone_elsewhere: Sequence[int]) -> int:
    """Note with its arrival each file whose stamp one path came with and one path went with (rule 1); return how many."""
    _make_sightings(db)
    places = _places(scan_ids)
    pairs = db.execute(
        f"""
        SELECT max(iif(gone, file_id, NULL)), min(arrival_id) FROM (
            SELECT a.id AS arrival_id, f.id AS file_id, a.inode, a.size, a.mtime_ns,
                iif(s.scan_id IS NULL, coalesce(af.file_system, ar.file_system),
                    coalesce(s.file_system, ar.file_system)) AS came_on,
                coalesce(ff.file_system, fr.file_system) AS was_on,
                f.missing_since IS NOT NULL
                    OR EXISTS (SELECT 1 FROM departure AS d WHERE d.file_id = f.id AND d.scan_id IN ({places}))
                    OR f.id IN (SELECT value FROM json_each(?)) AS gone
            FROM arrival AS a
            JOIN folder AS af ON af.id = a.folder_id JOIN root AS ar ON ar.id = af.root_id
            LEFT JOIN sighting AS s ON s.scan_id = a.scan_id AND s.folder_id = a.folder_id
            JOIN file AS f ON f.inode = a.inode AND f.size = a.size AND f.mtime_ns = a.mtime_ns
            JOIN folder AS ff ON ff.id = f.folder_id JOIN root AS fr ON fr.id = ff.root_id
            WHERE a.scan_id IN ({places}) AND NOT (f.folder_id = a.folder_id AND f.name = a.name)
        )
        WHERE came_on = was_on
        GROUP BY inode, size, mtime_ns, came_on
        HAVING count(DISTINCT arrival_id) = 1 AND count(DISTINCT iif(gone, file_id, NULL)) = 1
        """,
        (*scan_ids, json.dumps(list(gone_elsewhere)), *scan_ids),
    ).fetchall()
    db.executemany("UPDATE arrival SET file_id = ? WHERE id = ?", pairs)
    return len(pairs)


def _move_to_arrivals(db: sqlite3.Connection, scan_ids: Sequence[int]) -> int:
    """Move the matched files to their new places; return how many present files that displaced."""
    places = _places(scan_ids)
    moves = db.execute(
        f"SELECT file_id, folder_id, name FROM arrival WHERE file_id IS NOT NULL AND scan_id IN ({places})",
        tuple(scan_ids),
    ).fetchall()
    displaced = files.move_files(db, moves)
    # size, time and inode are the stamp, and so the same; another name may mean another kind
    differing = db.execute(
        f"SELECT a.kind, a.links, a.file_id FROM arrival AS a CROSS JOIN file AS f ON f.id = a.file_id "
        f"WHERE a.scan_id IN ({places}) AND (f.missing_since IS NOT NULL OR f.kind <> a.kind OR f.links <> a.links)",
        tuple(scan_ids),
    ).fetchall()
    db.executemany(
        "UPDATE file SET kind = ?, links = ?, missing_since = NULL, last_seen_at = NULL WHERE id = ?",
        differing,
    )
    return displaced


def _settle_in_place(db: sqlite3.Connection, keys: Sequence[ScanKey]) -> Settled:
    """Settle the arrivals that moved from nowhere: each changes the file at its path, or is new."""
    outcomes: Counter[str] = Counter()
    for key in keys:
        fresh: dict[int, list[FoundFile]] = defaultdict(list)
        for folder_id, *values in db.execute(
            "SELECT folder_id, name, kind, size, mtime_ns, inode, links FROM arrival "
            "WHERE scan_id = ? AND file_id IS NULL",
            (key.scan_id,),
        ).fetchall():
            name, kind, *numbers = values
            found = FoundFile(name, Kind(kind), *numbers)
            outcome = _settle_at_path(db, folder_id, found)
            outcomes[outcome] += 1
            if outcome == "new":
                fresh[folder_id].append(found)
        for folder_id, new_files in fresh.items():
            files.insert_files(db, folder_id, new_files, key.started_ns)
    return Settled(**outcomes)


def _settle_at_path(db: sqlite3.Connection, folder_id: int, found: FoundFile) -> str:
    """Let the file at the path of an arrival be what was found there; return the outcome, "new" if there is none."""
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


def _forget_settled(db: sqlite3.Connection, scan_ids: Sequence[int]) -> None:
    """Forget the arrivals, and the departures that they explain."""
    places = _places(scan_ids)
    db.execute(
        "DELETE FROM departure WHERE file_id IN ("
        f"SELECT file_id FROM arrival WHERE file_id IS NOT NULL AND scan_id IN ({places}))",
        tuple(scan_ids),
    )
    db.execute(f"DELETE FROM departure WHERE replaced = 1 AND scan_id IN ({places})", tuple(scan_ids))
    db.execute(f"DELETE FROM arrival WHERE scan_id IN ({places})", tuple(scan_ids))


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
    _make_sightings(db)
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
    db.execute("UPDATE root SET settled_at = ? WHERE id = ?", (key.started_ns, key.root_id))
    _make_sightings(db)
    db.execute(
        "UPDATE folder SET file_system = s.file_system FROM sighting AS s WHERE s.folder_id = folder.id AND s.scan_id = ?",
        (key.scan_id,),
    )
    clear_staging(db, [key.scan_id])
    return len(ids)


def match_fingerprints(db: sqlite3.Connection, root_ids: Sequence[int], *, since_ns: int = 0) -> Matched:
    """Let missing files take over the rows that are their only equals by fingerprint (rule 2).

    Time grows with the number of files that are alike, memory only with that of the moves.

    Args:
        db: the library, in a transaction.
        root_ids: roots whose files may have come from elsewhere.
        since_ns: when the scan began that counts what is recognised.
    """
    alike = db.execute(
        "SELECT DISTINCT quick_fingerprint, size FROM file AS m INDEXED BY file_missing "
        "WHERE missing_since IS NOT NULL AND quick_fingerprint IS NOT NULL AND size > 0 AND EXISTS ("
        "SELECT 1 FROM file AS n INDEXED BY file_quick_fingerprint WHERE n.quick_fingerprint = m.quick_fingerprint "
        "AND n.size = m.size AND n.missing_since IS NULL)"
    )
    moves = [move for quick, size in alike for move in _only_equals(db, quick, size, root_ids)]
    counted = Counter[str]()
    for missing_id, new_id in moves:
        counted["missing"] += _holds(db, "missing_since >= ?", since_ns, missing_id)
        counted["new"] += _holds(db, "first_seen >= ?", since_ns, new_id)
        merge_file(db, new_id, missing_id)
    return Matched(len(moves), new=counted["new"], missing=counted["missing"])


def _only_equals(
    db: sqlite3.Connection, quick: bytes, size: int, root_ids: Sequence[int]
) -> list[tuple[int, int]]:
    """Return (missing, new) for the files of one size and quick fingerprint that are each other's only equal.

    A new file equals a missing one that was last seen before it came, unless both were hashed wholly and differ.
    """
    # the second of each list only tells whether the first is alone, so two of each content are all that is kept
    missing: dict[bytes | None, list[_Alike]] = defaultdict(list)
    came: dict[bytes | None, list[_Alike]] = defaultdict(list)
    rows = db.execute(
        "SELECT f.missing_since IS NOT NULL, f.first_seen, coalesce(f.last_seen_at, 0), f.id, f.fingerprint "
        "FROM file AS f INDEXED BY file_quick_fingerprint CROSS JOIN folder AS o ON o.id = f.folder_id "
        "WHERE f.quick_fingerprint = ? AND f.size = ? "
        f"AND (f.missing_since IS NOT NULL OR o.root_id IN ({_places(root_ids)}))",
        (quick, size, *root_ids),
    )
    for is_missing, first_seen, last_seen, file_id, full in rows:
        if is_missing:
            missing[full] = sorted([*missing[full], (last_seen, file_id, full)])[:2]
        else:
            came[full] = sorted([*came[full], (-first_seen, file_id, full)])[:2]
    new_of: dict[int, _Alike | None] = {}
    moves = []
    for new, *_ in came.values():
        old = _sole(item for item in _alike(missing, new[2]) if item[0] < -new[0])
        if old is None:
            continue
        if old[1] not in new_of:
            new_of[old[1]] = _sole(item for item in _alike(came, old[2]) if -item[0] > old[0])
        if new_of[old[1]] == new:
            moves.append((old[1], new[1]))
    return moves


def _alike(by_full: dict[bytes | None, list[_Alike]], full: bytes | None) -> list[_Alike]:
    """Return what may have this full fingerprint; None is not known, and may be any."""
    if full is None:
        return [item for items in by_full.values() for item in items]
    return by_full.get(full, []) + by_full.get(None, [])


def _sole(items: Iterable[_Alike]) -> _Alike | None:
    first_two = list(islice(items, 2))
    return first_two[0] if len(first_two) == 1 else None


def _holds(db: sqlite3.Connection, condition: str, value: int, file_id: int) -> bool:
    (holds,) = db.execute(f"SELECT {condition} FROM file WHERE id = ?", (value, file_id)).fetchone()
    return bool(holds)


def _places(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
