"""The processes below one, from /proc: which there are, which live, and how much memory they hold (Linux)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of every process below this one that loses its own, so that `descendants` misses none."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> set[int]:
    """Return the processes below `pid`, zombies among them."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                parents[int(name)] = int(_status_fields(int(name))[1])
    below, found = {pid}, set[int]()
    while below:
        below = {child for child, parent in parents.items() if parent in below}
        found |= below
    return found


def is_alive(pid: int) -> bool:
    """Return whether there is such a process and it is no zombie."""
    try:
        return _status_fields(pid)[0] != "Z"
    except OSError:
        return False


def command_line(pid: int) -> str:
    """Return what a process was started with, for messages; empty for one that has gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode("utf-8", "backslashreplace")
    except OSError:
        return ""


def proportional_bytes(pid: int) -> int:
    """Return the memory of a process, pages that several share counted in parts (Pss); 0 for one that has gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:")), 0)
    except OSError:
        return 0


class MemoryWatch:
    """Notes the most memory that a process and all below it held together, looked at twenty times a second.

    Attributes:
        peak_bytes: the most so far.
    """

    def __init__(self, pid: int) -> None:
        """Watch `pid` and its descendants, from `__enter__` to `__exit__`."""
        self.peak_bytes = 0
        self._pid = pid
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while True:
            held = sum(map(proportional_bytes, {self._pid, *descendants(self._pid)}))
            self.peak_bytes = max(self.peak_bytes, held)
            if self._ends.wait(0.05):
                return

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._ends.set()
        self._thread.join()


def _status_fields(pid: int) -> list[str]:
    """Return what /proc says of a process from its state on: state, parent, …; see proc_pid_stat(5)."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().decode("latin-1").rsplit(")", 1)[1].split()
