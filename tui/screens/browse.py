"""Browse: the folders of the machine, to choose what is catalogued."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, ClassVar

from textual import work

from tui.actions import Place, bindings
from tui.display import display, format_count
from tui.errors import LibraryError, YapmoError
from tui.paths import absolute
from tui.scan.subfolders import find_nearest_folder
from tui.screens.catalogue import fetch_folder_marks
from tui.screens.faults import tell_fault
from tui.screens.shell import FolderOpened, ShellScreen
from tui.widgets.folder_tree import FolderMark, FolderTree
from tui.widgets.line_prompt import LinePrompt
from tui.widgets.painted_lines import Line, PaintedLines, Piece, fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.binding import BindingType
    from textual.timer import Timer
    from textual.widget import Widget

    from tui.screens.session import ScreenSession


logger = logging.getLogger("yapmo.app")

CURSOR_PAUSE_S = 0.3
"""The cursor has come to rest when it has not moved for so long; a scan then serves its folder first."""


class PathBar(PaintedLines):
    """The whole path of the folder under the cursor, and what the library knows of it."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(classes="bar")
        self._path = b""
        self._note = ""

    def show(self, path: bytes, mark: FolderMark | None, *, is_known: bool) -> None:
        """Show `path` and its `mark`; without one it is not in the library, if the library is known (`is_known`)."""
        self._path = path
        self._note = "not in the library" if is_known else ""
        if mark is not None:
            self._note = f"{format_count(mark.files)} {'file' if mark.files == 1 else 'files'} in the library"
            self._note += ", offline" if mark.is_offline else ""
        self.repaint()

    def lines(self, width: int, height: int) -> Sequence[Line]:  # noqa: ARG002  # one line high
        """Return path and note."""
        room = width - len(self._note) - 4
        return [
            (
                Piece(f" {fit(display(self._path), room, cut='start')}  ", "strong"),
                Piece(f"{self._note} ", "dim"),
            )
        ]


