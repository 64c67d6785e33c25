"""The fingerprint stage: files hashed by daemon threads, after their metadata and never in front of it."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

from tui.display import display
from tui.library import stages
from tui.records import Fingerprint
from tui.scan.cancel import ScanCancelledError
from tui.scan.fingerprint import fingerprint_file
from tui.scan.outcomes import count_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.library.database import Library
    from tui.records import FileJob
    from tui.scan.cancel import CancelToken
    from tui.scan.feeder import Feeder
    from tui.scan.progress import StageMeter, Tally

logger = logging.getLogger("yapmo.scan")

_BATCH_FILES = 32
_WAITING_BATCHES = 16
_IDLE_S = 0.1
_HAND_IN_S = 0.2
_ABORT_GRACE_S = 0.2


class HashingThreads:
    """Hashes batches of files in threads of their own.

    Daemon threads, because a read that never returns must not keep the program from ending.
    """

    def __init__(
        self,
        number: int,
        token: CancelToken,
        on_done: Callable[[Sequence[Fingerprint], bool], None],
        *,
        follow_links: bool,
    ) -> None:
        """Prepare `number` threads; `on_done` is called on the event loop with outcomes, and whether they end a batch."""
        self._follow_links = follow_links
        self._token = token
        self._on_done = on_done
        self._number = number
        self._batches: queue.SimpleQueue[tuple[Sequence[FileJob], bool] | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the threads; call on the event loop."""
        self._loop = asyncio.get_running_loop()
        for number in range(self._number):
            threading.Thread(target=self._run, name=f"fingerprint {number + 1}", daemon=True).start()

    def submit(self, jobs: Sequence[FileJob], *, full: bool) -> None:
        """Hand in a batch; `full` asks for the hash of the whole content."""
        self._batches.put((jobs, full))

    def stop(self) -> None:
        """Let the threads end; after an abort they drop what waits."""
        for _ in range(self._number):
            self._batches.put(None)

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            jobs, full = batch
            outcomes: list[Fingerprint] = []
            handed_in_s = time.monotonic()
            try:
                for job in jobs:
                    self._token.check()
                    outcomes.append(self._hash(job, full=full))
                    if time.monotonic() - handed_in_s > _HAND_IN_S:
                        self._hand_in(outcomes, ends_batch=False)
                        outcomes, handed_in_s = [], time.monotonic()
            except ScanCancelledError:
                pass
            self._hand_in(outcomes, ends_batch=True)

    def _hash(self, job: FileJob, *, full: bool) -> Fingerprint:
        """Hash one file; whatever happens, it costs that file at most."""
        try:
            return fingerprint_file(job, self._token, full=full, follow_links=self._follow_links)
        except ScanCancelledError:
            raise
        except Exception as error:
            logger.exception("%s: the fingerprint cannot be made", display(job.path))
            message = f"The fingerprint cannot be made: {type(error).__name__}."
            return Fingerprint(job.file_id, job.size, job.mtime_ns, error=message)

    def _hand_in(self, outcomes: Sequence[Fingerprint], *, ends_batch: bool) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._on_done, outcomes, ends_batch)


