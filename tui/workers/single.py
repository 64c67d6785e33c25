"""One file read by a process of its own: for paths that may not be written to a child that lives on."""

from __future__ import annotations

import asyncio
import math
import signal
from typing import TYPE_CHECKING

from tui.workers.errors import (
    AnswerTooLargeError,
    CpuTimeExceededError,
    TaskFailedError,
    TaskTimedOutError,
    WorkerDiedError,
    WorkerUnavailableError,
)
from tui.workers.kind import Reply
from tui.workers.process import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.workers.kind import WorkerLimits

COLLECT_S = 1.0
"""How long a process whose output has ended may take to be gone."""


async def read_alone(
    command: Sequence[bytes], limits: WorkerLimits, *, leave: Callable[[ChildProcess], None]
) -> Reply:
    """Run `command` to its end and return what it said, under the limits of one task.

    Args:
        command: the program and its arguments; no shell sees them.
        limits: what the task may take.
        leave: called with the child when it is done with; ends and collects it, whatever happened.

    Raises:
        TaskFailedError: it died, took too long or said too much.
    """
    collector = _Collector(limits)
    try:
        child = ChildProcess(
            command, collector, memory_bytes=limits.memory_bytes, cpu_s=math.ceil(limits.cpu_s)
        )
    except OSError as error:
        raise WorkerUnavailableError(f"The program cannot be started: {error.strerror}.") from error
    try:
        child.close_input()
        async with asyncio.timeout(limits.timeout_s):
            await collector.ended
            await child.wait(COLLECT_S)
        _check_exit(child.exit_status, limits)
    except TimeoutError:
        raise TaskTimedOutError(f"The file took longer than {limits.timeout_s:g} s.") from None
    finally:
        leave(child)
    return Reply(bytes(collector.output), bytes(collector.errors), child.exit_status or 0)


def _check_exit(status: int | None, limits: WorkerLimits) -> None:
    """Raise the failure that an exit status tells of; a program's own verdict (0, 1 …) is none."""
    if status == -signal.SIGXCPU:
        raise CpuTimeExceededError(f"The file took more than {limits.cpu_s:g} s of CPU time.")
    if status is None or status < 0:
        raise WorkerDiedError("The process died while it read the file.")


class _Collector:
    """Keeps what a child says, as far as the limits allow."""

    def __init__(self, limits: WorkerLimits) -> None:
        self.output = bytearray()
        self.errors = bytearray()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._limits = limits

    def output_received(self, data: bytes) -> None:
        if len(self.output) + len(data) > self._limits.answer_bytes:
            self._end(AnswerTooLargeError(f"The answer is larger than {self._limits.answer_bytes} bytes."))
        elif not self.ended.done():
            self.output += data

    def errors_received(self, data: bytes) -> None:
        self.errors += data[: self._limits.errors_bytes - len(self.errors)]

    def process_ended(self) -> None:
        self._end(None)

    def _end(self, error: TaskFailedError | None) -> None:
        if self.ended.done():
            return
        if error:
            self.ended.set_exception(error)
        else:
            self.ended.set_result(None)
