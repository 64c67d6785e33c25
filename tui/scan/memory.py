"""How much memory is free, and how many programs may read while it is short.

Linux tells it in `/proc/meminfo` (proc_meminfo(5), MemAvailable) and, for a container or a service with a limit of
its own, in the control groups (Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst). Elsewhere nothing is
known, and nothing is held back.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from tui.display import format_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger("yapmo.scan")

_MB = 1_000_000
_AT_EASE = 2
"""So many times the limit must be free before another program is started again."""


def free_memory_mb(*, proc: str = "/proc", cgroups: str = "/sys/fs/cgroup") -> int | None:
    """Return how many MB this process and its children may still take, None where the system does not tell.

    Args:
        proc: where the system describes processes and memory.
        cgroups: where it describes control groups.
    """
    amounts = [*_available(proc), *_left_in_groups(proc, cgroups)]
    return max(0, min(amounts)) // _MB if amounts else None


def _available(proc: str) -> Iterator[int]:
    for line in _lines(os.path.join(proc, "meminfo")):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            yield int(value.split()[0]) * 1024


def _left_in_groups(proc: str, cgroups: str) -> Iterator[int]:
    """Yield what is left of the limit of each group that holds this process."""
    for line in _lines(os.path.join(proc, "self", "cgroup")):
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:
            yield from _left_upwards(cgroups, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top = os.path.join(cgroups, "memory")
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left_upwards(top, path, *names)


def _left_upwards(top: str, path: str, limit: str, usage: str, reclaimable: str) -> Iterator[int]:
    """Yield what is left in a group and in those above it; a container may not see where it hangs, only the top."""
    parts = [part for part in path.split("/") if part and part != ".."]
    for depth in range(len(parts), -1, -1):
        group = os.path.join(top, *parts[:depth])
        most, used = _number(os.path.join(group, limit)), _number(os.path.join(group, usage))
        if most is not None and used is not None:
            yield most - used + _statistic(os.path.join(group, "memory.stat"), reclaimable)


def _statistic(path: str, name: str) -> int:
    for line in _lines(path):
        words = line.split()
        if len(words) == 2 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return 0


def _number(path: str) -> int | None:
    """Return the number that a file holds, None where there is no file or no limit (`max`)."""
    text = next(iter(_lines(path)), "")
    return int(text) if text.isdigit() else None


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


class MemoryWatch:
    """Says how many programs may read metadata, fewer while memory is short.

    Attributes:
        note: what is done about short memory, one sentence; empty while there is enough.
    """

    def __init__(self, limit_mb: int, look: Callable[[], int | None] = free_memory_mb) -> None:
        """Hold programs back while less than `limit_mb` is free; 0 never does. `look` returns the MB that are free."""
        self._limit_mb = limit_mb
        self._look = look
        self._allowed: int | None = None
        self.note = ""

    @property
    def is_short(self) -> bool:
        """True while programs are held back."""
        return bool(self.note)

    def allow(self, wanted: int) -> int:
        """Look at the memory, and return how many of the `wanted` programs may run from now on: one at least.

        Each time too little is free their number is halved; when there is plenty again, one more may run.
        """
        free_mb = self._look() if self._limit_mb else None
        if free_mb is None:
            return wanted
        allowed = min(wanted, self._allowed or wanted)
        if free_mb < self._limit_mb:
            allowed = max(1, allowed // 2)
        elif free_mb > _AT_EASE * self._limit_mb and allowed < wanted:
            allowed += 1
        self._allowed = allowed if allowed < wanted else None
        self._tell(free_mb, allowed, wanted)
        return allowed

    def _tell(self, free_mb: int, allowed: int, wanted: int) -> None:
        if free_mb >= self._limit_mb and allowed == wanted:
            if self.note:
                logger.info("memory is no longer short: %d programs read metadata", wanted)
            self.note = ""
            return
        programs = "1 program reads" if allowed == 1 else f"{allowed} programs read"
        instead = f" instead of {wanted}" if allowed < wanted else ", one file at a time"
        if not self.note:
            logger.warning("memory is short (%d MB free): %s%s", free_mb, programs, instead)
        self.note = f"Memory is short ({format_count(free_mb)} MB free): {programs}{instead}."
