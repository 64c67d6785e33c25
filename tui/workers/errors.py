"""How a task of a worker can fail. Every `WorkerPool.run()` returns an answer or raises one of these."""

from __future__ import annotations

from tui.errors import YapmoError

FILE_GONE = "The file is gone."
"""What every kind of worker says of a path at which nothing lies when it looks there."""


class TaskFailedError(YapmoError):
    """A task got no answer; the message is one plain sentence for a person and may hold foreign text.

    Attributes:
        retryable: whether another child might do better with the same file.
    """

    retryable = False


class TaskRefusedError(TaskFailedError):
    """The file may not reach a child: it is gone, unreadable, empty, or no regular file."""


class TaskTimedOutError(TaskFailedError):
    """The file took longer than its wall time allows."""

    retryable = True


class CpuTimeExceededError(TaskTimedOutError):
    """The file took more CPU time than it may."""

    retryable = False


class WorkerDiedError(TaskFailedError):
    """The child ended while it read the file."""

    retryable = True


class MemoryExceededError(WorkerDiedError):
    """The child had to be ended because the file took more memory than it may."""

    retryable = False


class AnswerTooLargeError(TaskFailedError):
    """The answer grew beyond the limit."""


class DesynchronisedError(TaskFailedError):
    """The child said something that is no answer to what it was asked."""

    retryable = True


class PoolClosedError(TaskFailedError):
    """The pool was closed before the file was read; this says nothing about the file."""


class WorkerUnavailableError(TaskFailedError):
    """No child can be started: the program is at fault, not the file, and the file may be tried again (exit code 2)."""

    exit_code = 2
