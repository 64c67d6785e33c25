"""What the screens share: the library, the engine, the log, and what is known of the running scan."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tui.actions import BY_ID, key_name, keys_of

if TYPE_CHECKING:
    from tui.config import Config
    from tui.library.database import Library
    from tui.log import LogFeed
    from tui.records import ProgressSnapshot, ScanProcess, ScanSummary
    from tui.scan.request import ScanRequest
    from tui.screens.first_rows import FirstRows


class WatchedScan(Protocol):
    """A scan that another process runs; `tui.scan.watch.ScanWatch` is the real one."""

    @property
    def process(self) -> ScanProcess:
        """Who runs it."""

    @property
    def running(self) -> bool:
        """True until it has ended or its process has died."""

    def snapshot(self) -> ProgressSnapshot | None:
        """Return how it stands."""

    async def ask_to_abort(self) -> bool:
        """Ask its process to abort it; False when it has ended. Raises `LibraryError`."""

    async def wait(self) -> ScanSummary:
        """Return how it ends."""

    async def close(self) -> None:
        """Watch no more."""


class Engine(Protocol):
    """What the screens ask of the engine; `tui.scan.service.ScanService` is the real one."""

    @property
    def running(self) -> bool:
        """True from `start` until the scan has ended."""

    @property
    def workers(self) -> int:
        """Number of exiftool processes."""

    async def start(self, request: ScanRequest) -> None:
        """Begin a scan; raises `YapmoError` when it cannot be made."""

    async def watch(self, scan_id: int) -> WatchedScan:
        """Return a scan that another process runs; raises `LibraryError`."""

    def abort(self) -> None:
        """Stop the scan; safe to repeat."""

    def pause(self) -> None:
        """Let the scan hold."""

    def resume(self) -> None:
        """Let a paused scan go on."""

    def prioritise(self, folder: bytes | None) -> None:
        """Serve the files of one folder first."""

    async def look_for_roots(self) -> bool:
        """Look which roots are there now, and note it; returns whether that is news. Raises `LibraryError`."""

    def set_workers(self, number: int) -> None:
        """Change the number of exiftool processes."""

    def snapshot(self) -> ProgressSnapshot | None:
        """Return how the running or the last scan stands."""

    async def wait(self) -> ScanSummary:
        """Return how the scan ends."""


@dataclass(slots=True)
class ScreenSession:
    """One run of the terminal application.

    Attributes:
        config: the configuration in force.
        library: the open library.
        engine: the seam to the engine.
        log_feed: where the log panel subscribes.
        snapshot: the latest snapshot of the running or the last scan, or of the one that is watched; None before the first.
        watched: the scan of another process that is shown instead of one of our own; None when there is none.
        files: number of present files in the library; None while it is not known.
        keymap: the user's keys by action id.
        log_open: whether the log panel is open under the screens.
        log_level: least level that the log panel shows, as in `logging`.
        first_rows: what the table begins with, asked for before there is a table; None when nobody asked, or it was taken.
    """

    config: Config
    library: Library
    engine: Engine
    log_feed: LogFeed
    snapshot: ProgressSnapshot | None = None
    watched: WatchedScan | None = None
    files: int | None = None
    keymap: dict[str, str] = field(default_factory=dict)
    log_open: bool = False
    log_level: int = logging.INFO
    first_rows: FirstRows | None = None

    @property
    def is_watching(self) -> bool:
        """Whether a scan of another process is shown, and runs."""
        return self.watched is not None and self.watched.running

    @property
    def shows_running_scan(self) -> bool:
        """Whether the snapshots are those of a scan that runs, in this process or in another."""
        return self.engine.running or self.is_watching

    @property
    def first_steps(self) -> str:
        """What to do while nothing is catalogued."""
        return f"Press {self.key('show_browse')}, choose a folder, press {self.key('scan')}."

    def key(self, action_id: str) -> str:
        """Return the name of the first key of an action, for people."""
        return key_name(keys_of(BY_ID[action_id], self.keymap).split(",")[0])
