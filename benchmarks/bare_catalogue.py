"""The least that a catalogue can do: walk a tree and put every file into a table with two indexes.

    python benchmarks/bare_catalogue.py TREE FILE

The peer of a first scan: names are not searchable, nothing is compared, recognised, sorted or shown.
"""

from __future__ import annotations

import os
import sqlite3
import sys

BATCH = 2_000

_SCHEMA = """
CREATE TABLE file (id INTEGER PRIMARY KEY, folder INTEGER, name BLOB, size INTEGER, mtime_ns INTEGER, inode INTEGER);
CREATE UNIQUE INDEX file_path ON file (folder, name);
CREATE INDEX file_inode ON file (inode);
"""


def fill(tree: bytes, library: str) -> int:
    """Put the files of `tree` into a new database; return their number."""
    db = sqlite3.connect(library, isolation_level=None)
    db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_SCHEMA}")
    rows: list[tuple[int, bytes, int, int, int]] = []
    number = folder = 0
    stack = [tree]
    while stack:
        folder += 1
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                    continue
                status = entry.stat(follow_symlinks=False)
                rows.append((folder, entry.name, status.st_size, status.st_mtime_ns, status.st_ino))
        if len(rows) >= BATCH or not stack:
            db.execute("BEGIN")
            db.executemany("INSERT INTO file (folder, name, size, mtime_ns, inode) VALUES (?,?,?,?,?)", rows)
            db.execute("COMMIT")
            number += len(rows)
            rows.clear()
    db.close()
    return number


if __name__ == "__main__":
    print(fill(os.fsencode(sys.argv[1]), sys.argv[2]))
