"""A folder with the digest of a listing is one whose comparison, row by row, tells nothing."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.library.found import NOW, folder_files, found
from tui.library import files, folder_digests, merging
from tui.library.identity import staging
from tui.records import FolderUpdate
from tui.scan.changes import find_changes
from tui.scan.listing import FoundFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tui.records import FoundFile

    Action = Callable[[sqlite3.Connection, list[int], list[int], FoundFile], None]

LISTINGS = tuple(
    FoundFiles(listed)
    for listed in (
        [found(b"a.jpg"), found(b"b.jpg", inode=2)],
        [found(b"b.jpg", inode=2), found(b"a.jpg")],
        [found(b"a.jpg", size=2)],
        [found(b"a.jpg", mtime_ns=NOW + 1)],
        [found(b"a.jpg", inode=2)],
        [found(b"b.jpg", inode=2)],
    )
)
any_file = st.sampled_from([file for listing in LISTINGS for file in listing])


@pytest.fixture
def key(db: sqlite3.Connection, root_id: int) -> staging.ScanKey:
    """A scan of the root, of files that cannot have moved."""
    db.execute(
        "INSERT INTO scan (root_id, path, state, started_at, heartbeat, host, pid, process) "
        "VALUES (?, x'', 'running', 0, 0, '', 1, '')",
        (root_id,),
    )
    return staging.ScanKey(1, root_id, NOW, expect_moves=False)


def insert(db: sqlite3.Connection, ids: list[int], folders: list[int], file: FoundFile) -> None:
    files.insert_files(db, folders[0], [file], NOW)


def change(db: sqlite3.Connection, ids: list[int], folders: list[int], file: FoundFile) -> None:
    files.update_changed(db, ids[0], file)


def lose(db: sqlite3.Connection, ids: list[int], folders: list[int], file: FoundFile) -> None:
    files.set_missing(db, ids[:1], NOW)


def bring_back(db: sqlite3.Connection, ids: list[int], folders: list[int], file: FoundFile) -> None:
    place = "folder_id = ? AND name = (SELECT name FROM file WHERE id = ?) AND missing_since IS NULL"
    if not db.execute(f"SELECT 1 FROM file WHERE {place}", (folders[0], ids[0])).fetchone():
        db.execute("UPDATE file SET missing_since = NULL WHERE id = ?", (ids[0],))


def move_away(db: sqlite3.Connection, ids: list[int], folders: list[int], file: FoundFile) -> None:
    files.move_files(db, [(ids[0], folders[1], b"%d.jpg" % ids[0])], now_ns=NOW)


def move_here(db: sqlite3.Connection, ids: list[int], folders: list[int], file: FoundFile) -> None:
    files.move_files(db, [(ids[-1], folders[0], file.name)], now_ns=NOW)


def remove(db: sqlite3.Connection, ids: list[int], folders: list[int], file: FoundFile) -> None:
    files.remove_files(db, ids[:1])


def merge(db: sqlite3.Connection, ids: list[int], folders: list[int], file: FoundFile) -> None:
    if len(ids) > 1:
        merging.merge_file(db, from_id=ids[-1], into_id=ids[0])


ACTIONS = (insert, change, lose, bring_back, move_away, move_here, remove, merge)


@contextmanager
def undone(db: sqlite3.Connection, name: str) -> Iterator[None]:
    """Undo what the block does to the library."""
    db.execute(f"SAVEPOINT {name}")
    try:
        yield
    finally:
        db.execute(f"ROLLBACK TO {name}")
        db.execute(f"RELEASE {name}")


def act(db: sqlite3.Connection, action: Action, folders: list[int], file: FoundFile, turn: int) -> None:
    """Change what the library knows of files, unless that would put two of them at one place."""
    ids = [file_id for (file_id,) in db.execute("SELECT id FROM file ORDER BY (id + ?) % 10", (turn,))]
    if ids or action is insert:
        db.execute("SAVEPOINT act")
        try:
            action(db, ids, folders, file)
        except sqlite3.IntegrityError:  # the writer, too, undoes all of a write that raises
            db.execute("ROLLBACK TO act")
        finally:
            db.execute("RELEASE act")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), any_file, st.integers(0, 9), st.booleans()), max_size=14))
def test_an_equal_digest_says_what_the_rows_say(
    db: sqlite3.Connection,
    root_id: int,
    key: staging.ScanKey,
    actions: list[tuple[Action, FoundFile, int, bool]],
) -> None:
    with undone(db, "example"):
        folders = [files.add_folder(db, root_id, path, None) for path in (b"here", b"there")]
        files.insert_files(db, folders[0], list(LISTINGS[0]), NOW)
        for action, file, turn, is_late in actions:
            compared = [look(db, root_id, listing) for listing in LISTINGS]
            if not is_late:
                staging.apply_folder_updates(db, key, compared)
            act(db, action, folders, file, turn)
            if is_late:  # a comparison from before the change must leave no digest
                staging.apply_folder_updates(db, key, compared)
            for listing in LISTINGS:
                look(db, root_id, listing)


def look(db: sqlite3.Connection, root_id: int, listing: FoundFiles) -> FolderUpdate:
    """Compare a listing row by row; return what a scan would have kept if that told nothing."""
    known = folder_digests.find_known_folder(db, root_id, b"here")
    assert known is not None
    update = find_changes(b"here", list(listing), folder_files(db, root_id, b"here"))
    if known.digest == listing.digest():
        assert update.is_empty
    digest = listing.digest() if update.is_empty else None
    return FolderUpdate(b"here", digest=digest, version=known.version)


def test_what_a_scan_adds_needs_no_second_comparison(
    db: sqlite3.Connection, root_id: int, key: staging.ScanKey
) -> None:
    listing = LISTINGS[0]
    update = FolderUpdate(b"here", new=tuple(listing), digest=listing.digest())
    staging.apply_folder_updates(db, key, [update])
    known = folder_digests.find_known_folder(db, root_id, b"here")
    assert known is not None
    assert known.digest == listing.digest()


def test_what_waits_for_the_end_of_the_walk_leaves_no_digest(
    db: sqlite3.Connection, root_id: int, key: staging.ScanKey
) -> None:
    files.insert_files(db, files.add_folder(db, root_id, b"here", None), [found(b"a.jpg")], NOW)
    known = folder_digests.find_known_folder(db, root_id, b"here")
    assert known is not None
    (row,) = folder_files(db, root_id, b"here")
    other = FoundFiles([found(b"a.jpg", inode=2)])
    for waiting in (
        FolderUpdate(b"here", gone=(row.file_id,)),
        FolderUpdate(b"here", replaced=((row.file_id, other[0]),)),
    ):
        staging.apply_folder_updates(db, key, [_with_digest(waiting, other.digest(), known.version)])
        after = folder_digests.find_known_folder(db, root_id, b"here")
        assert after is not None
        assert after.digest is None


def _with_digest(update: FolderUpdate, digest: bytes, version: int) -> FolderUpdate:
    return FolderUpdate(
        update.path, gone=update.gone, replaced=update.replaced, digest=digest, version=version
    )


CHANGES = (
    ("UPDATE file SET size = 2 WHERE id = 1", "here"),
    ("UPDATE file SET mtime_ns = 2 WHERE id = 1", "here"),
    ("UPDATE file SET inode = 7 WHERE id = 1", "here"),
    ("UPDATE file SET name = x'62' WHERE id = 1", "here"),
    ("UPDATE file SET missing_since = 2 WHERE id = 1", "here"),
    ("UPDATE file SET missing_since = NULL WHERE id = 2", "here"),
    ("UPDATE file SET folder_id = (SELECT folder_id FROM file WHERE id = 3) WHERE id = 1", "here there"),
    (
        "UPDATE file SET size = one.size FROM (SELECT 1 AS id, 9 AS size) AS one WHERE file.id = one.id",
        "here",
    ),
    ("UPDATE OR REPLACE file SET name = (SELECT name FROM file WHERE id = 2) WHERE id = 1", "here"),
    ("DELETE FROM file WHERE id = 2", "here"),
    ("UPDATE file SET size = 2", "here there"),
    ("UPDATE file SET iso = 100, metadata_state = 1, title = 'a'", ""),
)
"""SQL that changes rows of files, and the folders whose listing changes by it."""


@pytest.mark.parametrize(("sql", "changed"), CHANGES)
def test_whatever_changes_a_row_raises_the_version_and_forgets_the_digest(
    db: sqlite3.Connection, root_id: int, sql: str, changed: str
) -> None:
    folders = {path: files.add_folder(db, root_id, path, None) for path in (b"here", b"there")}
    files.insert_files(db, folders[b"here"], [found(b"a.jpg"), found(b"gone.jpg", inode=2)], NOW)
    files.insert_files(db, folders[b"there"], [found(b"c.jpg", inode=3)], NOW)
    files.set_missing(db, [2], NOW)
    for folder_id in folders.values():
        folder_digests.keep_digest(db, folder_id, b"digest")
    before = {path: _known(db, root_id, path) for path in folders}
    db.execute(sql)
    for path, known in before.items():
        now = _known(db, root_id, path)
        if path.decode() in changed.split():
            assert now.version > known.version
            assert now.digest is None
        else:
            assert now == known


def _known(db: sqlite3.Connection, root_id: int, path: bytes) -> folder_digests.KnownFolder:
    known = folder_digests.find_known_folder(db, root_id, path)
    assert known is not None
    return known
