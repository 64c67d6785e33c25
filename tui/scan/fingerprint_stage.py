"""The fingerprint stage: files hashed by daemon threads, after their metadata and never in front of it."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from tui.library import stages
from tui.scan.hashing import HashingThreads
from tui.scan.outcomes import count_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.library.database import Library
    from tui.records import FileJob, Fingerprint
    from tui.scan.absence import DiskPresence
    from tui.scan.cancel import CancelToken
    from tui.scan.feeder import Feeder
    from tui.scan.progress import StageMeter, Tally

_BATCH_FILES = 32
_WAITING_BATCHES = 16
_IDLE_S = 0.1
_ABORT_GRACE_S = 0.2


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
        timeout_s: float,
        presence: DiskPresence,
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
            timeout_s: how long one read may take.
            presence: knows whether the disk that holds the files is there.
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
        self._presence = presence
        self._make_threads = partial(
            HashingThreads, token=token, on_done=self._take, follow_links=follow_links, timeout_s=timeout_s
        )
        self._hashing = self._make_threads(threads)
        self._unread: list[FileJob] = []
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
                if self._token.paused or self._presence.is_away or self._waiting >= _WAITING_BATCHES:
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
        hashing = self._hashing = self._make_threads(1)
        hashing.start()
        self._unread = list(jobs)
        try:
            while (self._waiting or self._unread or self._outcomes) and not self._token.aborted:
                if self._unread and not self._presence.is_away:
                    unread, self._unread = self._unread, []
                    self._submit(unread, full=True)
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
        self._hashing.give_up_hanging()
        outcomes, self._outcomes = self._outcomes, []
        if any(outcome.error for outcome in outcomes) and await self._presence.is_to_blame():
            outcomes = self._without_absent(outcomes)
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

    def _without_absent(self, outcomes: Sequence[Fingerprint]) -> list[Fingerprint]:
        """Return outcomes without the failures, which may be the fault of an absent disk: those files are read again."""
        failed = [outcome.file_id for outcome in outcomes if outcome.error is not None]
        self._unread += [self._jobs.pop(file_id) for file_id in failed]
        self._feeder.take_back(failed)
        return [outcome for outcome in outcomes if outcome.error is None]
