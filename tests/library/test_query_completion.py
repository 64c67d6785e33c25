"""How a query that is being typed may go on: fields, and values that the library has."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.library.found import NOW
from tui.library import stages, tags
from tui.library.known_values import VALUES
from tui.library.query import parse_query
from tui.library.query_completion import MOST_COMPLETIONS, asks_library, complete_query
from tui.library.query_fields import FIELDS_BY_NAME
from tui.library.saved_queries import save_query
from tui.records import Extraction, Kind, Metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.library.database import Library


def _offered(typed: str, db: sqlite3.Connection | None = None) -> list[str]:
    """Return the queries that `typed` may become."""
    return [completion.applied(typed) for completion in complete_query(typed, db, budget_s=60)]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("cam", ["camera:"]),
        ("CAM", ["camera:"]),
        ("-cam", ["-camera:"]),
        ("beach (cam", ["beach (camera:"]),
        ("capt", ["caption:"]),
        ("kind:im", ["kind:image"]),
        ("kind:IM", ["kind:image"]),
        ("-kind:image,v", ["-kind:image,video"]),
        ("metadata:", ["metadata:pending", "metadata:done", "metadata:failed"]),
        ("has:alb", ["has:album", "has:albumartist"]),
        ("taken:yes", ["taken:yesterday"]),
        ("taken:2019..yes", ["taken:2019..yesterday"]),
        ("added>last-3", ["added>last-30d"]),
        ("sort:siz", ["sort:size", "sort:size-"]),
        ("beach or dup:n", ["beach or dup:no", "beach or dup:any"]),
        ("kind:image", []),
        ("nothing", []),
        ("iso>8", []),
        ('"cam', []),
        ('title:"a b"', []),
        ("kind:image ", None),
        ("", None),
    ],
)
def test_what_is_offered_without_a_library(typed: str, offered: list[str] | None) -> None:
    if offered is None:
        offered = [
            f"{typed}{name}:" for name in dict.fromkeys(field.name for field in FIELDS_BY_NAME.values())
        ]
    assert _offered(typed) == offered


@pytest.fixture
def shelf(db: sqlite3.Connection, add: Callable[..., list[int]]) -> sqlite3.Connection:
    """A few files with values to offer, some of them odd."""
    metadata = [
        Metadata(
            make="Canon",
            model="Canon EOS 5D",
            lens="EF24-105mm f/4L",
            keywords=("beach", "Bergen"),
            place="Bern",
        ),
        Metadata(make="NIKON", model="D850", lens="EF50mm", title="Berlin"),
        Metadata(artist="David Bowie", album="Heroes, live", genre="Rock", codec="flac", musical_key="8A"),
        Metadata(
            artist="dave", album='The "Best"', album_artist="Various", container="mp3", mime="audio/mpeg"
        ),
        Metadata(model="evil\x1b[31m", artist="David Byrne", people=("Anna",), description="on the beach"),
    ]
    ids = add(
        b"trips/Lisbon (1)/a.jpg", b"trips/b.cr2", b"Music/c.flac", b"Music/d.mp3", b"e.jpg", kind=Kind.IMAGE
    )
    for file_id, said in zip(ids, metadata, strict=True):
        stages.save_extractions(db, [Extraction(file_id, 1_000, NOW, "exiftool", said, b"{}")])
    db.execute("UPDATE file SET extension = 'cr2' WHERE id = ?", (ids[1],))
    tags.add_tag(db, ids[:2], "new year")
    save_query(db, "best", "rating:5", NOW)
    save_query(db, "old ones", "taken<2000", NOW)
    return db


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("camera:", ['camera:"Canon EOS 5D"', "camera:D850"]),
        ("camera:eos", ['camera:"Canon EOS 5D"']),
        ('camera:"can', ['camera:"Canon EOS 5D"']),
        ("model:d8", ["model:D850"]),
        ("make:c", ["make:Canon"]),
        ("lens:50", ["lens:EF50mm"]),
        ("artist:DAV", ["artist:dave", 'artist:"David Bowie"', 'artist:"David Byrne"']),
        ("album:h", ['album:"Heroes, live"']),
        ("album:the", []),
        ("genre:", ["genre:Rock"]),
        ("codec:f", ["codec:flac"]),
        ("key:", ["key:8A"]),
        ("mime:", ["mime:audio/mpeg"]),
        ("container:m", ["container:mp3"]),
        ("albumartist:", ["albumartist:Various"]),
        ("ext:c", ["ext:cr2", "ext:flac"]),
        ("tag:n", ['tag:"new year"']),
        ("@", ["@best", '@"old ones"']),
        ("beach or (@ol", ['beach or (@"old ones"']),
        ("collection:b", ["collection:best"]),
        ("keyword:be", ["keyword:beach", "keyword:bergen"]),
        ("title:be", ["title:berlin"]),
        ("people:an", ["people:anna"]),
        ("place:b", ["place:bern"]),
        ("description:b", ["description:beach"]),
        ("path:tr", ["path:trips/"]),
        ("path:trips/l", ['path:"trips/Lisbon (1)/"']),
        ("path:/srv/photos/", ["path:/srv/photos/Music/", "path:/srv/photos/trips/"]),
        ("path:/s", ["path:/srv/"]),
        ("root:ph", ["root:photos"]),
        ("model:%", []),
        ("lens:_", []),
    ],
)
def test_what_the_library_has_is_offered(shelf: sqlite3.Connection, typed: str, offered: list[str]) -> None:
    assert _offered(typed, shelf) == offered
    assert asks_library(typed)


def test_what_is_offered_can_be_asked(shelf: sqlite3.Connection) -> None:
    known: dict[str, str | None] = {"best": "x", "old ones": "x"}
    for name in sorted(FIELDS_BY_NAME.keys() - {"sort", "order"}):
        for letter in ("", "b", "1"):
            for query in _offered(f"x -{name}:{letter}", shelf):
                parse_query(query, known)
    for query in _offered("sort:"):
        assert parse_query(query).sort


def test_the_fields_with_values_are_fields() -> None:
    assert set(VALUES) <= set(FIELDS_BY_NAME)
    for name in VALUES:
        assert asks_library(f"{name}:")
    for typed in ("cam", "kind:", "iso>", "", '"camera:'):
        assert not asks_library(typed)


def test_when_the_time_is_over_what_was_found_is_offered(shelf: sqlite3.Connection) -> None:
    assert complete_query("camera:", shelf, budget_s=-1) == []
    assert len(complete_query("has:", shelf, budget_s=-1)) == MOST_COMPLETIONS
    assert shelf.execute("SELECT count(*) FROM file").fetchone() == (5,), "the limit ends with the question"


@pytest.mark.parametrize("typed", ["genre:", "model:", "path:x", "title:b"])
def test_a_library_that_is_locked_is_none_for_which_the_time_is_over(
    shelf: sqlite3.Connection, path: bytes, typed: str
) -> None:
    shelf.execute("COMMIT")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        shelf.execute("PRAGMA busy_timeout = 0")
        shelf.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            complete_query(typed, shelf, budget_s=60)
        other.execute("ROLLBACK")
    assert complete_query("genre:", shelf, budget_s=60)


def test_a_question_that_somebody_else_interrupts_is_asked_again(shelf: sqlite3.Connection) -> None:
    shelf.create_function("casefold", 1, lambda _stored: shelf.interrupt())
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        complete_query("genre:é", shelf, budget_s=60)


async def test_the_reader_offers_the_same(library: Library) -> None:
    await library.writer.run(lambda db: save_query(db, "best", "rating:5", NOW))
    assert [item.text for item in await library.reader.completions("@b")] == ["best"]
    assert [item.text for item in await library.reader.completions("kind:v")] == ["video"]
    assert await library.reader.collections() == {"best": "rating:5"}
    assert [item.name for item in await library.reader.saved_queries()] == ["best"]
