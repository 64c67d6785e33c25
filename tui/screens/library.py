"""The library: the table of files, the query above it, folders to the left, details of one file to the right."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.containers import Horizontal

from tui.actions import Place, bindings
from tui.display import display
from tui.errors import LibraryError
from tui.field_text import short_path
from tui.screens.found_files import FoundFilesScreen
from tui.widgets.details_panel import DetailsPanel
from tui.widgets.file_table import FileTable
from tui.widgets.folder_sidebar import ALL_FILES, FolderSidebar
from tui.widgets.line_prompt import LinePrompt
from tui.widgets.row_pages import parse_place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import BindingType
    from textual.timer import Timer
    from textual.widget import Widget

    from tui.screens.session import ScreenSession

CURSOR_PAUSE_S = 0.08
"""How long the cursor rests before the details of its file are read."""

NARROW_CELLS = 100
"""Below this width folders and details lie over the table instead of beside it."""

WIDE_CELLS = 150
"""From this width on there is room for folders, table and details side by side."""


class LibraryScreen(FoundFilesScreen):
    """The table of all files, or of those that a query and a folder leave."""

    TAB = "show_library"
    AUTO_FOCUS = "FileTable"  # never the line for typing, which would take the keys typed ahead
    PLACES = (Place.LIBRARY, Place.SEARCH, Place.GO_TO)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.LIBRARY)

    def __init__(self, session: ScreenSession) -> None:
        """Serve `session`."""
        super().__init__(session)
        self.panel = DetailsPanel()
        self.name_prompt = LinePrompt("Keep the query as", self._keep_query)
        self.place_prompt = LinePrompt("Go to row", self._go_to_typed_place)
        self._folders_wanted: bool | None = None
        self._details_open = False
        self._details_id: int | None = None
        self._cursor_rests: Timer | None = None

    def body(self) -> Iterable[Widget]:
        """Yield the search box, and folders, table and details side by side."""
        yield self.box
        yield self.name_prompt
        yield self.place_prompt
        yield Horizontal(self.sidebar, self.table, id="library-body")

    def on_mount(self) -> None:
        """Let the table have the keys."""
        self._arrange()
        self.set_focus(self.table)

    def on_resize(self) -> None:
        """Put folders and details beside the table, or over it."""
        self._arrange()

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
