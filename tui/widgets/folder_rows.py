"""The unfolded part of a folder tree as a flat list of rows."""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.scan.subfolders import FolderListing


class FolderState(Enum):
    """How much of a folder's inside is known."""

    UNREAD = "unread"
    READING = "reading"
    READ = "read"
    UNREADABLE = "unreadable"


class FolderNode:
    """One folder of the tree.

    Attributes:
        path: absolute path.
        depth: 0 for the top of the tree.
        parent: the folder above; None at the top.
        is_link: whether it is a symbolic link.
        is_hidden: whether its name begins with a dot.
        is_open: whether its folders are shown below it.
        state: how much of its inside is known.
        error: why it cannot be read.
        children: its folders, as far as they are known.
    """

    __slots__ = ("children", "depth", "error", "is_hidden", "is_link", "is_open", "parent", "path", "state")

    def __init__(self, path: bytes, parent: FolderNode | None = None, *, is_link: bool = False) -> None:
        """Begin folded and unread."""
        self.path = path
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.is_hidden = self.name.startswith(b".")
        self.is_link = is_link
        self.is_open = False
        self.state = FolderState.UNREAD
        self.error = ""
        self.children: list[FolderNode] = []

    @property
    def name(self) -> bytes:
        """Its own name; the whole path at the top."""
        return os.path.basename(self.path) or self.path


class FolderRows:
    """The rows that a tree shows, kept in step while folders open, close and are read."""

    def __init__(self, top: FolderNode, *, shows_hidden: bool = False) -> None:
        """Show `top` and what is open below it."""
        self.top = top
        self.shows_hidden = shows_hidden
        self.rows: list[FolderNode] = [top]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> FolderNode:
        return self.rows[index]

    def index_of(self, node: FolderNode) -> int | None:
        """Return the row of `node`, None when it is not shown."""
        try:
            return self.rows.index(node)
        except ValueError:
            return None

    def set_open(self, node: FolderNode, *, is_open: bool) -> None:
        """Show or hide the folders in `node`."""
        node.is_open = is_open
        self._renew(node)

    def set_hidden(self, *, shown: bool) -> None:
        """Show or hide the folders whose name begins with a dot."""
        self.shows_hidden = shown
        self._renew(self.top)

    def take(self, node: FolderNode, children: list[FolderNode], listing: FolderListing) -> None:
        """Take what was found in `node`: its `children`, as made by `make_children` from `listing`."""
        node.children = children
        node.error = listing.error
        if listing.error:
            node.state = FolderState.UNREADABLE
        else:
            node.state = FolderState.READ if listing.is_complete else FolderState.READING
        self._renew(node)

    def add(self, node: FolderNode, child: FolderNode) -> None:
        """Add a folder that the listing of `node` did not have (no permission to list, say)."""
        node.children.append(child)
        self._renew(node)

    def _renew(self, node: FolderNode) -> None:
        index = self.index_of(node)
        if index is None:
            return
        end = index + 1
        while end < len(self.rows) and self.rows[end].depth > node.depth:
            end += 1
        self.rows[index + 1 : end] = self._below(node)

    def _below(self, node: FolderNode) -> Sequence[FolderNode]:
        """Return the rows below `node`, from its own stack: a tree may be deeper than Python recurses."""
        rows: list[FolderNode] = []
        stack = [iter(node.children if node.is_open else ())]
        while stack:
            for child in stack[-1]:
                if child.is_hidden and not self.shows_hidden and not child.is_open:
                    continue
                rows.append(child)
                if child.is_open and child.children:
                    stack.append(iter(child.children))
                    break
            else:
                stack.pop()
        return rows


def make_children(
    parent: FolderNode, listing: FolderListing, known: dict[bytes, FolderNode]
) -> list[FolderNode]:
    """Return the nodes for a listing; `known` (by name) keeps those that were made before, and is added to.

    For many folders this takes longer than a screen may stand still, so the thread that reads makes them too.
    """
    children = []
    for folder in listing.subfolders:
        child = known.get(folder.name)
        if child is None:
            child = FolderNode(os.path.join(parent.path, folder.name), parent, is_link=folder.is_link)
            known[folder.name] = child
        children.append(child)
    return children
