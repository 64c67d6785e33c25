"""A close look at a whole library: what a test of crashes and of damage asks it in the end."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_faults(db: sqlite3.Connection) -> Iterator[str]:
    """Yield one sentence for each fault found in an open library; reads all of it, which takes a while.

    Checks the pages and the indexes (`PRAGMA integrity_check`), the references between tables, and that
    the search index says what the files say (the last only on a connection that may write).
    """
    try:
        for (line,) in db.execute("PRAGMA integrity_check(20)"):
            if line != "ok":
                yield f"the database is damaged: {line}"
        for table, row, parent, _number in db.execute("PRAGMA foreign_key_check"):
            yield f"row {row} of table {table} refers to nothing in table {parent}"
        (reading,) = db.execute("PRAGMA query_only").fetchone()
        if not reading:
            db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        yield f"the database is damaged: {error}"
