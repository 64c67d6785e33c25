"""Children that outlived their parent: recorded while they live, killed at the next start.

Where `setpriv` ties a child's life to its parent's nothing is left to do here; elsewhere, and should that
fail, the records name each child by process id and start time, so that no other process is ever hit.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
from dataclasses import asdict, dataclass
from functools import cache

from tui.paths import make_private_dir, state_dir
from tui.workers.usage import read_boot_id, read_usage

logger = logging.getLogger("yapmo.workers")


@dataclass(frozen=True, slots=True)
class _Record:
    """A child and its parent, each by process id and start time, in one boot of the machine."""

    pid: int
    started: str
    owner: int
    owner_started: str
    boot: str


def records_dir() -> str:
    """Return the directory that holds one small file for each living child."""
    return os.path.join(state_dir(), "children")


def record_child(pid: int) -> None:
    """Remember that this process has the child `pid`; a directory that may not be written is no error."""
    child, owner = read_usage(pid), os.getpid()
    if child is None:
        return
    record = _Record(pid, child.started, owner, _read_start(owner), read_boot_id())
    try:
        make_private_dir(records_dir())
        with open(_record_path(pid), "w", encoding="ascii", opener=_open_private) as file:
            json.dump(asdict(record), file)
    except OSError as error:
        logger.debug("child %d is not recorded: %s", pid, error.strerror)


def forget_child(pid: int) -> None:
    """Drop the record of the child `pid`, which has ended."""
    with contextlib.suppress(OSError):
        os.unlink(_record_path(pid))


def reap_strays() -> int:
    """Kill the recorded children whose parent is gone, and drop the records that are out of date.

    Returns:
        How many children were killed.
    """
    try:
        names = os.listdir(records_dir())
    except OSError:
        return 0
    killed = 0
    for name in names:
        path = os.path.join(records_dir(), name)
        record = _read_record(path)
        if record and _lives(record.owner, record.owner_started, record.boot):
            continue
        if record and _lives(record.pid, record.started, record.boot):
            killed += _kill_group(record.pid)
        with contextlib.suppress(OSError):
            os.unlink(path)
    if killed:
        logger.warning("ended %d worker processes that an earlier run left behind", killed)
    return killed


def _record_path(pid: int) -> str:
    return os.path.join(records_dir(), str(pid))


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


@cache
def _read_start(pid: int) -> str:
    usage = read_usage(pid)
    return usage.started if usage else ""


def _read_record(path: str) -> _Record | None:
    """Return the record at `path`, None when it is not one (cut short by a crash, say)."""
    try:
        with open(path, encoding="ascii") as file:
            record = _Record(**json.load(file))
    except (OSError, ValueError, TypeError):
        return None
    texts = (record.started, record.owner_started, record.boot)
    numbers = (record.pid, record.owner)
    if not all(type(text) is str for text in texts) or not all(
        type(pid) is int and pid > 1 for pid in numbers
    ):
        return None
    return record


def _lives(pid: int, started: str, boot: str) -> bool:
    usage = read_usage(pid) if boot == read_boot_id() else None
    return usage is not None and not usage.ended and usage.started == started


def _kill_group(pid: int) -> bool:
    """Kill the child and its group, which it leads since it was started in one of its own."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        return False
    return True
