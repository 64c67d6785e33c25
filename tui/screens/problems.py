"""Problems: files and folders that could not be read, why, and trying them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.actions import Place, bindings
from tui.display import display, format_count, format_time
from tui.errors import LibraryError
from tui.records import Stage
from tui.screens.catalogue import fetch_problems, retry_problems
from tui.screens.confirm import ConfirmScreen
from tui.screens.faults import tell_fault
from tui.screens.shell import ShellScreen
from tui.widgets.painted_lines import Line, PaintedLines, Piece
from tui.widgets.record_list import RecordColumn, RecordList

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget

    from tui.library.problems import ProblemRow
    from tui.screens.session import ScreenSession

MOST_PROBLEMS = 5_000
"""Problems that are listed at once; those beyond are told by number."""

_STAGES = (None, *Stage)
"""What the list can be limited to, in turn."""


class FilterBar(PaintedLines):
    """How many problems there are, and which stage the list is limited to."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(classes="bar")
        self._line: Line = ()

    def show(self, count: int, stage: Stage | None, *, more: bool) -> None:
        """Show that `count` problems of `stage` (None: of all) are listed, and whether there are more."""
        number = f"{format_count(count)}{' or more' if more else ''} problem{'' if count == 1 else 's'}"
        where = "of all stages" if stage is None else f"of stage {stage.value}"
        self._line = (Piece(f" {number} ", "warning" if count else "strong"), Piece(where, "dim"))
        self.repaint()

    def lines(self, width: int, height: int) -> Sequence[Line]:  # noqa: ARG002  # one line high
        """Return the line."""
        return [self._line]


class ProblemsScreen(ShellScreen):
    """The list of problems."""

    TAB = "show_problems"
    PLACES = (Place.PROBLEMS,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.PROBLEMS)

    def __init__(self, session: ScreenSession) -> None:
        """Serve `session`."""
        super().__init__(session)
        self._stage: Stage | None = None
        self._seen_problems = -1
        self._is_stale = False
        self.expect("problems")

    def body(self) -> Iterable[Widget]:
        """Yield the list."""
        yield FilterBar()
        yield RecordList["ProblemRow"](_columns(), empty="No problems.")

    @property
    def problem_list(self) -> RecordList[ProblemRow]:
        """The list."""
        return self.query_one(RecordList)

    def on_mount(self) -> None:
        """Let the list have the keys."""
        self.set_focus(self.problem_list)

    def on_screen_resume(self) -> None:
        """Read the list again."""
        self.action_reload()

    def show_snapshot(self) -> None:
        """Read the list again when the running scan met more problems, or when it could not be read."""
        super().show_snapshot()
        snapshot = self.session.snapshot
        if snapshot is not None and (snapshot.counters.problems != self._seen_problems or self._is_stale):
            self._seen_problems = snapshot.counters.problems
            self.action_reload()

    def action_reload(self) -> None:
        """Read the list again."""
        self._reload()

    @work(name="problems", group="problems", exclusive=True)
    async def _reload(self) -> None:
        self._is_stale = False
        try:
            rows = await fetch_problems(self.session.library, self._stage, MOST_PROBLEMS)
        except LibraryError as error:
            self._is_stale = True
            tell_fault(self.app, error)
        else:
            self.problem_list.show(rows)
            self.query_one(FilterBar).show(len(rows), self._stage, more=len(rows) == MOST_PROBLEMS)
        self.arrived("problems")

    def action_filter_stage(self) -> None:
        """Show the problems of the next stage, or of all."""
        self._stage = _STAGES[(_STAGES.index(self._stage) + 1) % len(_STAGES)]
        self.action_reload()

    def action_problem_details(self) -> None:
        """Show the whole message."""
        row = self.problem_list.chosen
        if row is not None:
            self.app.push_screen(ProblemScreen(row, self.session.config.interface.date_format))

    def action_retry(self) -> None:
        """Try the file under the cursor again."""
        row = self.problem_list.chosen
        if row is not None:
            self._retry([row.problem_id])

    def action_retry_all(self) -> None:
        """Ask, then try all listed files again."""
        rows = self.problem_list.records
        if not rows:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._retry([row.problem_id for row in rows])

        number = format_count(len(rows))
        question = f"Try {number} files again?" if len(rows) > 1 else "Try the file again?"
        self.app.push_screen(
            ConfirmScreen(question, "The next scan reads them.", yes="try again", no="leave"), answered
        )

    @work(name="retry")
    async def _retry(self, problem_ids: Sequence[int]) -> None:
        try:
            number = await retry_problems(self.session.library, problem_ids)
        except LibraryError as error:
            tell_fault(self.app, error)
            return
        if number:
            files = "1 file is" if number == 1 else f"{format_count(number)} files are"
            self.notify(f"{files} read again by the next scan (s).")
        else:
            self.notify("Folders are looked at again by every scan.")
        self.action_reload()


class ProblemScreen(ModalScreen[None]):
    """One problem, in full."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Close", show=False)]

    def __init__(self, row: ProblemRow, date_format: str) -> None:
        """Show `row`, times written after `date_format`."""
        super().__init__()
        problem = row.problem
        times = "once" if row.attempts == 1 else f"{row.attempts} times"
        since = f", first at {format_time(row.first_at, date_format)}" if row.attempts > 1 else ""
        self._text = Content.assemble(
            (display(problem.path), "bold"),
            "\n\n",
            (display(problem.message), "$text-warning"),
            "\n\n",
            (
                f"Stage {problem.stage.value}, {times}, last at {format_time(row.last_at, date_format)}{since}.",
                "dim",
            ),
        )

    def compose(self) -> ComposeResult:
        """Compose the window."""
        window = Static(self._text, classes="window")
        window.border_title = "Problem"
        window.border_subtitle = "esc closes"
        yield window


def _columns() -> tuple[RecordColumn[ProblemRow], ...]:
    return (
        RecordColumn("Stage", lambda row: row.problem.stage.value, 11),
        RecordColumn("File or folder", lambda row: display(row.problem.path), cut="start"),
        RecordColumn("Why", lambda row: display(row.problem.message)),
        RecordColumn("Tried", lambda row: format_count(row.attempts), 5, align="right"),
    )
