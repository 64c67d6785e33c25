"""A pool of children of one kind: tasks in, answers out, whatever the children do.

Every `run()` settles. A child that dies, hangs or talks nonsense costs the file that it was reading one
attempt of two; files that were only waiting behind it pay nothing. Which file a child was reading is a guess
(it may have died of the one before), so the second attempt belongs to a child that has read nothing else.
While no child can be started the pool tries again at growing intervals and is never dead for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, Self

from tui.display import display
from tui.workers.errors import PoolClosedError, TaskFailedError, WorkerUnavailableError
from tui.workers.files import FileGate
from tui.workers.kind import AnswerT, WorkerKind
from tui.workers.single import read_alone
from tui.workers.usage import READING_BLOCKS, read_usages
from tui.workers.worker import ATTEMPTS, Job, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tui.records import WorkerStatus
    from tui.workers.kind import Reply
    from tui.workers.process import ChildProcess
    from tui.workers.usage import Usage

logger = logging.getLogger("yapmo.workers")

MAX_SIZE = 32
"""Children that one pool may have."""

SINGLE_READS = 1
"""Files that may be read by processes of their own at the same time, beside the children: each may take as much memory as one."""

WATCH_S = 0.25
"""Seconds between two looks at the children's time, CPU and memory."""

START_GAP_S = 0.005
"""Seconds between the starts of two children, so that the event loop does other things between them."""

BACKOFF_S = 0.1
"""Pause after a child that was lost at its start, doubled with each in a row."""

LONGEST_BACKOFF_S = 10.0
"""Longest such pause."""

TERM_PATIENCE_S = 0.1
"""How long a child may take to end on SIGTERM before it is killed."""

TOLERATED_START_FAILURES = 4
"""Failed starts in a row from which on waiting tasks fail instead of waiting for the next start."""

LONGEST_START_S = 40.0
"""Seconds of failed starts in a row after which they do so too: a program that is silent takes long to fail four times."""


