"""The query language: one text for the search box, the commands and saved collections.

    beach kind:image camera:"canon eos" iso>800 taken:2019..2021-06 -tag:draft sort:taken-

Terms are separated by spaces and all must hold. A bare word is looked for by its beginning wherever words are
indexed; quotes keep words together; `-` before a term excludes; a comma between values means any of them.
`parse_query` checks everything, so that what it returns always compiles (`query_sql`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tui.errors import UsageError
from tui.library.query_fields import FIELDS_BY_NAME, MODEL_CONDITION, SORTABLE, Field, FieldType
from tui.library.query_values import Span, parse_value
from tui.library.values import stored_text
from tui.library.words import Phrase

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_QUERY = 4_096
"""Characters that a query may have."""

_MOST_TERMS = 100
_FIELD = re.compile(r"([A-Za-z_]+)(:>=|:<=|:>|:<|:=|>=|<=|:|>|<|=)")
_START = re.compile(r"\s*(-?)")
_WORD = re.compile(r"\S+")
_VALUE = re.compile(r'"([^"]*)"|([^\s,"]+)')


class QueryError(UsageError):
    """A query that cannot be understood.

    Attributes:
        text: the query.
        position: 0-based index of the character where the mistake is.
        problem: what is wrong there.
        expected: what was expected there.
    """

    def __init__(self, text: str, position: int, problem: str, expected: str) -> None:
        """Say what is wrong (`problem`) at `position` of `text`, and what was `expected`."""
        super().__init__(
            f"{problem} (at character {position + 1} of the query)", hint=f"Expected: {expected}."
        )
        self.text = text
        self.position = position
        self.problem = problem
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Condition:
    """One term, checked: either words for the full-text index or a condition in SQL.

    Attributes:
        negated: the term must not hold.
        phrases: any of these must occur; empty for a condition in SQL.
        folders: SQL that gives the ids of the folders that the file must lie in, with `?` for each of `folder_values`.
        folder_values: what stands for those.
        sql: condition over `file`, with `?` for each of `values`; holds as well as `folders`.
        values: what stands for those.
    """

    negated: bool = False
    phrases: tuple[Phrase, ...] = ()
    folders: str = ""
    folder_values: tuple[str | bytes, ...] = ()
    sql: str = ""
    values: tuple[str | int | float | bytes, ...] = ()

    def without_folders(self) -> Condition:
        """Return the same condition with `folders` written into `sql`."""
        if not self.folders:
            return self
        sql = f"file.folder_id IN ({self.folders})" + (f" AND {self.sql}" if self.sql else "")
        return replace(
            self, folders="", folder_values=(), sql=sql, values=(*self.folder_values, *self.values)
        )


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood.

    Attributes:
        text: as it was written.
        conditions: what must hold.
        sort: name of the field to sort by; empty for the order in which files were found.
        falling: the highest first.
        with_missing: missing files are not left out (some condition speaks of them).
        folder: only files at or below this absolute path; None for all.
    """

    text: str = ""
    conditions: tuple[Condition, ...] = ()
    sort: str = ""
    falling: bool = False
    with_missing: bool = False
    folder: bytes | None = None

    def sorted_by(self, field: str, *, falling: bool = False) -> Query:
        """Return the same query in another order.

        Raises:
            QueryError: nothing can be sorted by that field.
        """
        known = FIELDS_BY_NAME.get(field.lower())
        if known is None or not known.order:
            raise QueryError(field, 0, f"Nothing can be sorted by {field!r}", ", ".join(SORTABLE))
        return replace(self, sort=known.name, falling=falling)

    def within(self, folder: bytes | None) -> Query:
        """Return the same query for the files at or below `folder` (absolute path); None for all."""
        return replace(self, folder=folder)


