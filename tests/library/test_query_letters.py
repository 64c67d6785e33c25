"""Letters beyond ASCII in queries: their case, and how they are composed, count for nothing; indexes still serve the others."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

import pytest

from tests.library.found import NOW, found
from tui.library import answers, files, roots, stages, tags
from tui.library.known_values import VALUES, KnownValues
from tui.library.patterns import fold
from tui.library.query import parse_query
from tui.library.query_plans import plan_query
from tui.library.query_sql import compile_query
from tui.library.saved_queries import collection_queries, forget_query, save_query
from tui.records import Extraction, Metadata

if TYPE_CHECKING:
    import sqlite3

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
    db.execute("INSERT INTO collection (name, created_at) VALUES ('Été', 1)")
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
    assert VALUES["tag"](known, "ärg") == ["Ärger"]


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
