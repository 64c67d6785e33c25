"""How queries reach their files, in a library of a few thousand believable ones: a table, query by query.

The figures that the planner is told of are those of a big library (`indexes.PLANNER_FIGURES`), and what counts as few is made
as small here as the library is, so that the plans are those of a million files.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.make_library import make_library
from tui.library import answers, query_plans
from tui.library.answers import count_files, read_ids, read_order
from tui.library.connections import connect_reading
from tui.library.indexes import INDEXES_BY_COLUMN
from tui.library.query import parse_query
from tui.library.query_fields import FIELDS_BY_NAME, SORTABLE
from tui.library.query_plans import Plan, plan_count, plan_query, plan_whole_order
from tui.library.query_sql import Statement, compile_count, compile_query
from tui.library.words import WordsPlan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NUMBER = 3_000


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with copies, tags, missing files and problems."""
    path = tmp_path_factory.mktemp("plans") / "made.yapmo"
    asyncio.run(make_library(NUMBER, str(path)))
    return path


@pytest.fixture
def db(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """The library, where 4 files are few, 100 are worth looking up, and 300 are many."""
    monkeypatch.setattr(query_plans, "FEW", 4)
    monkeypatch.setattr(query_plans, "MANY", 300)
    monkeypatch.setattr(query_plans, "LOOKED_UP", 25)
    with closing(connect_reading(bytes(path))) as connection:
        yield connection


def _plan(db: sqlite3.Connection, sql: str, values: tuple[Any, ...]) -> str:
    """Return the steps; whether an index covers a statement is left out, because it does without being called so."""
    steps = (row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values))
    return " | ".join(step.replace("COVERING ", "") for step in steps)


PAGES = {
    # an order with an index is walked, whatever else is asked
    "sort:taken-": "SEARCH file USING INDEX file_taken",
    "sort:name": "SCAN file USING INDEX file_name",
    "sort:size-": "SCAN file USING INDEX file_size",
    "kind:image sort:taken-": "SEARCH file USING INDEX file_kind_taken (kind=? AND taken_local>?)",
    "kind:raw taken:2019 sort:taken": "SEARCH file USING INDEX file_kind_taken (kind=? AND taken_local>? AND taken_local<?)",
    "kind:image iso>800 sort:taken-": "SEARCH file USING INDEX file_kind_taken (kind=? AND taken_local>?)",
    "iso>800 sort:size-": "SCAN file USING INDEX file_size",
    "size>1GB sort:size-": "SEARCH file USING INDEX file_size (size>?)",
    "rating>=4 sort:rating-": "SEARCH file USING INDEX file_rating (rating>?)",
    "has:gps sort:taken-": "SEARCH file USING INDEX file_taken",
    # what names its files is where it begins
    "problem:yes sort:name": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?)",
    "tag:draft iso:100 sort:rating-": "SEARCH file USING INDEX file_rating",
    "dup:yes sort:size-": "SCAN file USING INDEX file_size",
    "tag:draft sort:taken-": "SEARCH file USING INDEX file_taken (taken_local>?) | CORRELATED SCALAR SUBQUERY",
    "missing:yes sort:size": "SCAN file USING INDEX file_missing",
    # words: few are found first, an order without an index too; more are kept as a set, or looked up one by one
    "img_0412 sort:taken-": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?)",
    "beach sort:mp": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?)",
    "beach": "SCAN search VIRTUAL TABLE",
    "beach sort:added-": "SCAN search VIRTUAL TABLE",
    "img_0412 sort:path": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?)",
    # so is what a condition with an index leaves, if it is little
    "iso:50 sort:taken-": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?) | LIST SUBQUERY 1 | SEARCH file USING INDEX file_iso",
    "kind:image width>6000 sort:taken-": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?) | LIST SUBQUERY 1 | SEARCH file USING INDEX file_width",
    'lens:"no such" sort:size-': "SEARCH file USING INTEGER PRIMARY KEY (rowid=?) | LIST SUBQUERY 1 | SCAN CONSTANT ROW",
    "ext:tiff sort:taken-": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?) | LIST SUBQUERY 1 | SCAN search VIRTUAL TABLE",
    "name:*_0412.jpg sort:name": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?) | LIST SUBQUERY 1 | SCAN search VIRTUAL TABLE",
    "jpg iso:50 sort:taken-": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?) | LIST SUBQUERY 1 | SEARCH file USING INDEX file_iso",
    "iso:50 sort:path": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?) | LIST SUBQUERY 1 | SEARCH file USING INDEX file_iso",
    "sort:iso-": "SEARCH file USING INDEX file_iso",
    "sort:lens": "SCAN file USING INDEX file_lens",
    "beach sort:taken-": "SEARCH file USING INDEX file_taken (taken_local>?) | LIST SUBQUERY",
    "jpg sort:taken-": "SEARCH file USING INDEX file_taken (taken_local>?) | CORRELATED SCALAR SUBQUERY",
    # words that must not occur likewise
    "-jpg sort:name": "SCAN file USING INDEX file_name | CORRELATED SCALAR SUBQUERY",
    "-(jpg iso>800) kind:image sort:taken-": "(kind=? AND taken_local>?) | CORRELATED SCALAR SUBQUERY",
    "-beach sort:name": "SCAN file USING INDEX file_name | LIST SUBQUERY",
}
"""Query to what the first part of its page must be reached by."""


