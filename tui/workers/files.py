"""Which files may reach a child: regular ones, checked where no hung disk can stop the event loop."""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import stat
import threading
from typing import TYPE_CHECKING

from tui.mounts import LOCAL_TYPES, TABLE, read_mounts
from tui.workers.errors import FILE_GONE, PoolClosedError, TaskRefusedError, TaskTimedOutError

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 2
"""Threads that look at files for one gate."""

MOST_THREADS = 16
"""Threads of one gate when others hang on a dead disk."""

MOST_FOLDERS = 4096
"""Local folders that one gate remembers."""

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

    A named pipe, a device or a link to `/proc/kmsg` would hang whoever reads it, and exiftool takes a
    directory for an order to read all that is in it. The file is opened without following a link and without
    waiting.

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
    """Runs a check on paths where no disk that hangs can stop the event loop.

    The first file of a folder is checked in a thread. If it lies on a local disk the others of its folder are
    checked at once, since handing them to a thread costs more than the check; files on network shares all go
    to the threads. These end with the gate, and one that hangs in the kernel keeps no process from ending.
    """

    def __init__(self, check: Callable[[bytes], os.stat_result], *, trust_folders: bool = True) -> None:
        """Use `check`, which raises `TaskRefusedError` for a path that may not pass.

        Args:
            check: checks one path.
            trust_folders: False to check every file in a thread (links may lead from any folder to any disk).
        """
        self._check = check
        self._trust_folders = trust_folders
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[tuple[bytes, asyncio.Future[bool]] | None] = queue.SimpleQueue()
        self._asked: set[asyncio.Future[bool]] = set()
        self._threads: list[threading.Thread] = []
        self._local_folders: set[bytes] = set()
        self._local_devices: dict[int, bool] = {}
        self._closed = False

    async def check(self, path: bytes, timeout_s: float) -> None:
        """Return when `path` has passed.

        Raises:
            TaskRefusedError: it has not.
            TaskTimedOutError: the file system did not answer within `timeout_s` seconds.
            PoolClosedError: the gate was closed before that was known.
        """
        folder = path.rpartition(b"/")[0]
        if folder in self._local_folders:
            self._check(path)
        elif await self._check_in_thread(path, timeout_s) and self._trust_folders:
            if len(self._local_folders) >= MOST_FOLDERS:
                self._local_folders.clear()
            self._local_folders.add(folder)

    def close(self) -> None:
        """Settle everyone who waits with `PoolClosedError` and let the threads end."""
        self._closed = True
        self._local_folders.clear()
        for _ in self._threads:
            self._queue.put(None)
        for future in self._asked:
            if not future.done():
                future.set_exception(PoolClosedError("The scan was stopped."))

    async def _check_in_thread(self, path: bytes, timeout_s: float) -> bool:
        """Return whether the file, which has passed, lies on a local disk."""
        if self._closed:
            raise PoolClosedError("The scan was stopped.")
        while len(self._threads) < THREADS:
            self._start_thread()
        future: asyncio.Future[bool] = self._loop.create_future()
        self._asked.add(future)
        self._queue.put((path, future))
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            self._start_thread()  # for the one that hangs, or files on healthy disks would wait for it
            raise TaskTimedOutError(f"The file system did not answer within {timeout_s:g} s.") from None
        finally:
            self._asked.discard(future)

    def _start_thread(self) -> None:
        if len(self._threads) < MOST_THREADS:
            thread = threading.Thread(target=self._work, name="yapmo-gate", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            path, future = item
            try:
                self._loop.call_soon_threadsafe(_settle, future, self._look(path))
            except RuntimeError:  # the loop has ended, so nobody waits any more
                return

    def _look(self, path: bytes) -> bool | TaskRefusedError:
        try:
            device = self._check(path).st_dev
        except TaskRefusedError as error:
            return error
        if device not in self._local_devices:
            self._local_devices[device] = is_local_device(device)
        return self._local_devices[device]


def is_local_device(device: int, mounts: str = TABLE) -> bool:
    """Return whether the file system with this `st_dev` is known to be on this machine's own disks or memory.

    Args:
        device: `st_dev` of any file on it.
        mounts: the system's table of mounts; without it nothing is known.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    types = {mount.device: mount.type for mount in read_mounts(mounts)}
    return types.get(number) in LOCAL_TYPES


def _settle(future: asyncio.Future[bool], outcome: bool | TaskRefusedError) -> None:
    if future.done():
        return
    if isinstance(outcome, bool):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _TYPES.get(stat.S_IFMT(status.st_mode), "no file")
        raise TaskRefusedError(f"This is {kind}, not a regular file.")


def _explain(error: OSError) -> str:
    reasons = {
        errno.ENOENT: FILE_GONE,
        errno.ENOTDIR: FILE_GONE,
        errno.EACCES: "No permission to read the file.",
        errno.EPERM: "No permission to read the file.",
        errno.ELOOP: "This is a symbolic link, not a regular file.",
        errno.ENAMETOOLONG: "The path is too long for the system.",
    }
    return reasons.get(error.errno or 0, f"The file cannot be read: {error.strerror}.")
