"""`or`, parentheses and negated groups: how a text is read, where its mistakes are, what the full-text index answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.library.found import NOW
from tui.library import files, query_plans, reader, stages
from tui.library.query import QueryError, parse_query
from tui.library.query_fields import FIELDS
from tui.library.query_plans import plan_query
from tui.library.query_sql import compile_query, compile_word_count
from tui.library.query_tree import AllOf, Condition, Node, Not, Words, match_expression
from tui.records import HOT_FIELDS, LONG_FIELDS, Extraction, Metadata

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable


def test_every_column_of_metadata_is_reached_by_a_field() -> None:
    said = " ".join(f"{field.column} {field.choices} {field.order}" for field in FIELDS)
    for column in HOT_FIELDS:
        assert re.search(rf"file\.{column}\b", said), column
    assert set(LONG_FIELDS) <= {field.column for field in FIELDS}


def _shape(node: Node) -> str:
    """Return a tree as a text with all its parentheses."""
    if isinstance(node, Words):
        return ",".join(
            f"{phrase.column}:{phrase.text}" if phrase.column else phrase.text for phrase in node.phrases
        )
    if isinstance(node, Condition):
        return f"<{','.join(map(str, node.values)) or node.sql.removeprefix('file.')}>"
    if isinstance(node, Not):
        return f"-{_shape(node.part)}"
    sign = " & " if isinstance(node, AllOf) else " | "
    return f"[{sign.join(_shape(part) for part in node.parts)}]"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("a b", "[a & b]"),
        ("a or b", "[[a | b]]"),
        ("a OR b Or c", "[[a | b | c]]"),
        ("a b or c d", "[[[a & b] | [c & d]]]"),
        ("a (b or c) d", "[a & [b | c] & d]"),
        ("a -(b or c)", "[a & -[b | c]]"),
        ("-(a b)", "[-[a & b]]"),
        ("-(-a)", "[a]"),
        ("((a))", "[a]"),
        ("(a b) c", "[a & b & c]"),
        ("(a or b) or c", "[[a | b | c]]"),
        ('a "or" b', "[a & or & b]"),
        ("a -or b", "[a & -or & b]"),
        ("a orange", "[a & orange]"),
        ("a or(b c)", "[[a | [b & c]]]"),
        ("(a)or(b)", "[[a | b]]"),
        ("photo(1).jpg", "[photo(1).jpg]"),
        ("(photo(1).jpg or b)", "[[photo(1).jpg | b]]"),
        ("(title:a,b or iso:5)", "[[title:a,title:b | <5>]]"),
        ("(name:a(1))", "[<%a(1)%>]"),
        ('("a) b" c)', "[a) b & c]"),
        ("a - (b)", "[a & b]"),
        ("(a -)", "[a]"),
        ("a sort:size or b", "[[a | b]]"),
        ("sort:size", "[]"),
    ],
)
def test_how_a_query_is_read(text: str, shape: str) -> None:
    assert _shape(AllOf(parse_query(text).conditions)) == shape


@pytest.mark.parametrize(
    ("text", "position", "problem", "expected"),
    [
        ("a or", 2, "nothing after or", "both sides"),
        ("or a", 0, "nothing before or", "both sides"),
        ("a or or b", 2, "nothing after or", "quotes"),
        ("a (b or) c", 5, "nothing after or", "both sides"),
        ("a or sort:size", 2, "nothing after or", "both sides"),
        ("a (b c", 2, "parenthesis is not closed", ")"),
        ("a (b (c)", 2, "parenthesis is not closed", ")"),
        ("a b) c", 3, "This ) closes nothing", "("),
        ("a ()", 3, "nothing in the parentheses", "a term"),
        ("a -()", 4, "nothing in the parentheses", "a term"),
        ("a (sort:size b)", 3, "inside parentheses", "outside"),
        ("(" * 11 + "a" + ")" * 11, 10, "too deep", "10"),
        ("a (iso:x or b)", 7, "'x' is no number", "800"),
        ("a or (b isoo:5)", 8, "no field 'isoo'", "iso"),
        ("(kind:)", 6, "kind has no value", "image"),
        ("a @", 3, "collection has no value", "name"),
    ],
)
def test_a_mistake_is_where_it_is(text: str, position: int, problem: str, expected: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert (caught.value.position, problem in caught.value.problem) == (position, True), caught.value.problem
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("a b", '("a" * AND "b" *)'),
        ("a or b", '("a" * OR "b" *)'),
        ("a (b or title:c) -d", '(("a" * AND ("b" * OR {title} : "c" *)) NOT "d" *)'),
        ("a -(b c)", '(("a" *) NOT ("b" * AND "c" *))'),
        ("-a", None),
        ("-(a or b)", None),
        ("a or -b", None),
        ("a or iso:5", None),
        ("a (b or iso:5)", None),
    ],
)
def test_words_become_one_question_to_the_full_text_index(text: str, expression: str | None) -> None:
    conditions = parse_query(text).conditions
    assert match_expression(AllOf(conditions) if len(conditions) > 1 else conditions[0]) == expression


@pytest.fixture
def shelf(db: sqlite3.Connection, add: Callable[..., list[int]]) -> sqlite3.Connection:
    """Eight files, 1 to 8: one for each set of the words one, two and three; odd ones have ISO 100."""
    for number in range(8):
        words = [word for bit, word in enumerate(("one", "two", "three")) if number >> bit & 1]
        (file_id,) = add(b"%d.jpg" % number)
        metadata = Metadata(title=" ".join(words) or None, iso=100 if number % 2 == 0 else None)
        stages.save_extractions(db, [Extraction(file_id, 1_000, NOW, "exiftool", metadata, b"{}")])
    return db


def test_words_alone_are_found_and_counted_by_the_index(shelf: sqlite3.Connection) -> None:
    for text in ("one or two", "one (two or three)", "one -two", "(one two) or (three -one)"):
        plan = plan_query(shelf, parse_query(text))
        assert plan.match, text
        assert plan.query.conditions == (), text
        assert compile_word_count(plan) is not None, text
    for text in ("-one", "one or -two", "one or iso:100", "one missing:any"):
        assert compile_word_count(plan_query(shelf, parse_query(text))) is None, text


def test_words_beside_other_conditions_are_still_one_question(
    shelf: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_plans, "FEW", 0)
    (statement,) = compile_query(plan_query(shelf, parse_query("(one or two or iso:100 or three)")))
    assert statement.where.count("MATCH") == 1
    (statement,) = compile_query(plan_query(shelf, parse_query("one (two or iso:100)")))
    assert statement.where.count("MATCH") == 2


def _begins(db: sqlite3.Connection, text: str) -> bool:
    """Return whether a query begins with the few files that an `or` allows."""
    plan = plan_query(db, parse_query(text))
    (statement,) = compile_query(plan)
    steps = " | ".join(
        row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement.ids()}", statement.values)
    )
    return "SEARCH file USING INTEGER PRIMARY KEY" in steps and "SCAN file" not in steps


def test_an_or_with_few_files_begins_with_them(
    shelf: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = (
        "one or id:1",
        "(one iso:100) or rating:5 or size>1GB",
        "two or tag:x",
        "model:x or path:/srv/photos or one",
    )
    for text in few:
        assert _begins(shelf, text), text
    for text in ("one or channels:2", "one or -two", "(one or channels:2) -kind:image"):
        assert not _begins(shelf, text), text
    monkeypatch.setattr(query_plans, "FEW", 0)
    for text in few:
        assert not _begins(shelf, text), text


def test_an_or_finds_missing_files_only_when_asked(shelf: sqlite3.Connection) -> None:
    files.set_missing(shelf, [8], NOW)
    for text, ids in (("(one two) or id:1", [1, 4]), ("(one two) or id:1 missing:any", [1, 4, 8])):
        assert list(reader.read_order(shelf, parse_query(text))) == ids
        assert reader.count_files(shelf, parse_query(text)) == len(ids)


def test_the_deepest_query_is_still_answered(shelf: sqlite3.Connection) -> None:
    for inner in ("one", "iso:100"):
        text = inner
        for level in range(10):
            text = f"{'-' if level % 2 else ''}(two {'or' if level % 3 else ''} three {text})"
        query = parse_query(text)
        assert reader.count_files(shelf, query) == len(reader.read_order(shelf, query))