@pytest.mark.parametrize("text", PAGES)
def test_a_page_is_reached_as_promised(db: sqlite3.Connection, text: str) -> None:
    part = compile_query(plan_query(db, parse_query(text)))[0]
    assert PAGES[text] in _plan(db, f"{part.ids()} LIMIT 100", part.values)


COUNTS = {
    "kind:image": "SEARCH file USING INDEX file_kind_taken (kind=?)",
    "kind:raw taken:2019": "SEARCH file USING INDEX file_kind_taken (kind=? AND taken_local>? AND taken_local<?)",
    "size>1GB": "file_size (size>?)",
    "has:gps": "file_position",
    "dup:yes": "SEARCH file USING INDEX file_quick_fingerprint (quick_fingerprint=?)",
    "problem:yes": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?)",
    "tag:draft": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?)",
    "missing:yes": "file_missing",
    "beach iso>800": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?)",
    "rating:5 iso:100": "file_rating (rating=?)",
    "ext:cr2": "SEARCH file USING INDEX file_groups (extension=?)",
    "ext:cr2 size>30MB kind:raw": "SEARCH file USING INDEX file_groups (extension=? AND kind=?)",
    "iso:100": "file_iso (iso=?)",
    "lens:24-70": "file_lens (lens=?)",
    "year:1977 or (-has:year taken:2019-07-03)": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?)",
    "name:*_0412.jpg": "SEARCH file USING INTEGER PRIMARY KEY (rowid=?)",
    "lat:40..44 lon:-10..-6": "file_position (latitude>? AND latitude<?)",
    # looking up most of a million rows through an index takes longer than reading the table
    "kind:image iso:100": "SCAN file",
    "taken>2001 iso:100": "SCAN file",
    "channels:2": "SCAN file",
}
"""Query to what its count must be reached by."""


@pytest.mark.parametrize("text", COUNTS)
def test_a_count_is_reached_as_promised(db: sqlite3.Connection, text: str) -> None:
    statement = compile_count(plan_count(db, plan_query(db, parse_query(text))))
    plan = _plan(db, statement.count(), statement.values)
    assert COUNTS[text] in plan
    steps = set(plan.split(" | "))
    reads_table = "SCAN file" in steps and "CO-ROUTINE file" not in steps  # that is no table
    assert reads_table is (COUNTS[text] == "SCAN file")


ORDERS = {
    "sort:taken-": "SEARCH file USING INDEX file_taken",
    "kind:image sort:taken-": "SEARCH file USING INDEX file_kind_taken",
    "size>1GB sort:size-": "SEARCH file USING INDEX file_size",
    "beach": "SCAN search VIRTUAL TABLE",
    "rating:5 iso:100 sort:name": "LIST SUBQUERY 1 | SEARCH file USING INDEX file_rating",
    # each row of a walk would be looked up
    "iso:100 sort:size-": "SCAN file |",
    "beach sort:taken-": "SCAN file | LIST SUBQUERY 1 | SCAN search VIRTUAL TABLE",
}
"""Query to what the ids of all its files in order must be reached by."""


@pytest.mark.parametrize("text", ORDERS)
def test_a_whole_order_is_read_as_promised(db: sqlite3.Connection, text: str) -> None:
    part = compile_query(plan_whole_order(db, plan_query(db, parse_query(text))))[0]
    assert ORDERS[text] in _plan(db, part.ids(), part.values) + " |"


