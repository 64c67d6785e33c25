"""What a scan request means: which roots, which part of each, and the lease on every one of them.

Roots never overlap: a path inside a root scans that part of it, a path above roots adopts them.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import RootUnavailableError, UsageError
from tui.library import roots, scans
from tui.library.identity.staging import ScanKey
from tui.paths import is_inside
from tui.scan.disks import Disk
from tui.scan.file_systems import FileSystem, file_system_of
from tui.scan.presence import look_alone
from tui.scan.request import NothingToScanError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence

    from tui.config import ScanConfig
    from tui.library.database import Library
    from tui.scan.daemon_thread import DaemonThread


@dataclass(frozen=True, slots=True)
class ScanTarget:
    """One root, or a part of it, whose lease this process holds.

    Attributes:
        key: the scan, as the library knows it.
        path: what is scanned: the root, a folder in it, or one file; absolute.
        root_path: absolute path of the root.
        start: the folder to begin in, relative to the root; `b""` for all of it.
        name: name of the one file to scan in that folder; None for all.
        file_system: what the root lies on now.
        known_file_system: what it lay on at the last scan, empty before the first.
        place_identity: file system of what is scanned, which may be mounted inside the root.
        disk: the kind of disk that is scanned.
    """

    key: ScanKey
    path: bytes
    root_path: bytes
    start: bytes
    name: bytes | None
    file_system: FileSystem
    known_file_system: str
    place_identity: str
    disk: Disk

    @property
    def is_elsewhere(self) -> bool:
        """Whether the root lies on another file system than at the last scan: another disk may be mounted there."""
        return self.known_file_system not in ("", self.file_system.identity)

    def part_under(self, folder: bytes | None) -> bytes | None:
        """Return the part of this target at or below `folder` (absolute), relative to the root; None if there is none."""
        if folder is None or is_inside(self.path, folder):
            return self.start
        if self.name is None and is_inside(folder, self.path):
            return path_below(folder, self.root_path)
        return None


@dataclass(frozen=True, slots=True)
class _Place:
    """A path that was asked for, looked at on disk.

    Attributes:
        path: absolute, without links.
        folder: the same, or the folder of a single file.
        name: of the single file.
        file_system: what the folder lies on.
        root_file_system: what the root lies on that holds the folder; None when no root does yet.
    """

    path: bytes
    folder: bytes
    name: bytes | None
    file_system: FileSystem
    root_file_system: FileSystem | None = None


@dataclass(frozen=True, slots=True)
class FoundTargets:
    """What a scan can do of what was asked.

    Attributes:
        targets: what is scanned, at least one.
        unavailable: which roots are away although all were asked for, in sentences; empty when none is.
    """

    targets: tuple[ScanTarget, ...]
    unavailable: str = ""


async def find_targets(
    library: Library, paths: Sequence[bytes], config: ScanConfig, thread: DaemonThread
) -> FoundTargets:
    """Find the roots that hold `paths`, making or widening roots as needed, and take the lease on each.

    Args:
        library: the library.
        paths: absolute paths; none for all roots, of which some may be away then.
        config: section `[scan]`, for the extensions of single files.
        thread: runs what may block on disks.

    Raises:
        RootUnavailableError: a path is not there or cannot be read; or all roots are asked for and each is away.
        NothingToScanError: all roots are asked for, and there is none yet.
        UsageError: a path cannot be scanned.
        LibraryError: another process scans one of the roots.
    """
    known = await library.writer.run(roots.list_roots)
    if not paths and not known:
        raise _nothing_scanned_yet()
    away: list[RootUnavailableError] = []
    if paths:
        places = await _look_at_paths(library, paths, known, config)
    else:
        places, away = await _look_at_roots(library, known, config)
    places = _without_inner(places)
    places = await thread.run(lambda: [_with_root(place, [root.path for root in known]) for place in places])
    gone = await thread.run(lambda: _find_gone_roots(known, places))
    targets = await library.writer.run(lambda db: _take_leases(db, places, gone))
    return FoundTargets(targets, " ".join(error.message for error in away))


async def _look_at_paths(
    library: Library, paths: Sequence[bytes], known: Sequence[roots.Root], config: ScanConfig
) -> list[_Place]:
    """Look at some paths on disk.

    Raises:
        RootUnavailableError: one is not there; if it is a root, it is noted as offline.
        UsageError: one cannot be scanned.
    """
    places: list[_Place] = []
    for path in paths:
        try:
            places.append(await _look_patiently(path, config))
        except RootUnavailableError:
            await _note_offline(library, [root for root in known if root.path == path])
            raise
    return places


async def _look_at_roots(
    library: Library, known: Sequence[roots.Root], config: ScanConfig
) -> tuple[list[_Place], list[RootUnavailableError]]:
    """Look at all roots on disk; return those that are there, and why the others, which are noted as offline, are not.

    Raises:
        RootUnavailableError: none is there.
    """
    found = await asyncio.gather(
        *(_look_patiently(root.path, config) for root in known), return_exceptions=True
    )
    away: list[RootUnavailableError] = []
    offline: list[roots.Root] = []
    for root, place in zip(known, found, strict=True):
        if isinstance(place, RootUnavailableError):
            away.append(place)
            offline.append(root)
        elif isinstance(place, BaseException):
            raise place
    await _note_offline(library, offline)
    places = [place for place in found if not isinstance(place, BaseException)]
    if not places:
        raise away[0]
    return places, away


async def _note_offline(library: Library, offline: Sequence[roots.Root]) -> None:
    if offline:
        ids = [root.root_id for root in offline]
        await library.writer.run(lambda db: roots.note_offline(db, ids, now_ns=time.time_ns()))


async def _look_patiently(path: bytes, config: ScanConfig) -> _Place:
    """Look at one path on disk, in a thread of its own: a share that does not answer keeps no other root waiting."""
    try:
        return await look_alone(lambda: _look_at(path, config))
    except TimeoutError:
        raise RootUnavailableError(
            f"{display(path)} does not answer.", hint="Check the network, and that the disk is well."
        ) from None


def _find_gone_roots(known: Sequence[roots.Root], places: Sequence[_Place]) -> frozenset[int]:
    """Return the ids of roots that lay where a place lies now and whose old path is gone: the disk is mounted elsewhere."""
    here = {
        (place.file_system.identity, place.file_system.path_in_file_system)
        for place in places
        if place.file_system.is_unmistakable
    }
    return frozenset(
        root.root_id
        for root in known
        if (root.file_system, root.path_in_file_system) in here and not os.path.exists(root.path)
    )


def check_first_paths(paths: Sequence[bytes], config: ScanConfig) -> None:
    """Raise what `find_targets` would raise of `paths` in a library that holds no root yet; may block on disks."""
    if not paths:
        raise _nothing_scanned_yet()
    for place in _without_inner([_look_at(path, config) for path in paths]):
        if place.name is not None:
            raise _no_root_holds(place)


def _nothing_scanned_yet() -> NothingToScanError:
    return NothingToScanError("No folder has been scanned yet.", hint="Name one: yapmo scan PATH")


def _no_root_holds(place: _Place) -> UsageError:
    return UsageError(
        f"{display(place.path)} is in no folder that was scanned.", hint="Scan its folder instead."
    )


def _look_at(path: bytes, config: ScanConfig) -> _Place:
    """Look at one path on disk; links on the way are followed, so that roots cannot overlap unseen."""
    shown = display(path)
    try:
        real = os.path.realpath(path, strict=True)
        status = os.stat(real)
        if stat.S_ISDIR(status.st_mode):
            with os.scandir(real):
                return _Place(real, real, None, file_system_of(real))
        if stat.S_ISREG(status.st_mode):
            return _look_at_file(real, config)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise RootUnavailableError(
                f"There is no {shown}.", hint="Check the spelling, and that the disk is mounted."
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise RootUnavailableError(
                f"{shown} may not be read: permission denied.", hint="Run as a user who may read it."
            ) from None
        raise RootUnavailableError(f"{shown} cannot be read: {error.strerror}.") from None
    raise UsageError(f"{shown} is neither a folder nor a file.", hint="Name a folder with media in it.")


def _look_at_file(real: bytes, config: ScanConfig) -> _Place:
    folder, name = os.path.split(real)
    extension = name.rpartition(b".")[2].lower()
    if b"." not in name or extension not in config.kind_by_extension:
        raise UsageError(
            f"{display(real)} is no media file by its extension.",
            hint="`yapmo config get scan.extensions` lists the extensions that are scanned.",
        )
    return _Place(real, folder, name, file_system_of(folder))


def _with_root(place: _Place, root_paths: Sequence[bytes]) -> _Place:
    """Add what the root of a place lies on: a disk mounted inside the root is not the root's."""
    for root_path in root_paths:
        if is_inside(place.path, root_path):
            try:
                return replace(place, root_file_system=file_system_of(root_path))
            except OSError:
                return place
    return place


