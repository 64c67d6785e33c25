"""The metadata stage: pending files through the workers, normalised, into the library.

Pictures and films go to the exiftool pool; songs go to mutagen, and to exiftool when mutagen cannot read them. Every
file that is handed out ends exactly once: as metadata, as a failure, or given back because the scan was stopped or
the file changed under it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from tui.display import display
from tui.library import stages
from tui.records import Extraction, FileJob, FoundFile, Kind, stored_inode
from tui.scan.normalize.exiftool import metadata_from_exiftool
from tui.scan.normalize.mutagen import metadata_from_mutagen
from tui.scan.outcomes import count_outcome
from tui.workers.errors import FILE_GONE, PoolClosedError, TaskFailedError, WorkerUnavailableError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from tui.library.database import Library
    from tui.scan.absence import DiskPresence
    from tui.scan.cancel import CancelToken
    from tui.scan.daemon_thread import DaemonThread
    from tui.scan.feeder import Feeder
    from tui.scan.progress import StageMeter, Tally
    from tui.workers.exiftool import ExiftoolAnswer
    from tui.workers.pool import WorkerPool
    from tui.workers.tags import TagAnswer

logger = logging.getLogger("yapmo.scan")

_SETTLE_FILES = 256
_SETTLE_S = 0.5
_IDLE_S = 0.1
_SETTLING_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What the workers said of one file, before it is normalised.

    Attributes:
        job: the file.
        exiftool: what exiftool said, None if it was not asked or gave no answer.
        tags: what mutagen said, None likewise.
        error: why there is no answer, or what mutagen said before exiftool was asked.
        extractor: the exiftool that was asked.
    """

    job: FileJob
    exiftool: ExiftoolAnswer | None = None
    tags: TagAnswer | None = None
    error: str = ""
    extractor: str = ""

    @property
    def found_nothing(self) -> bool:
        """Whether nothing lay at the path when a worker looked there."""
        return FILE_GONE in (self.error, self.exiftool.error if self.exiftool else "")


@dataclass(frozen=True, slots=True)
class SettledBatch:
    """A batch of outcomes, ready for the library.

    Attributes:
        extractions: outcomes, also of files that change again and again.
        unstable: files that changed while they were read, with what they are now.
        elsewhere: files of which nothing, or another file, lies at their path: the walk may find them elsewhere.
    """

    extractions: tuple[Extraction, ...]
    unstable: tuple[tuple[FileJob, FoundFile], ...]
    elsewhere: tuple[FileJob, ...] = ()

    @property
    def given_back(self) -> list[FileJob]:
        """Files without an outcome, which are read again."""
        settled = {item.file_id for item in self.extractions}
        return [job for job, _ in self.unstable if job.file_id not in settled]


