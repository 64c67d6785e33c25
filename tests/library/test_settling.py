"""What came and what went, settled without a walk: fingerprints, moves in bulk, file systems inside a root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.library.found import NOW, found
from tui.library import files, scans
from tui.library.identity import departures, fingerprints, moves, staging
from tui.library.identity.staging import ScanKey
from tui.records import FolderUpdate

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    Add = Callable[..., list[int]]


@pytest.fixture
def key(db: sqlite3.Connection, root_id: int) -> ScanKey:
    """A scan of the root that began after all files were added."""
    return ScanKey(scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW + 10), root_id, NOW + 10)


FULL = st.sampled_from([None, b"1", b"2"])
ALIKE = st.lists(st.tuples(st.booleans(), st.integers(0, 4), FULL), max_size=6)


@given(alike=ALIKE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_only_equals_are_those_that_a_comparison_of_all_pairs_finds(
    db: sqlite3.Connection, add: Add, root_id: int, alike: list[tuple[bool, int, bytes | None]]
) -> None:
    db.execute("SAVEPOINT example")
    old: list[tuple[int, int, bytes | None]] = []
    new: list[tuple[int, int, bytes | None]] = []
    for number, (is_missing, when, full) in enumerate(alike):
        (file_id,) = add(b"%d.jpg" % number)
        db.execute(
            "UPDATE file SET quick_fingerprint = x'01', fingerprint = ?1, first_seen = ?2, "
            "missing_since = iif(?3, 9, NULL), last_seen_at = iif(?3, nullif(?2, 0), NULL) WHERE id = ?4",
            (full, when, is_missing, file_id),
        )
        (old if is_missing else new).append((file_id, when, full))
    pairs = {(m[0], n[0]) for m in old for n in new if n[1] > m[1] and (None in (m[2], n[2]) or m[2] == n[2])}
    expected = {
        pair
        for pair in pairs
        if sum(pair[0] == m for m, _ in pairs) == sum(pair[1] == n for _, n in pairs) == 1
    }
    matched = fingerprints.match_fingerprints(db, [root_id])
    assert matched.moved == len(expected)
    left = {file_id for (file_id,) in db.execute("SELECT id FROM file WHERE missing_since IS NULL")}
    assert left == {n[0] for n in new} - {n for _, n in expected} | {m for m, _ in expected}
    db.execute("ROLLBACK TO example")


def test_many_identical_files_are_no_pairs(db: sqlite3.Connection, add: Add, root_id: int) -> None:
    ids = add(*(b"%d.jpg" % number for number in range(400)))
    db.execute("UPDATE file SET quick_fingerprint = x'01', first_seen = ?", (NOW + 5,))
    db.execute("UPDATE file SET missing_since = 9, last_seen_at = 1 WHERE id <= ?", (ids[199],))
    steps: list[int] = []
    db.set_progress_handler(lambda: steps.append(1), 1_000)
    assert fingerprints.match_fingerprints(db, [root_id]).moved == 0
    db.set_progress_handler(None, 0)
    assert len(steps) < 50, "200 × 200 pairs take some hundred thousand steps of the library"


def test_a_renamed_folder_takes_few_statements(
    db: sqlite3.Connection, add: Add, key: ScanKey, check_index: Callable[[], None]
) -> None:
    ids = add(*(b"old/%d.jpg" % number for number in range(50)))
    came = tuple(found(b"%d.jpg" % number, inode=100 + number) for number in range(50))
    gone = FolderUpdate(b"old", gone=tuple(ids))
    staging.apply_folder_updates(db, key, [FolderUpdate(b"new", new=came), gone])
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    assert moves.resolve_moves(db, [key]).moved == 50
    db.set_trace_callback(None)
    updates = {text for text in statements if text.startswith("UPDATE file")}  # told again for each trigger
    assert len(updates) <= 50, "one change of each row, no matter what is known of it"
    assert departures.mark_missing(db, key, NOW + 11) == 0
    assert files.path_and_inode(db, ids[7])[0] == b"/srv/photos/new/7.jpg"
    check_index()


@pytest.mark.parametrize("bare", [(), (found(b"stray.jpg", inode=900),)], ids=["empty", "with a stray file"])
def test_a_bare_mount_point_keeps_the_file_system_of_its_files(
    db: sqlite3.Connection, add: Add, key: ScanKey, bare: tuple[object, ...]
) -> None:
    ids = add(b"in/a.jpg", b"in/deep/b.jpg", b"c.jpg")
    db.execute("UPDATE folder SET file_system = 'uuid:2' WHERE CAST(path AS TEXT) LIKE 'in%'")
    updates = [
        FolderUpdate(b"in", new=bare, gone=(ids[0],)),  # type: ignore[arg-type]  # found files
        FolderUpdate(b"in/deep", gone=(ids[1],)),
    ]
    staging.apply_folder_updates(db, key, updates)
    moves.resolve_moves(db, [key])
    assert departures.spare_unmounted(db, key, {"uuid:1"}) == {"uuid:2": 2}
    assert departures.mark_missing(db, key, NOW + 11) == 0
    kept = db.execute("SELECT count(*) FROM folder WHERE file_system = 'uuid:2'").fetchone()
    assert kept == (2,)


def test_a_folder_whose_disk_is_elsewhere_lies_on_what_the_scan_saw(
    db: sqlite3.Connection, add: Add, key: ScanKey
) -> None:
    (gone,) = add(b"in/a.jpg")
    db.execute("UPDATE folder SET file_system = 'uuid:2' WHERE path = x'696e'")
    update = FolderUpdate(b"in", "uuid:3", new=(found(b"n.jpg", inode=900),), gone=(gone,))
    staging.apply_folder_updates(db, key, [update])
    moves.resolve_moves(db, [key])
    assert departures.spare_unmounted(db, key, {"uuid:1", "uuid:2", "uuid:3"}) == {}
    assert departures.mark_missing(db, key, NOW + 11) == 1
    assert files.find_folder(db, key.root_id, b"in") == (2, "uuid:3")
