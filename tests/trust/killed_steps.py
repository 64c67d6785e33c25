"""Runs one function of the library again and again, killed at its first step, its second … until it gets to its end.

Run as `python killed_steps.py OPERATION FOLDER STRIDE`: for every so-manieth step N a copy of FOLDER/start is made as FOLDER/N, and a child works on
it that kills itself with SIGKILL at step N. A step is a statement that SQLite begins, or a file that is opened, named, renamed or
removed. Prints the numbers; at the last of them nothing was left to be killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from itertools import count
from typing import TYPE_CHECKING

from tui.library import backups, connections, database, restoring
from tui.library.schema import MIGRATIONS, Migration

if TYPE_CHECKING:
    import sqlite3

EVENTS = ("open", "os.link", "os.rename", "os.remove", "os.truncate", "sqlite3.connect")


def make_moods(db: sqlite3.Connection) -> None:
    """Step 2 of the schema: new tables, filled from the files."""
    db.execute("CREATE TABLE mood (id INTEGER PRIMARY KEY, name TEXT)")
    db.execute("INSERT INTO mood VALUES (1, 'calm')")
    db.execute("CREATE TABLE mood_file (file_id INTEGER REFERENCES file, mood_id INTEGER REFERENCES mood)")
    db.execute("INSERT INTO mood_file SELECT id, 1 FROM file")


def colour_moods(db: sqlite3.Connection) -> None:
    """Step 3 of the schema: a table that another refers to is made anew."""
    db.execute("CREATE TABLE new_mood (id INTEGER PRIMARY KEY, name TEXT, colour TEXT)")
    db.execute("INSERT INTO new_mood SELECT id, name, 'blue' FROM mood")
    db.execute("DROP TABLE mood")
    db.execute("ALTER TABLE new_mood RENAME TO mood")


LATER = (*MIGRATIONS, Migration(2, "moods", make_moods), Migration(3, "moods with colours", colour_moods))


def migrate(library: bytes) -> None:
    database.migrate(library, LATER)


def restore(library: bytes) -> None:
    restoring.restore_library(os.path.join(os.path.dirname(library), b"copy"), library)


def create(library: bytes) -> None:
    database.create_library(library)


OPERATIONS = {"migrate": migrate, "restore": restore, "create": create}


class Counter:
    """Counts steps, and kills this process at one of them."""

    def __init__(self, last: int) -> None:
        self.left = last

    def step(self, *_: object) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(self, event: str, _: object) -> None:
        if event in EVENTS:
            self.step()


def work(operation: str, library: bytes, number: int) -> None:
    """Do it in this process, killed at step `number`."""
    counter = Counter(number)

    def connect_writing(path: bytes) -> sqlite3.Connection:
        db = connections.connect_writing(path)
        db.set_trace_callback(counter.step)
        return db

    vars(database)["connect_writing"] = connect_writing
    sys.addaudithook(counter.hear)
    OPERATIONS[operation](library)


def main(operation: str, folder: str, stride: int) -> None:
    """Do it for every so-manieth step, and print the number of each."""
    for number in count(1, stride):
        place = os.path.join(folder, str(number))
        shutil.copytree(os.path.join(folder, "start"), place)
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                work(operation, os.fsencode(os.path.join(place, "library.yapmo")), number)
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        print(number)
        if status == 0:
            return
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            raise SystemExit(f"step {number} ended with {status}")


if __name__ == "__main__":
    backups.stamp = lambda: b"20240703-182211"
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