@pytest.mark.parametrize(
    "text", ["tag:draft", "tag:élan", "collection:été", "tag:élan tag:draft sort:taken-"]
)
def test_names_of_tags_and_collections_are_looked_up(db: sqlite3.Connection, text: str) -> None:
    query = parse_query(text, {"été": None})
    part = compile_query(plan_query(db, query))[0]
    counted = compile_count(plan_count(db, plan_query(db, query)))
    for statement, values in ((part.ids(), part.values), (counted.count(), counted.values)):
        plan = _plan(db, statement, values)
        table = text.partition(":")[0]
        assert f"SEARCH {table} USING INDEX sqlite_autoindex_{table}_1 (folded=?)" in plan
        assert not {f"SCAN {table}", f"SCAN {table}_file", f"SCAN file_{table}"} & set(plan.split(" | "))


def test_the_library_has_the_indexes_that_queries_count_on(db: sqlite3.Connection) -> None:
    begins = {}
    for table in ("file", "folder"):
        for _, index, *_ in db.execute(f"PRAGMA index_list({table})"):
            (_, _, column) = db.execute(f"PRAGMA index_info({index})").fetchone()
            begins[index] = f"{table}.{column}"
    assert {index: begins.get(index) for index in INDEXES_BY_COLUMN.values()} == {
        index: column for column, index in INDEXES_BY_COLUMN.items()
    }
    for index in begins.keys() - INDEXES_BY_COLUMN.values():
        assert begins[index].endswith(("_id", ".id", ".extension", ".fingerprint", "companion_of")), index


@pytest.mark.parametrize("name", SORTABLE)
def test_an_order_is_walked_if_an_index_has_it(db: sqlite3.Connection, name: str) -> None:
    part = compile_query(plan_query(db, parse_query(f"sort:{name}")))[0]
    sorts = "ORDER BY" in _plan(db, part.ids(), part.values)
    assert sorts is not FIELDS_BY_NAME[name].indexed


def _reads_and_sorts(db: sqlite3.Connection, text: str) -> list[bool]:
    """Return for each part of a query, from the beginning and from the end, whether it reads the table and sorts it."""
    steps = [
        _plan(db, f"{part.ids(backwards=backwards)} LIMIT 100", part.values).split(" | ")
        for part in compile_query(plan_query(db, parse_query(text)))
        for backwards in (False, True)
    ]
    return ["SCAN file" in found and "USE TEMP B-TREE FOR ORDER BY" in found for found in steps]


@pytest.mark.parametrize("text", PAGES)
def test_what_promises_an_index_never_reads_and_sorts_the_table(db: sqlite3.Connection, text: str) -> None:
    assert not any(_reads_and_sorts(db, text))


def test_an_order_without_an_index_reads_and_sorts_the_table(db: sqlite3.Connection) -> None:
    assert _reads_and_sorts(db, "channels:2 sort:modified") == [True, True]


def test_an_order_that_takes_too_long_is_given_up(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each way to the same page finds the same files."""
    texts = ("kind:image iso:3200 f<2.8 sort:taken-", "jpg sort:name", "beach iso>200 sort:size-", "width>1 sort:name",
             "path:2 sort:taken", "rating:5 iso:100 sort:dur", "kind:image", "missing:any iso:100 sort:name-",
             "iso:100 sort:path")  # fmt: skip
    expected = {text: list(read_order(db, parse_query(text))) for text in texts}
    ways: list[str] = []
    statements = compile_query

    def compile_and_note(plan: Plan) -> tuple[Statement, ...]:
        ways.append("table" if plan.reads_table else plan.words.name if plan.match else "order")
        return statements(plan)

    monkeypatch.setattr(answers, "compile_query", compile_and_note)
    monkeypatch.setattr(answers, "MOST_STEPS", dict.fromkeys(WordsPlan, 0))
    monkeypatch.setattr(answers, "_STEPS_BETWEEN_LOOKS", 10)
    for text, ids in expected.items():
        assert ids, text
        plan = plan_query(db, parse_query(text))
        assert read_ids(db, plan, 0, 20) == ids[:20], text
        assert read_ids(db, plan, 5, 20) == ids[5:25], text
        assert read_ids(db, plan, 0, 20, backwards=True) == ids[-20:], text
        assert count_files(db, parse_query(text)) == len(ids), text
    assert {"order", "table", "EACH", "SET"} <= set(ways)


def test_a_question_that_another_one_interrupts_is_not_given_up(db: sqlite3.Connection) -> None:
    def interrupt() -> int:
        db.interrupt()
        return 0

    db.create_function("stop_here", 0, interrupt)
    plan = plan_query(db, parse_query("kind:image iso:100 sort:taken-"))
    with answers._patience(db, 10**9), pytest.raises(sqlite3.OperationalError, match="interrupted"):
        db.execute(
            "WITH RECURSIVE n (i) AS (SELECT stop_here() UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        ).fetchall()
    assert read_ids(db, plan, 0, 5)
