"""An engine for tests of screens: it runs nothing, and its snapshots are what the test puts there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual._context import visible_screen_stack

from tui.records import (
    Problem,
    ProgressSnapshot,
    ScanCounters,
    ScanProcess,
    ScanState,
    ScanSummary,
    Stage,
    StageProgress,
    WorkerStatus,
)
from tui.widgets.progress_card import is_over

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import App

    from tui.errors import YapmoError
    from tui.scan.request import ScanRequest

HOSTILE_NAMES = (
    b"\x1b]52;c;AAAA\x07esc",
    b"csi\x1b[31m",
    b"caf\xe9\xff",
    "bidi\u202egpj".encode(),
    b"new\nline",
    "c1\x9b31m".encode(),
    b"[a='",
    b"x[/bold]y",
    b"[/]",
    b"[@click=app.quit]x",
)
"""Names that are markup to Textual, commands to a terminal, or no text at all."""

FORBIDDEN = frozenset(
    {chr(code) for code in (*range(32), 127, *range(0x80, 0xA0))} | {"\u202e", "\u202d", "\u2066", "\u2067"}
)
"""Characters that must never reach a terminal."""


def snapshot(state: ScanState = ScanState.RUNNING, **changes: object) -> ProgressSnapshot:
    """Return a snapshot in the middle of a scan, with `changes`."""
    values: dict[str, object] = {
        "scan_id": 1,
        "paths": (b"/srv/photos",),
        "state": state,
        "seconds": 754.0,
        "counters": ScanCounters(
            folders=1_203, files=98_304, new=1_024, changed=12, unchanged=97_268, problems=3
        ),
        "stages": (
            StageProgress(Stage.WALK, 1_203, 1_203, finished=True),
            StageProgress(Stage.METADATA, 632, 1_036, 3, 512.4, 4_100_000.0, 521.0),
            StageProgress(Stage.FINGERPRINT, 40, None, 0, 9.1),
        ),
        "workers": (
            WorkerStatus(1, "exiftool", b"/srv/photos/2019/IMG_0412.CR2", 0.2, 318),
            WorkerStatus(2, "exiftool", b"/srv/photos/2019/VID_0099.MOV", 12.0, 301, 1),
            WorkerStatus(3, "tags", None, 0.0, 13),
        ),
        "problems": (Problem(b"/srv/photos/2019/VID_0099.MOV", Stage.METADATA, "timed out after 120 s"),),
    }
    return ProgressSnapshot(**{**values, **changes})  # type: ignore[arg-type]  # a test names fields as they are


class ScriptedWatch:
    """Stands in for `ScanWatch`: the scan of another process."""

    def __init__(self, host: str = "nas") -> None:
        self.process = ScanProcess(host, 4242, 1_562_178_131_000_000_000, is_here=False)
        self.shown = snapshot(process=self.process, workers=(), note="")
        self.asked = 0
        self.summary = ScanSummary(1, ScanState.ABORTED, ScanCounters(), 1.0)

    @property
    def running(self) -> bool:
        """True until the test ends it."""
        return not is_over(self.shown.state)

    def snapshot(self) -> ProgressSnapshot:
        """Return what the test put there."""
        return self.shown

    async def ask_to_abort(self) -> bool:
        """Count it."""
        self.asked += 1
        return True

    def finish(self, state: ScanState) -> None:
        """End the scan."""
        self.shown = snapshot(state, process=self.process, workers=())

    async def wait(self) -> ScanSummary:
        """Return when the scan has ended."""
        while self.running:
            await asyncio.sleep(0.01)
        return self.summary

    async def close(self) -> None:
        """Do nothing."""


class ScriptedEngine:
    """Stands in for `ScanService`.

    Attributes:
        shown: what `snapshot` returns.
        running: whether a scan runs.
        requests: the scans that were asked for.
        refusal: raised by the next `start`.
        other: the scan of another process that `watch` returns.
        summary: what `wait` returns.
        ignores_abort: whether a scan goes on although it was aborted.
        find_roots: looks for roots; returns whether there is news.
    """

    def __init__(self) -> None:
        self.shown: ProgressSnapshot | None = None
        self.running = False
        self.requests: list[ScanRequest] = []
        self.refusal: YapmoError | None = None
        self.other = ScriptedWatch()
        self.ignores_abort = False
        self.aborts = 0
        self.paused = False
        self.workers = 2
        self.priority: bytes | None = None
        self.find_roots: Callable[[], Awaitable[bool]] = self.find_nothing_new
        self.summary = ScanSummary(1, ScanState.ABORTED, ScanCounters(), 1.0)

    async def start(self, request: ScanRequest) -> None:
        """Begin a scan that ends when it is aborted or `finish`ed."""
        if self.refusal is not None:
            raise self.refusal
        self.requests.append(request)
        self.running = True
        self.shown = snapshot(paths=request.paths)

    async def watch(self, scan_id: int) -> ScriptedWatch:
        """Return the scan of another process."""
        assert scan_id
        return self.other

    def finish(self, state: ScanState = ScanState.COMPLETED, **changes: object) -> None:
        """End the scan."""
        self.running = False
        self.shown = snapshot(state, **changes)

    def abort(self) -> None:
        """Abort, unless the engine is told not to hear."""
        self.aborts += 1
        if not self.ignores_abort and self.running:
            self.finish(ScanState.ABORTED)

    def pause(self) -> None:
        """Note it."""
        self.paused = True
        self.shown = snapshot(ScanState.PAUSED)

    def resume(self) -> None:
        """Note it."""
        self.paused = False
        self.shown = snapshot()

    def prioritise(self, folder: bytes | None) -> None:
        """Note it."""
        self.priority = folder

    async def find_nothing_new(self) -> bool:
        return False

    async def look_for_roots(self) -> bool:
        """Do what the test says instead of looking at disks."""
        return await self.find_roots()

    def set_workers(self, number: int) -> None:
        """Note it."""
        self.workers = number

    def snapshot(self) -> ProgressSnapshot | None:
        """Return what the test put there."""
        return self.shown

    async def wait(self) -> ScanSummary:
        """Return when the scan has ended."""
        while self.running:
            await asyncio.sleep(0.01)
        return self.summary


def screen_text(app: App[int]) -> str:
    """Return what the terminal shows, line by line."""
    # a dialogue keeps what it draws of the screen below it: drawn without that, it would stay black there
    visible_screen_stack.set(app._background_screens)
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


def everything_shown(app: App[int]) -> str:
    """Return what the terminal shows with all screens of the stack and notices, without the line ends."""
    return "".join(screen_text(app).split("\n"))
