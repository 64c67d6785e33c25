"""What a scan request means: which roots, which part of each, and the lease on every one of them.

Roots never overlap: a path inside a root scans that part of it, a path above roots adopts them.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import RootUnavailableError, UsageError
from tui.library import roots, scans
from tui.library.identity import ScanKey
from tui.scan.file_systems import FileSystem, file_system_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui.config import ScanConfig
    from tui.library.database import Library
    from tui.scan.daemon_thread import DaemonThread


@dataclass(frozen=True, slots=True)
class ScanTarget:
    """One root, or a part of it, whose lease this process holds.

    Attributes:
        key: the scan, as the library knows it.
        path: what is scanned: the root, a folder in it, or one file; absolute.
        root_path: absolute path of the root.
        start: the folder to begin in, relative to the root; `b""` for all of it.
        name: name of the one file to scan in that folder; None for all.
        file_system: what the root lies on now.
        known_file_system: what it lay on at the last scan, empty before the first.
    """

    key: ScanKey
    path: bytes
    root_path: bytes
    start: bytes
    name: bytes | None
    file_system: FileSystem
    known_file_system: str

    def part_under(self, folder: bytes | None) -> bytes | None:
        """Return the part of this target at or below `folder` (absolute), relative to the root; None if there is none."""
        if folder is None or self.path == folder or self.path.startswith(folder.rstrip(b"/") + b"/"):
            return self.start
        if folder.startswith(self.root_path.rstrip(b"/") + b"/"):
            inner = folder[len(self.root_path.rstrip(b"/")) + 1 :]
            if not self.start or inner.startswith(self.start + b"/"):
                return inner
        return None


@dataclass(frozen=True, slots=True)
class _Place:
    """A path that was asked for, looked at on disk."""

    path: bytes
    folder: bytes
    name: bytes | None
    file_system: FileSystem
