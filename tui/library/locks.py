"""Turns between processes that write one library, and the identity of a process that holds a scan.

SQLite alone would let a busy writer starve the others, and its checkpoints would run beside each other. So a
process takes a lock file (flock(2)) around each transaction and each checkpoint. Two files make it fair: who
waits for the lock holds the queue, and who has just written must pass the queue again.
"""

from __future__ import annotations

import fcntl
import os
import platform
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import LibraryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FIRST_POLL_S = 0.0005
_LONGEST_POLL_S = 0.01


class TurnRefusedError(LibraryError):
    """The turn to write did not come while the caller was willing to wait."""


class WriteTurns:
    """The turn to write one library, taken with `turn()` and given back when its block ends.

    An instance belongs to one connection and one thread. The kernel gives the locks of a killed process back.
    """

    def __init__(self, library: bytes) -> None:
        """Name the library; the lock files beside it are made at the first turn."""
        self._library = library
        self._queue = -1
        self._lock = -1

    @contextmanager
    def turn(self, keep_waiting: Callable[[float], bool] = lambda _waited_s: True) -> Iterator[None]:
        """Wait for the turn, hold it for the block.

        Args:
            keep_waiting: called at each look with the seconds waited so far; False ends the waiting.

        Raises:
            TurnRefusedError: `keep_waiting` said so.
            LibraryError: the lock files cannot be made.
        """
        self._open()
        began = time.monotonic()
        self._wait(self._queue, began, keep_waiting)
        try:
            self._wait(self._lock, began, keep_waiting)
        finally:
            fcntl.flock(self._queue, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the lock files; they stay beside the library."""
        for number in (self._queue, self._lock):
            if number >= 0:
                os.close(number)
        self._queue = self._lock = -1

    def _open(self) -> None:
        if self._lock >= 0:
            return
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._queue = os.open(self._library + b"-queue", flags, 0o600)
            self._lock = os.open(self._library + b"-lock", flags, 0o600)
        except OSError as error:
            self.close()
            raise LibraryError(
                f"The library {display(self._library)} cannot be locked for writing: {error.strerror}",
                hint="Its directory must be writable; choose another with --library FILE or [library] path.",
            ) from None

    def _wait(self, number: int, began: float, keep_waiting: Callable[[float], bool]) -> None:
        poll_s = _FIRST_POLL_S
        while True:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not keep_waiting(time.monotonic() - began):
                    raise TurnRefusedError(
                        f"Another process is writing to {display(self._library)}",
                        hint="Try again when it has finished; `fuser` on the file names it.",
                    ) from None
                time.sleep(poll_s)
                poll_s = min(poll_s * 2, _LONGEST_POLL_S)
            else:
                return


def host_name() -> str:
    """Return the name of this machine as scans record it."""
    return platform.node() or "localhost"


def process_identity(pid: int) -> str:
    """Return what tells process `pid` from every other, also after its number was given away again.

    Boot, process namespace and start time, as Linux shows them in /proc (proc(5)); empty elsewhere and for a
    process that does not live. One that has ended and is not collected does not live: in a container that may last.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return "" if fields[0] in b"ZX" else f"{_namespace()}/{fields[19].decode('ascii')}"
    except (OSError, IndexError):
        return ""


def process_lives(host: str, pid: int, identity: str) -> bool | None:
    """Return whether a recorded process still runs; None when that cannot be told from here."""
    if host != host_name():
        return None
    if identity:
        return None if identity.rpartition("/")[0] != _namespace() else process_identity(pid) == identity
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _namespace() -> str:
    """Return which boot and which process namespace this process sees; empty where /proc does not tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""
