"""What a query that is being typed may go on with: fields, and values of the field that stands before the cursor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.display import display
from tui.library.known_values import VALUES, KnownValues
from tui.library.patterns import fold
from tui.library.query_fields import FIELDS, FIELDS_BY_NAME, SORTABLE, FieldType
from tui.library.query_terms import FIELD_HEAD, TERM_START, end_of_word
from tui.library.query_values import NAMED_DATES

if TYPE_CHECKING:
    import sqlite3

    from tui.library.query_fields import Field

MOST_COMPLETIONS = 20
"""How many completions are offered at once."""

_RECENT_DATES = ("last-24h", "last-7d", "last-30d", "last-6m", "last-1y")
_DATED = frozenset({FieldType.DATE, FieldType.TIME, FieldType.INSTANT})
_NEEDS_QUOTES = re.compile(r'[\s,()"]')


@dataclass(frozen=True, slots=True)
class Completion:
    """One way to go on.

    Attributes:
        start: 0-based index of what it replaces in the typed text, which goes up to the end.
        text: what stands there then.
        label: the same as people read it in a list.
    """

    start: int
    text: str
    label: str

    def applied(self, typed: str) -> str:
        """Return the typed text with this at its end."""
        return typed[: self.start] + self.text


@dataclass(frozen=True, slots=True)
class _Place:
    """What is being typed: the name of a field (`field` is None), or a value of one.

    Attributes:
        start: where it begins in the text.
        prefix: what is there so far, without an opening quote.
        field: the field whose value it is.
    """

    start: int
    prefix: str
    field: Field | None = None


def complete_query(
    typed: str, db: sqlite3.Connection | None = None, *, budget_s: float = 0.05
) -> list[Completion]:
    """Return how the end of a query may go on, the likeliest first; empty where nothing is known.

    Args:
        typed: the query up to the cursor.
        db: a reading connection to the library, for values that it has; None to go without.
        budget_s: seconds that looking for values may take; what was found until then is offered.
    """
    place = _find_place(typed)
    if place is None:
        return []
    if place.field is None:
        return [Completion(place.start, name, name) for name in _field_names(place.prefix)]
    values = _values(place.field, place.prefix, db, budget_s)
    shown = [
        value for value in values if value != place.prefix and '"' not in value and value == display(value)
    ]
    return [Completion(place.start, _quoted(value), value) for value in shown[:MOST_COMPLETIONS]]


def asks_library(typed: str) -> bool:
    """Return whether `complete_query` finds more with a library than without."""
    place = _find_place(typed)
    return place is not None and place.field is not None and place.field.name in VALUES


def _find_place(typed: str) -> _Place | None:
    """Return what is being typed at the end of a text that need not be a whole query; None within quoted words."""
    position = 0
    while match := TERM_START.match(typed, position):
        position = match.end()
        found: _Place | int | None
        if position == len(typed):
            begins = not typed or typed[-1] in "( -" or typed[-1].isspace()
            return _Place(position, "") if begins else None
        if typed[position].isspace() or typed[position] in "()":
            position += 1
            continue
        head = FIELD_HEAD.match(typed, position)
        if head is not None and head.group(1).lower() in FIELDS_BY_NAME:
            found = _find_value(typed, head.end(), FIELDS_BY_NAME[head.group(1).lower()])
        elif typed[position] == "@":
            found = _find_value(typed, position + 1, FIELDS_BY_NAME["collection"])
        else:
            found = _find_word(typed, position)
        if not isinstance(found, int):
            return found
        position = found
    return None


def _find_word(typed: str, start: int) -> _Place | int | None:
    """Return the word at `start` if the text ends with it, else the position after it; None in open quotes."""
    if typed[start] == '"':
        end = typed.find('"', start + 1)
        return end + 1 if end >= 0 else None
    end = end_of_word(typed, start)
    return _Place(start, typed[start:]) if end == len(typed) else end


def _find_value(typed: str, start: int, field: Field) -> _Place | int:
    """Return the value of `field` that the text ends with, else the position after the values at `start`."""
    while True:
        if typed.startswith('"', start):
            end = typed.find('"', start + 1) + 1
            if not end:
                return _Place(start, typed[start + 1 :], field)
        else:
            end = end_of_word(typed, start, ',"')
            if end == len(typed):
                dots = typed.rfind("..", start) if field.type in _DATED else -1
                start = start if dots < 0 else dots + 2
                return _Place(start, typed[start:], field)
        if not typed.startswith(",", end):
            return end
        start = end + 1


def _field_names(prefix: str) -> list[str]:
    """Return the names of fields that begin with `prefix`, each with a colon; other names only where no first one fits."""
    beginning = prefix.lower()
    names = [field.name for field in FIELDS if field.name.startswith(beginning)]
    names = names or [name for name in FIELDS_BY_NAME if name.startswith(beginning)]
    return [f"{name}:" for name in names]


def _values(field: Field, prefix: str, db: sqlite3.Connection | None, budget_s: float) -> list[str]:
    """Return values of a field: those that begin with `prefix`, then those that have it inside."""
    values = [word for word, _ in field.choices]
    if field.type in _DATED:
        values += [*NAMED_DATES, *_RECENT_DATES]
    if field.type is FieldType.SORT:
        values += [f"{name}{sign}" for name in SORTABLE for sign in ("", "-")]
    read = VALUES.get(field.name)
    if db is not None and read is not None:
        values += read(KnownValues(db, budget_s), prefix)
    sought = fold(prefix)
    first = [value for value in values if fold(value).startswith(sought)]
    return first + [value for value in values if sought in fold(value) and value not in first]


def _quoted(value: str) -> str:
    return f'"{value}"' if _NEEDS_QUOTES.search(value) else value
