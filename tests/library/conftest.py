"""Fixtures of the library's tests: an open library, a plain writing connection, and files to put in."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.library.found import NOW, found
from tui.library import files, roots
from tui.library.connections import connect_writing
from tui.library.database import Library, create_library

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tui.records import Kind


@pytest.fixture
def path(tmp_path: Path) -> bytes:
    """Where the library of the test lies."""
    return os.fsencode(tmp_path / "data" / "library.yapmo")


@pytest.fixture
async def library(path: bytes) -> AsyncIterator[Library]:
    """An open, empty library."""
    async with await Library.open(path, write_batch_ms=20) as opened:
        yield opened


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty library to copy: making one takes longer than most tests."""
    template = os.fsencode(tmp_path_factory.mktemp("template") / "library.yapmo")
    create_library(template)
    return template


@pytest.fixture
def db(path: bytes, empty_library: bytes) -> Iterator[sqlite3.Connection]:
    """A writing connection to an empty library, in a transaction."""
    os.makedirs(os.path.dirname(path))
    shutil.copy(empty_library, path)
    with closing(connect_writing(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        if connection.in_transaction:
            connection.execute("COMMIT")


@pytest.fixture
def root_id(db: sqlite3.Connection) -> int:
    """A root at /srv/photos."""
    return roots.add_root(db, b"/srv/photos", file_system="uuid:1").root_id


@pytest.fixture
def add(db: sqlite3.Connection, root_id: int) -> Callable[..., list[int]]:
    """Return a function that adds files by relative path and returns their ids in that order."""

    def add_files(*paths: bytes, root: int | None = None, **status: int | Kind) -> list[int]:
        ids = []
        for number, path in enumerate(paths):
            folder, _, name = path.rpartition(b"/")
            folder_id = files.add_folder(db, root or root_id, folder, None)
            files.insert_files(db, folder_id, [found(name, **({"inode": 100 + number} | status))], NOW)  # type: ignore[arg-type]  # keywords of `found`
            ids.append(db.execute("SELECT max(id) FROM file").fetchone()[0])
        return ids

    return add_files


@pytest.fixture
def check_index(db: sqlite3.Connection) -> Callable[[], None]:
    """Return a function that fails unless the search index says what the files say."""

    def check() -> None:
        db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []

    return check
