"""One scan from its first look at the roots to its summary: ties walk, metadata and fingerprint together."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import FAULT_CODE, LibraryError, YapmoError
from tui.library.connections import explain
from tui.records import ProgressSnapshot, ScanState, ScanSummary, Stage
from tui.scan.absence import DiskPresence
from tui.scan.cancel import CancelToken
from tui.scan.companions import regroup_companions
from tui.scan.daemon_thread import DaemonThread
from tui.scan.disk_reading import SharedParts, group_by_disk
from tui.scan.equal_files import EqualFiles
from tui.scan.lease import ScanLease
from tui.scan.merging import merge_search_index
from tui.scan.progress import StageMeter, Tally
from tui.scan.reading import Reading, run_together
from tui.scan.stopping import ABORT_GRACE_S, wait_unless_stuck, wait_unless_unwritable
from tui.scan.walk_stage import WalkStage

if TYPE_CHECKING:
    from tui.config import Config
    from tui.library.database import Library
    from tui.scan.extractors import Extractors
    from tui.scan.request import ScanRequest
    from tui.scan.targets import FoundTargets

logger = logging.getLogger("yapmo.scan")

_HEARTBEAT_S = 1.0
"""Between two renewals of the lease; who watches from another process sees no newer figures than these."""

_COUNT_REST = 30
"""How many times as long as a count of what is pending took the rest after it takes."""


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
        self._lease = ScanLease(library, found.targets)
        self._token = CancelToken()
        self._aborted = asyncio.Event()
        self._tally = Tally()
        self._meters = {stage: StageMeter(stage) for stage in (Stage.WALK, Stage.METADATA, Stage.FINGERPRINT)}
        self._state = ScanState.RUNNING
        self._began_s = time.monotonic()
        self._seconds = 0.0
        self._walking = True
        self._next_count_s = 0.0
        self._counted_while_walking = False
        self._summary: ScanSummary | None = None
        self._left_out = found.unavailable
        self._thread = thread = DaemonThread("scan")
        self._connection = connection = library.connect_read_only()
        self._presences = {
            target.key.scan_id: presence
            for group in group_by_disk(found.targets)
            for presence in [DiskPresence(group, self._token)]
            for target in group
        }
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
            self._presences,
        )
        self._equals = EqualFiles(library, thread, connection, self._token, found.targets)
        self._reading = Reading(
            SharedParts(
                library,
                config,
                thread,
                connection,
                self._token,
                self._tally,
                self._meters,
                self._stages,
                self._presences,
            ),
            [target for target in found.targets if request.believes(target)],
            extractors,
            is_walking=lambda: self._walking,
            has_listed=self._walk.has_listed,
        )

    @property
    def workers(self) -> int:
        """Number of exiftool processes that there are to be."""
        return self._reading.workers

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
        self._reading.set_workers(number)

    def prioritise(self, folder: bytes | None) -> None:
        """Serve `folder` and what lies below it first, in the walk and in the later stages."""
        self._walk.prefer(folder)
        self._reading.prefer(folder)

    def snapshot(self) -> ProgressSnapshot:
        """Return how the scan stands."""
        is_over = self._summary is not None
        return ProgressSnapshot(
            scan_id=self._targets[0].key.scan_id,
            paths=tuple(target.path for target in self._targets),
            state=self._state,
            seconds=self._seconds if is_over else time.monotonic() - self._began_s,
            counters=self._tally.counters(),
            stages=tuple(self._meters[stage].measure() for stage in self._stages),
            workers=() if is_over else self._reading.statuses(),
            problems=self._tally.problems,
            note=self._unavailable if is_over else self._note,
        )

    @property
    def _note(self) -> str:
        """What the scan waits for, or what it does about short memory, one sentence; empty when all is well."""
        away = (presence.note for presence in self._presences.values())
        return self._library.writer.waiting or next(filter(None, away), "") or self._reading.note

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
        logger.info("scanning %s with %d exiftool processes", names, self.workers)
        heartbeat = asyncio.create_task(self._keep_alive())
        watches = [asyncio.create_task(presence.keep_looking()) for presence in set(self._presences.values())]
        work = asyncio.create_task(self._work())
        stopped = asyncio.create_task(self._aborted.wait())
        error, code = "", 0
        state = ScanState.COMPLETED
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            await self._reading.close_pools(ABORT_GRACE_S)
            await wait_unless_stuck(work, self._library.writer, self._aborted)
        except YapmoError as failure:
            error, code, state = _say(failure), failure.exit_code, ScanState.FAILED
        except sqlite3.DatabaseError as failure:
            explained = explain(failure, self._library.path)
            error, code, state = _say(explained), explained.exit_code, ScanState.FAILED
        except Exception as failure:
            logger.exception("the scan failed")
            error, code, state = f"{type(failure).__name__}: {failure}", FAULT_CODE, ScanState.FAILED
        finally:
            for task in (heartbeat, stopped, *watches):
                task.cancel()
            await asyncio.gather(heartbeat, stopped, *watches, return_exceptions=True)
        if self._token.aborted and not error:
            state = ScanState.ABORTED
        return await self._finish(state, error, code)

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
            state, error, code = ScanState.FAILED, error or _say(failure), code or failure.exit_code
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
            doubts=self._walk.doubts,
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
        await run_together([self._walk_roots(), *self._reading.jobs(self._stop)], self._stop)
        if Stage.FINGERPRINT in self._stages and not self._token.aborted:
            await self._recognise_moved()
        self._meters[Stage.FINGERPRINT].finished = not self._token.aborted
        await regroup_companions(self._library, self._token)
        await merge_search_index(self._library, self._token, self._tally.counters())

    def _stop(self) -> None:
        """Let every stage end, because one failed."""
        self._token.abort()
        self._aborted.set()

    async def _walk_roots(self) -> None:
        try:
            await self._walk.prepare_library(self._stages)
            if Stage.WALK in self._stages:
                await self._walk.run()
        finally:
            self._walking = False

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
            self._reading.balance()
            try:
                await self._count_pending()
                asked_to_abort = await self._lease.renew(self.snapshot())
            except (YapmoError, sqlite3.Error) as error:  # the lease lives on if the next beat succeeds
                logger.warning("the scan's heartbeat: %s", error)
                asked_to_abort = False
            if asked_to_abort:
                logger.info("another process asked this scan to stop")
                self.abort()
            await asyncio.sleep(_HEARTBEAT_S)

    async def _count_pending(self) -> None:
        """Tell the meters how much there is to do, as far as the library knows by now.

        A million pending files take a second to count, so after a count comes a rest; only the end of the walk, which makes
        the number final, is not waited with.
        """
        began, walking = time.monotonic(), self._walking
        if began < self._next_count_s and walking == self._counted_while_walking:
            return
        for stage in self._stages:
            meter = self._meters[stage]
            if stage is Stage.WALK or meter.finished:
                continue
            done = meter.done
            pending = await self._reading.count_pending(stage)
            meter.total, meter.is_total_final = done + pending, not walking
        now = time.monotonic()
        self._next_count_s, self._counted_while_walking = now + _COUNT_REST * (now - began), walking


def _say(error: YapmoError) -> str:
    """Return what happened, and what to do about a library that failed."""
    if isinstance(error, LibraryError) and error.hint:
        return f"{error.message.rstrip('.')}. {error.hint}"
    return error.message
