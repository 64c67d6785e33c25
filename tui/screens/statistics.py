"""Statistics: how much of what there is, and the way from each sum to its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work

from tui.actions import Place, bindings
from tui.errors import LibraryError
from tui.screens.faults import tell_fault
from tui.screens.shell import FolderOpened, QueryOpened, ShellScreen
from tui.screens.statistics_rows import statistics_rows
from tui.widgets.statistics_list import StatisticsList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import BindingType
    from textual.widget import Widget

    from tui.screens.session import ScreenSession


class StatisticsScreen(ShellScreen):
    """Sums over the whole library; read when the screen is shown and when asked to."""

    TAB = "show_statistics"
    PLACES = (Place.STATISTICS,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.STATISTICS)

    def __init__(self, session: ScreenSession) -> None:
        """Serve `session`."""
        super().__init__(session)
        self._version = -1
        self.expect("statistics")

    def body(self) -> Iterable[Widget]:
        """Yield the list."""
        yield StatisticsList()

    @property
    def list(self) -> StatisticsList:
        """The list."""
        return self.query_one(StatisticsList)

    def on_mount(self) -> None:
        """Let the list have the keys, and read."""
        self.set_focus(self.list)
        self._read(only_if_changed=False)

    def on_screen_resume(self) -> None:
        """Read again what changed meanwhile; the sums of before stay until then."""
        self._read(only_if_changed=True)

    def action_reload_statistics(self) -> None:
        """Read again."""
        self._read(only_if_changed=False)

    @work(name="statistics", group="statistics", exclusive=True)
    async def _read(self, *, only_if_changed: bool) -> None:
        reader = self.session.library.reader
        try:
            version = await reader.data_version()
            if only_if_changed and version == self._version:
                return
            statistics = await reader.statistics()
        except LibraryError as error:
            self._version = -1
            self.list.show_notice("The library could not be read.")
            tell_fault(self.app, error)
        else:
            self._version = version
            self.list.show(statistics_rows(statistics, self.session.config.interface.date_format))
        finally:
            self.arrived("statistics")

    def action_next_section(self) -> None:
        """Go to the next section."""
        self.list.move_section(1)

    def action_previous_section(self) -> None:
        """Go to the section before."""
        self.list.move_section(-1)

    def action_open_group(self) -> None:
        """Show the files that the row under the cursor stands for."""
        row = self.list.chosen
        if row is None:
            return
        if row.folder is not None:
            self.post_message(FolderOpened(row.folder))
        elif row.query is not None:
            self.post_message(QueryOpened(row.query))
