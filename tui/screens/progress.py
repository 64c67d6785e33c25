"""Progress: the running scan, its latest problems, and the scans before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui.actions import Place, bindings
from tui.display import display
from tui.screens.shell import ShellScreen
from tui.widgets.progress_card import ProgressCard
from tui.widgets.record_list import RecordColumn, RecordList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import BindingType
    from textual.widget import Widget


SMALL_SCREEN = 32
"""Screens of fewer lines show two workers only, so that lists keep some lines."""


class ProgressScreen(ShellScreen):
    """The card of the scan, its problems, and the history."""

    TAB = "show_progress"
    PLACES = (Place.PROGRESS,)
    SHOWS_STATUS = False
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.PROGRESS)

    def body(self) -> Iterable[Widget]:
        """Yield card and lists."""
        yield ProgressCard()
        yield RecordList(
            (
                RecordColumn("Stage", lambda problem: problem.stage.value, 12),
                RecordColumn("Latest problems", lambda problem: display(problem.path), cut="start"),
                RecordColumn("Why", lambda problem: display(problem.message)),
            ),
            empty="No problems.",
            id="problems",
        )

    def show_snapshot(self) -> None:
        """Show the latest snapshot on the card and in the list of problems."""
        snapshot = self.session.snapshot
        card = self.query_one(ProgressCard)
        card.most_workers = 2 if self.size.height < SMALL_SCREEN else 8
        card.show(snapshot)
        self.query_one("#problems", RecordList).show(snapshot.problems[::-1] if snapshot else ())
