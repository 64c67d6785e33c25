"""Letters beyond ASCII in queries: their case, and how they are composed, count for nothing; indexes still serve the others."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from unicodedata import normalize

import pytest

from tests.library.found import NOW, found
from tui.library import answers, files, roots, stages, tags
from tui.library.database import create_library
from tui.library.known_values import VALUES, KnownValues
from tui.library.patterns import fold
from tui.library.query import parse_query
from tui.library.query_plans import plan_query
from tui.library.query_sql import compile_query
from tui.library.saved_queries import collection_queries, forget_query, save_query
from tui.records import Extraction, Metadata

if TYPE_CHECKING:
    from pathlib import Path

UPPER, OTHER = 1, 2


@pytest.fixture
def shelf(db: sqlite3.Connection) -> sqlite3.Connection:
    """Two files; the first has letters in upper case and decomposed, as a Mac writes them, in all that can be asked."""
    said = Metadata(
        make="ÖKO",
        model="Système É",
        lens="Objektiv Ä",
        genre="Šanson",
        album_artist="ÇA VA",
        musical_key="Ž",
    )
    root_id = roots.add_root(db, "/srv/Médias".encode()).root_id
    for number, (folder, name) in enumerate((("Été à Œuvre", "Übung ÄÖ.JPÉ"), ("other", "b.jpg")), 1):
        folder_id = files.add_folder(db, root_id, normalize("NFD", folder).encode(), None)
        files.insert_files(db, folder_id, [found(normalize("NFD", name).encode(), inode=number)], NOW)
    stages.save_extractions(db, [Extraction(UPPER, 1_000, NOW, "exiftool", said)])
    tags.add_tag(db, [UPPER], "Ärger")
    db.execute("INSERT INTO collection (name, folded, created_at) VALUES ('Été', 'été', 1)")
    db.execute("INSERT INTO collection_file (collection_id, file_id) SELECT id, ? FROM collection", (UPPER,))
    return db


def _find(db: sqlite3.Connection, text: str) -> list[int]:
    query = parse_query(text, collection_queries(db))
    ids = list(answers.read_order(db, query))
    assert answers.count_files(db, query) == len(ids)
    assert answers.read_ids(db, plan_query(db, query), 0, 9) == ids
    return ids


ASKED = (
    "name:übung", "name:*äö.*", "name:ü?ung*", 'name="übung äö.jpé"', "path:été", 'path:"été à œuvre/"', 'path:"à œuvre/üb"', "ext:jpé",
    "make:öko", "model:système", "lens:ä", "genre:šanson", 'albumartist:"ça va"', "key:ž", "tag:ärger", "collection:été", "@été",
)  # fmt: skip


@pytest.mark.parametrize("text", ASKED)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_case_and_composition_count_for_nothing(shelf: sqlite3.Connection, text: str, form: str) -> None:
    field, value = text[: text.find(":") + 1], text[text.find(":") + 1 :]
    for written in (text, field + value.upper() if field else text):
        asked = normalize(form, written)  # type: ignore[arg-type]  # NFC or NFD
        assert _find(shelf, asked) == [UPPER]
        assert _find(shelf, f"{asked} missing:any") == [UPPER]
        assert _find(shelf, f"-{asked} sort:name") == [OTHER]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_words_are_as_forgiving(shelf: sqlite3.Connection, form: str) -> None:
    for word in ("übung", "ÜBUNG", "œuvre", "place:x or Été"):
        assert _find(shelf, normalize(form, word)) == [UPPER]  # type: ignore[arg-type]  # NFC or NFD


def test_roots_by_their_label_and_path(shelf: sqlite3.Connection) -> None:
    assert _find(shelf, "root:médias") == _find(shelf, "root:MÉDIAS") == [UPPER, OTHER]


def test_a_path_that_is_no_text_is_looked_at(shelf: sqlite3.Connection) -> None:
    root_id = roots.add_root(shelf, b"/srv/\xff").root_id
    folder_id = files.add_folder(shelf, root_id, "Ñ".encode(), None)
    files.insert_files(shelf, folder_id, [found(b"c.jpg", inode=3)], NOW)
    assert _find(shelf, "path:ñ/") == [3]


def test_ascii_patterns_are_left_to_the_indexes(shelf: sqlite3.Connection) -> None:
    for text in ("name:b", "make:nikon", "tag:family", "path:x/", "root:x", "genre:jazz"):
        for part in compile_query(plan_query(shelf, parse_query(text))):
            assert "casefold" not in part.ids()


def test_values_are_completed_whatever_their_case(shelf: sqlite3.Connection) -> None:
    known = KnownValues(shelf, 10)
    assert VALUES["genre"](known, "šan") == ["Šanson"]
    assert VALUES["tag"](known, "ärg") == VALUES["tag"](known, normalize("NFD", "ÄRG")) == ["Ärger"]
    assert VALUES["collection"](known, "ét") == ["Été"]


def test_names_of_saved_queries(shelf: sqlite3.Connection) -> None:
    save_query(shelf, normalize("NFD", "Öfter"), "name:b.jpg", NOW)
    assert _find(shelf, "@öfter") == _find(shelf, "@ÖFTER") == [OTHER]
    forget_query(shelf, "öfter")
    assert "öfter" not in collection_queries(shelf)


@pytest.mark.parametrize(
    ("one", "other"), [("É", "e\u0301"), ("Straße", "STRASSE"), ("ΣΑΣ", "σας"), ("Ab", "aB")]
)
def test_what_is_the_same_to_people(one: str, other: str) -> None:
    assert fold(one) == fold(other)


SAME_NAMES = [
    ("É", "é"),
    ("É", "e\u0301"),
    ("Élan", "E\u0301LAN"),
    ("Straße", "STRASSE"),
    ("Straße", "STRA\u1e9eE"),
    ("İ", "i\u0307"),
    ("İzmir", "I\u0307ZMIR"),
    ("ΟΔΟΣ", "οδος"),
    ("ΟΔΟΣ", "οδοσ"),
    ("ᾌ", "ἄι"),
    ("K", "\u212a"),
    ("Family", "fAMILY"),
]
OTHER_NAMES = [("İzmir", "izmir"), ("ı", "i"), ("E", "É"), ("a", "ª"), ("%", "x"), ("_", "x")]


@pytest.mark.parametrize(("one", "other"), SAME_NAMES)
def test_names_that_are_the_same_are_one_tag_and_one_saved_query(
    db: sqlite3.Connection, one: str, other: str
) -> None:
    first, second = _two_files(db)
    assert tags.add_tag(db, [first], one) == 1
    assert tags.add_tag(db, [first], other) == 0
    assert tags.add_tag(db, [second], other) == 1
    assert tags.list_tags(db) == [(one, 2)], "as it was written first"
    for name in (one, other):
        assert _find(db, f"tag:{name}") == [first, second]
        assert _find(db, f"-tag:{name}") == []
        assert VALUES["tag"](KnownValues(db, 10), name) == [one]
    assert tags.remove_tag(db, [first, second], other) == 2
    assert tags.list_tags(db) == []
    assert not save_query(db, one, "name:a.jpg", NOW)
    assert save_query(db, other, "name:b.jpg", NOW), "takes the place of the other"
    assert _find(db, f'@"{one}"') == _find(db, f'collection:"{other}"') == [second]
    forget_query(db, one)
    assert collection_queries(db) == {}


@pytest.mark.parametrize(("one", "other"), OTHER_NAMES)
def test_names_that_differ_are_two_tags(db: sqlite3.Connection, one: str, other: str) -> None:
    first, second = _two_files(db)
    tags.add_tag(db, [first], one)
    tags.add_tag(db, [second], other)
    assert len(tags.list_tags(db)) == 2
    assert [_find(db, f'tag:"{name}"') for name in (one, other)] == [[first], [second]]


def test_any_program_may_open_the_names(tmp_path: Path) -> None:
    """What makes names unique needs no function or collation of ours."""
    path = tmp_path / "library.yapmo"
    create_library(os.fsencode(path))
    with closing(sqlite3.connect(path)) as db:
        for insert in (
            "INSERT INTO tag (name, folded) VALUES (?, 'élan')",
            "INSERT INTO collection (name, folded, created_at) VALUES (?, 'élan', 1)",
        ):
            db.execute(insert, ("Élan",))
            with pytest.raises(sqlite3.IntegrityError):
                db.execute(insert, ("élan",))
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_tags_stand_in_alphabetical_order_whatever_their_case(db: sqlite3.Connection) -> None:
    first, _ = _two_files(db)
    for name in ("b", "Zoo", "A", "c"):
        tags.add_tag(db, [first], name)
    assert tags.tags_of(db, first) == [name for name, _ in tags.list_tags(db)] == ["A", "b", "c", "Zoo"]


def _two_files(db: sqlite3.Connection) -> tuple[int, int]:
    folder_id = files.add_folder(db, roots.add_root(db, b"/srv").root_id, b"x", None)
    files.insert_files(db, folder_id, [found(b"a.jpg", inode=1), found(b"b.jpg", inode=2)], NOW)
    return 1, 2