class WorkerPool(Generic[AnswerT]):
    """Children of one kind that answer tasks.

    Use it on one event loop, in the main thread: `start()`, any number of `run()`, `close()`; or as an
    asynchronous context manager. Children are started when there is work for them.
    """

    def __init__(self, kind: WorkerKind[AnswerT], size: int, *, in_flight: int = 0) -> None:
        """Make a pool that holds nothing yet.

        Args:
            kind: what the children are.
            size: how many of them, 1 to 32.
            in_flight: how many tasks are written to a child ahead of its answers; 0 for what the kind says.
        """
        self._kind = kind
        self._usual_in_flight = self._in_flight = in_flight or kind.in_flight
        self._size = _clamp_size(size)
        self._waiting: deque[Job[AnswerT]] = deque()
        self._suspects: deque[Job[AnswerT]] = deque()  # tasks that a child was lost with
        self._workers: list[Worker[AnswerT]] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._singles: set[asyncio.Task[Reply]] = set()
        self._start_failures = 0
        self._first_start_s = 0.0
        self._start_allowed_s = 0.0
        self._backoff_ends_s = 0.0
        self._growing: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        self._draining_over = False
        self._watcher: asyncio.Task[None] | None = None
        self._resize_workers()

    async def start(self) -> None:
        """Make the pool ready; children start when there is work. Idempotent."""
        if self._watcher:
            return
        self._loop = asyncio.get_running_loop()
        self._gate = FileGate(self._kind.check, trust_folders=not self._kind.follow_links)
        self._single_turns = asyncio.Semaphore(SINGLE_READS)
        self._stirred = asyncio.Event()
        self._answered = asyncio.Event()
        self._watcher = asyncio.create_task(self._watch(), name=f"yapmo-watch-{self._kind.name}")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def size(self) -> int:
        """How many children the pool may have."""
        return self._size

    @property
    def capacity(self) -> int:
        """How many `run()` calls at once keep all children busy; more only wait."""
        return self._size * (self._in_flight + 1)

    async def run(self, path: bytes) -> AnswerT:
        """Let a child read the file at the absolute `path` and return its answer.

        Cancelling the call gives the answer up; the child goes on undisturbed.

        Raises:
            TaskFailedError: one of its subclasses, with a sentence for people as its message.
        """
        if self._closing or not self._watcher:
            raise PoolClosedError("The workers are not running.")
        await self._gate.check(path, self._kind.limits.timeout_s)
        if self._closing:
            raise _stopped()
        command = self._kind.single_command(path)
        if command is not None:
            return await self._run_alone(command)
        job: Job[AnswerT] = Job(path, self._loop.create_future())
        self._waiting.append(job)
        self._dispatch()
        return await job.future

    def resize(self, size: int, *, in_flight: int = 0) -> None:
        """Change how many children there may be (1 to 32); those too many answer what they have, then end.

        Args:
            size: how many.
            in_flight: how many tasks are written to a child ahead of its answers; 0 for as many as at first.
        """
        self._in_flight = in_flight or self._usual_in_flight
        self._size = _clamp_size(size)
        self._resize_workers()
        if self._watcher and not self._closing:
            self._dispatch()

    def statuses(self) -> tuple[WorkerStatus, ...]:
        """Return what each worker is at, by number."""
        return tuple(worker.status() for worker in self._workers[: self._size])

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of the living children."""
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    async def close(self, grace_s: float = 0.3) -> None:
        """Let tasks that children have begun finish for `grace_s` seconds, then end all children. Idempotent.

        Every `run()` that is not answered by then raises `PoolClosedError`. No child is left behind.
        """
        if not self._watcher:
            return
        if not self._closing:
            self._closing = asyncio.create_task(self._close(grace_s), name=f"yapmo-close-{self._kind.name}")
        await asyncio.shield(self._closing)

    def room_made(self) -> None:
        """Hear that a worker can take a task."""
        self._answered.set()
        self._dispatch()

    def jobs_returned(self, jobs: Iterable[Job[AnswerT]]) -> None:
        """Take back, to the head of the line, what was written to a child that is lost."""
        if self._closing:
            _fail_all(jobs, _stopped)
            return
        jobs = list(jobs)
        self._suspects.extend(job for job in jobs if job.failures)
        self._waiting.extendleft(reversed([job for job in jobs if not job.failures]))

    def start_failed(self, error: TaskFailedError) -> None:
        """Hear that a child was lost before it ever answered: wait before the next, longer each time."""
        now = time.monotonic()
        if now >= self._backoff_ends_s:  # children that were started together and fail together count once
            self._start_failures += 1
            self._backoff_ends_s = now + min(BACKOFF_S * 2 ** (self._start_failures - 1), LONGEST_BACKOFF_S)
            self._start_allowed_s = self._backoff_ends_s
        logger.warning("%s did not start: %s", self._kind.name, display(error.message))
        is_hopeless = (
            self._start_failures >= TOLERATED_START_FAILURES or now - self._first_start_s >= LONGEST_START_S
        )
        if is_hopeless and not any(worker.accepting for worker in self._workers):
            message = f"{self._kind.name} does not start. {error.message}"
            _fail_all(self._take_waiting(), lambda: WorkerUnavailableError(message))
        self._dispatch()

    def start_succeeded(self) -> None:
        """Hear that a child has answered for the first time."""
        self._start_failures = 0

    def child_left(self, child: ChildProcess) -> None:
        """End and collect a child that is done with."""
        task = self._loop.create_task(_end(child, patience_s=0.0 if self._draining_over else TERM_PATIENCE_S))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _run_alone(self, command: Sequence[bytes]) -> AnswerT:
        """Read one file by a process of its own, tried again as a task of a child would be."""
        async with self._single_turns:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return self._kind.understand(await self._read_alone(command))
                except TaskFailedError as error:
                    if attempt == ATTEMPTS or not error.retryable:
                        raise
        raise AssertionError("the last attempt returns or raises")

    async def _read_alone(self, command: Sequence[bytes]) -> Reply:
        if self._closing:
            raise _stopped()
        task = asyncio.create_task(read_alone(command, self._kind.limits, leave=self.child_left))
        self._singles.add(task)
        try:
            await asyncio.wait({task})
        finally:
            self._singles.discard(task)
            task.cancel()
        if task.cancelled():
            raise _stopped()
        return task.result()

    def _resize_workers(self) -> None:
        for number in range(len(self._workers) + 1, self._size + 1):
            self._workers.append(Worker(number, self._kind, self))
        for worker in self._workers[self._size :]:
            worker.retire()

    def _take_waiting(self) -> list[Job[AnswerT]]:
        jobs = [*self._suspects, *self._waiting]
        self._suspects.clear()
        self._waiting.clear()
        return jobs

    def _dispatch(self) -> None:
        """Write waiting tasks to the children with the fewest, and start children while tasks wait."""
        if self._closing:
            return
        self._dispatch_suspects()
        while self._waiting and (worker := self._choose_worker()):
            job = self._waiting.popleft()
            if not job.future.done():
                worker.give(job)
        if self._waiting or self._suspects:
            self._grow_soon()
        self._stirred.set()

    def _dispatch_suspects(self) -> None:
        """Give each task that a child was lost with to a child that has read nothing; make room for one if need be."""
        workers = self._workers[: self._size]
        for worker in workers:
            if self._suspects and worker.unused:
                worker.give(self._suspects.popleft())
        if self._suspects and all(worker.accepting for worker in workers):
            min(workers, key=lambda worker: len(worker.jobs)).retire()

    def _choose_worker(self) -> Worker[AnswerT] | None:
        """Return the worker with the fewest tasks; none when all are full or a child is about to start."""
        best, fewest, may_grow = None, self._in_flight, False
        for worker in self._workers:
            if worker.accepting:
                if len(worker.jobs) < fewest:
                    best, fewest = worker, len(worker.jobs)
            elif worker.pid is None and worker.number <= self._size:
                may_grow = True
        if fewest and may_grow and self._start_allowed_s - time.monotonic() <= START_GAP_S:
            return None
        return best

    def _grow_soon(self) -> None:
        if self._growing is None and any(worker.pid is None for worker in self._workers[: self._size]):
            pause_s = max(0.0, self._start_allowed_s - time.monotonic())
            self._growing = self._loop.call_later(pause_s, self._grow)

    def _grow(self) -> None:
        """Start one child in an empty place if there still is work for it."""
        self._growing = None
        empty = next((worker for worker in self._workers[: self._size] if worker.pid is None), None)
        if self._closing or not (self._waiting or self._suspects) or empty is None:
            return
        if time.monotonic() < self._backoff_ends_s:
            self._grow_soon()
            return
        now = time.monotonic()
        self._start_allowed_s = now + START_GAP_S
        if not self._start_failures:
            self._first_start_s = now
        try:
            empty.start()
        except WorkerUnavailableError as error:
            self.start_failed(error)
        else:
            self._dispatch()

    async def _watch(self) -> None:
        """Look after the children while there is something to look after."""
        limits = self._kind.limits
        pause_s = min(WATCH_S, limits.timeout_s / 8, limits.cpu_s / 8)
        while True:
            await self._stirred.wait()
            await asyncio.sleep(pause_s)
            usages = await self._read_usages()
            for worker in self._workers:
                worker.inspect(usages.get(worker.pid or 0))
            if not any(worker.busy for worker in self._workers):
                self._stirred.clear()

    async def _read_usages(self) -> dict[int, Usage]:
        if READING_BLOCKS:
            return await asyncio.to_thread(read_usages, self.pids())
        return read_usages(self.pids())

    async def _close(self, grace_s: float) -> None:
        self._gate.close()
        if self._growing:
            self._growing.cancel()
        _fail_all(self._take_waiting(), _stopped)
        for task in self._singles:
            task.cancel()
        for worker in self._workers:
            if not worker.jobs:
                worker.dismiss()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                while any(worker.jobs for worker in self._workers):
                    self._answered.clear()
                    await self._answered.wait()
        self._draining_over = True
        for worker in self._workers:
            worker.dismiss()
        if self._watcher:
            self._watcher.cancel()
        while self._leaving or self._singles:
            await asyncio.wait({*self._leaving, *self._singles})


async def _end(child: ChildProcess, *, patience_s: float) -> None:
    await child.end(patience_s=patience_s)


def _clamp_size(size: int) -> int:
    return min(max(size, 1), MAX_SIZE)


def _stopped() -> PoolClosedError:
    return PoolClosedError("The scan was stopped before the file was read.")


def _fail_all(jobs: Iterable[Job[AnswerT]], make_error: Callable[[], TaskFailedError]) -> None:
    for job in jobs:
        job.fail(make_error())
