"""Walking one root: a thread that lists folders, compares them with the library, and feeds the writer.

The walk feeds the writer alone, so it runs at the speed of the disk; what it finds pending waits in the
library, not in memory.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tui.display import display
from tui.library import files, folder_digests
from tui.library.companions import sidecars
from tui.paths import is_inside
from tui.records import FolderUpdate, Problem
from tui.scan.cancel import ScanCancelledError
from tui.scan.changes import find_changes, find_differing
from tui.scan.file_systems import FileSystem, file_system_of
from tui.scan.listing import FoundFiles, WalkedFolder
from tui.scan.targets import path_below
from tui.scan.walk import Walk, describe
from tui.scan.walk_batches import WalkBatches, in_order

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from tui.library.database import Library
    from tui.records import FoundFile, KnownFile
    from tui.scan.cancel import CancelToken
    from tui.scan.progress import StageMeter, Tally
    from tui.scan.targets import ScanTarget
    from tui.scan.walk import WalkOptions

logger = logging.getLogger("yapmo.scan")


@dataclass(slots=True)
class WalkOutcome:
    """What the walk of one root came to, beyond what it wrote.

    Attributes:
        finished: True when every folder that can be read was listed.
        files: media files found.
        unreadable: paths (relative to the root) that could not be read: what lies below is unknown, not gone.
        visited_file_systems: identities of the file systems met.
        error: why the root could not be walked; empty otherwise.
    """

    finished: bool = False
    files: int = 0
    unreadable: set[bytes] = field(default_factory=set)
    visited_file_systems: set[str] = field(default_factory=set)
    error: str = ""


class RootWalk:
    """The walk of one root, or of a part of it, in a daemon thread.

    A daemon, because a read that never returns must not keep the program from ending.
    """

    def __init__(
        self,
        library: Library,
        target: ScanTarget,
        options: WalkOptions,
        token: CancelToken,
        tally: Tally,
        meter: StageMeter,
        on_problem: Callable[[Problem], None],
        *,
        wait_for_disk: Callable[[], bool] = lambda: False,
    ) -> None:
        """Prepare the walk of `target` on the event loop, on which `on_problem` is called too; see `Walk` for `wait_for_disk`."""
        self._library = library
        self._key = target.key
        self._target = target
        self._root = target.root_path
        self._token = token
        self._tally = tally
        self._meter = meter
        self._on_problem = on_problem
        self._file_system = target.file_system
        self._file_systems: dict[int, FileSystem] = {}
        self._walk = Walk(target.root_path, options, token, start=target.start, wait_for_disk=wait_for_disk)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done: asyncio.Future[WalkOutcome] | None = None
        self._batches = WalkBatches(library, target.key, token, tally, asyncio.get_running_loop())
        self._knows_sidecars = False
        self._kinds = repr(sorted(options.kinds.items())).encode()
        self._fault: Exception | None = None
        self.outcome = WalkOutcome()

    def prefer(self, folder: bytes | None) -> None:
        """Enter `folder` (absolute) before all others, where it lies in this root."""
        if folder is None or folder == self._root:
            self._walk.prefer(None)
        elif is_inside(folder, self._root):
            self._walk.prefer(path_below(folder, self._root))

    def start(self) -> asyncio.Future[WalkOutcome]:
        """Start the thread; the future ends with the outcome, also after an abort.

        Only what the disk says of the root is part of the outcome; the future raises LibraryError, or the fault of the program.
        """
        return self._start(self._walk_all)

    def start_glance(self) -> asyncio.Future[WalkOutcome]:
        """Only look whether any file lies there, as `start` does; the library learns nothing."""
        return self._start(self._glance)

    def _start(self, work: Callable[[], None]) -> asyncio.Future[WalkOutcome]:
        self._loop = asyncio.get_running_loop()
        self._done = self._loop.create_future()
        threading.Thread(target=self._run, args=(work,), name="walk", daemon=True).start()
        return self._done

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
            self.outcome.finished = True
        except ScanCancelledError:
            pass
        except OSError as error:
            self.outcome.error = f"{display(self._root)} cannot be read: {describe(error)}"
        except Exception as fault:  # noqa: BLE001  # of the library or the program, not of the root: the scan fails
            self._fault = fault
        self._call(self._settle)

    def _settle(self) -> None:
        if self._done is None or self._done.done():
            return
        if self._fault is not None:
            self._done.set_exception(self._fault)
        else:
            self._done.set_result(self.outcome)

    def _call(self, function: Callable[[], None]) -> None:
        """Run `function` on the event loop; without one any more there is nobody left to tell."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)

    def _glance(self) -> None:
        for listing in self._walk:
            self.outcome.files += len(listing.files)
            if self.outcome.files:
                break

    def _walk_all(self) -> None:
        connection = self._library.connect_read_only()
        try:
            listed: set[bytes] = set()
            self._knows_sidecars = sidecars.holds_any(connection)
            for listing in self._walk:
                listed.add(listing.path)
                self._take(connection, listing)
                if self._target.name is not None:
                    break
            if self._target.name is None:
                self._add_vanished_folders(connection, listed)
            self._batches.finish()
        finally:
            connection.close()

    def _take(self, connection: sqlite3.Connection, listing: WalkedFolder) -> None:
        """Compare one listing with the library and add what differs to the batch."""
        outcome = self.outcome
        for problem in listing.problems:
            self._call_problem(problem)
        self._meter.count()
        self._tally.add("folders")
        self._tally.add("ignored", listing.ignored)
        if not listing.readable:
            outcome.unreadable.add(listing.path)
            return
        here = self._file_system_at(listing)
        outcome.visited_file_systems.add(here.identity)
        outcome.unreadable.update(os.path.join(listing.path, name) for name in listing.unknown)
        if self._target.name is not None:
            listing.files = FoundFiles(file for file in listing.files if file.name == self._target.name)
        outcome.files += len(listing.files)
        update = self._with_sidecars(connection, self._compare(connection, listing, here), listing)
        if update.is_elsewhere and (update.gone or update.replaced or update.sidecars_gone):
            # noted before anything departs: what departs from a file system that the walk did not meet is spared
            self._batches.add(FolderUpdate(update.path, update.file_system, is_elsewhere=True))
        differing = len(update.new) + len(update.changed) + len(update.replaced) + len(update.returned)
        self._tally.add("files", len(listing.files))
        self._tally.add("bytes", sum(listing.files.sizes))
        self._tally.add("unchanged", len(listing.files) - differing)
        if not update.is_empty or update.digest is not None:
            self._batches.add(update)

    def _compare(
        self, connection: sqlite3.Connection, listing: WalkedFolder, here: FileSystem
    ) -> FolderUpdate:
        """Return what the library has to learn from a listing: nothing, if its digest is that of one which said nothing."""
        found, stable = listing.files, here.stable_inodes
        known = folder_digests.find_known_folder(connection, self._key.root_id, listing.path)
        is_whole = stable and self._target.name is None and not listing.unknown
        digest = found.digest(self._kinds) if is_whole and len(found) else None
        rows: list[KnownFile] = []
        if known is None:
            differing = in_order(list(found))
        elif digest is not None and known.digest == digest:
            differing, digest = [], None
        else:
            differing, rows = self._read_differing(connection, known.folder_id, found, stable_inodes=stable)
        lies_on = None if here.identity == self._file_system.identity else here.identity
        update = find_changes(
            listing.path,
            differing,
            rows,
            unknown=listing.unknown,
            stable_inodes=stable,
            file_system=lies_on,
        )
        if known is None:
            return replace(update, digest=digest)
        is_elsewhere = known.file_system != lies_on and self._is_known_folder(found, differing, update)
        return replace(update, digest=digest, version=known.version, is_elsewhere=is_elsewhere)

    def _is_known_folder(
        self, found: FoundFiles, differing: Sequence[FoundFile], update: FolderUpdate
    ) -> bool:
        """Tell whether a listing is that of the folder that the library knows, on whatever file system, and not a mount point.

        A file or two may lie in the bare folder where a disk was mounted: more must be as they were than have gone.
        """
        return self._target.name is None and len(found) - len(differing) > len(update.gone)

    def _read_differing(
        self, connection: sqlite3.Connection, folder_id: int, found: FoundFiles, *, stable_inodes: bool
    ) -> tuple[list[FoundFile], list[KnownFile]]:
        """Return the files of a folder that differ from the library's rows, and the rows that speak of them."""
        stamps = files.present_stamps(connection, folder_id)
        if self._target.name is not None:
            stamps = [stamp for stamp in stamps if stamp[1] == self._target.name]
        differing, rows = find_differing(found, stamps, stable_inodes=stable_inodes)
        missing = files.missing_files(connection, folder_id) if differing else []
        return in_order(differing), [*missing, *rows]

    def _with_sidecars(
        self, connection: sqlite3.Connection, update: FolderUpdate, listing: WalkedFolder
    ) -> FolderUpdate:
        """Return `update` with the sidecars of the folder that came, changed or went; one file is scanned without them."""
        if self._target.name is not None or not (listing.sidecars or self._knows_sidecars):
            return update
        known = sidecars.folder_sidecars(connection, self._key.root_id, listing.path)
        came, gone = sidecars.find_sidecar_changes(listing.sidecars, known, listing.unknown)
        return replace(update, sidecars=came, sidecars_gone=gone) if came or gone else update

    def _add_vanished_folders(self, connection: sqlite3.Connection, listed: set[bytes]) -> None:
        """Report the files of known folders that the walk no longer met as gone."""
        for folder_id, path in files.folders_under(connection, self._key.root_id, self._target.start):
            if path in listed or self._is_unknown(path):
                continue
            gone = files.present_ids(connection, folder_id)
            update = self._with_sidecars(connection, FolderUpdate(path, gone=tuple(gone)), WalkedFolder(path))
            if not update.is_empty:
                self._token.check()
                self._batches.add(update)

    def _is_unknown(self, path: bytes) -> bool:
        """Tell whether `path`, or a folder above it, could not be read."""
        unreadable = self.outcome.unreadable
        if not unreadable:
            return False
        ends = [index for index, byte in enumerate(path) if byte == ord("/")]
        return b"" in unreadable or any(path[:end] in unreadable for end in (*ends, len(path)))

    def _file_system_at(self, listing: WalkedFolder) -> FileSystem:
        """Return the file system of a folder, looked up once for every device number."""
        known = self._file_systems.get(listing.device)
        if known is None:
            path = os.path.join(self._root, listing.path) if listing.path else self._root
            try:
                known = file_system_of(path)
            except OSError:
                known = self._file_system
            self._file_systems[listing.device] = known
        return known

    def _call_problem(self, problem: Problem) -> None:
        logger.warning("%s %s", display(problem.path), problem.message)
        self._call(lambda: self._on_problem(problem))
