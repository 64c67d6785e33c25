"""Getting ready for a scan: are the paths there, is ExifTool, and are the roots free?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui.records import Stage
from tui.scan.daemon_thread import DaemonThread
from tui.scan.extractors import Extractors
from tui.scan.run import ScanRun
from tui.scan.targets import check_first_paths, find_targets
from tui.workers.exiftool import exiftool_kind, find_exiftool
from tui.workers.strays import reap_strays
from tui.workers.tags import tag_kind

if TYPE_CHECKING:
    from tui.config import Config
    from tui.library.database import Library
    from tui.scan.request import ScanRequest

_STAGES_OF_EXIFTOOL = (None, Stage.METADATA)


def workers_by_cores() -> int:
    """Return how many exiftool processes serve this machine best: one for each core this process may use."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        cores = os.cpu_count() or 1
    return max(1, min(32, cores))


async def check_first_run(config: Config, request: ScanRequest) -> None:
    """Raise what `prepare_run` would raise for a library that is still to be made, so that a mistake makes none.

    Raises:
        RootUnavailableError: a path is not there or cannot be read.
        UsageError: a path cannot be scanned, or ExifTool is missing or too old.
    """
    thread = DaemonThread("check")
    try:
        if request.only in _STAGES_OF_EXIFTOOL:
            await thread.run(lambda: find_exiftool(config.exiftool))
        await thread.run(lambda: check_first_paths(request.paths, config.scan))
    finally:
        thread.stop()


async def prepare_run(library: Library, config: Config, request: ScanRequest) -> ScanRun:
    """Find what is to be scanned and with what, and take the leases.

    Raises:
        RootUnavailableError: a path is not there or cannot be read.
        UsageError: a path cannot be scanned, or ExifTool is missing or too old.
        LibraryError: another process scans one of the roots.
    """
    thread = DaemonThread("prepare")
    try:
        extractors = None
        if request.only in _STAGES_OF_EXIFTOOL:
            await thread.run(reap_strays)
            extractors = await _find_extractors(config, request, thread)
        found = await find_targets(library, request.paths, config.scan, thread)
        return ScanRun(library, config, request, found, extractors)
    finally:
        thread.stop()


async def _find_extractors(config: Config, request: ScanRequest, thread: DaemonThread) -> Extractors:
    """Find ExifTool; no process starts yet."""
    program = await thread.run(lambda: find_exiftool(config.exiftool))
    follow = config.scan.follow_symlinks
    return Extractors(
        exiftool=exiftool_kind(config.exiftool, program=program, follow_links=follow),
        tags=tag_kind(config.exiftool, follow_links=follow),
        version=f"exiftool {program.version}",
        number=request.workers or config.scan.max_workers or workers_by_cores(),
    )
