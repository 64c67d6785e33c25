"""What was extracted from a file, written into its rows: the columns of `file`, and the long texts in `extracted`.

Most fields of most files have no value, and handing over a None takes Python's sqlite3 ten times as long as handing
over a number. So each set of fields that have values gets a statement of its own; real libraries have some dozens.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tui.library import all_tags
from tui.library.values import stored_list, stored_text, stored_value
from tui.records import HOT_FIELDS, LONG_FIELDS, METADATA_VERSION

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from tui.records import Extraction, Metadata

_HOT_VALUES = attrgetter(*HOT_FIELDS)
_STATEMENTS = 128
"""Statements that are kept as text; SQLite's connection keeps as many compiled."""


def save_metadata(
    db: sqlite3.Connection,
    item: Extraction,
    metadata: Metadata,
    edits: Mapping[str, Any],
    *,
    first: bool,
) -> None:
    """Write what was extracted from a file; its metadata is done then.

    Args:
        db: the library.
        item: the outcome of the extractor.
        metadata: its metadata.
        edits: fields that the user has set; they keep their value, and what was extracted waits beside the edit.
        first: nothing was extracted from this file before, and nothing edited, so that its fields are empty.
    """
    hot = _hot_values(metadata)
    long = _long_values(metadata)
    for field, value in edits.items():
        given = long if field in LONG_FIELDS else hot
        extracted = given.pop(field, None)
        if value is not None:
            given[field] = value
        db.execute(
            "UPDATE edit SET extracted = ? WHERE file_id = ? AND field = ?", (extracted, item.file_id, field)
        )
    db.execute(_update(tuple(hot), first), (*hot.values(), item.file_id))
    if item.all_tags is not None:
        long["all_tags"] = all_tags.pack(item.all_tags)
    values = (item.file_id, stored_text(item.extractor), METADATA_VERSION, *long.values())
    db.execute(_insertion(tuple(long)), values)


def _hot_values(metadata: Metadata) -> dict[str, Any]:
    """Return the fields of table `file` that have a value, as they are stored."""
    return {
        name: stored
        for name, value in zip(HOT_FIELDS, _HOT_VALUES(metadata), strict=True)
        if value is not None and (stored := stored_value(value)) is not None
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
    """Return the SQL that sets these columns of `file`, and empties all others unless they are empty (`first`).

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
