"""What a process uses, and when it started: from `/proc` on Linux, from `ps` elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PS_TIMEOUT_S = 5.0
"""How long `ps` may take before its answer is done without."""

READING_BLOCKS = sys.platform != "linux"
"""Whether reading the usage takes long enough to belong in a thread."""

_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process has used so far.

    Attributes:
        cpu_s: CPU time in user and system mode, seconds.
        rss_bytes: memory resident now.
        started: the start time as the system writes it; with the process id it names a process for good
            until the next boot.
        ended: True when the process has ended and only waits to be collected.
    """

    cpu_s: float
    rss_bytes: int
    started: str
    ended: bool


def read_usage(pid: int) -> Usage | None:
    """Return what process `pid` uses now, None when there is no such process."""
    return read_usages([pid]).get(pid)


def read_usages(pids: Iterable[int]) -> dict[int, Usage]:
    """Return what each of `pids` uses now; processes that do not exist are left out.

    On Linux this takes about 20 µs a process; elsewhere it runs `ps` and belongs in a thread.
    """
    if READING_BLOCKS:
        return _ask_ps(list(pids))
    found = {pid: _read_proc(pid) for pid in pids}
    return {pid: usage for pid, usage in found.items() if usage is not None}


@cache
def read_boot_id() -> str:
    """Return what distinguishes this boot of the machine from others, empty where it is not told."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _read_proc(pid: int) -> Usage | None:
    """Read `/proc/PID/stat` (proc_pid_stat(5)); the name in it may hold anything, so count from its end."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = os.read(fd, 4096)
        finally:
            os.close(fd)
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    return Usage(
        cpu_s=(int(fields[11]) + int(fields[12])) / _CLOCK_TICKS,
        rss_bytes=int(fields[21]) * _PAGE_BYTES,
        started=fields[19].decode("ascii"),
        ended=fields[0] in b"ZX",
    )


def _ask_ps(pids: list[int]) -> dict[int, Usage]:
    if not pids:
        return {}
    command = ["ps", "-o", "pid=,state=,rss=,time=,lstart=", "-p", ",".join(map(str, pids))]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=PS_TIMEOUT_S, env={**os.environ, "LC_ALL": "C"}, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    usages = {}
    for line in done.stdout.decode("ascii", "replace").splitlines():
        pid, state, rss_kib, cpu, started = line.split(maxsplit=4)
        usages[int(pid)] = Usage(_parse_cpu(cpu), int(rss_kib) * 1024, started, state.startswith("Z"))
    return usages


def _parse_cpu(text: str) -> float:
    """Return the seconds in `[days-][hours:]minutes:seconds[.hundredths]`, as `ps` writes CPU time."""
    days, _, clock = text.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + int(days or 0) * 86_400
