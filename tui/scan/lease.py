"""What a running scan writes about itself: its lease and heartbeat, the problems of its walk, and how it ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tui.library import problems, scans
from tui.records import Stage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui.library.database import Library
    from tui.records import Problem, ProgressSnapshot, ScanCounters, ScanState
    from tui.scan.targets import ScanTarget


class ScanLease:
    """The lease on every root that one scan holds, one row of table `scan` each.

    Those rows are all that the scan of an unchanged tree writes.
    """

    def __init__(self, library: Library, targets: Sequence[ScanTarget]) -> None:
        """Take over the leases of `targets`."""
        self._library = library
        self._targets = targets
        self._noted: list[Problem] = []

    def note(self, problem: Problem) -> None:
        """Record a problem of the walk with the next write."""
        self._noted.append(problem)

    async def renew(self, snapshot: ProgressSnapshot) -> bool:
        """Renew the leases and note how the scan stands, for whoever watches it from another process.

        Returns:
            Whether another process asks to abort it.

        Raises:
            LibraryError: the library cannot be written.
        """
        noted = self._take_noted()

        def write(db: sqlite3.Connection) -> bool:
            now_ns = _record(db, noted)
            for scan_id in self._scan_ids:
                scans.beat(
                    db,
                    scan_id,
                    snapshot.counters,
                    snapshot.state,
                    stages=snapshot.stages,
                    note=snapshot.note,
                    now_ns=now_ns,
                )
            return any(scans.abort_requested(db, scan_id) for scan_id in self._scan_ids)

        return await self._library.writer.run(write)

    async def forget_mended(self) -> None:
        """Forget problems of paths that this walk passed without a new one.

        Raises:
            LibraryError: the library cannot be written.
        """
        noted = self._take_noted()

        def write(db: sqlite3.Connection) -> None:
            _record(db, noted)
            for target in self._targets:
                problems.clear_path_problems(db, target.path, Stage.WALK, before_ns=target.key.started_ns)

        await self._library.writer.run(write)

    async def give_back(self, counters: ScanCounters, state: ScanState, error: str) -> None:
        """Record how the scan ended; other processes may scan its roots from now on.

        Raises:
            LibraryError: the library cannot be written.
        """
        noted = self._take_noted()

        def write(db: sqlite3.Connection) -> None:
            now_ns = _record(db, noted)
            for scan_id in self._scan_ids:
                scans.finish_scan(db, scan_id, state, counters, error=error, now_ns=now_ns)

        await self._library.writer.run(write)

    @property
    def _scan_ids(self) -> list[int]:
        return [target.key.scan_id for target in self._targets]

    def _take_noted(self) -> list[Problem]:
        """Return the problems not written yet; here and not in a write, which may be run more than once."""
        noted, self._noted = self._noted, []
        return noted


def _record(db: sqlite3.Connection, noted: Sequence[Problem]) -> int:
    """Record some problems; returns the time that they and whatever is written with them bear."""
    now_ns = time.time_ns()
    for problem in noted:
        problems.record_problem(db, problem, now_ns=now_ns)
    return now_ns
