"""Progress: the running scan, its latest problems, and the scans before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work

from tui.actions import Place, bindings
from tui.display import display, format_count, format_duration, format_time
from tui.errors import LibraryError
from tui.screens.catalogue import fetch_scans
from tui.screens.faults import tell_fault
from tui.screens.shell import ShellScreen
from tui.widgets.progress_card import STATE_WORDS, ProgressCard
from tui.widgets.record_list import RecordColumn, RecordList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import BindingType
    from textual.widget import Widget

    from tui.library.scans import ScanRecord
    from tui.records import Problem, ScanState
    from tui.screens.session import ScreenSession

SMALL_SCREEN = 32
"""Screens of fewer lines get a small card, and the history only when no scan runs."""

KEPT_SCANS = 200
"""Scans in the history."""


class ProgressScreen(ShellScreen):
    """The card of the scan, its problems, and the history."""

    TAB = "show_progress"
    PLACES = (Place.PROGRESS,)
    SHOWS_STATUS = False
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.PROGRESS)

    def __init__(self, session: ScreenSession) -> None:
        """Serve `session`."""
        super().__init__(session)
        self._state: ScanState | None = None
        self._is_stale = False
        self.expect("history")

    def body(self) -> Iterable[Widget]:
        """Yield card and lists."""
        yield ProgressCard()
        yield RecordList(_problem_columns(), empty="No problems in this scan.", id="problems")
        yield RecordList(
            _scan_columns(self.session.config.interface.date_format), empty="No scan yet.", id="history"
        )

    def on_screen_resume(self) -> None:
        """Read the history again."""
        self._read_history()

    def show_snapshot(self) -> None:
        """Show the latest snapshot on the card and in the list of problems."""
        if not self.query(ProgressCard):
            return  # the screen is still being made
        snapshot = self.session.snapshot
        card = self.query_one(ProgressCard)
        card.is_small = self.size.height < SMALL_SCREEN
        card.show(snapshot)
        self.query_one("#history").display = not (card.is_small and self.session.shows_running_scan)
        problems = self.query_one("#problems", RecordList)
        problems.display = snapshot is not None
        problems.show(snapshot.problems[::-1] if snapshot else ())
        state = snapshot.state if snapshot else None
        if state is not self._state or self._is_stale:
            self._state = state
            self._read_history()

    def action_more_workers(self) -> None:
        """Read with one worker more."""
        self._change_workers(1)

    def action_fewer_workers(self) -> None:
        """Read with one worker less."""
        self._change_workers(-1)

    def _change_workers(self, difference: int) -> None:
        engine = self.session.engine
        engine.set_workers(max(1, min(32, engine.workers + difference)))
        self.notify(
            f"{engine.workers} {'worker reads' if engine.workers == 1 else 'workers read'}.", timeout=2
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let the number of workers alone while none works (called by Textual)."""
        if action in {"more_workers", "fewer_workers"}:
            return self.session.engine.running
        return super().check_action(action, parameters)

    @work(name="scan history", group="history", exclusive=True)
    async def _read_history(self) -> None:
        self._is_stale = False
        try:
            scans = await fetch_scans(self.session.library, KEPT_SCANS)
        except LibraryError as error:
            self._is_stale = True
            tell_fault(self.app, error)
        else:
            self.query_one("#history", RecordList).show(scans)
        self.arrived("history")


def _problem_columns() -> tuple[RecordColumn[Problem], ...]:
    return (
        RecordColumn("Problems", lambda problem: problem.stage.value, 12),
        RecordColumn("File or folder", lambda problem: display(problem.path), cut="start"),
        RecordColumn("Why", lambda problem: display(problem.message)),
    )


def _scan_columns(date_format: str) -> tuple[RecordColumn[ScanRecord], ...]:
    def number(title: str, name: str, width: int, *, drop: int = 0) -> RecordColumn[ScanRecord]:
        def show(scan: ScanRecord) -> str:
            """Return a counter; while the scan runs, the card has it."""
            return "" if scan.finished_at is None else format_count(getattr(scan.counters, name))

        return RecordColumn(title, show, width, align="right", drop=drop)

    return (
        RecordColumn("Scans", lambda scan: format_time(scan.started_at, date_format), 16),
        RecordColumn(
            "",
            lambda scan: STATE_WORDS[scan.state][0].removeprefix("scan "),
            9,
            look=lambda scan: STATE_WORDS[scan.state][1],
        ),
        RecordColumn("Path", lambda scan: scan.what, cut="start"),
        number("Files", "files", 10, drop=1),
        number("New", "new", 9, drop=4),
        number("Problems", "problems", 8, drop=2),
        RecordColumn("Time", _duration, 8, align="right", drop=3),
    )


def _duration(scan: ScanRecord) -> str:
    return (
        "" if scan.finished_at is None else format_duration((scan.finished_at - scan.started_at) // 1_000_000)
    )