class MetadataStage:
    """Runs the metadata stage of one scan until nothing is pending and nothing more will come."""

    def __init__(
        self,
        library: Library,
        feeder: Feeder,
        exiftool: WorkerPool[ExiftoolAnswer],
        tags: WorkerPool[TagAnswer],
        token: CancelToken,
        tally: Tally,
        meter: StageMeter,
        *,
        extractor: str,
        presence: DiskPresence,
        more_to_come: Callable[[], bool],
        on_settled: Callable[[Sequence[FileJob]], None],
    ) -> None:
        """Prepare the stage.

        Args:
            library: where outcomes go.
            feeder: where pending files come from.
            exiftool: the pool for pictures and films.
            tags: the pool for songs.
            token: stops and pauses the stage.
            tally: counts outcomes.
            meter: measures the stage.
            extractor: name and version of the exiftool in the pool.
            presence: knows whether the disk that holds the files is there.
            more_to_come: tells whether the walk may still find files.
            on_settled: called with the files whose outcome is committed.
        """
        self._library = library
        self._feeder = feeder
        self._exiftool = exiftool
        self._tags = tags
        self._token = token
        self._tally = tally
        self._meter = meter
        self._extractor = extractor
        self._presence = presence
        self._more_to_come = more_to_come
        self._on_settled = on_settled
        self._answers: list[RawAnswer] = []
        self._reading = 0
        self._found_nothing = False
        self._wake = asyncio.Event()
        self._looking = asyncio.Lock()
        self._lanes: set[asyncio.Task[None]] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._settle_slots = asyncio.Semaphore(_SETTLING_AT_ONCE)

    async def run(self, thread: DaemonThread) -> None:
        """Work until all is done; `thread` runs what would block the event loop.

        After an abort it returns once the outcomes that the workers gave are committed. The pools must be closed by
        then, or their commands run on.
        """
        await asyncio.gather(self._exiftool.start(), self._tags.start())
        settler = asyncio.create_task(self._settle_regularly(thread))
        try:
            self._open_lane()
            while self._lanes:
                await asyncio.wait(set(self._lanes))
        finally:
            settler.cancel()
            await asyncio.gather(settler, return_exceptions=True)
        await self._settle(thread)
        await asyncio.gather(*self._settling)
        if self._failure is not None:
            raise self._failure

    @property
    def is_idle(self) -> bool:
        """True while nothing is pending, and no outcome may make anything so."""
        return self._found_nothing and not self._is_busy

    def _open_lane(self) -> None:
        """Let one more file be read at the same time."""
        lane = asyncio.create_task(self._run_lane())
        self._lanes.add(lane)
        lane.add_done_callback(self._lanes.discard)
        lane.add_done_callback(self._note_failure)

    async def _run_lane(self) -> None:
        """Read one file after the other until there is none left, or there are more lanes than the workers need."""
        while (job := await self._take_job()) is not None:
            if len(self._lanes) < self._capacity:
                self._open_lane()
            await self._read(job)

    async def _take_job(self) -> FileJob | None:
        """Return the next file to read, waiting for one while there may be more; None when this lane is to end."""
        async with self._looking:
            while not self._token.aborted and self._failure is None and len(self._lanes) <= self._capacity:
                if self._token.paused or self._presence.is_away:
                    await self._sleep(_IDLE_S)
                    continue
                more = self._more_to_come()  # asked before looking, or the walk's last files would be missed
                if not more:
                    self._feeder.bring_back()
                job = await self._feeder.next_job()
                self._found_nothing = job is None
                if job is not None:
                    self._reading += 1
                    return job
                if not more and not self._is_busy and not self._feeder.has_aside:
                    return None
                await self._sleep(_IDLE_S)
        return None

    @property
    def _is_busy(self) -> bool:
        """True while the outcome of some file may still make it pending again."""
        return bool(self._reading or self._answers or self._settling)

    @property
    def _capacity(self) -> int:
        return self._exiftool.capacity + self._tags.capacity

    async def _sleep(self, seconds: float) -> None:
        """Sleep until an outcome arrives, for `seconds` at most."""
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    async def _read(self, job: FileJob) -> None:
        """Get the workers' answer for one file."""
        try:
            answer = await self._ask(job)
        except PoolClosedError:
            answer = None
        finally:
            self._reading -= 1
        if answer is None:
            self._feeder.give_back([job.file_id])
        else:
            self._answers.append(answer)
        self._wake.set()

    async def _ask(self, job: FileJob) -> RawAnswer | None:
        """Ask mutagen for songs, exiftool for the rest and for what mutagen cannot read."""
        first_error = ""
        if job.kind is Kind.AUDIO:
            try:
                tags = await self._tags.run(job.path)
            except (PoolClosedError, WorkerUnavailableError):
                raise
            except TaskFailedError as error:
                return RawAnswer(job, error=error.message)
            if not tags.error:
                return RawAnswer(job, tags=tags)
            first_error = tags.error
        try:
            said = await self._exiftool.run(job.path)
            return RawAnswer(job, exiftool=said, error=first_error, extractor=self._extractor)
        except (PoolClosedError, WorkerUnavailableError):
            raise
        except TaskFailedError as error:
            return RawAnswer(job, error=error.message)

    async def _settle_regularly(self, thread: DaemonThread) -> None:
        while True:
            await asyncio.sleep(_SETTLE_S)
            await self._settle(thread)

    async def _settle(self, thread: DaemonThread) -> None:
        """Hand the answers that have come to the writer, in batches."""
        while self._answers:
            await self._settle_slots.acquire()
            batch, self._answers = self._answers[:_SETTLE_FILES], self._answers[_SETTLE_FILES:]
            task = asyncio.create_task(self._settle_batch(batch, thread))
            self._settling.add(task)
            task.add_done_callback(self._forget)

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        """Keep the first error that ends the stage."""
        if not task.cancelled() and task.exception() is not None and self._failure is None:
            self._failure = task.exception()
            self._wake.set()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._note_failure(task)
        self._settling.discard(task)
        self._settle_slots.release()
        self._wake.set()

    async def _settle_batch(self, answers: Sequence[RawAnswer], thread: DaemonThread) -> None:
        """Normalise and commit one batch, then count it and let its files go."""
        may_move = self._more_to_come() or self._token.aborted  # an aborted walk has not said where files are
        look = partial(settle_answers, answers, self._feeder.may_retry, may_be_elsewhere=may_move)
        batch = await self._without_absent(await thread.run(look))
        jobs = [answer.job for answer in answers]

        def write(db: sqlite3.Connection) -> int:
            for job, found in batch.unstable:
                stages.note_changed_content(db, job, found)
            return stages.save_extractions(db, batch.extractions)

        settled = await self._library.writer.run(write)
        self._feeder.put_aside(job.file_id for job in batch.elsewhere)
        end = self._feeder.settle if settled == len(batch.extractions) else self._feeder.give_back
        end([item.file_id for item in batch.extractions])
        self._feeder.give_back([job.file_id for job in batch.given_back])
        for job in batch.given_back:
            logger.info("%s changed while it was read; it is read again", display(job.path))
        by_id = {job.file_id: job for job in jobs}
        for item in batch.extractions:
            count_outcome(by_id[item.file_id], item.error, self._meter, self._tally)
        done = {item.file_id for item in batch.extractions if item.error is None}
        self._on_settled([job for job in jobs if job.file_id in done])

    async def _without_absent(self, batch: SettledBatch) -> SettledBatch:
        """Return a batch without the failures that may be the fault of an absent disk: those files are read again."""
        failed = {item.file_id for item in batch.extractions if item.error is not None}
        if not failed or not await self._presence.is_to_blame():
            return batch
        self._feeder.take_back(failed)
        return replace(
            batch,
            extractions=tuple(item for item in batch.extractions if item.error is None),
            unstable=tuple(pair for pair in batch.unstable if pair[0].file_id not in failed),
        )


