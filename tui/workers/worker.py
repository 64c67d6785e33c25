"""One place in a pool: a child, the tasks written to it, and the watch over both."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol

from tui.display import display
from tui.records import WorkerStatus
from tui.workers.errors import (
    AnswerTooLargeError,
    CpuTimeExceededError,
    DesynchronisedError,
    MemoryExceededError,
    PoolClosedError,
    TaskFailedError,
    TaskTimedOutError,
    WorkerDiedError,
    WorkerUnavailableError,
)
from tui.workers.kind import AnswerT
from tui.workers.process import ChildProcess

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from tui.workers.kind import Channel, Reply, WorkerKind
    from tui.workers.usage import Usage

logger = logging.getLogger("yapmo.workers")

ATTEMPTS = 2
"""How often a file is tried when its child dies, hangs or talks nonsense."""

LAST_WORDS = 300
"""Characters of a dead child's standard error that its error message quotes."""


LAST_CHUNKS = 17
"""How often the output of a child that has ended is read: as much as the largest pipe holds (1 MiB), and its end."""


class Job(Generic[AnswerT]):
    """One file on its way through a pool, and the future that its outcome settles."""

    __slots__ = ("began_s", "cpu_s", "failures", "future", "path")

    def __init__(self, path: bytes, future: asyncio.Future[AnswerT]) -> None:
        """Begin with a file that no child has seen."""
        self.path = path
        self.future = future
        self.failures = 0
        self.began_s = 0.0
        self.cpu_s: float | None = None

    def fail(self, error: TaskFailedError) -> None:
        """Settle the job with `error` unless nobody waits for it any more."""
        if not self.future.done():
            self.future.set_exception(error)


class WorkerOwner(Protocol[AnswerT]):
    """What a worker reports to its pool. The pool acts on it; the worker only keeps its own books."""

    def room_made(self) -> None:
        """A worker can take a task again, or has become idle."""

    def jobs_returned(self, jobs: Iterable[Job[AnswerT]]) -> None:
        """Tasks that were written to a child that is lost; they come first again, in this order."""

    def start_failed(self, error: TaskFailedError) -> None:
        """A child was lost before it ever answered."""

    def start_succeeded(self) -> None:
        """A child has answered for the first time."""

    def child_left(self, child: ChildProcess) -> None:
        """A child is done with; it has to be ended and collected."""


