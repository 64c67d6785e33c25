"""The folders of the library beside its table: to see only what lies below one of them."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from textual import work
from textual.message import Message

from tui.display import display, format_count
from tui.errors import LibraryError
from tui.field_text import short_path
from tui.widgets.line_list import LineList
from tui.widgets.painted_lines import Line, Piece, fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual import events

ALL_FILES = b""
"""Stands for the whole library where a folder is named."""


class FolderSource(Protocol):
    """Whoever knows the folders of the library."""

    async def subfolders(self, folder: bytes) -> Mapping[bytes, int]:
        """Return the number of files below each folder of `folder` by absolute path; the roots for `ALL_FILES`.

        Raises:
            LibraryError: the library cannot be read.
        """

    async def offline_roots(self) -> frozenset[bytes]:
        """Return the paths of the roots whose disk is not there.

        Raises:
            LibraryError: the library cannot be read.
        """


@dataclass(slots=True, eq=False)
class _Folder:
    """One folder: `inside` are its folders, None before they are known; `files` is None likewise."""

    path: bytes
    parent: _Folder | None = None
    files: int | None = None
    inside: list[_Folder] | None = None
    is_open: bool = False

    @property
    def depth(self) -> int:
        return 0 if self.parent is None else self.parent.depth + 1


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

    class ReadFailed(Message):
        """Folders could not be read; those that were known stay.

        Attributes:
            error: why, and what to do.
        """

        def __init__(self, error: LibraryError) -> None:
            """Keep the reason."""
            super().__init__()
            self.error = error

    def __init__(self, source: FolderSource, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        """Show the folders that `source` knows."""
        super().__init__(id=id)
        self._source = source
        self._all_files = _Folder(ALL_FILES, is_open=True)
        self._unfolded = [self._all_files]
        self._shown_folder = ALL_FILES
        self._offline: frozenset[bytes] = frozenset()

    @property
    def folder(self) -> bytes:
        """The folder under the cursor."""
        return self._unfolded[self.cursor].path

    def on_mount(self) -> None:
        """Ask for the roots."""
        self.reread()

    def reread(self) -> None:
        """Ask again for everything that is unfolded, after the library changed."""
        for folder in self._unfolded:
            if folder.is_open:
                self._take_subfolders(folder)

    def show_as_chosen(self, folder: bytes) -> None:
        """Mark the folder that the table is limited to."""
        self._shown_folder = folder
        self.repaint()

    def choose(self) -> None:
        """Ask for what lies below the folder under the cursor."""
        self.post_message(self.Chosen(self.folder))

    def unfold(self) -> None:
        """Show the folders in the one under the cursor; when they are shown, go to the first of them."""
        folder = self._unfolded[self.cursor]
        if folder.is_open:
            if folder.inside:
                self.move_to(self.cursor + 1)
            return
        folder.is_open = True
        self._take_subfolders(folder)
        self._folders_changed()

    def fold(self) -> None:
        """Hide the folders in the one under the cursor; when they are hidden, go to the folder above."""
        folder = self._unfolded[self.cursor]
        if folder.is_open and folder is not self._all_files:
            folder.is_open = False
            self._folders_changed()
        elif folder.parent is not None:
            self.move_to(self._unfolded.index(folder.parent))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor under the pointer; twice chooses the folder."""
        super().on_click(event)
        if event.chain == 2 and self.row_at(event.y) is not None and not self.is_bar_at(event.x, event.y):
            self.choose()

    def row_count(self) -> int:
        """Return how many folders are unfolded, everything included."""
        return len(self._unfolded)

    def row(self, index: int, width: int) -> Line:
        """Return one folder: roots with their path, the others by name, each with its number of files."""
        folder = self._unfolded[index]
        chosen = Piece("● " if folder.path == self._shown_folder else "  ", "accent")
        count = f" {format_count(folder.files)} " if folder.files is not None else ""
        if folder is self._all_files:
            return chosen, Piece(fit("All files", width - 2 - len(count))), Piece(count, "dim")
        indent = "  " * min(folder.depth - 1, max(0, (width - 20) // 2))
        is_root, is_leaf = folder.depth == 1, folder.inside is not None and not folder.inside
        sign = "  " if is_leaf else "▾ " if folder.is_open else "▸ "
        name = display(short_path(folder.path) if is_root else os.path.basename(folder.path))
        away = " offline" if is_root and folder.path in self._offline else ""
        room = max(4, width - len(indent) - 4 - len(away) - len(count))
        text = fit(name, room, cut="start" if is_root else "end")
        return (
            chosen,
            Piece(indent + sign, "dim"),
            Piece(text, "strong" if is_root else ""),
            Piece(away, "warning"),
            Piece(count, "dim"),
        )

    @work(name="subfolders", group="folders")
    async def _take_subfolders(self, folder: _Folder) -> None:
        """Ask for the folders in `folder`; those that were known stay unfolded as they were."""
        try:
            counts = await self._source.subfolders(folder.path)
            if folder is self._all_files:
                self._offline = await self._source.offline_roots()
        except LibraryError as error:
            self.post_message(self.ReadFailed(error))
            return
        # in a thread, so that keys are heard meanwhile: there may be fifty thousand
        folder.inside = await asyncio.to_thread(_subfolders, folder, counts)
        if folder is self._all_files:
            folder.files = sum(counts.values())  # roots never overlap
        self._folders_changed()

    def _folders_changed(self) -> None:
        """Show what is unfolded now; the cursor stays on its folder, and the folder on its line."""
        under_cursor, line = self._unfolded[self.cursor], self.cursor - self.top
        self._unfolded = list(_unfold(self._all_files))
        if under_cursor in self._unfolded:
            place = self._unfolded.index(under_cursor)
            self.top = max(0, place - line)
            self.move_to(place)
        self.rows_changed()


def _shown_order(path: bytes) -> str:
    """Return what folders are sorted by; one text, as in `sort_key` of the folder tree."""
    text = display(path)
    return f"{text.casefold()}\0{text}"


def _subfolders(folder: _Folder, counts: Mapping[bytes, int]) -> list[_Folder]:
    """Return the folders in `folder` with their numbers of files, sorted; those that were known are the same."""
    known = {child.path: child for child in folder.inside or ()}
    inside = []
    for path in sorted(counts, key=_shown_order):
        child = known.get(path) or _Folder(path, folder)
        child.files = counts[path]
        inside.append(child)
    return inside


def _unfold(folder: _Folder) -> Iterator[_Folder]:
    """Yield a folder and what is unfolded below it, from an own stack: a tree may be deeper than Python recurses."""
    stack = [folder]
    while stack:
        folder = stack.pop()
        yield folder
        if folder.is_open:
            stack.extend(reversed(folder.inside or ()))
