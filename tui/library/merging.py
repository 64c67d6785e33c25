"""Two rows that turned out to be one file: the older takes over what the newer learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.library import search_index
from tui.library.edits import read_fields, write_fields
from tui.records import HOT_FIELDS, LONG_FIELDS, StageState

if TYPE_CHECKING:
    import sqlite3

_PLACE = (
    "folder_id",
    "name",
    "display_name",
    "extension",
    "kind",
    "size",
    "mtime_ns",
    "inode",
    "links",
    "fingerprint_state",
    "quick_fingerprint",
    "fingerprint",
)
_STATES = ("metadata_state", "analysis_state")


def merge_file(db: sqlite3.Connection, from_id: int, into_id: int) -> None:
    """Let file `into_id` take the place of file `from_id`, which is deleted.

    The kept file gets path, size, times, fingerprints and problems of the other, and its metadata when that was extracted.
    What failed for the one and was not tried for the other is pending: its problem belongs to the place that is left.
    Edits, tags and collections of both come together; of two edits of one field the later stays.
    """
    search_index.forget(db, [from_id, into_id])
    place = _row(db, from_id, _PLACE) | _merged_states(db, from_id, into_id)
    fresh = _extracted_values(db, from_id)
    _merge_edits(db, from_id, into_id, fresh)
    _merge_memberships(db, from_id, into_id)
    db.execute("DELETE FROM problem WHERE file_id = ?", (into_id,))
    db.execute("UPDATE problem SET file_id = ? WHERE file_id = ?", (into_id, from_id))
    if fresh is not None:
        db.execute("DELETE FROM extracted WHERE file_id = ?", (into_id,))
        db.execute("UPDATE extracted SET file_id = ? WHERE file_id = ?", (into_id, from_id))
    db.execute("DELETE FROM file WHERE id = ?", (from_id,))
    _update(db, into_id, place | {"missing_since": None, "last_seen_at": None})
    search_index.index(db, [into_id])
    effective = dict(fresh or {})
    effective |= dict(db.execute("SELECT field, value FROM edit WHERE file_id = ?", (into_id,)).fetchall())
    if effective:
        write_fields(db, into_id, effective)


def _merged_states(db: sqlite3.Connection, from_id: int, into_id: int) -> dict[str, Any]:
    """Return the states of the stages whose outcome both rows may have: what is done stays done until it is tried again."""
    newer, older = _row(db, from_id, _STATES), _row(db, into_id, _STATES)
    return {
        stage: older[stage] if (state, older[stage]) == (StageState.PENDING, StageState.DONE) else state
        for stage, state in newer.items()
    }


def _row(db: sqlite3.Connection, file_id: int, columns: tuple[str, ...]) -> dict[str, Any]:
    row = db.execute(f"SELECT {', '.join(columns)} FROM file WHERE id = ?", (file_id,)).fetchone()
    if row is None:
        raise LookupError(f"no file {file_id} in the library")
    return dict(zip(columns, row, strict=True))


def _update(db: sqlite3.Connection, file_id: int, values: dict[str, Any]) -> None:
    db.execute(
        f"UPDATE file SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ?",
        (*values.values(), file_id),
    )


def _extracted_values(db: sqlite3.Connection, file_id: int) -> dict[str, Any] | None:
    """Return what was extracted from a file, edits left out; None when nothing was (yet)."""
    (state,) = _row(db, file_id, ("metadata_state",)).values()
    if state != StageState.DONE:
        return None
    values = _row(db, file_id, HOT_FIELDS)
    long = db.execute(
        f"SELECT {', '.join(LONG_FIELDS)} FROM extracted WHERE file_id = ?", (file_id,)
    ).fetchone()
    values |= dict(zip(LONG_FIELDS, long or (None,) * len(LONG_FIELDS), strict=True))
    values |= dict(db.execute("SELECT field, extracted FROM edit WHERE file_id = ?", (file_id,)).fetchall())
    return values


def _merge_edits(db: sqlite3.Connection, from_id: int, into_id: int, fresh: dict[str, Any] | None) -> None:
    """Bring the edits of both under `into_id`, each beside what was extracted last."""
    for field, value, edited_at in db.execute(
        "SELECT field, value, edited_at FROM edit WHERE file_id = ?", (from_id,)
    ).fetchall():
        current = read_fields(db, into_id, [field]) or {}
        db.execute(
            "INSERT INTO edit (file_id, field, value, extracted, edited_at) VALUES (?,?,?,?,?) "
            "ON CONFLICT (file_id, field) DO UPDATE SET value = excluded.value, edited_at = excluded.edited_at "
            "WHERE excluded.edited_at > edit.edited_at",
            (into_id, field, value, current.get(field), edited_at),
        )
    if fresh is not None:
        for (field,) in db.execute("SELECT field FROM edit WHERE file_id = ?", (into_id,)).fetchall():
            db.execute(
                "UPDATE edit SET extracted = ? WHERE file_id = ? AND field = ?",
                (fresh[field], into_id, field),
            )


def _merge_memberships(db: sqlite3.Connection, from_id: int, into_id: int) -> None:
    db.execute(
        "INSERT OR IGNORE INTO file_tag (file_id, tag_id) SELECT ?, tag_id FROM file_tag WHERE file_id = ?",
        (into_id, from_id),
    )
    db.execute(
        "INSERT OR IGNORE INTO collection_file (collection_id, file_id, position) "
        "SELECT collection_id, ?, position FROM collection_file WHERE file_id = ?",
        (into_id, from_id),
    )