def parse_query(text: str) -> Query:
    """Return what a query means.

    Raises:
        QueryError: it has a mistake; the error says where and what was expected.
    """
    if len(text) > LONGEST_QUERY:
        raise QueryError(
            text, LONGEST_QUERY, "The query is too long", f"at most {LONGEST_QUERY:,} characters"
        )
    query = Query(text)
    conditions: list[Condition] = []
    for term in _split(text):
        if term.field is None:
            conditions.append(_word_condition(term))
        elif term.field.type is FieldType.SORT:
            query = _sort(query, term)
        else:
            conditions.append(_field_condition(term, term.field))
            if term.field.name in ("missing", "state"):
                query = replace(query, with_missing=True)
        if len(conditions) > _MOST_TERMS:
            raise QueryError(text, term.position, "The query has too many terms", f"at most {_MOST_TERMS}")
    return replace(query, conditions=tuple(conditions))


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    position: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class _Term:
    """One term as written: a word (`field` is None) or a field with an operator and values."""

    query: str
    position: int
    negated: bool
    field: Field | None
    operator: str
    values: tuple[_Value, ...]

    def mistake(self, problem: str, expected: str, position: int | None = None) -> QueryError:
        return QueryError(self.query, self.position if position is None else position, problem, expected)


def _split(text: str) -> Iterator[_Term]:
    """Yield the terms of a query; a `-` by itself, as in "Artist - Title", is no term."""
    position = 0
    while match := _START.match(text, position):
        start = position = match.end()
        if position >= len(text):
            return
        if text[position].isspace():
            continue
        negated = bool(match.group(1))
        head = _FIELD.match(text, position)
        field = None
        operator = ""
        if head is not None:
            field = _find_field(text, start, head.group(1))
            operator = head.group(2).lstrip(":") or ":"
            values, position = _read_values(text, head.end(), field)
        else:
            values, position = _read_word(text, position)
        yield _Term(text, start, negated, field, operator, values)


def _find_field(text: str, position: int, name: str) -> Field:
    field = FIELDS_BY_NAME.get(name.lower())
    if field is not None:
        return field
    close = get_close_matches(name.lower(), FIELDS_BY_NAME, n=3, cutoff=0.6)
    expected = " or ".join(close) if close else "a field such as kind, taken, camera, size"
    raise QueryError(
        text, position, f"There is no field {name!r}", f'{expected}; or quotes, "{name}:…", for a word'
    )


def _read_word(text: str, position: int) -> tuple[tuple[_Value, ...], int]:
    """Read a word, or words in quotes, and return it with the position after it."""
    if text[position] == '"':
        end = text.find('"', position + 1)
        if end < 0:
            raise QueryError(text, position, "The quotes are not closed", 'a closing "')
        return (_Value(text[position + 1 : end], position, quoted=True),), end + 1
    match = _WORD.match(text, position)
    end = match.end() if match else len(text)
    return (_Value(text[position:end], position, quoted=False),), end


def _read_values(text: str, position: int, field: Field) -> tuple[tuple[_Value, ...], int]:
    """Read what stands after a field's operator: one value, or several with commas between."""
    values = []
    while True:
        match = _VALUE.match(text, position)
        if match is None:
            if text.startswith('"', position):
                raise QueryError(text, position, "The quotes are not closed", 'a closing "')
            raise QueryError(text, position, f"{field.name} has no value", field.expected)
        quoted, plain = match.groups()
        values.append(_Value(plain if quoted is None else quoted, position, quoted is not None))
        position = match.end()
        if not text.startswith(",", position):
            return tuple(values), position
        position += 1


def _sort(query: Query, term: _Term) -> Query:
    (value, *others) = term.values
    if query.sort or others:
        raise term.mistake("The order is given twice", "one sort:FIELD")
    name = value.text.strip("+-")
    known = FIELDS_BY_NAME.get(name.lower())
    if known is None or not known.order or term.negated:
        raise term.mistake(f"Nothing can be sorted by {value.text!r}", ", ".join(SORTABLE), value.position)
    return replace(query, sort=known.name, falling=value.text.endswith("-") or value.text.startswith("-"))


