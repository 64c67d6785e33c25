"""The user's own tags on files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.errors import UsageError
from tui.library.patterns import fold
from tui.library.values import stored_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable


def add_tag(db: sqlite3.Connection, file_ids: Iterable[int], name: str) -> int:
    """Put a tag on files; return on how many it was not yet. Names that differ in case or composition only are one tag.

    The tag keeps the name that it was given first.

    Raises:
        UsageError: the name is empty or has a line break or comma in it.
    """
    name = stored_text(name).strip()
    if not name or any(character in name for character in ",\n\r\t"):
        raise UsageError("A tag is a word or a few, without commas and line breaks")
    folded = fold(name)
    db.execute("INSERT INTO tag (name, folded) VALUES (?, ?) ON CONFLICT (folded) DO NOTHING", (name, folded))
    (tag_id,) = db.execute("SELECT id FROM tag WHERE folded = ?", (folded,)).fetchone()
    return db.executemany(
        "INSERT OR IGNORE INTO file_tag (file_id, tag_id) SELECT id, ? FROM file WHERE id = ?",
        ((tag_id, file_id) for file_id in file_ids),
    ).rowcount


def remove_tag(db: sqlite3.Connection, file_ids: Iterable[int], name: str) -> int:
    """Take a tag off files; return off how many. A tag that no file has any more is forgotten."""
    folded = fold(stored_text(name).strip())
    number = db.executemany(
        "DELETE FROM file_tag WHERE file_id = ? AND tag_id = (SELECT id FROM tag WHERE folded = ?)",
        ((file_id, folded) for file_id in file_ids),
    ).rowcount
    db.execute(
        "DELETE FROM tag WHERE folded = ? AND NOT EXISTS (SELECT 1 FROM file_tag WHERE tag_id = tag.id)",
        (folded,),
    )
    return number


def tags_of(db: sqlite3.Connection, file_id: int) -> list[str]:
    """Return the tags of a file in alphabetical order."""
    rows = db.execute(
        "SELECT tag.name FROM file_tag JOIN tag ON tag.id = file_tag.tag_id WHERE file_tag.file_id = ? "
        "ORDER BY tag.folded",
        (file_id,),
    )
    return [name for (name,) in rows]


def list_tags(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return all tags with the number of their files, in alphabetical order."""
    return db.execute(
        "SELECT tag.name, count(file_tag.file_id) FROM tag LEFT JOIN file_tag ON file_tag.tag_id = tag.id "
        "GROUP BY tag.id ORDER BY tag.folded"
    ).fetchall()