def _without_inner(places: Sequence[_Place]) -> list[_Place]:
    """Drop paths that another path of the same request covers, and repetitions."""
    kept: list[_Place] = []
    for place in sorted(set(places), key=lambda item: (len(item.path), item.path)):
        if not any(other.name is None and is_inside(place.path, other.path) for other in kept):
            kept.append(place)
    return kept


def path_below(path: bytes, folder: bytes) -> bytes:
    """Return `path`, which is inside `folder`, relative to it; `b""` for the folder itself."""
    return path[len(folder.rstrip(b"/")) + 1 :]


def _take_leases(
    db: sqlite3.Connection, places: Sequence[_Place], gone: Collection[int]
) -> tuple[ScanTarget, ...]:
    """Find or make the root of each place and take its lease; all or none. `gone` are roots that may be relocated."""
    expect_moves = db.execute("SELECT EXISTS (SELECT 1 FROM file)").fetchone()[0] == 1
    now_ns = time.time_ns()
    return tuple(_take_lease(db, place, gone, now_ns=now_ns, expect_moves=expect_moves) for place in places)


def _take_lease(
    db: sqlite3.Connection, place: _Place, gone: Collection[int], *, now_ns: int, expect_moves: bool
) -> ScanTarget:
    root = roots.find_root(db, place.path) or _relocated_root(db, place, gone)
    known_file_system = root.file_system or "" if root is not None else ""
    if root is None:
        if place.name is not None:
            raise _no_root_holds(place)
        root = roots.add_root(db, place.path)
    file_system = place.root_file_system or place.file_system
    if not known_file_system:
        inner = file_system.path_in_file_system
        roots.update_root(db, root.root_id, file_system=file_system.identity, path_in_file_system=inner)
    scan_id = scans.start_scan(db, root.root_id, place.path, now_ns=now_ns)
    if known_file_system in ("", file_system.identity):
        roots.note_seen(db, root.root_id, guessed_disk=file_system.disk, now_ns=now_ns)
    else:  # the place where it was mounted, say; if the change is meant, the end of the scan says so
        roots.note_offline(db, [root.root_id], now_ns=now_ns)
    return ScanTarget(
        key=ScanKey(scan_id, root.root_id, now_ns, expect_moves=expect_moves),
        path=place.path,
        root_path=root.path,
        start=path_below(place.folder, root.path),
        name=place.name,
        file_system=file_system,
        known_file_system=known_file_system,
        place_identity=place.file_system.identity,
        disk=Disk(root.disk or place.file_system.disk),
    )


def _relocated_root(db: sqlite3.Connection, place: _Place, gone: Collection[int]) -> roots.Root | None:
    """Return the root that lies at this place of this file system and is mounted elsewhere now, with its new path."""
    here = (place.file_system.identity, place.file_system.path_in_file_system)
    for root in roots.list_roots(db):
        if (root.file_system, root.path_in_file_system) == here and root.root_id in gone:
            roots.relocate_root(db, root.root_id, place.path)
            return roots.root_by_id(db, root.root_id)
    return None
