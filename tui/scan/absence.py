"""A disk that disappears in the middle of a scan: whoever reads from it waits until it is there again.

What is read of such a disk says nothing of its files: they are neither gone nor damaged. A folder that was deleted, on a
disk that is still there, is another matter and no reason to wait.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import time
from typing import TYPE_CHECKING

from tui.display import display
from tui.scan.daemon_thread import DaemonThread
from tui.scan.file_systems import file_system_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.scan.cancel import CancelToken
    from tui.scan.targets import ScanTarget

logger = logging.getLogger("yapmo.scan")

PATIENCE_S = 10.0
"""A disk that does not answer for so many seconds counts as away."""

LOOK_S = 1.0
"""Between two looks at a disk."""

_DOUBTED_S = 5.0
"""For so many seconds after a disk came back, what was read of it may still speak of its absence."""

_NO_ABSENCE = frozenset({errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG})
"""What a disk answers that is there."""

_NOTHING_THERE = frozenset({errno.ENOENT, errno.ENOTDIR})


class DiskPresence:
    """Knows whether the disk under some targets is there.

    Attributes:
        note: what is waited for, one sentence; empty while the disk is there.
    """

    def __init__(self, targets: Sequence[ScanTarget], token: CancelToken) -> None:
        """Take the disk of `targets`, which lie on one and are there now; `token` ends the waiting."""
        self._targets = targets
        self._token = token
        self._thread: DaemonThread | None = None
        self._looking: asyncio.Task[bool] | None = None
        self._back_s = float("-inf")
        self.note = ""

    @property
    def is_away(self) -> bool:
        """Whether the disk was away at the last look."""
        return bool(self.note)

    async def keep_looking(self) -> None:
        """Look again and again, until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_S)
        finally:
            if self._thread is not None:
                self._thread.stop()

    async def look(self) -> bool:
        """Return whether the disk is there now; one that does not answer is not."""
        if self._looking is None or self._looking.done():
            self._thread = self._thread or DaemonThread("look at a disk")
            self._looking = asyncio.create_task(self._thread.run(self.look_now))
        looking = self._looking  # another caller may begin the next look before this one goes on
        done, _ = await asyncio.wait({looking}, timeout=PATIENCE_S)
        if not done:
            self._note("does not answer")
            return False
        return looking.result()

    async def is_to_blame(self) -> bool:
        """Return whether what could not be read now may be the fault of the disk and not of the files."""
        return not await self.look() or time.monotonic() - self._back_s < _DOUBTED_S

    def look_now(self) -> bool:
        """Return whether the disk is there now; may block on it."""
        is_there = all(map(_is_there, self._targets))
        self._note("" if is_there else "is not there any more")
        return is_there

    def wait_in_thread(self) -> bool:
        """Return when the disk is there, and whether it was away; blocks the calling thread, which is not that of the event loop.

        Raises:
            ScanCancelledError: the scan was aborted.
        """
        was_away = False
        while not self.look_now():
            was_away = True
            self._token.check()
            time.sleep(LOOK_S / 2)
        return was_away

    def _note(self, state: str) -> None:
        was_away = self.is_away
        self.note = (
            f"waiting for the disk of {display(self._targets[0].path)}, which {state}" if state else ""
        )
        if self.note and not was_away:
            logger.warning("%s", self.note)
        elif was_away and not self.note:
            self._back_s = time.monotonic()
            logger.info("%s is there again", display(self._targets[0].path))


def _is_there(target: ScanTarget) -> bool:
    """Tell whether a target can be listed on the disk where it lay, or is gone from a disk that is there."""
    folder = target.path if target.name is None else os.path.dirname(target.path)
    known = target.file_system
    try:
        with os.scandir(folder):
            place, here = file_system_of(folder), file_system_of(target.root_path)
    except OSError as error:
        if error.errno in _NO_ABSENCE:
            return True
        return error.errno in _NOTHING_THERE and _lies_on(folder, target.place_identity)
    is_same_root = (here.identity, here.path_in_file_system) == (known.identity, known.path_in_file_system)
    return is_same_root and place.identity == target.place_identity


def _lies_on(path: bytes, identity: str) -> bool:
    """Tell whether the folder above `path` that is still there lies on a file system."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    try:
        return file_system_of(path).identity == identity
    except OSError:
        return False