def settle_answers(
    answers: Sequence[RawAnswer],
    may_retry: Callable[[int], bool] = lambda _: True,
    *,
    may_be_elsewhere: bool = False,
) -> SettledBatch:
    """Turn workers' answers into outcomes; looks at each file once more, so call it where it may block.

    A file whose size or time is not what it was when it was handed out gives no outcome: what was read may be a
    mixture of two contents. It is read again, or is a failure when `may_retry` says no to its id. Where nothing lies at
    its path, or a file with another inode, the walk alone can tell what became of it: while it may
    (`may_be_elsewhere`) there is no outcome, later that is a failure.
    """
    extractions: list[Extraction] = []
    unstable: list[tuple[FileJob, FoundFile]] = []
    elsewhere: list[FileJob] = []
    for answer in answers:
        job = answer.job
        now = _look_at(job)
        is_changed = now is not None and (
            answer.found_nothing or (now.size, now.mtime_ns) != (job.size, job.mtime_ns)
        )
        if may_be_elsewhere and (now is None or (is_changed and now.inode != job.inode)):
            elsewhere.append(job)
        elif now is None:
            message = answer.error or "The file went away while it was read."
            extractions.append(_failure(job, message, passing=True))
        elif not is_changed:
            extractions.append(_normalise(answer))
        elif now.inode != job.inode:
            message = "Another file lies at its path by now; the next scan looks for it."
            extractions.append(_failure(job, message, passing=True))
        else:
            unstable.append((job, now))
            if not may_retry(job.file_id):
                moving = replace(job, size=now.size, mtime_ns=now.mtime_ns)
                message = "The file changes while it is read, again and again."
                extractions.append(_failure(moving, message, passing=True))
    return SettledBatch(tuple(extractions), tuple(unstable), tuple(elsewhere))


def _normalise(answer: RawAnswer) -> Extraction:
    """Turn one answer into an outcome; whatever it holds, it costs its own file at most."""
    try:
        return _to_extraction(answer)
    except Exception as error:  # the answer speaks of foreign bytes
        logger.exception("%s: the metadata cannot be normalised", display(answer.job.path))
        return _failure(answer.job, f"The metadata cannot be normalised: {type(error).__name__}.")


def _look_at(job: FileJob) -> FoundFile | None:
    try:
        status = os.stat(job.path)
    except OSError:
        return None
    name = os.path.basename(job.path)
    return FoundFile(
        name, job.kind, status.st_size, status.st_mtime_ns, stored_inode(status.st_ino), status.st_nlink
    )


def _to_extraction(answer: RawAnswer) -> Extraction:
    job = answer.job
    if answer.tags is not None:
        tags = answer.tags
        return Extraction(
            job.file_id,
            job.size,
            job.mtime_ns,
            tags.extractor,
            metadata=metadata_from_mutagen(tags.tags, size=job.size),
            all_tags=tags.raw,
            warnings=tags.warnings,
        )
    if answer.exiftool is None:
        return _failure(job, answer.error)
    said = answer.exiftool
    if said.error:
        return _failure(job, said.error if not answer.error else f"{answer.error}; exiftool: {said.error}")
    return Extraction(
        job.file_id,
        job.size,
        job.mtime_ns,
        answer.extractor,
        metadata=metadata_from_exiftool(
            said.tags, path=job.path, kind=job.kind, size=job.size, mtime_ns=job.mtime_ns
        ),
        all_tags=said.raw,
        warnings=said.warnings,
    )


def _failure(job: FileJob, message: str, *, passing: bool = False) -> Extraction:
    return Extraction(job.file_id, job.size, job.mtime_ns, "", error=message, path=job.path, passing=passing)
