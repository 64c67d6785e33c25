"""What was extracted from a file, written into its rows: the columns of `file`, and the long texts in `extracted`.

Most fields of most files have no value, and handing over a None takes Python's sqlite3 ten times as long as handing
over a number (it looks for an adapter each time). So each set of fields that have values gets a statement of its own;
real libraries have some dozens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tui.library import all_tags
from tui.library.values import stored_list, stored_text, stored_value
from tui.records import HOT_FIELDS, LONG_FIELDS, METADATA_VERSION

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence

    from tui.records import Extraction, Metadata

_STATEMENTS = 128
"""Statements that are kept as text; SQLite's connection keeps as many compiled."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What is written for one file: the fields of `file` and of `extracted` that have a value, as they are stored."""

    file_id: int
    extractor: str
    hot: dict[str, Any]
    long: dict[str, Any]


def save_metadata(
    db: sqlite3.Connection,
    extractions: Sequence[Extraction],
    edits: Mapping[int, Mapping[str, Any]],
    read_before: Collection[int],
) -> None:
    """Write what was extracted from files; their metadata is done then.

    Args:
        db: the library.
        extractions: successful outcomes, one a file.
        edits: by file id, the fields that the user has set; they keep their value, and what was extracted waits
            beside the edit.
        read_before: ids of the files that have a row in `extracted`.
    """
    # first all rows, then table by table: compressing tags between two rows would drive the tables out of the cache
    rows = [_to_row(item, item.metadata) for item in extractions if item.metadata is not None]
    for row in rows:
        _keep_edits(db, row, edits.get(row.file_id, {}))
    for row in rows:
        first = row.file_id not in read_before and row.file_id not in edits
        db.execute(_update(tuple(row.hot), first), (*row.hot.values(), row.file_id))
    for row in rows:
        values = (row.file_id, row.extractor, METADATA_VERSION, *row.long.values())
        db.execute(_insertion(tuple(row.long)), values)


def _to_row(item: Extraction, metadata: Metadata) -> _Row:
    long = _long_values(metadata)
    if item.all_tags is not None:
        long["all_tags"] = all_tags.pack(item.all_tags)
    return _Row(item.file_id, stored_text(item.extractor), _hot_values(metadata), long)


def _keep_edits(db: sqlite3.Connection, row: _Row, edits: Mapping[str, Any]) -> None:
    """Put what the user has set in the place of what was extracted, which waits beside the edit."""
    for field, value in edits.items():
        given = row.long if field in LONG_FIELDS else row.hot
        extracted = given.pop(field, None)
        if value is not None:
            given[field] = value
        db.execute(
            "UPDATE edit SET extracted = ? WHERE file_id = ? AND field = ?", (extracted, row.file_id, field)
        )


def _hot_values(metadata: Metadata) -> dict[str, Any]:
    """Return the fields of table `file` that have a value, as they are stored."""
    return {
        name: stored
        for name, value in zip(metadata._fields, metadata, strict=True)
        if value is not None and name not in LONG_FIELDS and (stored := stored_value(value)) is not None
    }


def _long_values(metadata: Metadata) -> dict[str, Any]:
    """Return the fields of table `extracted` that have a value, as they are stored."""
    values = {
        "description": stored_value(metadata.description),
        "keywords": stored_list(metadata.keywords),
        "people": stored_list(metadata.people),
        "place": stored_value(metadata.place),
    }
    return {name: value for name, value in values.items() if value is not None}


@lru_cache(maxsize=_STATEMENTS)
def _update(given: tuple[str, ...], first: bool) -> str:
    """Return the SQL that sets these columns of `file`, and empties all others unless nothing was ever written to them (`first`).

    Columns that are not named cost nothing, nor do the indexes on them.
    """
    places = [f"{name} = ?" for name in given]
    empty = [] if first else [f"{name} = NULL" for name in HOT_FIELDS if name not in given]
    return f"UPDATE file SET {', '.join(['metadata_state = 1', *places, *empty])} WHERE id = ?"


@lru_cache(maxsize=_STATEMENTS)
def _insertion(given: tuple[str, ...]) -> str:
    """Return the SQL that puts a row with these columns into `extracted`, in the place of the one that was there."""
    columns = ", ".join(("file_id", "extractor", "version", *given))
    places = ", ".join("?" * (3 + len(given)))
    return f"INSERT OR REPLACE INTO extracted ({columns}) VALUES ({places})"
