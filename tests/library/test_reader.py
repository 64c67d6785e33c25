"""The reader: pages, counts, places, details, statistics; interruptions; the plans of SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.library.found import NOW, found
from tui.errors import LibraryError
from tui.library import edits, files, query_plans, reader, roots, stages, tags, words
from tui.library import reader as reader_module
from tui.library.query import parse_query
from tui.library.query_fields import FIELDS
from tui.library.query_plans import plan_query
from tui.library.query_sql import compile_count, compile_query, compile_word_count
from tui.library.rows import read_rows
from tui.records import Extraction, Fingerprint, Kind, Metadata, StageState

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tui.library.database import Library

FOLDERS, IN_FOLDER = 6, 50
NUMBER = FOLDERS * IN_FOLDER


def _fill(db: sqlite3.Connection) -> None:
    root_id = roots.add_root(db, b"/srv/photos").root_id
    number = 0
    for folder in range(FOLDERS):
        folder_id = files.add_folder(db, root_id, b"%d" % (2015 + folder), None)
        batch = []
        for _ in range(IN_FOLDER):
            number += 1
            name, kind = (b"s%03d.mp3", Kind.AUDIO) if number % 10 == 0 else (b"IMG_%04d.jpg", Kind.IMAGE)
            batch.append(found(name % number, kind=kind, size=1_000 + number * 7919 % 100_000, inode=number))
        files.insert_files(db, folder_id, batch, NOW)
    jobs = stages.pending_metadata(db, root_id, limit=NUMBER)
    stages.save_extractions(db, [
        Extraction(job.file_id, job.size, job.mtime_ns, "exiftool", _metadata(job.file_id), b'{"EXIF:Make": "Canon"}')
        for job in jobs if job.file_id % 7
    ])  # fmt: skip


def _metadata(number: int) -> Metadata:
    if number % 10 == 0:
        return Metadata(
            artist=f"Artist {number % 4}", album="Album", track=number, duration_ms=number * 1_000, year=1990
        )
    return Metadata(
        taken_local=f"20{15 + number % 9:02}-07-03T18:22:11", make="Canon", model=f"EOS {number % 3}", iso=number % 1_600,
        rating=number % 6 or None, latitude=float(number % 90) if number % 2 else None, title="beach" if number % 3 else None,
    )  # fmt: skip


@pytest.fixture
async def shelf(library: Library) -> Library:
    """A library of three hundred files."""
    await library.writer.run(_fill)
    return library


QUERIES = (
    "", "sort:taken-", "sort:taken", "sort:path", "sort:name-", "sort:rating-", "sort:iso", "kind:image sort:taken-",
    "beach", "beach sort:taken-", "img sort:size", "-beach sort:camera", "kind:audio sort:artist", "path:2016/ sort:path-",
    "path:/srv/photos/2017 sort:rating", "has:gps rating>2 sort:dur",
)  # fmt: skip


@pytest.mark.parametrize("text", QUERIES)
async def test_a_view_reads_the_same_near_and_far(
    shelf: Library, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = parse_query(text)
    near = await shelf.reader.open_view(query)
    count = await near.count()
    assert count
    rows = await near.page(0, count + 5)
    assert len(rows) == count
    monkeypatch.setattr(reader_module, "NEAR_ROWS", 20)
    far = await shelf.reader.open_view(query)
    for offset in (0, 7, 21, count // 2, count - 3, count, count + 9):
        assert await far.page(offset, 10) == rows[offset : offset + 10] if offset >= 0 else True
    ending = await shelf.reader.open_view(query)
    await ending.count()
    for offset in (count - 1, count - 8, count - 15, count - 20):
        assert await ending.page(max(0, offset), 10) == rows[max(0, offset) : max(0, offset) + 10]
    assert ending._order is None or count <= 40
    for index in {0, 5, count // 2, count - 1}:
        assert await far.position_of(rows[index].file_id) == index
        assert await (await shelf.reader.open_view(query)).position_of(rows[index].file_id) == index
    assert await far.position_of(10**9) is None
    assert await near.position_of(10**9) is None
    assert [row async for row in shelf.reader.iterate(query)] == rows
    assert [row async for row in shelf.reader.iterate(query, limit=3)] == rows[:3]


@pytest.mark.parametrize("few", [0, 10**6])
@pytest.mark.parametrize("many", [0, 10**6])
@pytest.mark.parametrize("looked_up", [0, 100])
async def test_every_plan_finds_the_same(
    shelf: Library, few: int, many: int, looked_up: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(shelf.connect_read_only()) as db:
        expected = {text: list(reader.read_order(db, parse_query(text))) for text in QUERIES}
        monkeypatch.setattr(query_plans, "FEW", few)
        monkeypatch.setattr(query_plans, "MANY", many)
        monkeypatch.setattr(query_plans, "MOST_LOOKED_UP", looked_up)
        for text in QUERIES:
            plan = plan_query(db, parse_query(text))
            assert reader.read_ids(db, plan, 0, NUMBER) == expected[text], text
            assert reader.count_files(db, parse_query(text)) == len(expected[text]), text


def test_prefixes_become_words_while_they_are_few(shelf_db: sqlite3.Connection) -> None:
    assert words.expand(shelf_db, words.Phrase("Bea", prefix=True)).words == ("beach",)
    assert words.expand(shelf_db, words.Phrase("nothing", prefix=True)).words == ()
    several = words.expand(shelf_db, words.Phrase("At the Bea", prefix=True))
    assert several.expression == '"At the beach"'
    for phrase in (words.Phrase("beach"), words.Phrase("0", prefix=True), words.Phrase("é", prefix=True)):
        assert words.expand(shelf_db, phrase) == phrase


@pytest.fixture
def shelf_db(db: sqlite3.Connection) -> sqlite3.Connection:
    """The same three hundred files over a plain connection."""
    _fill(db)
    return db


async def test_details(shelf: Library) -> None:
    def change(db: sqlite3.Connection) -> None:
        tags.add_tag(db, [1], "family")
        edits.set_edit(db, 1, "keywords", "a\nb", NOW)
        size, mtime_ns = db.execute("SELECT size, mtime_ns FROM file WHERE id = 1").fetchone()
        stages.save_fingerprints(db, [Fingerprint(1, size, mtime_ns, b"q" * 16)])

    await shelf.writer.run(change)
    details = await shelf.reader.details(1)
    assert details is not None
    assert details.row.path == b"/srv/photos/2015/IMG_0001.jpg"
    assert details.row.values["model"] == "EOS 1"
    assert "artist" not in details.row.values
    assert details.root == b"/srv/photos"
    assert details.all_tags == {"EXIF:Make": "Canon"}
    assert (details.tags, details.keywords, details.people) == (("family",), ("a", "b"), ())
    assert [edit.field for edit in details.edits] == ["keywords"]
    assert (details.fingerprint_state, details.quick_fingerprint) == (StageState.DONE, b"q" * 16)
    assert (details.first_seen, details.missing_since, details.extractor) == (NOW, None, "exiftool")
    pending = await shelf.reader.details(7)
    assert pending is not None
    assert (pending.row.metadata_state, pending.extractor, pending.all_tags) == (StageState.PENDING, "", {})
    assert await shelf.reader.details(10**9) is None


async def test_a_file_is_found_by_path_or_id(shelf: Library) -> None:
    path = b"/srv/photos/2015/IMG_0001.jpg"
    assert await shelf.reader.find(path) == 1
    assert await shelf.reader.find(5) == 5
    for nothing in (
        b"/srv/photos/2015",
        b"/srv/photos/2015/x.jpg",
        b"/elsewhere/a.jpg",
        b"/srv/photos",
        b"/",
        10**9,
    ):
        assert await shelf.reader.find(nothing) is None, nothing

    def replace_it(db: sqlite3.Connection) -> None:
        files.set_missing(db, [1], NOW)
        files.insert_files(db, files.add_folder(db, 1, b"2015", None), [found(b"IMG_0001.jpg")], NOW)

    await shelf.writer.run(replace_it)
    assert await shelf.reader.find(path) == NUMBER + 1


async def test_statistics(shelf: Library) -> None:
    await shelf.writer.run(lambda db: files.set_missing(db, [2, 3], NOW))
    numbers = await shelf.reader.statistics()
    assert (numbers.files, numbers.missing, numbers.folders) == (NUMBER - 2, 2, FOLDERS + 1)
    assert {group.name: group.files for group in numbers.kinds} == {"image": 268, "audio": 30}
    assert sum(group.files for group in numbers.years) == numbers.files
    assert [group.name for group in numbers.years][:2] == ["", "1990"]
    assert {group.name for group in numbers.cameras} == {"EOS 0", "EOS 1", "EOS 2"}
    assert {group.name for group in numbers.extensions} == {"jpg", "mp3"}
    assert numbers.pending_metadata == NUMBER // 7
    assert numbers.pending_fingerprints == NUMBER - 2
    assert numbers.size == sum(group.size for group in numbers.kinds)
    assert numbers.with_date > numbers.with_position > 0
    assert numbers.problems == {}


def _slow(db: sqlite3.Connection) -> int:
    """A question that takes a minute unless it is interrupted."""
    sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000000) SELECT max(i) FROM n"
    return int(db.execute(sql).fetchone()[0])


async def test_a_newer_question_interrupts_an_older_one_which_is_asked_again(shelf: Library) -> None:
    asked = 0

    def older(db: sqlite3.Connection) -> str:
        nonlocal asked
        asked += 1
        if asked == 1:
            _slow(db)
        return "older"

    lane = shelf.reader.counts
    first = asyncio.create_task(lane.ask(older, 1))
    while not asked:
        await asyncio.sleep(0.001)
    assert await asyncio.wait_for(lane.ask(lambda _db: "newer", 2), 10) == "newer"
    assert await asyncio.wait_for(first, 10) == "older"
    assert asked == 2


def _slow_once_begun(begun: threading.Event) -> Callable[[sqlite3.Connection], int]:
    """Return `_slow` with an event that SQLite itself sets in the middle of it."""

    def ask(db: sqlite3.Connection) -> int:
        db.create_function("begun", 0, begun.set)
        sql = (
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000000) "
            "SELECT max(i), max(CASE WHEN i = 1000 THEN begun() END) FROM n"
        )
        return int(db.execute(sql).fetchone()[0])

    return ask


async def test_a_question_that_nobody_waits_for_is_interrupted(shelf: Library) -> None:
    lane = shelf.reader.counts
    begun = threading.Event()
    task = asyncio.create_task(lane.ask(_slow_once_begun(begun), 1))
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await lane.ask(lambda _db: 1) == 1
    assert time.monotonic() - began < 10


async def test_closing_interrupts_what_runs(shelf: Library) -> None:
    begun = threading.Event()
    task = asyncio.create_task(shelf.reader.pages.ask(_slow_once_begun(begun), 1))
    assert await asyncio.to_thread(begun.wait, 10)
    await asyncio.wait_for(shelf.reader.close(), 10)
    task.cancel()
    await asyncio.wait([task])


async def test_an_order_that_failed_is_read_again(shelf: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "NEAR_ROWS", 5)
    view = await shelf.reader.open_view(parse_query(""))

    def fail(_db: sqlite3.Connection, _query: object) -> None:
        raise sqlite3.OperationalError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(reader_module, "read_order", fail)
        with pytest.raises(LibraryError, match="no luck"):
            await view.page(100, 10)
    assert len(await view.page(100, 10)) == 10


async def test_an_order_that_was_given_up_is_read_anew_for_whoever_comes_next(
    shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "NEAR_ROWS", 5)
    begun = threading.Event()
    slow, read = _slow_once_begun(begun), reader_module.read_order

    def read_slowly_once(db: sqlite3.Connection, query: Any) -> object:
        return read(db, query) if begun.is_set() else slow(db)

    monkeypatch.setattr(reader_module, "read_order", read_slowly_once)
    view = await shelf.reader.open_view(parse_query(""))
    first = asyncio.create_task(view.page(100, 10))
    assert await asyncio.to_thread(begun.wait, 10)
    first.cancel()
    second = asyncio.create_task(view.page(100, 10))
    await asyncio.wait([first, second], timeout=10)
    assert first.cancelled()
    assert len(second.result()) == 10


async def test_a_view_whose_pages_are_slow_to_find_reads_their_order_once(
    shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = parse_query("sort:iso")
    quick = await shelf.reader.open_view(query)
    expected = [await quick.page(offset, 20) for offset in (0, 20, 40)]
    assert quick._order is None
    monkeypatch.setattr(reader_module, "QUICK_S", -1.0)
    slow = await shelf.reader.open_view(query)
    assert await slow.page(0, 20) == expected[0]
    assert [await slow.page(offset, 20) for offset in (0, 20, 40)] == expected
    assert slow._order is not None
    order = await slow._order
    assert order.itemsize * len(order) == 8 * await slow.count()


async def test_rows_of_a_far_page_do_not_slip_while_the_library_changes(
    shelf: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "NEAR_ROWS", 5)
    view = await shelf.reader.open_view(parse_query("sort:name"))
    before = await view.page(100, 50)

    def change(db: sqlite3.Connection) -> None:
        folder_id = files.add_folder(db, 1, b"new", None)
        files.insert_files(db, folder_id, [found(b"A%03d.jpg" % number) for number in range(40)], NOW)
        files.remove_files(db, [before[3].file_id])
        edits.set_edit(db, before[7].file_id, "title", "changed", NOW)

    await shelf.writer.run(change)
    after = await view.page(100, 50)
    assert [row.file_id for row in after] == [row.file_id for row in before if row != before[3]]
    assert after[6].values["title"] == "changed"
    assert await view.count() == NUMBER
    assert await view.position_of(before[9].file_id) == 109
    fresh = await shelf.reader.open_view(parse_query("sort:name"))
    assert await fresh.count() == NUMBER + 39


async def test_reading_goes_on_while_the_library_is_written(shelf: Library) -> None:
    view = await shelf.reader.open_view(parse_query("kind:image"))
    before = await view.count()

    async def write() -> None:
        for number in range(30):
            batch = [found(b"new%d-%d.jpg" % (number, index), inode=10_000 + index) for index in range(20)]

            def add(db: sqlite3.Connection, batch: Any = batch) -> None:
                files.insert_files(db, files.add_folder(db, 1, b"new", None), batch, NOW)

            await shelf.writer.run(add)

    writing = asyncio.create_task(write())
    pages = 0
    while not writing.done():
        rows = await view.page(pages % 50, 64)
        assert len(rows) == 64
        pages += 1
    await writing
    assert pages
    fresh = await shelf.reader.open_view(parse_query("kind:image"))
    assert await fresh.count() == before + 600


# The plans of SQLite

_PAGE_PLANS = {
    "": "",
    "sort:taken-": "file_taken",
    "sort:taken": "file_taken",
    "sort:name": "file_name",
    "sort:name-": "file_name",
    "sort:size-": "file_size",
    "sort:rating-": "file_rating",
    "sort:dur": "file_duration",
    "sort:camera": "file_model_taken",
    "sort:artist": "file_artist",
    "sort:album": "file_album",
    "sort:kind": "file_kind_taken",
    "sort:path": "sqlite_autoindex_folder_1",
    "sort:path-": "sqlite_autoindex_folder_1",
    "sort:added-": "",
    "kind:image sort:taken-": "file_kind_taken",
    "kind:image iso>800 sort:taken-": "file_kind_taken",
    "tag:family": "",
}


def _plan(db: sqlite3.Connection, sql: str, values: tuple[Any, ...]) -> str:
    return " | ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values))


@pytest.mark.parametrize("text", _PAGE_PLANS)
def test_a_page_walks_an_index_and_sorts_nothing(
    shelf_db: sqlite3.Connection, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_plans, "FEW", 0)  # as in a big library
    part = compile_query(plan_query(shelf_db, parse_query(text)))[0]
    plan = _plan(shelf_db, f"{part.ids()} LIMIT 64", part.values)
    assert _PAGE_PLANS[text] in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("model:eos", "file_model_taken"),
        ("size>500MB", "file_size"),
        ("rating:5", "file_rating"),
        ("lat:40..44 lon:1..2", "file_position"),
        ("missing:yes", "file_missing"),
        ("kind:audio", "file_kind_taken"),
        ("path:/srv/photos/2016", "file_path"),
        ("dup:yes", "file_quick_fingerprint"),
    ],
)
def test_a_count_uses_an_index(shelf_db: sqlite3.Connection, text: str, index: str) -> None:
    statement = compile_count(plan_query(shelf_db, parse_query(text)))
    assert index in _plan(shelf_db, statement.count(), statement.values)


_INDEXED = [field.name for field in FIELDS if field.indexed and field.order]


@pytest.mark.parametrize("name", _INDEXED)
@pytest.mark.parametrize("condition", ["", "kind:image", "-kind:image", "beach"])
def test_every_order_with_an_index_is_walked(
    shelf_db: sqlite3.Connection, name: str, condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files with a value are met in their order, so that a page costs the same however many there are."""
    monkeypatch.setattr(
        query_plans, "FEW", 0
    )  # as in a big library; few files with a word are found first and sorted
    for direction in ("", "-"):
        query = parse_query(f"{condition} sort:{name}{direction}")
        part = compile_query(plan_query(shelf_db, query))[0]
        assert "ORDER BY" not in _plan(shelf_db, f"{part.ids()} LIMIT 64", part.values)


