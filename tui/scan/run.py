"""One scan from its first look at the roots to its summary: ties walk, metadata and fingerprint together."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import FAULT_CODE, YapmoError
from tui.library import stages
from tui.records import ProgressSnapshot, ScanState, ScanSummary, Stage
from tui.scan.backlog import Backlog
from tui.scan.cancel import CancelToken
from tui.scan.companions import regroup_companions
from tui.scan.daemon_thread import DaemonThread
from tui.scan.equal_files import EqualFiles
from tui.scan.fingerprint_stage import FingerprintStage
from tui.scan.lease import ScanLease
from tui.scan.metadata import MetadataStage
from tui.scan.progress import StageMeter, Tally
from tui.scan.stopping import ABORT_GRACE_S, wait_unless_stuck, wait_unless_unwritable
from tui.scan.walk_stage import WalkStage

if TYPE_CHECKING:
    from tui.config import Config
    from tui.library.database import Library
    from tui.scan.request import ScanRequest
    from tui.scan.targets import FoundTargets
    from tui.workers.exiftool import ExiftoolAnswer
    from tui.workers.pool import WorkerPool
    from tui.workers.tags import TagAnswer

logger = logging.getLogger("yapmo.scan")

_HEARTBEAT_S = 2.0


@dataclass(frozen=True, slots=True)
class Extractors:
    """What metadata is read with.

    Attributes:
        exiftool: the pool for pictures and films.
        tags: the pool for songs.
        version: name and version of the exiftool in the pool.
    """

    exiftool: WorkerPool[ExiftoolAnswer]
    tags: WorkerPool[TagAnswer]
    version: str

    @property
    def pools(self) -> tuple[WorkerPool[ExiftoolAnswer], WorkerPool[TagAnswer]]:
        """Both pools."""
        return self.exiftool, self.tags


class ScanRun:
    """One scan of one or more roots. Made by `prepare.prepare_run`; `execute` runs it to its end, once."""

    def __init__(
        self,
        library: Library,
        config: Config,
        request: ScanRequest,
        found: FoundTargets,
        extractors: Extractors | None,
    ) -> None:
        """Take over what was found, whose leases are held, and the extractors (None where no metadata is read)."""
        self._library = library
        self._config = config
        self._request = request
        self._targets = found.targets
        self._extractors = extractors
        self._lease = ScanLease(library, found.targets)
        self._token = CancelToken()
        self._aborted = asyncio.Event()
        self._tally = Tally()
        self._meters = {stage: StageMeter(stage) for stage in (Stage.WALK, Stage.METADATA, Stage.FINGERPRINT)}
        self._state = ScanState.RUNNING
        self._began_s = time.monotonic()
        self._seconds = 0.0
        self._walking = True
        self._reading = extractors is not None
        self._summary: ScanSummary | None = None
        self._left_out = found.unavailable
        self._thread = thread = DaemonThread("scan")
        self._connection = connection = library.connect_read_only()
        self._walk = WalkStage(
            library,
            config,
            request,
            found.targets,
            self._lease,
            thread,
            self._token,
            self._tally,
            self._meters[Stage.WALK],
        )
        self._backlog = Backlog(thread, connection, found.targets)
        self._equals = EqualFiles(library, thread, connection, self._token, found.targets)
        self._workers = extractors.exiftool.size if extractors else 0

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
        if self._extractors is not None:
            self._extractors.exiftool.resize(number)

    def prioritise(self, folder: bytes | None) -> None:
        """Serve `folder` and what lies below it first, in the walk and in the later stages."""
        self._walk.prefer(folder)
        self._backlog.prefer(folder)

    def snapshot(self) -> ProgressSnapshot:
        """Return how the scan stands."""
        pools = self._extractors.pools if self._extractors and self._summary is None else ()
        return ProgressSnapshot(
            scan_id=self._targets[0].key.scan_id,
            paths=tuple(target.path for target in self._targets),
            state=self._state,
            seconds=self._seconds if self._summary is not None else time.monotonic() - self._began_s,
            counters=self._tally.counters(),
            stages=tuple(self._meters[stage].measure() for stage in self._stages),
            workers=tuple(status for pool in pools for status in pool.statuses()),
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

    @property
    def _unavailable(self) -> str:
        """Why roots were not scanned or nothing was marked missing in them; empty when all went well."""
        return " ".join(filter(None, (self._left_out, self._walk.unavailable)))

    async def execute(self) -> ScanSummary:
        """Scan, and return how it ended; it never raises for what the scan met."""
        names = ", ".join(display(target.path) for target in self._targets)
        logger.info("scanning %s with %d exiftool processes", names, self._workers)
        heartbeat = asyncio.create_task(self._keep_alive())
        work = asyncio.create_task(self._work())
        stopped = asyncio.create_task(self._aborted.wait())
        error, code = "", 0
        state = ScanState.COMPLETED
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            await self._close_pools()
            await wait_unless_stuck(work, self._library.writer, self._aborted)
        except YapmoError as failure:
            error, code, state = failure.message, failure.exit_code, ScanState.FAILED
        except Exception as failure:
            logger.exception("the scan failed")
            error, code, state = f"{type(failure).__name__}: {failure}", FAULT_CODE, ScanState.FAILED
        finally:
            for task in (heartbeat, stopped):
                task.cancel()
            await asyncio.gather(heartbeat, stopped, return_exceptions=True)
        if self._token.aborted and not error:
            state = ScanState.ABORTED
        return await self._finish(state, error, code)

    async def _close_pools(self) -> None:
        if self._extractors is not None:
            await asyncio.gather(*(pool.close(ABORT_GRACE_S) for pool in self._extractors.pools))

    async def _finish(self, state: ScanState, error: str, code: int) -> ScanSummary:
        """Record how the scan ended and give its leases back."""
        self._token.abort()
        await self._end_thread()
        self._seconds = time.monotonic() - self._began_s
        self._state = state
        counters = self._tally.counters()
        try:
            ending = asyncio.create_task(self._lease.give_back(counters, state, error))
            await wait_unless_unwritable(ending, self._library.writer, self._aborted)
        except YapmoError as failure:
            state, error, code = ScanState.FAILED, error or failure.message, code or failure.exit_code
        logger.info(
            "scan %s after %.1f s: %d files, %d new, %d changed, %d moved, %d missing, %d problems",
            state, self._seconds, counters.files, counters.new, counters.changed, counters.moved, counters.missing,
            counters.problems,
        )  # fmt: skip
        if self._unavailable or error:
            logger.error("%s", display(error or self._unavailable))
        self._summary = ScanSummary(
            scan_id=self._targets[0].key.scan_id,
            state=state,
            counters=counters,
            seconds=self._seconds,
            unreadable=self._walk.unreadable,
            unavailable=self._unavailable,
            error=error,
            error_code=code,
        )
        return self._summary

    async def _end_thread(self) -> None:
        """Close the reading connection in its thread, unless that hangs on a disk."""
        closing = asyncio.ensure_future(self._thread.run(self._connection.close))
        await asyncio.wait({closing}, timeout=ABORT_GRACE_S)
        self._thread.stop()

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
            await regroup_companions(self._library, self._token)
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
                self._backlog.feeder(stages.pending_fingerprints),
                self._token,
                self._tally,
                self._meters[Stage.FINGERPRINT],
                threads=2,
                full=self._config.scan.fingerprint == "full",
                follow_links=self._config.scan.follow_symlinks,
                more_to_come=lambda: self._walking or self._reading,
            )
        if self._extractors is not None:
            metadata = MetadataStage(
                self._library,
                self._backlog.feeder(stages.pending_metadata),
                *self._extractors.pools,
                self._token,
                self._tally,
                self._meters[Stage.METADATA],
                extractor=self._extractors.version,
                more_to_come=lambda: self._walking,
                on_settled=fingerprint.offer if fingerprint is not None else lambda _: None,
            )
        return metadata, fingerprint

    async def _walk_roots(self) -> None:
        try:
            if Stage.WALK in self._stages:
                await self._walk.run()
        finally:
            self._walking = False

    async def _read_metadata(self, stage: MetadataStage) -> None:
        try:
            await stage.run(self._thread)
        finally:
            self._reading = False

    async def _fingerprint(self, stage: FingerprintStage) -> None:
        """Hash what is pending, then wholly what only whole contents can tell apart, then look for moves."""
        await stage.run()
        if self._config.scan.fingerprint == "auto" and not self._token.aborted:
            await self._equals.hash_wholly(stage)
        if not self._token.aborted:
            await self._recognise_moved()
        self._meters[Stage.FINGERPRINT].finished = not self._token.aborted

    async def _recognise_moved(self) -> None:
        """Find moves by fingerprint, and count them as that instead of as what the walk took them for."""
        matched = await self._equals.recognise_moved()
        self._tally.add("moved", matched.moved)
        self._tally.add("missing", -matched.missing)
        self._tally.add("new", -matched.new)
        if Stage.WALK in self._stages:
            self._tally.add("unchanged", matched.new - matched.moved)

    async def _keep_alive(self) -> None:
        """Renew the leases, count what is left to do, and hear whether another process asks to abort."""
        while True:
            try:
                await self._count_pending()
                asked_to_abort = await self._lease.renew(self._tally.counters(), self._state)
            except (YapmoError, sqlite3.Error) as error:  # the lease lives on if the next beat succeeds
                logger.warning("the scan's heartbeat: %s", error)
                asked_to_abort = False
            if asked_to_abort:
                logger.info("another process asked this scan to stop")
                self.abort()
            await asyncio.sleep(_HEARTBEAT_S)

    async def _count_pending(self) -> None:
        """Tell the meters how much there is to do, as far as the library knows by now."""
        for stage in self._stages:
            meter = self._meters[stage]
            if stage is Stage.WALK or meter.finished:
                continue
            done, walking = meter.done, self._walking
            pending = await self._backlog.count(stage)
            if stage is Stage.FINGERPRINT:
                pending += self._equals.left
            meter.total, meter.is_total_final = done + pending, not walking
