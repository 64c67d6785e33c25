"""The directory tree of the machine: folders only, read in threads, in growing lists."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.message import Message

from tui.display import display, format_count
from tui.scan.subfolders import FolderListing, read_in_thread
from tui.widgets.folder_rows import FolderNode, FolderRows, FolderState
from tui.widgets.line_list import LineList
from tui.widgets.painted_lines import Line, Piece, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

COUNT_WIDTH = 24
"""Cells at the right for what the library knows of a folder."""


SLOW_READ_S = 0.25
"""A folder that takes longer to read says that it is being read; the others need not flicker."""


@dataclass(frozen=True, slots=True)
class FolderMark:
    """What the library knows of a folder.

    Attributes:
        files: number of catalogued files in it and below.
        is_root: whether it is a root.
        is_offline: whether it is a root whose disk is not there.
    """

    files: int
    is_root: bool = False
    is_offline: bool = False


class FolderTree(LineList):
    """Folders that unfold; what a folder holds is read when it is unfolded, never before."""

    class Unfolded(Message):
        """A folder was unfolded.

        Attributes:
            path: absolute path of the folder.
        """

        def __init__(self, path: bytes) -> None:
            """Keep which folder it was."""
            super().__init__()
            self.path = path

    class Reached(Message):
        """The folder that the tree was to go to is under the cursor, or the user went elsewhere."""

    class Listed(Message):
        """A thread has read (a part of) a folder."""

        def __init__(self, node: FolderNode, listing: FolderListing) -> None:
            """Keep what was read of which folder."""
            super().__init__()
            self.node = node
            self.listing = listing

    def __init__(self, top: bytes = b"/", *, shows_hidden: bool = False) -> None:
        """Show the tree below `top`; folders that begin with a dot only if `shows_hidden`."""
        super().__init__()
        self._rows = FolderRows(FolderNode(top), shows_hidden=shows_hidden)
        self._marks: Mapping[bytes, FolderMark] = {}
        self._goal: bytes | None = None
        self._stop = threading.Event()

    @property
    def node(self) -> FolderNode:
        """The folder under the cursor."""
        return self._rows[self.cursor]

    def mark_of(self, path: bytes) -> FolderMark | None:
        """Return what the library knows of a folder, None when it is not in the library."""
        return self._marks.get(path)

    def show_marks(self, marks: Mapping[bytes, FolderMark]) -> None:
        """Show `marks` (by absolute path) beside the folders."""
        self._marks = marks
        self.repaint()

    def on_mount(self) -> None:
        """Unfold the top."""
        self.unfold(self._rows.top)

    def on_unmount(self) -> None:
        """Let the readers end."""
        self._stop.set()

    def toggle(self) -> None:
        """Unfold the folder under the cursor, or fold it."""
        if self.node.is_open:
            self.fold(self.node)
        else:
            self.unfold(self.node)

    def unfold(self, node: FolderNode) -> None:
        """Show what is in `node`; it is read if it was not."""
        self._keeping_cursor(lambda: self._rows.set_open(node, is_open=True))
        if node.state in {FolderState.UNREAD, FolderState.UNREADABLE}:
            self._read(node)
        self.post_message(self.Unfolded(node.path))

    def fold(self, node: FolderNode) -> None:
        """Hide what is in `node`; a cursor in there moves to it."""
        inside = self.node.path.startswith(os.path.join(node.path, b""))
        self._keeping_cursor(lambda: self._rows.set_open(node, is_open=False), node if inside else self.node)

    def go_up(self) -> None:
        """Fold the folder under the cursor, or go to the one above it."""
        node = self.node
        if node.is_open and node.parent is not None:
            self.fold(node)
        elif node.parent is not None:
            self.move_to(self._rows.index_of(node.parent) or 0)

    def reread(self) -> None:
        """Read the folder under the cursor again."""
        self._read(self.node)

    def toggle_hidden(self) -> bool:
        """Show the folders that begin with a dot, or hide them again; return whether they are shown now."""
        self._keeping_cursor(lambda: self._rows.set_hidden(shown=not self._rows.shows_hidden))
        return self._rows.shows_hidden

    def go_to(self, path: bytes) -> None:
        """Unfold `path`, a folder that exists, and put the cursor on it, as soon as what is above it was read."""
        self._goal = path
        self._pursue()

    def move(self, step: str) -> None:
        """Move the cursor; a user who moves does not want to be carried elsewhere."""
        if self._goal is not None:
            self._goal = None
            self.post_message(self.Reached())
        super().move(step)

    def row_count(self) -> int:
        """Return the number of rows that are unfolded."""
        return len(self._rows)

    def row(self, index: int, width: int) -> Line:
        """Return one folder: fold mark, name, and what the library knows or why it cannot be read."""
        node = self._rows[index]
        mark = self._marks.get(node.path)
        indent = " " * (1 + 2 * min(node.depth, max(0, (width - COUNT_WIDTH - 12) // 2)))
        sign = "▾ " if node.is_open else "▸ "
        name = display(node.name) + (" (link)" if node.is_link else "")
        note = _note(node)
        room = max(0, width - len(indent) - 2 - COUNT_WIDTH)
        if note:
            note = f"offline, {note}" if mark is not None and mark.is_offline else note
            name_width = min(cell_len(name) + 2, max(8, room - len(note)))
            return (
                Piece(indent + sign, "dim"),
                Piece(fit(name, name_width)),
                Piece(fit(note, width - len(indent) - 2 - name_width), "bad" if node.error else "dim"),
            )
        known = "" if mark is None else f"{format_count(mark.files)} files"
        return (
            Piece(indent + sign, "dim"),
            Piece(fit(name, room), "strong" if mark else ""),
            _root_sign(mark),
            Piece(fit(known, COUNT_WIDTH - 9, align="right"), "good"),
            Piece(" "),
        )

    def on_folder_tree_listed(self, message: Listed) -> None:
        """Show what a thread has read."""
        message.stop()
        self._keeping_cursor(lambda: self._rows.take(message.node, message.listing))
        self._pursue()

    def _read(self, node: FolderNode) -> None:
        node.keep()
        node.state = FolderState.READING
        node.read_at = time.monotonic()
        node.error = ""
        self.set_timer(SLOW_READ_S, self.repaint)
        self.repaint()

        def deliver(listing: FolderListing) -> None:
            with contextlib.suppress(RuntimeError):  # the application has ended meanwhile
                self.post_message(self.Listed(node, listing))

        read_in_thread(node.path, deliver, self._stop)

    def _keeping_cursor(self, change: Callable[[], None], node: FolderNode | None = None) -> None:
        """Change the rows; the cursor stays on its folder (or goes to `node`), at the same height if it can."""
        node, height = node or self.node, self.cursor - self.top
        change()
        index = self._rows.index_of(node)
        if index is not None:
            self.top = max(0, index - height)
            self.move_to(index)
        self.rows_changed()

    def _pursue(self) -> None:
        """Go one step further towards the goal; what is being read calls this again."""
        if self._goal is None:
            return
        node = self._rows.top
        for path in _steps(node.path, self._goal):
            if not node.is_open:
                self.unfold(node)
            name = os.path.basename(path)
            if name.startswith(b".") and not self._rows.shows_hidden:
                self._rows.set_hidden(shown=True)
            if not node.has_child(name) and node.state is FolderState.READING:
                return
            node = node.child(name) if node.has_child(name) else self._rows.add(node, name)
        self._goal = None
        index = self._rows.index_of(node) or 0
        self.top = max(0, index - self.page_height // 3)
        self.move_to(index)
        self.unfold(node)
        self.post_message(self.Reached())


def _steps(top: bytes, goal: bytes) -> list[bytes]:
    """Return the paths that lead from below `top` to `goal`, an absolute path; none when it does not lie there."""
    inside = os.path.join(top, b"")
    path = os.path.normpath(b"/" + goal.lstrip(b"/"))  # POSIX lets normpath keep two slashes in front
    if not path.startswith(inside):
        return []
    parts = path[len(inside) :].split(b"/")
    return [inside + b"/".join(parts[: number + 1]) for number in range(len(parts)) if parts[0]]


def _root_sign(mark: FolderMark | None) -> Piece:
    if mark is not None and mark.is_offline:
        return Piece("offline ", "warning")
    return Piece(fit("root" if mark is not None and mark.is_root else "", 8), "accent")


def _note(node: FolderNode) -> str:
    """Return what is to be said of a folder's inside, empty for nothing."""
    if node.error:
        return f"cannot be read: {display(node.error)}"
    if node.state is FolderState.READING and time.monotonic() - node.read_at >= SLOW_READ_S:
        return "reading …"
    if node.is_open and node.state is FolderState.READ and not node.shown:
        return "no folders in it" if not node.names else "hidden folders only"
    return ""
