"""What recognising moves costs where one inode has thousands of names: steps of SQLite's machine, not seconds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui.library import files, roots
from tui.library.database import Library
from tui.library.identity.moves import moved_from_elsewhere, resolve_moves
from tui.library.identity.staging import ScanKey, apply_folder_updates
from tui.records import FolderUpdate, FoundFile, Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

STEPS = 100
"""Steps of SQLite's machine between two counts."""


def links(folder: str, number: int) -> tuple[FoundFile, ...]:
    """Return so many names of one inode."""
    return tuple(
        FoundFile(f"{folder}{n}.jpg".encode(), Kind.IMAGE, 10, 20, 30, number) for n in range(number)
    )


async def count_steps(library: Library, work: Callable[[sqlite3.Connection], object]) -> int:
    """Return how many steps `work` takes."""
    steps = 0

    def tick() -> int:
        nonlocal steps
        steps += STEPS
        return 0

    def counted(db: sqlite3.Connection) -> None:
        db.set_progress_handler(tick, STEPS)
        try:
            work(db)
        finally:
            db.set_progress_handler(None, 0)

    await library.writer.run(counted)
    return steps


async def cost_of_more_links(folder: Path, number: int) -> int:
    """Return the steps that it takes to add as many names again to an inode with `number` of them."""
    async with await Library.open(os.fsencode(folder / f"{number}.yapmo")) as library:

        def know(db: sqlite3.Connection) -> ScanKey:
            root_id = roots.add_root(db, b"/media", file_system="ext4:uuid").root_id
            folder_id = files.add_folder(db, root_id, b"old", None)
            files.insert_files(db, folder_id, links("old", number), now_ns=1)
            scan_id = db.execute(
                "INSERT INTO scan (root_id, path, state, started_at, heartbeat, host, pid, process) "
                "VALUES (?, x'', 'running', 2, 2, '', 1, '') RETURNING id",
                (root_id,),
            ).fetchone()[0]
            return ScanKey(scan_id, root_id, 2)

        key = await library.writer.run(know)

        def come(db: sqlite3.Connection) -> None:
            update = FolderUpdate(b"new", new=links("new", number))
            apply_folder_updates(db, key, [update])
            moved_from_elsewhere(db, [key.scan_id])
            assert resolve_moves(db, [key]).new == number

        return await count_steps(library, come)


async def test_thousands_of_links_cost_what_their_number_costs(tmp_path: Path) -> None:
    few, many = [await cost_of_more_links(tmp_path, number) for number in (100, 1000)]
    assert many < 20 * few
