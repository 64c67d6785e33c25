"""Moves by inode: a path that came and a path that went with one stamp are one file (rules 1, 3, 4 of `docs/identity.md`)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.library import files
from tui.library.identity.staging import Settled, make_sightings
from tui.records import FoundFile, Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui.library.identity.staging import ScanKey


_FILE_SYSTEMS = 4
"""Paths that may come with one stamp, each on a file system of its own, and still be looked at one by one."""


def moved_from_elsewhere(db: sqlite3.Connection, scan_ids: Sequence[int]) -> list[tuple[int, bytes, int]]:
    """Return the present files that arrivals may have moved from and that these scans did not look at.

    Whoever resolves the moves has to look whether they are still at their paths.

    Returns:
        Id, absolute path and inode of each.
    """
    rows = db.execute(
        f"""
        WITH came AS MATERIALIZED (
            SELECT inode, size, mtime_ns FROM arrival WHERE scan_id IN ({_places(scan_ids)})
            GROUP BY 1, 2, 3 HAVING count(*) <= {_FILE_SYSTEMS}
        )
        SELECT DISTINCT f.id FROM came AS a
        CROSS JOIN file AS f ON f.inode = a.inode AND f.size = a.size AND f.mtime_ns = a.mtime_ns
        WHERE f.missing_since IS NULL AND NOT EXISTS (SELECT 1 FROM departure AS d WHERE d.file_id = f.id)
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
    """Note with its arrival each file whose stamp one path came with and one path went with (rule 1); return how many.

    Paths that have been missing for longer count only where none went just now.
    """
    make_sightings(db)
    places = _places(scan_ids)
    pairs = db.execute(
        f"""
        WITH came AS MATERIALIZED ({_single_arrivals(scan_ids)})
        SELECT coalesce(max(iif(gone, file_id, NULL)), max(iif(missing, file_id, NULL))), arrival_id FROM (
            SELECT a.id AS arrival_id, f.id AS file_id, a.came_on,
                coalesce(ff.file_system, fr.file_system) AS was_on,
                f.missing_since IS NOT NULL AS missing,
                f.missing_since IS NULL AND (
                    EXISTS (SELECT 1 FROM departure AS d WHERE d.file_id = f.id AND d.scan_id IN ({places}))
                    OR f.id IN (SELECT value FROM json_each(?))) AS gone
            FROM came AS a
            CROSS JOIN file AS f ON f.inode = a.inode AND f.size = a.size AND f.mtime_ns = a.mtime_ns
            JOIN folder AS ff ON ff.id = f.folder_id JOIN root AS fr ON fr.id = ff.root_id
            WHERE NOT (f.folder_id = a.folder_id AND f.name = a.name)
        )
        WHERE came_on = was_on
        GROUP BY arrival_id
        HAVING 1 = iif(
            max(gone), count(DISTINCT iif(gone, file_id, NULL)), count(DISTINCT iif(missing, file_id, NULL)))
        """,
        (*scan_ids, *scan_ids, json.dumps(list(gone_elsewhere))),
    ).fetchall()
    db.executemany("UPDATE arrival SET file_id = ? WHERE id = ?", pairs)
    return len(pairs)


def _single_arrivals(scan_ids: Sequence[int]) -> str:
    """Return a query for the arrivals of these scans whose stamp came to one path of their file system only.

    Joined with the files of their inode they make as many pairs as there are files at most, also where an inode has
    thousands of names. Its parameters are the ids of the scans.
    """
    return f"""
        SELECT min(id) AS id, folder_id, name, inode, size, mtime_ns, came_on FROM (
            SELECT a.id, a.folder_id, a.name, a.inode, a.size, a.mtime_ns,
                iif(s.scan_id IS NULL, coalesce(af.file_system, ar.file_system),
                    coalesce(s.file_system, ar.file_system)) AS came_on
            FROM arrival AS a
            JOIN folder AS af ON af.id = a.folder_id JOIN root AS ar ON ar.id = af.root_id
            LEFT JOIN sighting AS s ON s.scan_id = a.scan_id AND s.folder_id = a.folder_id
            WHERE a.scan_id IN ({_places(scan_ids)})
        ) GROUP BY inode, size, mtime_ns, came_on HAVING count(*) = 1"""


def _move_to_arrivals(db: sqlite3.Connection, scan_ids: Sequence[int]) -> int:
    """Move the matched files to their new places; return how many present files that displaced."""
    places = _places(scan_ids)
    moves = db.execute(
        f"SELECT file_id, folder_id, name FROM arrival WHERE file_id IS NOT NULL AND scan_id IN ({places})",
        tuple(scan_ids),
    ).fetchall()
    displaced = files.move_files(db, moves)
    # size, time and inode are the stamp, and so the same; another name may mean another kind, which others read
    differing = db.execute(
        f"SELECT a.kind, a.links, a.file_id FROM arrival AS a CROSS JOIN file AS f ON f.id = a.file_id "
        f"WHERE a.scan_id IN ({places}) AND (f.missing_since IS NOT NULL OR f.kind <> a.kind OR f.links <> a.links)",
        tuple(scan_ids),
    ).fetchall()
    db.executemany(
        "UPDATE file SET kind = ?1, links = ?2, missing_since = NULL, last_seen_at = NULL, "
        "metadata_state = iif(kind = ?1, metadata_state, 0), analysis_state = iif(kind = ?1, analysis_state, 0) "
        "WHERE id = ?3",
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


def _places(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