def test_words_alone_are_counted_without_looking_at_files(shelf_db: sqlite3.Connection) -> None:
    statement = compile_word_count(plan_query(shelf_db, parse_query("beach canon")))
    assert statement is not None
    plan = _plan(shelf_db, statement.count(), statement.values)
    assert "SCAN search VIRTUAL TABLE" in plan
    assert "SCAN file USING INDEX file_missing" in plan


@pytest.mark.parametrize("text", ["channels:2 sort:modified", "sort:modified", "name:x sort:mp-"])
def test_without_a_fitting_index_the_table_is_read_in_its_order(
    shelf_db: sqlite3.Connection, text: str
) -> None:
    """Looking up a million rows through an index that does not help takes ten times as long."""
    part = compile_query(plan_query(shelf_db, parse_query(text)))[0]
    assert "SCAN file |" in _plan(shelf_db, f"{part.ids()} LIMIT 64", part.values) + " |"


def test_rows_are_looked_up_by_id(shelf_db: sqlite3.Connection) -> None:
    statements: list[str] = []
    shelf_db.set_trace_callback(statements.append)
    read_rows(shelf_db, [3, 1, 2])
    shelf_db.set_trace_callback(None)
    plan = _plan(shelf_db, statements[0], ())
    assert plan.count("USING INTEGER PRIMARY KEY") == 3


def test_rows_come_in_the_order_asked_for(shelf_db: sqlite3.Connection) -> None:
    assert [row.file_id for row in read_rows(shelf_db, [9, 3, 10**9, 5])] == [9, 3, 5]


async def test_a_library_that_is_gone_is_an_error(shelf: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "connect_reading", _refuse)
    view = await reader.Reader(shelf.path).open_view(parse_query(""))
    with pytest.raises(LibraryError, match="cannot be opened"):
        await view.page(0, 5)


def _refuse(*_args: object, **_more: object) -> Callable[[], None]:
    error = sqlite3.OperationalError("unable to open database file")
    error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    raise error
