"""The library: the table of files, the query above it, folders to the left, details of one file to the right."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.containers import Horizontal
from textual.worker import WorkerState

from tui.actions import Place, bindings
from tui.display import display
from tui.errors import LibraryError
from tui.field_text import short_path
from tui.library.query import Query, QueryError, parse_query
from tui.screens.catalogue import fetch_folder_marks, fetch_roots
from tui.screens.faults import tell_fault
from tui.screens.first_rows import FIRST_ORDER
from tui.screens.shell import ShellScreen
from tui.widgets.details_panel import DetailsPanel
from tui.widgets.file_table import FileTable
from tui.widgets.folder_sidebar import ALL_FILES, FolderSidebar
from tui.widgets.line_prompt import LinePrompt
from tui.widgets.row_pages import parse_place
from tui.widgets.search_box import SearchBox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from textual.binding import BindingType
    from textual.timer import Timer
    from textual.widget import Widget

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

CURSOR_PAUSE_S = 0.08
"""How long the cursor rests before the details of its file are read."""

SEARCH_PATIENCE_S = 0.3
"""How long a query may take before the box says that it is being answered."""

NARROW_CELLS = 100
"""Below this width folders and details lie over the table instead of beside it."""

WIDE_CELLS = 150
"""From this width on there is room for folders, table and details side by side."""


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


class LibraryScreen(ShellScreen):
    """The table of all files, or of those that a query and a folder leave."""

    TAB = "show_library"
    AUTO_FOCUS = "FileTable"  # never the line for typing, which would take the keys typed ahead
    PLACES = (Place.LIBRARY, Place.SEARCH, Place.GO_TO)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.LIBRARY)

    def __init__(self, session: ScreenSession) -> None:
        """Serve `session`."""
        super().__init__(session)
        interface = session.config.interface
        self.table = FileTable(interface.columns, date_format=interface.date_format)
        self.sidebar = FolderSidebar(LibraryFolders(session.library))
        self.panel = DetailsPanel()
        self.box = SearchBox(self._go_to_table, session.library.reader.completions)
        self.name_prompt = LinePrompt("Keep the query as", self._keep_query)
        self.place_prompt = LinePrompt("Go to row", self._go_to_typed_place)
        self._folder: bytes | None = None
        self._order = FIRST_ORDER
        self._collections: Mapping[str, str | None] = {}
        self._shown_query: Query | None = None
        self._elapsed_ms = 0.0
        self._library_version = -1
        self._renew_not_before = 0.0
        self._folders_not_before = 0.0
        self._folders_wanted: bool | None = None
        self._details_open = False
        self._details_id: int | None = None
        self._cursor_rests: Timer | None = None
        self._answered_text: str | None = None
        self._unread: set[Callable[[], object]] = set()
        self.expect("files")

    def body(self) -> Iterable[Widget]:
        """Yield the search box, and folders, table and details side by side."""
        yield self.box
        yield self.name_prompt
        yield self.place_prompt
        yield Horizontal(self.sidebar, self.table, id="library-body")

    def on_mount(self) -> None:
        """Show all files, and keep up with the library."""
        self.set_interval(RENEWAL_PERIOD_S, self._renew_if_due)
        self._arrange()
        self.set_focus(self.table)
        self._search()

    def on_resize(self) -> None:
        """Put folders and details beside the table, or over it."""
        self._arrange()

    def on_screen_resume(self) -> None:
        """Catch up with what the library got while another screen was shown."""
        self._renew_if_due()

    def scan_targets(self) -> tuple[bytes, ...]:
        """Return the folder under the sidebar's cursor or the one that is shown; empty for all roots."""
        folder = self.sidebar.folder if self.focused is self.sidebar else self._folder or ALL_FILES
        return (folder,) if folder != ALL_FILES else ()

    def show_folder(self, path: bytes) -> None:
        """Show what lies below a folder, whatever was searched for before."""
        self.box.replace_text("")
        self._limit_to(path)

    def show_query(self, text: str) -> None:
        """Show what a query finds, whatever folder was shown before."""
        self.box.replace_text(text)
        self._limit_to(None)

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

    # Saved queries

    async def action_save_query(self) -> None:
        """Ask for the name by which the query in the box is kept."""
        if self.box.text:
            await self.name_prompt.ask()
        else:
            self.app.notify(f"Type a query first: {self.session.key('open_search')}.", markup=False)

    def _keep_query(self, name: str | None) -> None:
        from tui.screens.saved_queries import keep_query

        self.set_focus(self.table)
        if name is not None:
            self.run_worker(keep_query(self.app, self.session, name, self.box.text), name="saving")

    async def action_open_saved(self) -> None:
        """Let the user choose a saved query."""
        from tui.screens.saved_queries import choose_saved_query

        await choose_saved_query(self.app, self.session, self._ask_saved)

    def _ask_saved(self, term: str) -> None:
        self.box.replace_text(term)
        self.box.remember()
        self._go_to_table()

    # Keys

    def action_open_search(self) -> None:
        """Let the user type a query."""
        self.box.focus_line()

    def _go_to_table(self) -> None:
        """Let the table have the keys, those that come now when it shows what the box asks for."""
        self.set_focus(self.table)
        if self.box.text != self._answered_text:
            self.expect("files")

    def action_sort_left(self) -> None:
        """Sort by the column to the left."""
        self.table.sort_beside(-1)

    def action_sort_right(self) -> None:
        """Sort by the column to the right."""
        self.table.sort_beside(1)

    def action_reverse_order(self) -> None:
        """Turn the order round."""
        self.table.reverse_sort()

    async def action_go_to_place(self) -> None:
        """Ask for a place in the list."""
        await self.place_prompt.ask()

    def _go_to_typed_place(self, text: str | None) -> None:
        self.set_focus(self.table)
        if not text or not text.strip():
            return
        try:
            self.table.move_to(parse_place(text, self.table.row_count()))
        except ValueError:
            self.notify(
                f"{text!r} is no place: type a row such as 500,000, or a share such as 50 %.",
                severity="warning",
            )

    def action_next_file(self) -> None:
        """Go one file down."""
        self.table.move("down")

    def action_previous_file(self) -> None:
        """Go one file up."""
        self.table.move("up")

    def action_copy_path(self) -> None:
        """Copy the path of the file under the cursor."""
        from tui.screens.clipboard import path_to_copy

        row = self.table.cursor_row
        if row is None:
            return
        text, is_quoted = path_to_copy(row.path)
        self.app.copy_to_clipboard(text)
        quoted = " It is quoted for the shell, because of the characters in it." if is_quoted else ""
        self.app.notify(f"Copied {display(row.path)}.{quoted}", markup=False)

    def action_go_back(self) -> None:
        """Close what lies over the table, then clear the search, then show all folders."""
        if self._details_open:
            self._show_details(is_open=False)
        elif self.has_class("-narrow") and self.sidebar.display:
            self.action_show_folders()
        elif self.box.text:
            self.box.replace_text("")
        elif self._folder is not None:
            self._limit_to(None)
        self.set_focus(self.table)

    # Folders

    def action_show_folders(self) -> None:
        """Show the folders and go there; from there, hide them."""
        if self.focused is self.sidebar:
            self._folders_wanted = False
            self.set_focus(self.table)
        else:
            self._folders_wanted = True
            self.sidebar.display = True
            self.set_focus(self.sidebar)
        self._arrange()

    def action_unfold_folder(self) -> None:
        """Unfold the folder under the cursor of the sidebar."""
        if self.focused is self.sidebar:
            self.sidebar.unfold()

    def action_fold_folder(self) -> None:
        """Fold the folder under the cursor of the sidebar."""
        if self.focused is self.sidebar:
            self.sidebar.fold()

    @on(FolderSidebar.Chosen)
    def _show_chosen_folder(self, message: FolderSidebar.Chosen) -> None:
        if self.has_class("-narrow"):
            self._folders_wanted = False
        self._limit_to(message.folder if message.folder != ALL_FILES else None)

    def _limit_to(self, folder: bytes | None) -> None:
        self._folder = folder
        if folder is not None and self.session.engine.running:
            self.session.engine.prioritise(folder)
        self.sidebar.show_as_chosen(folder or ALL_FILES)
        self.box.show_scope(short_path(folder) if folder is not None else "")
        self._arrange()
        self.set_focus(self.table)
        self.expect("files")
        self._search()

    def _arrange(self) -> None:
        """Show of folders and details what there is room and a wish for."""
        width = self.size.width
        self.set_class(width < NARROW_CELLS, "-narrow")
        room = width >= (WIDE_CELLS if self._details_open else NARROW_CELLS)
        self.sidebar.display = room if self._folders_wanted is None else self._folders_wanted
        self.panel.display = self._details_open

    # Details

    def action_open_details(self) -> None:
        """Show a file's details; a second time, scroll them; a third time, close them. In the folders: show one."""
        if self.focused is self.sidebar:
            self.sidebar.choose()
        elif self.focused is self.panel:
            self._show_details(is_open=False)
        elif self._details_open:
            self.set_focus(self.panel)
        else:
            self.table.open_cursor()

    @on(FileTable.Opened)
    def _open_details(self) -> None:
        self._show_details(is_open=True)

    def _show_details(self, *, is_open: bool) -> None:
        self._details_open = is_open
        if not self.panel.is_attached:
            self.query_one("#library-body").mount(self.panel)
        self._arrange()
        if not is_open:
            self.set_focus(self.table)
            return
        if self.has_class("-narrow"):
            self.set_focus(self.panel)
        self._show_cursor_details()

    @on(FileTable.CursorMoved)
    def _wait_for_rest(self, message: FileTable.CursorMoved) -> None:
        if message.rows is not self.table or not (self._details_open or self.session.engine.running):
            return
        if self._cursor_rests is not None:
            self._cursor_rests.stop()
        self._cursor_rests = self.set_timer(CURSOR_PAUSE_S, self._take_in_cursor)

    def _take_in_cursor(self) -> None:
        """Follow the cursor with details, and with the order in which a running scan reads."""
        row = self.table.cursor_row
        if row is not None and self.session.engine.running:
            self.session.engine.prioritise(os.path.dirname(row.path))
        if self._details_open:
            self._show_cursor_details()

    @work(name="details", group="details", exclusive=True)
    async def _show_cursor_details(self) -> None:
        self._unread.discard(self._show_cursor_details)
        row = self.table.cursor_row
        if row is None:
            return
        try:
            details = await self.session.library.reader.details(row.file_id)
        except LibraryError as error:
            self._say_unreadable(error, self._show_cursor_details)
            return
        from tui.file_facts import Fact, FactGroup, file_facts

        gone = (FactGroup("File", (Fact("State", "no longer in the library", "warning"),)),)
        groups = gone if details is None else file_facts(details)
        self.panel.show(display(row.name), groups, from_top=row.file_id != self._details_id)
        self._details_id = row.file_id