class FingerprintStage:
    """Runs the fingerprint stage of one scan until nothing is pending and nothing more will come."""

    def __init__(
        self,
        library: Library,
        feeder: Feeder,
        token: CancelToken,
        tally: Tally,
        meter: StageMeter,
        *,
        threads: int,
        full: bool,
        follow_links: bool,
        more_to_come: Callable[[], bool],
        may_begin: Callable[[], bool],
    ) -> None:
        """Prepare the stage.

        Args:
            library: where outcomes go.
            feeder: where pending files come from that were not offered.
            token: stops and pauses the stage.
            tally: counts outcomes.
            meter: measures the stage.
            threads: how many files are read at once.
            full: whether every file is hashed wholly.
            follow_links: whether paths that are symbolic links are read.
            more_to_come: tells whether stages before this one are at work.
            may_begin: tells whether they have nothing to do for now; while they have, only offered files are hashed.
        """
        self._library = library
        self._feeder = feeder
        self._token = token
        self._tally = tally
        self._meter = meter
        self._full = full
        self._more_to_come = more_to_come
        self._may_begin = may_begin
        self._follow_links = follow_links
        self._hashing = HashingThreads(threads, token, self._take, follow_links=follow_links)
        self._jobs: dict[int, FileJob] = {}
        self._hashed_early: set[int] = set()
        self._waiting = 0
        self._outcomes: list[Fingerprint] = []
        self._wake = asyncio.Event()

    def offer(self, jobs: Sequence[FileJob]) -> None:
        """Take files whose metadata was just read and that still lie in the page cache; what finds no room stays pending."""
        if self._waiting < _WAITING_BATCHES and not self._token.aborted:
            claimed = [
                job
                for job in jobs
                if job.fingerprint_pending
                and job.file_id not in self._hashed_early
                and self._feeder.claim(job)
            ]
            if claimed:
                self._submit(claimed, full=self._full)

    async def run(self) -> None:
        """Work until all is done; after an abort, return once what was hashed is committed."""
        self._hashing.start()
        try:
            while not self._token.aborted:
                await self._commit()
                if self._token.paused or self._waiting >= _WAITING_BATCHES:
                    await self._sleep()
                    continue
                more = self._more_to_come()
                if not more:
                    self._feeder.bring_back()
                batch = [] if more and not self._may_begin() else await self._next_batch()
                if more:
                    self._note_early(batch)
                if batch:
                    self._submit(batch, full=self._full)
                elif more or self._waiting or self._outcomes or self._feeder.has_aside:
                    await self._sleep()
                else:
                    break
        finally:
            self._hashing.stop()
        await self._wait_for_threads()
        await self._commit()

    async def run_full(self, jobs: Sequence[FileJob]) -> None:
        """Hash the whole content of `jobs`, files that only their whole content can tell apart."""
        hashing = self._hashing = HashingThreads(1, self._token, self._take, follow_links=self._follow_links)
        hashing.start()
        try:
            self._submit(jobs, full=True)
            while self._waiting and not self._token.aborted:
                await self._sleep()
                await self._commit()
        finally:
            hashing.stop()
        await self._wait_for_threads()
        await self._commit()

    async def _wait_for_threads(self) -> None:
        """After an abort, wait for what the threads have finished, unless they hang on a disk."""
        deadline = time.monotonic() + _ABORT_GRACE_S
        while self._waiting and time.monotonic() < deadline:
            await self._sleep()

    async def _next_batch(self) -> list[FileJob]:
        batch: list[FileJob] = []
        while len(batch) < _BATCH_FILES and (job := await self._feeder.next_job()) is not None:
            batch.append(job)
        return batch

    def _note_early(self, batch: Sequence[FileJob]) -> None:
        """Remember files whose metadata may be under way: they may be offered when they are no longer pending.

        Where no metadata is under way, what is committed is never offered again. It is forgotten, or all files of this
        disk would be remembered while another one is walked.
        """
        if self._may_begin():
            self._hashed_early.intersection_update(self._jobs)
        self._hashed_early.update(job.file_id for job in batch)

    def _submit(self, jobs: Sequence[FileJob], *, full: bool) -> None:
        """Hand in a batch; files that are read wholly one by one, lest a small one waits behind a huge one."""
        self._jobs.update((job.file_id, job) for job in jobs)
        for batch in [[job] for job in jobs] if full else [jobs]:
            self._waiting += 1
            self._hashing.submit(batch, full=full)

    def _take(self, outcomes: Sequence[Fingerprint], ends_batch: bool) -> None:
        self._waiting -= ends_batch
        self._outcomes.extend(outcomes)
        self._wake.set()

    async def _sleep(self) -> None:
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), _IDLE_S)
        except TimeoutError:
            return

    async def _commit(self) -> None:
        """Commit what has been hashed, then count it and let its files go."""
        outcomes, self._outcomes = self._outcomes, []
        if self._more_to_come() or self._token.aborted:  # an aborted walk has not said where files are
            aside = self._feeder.put_aside(outcome.file_id for outcome in outcomes if outcome.elsewhere)
            outcomes = [outcome for outcome in outcomes if outcome.file_id not in aside]
        if not outcomes:
            return
        settled = await self._library.writer.run(lambda db: stages.save_fingerprints(db, outcomes))
        for outcome in outcomes:
            count_outcome(self._jobs.pop(outcome.file_id), outcome.error, self._meter, self._tally)
        end = self._feeder.settle if settled == len(outcomes) else self._feeder.give_back
        end([outcome.file_id for outcome in outcomes])