class Worker(Generic[AnswerT]):
    """A numbered place in a pool that holds one child at a time.

    Attributes:
        number: 1-based, stable while the pool lives.
        jobs: tasks written to the child, the one it reads now first.
    """

    def __init__(self, number: int, kind: WorkerKind[AnswerT], owner: WorkerOwner[AnswerT]) -> None:
        """Make the place; it is empty until `start()`."""
        self.number = number
        self.jobs: deque[Job[AnswerT]] = deque()
        self._kind = kind
        self._owner = owner
        self._child: ChildProcess | None = None
        self._channel: Channel | None = None
        self._greeted = False
        self._retiring = False
        self._began_s = 0.0
        self._answered = 0
        self._done = 0
        self._starts = 0

    @property
    def pid(self) -> int | None:
        """Process id of the child, None while the place is empty."""
        return self._child.pid if self._child else None

    @property
    def accepting(self) -> bool:
        """Whether there is a child that takes tasks, of which each answers so many in its life."""
        if self._child is None or self._retiring:
            return False
        return self._answered + len(self.jobs) < self._kind.limits.recycle_count

    @property
    def unused(self) -> bool:
        """Whether there is a child that has never been given a task."""
        return self.accepting and not self.jobs and not self._answered

    @property
    def busy(self) -> bool:
        """Whether there is a child that has something to answer."""
        return self._child is not None and (bool(self.jobs) or not self._greeted)

    def start(self) -> None:
        """Start a child in this place; it may be asked at once.

        Raises:
            WorkerUnavailableError: the program cannot be started.
        """
        limits = self._kind.limits
        try:
            child = ChildProcess(self._kind.command(), self, memory_bytes=limits.memory_bytes)
        except OSError as error:
            message = f"{self._kind.name} cannot be started: {error.strerror}."
            raise WorkerUnavailableError(message) from error
        self._child, self._channel = child, self._kind.open_channel()
        self._greeted = self._retiring = False
        self._answered = 0
        self._starts += 1
        self._began_s = time.monotonic()
        child.write(self._channel.greet())

    def give(self, job: Job[AnswerT]) -> None:
        """Write `job` to the child behind what it has already."""
        if self._child is None or self._channel is None:
            raise AssertionError("a task needs a child")
        if not self.jobs:
            job.began_s, job.cpu_s = time.monotonic(), None
        try:
            request = self._channel.ask(job.path)
        except TaskFailedError as error:
            job.fail(error)
            return
        self.jobs.append(job)
        self._child.write(request)

    def retire(self) -> None:
        """Take no more tasks, and give the child up when it has answered those it has."""
        self._retiring = True
        if not self.jobs:
            self._leave()

    def dismiss(self) -> None:
        """Give the child up now; its unanswered tasks settle with `PoolClosedError`."""
        for job in self.jobs:
            job.fail(PoolClosedError("The scan was stopped before the file was read."))
        self.jobs.clear()
        self._leave()

    def inspect(self, usage: Usage | None) -> None:
        """Enforce the limits, given what the child uses now (None where that is not known)."""
        if self._child is None:
            return
        if usage and usage.ended:
            self._hear_last_words(self._child)
        elif error := self._find_excess(usage):
            self._lose(error)
        elif usage and usage.rss_bytes > self._kind.limits.recycle_bytes and self._greeted:
            self.retire()
        elif self.jobs:  # it has worked on one task for a while, perhaps because nobody takes its complaints
            self._child.listen_to_errors(wanted=True)

    def status(self) -> WorkerStatus:
        """Return what the worker is at."""
        job = self.jobs[0] if self.jobs and self._greeted else None
        return WorkerStatus(
            number=self.number,
            kind=self._kind.name,
            path=job.path if job else None,
            busy_s=time.monotonic() - job.began_s if job else 0.0,
            done=self._done,
            restarts=max(self._starts - 1, 0),
        )

    def output_received(self, data: bytes) -> None:
        """Take a chunk of the child's answers, and what it complained of before it wrote them."""
        if self._child and self._channel:
            given, answered = len(self.jobs), self._answered
            self._channel.feed_output(data)
            self._child.drain_errors()
            self._take_replies()
            if self._child:  # it must never have answered all before it is looked at again
                self._child.rest(longer=3 * (self._answered - answered) < given)

    def errors_received(self, data: bytes) -> None:
        """Take a chunk of the child's complaints."""
        if self._channel:
            self._channel.feed_errors(data)
            self._take_replies()

    def process_ended(self) -> None:
        """Hear that the child ended of itself."""
        if self._child:
            when = "while it read the file" if self._greeted else "at its start"
            self._lose(WorkerDiedError(f"The {self._kind.name} process died {when}"))

    def _hear_last_words(self, child: ChildProcess) -> None:
        """Take what a child that has ended answered before, then count it as ended, whoever holds its output open."""
        for _ in range(LAST_CHUNKS):
            if self._child is child:
                child.drain_output()
        if self._child is child:
            self.process_ended()

    def _take_replies(self) -> None:
        """Settle the tasks whose replies are complete."""
        try:
            while self._channel and (reply := self._channel.next_reply()) is not None:
                self._settle(reply)
        except (DesynchronisedError, AnswerTooLargeError) as error:
            self._lose(error)

    def _settle(self, reply: Reply) -> None:
        """Give the reply to the task it belongs to, the first in line."""
        if self._child:
            self._child.listen_to_errors(wanted=False)
        if not self._greeted:
            self._kind.greeted(reply)
            self._greeted = True
            self._begin_next()
            self._owner.start_succeeded()
            return
        job = self.jobs[0]
        if not job.future.done():
            try:
                job.future.set_result(self._kind.understand(reply))
            except TaskFailedError as error:
                if error.retryable:
                    raise
                job.fail(error)
        self.jobs.popleft()
        self._done += 1
        self._answered += 1
        if self._kind.is_spoiled_by(reply):
            self._replace()
            return
        self._begin_next()
        if self._retiring or self._answered >= self._kind.limits.recycle_count:
            self.retire()
        self._owner.room_made()

    def _begin_next(self) -> None:
        if self.jobs:
            self.jobs[0].began_s, self.jobs[0].cpu_s = time.monotonic(), None

    def _find_excess(self, usage: Usage | None) -> TaskFailedError | None:
        """Return why the child has to be ended now, if it has to."""
        limits, now = self._kind.limits, time.monotonic()
        if not self._greeted:
            late = now - self._began_s > limits.start_s
            return WorkerUnavailableError("It did not answer at its start") if late else None
        if not self.jobs:
            return None
        job = self.jobs[0]
        if now - job.began_s > limits.timeout_s:
            return TaskTimedOutError(
                f"{self._kind.name} took longer than {limits.timeout_s:g} s for the file"
            )
        if usage is None:
            return None
        if usage.rss_bytes > limits.memory_bytes:
            megabytes = limits.memory_bytes // 1_000_000
            return MemoryExceededError(
                f"{self._kind.name} took more than {megabytes} MB of memory for the file"
            )
        if job.cpu_s is None:
            job.cpu_s = usage.cpu_s
        if usage.cpu_s - job.cpu_s > limits.cpu_s:
            return CpuTimeExceededError(
                f"{self._kind.name} took more than {limits.cpu_s:g} s of CPU time for the file"
            )
        return None

    def _lose(self, error: TaskFailedError) -> None:
        """Give the child up because of `error`, which counts against the task that it was reading."""
        error = type(error)(error.message + self._quote_last_words())
        jobs, self.jobs = self.jobs, deque()
        greeted = self._greeted
        self._leave()
        if not greeted:
            self._owner.jobs_returned(jobs)
            self._owner.start_failed(error)
            return
        if jobs:
            self._charge(jobs, error)
        self._owner.jobs_returned(jobs)
        self._owner.room_made()

    def _replace(self) -> None:
        """Give the child up after an answer that was good; the tasks behind it go to others, and are not blamed."""
        jobs, self.jobs = self.jobs, deque()
        self._leave()
        self._owner.jobs_returned(jobs)
        self._owner.room_made()

    def _charge(self, jobs: deque[Job[AnswerT]], error: TaskFailedError) -> None:
        """Count a failure against the first of `jobs`; it stays among them when it is to be tried again."""
        job = jobs[0]
        job.failures += 1
        if error.retryable and job.failures < ATTEMPTS:
            what = display(job.path), display(error.message)
            logger.warning("worker %d, %s: %s It is tried again.", self.number, *what)
        else:
            jobs.popleft().fail(error)

    def _quote_last_words(self) -> str:
        words = self._channel.last_words().decode("utf-8", "replace").strip() if self._channel else ""
        return f": {words[-LAST_WORDS:].rstrip('.')}." if words else "."

    def _leave(self) -> None:
        """Empty the place, and let the pool end the child."""
        child, self._child, self._channel = self._child, None, None
        if child:
            child.disconnect()
            self._owner.child_left(child)
