"""The seam between the engine and its front doors: start, abort, pause, prioritise, snapshot, wait; and watch.

Commands and screens know the engine through this class alone, so that the engine could one day live in another
process. One scan runs at a time in a service; other processes have services of their own, and the lease in the
library keeps two of them from scanning one root; who meets such a scan can watch it and ask for its end. What scans is imported when the first scan starts: who only looks at
the library does not wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tui.errors import LibraryError
from tui.library.connections import explained
from tui.scan.request import ScanRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.config import Config
    from tui.library.database import Library
    from tui.records import ProgressSnapshot, ScanSummary
    from tui.scan.run import ScanRun
    from tui.scan.watch import ScanWatch

__all__ = ["ScanRequest", "ScanService", "check_first_run"]

logger = logging.getLogger("yapmo.scan")


async def check_first_run(config: Config, request: ScanRequest) -> None:
    """Raise what `ScanService.start` would raise for a library that is still to be made, so that a mistake makes none.

    Raises:
        RootUnavailableError: a path is not there or cannot be read.
        UsageError: a path cannot be scanned, or ExifTool is missing or too old.
    """
    from tui.scan import prepare

    await prepare.check_first_run(config, request)


class ScanService:
    """Runs scans on the event loop that it is used on."""

    def __init__(self, library: Library, config: Config) -> None:
        """Serve scans of `library` as `config` says."""
        self._library = library
        self._config = config
        self._run: ScanRun | None = None
        self._task: asyncio.Task[ScanSummary] | None = None
        self._watches: list[ScanWatch] = []

    @property
    def running(self) -> bool:
        """True from `start` until the scan has ended in whatever way."""
        return self._task is not None and not self._task.done()

    @property
    def workers(self) -> int:
        """Number of exiftool processes of the running or the last scan; 0 before the first."""
        return self._run.workers if self._run is not None else 0

    async def start(self, request: ScanRequest) -> None:
        """Check that the scan can be made, take its leases, and begin it; returns once it runs.

        Raises:
            RootUnavailableError: a path is not there or cannot be read.
            UsageError: a path is no folder and no media file, or ExifTool is missing or too old.
            ScanRunningError: another process scans the root; `watch` shows that scan.
            LibraryError: the service is at a scan already, or the library fails.
        """
        if self.running:
            raise LibraryError("A scan is running already.", hint="Wait for it, or abort it first.")
        from tui.scan.prepare import prepare_run

        with explained(self._library.path):
            self._run = await prepare_run(self._library, self._config, request)
        self._task = asyncio.create_task(self._run.execute(), name="scan")

    def abort(self) -> None:
        """Stop the running scan; what is finished is committed, `wait` returns within a second. Safe to repeat."""
        if self._run is not None:
            self._run.abort()

    def pause(self) -> None:
        """Let the running scan hold after what it is at."""
        if self._run is not None:
            self._run.pause()

    def resume(self) -> None:
        """Let a paused scan go on."""
        if self._run is not None:
            self._run.resume()

    def prioritise(self, folder: bytes | None) -> None:
        """Serve the files of `folder` (absolute path) first; None for no preference."""
        if self._run is not None:
            self._run.prioritise(folder)

    async def look_for_roots(self) -> bool:
        """Look which roots are there now and note it in the library; returns whether that is news.

        Raises:
            LibraryError: the library cannot be written.
        """
        from tui.scan.presence import look_at_roots

        with explained(self._library.path):
            return await look_at_roots(self._library)

    def set_workers(self, number: int) -> None:
        """Change the number of exiftool processes of the running scan to `number`, kept within 1 to 32."""
        if self._run is not None:
            self._run.set_workers(max(1, min(32, number)))

    def snapshot(self) -> ProgressSnapshot | None:
        """Return how the running scan stands, or how the last one ended; None before the first."""
        return self._run.snapshot() if self._run is not None else None

    async def wait(self) -> ScanSummary:
        """Return how the running scan ends, or how the last one ended.

        Cancelling the waiting does not touch the scan.

        Raises:
            RuntimeError: no scan was started.
        """
        if self._task is None:
            raise RuntimeError("no scan was started")
        return await asyncio.shield(self._task)

    async def watch(self, scan_id: int) -> ScanWatch:
        """Return a scan that another process runs, by its id (`ScanRunningError.scan_id`), to be looked at until it ends.

        Raises:
            LibraryError: there is no such scan, or the library cannot be read.
        """
        from tui.scan.watch import begin_watch

        self._watches.append(await begin_watch(self._library, scan_id))
        return self._watches[-1]

    async def watch_living(self, paths: Sequence[bytes] = ()) -> list[ScanWatch]:
        """Return the scans that other processes run now, of the roots that `paths` (absolute) lie in; of all without any.

        Raises:
            LibraryError: the library cannot be read.
        """
        from tui.scan.watch import watch_living

        found = await watch_living(self._library, paths)
        self._watches += found
        return found

    async def close(self) -> None:
        """Abort whatever runs and wait until nothing of it is left."""
        self.abort()
        for watch in self._watches:
            await watch.close()
        if self._task is not None:
            summary = await self._task
            logger.debug("scan %d ended as %s", summary.scan_id, summary.state)
