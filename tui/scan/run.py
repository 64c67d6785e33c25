"""One scan from its first look at the roots to its summary: ties walk, metadata and fingerprint together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import YapmoError
from tui.library import files, problems, scans
from tui.library.identity import ScanKey
from tui.records import Problem, ProgressSnapshot, ScanState, ScanSummary, Stage
from tui.scan.cancel import CancelToken
from tui.scan.closing import settle_walks
from tui.scan.daemon_thread import DaemonThread
from tui.scan.feeder import Feeder
from tui.scan.file_systems import FileSystem, file_system_of
from tui.scan.fingerprint_stage import FingerprintStage
from tui.scan.ignore import compile_patterns
from tui.scan.metadata import MetadataStage
from tui.scan.progress import StageMeter, Tally
from tui.scan.root_walk import RootWalk
from tui.scan.targets import ScanTarget, find_targets
from tui.scan.walk import WalkOptions
from tui.workers.exiftool import exiftool_kind, find_exiftool
from tui.workers.pool import WorkerPool
from tui.workers.tags import tag_kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui.config import Config
    from tui.library.database import Library
    from tui.records import FileJob
    from tui.scan.request import ScanRequest
    from tui.workers.exiftool import ExiftoolAnswer
    from tui.workers.tags import TagAnswer

logger = logging.getLogger("yapmo.scan")

_HEARTBEAT_S = 2.0
_ABORT_GRACE_S = 0.3
_FULL_PAGE = 200


def workers_by_cores() -> int:
    """Return how many exiftool processes serve this machine best: one for each core this process may use."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        cores = os.cpu_count() or 1
    return max(1, min(32, cores))


