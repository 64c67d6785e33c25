"""What the user typed: edits of metadata, which no extraction overwrites and which can be undone.

The columns of `file` and `extracted` hold the effective value. While a field is edited, the value that was
extracted last waits in `edit.extracted`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.errors import UsageError
from tui.library import search_index
from tui.library.values import stored_value
from tui.records import HOT_FIELDS, LONG_FIELDS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

EDITABLE_FIELDS = frozenset((*HOT_FIELDS, *LONG_FIELDS)) - {"mime", "date_source", "container"}
"""Fields that an edit may set; the rest says how a value was found, not what it is."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: field, the value set (None: emptied), the value it hides, and when (nanoseconds since the epoch).

    Lists (keywords, people) are one text, an item a line.
    """

    field: str
    value: Any
    extracted: Any
    edited_at: int


def set_edit(db: sqlite3.Connection, file_id: int, field: str, value: object, now_ns: int) -> None:
    """Set a field of a file by hand; None empties it.

    Args:
        db: the library.
        file_id: the file.
        field: name of the column.
        value: number or text as the column holds it; lists as one text, an item a line.
        now_ns: when.

    Raises:
        UsageError: no such field, or no such file.
    """
    if field not in EDITABLE_FIELDS:
        raise UsageError(
            f"There is no field {field!r} to set", hint=f"Fields: {', '.join(sorted(EDITABLE_FIELDS))}."
        )
    current = read_fields(db, file_id, [field])
    if current is None:
        raise UsageError(f"There is no file {file_id} in the library")
    value = stored_value(value)
    db.execute(
        "INSERT INTO edit (file_id, field, value, extracted, edited_at) VALUES (?1, ?2, ?3, ?4, ?5) "
        "ON CONFLICT (file_id, field) DO UPDATE SET value = excluded.value, edited_at = excluded.edited_at",
        (file_id, field, value, current[field], now_ns),
    )
    write_fields(db, file_id, {field: value})


def undo_edit(db: sqlite3.Connection, file_id: int, field: str) -> bool:
    """Bring back what was extracted; False when the field was not edited."""
    row = db.execute(
        "SELECT extracted FROM edit WHERE file_id = ? AND field = ?", (file_id, field)
    ).fetchone()
    if row is None:
        return False
    db.execute("DELETE FROM edit WHERE file_id = ? AND field = ?", (file_id, field))
    write_fields(db, file_id, {field: row[0]})
    return True


def edits_of(db: sqlite3.Connection, file_id: int) -> list[Edit]:
    """Return the edits of a file, by field name."""
    rows = db.execute(
        "SELECT field, value, extracted, edited_at FROM edit WHERE file_id = ? ORDER BY field", (file_id,)
    )
    return [Edit(*row) for row in rows]


def edited_values(db: sqlite3.Connection, file_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the edited fields of those files that have any, by file id."""
    found: dict[int, dict[str, Any]] = {}
    for file_id, field, value in db.execute(
        "SELECT file_id, field, value FROM edit WHERE file_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(file_ids)),),
    ):
        found.setdefault(file_id, {})[field] = value
    return found


def read_fields(db: sqlite3.Connection, file_id: int, fields: Sequence[str]) -> dict[str, Any] | None:
    """Return columns of one file as they are stored, None when there is no such file."""
    columns = ", ".join(f"extracted.{name}" if name in LONG_FIELDS else f"file.{name}" for name in fields)
    row = db.execute(
        f"SELECT {columns or 'NULL'} FROM file LEFT JOIN extracted ON extracted.file_id = file.id WHERE file.id = ?",
        (file_id,),
    ).fetchone()
    return None if row is None else dict(zip(fields, row, strict=False))


def write_fields(db: sqlite3.Connection, file_id: int, values: Mapping[str, object]) -> None:
    """Write effective values of one file, in the table that each belongs to and in the search index."""
    hot = {name: value for name, value in values.items() if name not in LONG_FIELDS}
    long = {name: value for name, value in values.items() if name in LONG_FIELDS}
    with search_index.reindexing(db, [file_id]):
        if hot:
            db.execute(
                f"UPDATE file SET {', '.join(f'{name} = ?' for name in hot)} WHERE id = ?",
                (*hot.values(), file_id),
            )
        if long:
            db.execute(
                "INSERT OR IGNORE INTO extracted (file_id, extractor, version) VALUES (?, '', 0)", (file_id,)
            )
            db.execute(
                f"UPDATE extracted SET {', '.join(f'{name} = ?' for name in long)} WHERE file_id = ?",
                (*long.values(), file_id),
            )
