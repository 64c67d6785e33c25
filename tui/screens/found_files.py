"""What a query finds, in a table that keeps up with the library; faults of the library are told and overcome."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from textual import on, work
from textual.worker import WorkerState

from tui.errors import LibraryError
from tui.field_text import short_path
from tui.library.query import Query, QueryError, parse_query
from tui.screens.catalogue import fetch_folder_marks, fetch_roots
from tui.screens.faults import tell_fault
from tui.screens.first_rows import FIRST_ORDER
from tui.screens.shell import ShellScreen
from tui.widgets.file_table import FileTable
from tui.widgets.folder_sidebar import ALL_FILES, FolderSidebar
from tui.widgets.search_box import SearchBox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tui.errors import YapmoError
    from tui.library.database import Library
    from tui.screens.session import ScreenSession
    from tui.widgets.row_pages import FileView

RENEWAL_PERIOD_S = 1.0
"""Least time between two readings of a list that changes."""

RENEWAL_SHARE = 0.1
"""Greatest share of the time that reading a changing list takes: a slow list is read less often."""

FAULT_PERIOD_S = 5.0
"""Time after which what could not be read is tried again."""

FOLDERS_PERIOD_S = 5.0
"""Least time between two readings of the folders of a library that changes."""

SEARCH_PATIENCE_S = 0.3
"""How long a query may take before the box says that it is being answered."""


class LibraryFolders:
    """The folders of a library, for the sidebar."""

    def __init__(self, library: Library) -> None:
        """Ask `library`."""
        self._library = library

    async def subfolders(self, folder: bytes) -> Mapping[bytes, int]:
        """Return the number of present files below each folder of `folder`; of each root for `ALL_FILES`."""
        marks = await fetch_folder_marks(self._library, [folder] if folder != ALL_FILES else [])
        return {path: mark.files for path, mark in marks.items() if mark.is_root is (folder == ALL_FILES)}

    async def offline_roots(self) -> frozenset[bytes]:
        """Return the paths of the roots whose disk is not there."""
        known = await fetch_roots(self._library)
        return frozenset(root.path for root in known if root.offline_since is not None)


class FoundFilesScreen(ShellScreen):
    """A screen around a table of all files, or of those that a query and a folder leave.

    A subclass lays out the search box, the folders and the table.
    """

    def __init__(self, session: ScreenSession) -> None:
        """Serve `session`."""
        super().__init__(session)
        interface = session.config.interface
        self.table = FileTable(interface.columns, date_format=interface.date_format)
        self.sidebar = FolderSidebar(LibraryFolders(session.library))
        self.box = SearchBox(self._go_to_table, session.library.reader.completions)
        self._folder: bytes | None = None
        self._order = FIRST_ORDER
        self._collections: Mapping[str, str | None] = {}
        self._shown_query: Query | None = None
        self._elapsed_ms = 0.0
        self._library_version = -1
        self._renew_not_before = 0.0
        self._folders_not_before = 0.0
        self._answered_text: str | None = None
        self._unread: set[Callable[[], object]] = set()
        self.expect("files")

    def on_mount(self) -> None:
        """Show all files, and keep up with the library."""
        self.set_interval(RENEWAL_PERIOD_S, self._renew_if_due)
        self._search()

    def on_screen_resume(self) -> None:
        """Catch up with what the library got while another screen was shown."""
        self._renew_if_due()

    def _go_to_table(self) -> None:
        """Let the table have the keys, those that come now when it shows what the box asks for."""
        self.set_focus(self.table)
        if self.box.text != self._answered_text:
            self.expect("files")

    # What the table shows

    @on(SearchBox.QueryChanged)
    def _search(self) -> None:
        """Show what the query in the box finds; a question about an older query is given up."""
        self._show_query()

    @work(name="query", group="list", exclusive=True)
    async def _show_query(self) -> None:
        text = self.box.text
        await self._answer_query()
        self._answered_text = text
        if self.box.text == text:
            self.arrived("files")

    async def _answer_query(self) -> None:
        try:
            if "@" in self.box.text or any(word in self.box.text.lower() for word in ("collection", "query")):
                self._collections = await self.session.library.reader.collections()
            query = self._wanted_query()
        except LibraryError as error:
            self._say_unreadable(error, self._show_query)
            return
        except QueryError as error:
            self.box.show_mistake(f"{error.problem}; expected: {error.expected}", error.position)
            return
        began = time.perf_counter()
        self.table.set_notice(self._notice())
        impatience = self.set_timer(SEARCH_PATIENCE_S, self.box.show_searching)
        try:
            version, view = await self._ask(query)
            await self.table.show(view, (query.sort, query.falling))
        except LibraryError as error:
            self._say_unreadable(error, self._show_query)
            self.table.set_notice(self._notice())
            self.box.show_nothing()
            return
        finally:
            impatience.stop()
        self._unread.discard(self._show_query)
        self._shown_query, self._library_version = query, version
        self._elapsed_ms = (time.perf_counter() - began) * 1000
        self._show_result()

    async def _ask(self, query: Query) -> tuple[int, FileView]:
        """Return the state of the library and what a query finds in it; the first rows of all files were asked for before."""
        first, self.session.first_rows = self.session.first_rows, None
        if first is not None and first.query == query and (answer := await first.take()) is not None:
            return answer
        reader = self.session.library.reader
        return await reader.data_version(), await reader.open_view(query)

    def _wanted_query(self) -> Query:
        """Return the query in the box, in the chosen order unless it names its own, within the chosen folder."""
        query = parse_query(self.box.text, self._collections)
        if not query.sort:
            query = query.sorted_by(self._order[0], falling=self._order[1])
        return query.within(self._folder)

    def _show_result(self) -> None:
        if self.box.text or self._folder is not None:
            self.box.show_result(self.table.row_count(), self._elapsed_ms)
        else:
            self.box.show_nothing()
        query = self._shown_query
        if query is not None and not query.conditions and query.folder is None:  # these are all files
            self.session.files = self.table.row_count()
            self.show_file_count()

    def _renew_if_due(self) -> None:
        if not self.table.row_count():
            self.table.set_notice(self._notice())  # a scan may have begun or ended
        busy = any(worker.group == "list" and worker.state is WorkerState.RUNNING for worker in self.workers)
        if not self.is_current or busy or time.monotonic() < self._renew_not_before:
            return
        if self._unread:
            for read in tuple(self._unread):
                read()
        else:
            self._renew()

    @work(name="renewal", group="list", exclusive=True)
    async def _renew(self) -> None:
        """Take in what the library got since the table was read, without moving what the user looks at."""
        reader = self.session.library.reader
        try:
            version = await reader.data_version()
            if version == self._library_version or self._shown_query is None:
                return
            began = time.monotonic()
            self.table.set_notice(self._notice())
            if not await self.table.renew(await reader.open_view(self._shown_query)):
                return
        except LibraryError as error:
            self._say_unreadable(error)
            return
        now = time.monotonic()
        self._library_version = version
        self._renew_not_before = now + (now - began) / RENEWAL_SHARE
        if not self.box.has_class("-mistaken"):
            self._show_result()
        if now >= self._folders_not_before and self.sidebar.display:
            self._folders_not_before = now + FOLDERS_PERIOD_S
            self.sidebar.reread()

    def _notice(self) -> list[str]:
        """Return what to say if there are no files."""
        if self._show_query in self._unread:
            return ["The library could not be read; it is tried again in a moment."]
        if self.box.text:
            return [
                "No file matches.",
                "",
                f"{self.session.key('go_back')} clears the search, {self.session.key('open_search')} changes it.",
            ]
        if self._folder is not None:
            folder = short_path(self._folder)
            return [
                f"There are no files below {folder}.",
                "",
                f"{self.session.key('go_back')} shows all files, {self.session.key('scan')} scans the folder.",
            ]
        if self.session.engine.running:
            return ["The scan has not found a file yet."]
        return ["Nothing is catalogued yet.", "", self.session.first_steps]

    # When the library cannot be read

    def _say_unreadable(self, error: YapmoError, read: Callable[[], object] | None = None) -> None:
        """Tell of a fault; `read` is what failed, if it is more than a renewal, and is called when the next of those is due."""
        if read is not None:
            self._unread.add(read)
        self._renew_not_before = time.monotonic() + FAULT_PERIOD_S
        tell_fault(self.app, error)

    @on(FileTable.ReadFailed)
    def _on_rows_unread(self, message: FileTable.ReadFailed) -> None:
        self._say_unreadable(message.error, self._reread_rows)

    def _reread_rows(self) -> None:
        self._unread.discard(self._reread_rows)
        self.table.repaint()

    @on(FolderSidebar.ReadFailed)
    def _on_folders_unread(self, message: FolderSidebar.ReadFailed) -> None:
        self._say_unreadable(message.error, self._reread_folders)

    def _reread_folders(self) -> None:
        self._unread.discard(self._reread_folders)
        self.sidebar.reread()

    @on(FileTable.SortChosen)
    def _sort(self, message: FileTable.SortChosen) -> None:
        self._order = (message.field, message.falling)
        self.box.drop_field("sort", "order")
        with contextlib.suppress(QueryError):
            if parse_query(self.box.text, self._collections).sort:  # a saved query has an order of its own
                self.box.add_term(f"sort:{message.field}{'-' if message.falling else ''}")
        self._search()