class ScanRun:
    """One scan of one or more roots. Made by `prepare_run`; `execute` runs it to its end, once."""

    def __init__(
        self,
        library: Library,
        config: Config,
        request: ScanRequest,
        targets: Sequence[ScanTarget],
        pools: tuple[WorkerPool[ExiftoolAnswer], WorkerPool[TagAnswer]] | None,
    ) -> None:
        """Take over `targets`, whose leases are held, and the worker pools (None where no metadata is read)."""
        self._library = library
        self._config = config
        self._request = request
        self._targets = targets
        self._pools = pools
        self._token = CancelToken()
        self._aborted = asyncio.Event()
        self._tally = Tally()
        self._meters = {stage: StageMeter(stage) for stage in (Stage.WALK, Stage.METADATA, Stage.FINGERPRINT)}
        self._walks: list[RootWalk] = []
        self._feeders: list[Feeder] = []
        self._state = ScanState.RUNNING
        self._began_s = time.monotonic()
        self._seconds = 0.0
        self._walking = True
        self._reading = pools is not None
        self._summary: ScanSummary | None = None
        self._unavailable = ""
        self._unreadable = False
        self._thread = DaemonThread("scan")
        self._workers = pools[0].size if pools else 0

    @property
    def workers(self) -> int:
        """Number of exiftool processes."""
        return self._workers

    def abort(self) -> None:
        """Stop everything; `execute` ends soon after."""
        if self._summary is None and not self._token.aborted:
            self._token.abort()
            self._state = ScanState.ABORTING
            self._aborted.set()

    def pause(self) -> None:
        """Hold every stage after what it is at."""
        if self._state is ScanState.RUNNING:
            self._token.pause()
            self._state = ScanState.PAUSED

    def resume(self) -> None:
        """Let every stage go on."""
        if self._state is ScanState.PAUSED:
            self._token.resume()
            self._state = ScanState.RUNNING

    def set_workers(self, number: int) -> None:
        """Change the number of exiftool processes."""
        self._workers = number
        if self._pools is not None:
            self._pools[0].resize(number)

    def prioritise(self, folder: bytes | None) -> None:
        """Serve `folder` and what lies below it first, in the walk and in the later stages."""
        for walk in self._walks:
            walk.prefer(folder)
        for feeder in self._feeders:
            feeder.prefer(folder)

    def snapshot(self) -> ProgressSnapshot:
        """Return how the scan stands."""
        pools = self._pools if self._summary is None else None
        return ProgressSnapshot(
            scan_id=self._targets[0].key.scan_id,
            paths=tuple(target.path for target in self._targets),
            state=self._state,
            seconds=self._seconds if self._summary is not None else time.monotonic() - self._began_s,
            counters=self._tally.counters(),
            stages=tuple(self._meters[stage].measure() for stage in self._stages),
            workers=(*pools[0].statuses(), *pools[1].statuses()) if pools else (),
            problems=self._tally.problems,
            note=self._library.writer.waiting if self._summary is None else self._unavailable,
        )

    @property
    def _stages(self) -> tuple[Stage, ...]:
        only = self._request.only
        if only is not None:
            return (only,) if only is not Stage.METADATA else (Stage.WALK, Stage.METADATA)
        if self._config.scan.fingerprint == "off":
            return (Stage.WALK, Stage.METADATA)
        return (Stage.WALK, Stage.METADATA, Stage.FINGERPRINT)

    async def execute(self) -> ScanSummary:
        """Scan, and return how it ended; it never raises for what the scan met."""
        heartbeat = asyncio.create_task(self._keep_alive())
        work = asyncio.create_task(self._work())
        stopped = asyncio.create_task(self._aborted.wait())
        error = ""
        state = ScanState.COMPLETED
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            await self._close_pools()
            await work
        except YapmoError as failure:
            error, state = failure.message, ScanState.FAILED
        except Exception as failure:
            logger.exception("the scan failed")
            error, state = f"{type(failure).__name__}: {failure}", ScanState.FAILED
        finally:
            for task in (heartbeat, stopped):
                task.cancel()
            await asyncio.gather(heartbeat, stopped, return_exceptions=True)
        if self._token.aborted and not error:
            state = ScanState.ABORTED
        return await self._finish(state, error)

    async def _close_pools(self) -> None:
        for pool in self._pools or ():
            await pool.close(_ABORT_GRACE_S)

    async def _finish(self, state: ScanState, error: str) -> ScanSummary:
        """Record how the scan ended and give its leases back."""
        self._token.abort()
        self._thread.stop()
        self._seconds = time.monotonic() - self._began_s
        self._state = state
        counters = self._tally.counters()
        ids = [target.key.scan_id for target in self._targets]

        def write(db: sqlite3.Connection) -> None:
            for scan_id in ids:
                scans.finish_scan(db, scan_id, state, counters, now_ns=time.time_ns())

        try:
            await self._library.writer.run(write)
        except YapmoError as failure:
            state, error = ScanState.FAILED, error or failure.message
        self._summary = ScanSummary(
            scan_id=ids[0],
            state=state,
            counters=counters,
            seconds=self._seconds,
            unreadable=self._unreadable,
            unavailable=self._unavailable,
            error=error,
        )
        return self._summary

    async def _work(self) -> None:
        """Run the stages side by side until all are done or one fails."""
        jobs = [self._walk_roots()]
        metadata, fingerprint = self._make_stages()
        if metadata is not None:
            jobs.append(self._read_metadata(metadata))
        if fingerprint is not None:
            jobs.append(self._fingerprint(fingerprint))
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            self._token.abort()
            self._aborted.set()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    def _make_stages(self) -> tuple[MetadataStage | None, FingerprintStage | None]:
        fingerprint = metadata = None
        if Stage.FINGERPRINT in self._stages:
            fingerprint = FingerprintStage(
                self._library,
                self._feeder(files.pending_fingerprints),
                self._token,
                self._tally,
                self._meters[Stage.FINGERPRINT],
                threads=2,
                full=self._config.scan.fingerprint == "full",
                more_to_come=lambda: self._walking or self._reading,
            )
        if self._pools is not None:
            metadata = MetadataStage(
                self._library,
                self._feeder(files.pending_metadata),
                *self._pools,
                self._token,
                self._tally,
                self._meters[Stage.METADATA],
                more_to_come=lambda: self._walking,
                on_settled=fingerprint.offer if fingerprint is not None else lambda _: None,
            )
        return metadata, fingerprint
