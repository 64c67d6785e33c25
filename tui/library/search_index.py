"""Keeping the full-text index `search` equal to what the view `searchable` says of each file.

The index holds no text of its own: to forget a file it reads, through the view, what it once indexed. So every
change of a searchable value goes: forget, change, index. `reindexing` is that order as a block.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tui.library.schema import SEARCH_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

_COLUMNS = ", ".join(SEARCH_COLUMNS)
_INSERT = f"INSERT INTO search (rowid, {_COLUMNS}) SELECT id, {_COLUMNS} FROM searchable WHERE "
_DELETE = (
    f"INSERT INTO search (search, rowid, {_COLUMNS}) SELECT 'delete', id, {_COLUMNS} FROM searchable WHERE "
)
"""The command "delete" (SQLite documentation, "FTS5"): DELETE would ask the view again for each file."""


_MERGED_PAGES = 256
_CHANGES_OF_A_MERGE = 2
"""The command "merge" changes fewer rows when there was nothing to merge (SQLite documentation, "FTS5")."""


@contextmanager
def reindexing(db: sqlite3.Connection, file_ids: Sequence[int]) -> Iterator[None]:
    """Forget these files in the index, let the block change them, index them anew.

    Every id must be in the index now; those that the block deletes are not indexed again.
    """
    forget(db, file_ids)
    yield
    index(db, file_ids)


def forget(db: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    """Take files out of the index, while the library still says of them what was indexed."""
    db.execute(_DELETE + "id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(file_ids)),))


def index(db: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    """Put files into the index that are not in it."""
    db.execute(_INSERT + "id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(file_ids)),))


def index_new(db: sqlite3.Connection, folder_id: int, last_id: int) -> None:
    """Put the files of a folder with ids above `last_id` into the index: new ones, of which only the names are known.

    The same as `index`, at half the price: the view is asked once for the folder, not for each file.
    """
    db.execute(
        "INSERT INTO search (rowid, name, folder) SELECT id, display_name, ("
        "SELECT root.label || ' ' || folder.display_path FROM folder JOIN root ON root.id = folder.root_id "
        "WHERE folder.id = ?1) FROM file WHERE id > ?2 AND folder_id = ?1",
        (folder_id, last_id),
    )


def rebuild(db: sqlite3.Connection) -> None:
    """Make the index anew from what the library says; about ten seconds for a million files."""
    db.execute("INSERT INTO search (search) VALUES ('rebuild')")


def merge_step(db: sqlite3.Connection, *, begin: bool = False) -> bool:
    """Merge the index a little further into one part; return whether there is more to do.

    Many small writes leave it in a dozen parts, each of which every search reads: merged, words are found up to three times
    as quickly. A step takes about a tenth of a second, all steps seven seconds after a million files.

    Args:
        db: the library.
        begin: whether to plan a merge of all parts, instead of going on with one.
    """
    before = db.total_changes
    pages = -_MERGED_PAGES if begin else _MERGED_PAGES
    db.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", (pages,))
    return db.total_changes - before >= _CHANGES_OF_A_MERGE
