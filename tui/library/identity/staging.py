"""What the walk learned folder by folder: written at once where it is certain, else put down until the walk ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.library import files, folder_digests
from tui.library.companions.sidecars import apply_sidecars

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from tui.records import FolderUpdate, FoundFile


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


def apply_folder_updates(db: sqlite3.Connection, key: ScanKey, updates: Sequence[FolderUpdate]) -> Settled:
    """Write what the walk learned about some folders.

    Files at unknown paths become rows at once, unless their inode belongs to a file known from before this scan; those,
    paths with another inode, and paths that have gone wait for the end of the walk.
    """
    new = changed = returned = 0
    for update in updates:
        if update.is_empty:
            _keep_digest_alone(db, key, update)
            continue
        folder_id = _add_folder(db, key, update)
        as_compared = update.digest is not None and folder_digests.is_at(db, folder_id, update.version)
        fresh, undecided = _split_by_known_inode(db, key, update)
        files.insert_files(db, folder_id, fresh, key.started_ns)
        _stage_arrivals(db, key, folder_id, [*undecided, *(file for _, file in update.replaced)])
        _stage_departures(db, key, [(file_id, 1) for file_id, _ in update.replaced])
        _stage_departures(db, key, [(file_id, 0) for file_id in update.gone])
        apply_sidecars(db, key.scan_id, folder_id, update)
        for file_id, file in update.changed:
            files.update_changed(db, file_id, file)
        for file_id, file in update.returned:
            files.set_present(db, file_id, file)
        if update.digest is not None and as_compared and not (undecided or update.replaced or update.gone):
            folder_digests.keep_digest(db, folder_id, update.digest)
        new, changed, returned = (
            new + len(fresh),
            changed + len(update.changed),
            returned + len(update.returned),
        )
    return Settled(new=new, changed=changed, returned=returned)


def _keep_digest_alone(db: sqlite3.Connection, key: ScanKey, update: FolderUpdate) -> None:
    """Keep the digest of a folder from which the library has nothing to learn, unless it has changed since it was compared."""
    folder = files.find_folder(db, key.root_id, update.path)
    if (
        folder is not None
        and update.digest is not None
        and folder_digests.is_at(db, folder[0], update.version)
    ):
        folder_digests.keep_digest(db, folder[0], update.digest)


def _add_folder(db: sqlite3.Connection, key: ScanKey, update: FolderUpdate) -> int:
    """Return the id of a folder, and note the file system that it lies on.

    While files depart from it, the library keeps what they lay on, because `departures.spare_unmounted` judges by that: a bare
    mount point lies on another file system than the files that vanished from it.
    """
    folder = files.find_folder(db, key.root_id, update.path)
    departing = update.gone or update.replaced or update.sidecars_gone
    if folder is None or not departing:
        return files.add_folder(db, key.root_id, update.path, update.file_system)
    folder_id, file_system = folder
    if file_system != update.file_system:
        make_sightings(db)
        db.execute(
            "INSERT OR REPLACE INTO sighting (scan_id, folder_id, file_system) VALUES (?,?,?)",
            (key.scan_id, folder_id, update.file_system),
        )
    return folder_id


def make_sightings(db: sqlite3.Connection) -> None:
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
    """Return the new files whose inode is unknown, and those whose inode an older row has.

    Of the rows with one inode the first is the oldest; thousands of hard links cost no more than one.
    """
    if not update.new or not key.expect_moves or not update.stable_inodes:
        return list(update.new), []
    inodes = json.dumps([file.inode for file in update.new])
    known = {
        inode
        for (inode,) in db.execute(
            "SELECT j.value FROM (SELECT DISTINCT value FROM json_each(?)) AS j "
            "WHERE (SELECT first_seen FROM file WHERE inode = j.value ORDER BY id LIMIT 1) < ?",
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


def clear_staging(db: sqlite3.Connection, scan_ids: Iterable[int]) -> None:
    """Forget the undecided paths of these scans."""
    make_sightings(db)
    for scan_id in scan_ids:
        db.execute("DELETE FROM sighting WHERE scan_id = ?", (scan_id,))
        db.execute("DELETE FROM arrival WHERE scan_id = ?", (scan_id,))
        db.execute("DELETE FROM departure WHERE scan_id = ?", (scan_id,))
        db.execute("DELETE FROM sidecar_departure WHERE scan_id = ?", (scan_id,))


def clear_dead_staging(db: sqlite3.Connection) -> None:
    """Forget the undecided paths that scans left which ended, or died, before they could decide."""
    for table in ("arrival", "departure", "sidecar_departure"):
        db.execute(
            f"DELETE FROM {table} WHERE scan_id NOT IN "
            "(SELECT id FROM scan WHERE state IN ('running', 'paused', 'aborting'))"
        )
