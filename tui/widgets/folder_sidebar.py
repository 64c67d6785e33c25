"""The folders of the library beside its table: to see only what lies below one of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from textual.message import Message

from tui.display import display, format_count
from tui.scan.subfolders import FolderListing
from tui.widgets.field_text import short_path
from tui.widgets.folder_rows import FolderNode, FolderRows, FolderState
from tui.widgets.line_list import LineList
from tui.widgets.painted_lines import Line, Piece, fit

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL_FILES = b""
"""Stands for the whole library where a folder is named."""


class FolderSource(Protocol):
    """Whoever knows the folders of the library."""

    async def subfolders(self, folder: bytes) -> Mapping[bytes, int]:
        """Return the number of files below each folder of `folder` by absolute path; the roots for `ALL_FILES`."""


class FolderSidebar(LineList):
    """The roots and their folders; what a folder holds is asked for when it is unfolded."""

    class Chosen(Message):
        """The user wants to see what lies below a folder.

        Attributes:
            folder: its absolute path, `ALL_FILES` for everything.
        """

        def __init__(self, folder: bytes) -> None:
            """Say which folder."""
            super().__init__()
            self.folder = folder

    def __init__(self, source: FolderSource, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        """Show the folders that `source` knows."""
        super().__init__(id=id)
        self._source = source
        self._rows = FolderRows(FolderNode(ALL_FILES), shows_hidden=True)
        self._rows.top.is_open = True
        self._shown_folder = ALL_FILES
        self._counts: dict[bytes, int] = {}

    @property
    def folder(self) -> bytes:
        """The folder under the cursor."""
        return self._rows[self.cursor].path

    def on_mount(self) -> None:
        """Ask for the roots."""
        self.reread()

    def reread(self) -> None:
        """Ask again for everything that is unfolded, after the library changed."""
        for node in [node for node in self._rows.rows if node.is_open]:
            self._read(node)

    def show_as_chosen(self, folder: bytes) -> None:
        """Mark the folder that the table is limited to."""
        self._shown_folder = folder
        self.repaint()

    def choose(self) -> None:
        """Ask for what lies below the folder under the cursor."""
        self.post_message(self.Chosen(self.folder))

    def unfold(self) -> None:
        """Show the folders in the one under the cursor; when they are shown, go to the first of them."""
        node = self._rows[self.cursor]
        if node.is_open:
            if node.children:
                self.move_to(self.cursor + 1)
            return
        self._rows.set_open(node, is_open=True)
        self._read(node)
        self.rows_changed()

    def fold(self) -> None:
        """Hide the folders in the one under the cursor; when they are hidden, go to the folder above."""
        node = self._rows[self.cursor]
        if node.is_open and node is not self._rows.top:
            self._rows.set_open(node, is_open=False)
            self.rows_changed()
        elif node.parent is not None:
            self.move_to(self._rows.index_of(node.parent) or 0)

    def row_count(self) -> int:
        """Return how many folders are unfolded, everything included."""
        return len(self._rows)

    def row(self, index: int, width: int) -> Line:
        """Return one folder: roots with their path, the others by name."""
        node = self._rows[index]
        chosen = Piece("● " if node.path == self._shown_folder else "  ", "accent")
        files = self._counts.get(node.path)
        count = f" {format_count(files)} " if files is not None else ""
        if node is self._rows.top:
            return chosen, Piece(fit("All files", width - 2 - len(count))), Piece(count, "dim")
        indent = "  " * min(node.depth - 1, max(0, (width - 20) // 2))
        fold_sign = (
            "▾ " if node.is_open else "  " if node.state is FolderState.READ and not node.children else "▸ "
        )
        is_root = node.depth == 1
        name = display(short_path(node.path) if is_root else os.path.basename(node.path))
        text = fit(name, max(4, width - len(indent) - 4 - len(count)), cut="start" if is_root else "end")
        return (
            chosen,
            Piece(indent + fold_sign, "dim"),
            Piece(text, "strong" if is_root else ""),
            Piece(count, "dim"),
        )

    def _read(self, node: FolderNode) -> None:
        node.state = FolderState.READING
        self.run_worker(self._take_subfolders(node), group="folders", exit_on_error=False)

    async def _take_subfolders(self, node: FolderNode) -> None:
        counts = await self._source.subfolders(node.path)
        self._counts.update(counts)
        if node is self._rows.top:
            self._counts[ALL_FILES] = sum(counts.values())  # roots never overlap
        paths = sorted(counts, key=lambda path: (display(path).casefold(), path))
        before, under_cursor = {child.path: child for child in node.children}, self._rows[self.cursor]
        children = [before.get(path) or FolderNode(path, node) for path in paths]
        line = self.cursor - self.top
        self._rows.take(node, children, FolderListing(node.path, (), is_complete=True))
        place = self._rows.index_of(under_cursor)
        if place is not None and place != self.cursor:
            self.top = max(0, place - line)
            self.move_to(place)
        self.rows_changed()
