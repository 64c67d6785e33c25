"""Sums over a library, compared with sums made here, row by row."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.make_library import make_library
from tui.library import files, stages
from tui.library.connections import connect_writing
from tui.library.database import Library
from tui.library.statistics import PARTS, LibraryStatistics, read_groups
from tui.records import Fingerprint

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NUMBER = 3_000


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with copies, tags, missing files and problems."""
    path = tmp_path_factory.mktemp("statistics") / "made.yapmo"
    asyncio.run(make_library(NUMBER, str(path)))
    return path


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect_writing(bytes(path))
    connection.execute("BEGIN")
    yield connection
    connection.rollback()
    connection.close()


def _read(db: sqlite3.Connection) -> LibraryStatistics:
    return LibraryStatistics(**{name: value for read in PARTS for name, value in read(db).items()})


def _rows(db: sqlite3.Connection) -> list[Mapping[str, Any]]:
    cursor = db.execute(
        "SELECT file.*, root.path AS root, folder.path AS folder FROM file JOIN folder ON folder.id = folder_id "
        "JOIN root ON root.id = root_id WHERE missing_since IS NULL"
    )
    names = [item[0] for item in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def test_groups_are_what_adding_up_row_by_row_gives(db: sqlite3.Connection) -> None:
    db.execute("UPDATE file SET metadata_state = 0 WHERE id % 5 = 0")
    rows, statistics = _rows(db), _read(db)
    assert statistics.files == len(rows) == NUMBER - NUMBER // 100
    assert statistics.size == sum(row["size"] for row in rows)
    assert statistics.missing == NUMBER // 100
    assert statistics.with_date == sum(row["taken_local"] is not None for row in rows)
    assert statistics.with_position == sum(row["latitude"] is not None for row in rows)
    assert statistics.pending_metadata == sum(row["metadata_state"] == 0 for row in rows)
    for groups, column in (
        (statistics.kinds, "kind"),
        (statistics.extensions, "extension"),
        (statistics.cameras, "model"),
        (statistics.lenses, "lens"),
    ):
        expected = Counter(str(row[column]) for row in rows if row[column] is not None)
        assert {group.name: group.files for group in groups} == expected, column
    years = Counter(str(row["year"] or str(row["taken_local"] or "")[:4]) for row in rows)
    assert {group.name: group.files for group in statistics.years} == years
    names = [group.name for group in statistics.years if group.name]
    assert names == sorted(names, key=int)


def test_folders_hold_what_lies_below_them(db: sqlite3.Connection) -> None:
    rows, statistics = _rows(db), _read(db)
    root, *others = statistics.top_folders
    assert (root.path, root.depth, root.files, root.size) == (
        b"/srv/media",
        0,
        statistics.files,
        statistics.size,
    )
    assert {sums.depth for sums in others} == {1, 2}
    for sums in others:
        below = [row for row in rows if b"%b/%b/" % (row["root"], row["folder"]) > sums.path + b"/"]
        inside = [
            row for row in below if (b"%b/%b/" % (row["root"], row["folder"])).startswith(sums.path + b"/")
        ]
        assert (sums.files, sums.size) == (len(inside), sum(row["size"] for row in inside)), sums.path


def test_duplicates_are_what_could_go(db: sqlite3.Connection) -> None:
    before = _read(db).duplicates
    assert before.sets > 10
    ids = [
        row[0]
        for row in db.execute(
            "SELECT id FROM file WHERE missing_since IS NULL AND fingerprint IS NULL LIMIT 6"
        )
    ]
    db.execute("UPDATE file SET size = 100 WHERE id IN (?, ?, ?, ?, ?, ?)", ids)
    stamp = {row[0]: row[1] for row in db.execute("SELECT id, mtime_ns FROM file")}
    stages.save_fingerprints(db, [Fingerprint(item, 100, stamp[item], b"a" * 16) for item in ids[:4]])
    stages.save_fingerprints(db, [Fingerprint(item, 100, stamp[item], b"b" * 16) for item in ids[4:]])
    now = _read(db).duplicates
    assert (now.sets - before.sets, now.files - before.files, now.size - before.size) == (2, 4, 400)

    stages.save_fingerprints(db, [Fingerprint(ids[0], 100, stamp[ids[0]], full=b"x" * 16)])
    stages.save_fingerprints(db, [Fingerprint(ids[1], 100, stamp[ids[1]], full=b"y" * 16)])
    assert _read(db).duplicates.files == now.files - 1, "two contents among four files that look alike"

    db.execute("UPDATE file SET links = 2, inode = 77 WHERE id IN (?, ?)", ids[4:])
    files.set_missing(db, ids[:1], 1)
    last = _read(db).duplicates
    assert (last.sets - before.sets, last.files - before.files) == (1, 2), (
        "two names of one inode free nothing"
    )


def test_every_fingerprint_that_occurs_twice_is_kept(db: sqlite3.Connection) -> None:
    twice = {
        quick
        for (quick,) in db.execute(
            "SELECT quick_fingerprint FROM file WHERE quick_fingerprint IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
        )
    }
    assert twice
    assert twice <= {quick for (quick,) in db.execute("SELECT quick_fingerprint FROM shared_fingerprint")}


def test_scans_and_problems(db: sqlite3.Connection) -> None:
    statistics = _read(db)
    assert len(statistics.scans) > 2
    assert sum(scan.counters.new for scan in statistics.scans) == NUMBER
    assert set(statistics.problems) == {"metadata", "walk"}


def test_sums_need_neither_a_sort_nor_the_rows(db: sqlite3.Connection) -> None:
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    read_groups(db)
    db.set_trace_callback(None)
    plans = [[row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")] for statement in statements]
    assert plans == [["SCAN file USING INDEX file_groups"], ["SCAN file USING INDEX file_metadata_pending"]]


async def test_all_parts_see_one_instant(path: Path) -> None:
    async with await Library.open(str(path)) as library:
        statistics = await library.reader.statistics()
    assert (
        statistics.files == statistics.top_folders[0].files == sum(group.files for group in statistics.years)
    )
