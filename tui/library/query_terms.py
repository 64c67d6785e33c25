"""Reading a query from left to right: terms, parentheses and `or`, each with its place in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING

from tui.errors import UsageError
from tui.library.query_fields import FIELDS_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.library.query_fields import Field

FIELD_HEAD = re.compile(r"([A-Za-z_]+)(:>=|:<=|:>|:<|:=|>=|<=|:|>|<|=)")
"""Name and operator of a term that asks a field."""

_OR = re.compile(r"or(?=[\s()]|\Z)", re.IGNORECASE)
TERM_START = re.compile(r"\s*(-?)")
"""Blanks before a term, and its negation."""


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
        self.place = (text, position)


class Sign(Enum):
    """What a token is."""

    TERM = "a term"
    OPEN = "("
    CLOSE = ")"
    OR = "or"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Value:
    """One value as written, without its quotes; `position` is where it begins in the query."""

    text: str
    position: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a query as written.

    Attributes:
        query: the whole query.
        position: where the piece begins in it.
        sign: what it is.
        negated: a `-` stands before the term or the parenthesis.
        field: field of a term; None for words, and for what is no term.
        operator: what stands between field and values.
        values: what the field is compared with, any of them; one value, the words, where there is no field.
    """

    query: str
    position: int
    sign: Sign
    negated: bool = False
    field: Field | None = None
    operator: str = ""
    values: tuple[Value, ...] = ()

    def mistake(self, problem: str, expected: str, position: int | None = None) -> QueryError:
        """Return the error of something wrong here, or at another `position` of the query."""
        return QueryError(self.query, self.position if position is None else position, problem, expected)


def read_tokens(text: str) -> Iterator[Token]:
    """Yield the pieces of a query, END last; a `-` by itself, as in "Artist - Title", is none.

    Raises:
        QueryError: there is no such field, quotes are not closed, or a field has no value.
    """
    position = 0
    while match := TERM_START.match(text, position):
        start = position = match.end()
        if position >= len(text):
            break
        character = text[position]
        negated = bool(match.group(1))
        if character.isspace() or (negated and character == ")"):
            continue
        if character in "()":
            yield Token(text, start, Sign.OPEN if character == "(" else Sign.CLOSE, negated)
            position += 1
        elif not negated and (found := _OR.match(text, position)):
            yield Token(text, start, Sign.OR)
            position = found.end()
        else:
            token, position = _read_term(text, start, negated)
            yield token
    yield Token(text, len(text), Sign.END)


def _read_term(text: str, start: int, negated: bool) -> tuple[Token, int]:
    """Read the term at `start` and return it with the position after it."""
    head = FIELD_HEAD.match(text, start)
    if head is not None:
        field = _find_field(text, start, head.group(1))
        operator = head.group(2).lstrip(":") or ":"
        values, position = _read_values(text, head.end(), field)
    elif text[start] == "@":
        field, operator = FIELDS_BY_NAME["collection"], ":"
        values, position = _read_values(text, start + 1, field)
    else:
        value, position = _read_word(text, start)
        return Token(text, start, Sign.TERM, negated, values=(value,)), position
    return Token(text, start, Sign.TERM, negated, field, operator, values), position


def _find_field(text: str, position: int, name: str) -> Field:
    field = FIELDS_BY_NAME.get(name.lower())
    if field is not None:
        return field
    close = get_close_matches(name.lower(), FIELDS_BY_NAME, n=3, cutoff=0.6)
    expected = " or ".join(close) if close else "a field such as kind, taken, camera, size"
    raise QueryError(
        text, position, f"There is no field {name!r}", f'{expected}; or quotes, "{name}:…", for a word'
    )


def _read_word(text: str, position: int) -> tuple[Value, int]:
    """Read a word, or words in quotes, and return it with the position after it."""
    if text[position] == '"':
        return _read_quoted(text, position)
    end = end_of_word(text, position)
    return Value(text[position:end], position, quoted=False), end


def _read_values(text: str, position: int, field: Field) -> tuple[tuple[Value, ...], int]:
    """Read what stands after a field's operator: one value, or several with commas between."""
    values = []
    while True:
        if text.startswith('"', position):
            value, position = _read_quoted(text, position)
        else:
            end = end_of_word(text, position, ',"')
            if end == position:
                raise QueryError(text, position, f"{field.name} has no value", field.expected)
            value, position = Value(text[position:end], position, quoted=False), end
        values.append(value)
        if not text.startswith(",", position):
            return tuple(values), position
        position += 1


def _read_quoted(text: str, position: int) -> tuple[Value, int]:
    end = text.find('"', position + 1)
    if end < 0:
        raise QueryError(text, position, "The quotes are not closed", 'a closing "')
    return Value(text[position + 1 : end], position, quoted=True), end + 1


def end_of_word(text: str, position: int, stops: str = "") -> int:
    """Return where a word ends: at a blank, at one of `stops`, or at a `)` that was not opened in it (`photo(1).jpg`)."""
    depth = 0
    for index in range(position, len(text)):
        character = text[index]
        if character == "(":
            depth += 1
        elif character == ")":
            if not depth:
                return index
            depth -= 1
        elif character.isspace() or character in stops:
            return index
    return len(text)
