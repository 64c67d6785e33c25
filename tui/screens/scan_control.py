"""Starting, watching and stopping scans on behalf of the screens."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tui.display import format_count, format_duration, name_process
from tui.errors import YapmoError
from tui.library.scans import ScanRunningError
from tui.records import ScanState
from tui.scan.advice import ScanAdviser
from tui.scan.request import NothingToScanError, ScanRequest
from tui.screens.faults import tell_fault
from tui.widgets.progress_card import STATE_WORDS, is_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.timer import Timer

    from tui.records import ProgressSnapshot
    from tui.screens.session import ScreenSession, WatchedScan

logger = logging.getLogger("yapmo.app")

LONG_SCAN_S = 60.0
"""A scan that took longer rings when it ends: its user looks elsewhere by then."""


class ScanControl:
    """The one place where the application talks to the engine.

    A root that another process scans is not scanned: that scan is shown instead, and can be asked to abort. While a scan runs it pulls a snapshot every `interface.refresh_ms`; while none runs it does nothing at all.
    """

    def __init__(
        self, app: App[int], session: ScreenSession, show: Callable[[], None], ring: Callable[[str], None]
    ) -> None:
        """Serve `session`.

        Args:
            app: where notices and timers belong.
            session: holds the engine, and gets each new snapshot.
            show: called after each new snapshot.
            ring: calls for the eye of a user who looks elsewhere.
        """
        self._app = app
        self._session = session
        self._show = show
        self._ring = ring
        self._request = ScanRequest()
        self._adviser = ScanAdviser()
        self._timer: Timer | None = None

    async def start(self, paths: tuple[bytes, ...], *, accept_missing: bool = False) -> bool:
        """Begin a scan.

        Args:
            paths: what is scanned; none for all roots.
            accept_missing: mark files missing however many they are.

        Returns:
            False when the scan could not begin; the user was told why, or is shown the scan that is in its way.
        """
        request = ScanRequest(paths, accept_missing=accept_missing)
        try:
            await self._session.engine.start(request)
        except NothingToScanError as error:
            self._app.notify(f"{error.message}\n{self._session.first_steps}", severity="warning")
            return False
        except ScanRunningError as running:
            await self._show_other(running)
            return False
        except YapmoError as error:
            tell_fault(self._app, error)
            return False
        await self._watch_instead(None)
        self._request, self._adviser = request, ScanAdviser()
        self.watch()
        return True

    async def _show_other(self, running: ScanRunningError) -> None:
        """Show the scan of another process that is in the way of ours."""
        try:
            watched = await self._session.engine.watch(running.scan_id)
        except YapmoError as error:
            tell_fault(self._app, error)
            return
        await self._watch_instead(watched)
        self._adviser = ScanAdviser()
        key = self._session.key("abort")
        self._app.notify(f"{running.message}.\nThis is that scan; {key} asks it to stop.", timeout=8)
        await self._app.switch_mode("progress")
        self.watch()

    async def _watch_instead(self, watched: WatchedScan | None) -> None:
        before, self._session.watched = self._session.watched, watched
        if before is not None:
            await before.close()

    def watch(self) -> None:
        """Follow the scan that runs."""
        self._pull()
        if self._timer is None:
            period_s = self._session.config.interface.refresh_ms / 1000
            self._timer = self._app.set_interval(period_s, self._pull, name="progress")
        self._timer.resume()
        self._app.refresh_bindings()

    def abort(self) -> None:
        """Stop the scan; what is done is kept. One of another process is asked to stop, if the user confirms that."""
        watched = self._session.watched
        if not self._session.engine.running and watched is not None and watched.running:
            self._confirm_abort(watched)
            return
        self._session.engine.abort()
        self._pull()

    def _confirm_abort(self, watched: WatchedScan) -> None:
        from tui.screens.confirm import ConfirmScreen

        async def answered(yes: bool | None) -> None:
            if yes:
                await self._ask_to_abort(watched)

        process = watched.process
        power = "" if process.is_here else " It is on another machine: it can be asked from here, not killed."
        question = ConfirmScreen(
            f"Ask process {process.pid} on {process.host} to stop its scan?",
            f"It is the scan of {name_process(process)}. What it has finished is kept.{power}",
            yes="ask it to stop",
            no="let it go on",
        )
        self._app.push_screen(question, answered)

    async def _ask_to_abort(self, watched: WatchedScan) -> None:
        try:
            asked = await watched.ask_to_abort()
        except YapmoError as error:
            tell_fault(self._app, error)
            return
        if asked:
            self._app.notify("Asked; it stops at its next sign of life, within seconds.")
        self._pull()

    def toggle_pause(self) -> None:
        """Let the scan hold, or go on."""
        snapshot = self._session.engine.snapshot()
        if snapshot is not None and snapshot.state is ScanState.PAUSED:
            self._session.engine.resume()
        else:
            self._session.engine.pause()
        self._pull()
        self._app.refresh_bindings()

    def _pull(self) -> None:
        session = self._session
        session.snapshot = (session.watched or session.engine).snapshot()
        self._show()
        if session.shows_running_scan:
            self._advise(session.snapshot)
        elif self._timer is not None and session.snapshot is not None and is_over(session.snapshot.state):
            self._timer.pause()
            self._app.refresh_bindings()
            self._tell_end(session.snapshot)
            self._app.call_later(self._tell_reasons)

    def _advise(self, snapshot: ProgressSnapshot | None) -> None:
        """Say once what a very large scan will take, as soon as that is known."""
        advice = self._adviser.advise(snapshot)
        if advice:
            self._app.notify(advice, timeout=20)

    def _tell_end(self, snapshot: ProgressSnapshot) -> None:
        """Say how the scan ended; ring when it was long."""
        counters = snapshot.counters
        word = STATE_WORDS[snapshot.state][0].capitalize()
        message = (
            f"{word} in {format_duration(round(snapshot.seconds * 1000))}: {format_count(counters.new)} new, "
            f"{format_count(counters.changed)} changed, {format_count(counters.problems)} problems"
        )
        completed = snapshot.state is ScanState.COMPLETED
        self._app.notify(message, severity="information" if completed else "warning")
        if self._session.config.interface.notify and snapshot.seconds >= LONG_SCAN_S:
            self._ring(f"YAPMO: {message}")

    async def _tell_reasons(self) -> None:
        """Say why a scan failed; ask before files are marked missing that the engine does not believe to be gone."""
        summary = await (self._session.watched or self._session.engine).wait()
        if summary.error:
            self._app.notify(summary.error, severity="error", timeout=15)
        doubts = () if self._request.accept_missing else summary.doubts
        in_doubt = " ".join(doubt.reason for doubt in doubts)
        if summary.unavailable != in_doubt:
            self._app.notify(summary.unavailable, severity="error", timeout=15)
        if doubts:
            self._ask_about_missing(tuple(doubt.path for doubt in doubts), in_doubt)

    def _ask_about_missing(self, paths: tuple[bytes, ...], reason: str) -> None:
        """Ask whether the files of `paths` were deleted; only these are scanned again with "yes"."""
        from tui.screens.confirm import ConfirmScreen

        async def answered(yes: bool | None) -> None:
            if yes:
                await self.start(paths, accept_missing=True)

        question = ConfirmScreen(
            "Mark the files that are gone as missing?",
            reason,
            yes="they were deleted: mark them",
            no="leave them as they are",
        )
        self._app.push_screen(question, answered)
