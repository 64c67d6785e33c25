"""Saved queries: a query with a name, usable in others as `@name`. They share the table `collection` and its names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.errors import UsageError
from tui.library.patterns import fold
from tui.library.query import parse_query
from tui.library.values import stored_text

if TYPE_CHECKING:
    import sqlite3

LONGEST_NAME = 100
"""Characters that the name of a saved query may have."""


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """One saved query.

    Attributes:
        name: as it was given; upper and lower case are the same.
        query: its text.
        created_at: nanoseconds since the epoch.
    """

    name: str
    query: str
    created_at: int


def tidy_name(name: str) -> str:
    """Return the name under which a query is kept whose name was typed so: with single blanks."""
    return stored_text(" ".join(name.split()))


def term_of(name: str) -> str:
    """Return the term that asks the saved query of a name."""
    return f"@{name}" if name.isalnum() else f'@"{name}"'


def save_query(db: sqlite3.Connection, name: str, text: str, now_ns: int) -> bool:
    """Keep a query under a name; return whether it took the place of another one.

    Raises:
        UsageError: the name is none, or a collection of files has it, or there is nothing to save.
        QueryError: the query has a mistake, or would ask for itself.
    """
    name, text = _checked_name(name), text.strip()
    if not text:
        raise UsageError("There is no query to save", hint="Write it behind the name.")
    known = collection_queries(db)
    key = fold(name)
    if key in known and known[key] is None:
        raise UsageError(f"{name!r} is a collection of files", hint="Choose another name.")
    parse_query(text, {**known, key: text})
    replaced = _delete(db, name)
    db.execute(
        "INSERT INTO collection (name, folded, query, created_at) VALUES (?, ?, ?, ?)",
        (name, key, stored_text(text), now_ns),
    )
    return replaced


def forget_query(db: sqlite3.Connection, name: str) -> None:
    """Forget a saved query.

    Raises:
        UsageError: there is none of that name.
    """
    if not _delete(db, name):
        raise UsageError(
            f"There is no saved query {name!r}.",
            hint="`yapmo search --list-saved` lists those that there are.",
        )


def list_saved(db: sqlite3.Connection) -> list[SavedQuery]:
    """Return all saved queries in alphabetical order."""
    rows = db.execute(
        "SELECT name, query, created_at FROM collection WHERE query IS NOT NULL ORDER BY folded"
    )
    return [SavedQuery(*row) for row in rows]


def collection_queries(db: sqlite3.Connection) -> dict[str, str | None]:
    """Return what `parse_query` needs: each collection by its folded name, with its query if it is a saved one."""
    return dict(db.execute("SELECT folded, query FROM collection"))


def _delete(db: sqlite3.Connection, name: str) -> bool:
    """Delete the saved query of a name; return whether there was one."""
    sql = "DELETE FROM collection WHERE folded = ? AND query IS NOT NULL"
    return db.execute(sql, (fold(tidy_name(name)),)).rowcount > 0


def _checked_name(name: str) -> str:
    name = tidy_name(name)
    if not name or len(name) > LONGEST_NAME or '"' in name or not name.isprintable():
        raise UsageError(
            f"{name!r} cannot be the name of a query",
            hint=f"A name is a word or a few, without quotes, {LONGEST_NAME} characters at most.",
        )
    return name