def _word_condition(term: _Term) -> Condition:
    (value,) = term.values
    if not _has_token(value.text):
        return Condition(term.negated, sql="instr(file.display_name, ?)", values=(stored_text(value.text),))
    return Condition(term.negated, phrases=(_phrase(value),))


def _phrase(value: _Value, column: str = "") -> Phrase:
    return Phrase(stored_text(value.text), column, prefix=not value.quoted)


def _has_token(text: str) -> bool:
    """Return whether the full-text index sees a word in `text` (tokenizer unicode61: letters, digits, private use)."""
    return any(
        unicodedata.category(character)[0] in "LN" or unicodedata.category(character) == "Co"
        for character in text
    )


def _field_condition(term: _Term, field: Field) -> Condition:
    """Return the condition of a field: any of its values."""
    if term.operator not in (":", "=") and not field.has_order:
        raise term.mistake(
            f"{field.name} cannot be compared by {term.operator}", f"{field.name}: and {field.expected}"
        )
    if field.type is FieldType.WORDS:
        return _words_condition(term, field)
    parts = [_part(term, field, value) for value in term.values]
    if len(parts) == 1:
        return replace(parts[0], negated=term.negated)
    parts = [part.without_folders() for part in parts]
    sql = " OR ".join(f"({part.sql})" for part in parts)
    return Condition(term.negated, sql=sql, values=tuple(value for part in parts for value in part.values))


def _words_condition(term: _Term, field: Field) -> Condition:
    for value in term.values:
        if not _has_token(value.text):
            raise term.mistake(f"{value.text!r} is no word", field.expected, value.position)
    return Condition(term.negated, phrases=tuple(_phrase(value, field.column) for value in term.values))


def _part(term: _Term, field: Field, value: _Value) -> Condition:
    """Return the condition for one value of a field that is compared in SQL."""
    if field.choices:
        for word, condition in field.choices:
            if word == value.text.lower():
                return Condition(sql=condition)
        raise term.mistake(f"{field.name} cannot be {value.text!r}", field.expected, value.position)
    if field.type is FieldType.TEXT:
        return _text_part(term, field, value)
    if field.type is FieldType.PATH:
        return _path_part(value)
    if field.type is FieldType.TAG:
        sql = "file.id IN (SELECT file_id FROM file_tag JOIN tag ON tag.id = file_tag.tag_id WHERE tag.name = ?)"
        return Condition(sql=sql, values=(stored_text(value.text),))
    return _range_part(term, field, value)


def _text_part(term: _Term, field: Field, value: _Value) -> Condition:
    text = stored_text(value.text)
    whole = term.operator == "=" or field.name == "ext"
    if not value.quoted and any(character in text for character in "*?"):
        pattern = _escape_like(text).replace("*", "%").replace("?", "_")
    elif whole:
        pattern = _escape_like(text.removeprefix(".") if field.name == "ext" else text)
    else:
        pattern = f"%{_escape_like(text)}%"
    if field.name == "model":
        return Condition(sql=MODEL_CONDITION, values=(pattern,))
    return Condition(sql=f"{field.column} LIKE ? ESCAPE '\\'", values=(pattern,))


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _path_part(value: _Value) -> Condition:
    """Return the condition for a part of a path: folder part and beginning of the name, or all below an absolute path."""
    text = stored_text(value.text)
    if text.startswith("/"):
        return _absolute_part(text.rstrip("/").encode("utf-8"))
    head, slash, tail = text.rpartition("/")
    inside = f"%{_escape_like(text)}%"
    if not tail:
        return Condition(folders=_FOLDERS_LIKE, folder_values=(inside,))
    folders = f"file.folder_id IN ({_FOLDERS_LIKE})"
    if not slash:
        return Condition(sql=f"({folders} OR file.display_name LIKE ? ESCAPE '\\')", values=(inside, inside))
    return Condition(
        sql=f"({folders} OR ({folders} AND file.display_name LIKE ? ESCAPE '\\'))",
        values=(inside, f"%{_escape_like(head)}/", f"{_escape_like(tail)}%"),
    )


