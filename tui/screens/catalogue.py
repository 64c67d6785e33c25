"""What the screens ask the library, each in a thread with a reading connection of its own.

Every function raises `LibraryError` when the library cannot be read or written.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

from tui.library import counts, problems, roots, scans
from tui.library.connections import explained
from tui.widgets.folder_tree import FolderMark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.library.database import Library
    from tui.library.problems import ProblemRow
    from tui.library.roots import Root
    from tui.library.scans import ScanRecord
    from tui.records import Stage

T = TypeVar("T")


async def _read(library: Library, question: Callable[[Any], T]) -> T:
    """Return the answer to `question`, a function of the library room that takes a connection."""

    def ask() -> T:
        with explained(library.path), contextlib.closing(library.connect_read_only()) as connection:
            return question(connection)

    return await asyncio.to_thread(ask)


async def fetch_file_count(library: Library) -> int:
    """Return the number of present files."""
    return await _read(library, counts.count_present)


async def has_roots(library: Library) -> bool:
    """Tell whether anything was ever catalogued."""
    return bool(await _read(library, roots.list_roots))


async def is_in_root(library: Library, path: bytes) -> bool:
    """Tell whether an absolute path is a root or lies in one."""
    return await _read(library, lambda connection: roots.find_root(connection, path)) is not None


async def fetch_roots(library: Library) -> list[Root]:
    """Return all roots by path."""
    return await _read(library, roots.list_roots)


async def fetch_folder_marks(library: Library, folders: Sequence[bytes]) -> dict[bytes, FolderMark]:
    """Return what the library knows of the roots, and of the folders in each of `folders` (absolute paths)."""

    def ask(connection: Any) -> dict[bytes, FolderMark]:
        marks = {
            path: FolderMark(number)
            for folder in folders
            for path, number in counts.count_by_subfolder(connection, folder).items()
        }
        files = counts.count_by_root(connection)
        for root in roots.list_roots(connection):
            away = root.offline_since is not None
            marks[root.path] = FolderMark(files.get(root.root_id, 0), is_root=True, is_offline=away)
        return marks

    return await _read(library, ask)


async def fetch_problems(library: Library, stage: Stage | None, limit: int) -> list[ProblemRow]:
    """Return at most `limit` problems of a stage (None: of all), the latest first."""
    return await _read(
        library, lambda connection: problems.list_problems(connection, stage=stage, limit=limit)
    )


async def retry_problems(library: Library, problem_ids: Sequence[int]) -> int:
    """Let the next scan try these again; return the number of files."""
    with explained(library.path):
        return await library.writer.run(lambda connection: problems.retry_problems(connection, problem_ids))


async def fetch_scans(library: Library, limit: int) -> list[ScanRecord]:
    """Return the latest scans, the latest first."""
    return await _read(library, lambda connection: scans.recent_scans(connection, limit=limit))
