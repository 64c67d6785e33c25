"""Which files may reach a child: regular ones, checked where no hung disk can stop the event loop."""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import stat
import threading
from typing import TYPE_CHECKING

from tui.workers.errors import PoolClosedError, TaskRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 2
"""Threads that look at files for one gate."""

_TYPES = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a symbolic link",
}
_SYSTEM_FOLDERS = (b"/proc/", b"/sys/")


def check_regular_file(path: bytes, *, follow_links: bool = False) -> os.stat_result:
    """Make sure that `path` is a regular file with something in it that this process may read.

    A named pipe, a device or a link to `/proc/kmsg` would hang whoever reads it, and exiftool takes a directory
    for an order to read all that is in it. The file is opened without following a link and without waiting.

    Args:
        path: absolute path.
        follow_links: let a symbolic link stand for the file it leads to, outside the system's own folders.

    Returns:
        What the file system says of the file, by its open descriptor.

    Raises:
        TaskRefusedError: the reason, as a sentence.
    """
    try:
        if follow_links:
            path = os.path.realpath(path, strict=True)
        _require_regular(os.lstat(path))
        if path.startswith(_SYSTEM_FOLDERS):
            raise TaskRefusedError("The file belongs to the system, not to a library.")
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            status = os.fstat(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise TaskRefusedError(_explain(error)) from error
    except ValueError as error:  # a NUL in the path
        raise TaskRefusedError("The path cannot exist.") from error
    _require_regular(status)
    if status.st_size == 0:
        raise TaskRefusedError("The file is empty.")
    return status


class FileGate:
    """Runs a check on paths in threads of its own, so that a disk that hangs stops only those who ask.

    The threads end with the gate. One that hangs in the kernel does not keep the process from ending.
    """

    def __init__(self, check: Callable[[bytes], object]) -> None:
        """Use `check`, which raises `TaskRefusedError` for a path that may not pass."""
        self._check = check
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]] | None] = queue.SimpleQueue()
        self._asked: set[asyncio.Future[None]] = set()
        self._threads: list[threading.Thread] = []
        self._closed = False

    async def check(self, path: bytes) -> None:
        """Return when `path` has passed.

        Raises:
            TaskRefusedError: it has not.
            PoolClosedError: the gate was closed before that was known.
        """
        if self._closed:
            raise PoolClosedError("The scan was stopped.")
        self._start_threads()
        future: asyncio.Future[None] = self._loop.create_future()
        self._asked.add(future)
        self._queue.put((path, future))
        try:
            await future
        finally:
            self._asked.discard(future)

    def close(self) -> None:
        """Settle everyone who waits with `PoolClosedError` and let the threads end."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        for future in self._asked:
            if not future.done():
                future.set_exception(PoolClosedError("The scan was stopped."))

    def _start_threads(self) -> None:
        if not self._threads:
            self._threads = [
                threading.Thread(target=self._work, name=f"yapmo-gate-{number}", daemon=True)
                for number in range(THREADS)
            ]
            for thread in self._threads:
                thread.start()

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            path, future = item
            refusal: TaskRefusedError | None = None
            try:
                self._check(path)
            except TaskRefusedError as error:
                refusal = error
            try:
                self._loop.call_soon_threadsafe(_settle, future, refusal)
            except RuntimeError:  # the loop has ended, so nobody waits any more
                return


def _settle(future: asyncio.Future[None], refusal: TaskRefusedError | None) -> None:
    if future.done():
        return
    if refusal is None:
        future.set_result(None)
    else:
        future.set_exception(refusal)


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _TYPES.get(stat.S_IFMT(status.st_mode), "no file")
        raise TaskRefusedError(f"This is {kind}, not a regular file.")


def _explain(error: OSError) -> str:
    reasons = {
        errno.ENOENT: "The file is gone.",
        errno.ENOTDIR: "The file is gone.",
        errno.EACCES: "No permission to read the file.",
        errno.EPERM: "No permission to read the file.",
        errno.ELOOP: "This is a symbolic link, not a regular file.",
        errno.ENAMETOOLONG: "The path is too long for the system.",
    }
    return reasons.get(error.errno or 0, f"The file cannot be read: {error.strerror}.")
