"""Which roots are there now: a disk that was taken away is offline, and its files are not missing."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from tui.library import roots
from tui.scan.daemon_thread import DaemonThread
from tui.scan.file_systems import file_system_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from tui.library.database import Library
    from tui.library.roots import Root

T = TypeVar("T")

PATIENCE_S = 10.0
"""A disk that has not answered for so many seconds counts as away: nobody can wait for the one that never will."""

GLANCE_S = 2.0
"""The same where a person waits for a list of roots."""


async def look_alone(look: Callable[[], T], patience_s: float | None = None) -> T:
    """Return what `look` returns, run in a thread of its own that may hang on a disk.

    Raises:
        TimeoutError: it takes longer than `patience_s` seconds (None: `PATIENCE_S`); the thread is left behind.
        Exception: what `look` raises.
    """
    thread = DaemonThread("look at a root")
    try:
        return await asyncio.wait_for(thread.run(look), PATIENCE_S if patience_s is None else patience_s)
    finally:
        thread.stop()


def is_there(root: Root) -> bool:
    """Tell whether a root can be listed and lies on the file system where it lay; may block on its disk."""
    try:
        with os.scandir(root.path):
            return not root.file_system or file_system_of(root.path).identity == root.file_system
    except OSError:
        return False


async def find_present(known: Sequence[Root], patience_s: float = GLANCE_S) -> dict[int, bool]:
    """Tell of each root, by id, whether it is there now; one that does not answer is not."""

    async def look(root: Root) -> bool:
        try:
            return await look_alone(lambda: is_there(root), patience_s)
        except TimeoutError:
            return False

    found = await asyncio.gather(*(look(root) for root in known))
    return {root.root_id: there for root, there in zip(known, found, strict=True)}


def differs(known: Sequence[Root], present: dict[int, bool]) -> bool:
    """Tell whether the library thinks otherwise of some root than was `present` (by id)."""
    return any((root.offline_since is None) != present[root.root_id] for root in known)


def note_presence(db: sqlite3.Connection, present: dict[int, bool]) -> None:
    """Note in the library which roots are there; of those that were there before nothing is written."""
    now_ns = time.time_ns()
    for root in roots.list_roots(db):
        there = present.get(root.root_id)
        if there and root.offline_since is not None:
            roots.note_seen(db, root.root_id, now_ns=now_ns)
        elif there is False:
            roots.note_offline(db, [root.root_id], now_ns=now_ns)


def _read_roots(library: Library) -> list[Root]:
    """Read the roots without waiting for whoever writes."""
    with closing(library.connect_read_only()) as connection:
        return roots.list_roots(connection)


async def look_at_roots(library: Library, patience_s: float = GLANCE_S) -> bool:
    """Look which roots are there and note it in the library; returns whether anything changed.

    Raises:
        LibraryError: the library cannot be written.
    """
    known = await asyncio.to_thread(_read_roots, library)
    present = await find_present(known, patience_s)
    if not differs(known, present):
        return False
    await library.writer.run(lambda db: note_presence(db, present))
    return True
