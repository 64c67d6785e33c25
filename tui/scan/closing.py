"""What only the whole walk can tell: which files moved and which are missing, and when to say neither.

A library must not be emptied because a disk was not mounted: nothing becomes missing in a root that cannot be read, is
suddenly empty, or lies on another file system, and when very many files would, a person is asked first.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from tui.display import display, format_count
from tui.library import roots
from tui.library.identity import departures, moves, staging
from tui.records import Doubt, Problem, Stage, stored_inode

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from tui.library.database import Library
    from tui.library.identity.staging import ScanKey, Settled
    from tui.scan.daemon_thread import DaemonThread
    from tui.scan.root_walk import WalkOutcome
    from tui.scan.targets import ScanTarget

logger = logging.getLogger("yapmo.scan")

BRAKE_FILES = 100
"""So many files may become missing without a question, whatever share of the root they are."""


@dataclass(frozen=True, slots=True)
class WalkedRoot:
    """One root whose walk has ended, and what the walk came to."""

    target: ScanTarget
    outcome: WalkOutcome


@dataclass(frozen=True, slots=True)
class Closing:
    """What closing the walks settled.

    Attributes:
        settled: numbers of files by outcome.
        unavailable: why nothing was marked missing in some root, one sentence; empty when all is settled.
        doubts: the roots among these whose files would be marked missing if that were accepted; where the disk seems
            not to be there, nobody is asked.
    """

    settled: Settled
    unavailable: str = ""
    doubts: tuple[Doubt, ...] = ()


async def settle_walks(
    library: Library,
    walked: Sequence[WalkedRoot],
    *,
    missing_limit: float,
    accept_missing: bool,
    accept_unmounted: bool,
    thread: DaemonThread,
    on_problem: Callable[[Problem], None],
) -> Closing:
    """Settle what the walks left open.

    Args:
        library: the library.
        walked: the roots and how their walks ended; all walks have ended without an abort.
        missing_limit: share of a root's files that may become missing without a question.
        accept_missing: mark files missing however many they are, and even if the root looks wrong.
        accept_unmounted: do that even where the disk seems not to be there.
        thread: runs what may block on disks.
        on_problem: told about parts of roots that could not be judged.

    Raises:
        LibraryError: the library cannot be written.
    """
    sound: list[WalkedRoot] = []
    reasons: list[str] = []
    doubts: list[Doubt] = []
    for root in walked:
        unmounted = _seems_unmounted(root)
        is_believed = accept_unmounted if unmounted else accept_missing
        reason = root.outcome.error
        if not reason and not is_believed:
            reason = await thread.run(partial(_doubt, library, root))
        if not reason:
            sound.append(root)
            continue
        reasons.append(reason)
        if not root.outcome.error and not unmounted:
            doubts.append(Doubt(root.target.path, reason))
        await library.writer.run(_clearing([root.target.key]))
    keys = [root.target.key for root in sound]
    gone = await thread.run(lambda: _find_gone_elsewhere(library, keys)) if keys else []
    resolved = await library.writer.run(lambda db: moves.resolve_moves(db, keys, gone))
    missing = resolved.missing
    for root in sound:
        number, reason = await _mark_missing(library, root, missing_limit, accept_missing, on_problem)
        missing += number
        if reason:
            reasons.append(reason)
            doubts.append(Doubt(root.target.path, reason))
        elif root.target.is_elsewhere or not root.target.known_file_system:
            await library.writer.run(partial(_note_file_system, root.target))
    return Closing(replace(resolved, missing=missing), " ".join(reasons), tuple(doubts))


def _seems_unmounted(root: WalkedRoot) -> bool:
    """Tell whether only the empty folder is left where the file system of a root was mounted."""
    return root.target.is_elsewhere and not root.outcome.files


def _note_file_system(target: ScanTarget, db: sqlite3.Connection) -> None:
    """Note what a root lies on from now on: its scan was believed, or accepted."""
    here = target.file_system
    inner = here.path_in_file_system
    roots.update_root(db, target.key.root_id, file_system=here.identity, path_in_file_system=inner)
    roots.note_seen(db, target.key.root_id, guessed_disk=here.disk, now_ns=target.key.started_ns)


def _clearing(keys: Sequence[ScanKey]) -> Callable[[sqlite3.Connection], None]:
    return lambda db: staging.clear_staging(db, [key.scan_id for key in keys])


def _doubt(library: Library, root: WalkedRoot) -> str:
    """Return why a root that was walked is not believed, empty when it is."""
    target, outcome = root.target, root.outcome
    if target.is_elsewhere:
        return (
            f"{display(target.root_path)} now lies on another file system ({display(target.file_system.identity)} instead of "
            f"{display(target.known_file_system)}), so it was not scanned and nothing was marked missing. Mount the right disk, "
            "or scan it by its path with --accept-missing if this is meant."
        )
    if outcome.files or target.start or target.name is not None:
        return ""
    connection = library.connect_read_only()
    try:
        present = departures.count_present_in_root(connection, target.key.root_id)
    finally:
        connection.close()
    if not present:
        return ""
    return (
        f"{display(target.root_path)} is empty, but {format_count(present)} files are known there; nothing was marked missing. "
        "Mount the disk, or scan with --accept-missing if they were deleted."
    )


def _find_gone_elsewhere(library: Library, keys: Sequence[ScanKey]) -> list[int]:
    """Look whether files outside the walked part are still where they were; return the ids of those that are not."""
    connection = library.connect_read_only()
    try:
        candidates = moves.moved_from_elsewhere(connection, [key.scan_id for key in keys])
    finally:
        connection.close()
    return [file_id for file_id, path, inode in candidates if _is_gone(path, inode)]


def _is_gone(path: bytes, inode: int) -> bool:
    """Tell whether `path` no longer holds `inode`; a path that cannot be looked at is not gone."""
    try:
        return stored_inode(os.lstat(path).st_ino) != inode
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR)


async def _mark_missing(
    library: Library,
    root: WalkedRoot,
    missing_limit: float,
    accept_missing: bool,
    on_problem: Callable[[Problem], None],
) -> tuple[int, str]:
    """Mark what has gone from one root; returns the number of files, or why the brake held."""
    key, visited = root.target.key, root.outcome.visited_file_systems
    away = await library.writer.run(lambda db: departures.spare_unmounted(db, key, visited))
    for file_system, number in away.items():
        lie = "file lies" if number == 1 else "files lie"
        message = (
            f"{format_count(number)} {lie} on {display(file_system)}, which is not mounted: left as known"
        )
        on_problem(Problem(root.target.root_path, Stage.WALK, message))
    gone = await library.writer.run(lambda db: departures.count_departures(db, key.scan_id))
    present = await library.writer.run(lambda db: departures.count_present_in_root(db, key.root_id))
    if gone > BRAKE_FILES and gone > missing_limit * present and not accept_missing:
        await library.writer.run(_clearing([key]))
        return 0, (
            f"{format_count(gone)} of {format_count(present)} files of {display(root.target.root_path)} are gone; "
            "nothing was marked missing. Check the disk, or scan with --accept-missing if they were deleted."
        )
    whole_root = not root.target.start and root.target.name is None

    def mark(db: sqlite3.Connection) -> int:
        return departures.mark_missing(db, key, time.time_ns(), whole_root=whole_root)

    return await library.writer.run(mark), ""
