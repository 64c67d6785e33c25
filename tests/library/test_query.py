"""The query language: what it means, and that a mistake is always a `QueryError` that names its place."""

from __future__ import annotations

import os
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.library.found import NOW, found
from tui.library import edits, files, problems, reader, roots, stages, tags
from tui.library.connections import connect_writing
from tui.library.database import create_library
from tui.library.query import LONGEST_QUERY, Query, QueryError, parse_query
from tui.library.query_fields import FIELDS, FIELDS_BY_NAME, SORTABLE, FieldType
from tui.library.query_plans import plan_query
from tui.library.query_values import Span, parse_value
from tui.library.statistics import read_places
from tui.records import Extraction, Fingerprint, Kind, Metadata, Problem, Stage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

FILES: dict[bytes, tuple[Kind, int, Metadata | None]] = {
    b"2019/07 Lisbon/IMG_0412.CR2": (Kind.RAW, 31_000_000, Metadata(
        taken_local="2019-07-03T18:22:11", make="Canon", model="Canon EOS 5D Mark IV", lens="EF24-105mm f/4L", iso=800,
        f_number=2.8, exposure=1.5, focal_length=50.0, width=6000, height=4000, latitude=38.7, longitude=-9.1, rating=4,
        keywords=("beach", "new year"), place="Alfama, Lisboa", people=("Ana",), title="Sunset",
    )),
    b"2019/07 Lisbon/IMG_0413.JPG": (Kind.IMAGE, 5_000_000, Metadata(
        taken_local="2019-07-03T18:22:12", make="Canon", model="Canon EOS R6", iso=1600, f_number=4.0, width=1920,
        height=1080, description="on the beach",
    )),
    b"2021/clip.MP4": (Kind.VIDEO, 900_000_000, Metadata(
        taken_local="2021-06-30T23:59:59", make="Apple", model="iPhone 12 Pro", duration_ms=29_500, frame_rate=29.97, codec="hevc",
    )),
    b"Music/David Bowie/03 Heroes.flac": (Kind.AUDIO, 40_000_000, Metadata(
        duration_ms=273_000, artist="David Bowie", album="Heroes", genre="Rock", year=1977, track=3, bpm=112.5, musical_key="8A",
        title="Heroes",
    )),
    "Music/Zürich_café.mp3".encode(): (Kind.AUDIO, 400, None),
    b"plain 100%.png": (Kind.IMAGE, 12_345, None),
}  # fmt: skip
RAW, JPG, CLIP, SONG, CAFE, PLAIN = range(1, 7)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A library of six files, ids 1 to 6, below /srv/media."""
    path = os.fsencode(tmp_path_factory.mktemp("shelf") / "library.yapmo")
    create_library(path)
    with closing(connect_writing(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        _fill(db)
        yield db
        db.execute("ROLLBACK")


@pytest.fixture
def shelf(filled: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """The same, with whatever the test does to it undone afterwards."""
    filled.execute("SAVEPOINT shelf")
    yield filled
    filled.execute("ROLLBACK TO shelf")


def _fill(db: sqlite3.Connection) -> None:
    root_id = roots.add_root(db, b"/srv/media").root_id
    for number, (path, (kind, size, metadata)) in enumerate(FILES.items(), 1):
        folder, _, name = path.rpartition(b"/")
        folder_id = files.add_folder(db, root_id, folder, None)
        files.insert_files(db, folder_id, [found(name, kind=kind, size=size, inode=number)], NOW + number)
        if metadata is not None:
            stages.save_extractions(db, [Extraction(number, size, NOW, "exiftool", metadata, b"{}")])
    tags.add_tag(db, [RAW, SONG], "family")
    tags.add_tag(db, [RAW], "draft")
    edits.set_edit(db, PLAIN, "rating", 5, NOW)
    problems.record_problem(db, Problem(b"", Stage.METADATA, "bad", CAFE), now_ns=NOW)


def _find(db: sqlite3.Connection, text: str) -> list[int]:
    query = parse_query(text)
    ids = list(reader.read_order(db, query))
    assert reader.count_files(db, query) == len(ids)
    assert reader.read_ids(db, plan_query(db, query), 0, 100) == ids
    return ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ("img_0412", [RAW]),
        ("0412", [RAW]),
        ("cr2", [RAW]),
        ("IMG_04", [RAW, JPG]),
        ("beach", [RAW, JPG]),
        ("bea", [RAW, JPG]),
        ('"bea"', []),
        ('"new year"', [RAW]),
        ("lisbon", [RAW, JPG]),
        ("lisboa", [RAW]),
        ("zurich cafe", [CAFE]),
        ("beach canon", [RAW, JPG]),
        ("beach -sunset", [JPG]),
        ('-"canon eos"', [CLIP, SONG, CAFE, PLAIN]),
        ("David Bowie - Heroes", [SONG]),
        ("%", [PLAIN]),
        ("-%", [1, 2, 3, 4, 5]),
        ("kind:image", [JPG, PLAIN]),
        ("kind:photo", [RAW, JPG, PLAIN]),
        ("kind:image,audio", [JPG, SONG, CAFE, PLAIN]),
        ("-kind:image,audio", [RAW, CLIP]),
        ("KIND:Image", [JPG, PLAIN]),
        ('camera:"canon eos"', [RAW, JPG]),
        ("camera:apple,r6", [JPG, CLIP]),
        ("-camera:canon", [CLIP, SONG, CAFE, PLAIN]),
        ("model:eos", [RAW, JPG]),
        ("model:*r6", [JPG]),
        ("make:can", [RAW, JPG]),
        ("lens:24-105", [RAW]),
        ("iso>800", [JPG]),
        ("iso>=800", [RAW, JPG]),
        ("iso<1600", [RAW]),
        ("iso<=1600", [RAW, JPG]),
        ("iso:800", [RAW]),
        ("iso=800", [RAW]),
        ("iso:>800", [JPG]),
        ("iso:100..800", [RAW]),
        ("iso:801..", [JPG]),
        ("iso:..800", [RAW]),
        ("-iso>800", [RAW, CLIP, SONG, CAFE, PLAIN]),
        ("f:2.8", [RAW]),
        ("f>2.8", [JPG]),
        ("f:2.8..4", [RAW, JPG]),
        ("exposure>1", [RAW]),
        ("focal:50", [RAW]),
        ("mp>12", [RAW]),
        ("lat:38..40 lon:-10..-9", [RAW]),
        ("lat>-90", [RAW]),
        ("has:gps", [RAW]),
        ("-has:gps", [JPG, CLIP, SONG, CAFE, PLAIN]),
        ("has:description", [JPG]),
        ("has:dimensions", [RAW, JPG]),
        ("has:tags,edits", [RAW, SONG, PLAIN]),
        ("rating>=4", [RAW, PLAIN]),
        ("taken:2019", [RAW, JPG]),
        ("taken:2019-07", [RAW, JPG]),
        ("taken:2019-07-03T18:22:12", [JPG]),
        ("taken:2019-07-03T18:22", [RAW, JPG]),
        ("taken>2019", [CLIP]),
        ("taken>=2019", [RAW, JPG, CLIP]),
        ("taken<2021", [RAW, JPG]),
        ("taken<=2021-06", [RAW, JPG, CLIP]),
        ("taken:2019..2021-06", [RAW, JPG, CLIP]),
        ("taken:2020..", [CLIP]),
        ("taken:..2019-07-02", []),
        ("taken:2021..9999", [CLIP]),
        ("taken:2019-07..2019", [RAW, JPG]),
        ("taken<9999-12-31T23:59:59", [RAW, JPG, CLIP]),
        ("modified:0001..9999", [1, 2, 3, 4, 5, 6]),
        ("modified:0001..0002", []),
        ("modified>0001", [1, 2, 3, 4, 5, 6]),
        ("inode:2", [JPG]),
        ("size>20MB", [RAW, CLIP, SONG]),
        ("size:5MB", [JPG]),
        ("size:12.3kB", [PLAIN]),
        ("size<1kB", [CAFE]),
        ("size:1MB..40MB", [RAW, JPG, SONG]),
        ("size:400", [CAFE]),
        ("size>=0.9GB", [CLIP]),
        ("dur<30s", [CLIP]),
        ("dur:4:33", [SONG]),
        ("dur>4min", [SONG]),
        ("dur:1min..1h", [SONG]),
        ("fps:29.97", [CLIP]),
        ("bpm:110..115", [SONG]),
        ("key:8a", [SONG]),
        ("artist:bowie year:1977", [SONG]),
        ('album:"heroes"', [SONG]),
        ("genre:rock", [SONG]),
        ("title:sun", [RAW]),
        ("keyword:beach", [RAW]),
        ("people:ana", [RAW]),
        ("place:alfama", [RAW]),
        ("description:beach", [JPG]),
        ("tag:family", [RAW, SONG]),
        ("tag:FAMILY -tag:draft", [SONG]),
        ("ext:cr2,.png", [RAW, PLAIN]),
        ("ext:c?2", [RAW]),
        ("ext:cr", []),
        ("name:IMG_*.jpg", [JPG]),
        ("name:100%", [PLAIN]),
        ("name:0%", [PLAIN]),
        ('name:"_04"', [RAW, JPG]),
        ("name:ürich", [CAFE]),
        ("path:2019/", [RAW, JPG]),
        ("path:lisbon/img_0413", [JPG]),
        ("path:bowie", [SONG]),
        ("path:music", [SONG, CAFE]),
        ("-path:music/", [RAW, JPG, CLIP, PLAIN]),
        ("path:/srv/media/Music", [SONG, CAFE]),
        ("path:/srv/media/Music/", [SONG, CAFE]),
        ("path:/srv/media/Mus", []),
        ("path:/srv", [1, 2, 3, 4, 5, 6]),
        ("path:/", [1, 2, 3, 4, 5, 6]),
        ("path:/srv/media", [1, 2, 3, 4, 5, 6]),
        ("path:/srv/media/2021/clip.MP4", [CLIP]),
        ("path:/srv/media/2021,/srv/media/Music", [CLIP, SONG, CAFE]),
        ("-path:/srv/media/2019", [CLIP, SONG, CAFE, PLAIN]),
        ("path:/elsewhere", []),
        ("problem:yes", [CAFE]),
        ("problem:no kind:audio", [SONG]),
        ("edited:yes", [PLAIN]),
        ("metadata:pending", [CAFE, PLAIN]),
        ("missing:yes", []),
        ("missing:any", [1, 2, 3, 4, 5, 6]),
        ("dup:yes", []),
        ("id:2..3", [JPG, CLIP]),
        ("added:2023-11-14", [1, 2, 3, 4, 5, 6]),
        ("modified>2023-11-14", []),
        ("added:today", []),
        ("taken:yesterday", []),
        ("sort:size", [CAFE, PLAIN, JPG, RAW, SONG, CLIP]),
        ("sort:size-", [CLIP, SONG, RAW, JPG, PLAIN, CAFE]),
        ("sort:-size", [CLIP, SONG, RAW, JPG, PLAIN, CAFE]),
        ("sort:taken", [RAW, JPG, CLIP, SONG, CAFE, PLAIN]),
        ("sort:taken-", [CLIP, JPG, RAW, PLAIN, CAFE, SONG]),
        ("sort:rating- rating>0", [PLAIN, RAW]),
        ("sort:name", [SONG, CLIP, RAW, JPG, PLAIN, CAFE]),
        ("sort:path", [PLAIN, RAW, JPG, CLIP, CAFE, SONG]),
        ("sort:path-", [SONG, CAFE, CLIP, JPG, RAW, PLAIN]),
        ("beach sort:path path:/srv/media/2019", [RAW, JPG]),
        ("sort:camera has:camera", [RAW, JPG, CLIP]),
    ],
)  # fmt: skip
def test_what_queries_find(shelf: sqlite3.Connection, text: str, ids: list[int]) -> None:
    assert _find(shelf, text) == ids


def test_missing_files_appear_only_when_asked_for(shelf: sqlite3.Connection) -> None:
    files.set_missing(shelf, [RAW], NOW)
    assert _find(shelf, "beach") == [JPG]
    assert _find(shelf, "beach missing:any") == [RAW, JPG]
    assert _find(shelf, "missing:yes") == [RAW]
    assert _find(shelf, "state:missing") == [RAW]
    assert _find(shelf, "missing:any sort:path path:2019/") == [RAW, JPG]


def test_duplicates(shelf: sqlite3.Connection) -> None:
    sizes = {number: size for number, (_, size, _) in enumerate(FILES.values(), 1)}

    def hash_(file_id: int, quick: bytes, full: bytes | None = None) -> None:
        stages.save_fingerprints(shelf, [Fingerprint(file_id, sizes[file_id], NOW, quick, full)])

    for file_id, quick in ((RAW, b"a"), (JPG, b"a"), (CLIP, b"b"), (SONG, b"c"), (CAFE, b"c")):
        hash_(file_id, quick * 16)
    assert _find(shelf, "dup:yes") == [RAW, JPG, SONG, CAFE]
    hash_(RAW, b"a" * 16, b"x" * 16)
    hash_(JPG, b"a" * 16, b"y" * 16)
    assert _find(shelf, "dup:yes") == [SONG, CAFE]
    assert _find(shelf, "dup:no") == [RAW, JPG, CLIP, PLAIN]
    hash_(CLIP, b"a" * 16)  # its whole content was not read: it may be that of either
    assert _find(shelf, "dup:yes") == [RAW, JPG, CLIP, SONG, CAFE]
    assert read_places(shelf)["duplicates"].sets == 2


def test_names_of_one_inode_are_no_duplicates(shelf: sqlite3.Connection) -> None:
    def found_twice() -> tuple[list[int], int]:
        return _find(shelf, "dup:yes"), read_places(shelf)["duplicates"].files

    shelf.execute(
        "UPDATE file SET quick_fingerprint = ?, links = 2, inode = 7 WHERE id IN (?, ?)",
        (b"a" * 16, RAW, JPG),
    )
    assert found_twice() == ([], 0)
    shelf.execute("UPDATE file SET quick_fingerprint = ? WHERE id = ?", (b"a" * 16, CLIP))
    assert found_twice() == ([RAW, JPG, CLIP], 1)


def test_files_of_a_folder(shelf: sqlite3.Connection) -> None:
    def within(folder: bytes, text: str = "") -> list[int]:
        query = parse_query(text).within(folder)
        ids = list(reader.read_order(shelf, query))
        assert reader.count_files(shelf, query) == len(ids)
        return ids

    odd = files.add_folder(shelf, 1, b"\xff odd", None)
    files.insert_files(shelf, odd, [found(b"x.jpg")], NOW)
    assert within(b"/srv/media/2019") == [RAW, JPG]
    assert within(b"/srv/media/2019/", "sort:path-") == [JPG, RAW]
    assert within(b"/srv/media/\xff odd") == [7]
    assert within(b"/srv/media") == within(b"/srv") == within(b"/") == [1, 2, 3, 4, 5, 6, 7]
    assert within(b"/srv/media/201") == within(b"/srv/med") == []
    assert within(b"/srv/media/2019", "beach sort:taken-") == [JPG, RAW]


def test_a_root_at_the_top_of_the_file_system(db: sqlite3.Connection) -> None:
    root_id = roots.add_root(db, b"/").root_id
    files.insert_files(db, files.add_folder(db, root_id, b"home/ana", None), [found(b"a.jpg")], NOW)
    files.insert_files(db, files.add_folder(db, root_id, b"", None), [found(b"b.jpg")], NOW)
    for text, ids in (
        ("path:/home", [1]),
        ("path:/", [1, 2]),
        ("path:/b.jpg", [2]),
        ("path:/home/ana/a.jpg", [1]),
    ):
        assert _find(db, text) == ids, text
    assert list(reader.read_order(db, parse_query("").within(b"/home"))) == [1]


@pytest.mark.parametrize(
    ("text", "position", "problem", "expected"),
    [
        ("isoo>5", 0, "no field 'isoo'", "iso"),
        ("beach isoo>5", 6, "no field", "iso"),
        ("12:30", 0, None, ""),
        ("a:b", 0, "no field", "quotes"),
        ("iso>abc", 4, "'abc' is no number", "800"),
        ("iso:1..x", 4, "no range", "800"),
        ("iso:..", 4, "no range", "800"),
        ("x iso:800..100", 6, "ends before it begins", "100..800"),
        ("iso:30.5..30.4", 4, "ends before it begins", "30.4..30.5"),
        ("size:20MB..1MB", 5, "ends before it begins", "1MB..20MB"),
        ("dur:4:33..1min", 4, "ends before it begins", "1min..4:33"),
        ("taken:2021..2019", 6, "ends before it begins", "2019..2021"),
        ("taken:2020..2019", 6, "ends before it begins", "2019..2020"),
        ("taken:today..yesterday", 6, "ends before it begins", "yesterday..today"),
        ("inode:18446744073709551616", 6, "no inode", "131"),
        ("inode:1..5", 6, "no inode", "131"),
        ("x sort>taken", 2, "compared by >", "sort:"),
        ("kind:foo", 5, "cannot be 'foo'", "image, raw, video, audio"),
        ("kind:image,foo", 11, "cannot be 'foo'", "image"),
        ("has:size", 4, "cannot be 'size'", "dimensions"),
        ("dup:maybe", 4, "cannot be", "yes, no"),
        ('x "abc', 2, "quotes are not closed", '"'),
        ('camera:"abc', 7, "quotes are not closed", '"'),
        ("sort:nothing", 5, "sorted by", "taken"),
        ("sort:taken sort:size", 11, "given twice", "sort"),
        ("-sort:taken", 6, "sorted by", "taken"),
        ("taken:2019-13", 6, "no date", "2019-07"),
        ("taken:2019-02-30", 6, "no date", "2019-07"),
        ("size:5XB", 5, "no size", "20MB"),
        ("dur:4:333", 4, "no duration", "30s"),
        ("camera>5", 0, "cannot be compared by >", "camera:"),
        ("camera:---", 7, "is no word", "word"),
        ("kind:", 5, "has no value", "image"),
        ("kind:image,", 11, "has no value", "image"),
        ("modified:soon", 9, "no time", "2019"),
        ("x" * (LONGEST_QUERY + 1), LONGEST_QUERY, "too long", "4,096"),
        ("a " * 150, 200, "too many terms", "100"),
    ],
)
def test_a_mistake_names_its_place_and_what_was_expected(
    text: str, position: int, problem: str | None, expected: str
) -> None:
    if problem is None:
        parse_query(text)
        return
    with pytest.raises(QueryError, match=problem) as caught:
        parse_query(text)
    assert caught.value.position == position
    assert f"at character {position + 1}" in caught.value.message
    assert expected in caught.value.hint
    assert caught.value.exit_code == 2


_SIGNS = (
    ":", ">", "<=", "..", ",", '"', "-", " ", "%", "*", "(", ")", "AND", "OR", "NOT", "NEAR", "{", "}", "^", "+", "\\", "'", "\0",
    "\ud800", "é", "2019", "-5", "1e5", "yes",
)  # fmt: skip
_PIECES = st.one_of(
    st.sampled_from([*FIELDS_BY_NAME, *(field.example for field in FIELDS), *_SIGNS]),
    st.text(max_size=8),
)


def _parse(text: str) -> tuple[Query, QueryError | None]:
    try:
        return parse_query(text), None
    except QueryError as error:
        return Query(), error


@given(text=st.lists(_PIECES, max_size=8).map("".join))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=250)
def test_any_text_is_a_query_or_a_mistake(shelf: sqlite3.Connection, text: str) -> None:
    query, mistake = _parse(text)
    if mistake is not None:
        assert 0 <= mistake.position <= len(text)
        return
    ids = list(reader.read_order(shelf, query))
    assert reader.count_files(shelf, query) == len(ids)
    assert reader.read_ids(shelf, plan_query(shelf, query), 0, 9) == ids


@given(word=st.text(min_size=1, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_any_title_is_found_by_itself(shelf: sqlite3.Connection, word: str) -> None:
    shelf.execute("SAVEPOINT example")
    edits.set_edit(shelf, PLAIN, "title", word, NOW)
    title = shelf.execute("SELECT title FROM file WHERE id = ?", (PLAIN,)).fetchone()[0]
    if title is not None and any(character.isalnum() and character.isascii() for character in title):
        quoted = title.replace('"', " ")
        assert PLAIN in _find(shelf, f'title:"{quoted}"')
    shelf.execute("ROLLBACK TO example")


@pytest.mark.parametrize("name", SORTABLE)
@pytest.mark.parametrize("falling", [False, True])
def test_every_order_reads_the_same_from_any_place(
    shelf: sqlite3.Connection, name: str, falling: bool
) -> None:
    query = parse_query("").sorted_by(name, falling=falling)
    order = list(reader.read_order(shelf, query))
    assert sorted(order) == [1, 2, 3, 4, 5, 6]
    plan = plan_query(shelf, query)
    for offset in range(8):
        for limit in (1, 2, 6):
            assert reader.read_ids(shelf, plan, offset, limit) == order[offset : offset + limit]


def test_sorting_by_an_unknown_field_is_a_mistake() -> None:
    assert parse_query("beach").sorted_by("Duration", falling=True).sort == "dur"
    for name in ("nonsense", "tag", "sort"):
        with pytest.raises(QueryError):
            parse_query("").sorted_by(name)


def test_the_table_of_fields() -> None:
    names = [name for field in FIELDS for name in (field.name, *field.aliases)]
    assert len(names) == len(set(names))
    for field in FIELDS:
        assert field.help
        assert field.name == field.name.lower()
        parse_query(field.example, {"best": None})
        assert field.expected
        assert bool(field.choices) == (field.type in (FieldType.CHOICE, FieldType.FLAG, FieldType.PRESENCE))


@pytest.mark.parametrize(
    ("kind", "text", "span"),
    [
        (FieldType.NUMBER, "800", Span(800, 801, 800)),
        (FieldType.NUMBER, "-5", Span(-5, -4, -5)),
        (FieldType.SIZE, "1KiB", Span(512, 1536, 1024)),
        (FieldType.SIZE, "9999999TB", Span(2**63 - 1, 2**63 - 1, 2**63 - 1)),
        (FieldType.DURATION, "1:00:00", Span(3_599_500, 3_600_500, 3_600_000)),
        (FieldType.DURATION, "250ms", Span(250, 251, 250)),
        (FieldType.DATE, "2019", Span("2019-01-01T00:00:00", "2020-01-01T00:00:00")),
        (FieldType.DATE, "2019-12", Span("2019-12-01T00:00:00", "2020-01-01T00:00:00")),
        (FieldType.DATE, "2020-2-29", Span("2020-02-29T00:00:00", "2020-03-01T00:00:00")),
        (FieldType.DATE, "2019-07-03t18", Span("2019-07-03T18:00:00", "2019-07-03T19:00:00")),
        (FieldType.TIME, "1970-01-01", Span(0, 86_400 * 10**9)),
        (FieldType.DATE, "9999", Span("9999-01-01T00:00:00", "9999-12-31T23:59:59.999999")),
        (FieldType.DATE, "9999-12", Span("9999-12-01T00:00:00", "9999-12-31T23:59:59.999999")),
        (FieldType.DATE, "9999-12-31T23:59:59", Span("9999-12-31T23:59:59", "9999-12-31T23:59:59.999999")),
        (FieldType.DATE, "2019-07-03T18:22", Span("2019-07-03T18:22:00", "2019-07-03T18:23:00")),
        (FieldType.TIME, "0001", Span(-(2**63), -(2**63))),
        (FieldType.TIME, "9999", Span(2**63 - 1, 2**63 - 1)),
        (FieldType.INODE, "18446744073709551615", Span(2**63 - 1, 2**63 - 1, 2**63 - 1)),
        (FieldType.DATE, "0000", None),
        (FieldType.NUMBER, "1e5", None),
        (FieldType.NUMBER, "٣", None),
        (FieldType.NUMBER, "", None),
        (FieldType.DURATION, "1:2:3:4", None),
    ],
)
def test_values(kind: FieldType, text: str, span: Span | None) -> None:
    assert parse_value(kind, text) == span


def test_today_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    today = time.strftime("%Y-%m-%d")
    span = parse_value(FieldType.DATE, "today")
    assert span is not None
    assert str(span.low).startswith(today)
    instant = parse_value(FieldType.TIME, "today")
    assert instant is not None
    assert isinstance(instant.low, int)
    assert instant.low <= time.time_ns() < int(instant.high)
    monkeypatch.undo()
    time.tzset()
