"""What a pool has to know of one kind of children: how to start one, ask it, and understand its answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from tui.workers.files import check_regular_file

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

AnswerT = TypeVar("AnswerT")
"""What a kind of children answers."""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """How much a task may take, and how long a child is kept.

    Attributes:
        timeout_s: wall time of one task, seconds, from when the child can begin with it.
        cpu_s: CPU time of one task, seconds.
        start_s: wall time until a new child has answered for the first time.
        answer_bytes: size of one answer.
        errors_bytes: how much of what a child says on standard error is kept for one task.
        memory_bytes: address space of a child (RLIMIT_AS), and its resident memory where there is no such limit.
        recycle_bytes: resident memory from which on a child is replaced between two tasks.
        recycle_count: tasks after which a child is replaced.
    """

    timeout_s: float = 120.0
    cpu_s: float = 15.0
    start_s: float = 20.0
    answer_bytes: int = 8_000_000
    errors_bytes: int = 16_384
    memory_bytes: int = 320_000_000
    recycle_bytes: int = 200_000_000
    recycle_count: int = 20_000


@dataclass(frozen=True, slots=True)
class Reply:
    """The complete answer of a child to one request, not yet understood.

    Attributes:
        output: what it said on standard output, without the marks around it.
        errors: what it said on standard error meanwhile, cut to the limit.
        status: its verdict, 0 for good; what other numbers mean is the kind's affair.
    """

    output: bytes
    errors: bytes = b""
    status: int = 0


class Channel(Protocol):
    """The talk with one child: requests to bytes, and bytes to replies, in order."""

    def greet(self) -> bytes:
        """Return the first request, which every healthy child answers whatever files there are."""

    def ask(self, path: bytes) -> bytes:
        """Return the request for `path`; its reply comes after those of all requests before it."""

    def feed_output(self, data: bytes) -> None:
        """Take a chunk of standard output."""

    def feed_errors(self, data: bytes) -> None:
        """Take a chunk of standard error."""

    def next_reply(self) -> Reply | None:
        """Return the reply to the oldest request that has none, None while it is not complete.

        Raises:
            DesynchronisedError: what came is no reply to that request.
            AnswerTooLargeError: the reply grows beyond the limit.
        """

    def last_words(self) -> bytes:
        """Return what standard error said that belongs to no reply yet, cut to the limit."""


class WorkerKind(ABC, Generic[AnswerT]):
    """One kind of children.

    Attributes:
        name: what people call it (`exiftool`, `tags`).
        limits: what its tasks and children may take.
        in_flight: how many tasks are written to a child ahead of its answers: what it can answer between two looks at it,
            and some more.
        follow_links: whether a symbolic link stands for the file it leads to.
    """

    name: str
    limits: WorkerLimits
    in_flight: int = 3
    follow_links: bool = False

    @abstractmethod
    def command(self) -> Sequence[bytes]:
        """Return the command that starts a child; the program by its absolute path."""

    @abstractmethod
    def open_channel(self) -> Channel:
        """Return a channel for a child that has just been started."""

    def greeted(self, reply: Reply) -> None:
        """Learn from the reply to the greeting of a new child.

        Raises:
            DesynchronisedError: it is no such reply.
        """
        del reply

    @abstractmethod
    def understand(self, reply: Reply) -> AnswerT:
        """Return the answer in `reply`.

        Raises:
            DesynchronisedError: it is no answer.
            TaskFailedError: it is one that tells of a failure.
        """

    def is_spoiled_by(self, reply: Reply) -> bool:
        """Return whether a child that gave this reply might read the files after it differently than a new one would."""
        del reply
        return False

    def check(self, path: bytes) -> os.stat_result:
        """Make sure that `path` may reach a child; called from any thread.

        Raises:
            TaskRefusedError: it may not.
        """
        return check_regular_file(path, follow_links=self.follow_links)

    def single_command(self, path: bytes) -> Sequence[bytes] | None:
        """Return the command that reads `path` alone when it cannot be asked for through a channel."""
        del path
        return None
