"""Watching a scan that another process runs: its rows in the library, looked at twice a second."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.display import name_process
from tui.errors import LibraryError
from tui.library import problems, scans
from tui.library.connections import explained
from tui.paths import is_inside
from tui.records import ProgressSnapshot, ScanState, ScanSummary

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui.library.database import Library
    from tui.library.scans import ScanRecord
    from tui.records import Problem, ScanProcess

logger = logging.getLogger("yapmo.scan")

_LOOK_S = 0.5
_SILENT_S = 5.0
"""Time without a sign of life after which the watcher is told; a scan gives one a second."""

_UNREADABLE_S = 60.0
"""How long a library that cannot be read is tried again."""

_KEPT_PROBLEMS = 50


class ScanWatch:
    """One scan of another process, from `begin_watch` until it has ended or `close`.

    Attributes:
        process: who runs it.
        paths: what it scans, absolute.
    """

    def __init__(self, library: Library, record: ScanRecord, paths: tuple[bytes, ...]) -> None:
        """Watch the scan of `record`; use `begin_watch`."""
        self.process: ScanProcess = record.process
        self.paths = paths
        self._library = library
        self._record = record
        self._problems: tuple[Problem, ...] = ()
        self._problems_read = 0
        self._heard_s = time.monotonic()
        self._fault = ""
        self._asked = False
        self._summary: ScanSummary | None = None
        self._task = asyncio.create_task(self._follow(), name="watching a scan")

    @property
    def running(self) -> bool:
        """True until the scan has ended, or its process has died."""
        return self._summary is None

    def snapshot(self) -> ProgressSnapshot:
        """Return how the scan stood at its last sign of life, a second ago or two."""
        record, summary = self._record, self._summary
        state = record.state if summary is None else summary.state
        if self._asked and state in (ScanState.RUNNING, ScanState.PAUSED):
            state = ScanState.ABORTING
        stages = record.stages
        if summary is not None:  # what has ended has no rate, and will not end once more
            done = state is ScanState.COMPLETED
            stages = tuple(
                replace(
                    stage, per_second=0.0, bytes_per_second=0.0, eta_s=None, finished=stage.finished or done
                )
                for stage in stages
            )
        return ProgressSnapshot(
            scan_id=record.scan_id,
            paths=self.paths,
            state=state,
            seconds=_seconds(record),
            counters=record.counters,
            stages=stages,
            problems=self._problems,
            note=summary.error if summary is not None else self._note(),
            process=self.process,
        )

    async def ask_to_abort(self) -> bool:
        """Ask the process to abort the scan, which it hears at its next sign of life; False when it has ended.

        Raises:
            LibraryError: the library cannot be written.
        """
        with explained(self._library.path):
            asked = await self._library.writer.run(lambda db: scans.request_abort(db, self._record.scan_id))
        self._asked = self._asked or asked
        return asked

    async def wait(self) -> ScanSummary:
        """Return how the scan ended; aborted, with an `error`, when its process died. Cancelling touches nothing."""
        await asyncio.shield(self._task)
        if self._summary is None:
            raise asyncio.CancelledError
        return self._summary

    async def close(self) -> None:
        """Watch no more; the scan is not touched."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _follow(self) -> None:
        unread_since: float | None = None
        while self._summary is None:
            await asyncio.sleep(_LOOK_S)
            try:
                await asyncio.to_thread(self._look)
            except LibraryError as error:
                self._fault = error.message
                unread_since = unread_since or time.monotonic()
                if time.monotonic() - unread_since > _UNREADABLE_S:
                    self._end(ScanState.FAILED, error.message, code=error.exit_code)
            else:
                self._fault, unread_since = "", None

    def _look(self) -> None:
        """Take in how the scan stands now (runs in a thread).

        Raises:
            LibraryError: the library cannot be read.
        """
        with explained(self._library.path), contextlib.closing(self._library.connect_read_only()) as db:
            looked = scans.look_at_scan(db, self._record.scan_id, now_ns=time.time_ns())
            if looked is None:
                self._end(ScanState.ABORTED, "The root was taken out of the library.")
                return
            record, is_alive = looked
            if record.counters.problems != self._problems_read:
                self._problems = self._read_problems(db)
                self._problems_read = record.counters.problems
        if record.heartbeat != self._record.heartbeat:
            self._heard_s = time.monotonic()
        # how far the stages were is noted while a scan runs, and shown on when it has ended
        self._record = replace(record, stages=record.stages or self._record.stages)
        if record.finished_at is not None:
            code = LibraryError.exit_code if record.state is ScanState.FAILED else 0
            self._end(record.state, record.error, code=code)
        elif not is_alive:
            who = name_process(self.process)
            self._end(ScanState.ABORTED, f"It ended without a word: {who}. The next scan goes on from there.")

    def _end(self, state: ScanState, error: str, *, code: int = 0) -> None:
        self._summary = ScanSummary(
            scan_id=self._record.scan_id,
            state=state,
            counters=self._record.counters,
            seconds=_seconds(self._record),
            error=error,
            error_code=code,
        )

    def _read_problems(self, db: sqlite3.Connection) -> tuple[Problem, ...]:
        """Return the latest problems of the scan, newest last."""
        found = []
        for row in problems.list_problems(db, limit=_KEPT_PROBLEMS):
            inside = any(is_inside(row.problem.path, path) for path in self.paths)
            if row.last_at >= self.process.since_ns and inside:
                found.append(row.problem)
        return tuple(found[::-1])

    def _note(self) -> str:
        silent_s = time.monotonic() - self._heard_s
        silence = f"no sign of life for {silent_s:.0f} s" if silent_s > _SILENT_S else ""
        return self._fault or silence or self._record.note


def _seconds(record: ScanRecord) -> float:
    until = record.finished_at or record.heartbeat
    return max(0, until - record.started_at) / 1e9


async def begin_watch(library: Library, scan_id: int) -> ScanWatch:
    """Watch a scan, also one that has ended by now.

    Raises:
        LibraryError: there is no such scan, or the library cannot be read.
    """

    def look() -> tuple[ScanRecord, tuple[bytes, ...]]:
        with explained(library.path), contextlib.closing(library.connect_read_only()) as db:
            looked = scans.look_at_scan(db, scan_id, now_ns=time.time_ns())
            if looked is None:
                raise LibraryError("That scan is no longer in the library.", hint="Scan again.")
            return looked[0], scans.paths_of_run(db, scan_id)

    return ScanWatch(library, *await asyncio.to_thread(look))


async def watch_living(library: Library, paths: Sequence[bytes]) -> list[ScanWatch]:
    """Watch the scans that other processes run now, one for all roots of one run.

    Args:
        library: the library.
        paths: only scans of roots that hold one of these absolute paths or lie below one; none for all.

    Raises:
        LibraryError: the library cannot be read.
    """

    def look() -> list[int]:
        with explained(library.path), contextlib.closing(library.connect_read_only()) as db:
            runs: dict[ScanProcess, int] = {}
            for record, root in scans.living_scans(db, now_ns=time.time_ns()):
                if not paths or any(is_inside(path, root) or is_inside(root, path) for path in paths):
                    runs.setdefault(record.process, record.scan_id)
            return list(runs.values())

    return [await begin_watch(library, scan_id) for scan_id in await asyncio.to_thread(look)]
