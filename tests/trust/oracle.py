"""What must hold after every case, whatever was done to the program: nothing lost, nothing left, nothing acted on."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import stat
import time
from typing import TYPE_CHECKING

from tests.process_tree import command_line, descendants, is_alive
from tui.library.all_tags import load
from tui.library.schema import SEARCH_COLUMNS
from tui.metadata import HOT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

LEAVING_S = 5.0
"""How long a process may take to end after the one that started it; the promise is a second on a quiet machine."""

_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that act on a terminal or turn text around: C0 but tab and line feed, DEL, C1, bidi controls."""

_BY_PATH = (
    "FROM file JOIN folder ON folder.id = file.folder_id JOIN root ON root.id = folder.root_id "
    "LEFT JOIN extracted ON extracted.file_id = file.id "
)
_FILE = (
    "root.path, folder.path, file.name, kind, size, mtime_ns, inode, links, metadata_state, fingerprint_state, "
    "quick_fingerprint, extracted.extractor, extracted.version, extracted.description, extracted.keywords, "
    f"extracted.people, extracted.place, extracted.all_tags, {', '.join(f'file.{name}' for name in HOT_FIELDS)}"
)
_PRESENT = f"SELECT {_FILE} {_BY_PATH} WHERE missing_since IS NULL ORDER BY 1, 2, 3"
_FAILED = (
    f"SELECT root.path, folder.path, file.name {_BY_PATH} "
    "WHERE missing_since IS NULL AND (metadata_state = 2 OR fingerprint_state = 2)"
)
_READ = (
    f"SELECT root.path, folder.path, file.name {_BY_PATH} WHERE missing_since IS NULL AND metadata_state = 1"
)
_PENDING = (
    f"SELECT root.path, folder.path, file.name {_BY_PATH} "
    "WHERE missing_since IS NULL AND (metadata_state = 0 OR fingerprint_state = 0)"
)
_SIDECARS = (
    "SELECT folder.path, sidecar.name, sidecar.size, sidecar.mtime_ns, file.name FROM sidecar "
    "JOIN folder ON folder.id = sidecar.folder_id LEFT JOIN file ON file.id = sidecar.file_id ORDER BY 1, 2"
)


def state_of_tree(root: bytes) -> dict[bytes, tuple[object, ...]]:
    """Return inode, type, rights, time and content of everything below `root`; without following links."""
    state: dict[bytes, tuple[object, ...]] = {}
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
            except OSError as error:  # deeper than any path
                state[path] = (error.errno,)
                continue
            content: object = None
            if stat.S_ISREG(status.st_mode):
                content = _digest(path)
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            state[path] = (status.st_ino, status.st_mode, status.st_size, content)
            if not stat.S_ISDIR(status.st_mode):
                state[path] += (status.st_mtime_ns,)
    return state


def _digest(path: bytes) -> bytes:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        return str(error.errno).encode()


def check_same_tree(
    before: Mapping[bytes, tuple[object, ...]], after: Mapping[bytes, tuple[object, ...]]
) -> None:
    """Check that no medium was made, lost or changed."""
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert not changed, f"media made, lost or changed: {sorted(changed)[:5]}"


def check_no_process_is_left(servers: Collection[int] = ()) -> None:
    """Check that everything that the test started, but its own `servers`, has ended, what lost its parent too."""
    deadline = time.monotonic() + LEAVING_S
    while left := [pid for pid in descendants(os.getpid()) if is_alive(pid) and pid not in servers]:
        if time.monotonic() > deadline:
            raise AssertionError(f"left behind: {[(pid, command_line(pid)) for pid in left]}")
        time.sleep(0.02)
    _bury_orphans()


def _bury_orphans() -> None:
    """Take the exit codes of adopted processes that nobody waits for."""
    for pid in descendants(os.getpid()):
        if not is_alive(pid):
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue


def connect(library: Path) -> sqlite3.Connection:
    """Open a library to look into it."""
    return sqlite3.connect(f"file:{library}?mode=ro", uri=True)


def check_sound(library: Path) -> None:
    """Check that SQLite finds nothing wrong in the library, its references and its search index."""
    db = sqlite3.connect(library)
    try:
        assert db.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        db.rollback()
        for table in ("arrival", "departure", "sidecar_departure", "regrouping"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), f"left over in {table}"
    finally:
        db.close()


def check_same_library(library: Path, fresh: Path, *, names_of_tags: bool = False) -> None:
    """Check that a library says of every present file what a fresh scan says, and finds the same by the same words.

    With `names_of_tags`, of all the tags that were read the names alone are compared. ExifTool learns unknown tags from
    the first file that has them (that they are lists, or too long to show), and the order of files differs.
    """
    was, now = connect(library), connect(fresh)
    if names_of_tags:
        for db in (was, now):
            db.create_function("names_in", 1, lambda tags: " ".join(sorted(load(tags))))
    try:
        present = (
            _PRESENT.replace("extracted.all_tags", "names_in(extracted.all_tags)")
            if names_of_tags
            else _PRESENT
        )
        for question in (present, _SIDECARS):
            mine, theirs = was.execute(question).fetchall(), now.execute(question).fetchall()
            for row, other in zip(mine, theirs, strict=False):
                unlike = [pair for pair in zip(row, other, strict=True) if pair[0] != pair[1]]
                assert not unlike, f"{row[:3]}: here and in a fresh scan: {unlike}"
            assert len(mine) == len(theirs), f"{len(mine)} files, a fresh scan has {len(theirs)}"
        columns = ", ".join(f"searchable.{name}" for name in SEARCH_COLUMNS)
        words = (
            f"SELECT {columns} FROM searchable JOIN file USING (id) WHERE missing_since IS NULL ORDER BY 1, 2"
        )
        assert was.execute(words).fetchall() == now.execute(words).fetchall()
    finally:
        was.close()
        now.close()


def failed_files(library: Path) -> set[bytes]:
    """Return the absolute paths of present files that could not be read."""
    return _paths(library, _FAILED)


def read_files(library: Path) -> set[bytes]:
    """Return the absolute paths of present files whose metadata is in the library."""
    return _paths(library, _READ)


def pending_files(library: Path) -> set[bytes]:
    """Return the absolute paths of present files that have not been read yet."""
    return _paths(library, _PENDING)


def _paths(library: Path, query: str) -> set[bytes]:
    db = connect(library)
    try:
        return {os.path.join(*row) for row in db.execute(query)}
    finally:
        db.close()


def check_text(what: str, data: bytes) -> None:
    """Check that what was written outside a terminal is UTF-8 and has nothing in it that acts on one."""
    text = data.decode("utf-8")
    if found := _ACTING.search(text):
        around = text[max(0, found.start() - 60) : found.end() + 60]
        raise AssertionError(f"{found[0]!r} in {what}: {around!r}")


def check_terminal(received: bytes) -> None:
    """Check that nothing got to a terminal that the program itself never sends: C1, bidi, OSC 52, titles."""
    text = received.decode("utf-8", "backslashreplace")
    for pattern in (
        "[\x80-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]",
        "\x1b\\]52",
        "\x1b\\][012];",
        "\x1b[PX^_]",
    ):
        if found := re.search(pattern, text):
            around = text[max(0, found.start() - 60) : found.end() + 60]
            raise AssertionError(f"{found[0]!r} got to the terminal: {around!r}")