class BrowseScreen(ShellScreen):
    """The folder tree; Enter shows a folder in the library, `s` scans it."""

    TAB = "show_browse"
    AUTO_FOCUS = "FolderTree"  # never the line for typing, which would take the keys typed ahead
    PLACES = (Place.BROWSE, Place.GO_TO)
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.BROWSE)

    def __init__(self, session: ScreenSession) -> None:
        """Serve `session`; the cursor begins on the first root, or at home while there is none."""
        super().__init__(session)
        self._marks: dict[bytes, FolderMark] = {}
        self._marks_are_known = False
        self._unfolded: dict[bytes, None] = {}
        self._cursor_rests: Timer | None = None
        self.expect("place")

    def body(self) -> Iterable[Widget]:
        """Yield path and tree."""
        yield LinePrompt("Go to", self._go_to_typed)
        yield PathBar()
        yield FolderTree(shows_hidden=self.session.config.scan.hidden)

    @property
    def tree_view(self) -> FolderTree:
        """The tree."""
        return self.query_one(FolderTree)

    def on_mount(self) -> None:
        """Go to where the user's media probably are."""
        self.tree_view.focus()
        self._go_to_start()

    @work(name="start")
    async def _go_to_start(self) -> None:
        marks = await self._fetch_marks(())
        roots = [path for path, mark in marks.items() if mark.is_root and not mark.is_offline]
        self.tree_view.go_to(min(roots, default=absolute("~")))

    def on_screen_resume(self) -> None:
        """Catch up with the library."""
        self._read_marks(tuple(self._unfolded))
        self._look_for_roots()

    def show_file_count(self) -> None:
        """Show the number of files, and with it the counts of the folders anew."""
        super().show_file_count()
        self._read_marks(tuple(self._unfolded))

    def scan_targets(self) -> tuple[bytes, ...]:
        """Return the folder under the cursor."""
        return (self.tree_view.node.path,)

    def on_folder_tree_unfolded(self, message: FolderTree.Unfolded) -> None:
        """Ask the library what it knows of the folders that came into view."""
        self._unfolded[message.path] = None
        self._read_marks((message.path,) if self._marks_are_known else tuple(self._unfolded))

    def on_line_list_cursor_moved(self) -> None:
        """Show the path under the cursor; when it rests, a running scan reads there first."""
        self._show_path()
        if self._cursor_rests is not None:
            self._cursor_rests.stop()
        if self.session.engine.running:
            self._cursor_rests = self.set_timer(CURSOR_PAUSE_S, self._prefer_folder)

    def _prefer_folder(self) -> None:
        if self.session.engine.running:
            self.session.engine.prioritise(self.tree_view.node.path)

    @work(name="roots", group="roots", exclusive=True)
    async def _look_for_roots(self) -> None:
        """See whether a disk has come or gone."""
        try:
            news = await self.session.engine.look_for_roots()
        except YapmoError as error:
            logger.info("the roots could not be looked at: %s", error)
        else:
            if news:
                self._read_marks(tuple(self._unfolded))

    async def action_choose(self) -> None:
        """Show the folder in the library if it has files there; else unfold or fold it.

        Enter may be quicker than what the library answers about the folders in view: then it is asked here.
        """
        tree = self.tree_view
        if tree.mark_of(tree.node.path) is None:
            await self._show_marks((os.path.dirname(tree.node.path),))
        mark = tree.mark_of(tree.node.path)
        if mark is not None and mark.files:
            self.expect("library")
            self.post_message(FolderOpened(tree.node.path))
        else:
            tree.toggle()

    def action_unfold(self) -> None:
        """Unfold the folder, or fold it again."""
        self.tree_view.toggle()

    def action_go_up(self) -> None:
        """Fold the folder, or go to the one above."""
        self.tree_view.go_up()

    def action_go_home(self) -> None:
        """Go to the home folder."""
        self.tree_view.go_to(absolute("~"))

    def action_show_hidden(self) -> None:
        """Show or hide folders that begin with a dot."""
        shown = self.tree_view.toggle_hidden()
        self.notify(f"Folders that begin with a dot are {'shown' if shown else 'hidden'}.", timeout=2)

    def action_reread(self) -> None:
        """Read the folder under the cursor again."""
        self.tree_view.reread()

    async def action_go_to_path(self) -> None:
        """Ask for a path."""
        await self.query_one(LinePrompt).ask("/")

    def _go_to_typed(self, text: str | None) -> None:
        """Go to the path that was typed; the keys behind it are meant for that folder."""
        self.set_focus(self.tree_view)
        if text:
            self.expect("place")
            self._go_to_nearest(b"/" + absolute(text).lstrip(b"/"))

    @work(name="typed path", group="typed path", exclusive=True)
    async def _go_to_nearest(self, wanted: bytes) -> None:
        """Go to a folder, or to the last one on its path that there is."""
        path = await find_nearest_folder(wanted)
        if path != wanted:
            self.notify(f"There is no folder {display(wanted)}.", severity="warning")
        self.tree_view.go_to(path)

    def on_folder_tree_reached(self) -> None:
        """Let keys go on that waited for the cursor to be there."""
        self.arrived("place")

    def _show_path(self) -> None:
        path = self.tree_view.node.path
        self.query_one(PathBar).show(path, self._marks.get(path), is_known=self._marks_are_known)

    @work(name="folder counts")
    async def _read_marks(self, paths: tuple[bytes, ...]) -> None:
        """Ask the library about the folders in `paths`, without holding anything up."""
        await self._show_marks(paths)

    async def _show_marks(self, paths: tuple[bytes, ...]) -> None:
        self._marks.update(await self._fetch_marks(paths))
        self.tree_view.show_marks(self._marks)
        self._show_path()

    async def _fetch_marks(self, paths: tuple[bytes, ...]) -> dict[bytes, FolderMark]:
        """Return what the library knows of the roots and the folders in `paths`; nothing where it cannot be read."""
        try:
            marks = await fetch_folder_marks(self.session.library, paths)
        except LibraryError as error:
            self._marks_are_known = False
            tell_fault(self.app, error)
            return {}
        self._marks_are_known = True
        return marks
