"""Saved queries: kept by name, usable in other queries, never in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.library.found import NOW
from tui.errors import UsageError
from tui.library import reader
from tui.library.query import QueryError, parse_query
from tui.library.saved_queries import collection_queries, forget_query, list_saved, save_query

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    Add = Callable[..., list[int]]


@pytest.fixture
def ids(add: Add) -> list[int]:
    """Four files: a.jpg, b.jpg, c.png, d.png."""
    return add(b"x/a.jpg", b"x/b.jpg", b"y/c.png", b"y/d.png")


def _find(db: sqlite3.Connection, text: str) -> list[int]:
    query = parse_query(text, collection_queries(db))
    found = list(reader.read_order(db, query))
    assert reader.count_files(db, query) == len(found)
    return found


def test_a_saved_query_is_a_term_like_any_other(db: sqlite3.Connection, ids: list[int]) -> None:
    a, b, c, d = ids
    assert not save_query(db, "Pictures of x", "path:x/ or c", NOW)
    assert not save_query(db, "png", "ext:png", NOW)
    assert _find(db, '@"pictures OF X"') == [a, b, c]
    assert _find(db, '@"pictures of x" @png') == [c]
    assert _find(db, "query:png") == _find(db, "collection:PNG") == [c, d]
    assert _find(db, "-@png") == [a, b]
    assert _find(db, "a or (@png -c)") == [a, d]
    assert _find(db, '@png,"pictures of x"') == ids
    save_query(db, "nested", '@png -@"pictures of x"', NOW)
    assert _find(db, "@nested") == [d]


def test_the_order_of_a_saved_query_holds_unless_another_is_given(
    db: sqlite3.Connection, ids: list[int]
) -> None:
    a, b, c, d = ids
    save_query(db, "backwards", "sort:name-", NOW)
    assert _find(db, "@backwards") == [d, c, b, a]
    assert _find(db, "@backwards sort:name") == ids
    assert _find(db, "ext:jpg @backwards") == [b, a]
    assert _find(db, "ext:jpg (a or @backwards)") == [a, b]


def test_a_saved_query_may_speak_of_missing_files(db: sqlite3.Connection, ids: list[int]) -> None:
    db.execute("UPDATE file SET missing_since = 1 WHERE id = ?", (ids[0],))
    save_query(db, "gone", "missing:yes", NOW)
    assert _find(db, "@gone") == ids[:1]
    assert _find(db, "a") == []


def test_collections_of_files(db: sqlite3.Connection, ids: list[int]) -> None:
    db.execute("INSERT INTO collection (id, name, folded, created_at) VALUES (1, 'Best of', 'best of', 1)")
    db.executemany(
        "INSERT INTO collection_file (collection_id, file_id) VALUES (1, ?)", [(ids[1],), (ids[2],)]
    )
    assert _find(db, 'collection:"best OF"') == ids[1:3]
    assert _find(db, '-@"best of"') == [ids[0], ids[3]]
    assert _find(db, "has:collection") == ids[1:3]
    with pytest.raises(UsageError, match="is a collection of files"):
        save_query(db, "BEST of", "a", NOW)


def test_saving_listing_and_forgetting(db: sqlite3.Connection) -> None:
    save_query(db, "  b   c ", " kind:image ", NOW)
    save_query(db, "Äpfel", "apfel", NOW)
    assert save_query(db, "äpfel", "obst", NOW + 1)
    assert [(item.name, item.query, item.created_at) for item in list_saved(db)] == [
        ("b c", "kind:image", NOW),
        ("äpfel", "obst", NOW + 1),
    ]
    forget_query(db, "B C")
    assert [item.name for item in list_saved(db)] == ["äpfel"]
    with pytest.raises(UsageError, match="no saved query 'b c'"):
        forget_query(db, "b c")


@pytest.mark.parametrize("name", ["", "  ", 'a"b', "x" * 101, "a\x1b[31m", "\u202e"])
def test_names_that_are_none(db: sqlite3.Connection, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        save_query(db, name, "a", NOW)


def test_what_cannot_be_saved(db: sqlite3.Connection) -> None:
    with pytest.raises(UsageError, match="no query to save"):
        save_query(db, "a", "  ", NOW)
    with pytest.raises(QueryError, match="no field 'colour'"):
        save_query(db, "a", "colour:red", NOW)
    assert list_saved(db) == []


def test_a_circle_is_refused(db: sqlite3.Connection) -> None:
    with pytest.raises(QueryError, match=r"'a' asks for itself \(a → a\)"):
        save_query(db, "a", "x @a", NOW)
    save_query(db, "b", "x", NOW)
    save_query(db, "a", "@b", NOW)
    with pytest.raises(QueryError, match="asks for itself") as caught:
        save_query(db, "B", "kind:image (@a)", NOW)
    assert caught.value.position == len("kind:image (@")
    assert [item.query for item in list_saved(db)] == ["@b", "x"]


def test_mistakes_in_saved_queries_are_shown_where_they_are_named() -> None:
    known: dict[str, str | None] = {"a": "x @b", "b": "colour:red", "c": "@d", "d": "@c"}
    for text, position, problem in (
        ("x -@a", 4, "In the saved query 'b': There is no field 'colour'"),
        ("query:a", 6, "In the saved query 'b'"),
        ("@c", 1, "asks for itself (c → d → c)"),
        ("@nothing", 1, "There is no collection or saved query 'nothing'"),
        ('x @b,"no one"', 3, "In the saved query 'b'"),
    ):
        with pytest.raises(QueryError) as caught:
            parse_query(text, known)
        assert (caught.value.position, problem in caught.value.problem) == (position, True), (
            caught.value.problem
        )
    with pytest.raises(QueryError) as caught:
        parse_query("@nothing", known)
    assert caught.value.expected == "one of a, b, c, d"


def test_saved_queries_that_multiply_are_refused() -> None:
    known: dict[str, str | None] = {f"q{level}": f"@q{level + 1} @q{level + 1}" for level in range(8)}
    known["q8"] = "x y"
    with pytest.raises(QueryError, match="too many terms"):
        parse_query("@q0", known)
    chain: dict[str, str | None] = {f"q{level}": f"@q{level + 1}" for level in range(50)}
    chain["q50"] = "x"
    with pytest.raises(QueryError, match="too deep"):
        parse_query("@q0", chain)
