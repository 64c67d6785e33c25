"""Starting, watching and stopping scans on behalf of the screens."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tui.display import format_count, format_duration
from tui.errors import YapmoError
from tui.records import ScanState
from tui.scan.request import ScanRequest
from tui.widgets.progress_card import STATE_WORDS, is_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App
    from textual.timer import Timer

    from tui.records import ProgressSnapshot
    from tui.screens.session import Session

logger = logging.getLogger("yapmo.app")

LONG_SCAN_S = 60.0
"""A scan that took longer rings when it ends: its user looks elsewhere by then."""


class ScanControl:
    """The one place where the application talks to the engine.

    While a scan runs it pulls a snapshot every `interface.refresh_ms`; while none runs it does nothing at all.
    """

    def __init__(
        self, app: App[int], session: Session, show: Callable[[], None], ring: Callable[[str], None]
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
        self._timer: Timer | None = None

    async def start(self, paths: tuple[bytes, ...]) -> bool:
        """Begin a scan of `paths` (none: all roots); False when it could not, and the user was told why."""
        try:
            await self._session.engine.start(ScanRequest(paths))
        except YapmoError as error:
            self._app.notify(
                "\n".join(filter(None, [error.message, error.hint])), severity="error", timeout=15
            )
            return False
        self.watch()
        return True

    def watch(self) -> None:
        """Follow the scan that runs."""
        self._pull()
        if self._timer is None:
            period_s = self._session.config.interface.refresh_ms / 1000
            self._timer = self._app.set_interval(period_s, self._pull, name="progress")
        self._timer.resume()
        self._app.refresh_bindings()

    def abort(self) -> None:
        """Stop the scan; what is done is kept."""
        self._session.engine.abort()
        self._pull()

    def toggle_pause(self) -> None:
        """Let the scan hold, or go on."""
        snapshot = self._session.engine.snapshot()
        if snapshot is not None and snapshot.state is ScanState.PAUSED:
            self._session.engine.resume()
        else:
            self._session.engine.pause()
        self._pull()

    def _pull(self) -> None:
        session = self._session
        session.snapshot = session.engine.snapshot()
        self._show()
        if not session.engine.running and self._timer is not None and session.snapshot is not None:
            self._timer.pause()
            self._app.refresh_bindings()
            self._tell_end(session.snapshot)

    def _tell_end(self, snapshot: ProgressSnapshot) -> None:
        """Say how the scan ended; ring when it was long."""
        if not is_over(snapshot.state):
            return
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
