"""How long a scan that is to stop waits: not for a disk that does not answer, nor for a library that cannot be written."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from tui.errors import LibraryError

if TYPE_CHECKING:
    from tui.library.writer import Writer

logger = logging.getLogger("yapmo.scan")

ABORT_GRACE_S = 0.3
"""How long what was told to stop may take."""

_SILENT_DISK_GRACE_S = 2.0
_UNWRITABLE_GRACE_S = 1.0
_LOOK_AT_WRITER_S = 0.1


async def wait_unless_stuck(work: asyncio.Task[None], writer: Writer, aborted: asyncio.Event) -> None:
    """Wait for `work`; once the scan is `aborted`, not for a disk that does not answer.

    Raises:
        LibraryError: the library cannot be written.
        Exception: what `work` raises.
    """
    end = asyncio.create_task(wait_unless_unwritable(work, writer, aborted))
    await asyncio.wait({end}, timeout=_SILENT_DISK_GRACE_S if aborted.is_set() else None)
    if not work.done() and not writer.waiting:
        logger.warning("a disk does not answer; the scan ends without it")
        work.cancel()
        end.cancel()
        await asyncio.wait({work, end}, timeout=ABORT_GRACE_S)
    else:
        await end


async def wait_unless_unwritable(task: asyncio.Task[None], writer: Writer, aborted: asyncio.Event) -> None:
    """Wait for `task`; once the scan is `aborted`, not for a library that cannot be written: a full disk may stay full.

    Raises:
        LibraryError: it was given up for that.
        Exception: what `task` raises.
    """
    refused_since: float | None = None
    while not (await asyncio.wait({task}, timeout=_LOOK_AT_WRITER_S))[0]:
        if not (writer.waiting and aborted.is_set()):
            continue
        reason = writer.refusal or writer.waiting
        refused_since = refused_since or time.monotonic()
        if time.monotonic() - refused_since > _UNWRITABLE_GRACE_S:
            task.cancel()
            await asyncio.wait({task}, timeout=ABORT_GRACE_S)
            raise LibraryError(reason)
    await task