def _absolute_part(path: bytes) -> Condition:
    """Return the condition for all files below an absolute path, or for the file at it."""
    folder, _, name = path.rpartition(b"/")
    return Condition(
        folders=f"{FOLDERS_BELOW} UNION ALL {_FOLDER_AT}",
        folder_values=(path, folder),
        sql=f"(file.name = ? OR file.folder_id IN ({FOLDERS_BELOW}))",
        values=(name, path),
    )


_FOLDERS_LIKE = (
    "SELECT folder.id FROM folder JOIN root ON root.id = folder.root_id "
    "WHERE CAST(root.path AS TEXT) || '/' || folder.display_path || '/' LIKE ? ESCAPE '\\'"
)
_FOLDER_AT = (
    "SELECT folder.id FROM folder JOIN root ON root.id = folder.root_id "
    "WHERE CAST(rtrim(root.path, '/') || iif(folder.path = x'', '', '/') || folder.path AS BLOB) = ?"
)
_ROOT = "CAST(rtrim(root.path, '/') AS BLOB)"
FOLDERS_BELOW = f"""
SELECT folder.id FROM (
    SELECT root.id AS root_id, {_ROOT} = asked.path OR ({_ROOT} > CAST(asked.path || '/' AS BLOB)
        AND {_ROOT} < CAST(asked.path || '0' AS BLOB)) AS whole,
        substr(asked.path, 1, length({_ROOT}) + 1) = CAST({_ROOT} || '/' AS BLOB) AS inside,
        substr(asked.path, length({_ROOT}) + 2) AS path
    FROM (SELECT ? AS path) AS asked CROSS JOIN root
) AS part CROSS JOIN folder ON folder.root_id = part.root_id
WHERE part.whole OR part.inside AND (folder.path = part.path OR (folder.path > CAST(part.path || '/' AS BLOB)
    AND folder.path < CAST(part.path || '0' AS BLOB)))"""
"""SQL for the folders at or below one absolute path: a BLOB without a slash at its end, empty for `/`."""


def _range_part(term: _Term, field: Field, value: _Value) -> Condition:
    """Return the condition for a value or a range of numbers, sizes, durations or dates."""
    first, dots, last = value.text.partition("..")
    if dots and term.operator in (":", "="):
        low = parse_value(field.type, first) if first else None
        high = parse_value(field.type, last) if last else None
        if (first and low is None) or (last and high is None) or not (first or last):
            raise term.mistake(f"{value.text!r} is no range", field.expected, value.position)
        parts = [_compare(field.column, ">=", low)] if low else []
        parts += [_compare(field.column, "<=", high)] if high else []
        return Condition(
            sql=" AND ".join(part.sql for part in parts), values=tuple(part.values[0] for part in parts)
        )
    span = parse_value(field.type, value.text)
    if span is None:
        raise term.mistake(f"{value.text!r} is no {field.type.value}", field.expected, value.position)
    return _compare(field.column, term.operator, span)


def _compare(column: str, operator: str, span: Span) -> Condition:
    """Return the condition for a column compared with what a value stands for."""
    if operator in (":", "="):
        if isinstance(span.point, int) and span.high == span.point + 1:
            return Condition(sql=f"{column} = ?", values=(span.point,))
        return Condition(sql=f"({column} >= ? AND {column} < ?)", values=(span.low, span.high))
    if span.point is not None:
        return Condition(sql=f"{column} {operator} ?", values=(span.point,))
    # a date is a period: after it, from its beginning on, before it, up to its end
    bound = span.high if operator in (">", "<=") else span.low
    return Condition(sql=f"{column} {'>=' if operator[0] == '>' else '<'} ?", values=(bound,))
