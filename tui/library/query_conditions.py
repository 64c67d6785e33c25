"""What a term of a query means: words for the full-text index, or a condition in SQL with its values."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from tui.library.patterns import fold, sought
from tui.library.query_fields import (
    HAS,
    INDEXED_COLUMNS,
    INDEXED_FLAGS,
    INDEXED_PRESENCE,
    KNOWN_VALUES,
    MEMBERS,
    Field,
    FieldType,
)
from tui.library.query_tree import Condition, Node, Words, either
from tui.library.query_values import Span, parse_value
from tui.library.values import stored_text
from tui.library.words import Phrase

if TYPE_CHECKING:
    from tui.library.query_terms import Token, Value


def term_condition(term: Token) -> Node:
    """Return what a term asks, without its negation.

    Raises:
        QueryError: it has a mistake.
    """
    if term.field is None:
        return _word_condition(term)
    return _field_condition(term, term.field)


def _word_condition(term: Token) -> Node:
    (value,) = term.values
    if not _has_token(value.text):
        return Condition("instr(file.display_name, ?)", (stored_text(value.text),))
    return Words((_phrase(value),))


def _phrase(value: Value, column: str = "") -> Phrase:
    return Phrase(stored_text(value.text), column, prefix=not value.quoted)


def _has_token(text: str) -> bool:
    """Return whether the full-text index sees a word in `text` (tokenizer unicode61: letters, digits, private use)."""
    return any(
        unicodedata.category(character)[0] in "LN" or unicodedata.category(character) == "Co"
        for character in text
    )


def _field_condition(term: Token, field: Field) -> Node:
    """Return the condition of a field: any of its values."""
    if term.operator not in (":", "=") and not field.has_order:
        raise term.mistake(
            f"{field.name} cannot be compared by {term.operator}", f"{field.name}: and {field.expected}"
        )
    if field.type is FieldType.WORDS:
        return _words_condition(term, field)
    parts = [_part(term, field, value) for value in term.values]
    if len(parts) == 1:
        return parts[0]
    if all(part.known or part.members or part.name_words for part in parts):
        return either(parts)
    wholes = [part.without_folders() for part in parts]
    return Condition(
        " OR ".join(f"({part.sql})" for part in wholes),
        tuple(value for part in wholes for value in part.values),
        indexed=all(part.indexed for part in wholes),
        column=field.column,
    )


def _words_condition(term: Token, field: Field) -> Node:
    for value in term.values:
        if not _has_token(value.text):
            raise term.mistake(f"{value.text!r} is no word", field.expected, value.position)
    return Words(tuple(_phrase(value, field.column) for value in term.values))


def _part(term: Token, field: Field, value: Value) -> Condition:
    """Return the condition for one value of a field that is compared in SQL."""
    if field.choices:
        for word, condition in field.choices:
            if word == value.text.lower():
                return _choice_part(field, word, condition)
        raise term.mistake(f"{field.name} cannot be {value.text!r}", field.expected, value.position)
    if field.type is FieldType.TEXT:
        return _text_part(term, field, value)
    if field.type is FieldType.PATH:
        return _path_part(value)
    if field.type is FieldType.ROOT:
        return _root_part(value)
    if field.type in (FieldType.TAG, FieldType.COLLECTION):
        return _member_part(field, value.text)
    return _range_part(term, field, value)


def _choice_part(field: Field, word: str, condition: str) -> Condition:
    column = f"file.{HAS[word]}" if field.type is FieldType.PRESENCE and word in HAS else field.column
    is_flag = word == "yes" and field.name in INDEXED_FLAGS
    return Condition(
        condition,
        indexed=_is_indexed(field, word),
        listed=is_flag,
        column=column,
        members=MEMBERS.get(field.name, "") if is_flag else "",
    )


def _member_part(field: Field, text: str) -> Condition:
    """Return the condition for a tag or a collection."""
    members, each = _MEMBERS[field.type], _IS_MEMBER[field.type]
    name = fold(stored_text(text))
    return Condition(
        f"file.id IN ({members})", (name,), indexed=True, listed=True, members=members, each=each
    )


def _is_indexed(field: Field, word: str) -> bool:
    """Return whether an index or a small table names the files for which a field is `word`."""
    if field.type is FieldType.PRESENCE:
        return word in INDEXED_PRESENCE
    return field.column in INDEXED_COLUMNS or (word == "yes" and field.name in INDEXED_FLAGS)


_MEMBERS = {
    FieldType.TAG: "SELECT file_id FROM file_tag JOIN tag ON tag.id = file_tag.tag_id WHERE folded = ?",
    FieldType.COLLECTION: (
        "SELECT file_id FROM collection_file JOIN collection ON collection.id = collection_file.collection_id WHERE folded = ?"
    ),
}
_IS_MEMBER = {
    FieldType.TAG: (
        "EXISTS (SELECT 1 FROM file_tag WHERE file_tag.file_id = file.id "
        "AND file_tag.tag_id IN (SELECT id FROM tag WHERE folded = ?))"
    ),
    FieldType.COLLECTION: (
        "EXISTS (SELECT 1 FROM collection_file WHERE collection_file.file_id = file.id "
        "AND collection_file.collection_id IN (SELECT id FROM collection WHERE folded = ?))"
    ),
}


def _text_part(term: Token, field: Field, value: Value) -> Condition:
    whole = term.operator == "=" or field.name == "ext"
    asked = sought(value.text.removeprefix(".") if field.name == "ext" else value.text)
    text = asked.text
    signs = "*?" if not value.quoted and any(character in text for character in "*?") else ""
    pattern = asked.escaped if whole else asked.inside
    if signs:
        pattern = asked.escaped.replace("*", "%").replace("?", "_")
    if field.name == "ext" and not signs and not asked.folded:
        words = _words_of_name(field, text, signs)
        return Condition(IS_EXTENSION, (text.lower(),), column=field.column, name_words=words)
    return Condition(
        asked.like(field.column),
        (pattern,),
        indexed=field.column in INDEXED_COLUMNS,
        column=field.column,
        known=KNOWN_VALUES[field.column] + asked.like("value") if field.column in KNOWN_VALUES else "",
        name_words=_words_of_name(field, text, signs) if (signs or whole) and not asked.folded else (),
    )


def _words_of_name(field: Field, pattern: str, signs: str) -> tuple[Phrase, ...]:
    """Return the complete words that the name of each file has that fits a pattern for its name or extension.

    Only words of ASCII letters and digits that ASCII signs enclose: what the index makes of others is its own affair.
    """
    if field.name == "ext":
        words = [pattern] if _ASCII_WORD.fullmatch(pattern) else []
    elif field.name == "name":
        parts = re.split(f"[{signs}]+", pattern) if signs else [pattern]
        # a sign that stands for any characters may go on with a word, the ends of the name cannot
        words = _ASCII_WORD_INSIDE.findall(f".{'é'.join(parts)}.")
    else:
        words = []
    return tuple(Phrase(word, "name") for word in words)


IS_EXTENSION = "file.extension = ?"
"""Extensions are kept in lower case."""

_ASCII_WORD = re.compile("[0-9A-Za-z]+")
_ASCII_WORD_INSIDE = re.compile(r"(?<=[\x00-/:-@\[-`{-\x7f])[0-9A-Za-z]+(?=[\x00-/:-@\[-`{-\x7f])")


def _path_part(value: Value) -> Condition:
    """Return the condition for a part of a path: folder part and beginning of the name, or all below an absolute path."""
    if value.text.startswith("/"):
        return _absolute_part(stored_text(value.text).rstrip("/").encode("utf-8"))
    asked = sought(value.text)
    head, slash, tail = asked.escaped.rpartition("/")
    like, named = _FOLDERS_WHERE + asked.like(_PATH_OF_FOLDER), asked.like("file.display_name")
    if not tail:
        return Condition(folders=like, folder_values=(asked.inside,))
    folders = f"file.folder_id IN ({like})"
    if not slash:
        return Condition(sql=f"({folders} OR {named})", values=(asked.inside, asked.inside))
    return Condition(
        sql=f"({folders} OR ({folders} AND {named}))", values=(asked.inside, f"%{head}/", f"{tail}%")
    )


def _root_part(value: Value) -> Condition:
    """Return the condition for a root: its number, or part of its label or path."""
    asked = sought(value.text)
    alike = f"{asked.like('root.label')} OR {asked.like('CAST(root.path AS TEXT)')}"
    folders = f"{_FOLDERS_WHERE}CAST(root.id AS TEXT) = ? OR {alike}"
    return Condition(folders=folders, folder_values=(asked.text, asked.inside, asked.inside))


def _absolute_part(path: bytes) -> Condition:
    """Return the condition for all files below an absolute path, or for the file at it."""
    folder, _, name = path.rpartition(b"/")
    return Condition(
        folders=f"{FOLDERS_BELOW} UNION ALL {_FOLDER_AT}",
        folder_values=(path, folder),
        sql=f"(file.name = ? OR file.folder_id IN ({FOLDERS_BELOW}))",
        values=(name, path),
    )


_FOLDERS_WHERE = "SELECT folder.id FROM folder JOIN root ON root.id = folder.root_id WHERE "
_PATH_OF_FOLDER = "CAST(root.path AS TEXT) || '/' || folder.display_path || '/'"
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


def _range_part(term: Token, field: Field, value: Value) -> Condition:
    """Return the condition for a value or a range of numbers, sizes, durations or dates."""
    indexed = field.column in INDEXED_COLUMNS
    first, dots, last = value.text.partition("..")
    if dots and field.has_order and term.operator in (":", "="):
        low = parse_value(field.type, first) if first else None
        high = parse_value(field.type, last) if last else None
        if (first and low is None) or (last and high is None) or not (first or last):
            raise term.mistake(f"{value.text!r} is no range", field.expected, value.position)
        if low is not None and high is not None and high.ends_before(low):
            raise term.mistake("The range ends before it begins", f"{last}..{first}", value.position)
        bounds = [(sign, span) for sign, span in ((">=", low), ("<=", high)) if span is not None]
        sides = [_compare(field.column, sign, span) for sign, span in bounds]
        return Condition(
            " AND ".join(sql for sql, _ in sides),
            tuple(value for _, values in sides for value in values),
            indexed=indexed,
            column=field.column,
        )
    span = parse_value(field.type, value.text)
    if span is None:
        raise term.mistake(f"{value.text!r} is no {field.type.value}", field.expected, value.position)
    sql, values = _compare(field.column, term.operator, span)
    return Condition(sql, values, indexed=indexed, column=field.column)


def _compare(column: str, operator: str, span: Span) -> tuple[str, tuple[int | float | str, ...]]:
    """Return the condition for a column compared with what a value stands for, and what stands for its `?`."""
    if operator in (":", "="):
        if (
            isinstance(span.point, int)
            and span.low == span.point
            and span.high in (span.point, span.point + 1)
        ):
            return f"{column} = ?", (span.point,)
        return f"({column} >= ? AND {column} < ?)", (span.low, span.high)
    if span.point is not None:
        return f"{column} {operator} ?", (span.point,)
    # a date is a period: after it, from its beginning on, before it, up to its end
    bound = span.high if operator in (">", "<=") else span.low
    return f"{column} {'>=' if operator[0] == '>' else '<'} ?", (bound,)
