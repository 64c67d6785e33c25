"""One scan from its first look at the roots to its summary: ties walk, metadata and fingerprint together."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import FAULT_CODE, LibraryError, YapmoError
from tui.library import stages
from tui.library.identity.fingerprints import match_fingerprints
from tui.library.identity.staging import clear_dead_staging
from tui.records import ProgressSnapshot, ScanState, ScanSummary, Stage
from tui.scan.cancel import CancelToken
from tui.scan.closing import WalkedRoot, settle_walks
from tui.scan.daemon_thread import DaemonThread
from tui.scan.feeder import Feeder
from tui.scan.fingerprint_stage import FingerprintStage
from tui.scan.ignore import compile_patterns
from tui.scan.lease import ScanLease
from tui.scan.metadata import MetadataStage
from tui.scan.progress import StageMeter, Tally
from tui.scan.root_walk import RootWalk
from tui.scan.walk import WalkOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.config import Config
    from tui.library.database import Library
    from tui.records import FileJob, Problem
    from tui.scan.request import ScanRequest
    from tui.scan.targets import FoundTargets, ScanTarget
    from tui.workers.exiftool import ExiftoolAnswer
    from tui.workers.pool import WorkerPool
    from tui.workers.tags import TagAnswer

    PendingFiles = Callable[..., list[FileJob]]

logger = logging.getLogger("yapmo.scan")

_HEARTBEAT_S = 2.0
_ABORT_GRACE_S = 0.3
_SILENT_DISK_GRACE_S = 2.0
_UNWRITABLE_GRACE_S = 1.0
_LOOK_AT_WRITER_S = 0.1
_FULL_PAGE = 200


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
        self._walks: list[RootWalk] = []
        self._feeders: list[Feeder] = []
        self._state = ScanState.RUNNING
        self._began_s = time.monotonic()
        self._seconds = 0.0
        self._walking = True
        self._reading = extractors is not None
        self._summary: ScanSummary | None = None
        self._unavailable = found.unavailable
        self._unreadable = False
        self._alike_left = 0
        self._thread = DaemonThread("scan")
        self._connection = library.connect_read_only()
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
        for walk in self._walks:
            walk.prefer(folder)
        for feeder in self._feeders:
            feeder.prefer(folder)

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
            await self._unless_stuck(work)
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
            await asyncio.gather(*(pool.close(_ABORT_GRACE_S) for pool in self._extractors.pools))

    async def _unless_stuck(self, work: asyncio.Task[None]) -> None:
        """Wait for `work`; once the scan is to stop, not for a disk that does not answer.

        Raises:
            LibraryError: the library cannot be written.
            Exception: what `work` raises.
        """
        end = asyncio.create_task(self._unless_unwritable(work))
        await asyncio.wait({end}, timeout=_SILENT_DISK_GRACE_S if self._aborted.is_set() else None)
        if not work.done() and not self._library.writer.waiting:
            logger.warning("a disk does not answer; the scan ends without it")
            work.cancel()
            end.cancel()
            await asyncio.wait({work, end}, timeout=_ABORT_GRACE_S)
        else:
            await end

    async def _unless_unwritable(self, task: asyncio.Task[None]) -> None:
        """Wait for `task`; once the scan is to stop, not for a library that cannot be written: a full disk may stay full.

        Raises:
            LibraryError: it was given up for that.
            Exception: what `task` raises.
        """
        refused_since: float | None = None
        while not (await asyncio.wait({task}, timeout=_LOOK_AT_WRITER_S))[0]:
            writer = self._library.writer
            if not (writer.waiting and self._aborted.is_set()):
                continue
            reason = writer.refusal or writer.waiting
            refused_since = refused_since or time.monotonic()
            if time.monotonic() - refused_since > _UNWRITABLE_GRACE_S:
                task.cancel()
                await asyncio.wait({task}, timeout=_ABORT_GRACE_S)
                raise LibraryError(reason)
        await task

    async def _finish(self, state: ScanState, error: str, code: int) -> ScanSummary:
        """Record how the scan ended and give its leases back."""
        self._token.abort()
        await self._end_thread()
        self._seconds = time.monotonic() - self._began_s
        self._state = state
        counters = self._tally.counters()
        try:
            await self._unless_unwritable(asyncio.create_task(self._lease.give_back(counters, state, error)))
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
            unreadable=self._unreadable,
            unavailable=self._unavailable,
            error=error,
            error_code=code,
        )
        return self._summary

    async def _end_thread(self) -> None:
        """Close the reading connection in its thread, unless that hangs on a disk."""
        closing = asyncio.ensure_future(self._thread.run(self._connection.close))
        await asyncio.wait({closing}, timeout=_ABORT_GRACE_S)
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
                self._feeder(stages.pending_fingerprints),
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
                self._feeder(stages.pending_metadata),
                *self._extractors.pools,
                self._token,
                self._tally,
                self._meters[Stage.METADATA],
                extractor=self._extractors.version,
                more_to_come=lambda: self._walking,
                on_settled=fingerprint.offer if fingerprint is not None else lambda _: None,
            )
        return metadata, fingerprint

    def _feeder(self, query: PendingFiles) -> Feeder:
        """Make a feeder over the files of what is scanned whose stage is pending."""
        targets = self._targets

        def pending(
            db: sqlite3.Connection, *, after_id: int, limit: int, under: bytes | None
        ) -> list[FileJob]:
            jobs: list[FileJob] = []
            for target in targets:
                part = target.part_under(under)
                if part is not None:
                    jobs += query(
                        db, target.key.root_id, part, name=target.name, after_id=after_id, limit=limit
                    )
            jobs.sort(key=lambda job: job.file_id)
            return jobs[:limit]

        feeder = Feeder(self._thread, self._connection, pending)
        self._feeders.append(feeder)
        return feeder

    async def _walk_roots(self) -> None:
        """Walk all roots side by side, then settle what only whole walks can tell."""
        try:
            if Stage.WALK in self._stages:
                await self._prepare_library()
                self._walks = [self._make_walk(target) for target in self._targets]
                outcomes = await asyncio.gather(*(walk.start() for walk in self._walks))
                await self._library.writer.flush()
                self._meters[Stage.WALK].finished = not self._token.aborted
                if not self._token.aborted:
                    await self._settle(
                        [WalkedRoot(*pair) for pair in zip(self._targets, outcomes, strict=True)]
                    )
        finally:
            self._walking = False

    async def _prepare_library(self) -> None:
        """Forget what an aborted scan left undecided, and make pending what this scan is to read again."""
        again = self._request.rescan or self._config.scan.rescan

        def write(db: sqlite3.Connection) -> None:
            clear_dead_staging(db)
            stages.make_outdated_pending(db)
            for target in self._targets:
                stages.make_pending(
                    db,
                    target.key.root_id,
                    target.start,
                    name=target.name,
                    metadata=again in ("metadata", "everything"),
                    fingerprint=again == "everything",
                    failed=self._request.retry_failed,
                )

        await self._library.writer.run(write)

    def _make_walk(self, target: ScanTarget) -> RootWalk:
        scan = self._config.scan
        options = WalkOptions(
            kinds=scan.kind_by_extension,
            ignore=compile_patterns(scan.ignore),
            hidden=scan.hidden,
            follow_symlinks=scan.follow_symlinks,
            one_file_system=scan.one_file_system,
        )
        return RootWalk(
            self._library,
            target,
            options,
            self._token,
            self._tally,
            self._meters[Stage.WALK],
            self._note_problem,
        )

    async def _settle(self, walked: list[WalkedRoot]) -> None:
        closing = await settle_walks(
            self._library,
            walked,
            missing_limit=self._config.scan.missing_limit,
            accept_missing=self._request.accept_missing,
            thread=self._thread,
            on_problem=self._note_problem,
        )
        await self._lease.forget_mended()
        self._unavailable = " ".join(filter(None, (self._unavailable, closing.unavailable)))
        self._unreadable = any(root.outcome.unreadable for root in walked)
        settled = closing.settled
        for name in ("new", "changed", "moved", "returned", "missing", "unchanged"):
            self._tally.add(name, getattr(settled, name))

    def _note_problem(self, problem: Problem) -> None:
        """Record a problem of the walk in the library and in the progress."""
        self._tally.add_problem(problem)
        self._lease.note(problem)

    async def _read_metadata(self, stage: MetadataStage) -> None:
        try:
            await stage.run(self._thread)
        finally:
            self._reading = False

    async def _fingerprint(self, stage: FingerprintStage) -> None:
        """Hash what is pending, then wholly what only whole contents can tell apart, then look for moves."""
        await stage.run()
        root_ids = [target.key.root_id for target in self._targets]
        if self._config.scan.fingerprint == "auto" and not self._token.aborted:
            await self._hash_alike(stage, root_ids)
        if not self._token.aborted:
            await self._recognise_moved(root_ids)
        self._meters[Stage.FINGERPRINT].finished = not self._token.aborted

    async def _hash_alike(self, stage: FingerprintStage, root_ids: Sequence[int]) -> None:
        """Hash wholly what only whole contents can tell apart, some files at a time."""
        db = self._connection
        ids = await self._thread.run(lambda: stages.alike_without_full_fingerprint(db, root_ids))
        for start in range(0, len(ids), _FULL_PAGE):
            self._alike_left = len(ids) - start
            page = ids[start : start + _FULL_PAGE]
            jobs = await self._thread.run(partial(stages.pending_full_fingerprints, db, page))
            if self._token.aborted:
                return
            await stage.run_full(jobs)
        self._alike_left = 0

    async def _recognise_moved(self, root_ids: Sequence[int]) -> None:
        """Find moves by fingerprint, and count them as that instead of as what the walk took them for."""
        since_ns = min(target.key.started_ns for target in self._targets)
        matched = await self._library.writer.run(
            lambda db: match_fingerprints(db, root_ids, since_ns=since_ns)
        )
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
            pending = await self._thread.run(lambda stage=stage: self._pending_number(stage))  # type: ignore[misc]  # bound now
            meter.total, meter.is_total_final = done + pending, not walking

    def _pending_number(self, stage: Stage) -> int:
        pending = sum(
            stages.count_pending(self._connection, stage, target.key.root_id, target.start, name=target.name)
            for target in self._targets
        )
        return pending + (self._alike_left if stage is Stage.FINGERPRINT else 0)
