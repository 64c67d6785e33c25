"""From a query to SQL: parameterised statements that give ids in order, or count them.

A sorted query becomes one or two parts, read one after the other: the files that have a value to sort by, then those
that have none. So a file without a date comes last in either direction, and each part can walk an index
that holds only the files with a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.library.query import FOLDER_CONDITION
from tui.library.query_fields import FIELDS_BY_NAME

if TYPE_CHECKING:
    from tui.library.query import Query

_BY_PATH = "folder CROSS JOIN file ON file.folder_id = folder.id"


@dataclass(frozen=True, slots=True)
class Statement:
    """One part of a compiled query.

    Attributes:
        source: what follows FROM.
        where: condition; never empty.
        order: what follows ORDER BY.
        reversed_order: the opposite order.
        values: what stands for the `?`.
    """

    source: str
    where: str
    order: str
    reversed_order: str
    values: tuple[Any, ...]

    def ids(self, *, backwards: bool = False) -> str:
        """Return SQL that gives the ids of files in order (or from the end)."""
        order = self.reversed_order if backwards else self.order
        return f"SELECT file.id FROM {self.source} WHERE {self.where} ORDER BY {order}"

    def count(self) -> str:
        """Return SQL that counts the files."""
        return f"SELECT count(*) FROM {self.source} WHERE {self.where}"


def match_expression(query: Query) -> str:
    """Return the FTS5 expression for all words that must occur; empty when there are none."""
    return " AND ".join(item.match for item in query.conditions if item.match and not item.negated)


def compile_count(query: Query, *, words_first: bool = True) -> Statement:
    """Return the statement that counts what a query finds; its order means nothing."""
    return _statement(query, (), "", words_first)


def compile_query(query: Query, *, words_first: bool = True) -> tuple[Statement, ...]:
    """Return the parts of a query, in the order in which their files come.

    Args:
        query: the query.
        words_first: begin with the files that have the words, and sort them; good when they are few. Else walk the
            order and keep what has the words; good when they are many.
    """
    field = FIELDS_BY_NAME.get(query.sort)
    if field is None:
        return (_statement(query, ("file.id",), "", words_first),)
    if field.always:
        return (_statement(query, (*field.order, "file.id"), "", words_first),)
    key = field.order[0].removesuffix(" COLLATE NOCASE")
    return (
        _statement(query, (*field.order, "file.id"), f"{key} IS NOT NULL", words_first),
        _statement(query, ("file.id",), f"{key} IS NULL", words_first),
    )


def _statement(query: Query, keys: tuple[str, ...], condition: str, words_first: bool) -> Statement:
    where: list[str] = [] if query.with_missing else ["file.missing_since IS NULL"]
    values: list[Any] = []
    if condition:
        where.append(condition)
    if query.folder is not None:
        where.append(FOLDER_CONDITION)
        values.append(query.folder.rstrip(b"/"))
    for item in query.conditions:
        if item.sql:
            where.append(f"({item.sql}) IS NOT TRUE" if item.negated else f"({item.sql})")
            values.extend(item.values)
        elif item.negated:
            where.append("file.id NOT IN (SELECT rowid FROM search WHERE search MATCH ?)")
            values.append(item.match)
    match = match_expression(query)
    if match:
        # the plus keeps SQLite from beginning with the words
        where.append(
            f"{'' if words_first else '+'}file.id IN (SELECT rowid FROM search WHERE search MATCH ?)"
        )
        values.append(match)
    falling = query.falling and bool(query.sort)
    by_path = any(key.startswith("folder.") for key in keys)
    return Statement(
        source=_BY_PATH if by_path else "file",
        where=" AND ".join(where) or "TRUE",
        order=_order(keys, falling=falling),
        reversed_order=_order(keys, falling=not falling),
        values=tuple(values),
    )


def _order(keys: tuple[str, ...], *, falling: bool) -> str:
    return ", ".join(f"{key} DESC" if falling else key for key in keys)
