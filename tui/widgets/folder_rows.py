"""The unfolded part of a folder tree as numbered rows.

A folder may hold fifty thousand others, so rows are not kept one by one: a folder keeps the sorted names of those in
it and a node for each that was looked at, and row numbers are worked out from the few folders that are unfolded.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from enum import Enum
from operator import itemgetter
from typing import TYPE_CHECKING

from tui.scan.subfolders import sort_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
        name: its own name; at the top of the tree the absolute path.
        depth: 0 for the top of the tree.
        parent: the folder above; None at the top.
        is_link: whether it is a symbolic link.
        is_open: whether its folders are shown below it.
        state: how much of its inside is known.
        read_at: when reading it began, on the monotonic clock.
        error: why it cannot be read.
        names: of the folders in it, sorted, as far as they are known.
        plain_names: those of `names` that do not begin with a dot.
        shown: those of `names` that are shown when it is open.
        links: those of `names` that are symbolic links.
        kept: the nodes of folders in it that were unfolded or read, by name; others are made when asked for.
        open_children: those of `kept` that are open, with their places in `shown`, in order.
        rows_below: rows that are shown below it.
    """

    __slots__ = (
        "depth", "error", "is_link", "is_open", "kept", "links", "name", "names", "open_children", "parent",
        "plain_names", "read_at", "rows_below", "shown", "state",
    )  # fmt: skip

    def __init__(self, name: bytes, parent: FolderNode | None = None, *, is_link: bool = False) -> None:
        """Begin folded and unread."""
        self.name = name
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.is_link = is_link
        self.is_open = False
        self.state = FolderState.UNREAD
        self.read_at = 0.0
        self.error = ""
        self.names: Sequence[bytes] = ()
        self.plain_names: Sequence[bytes] = ()
        self.shown: Sequence[bytes] = ()
        self.links: frozenset[bytes] = frozenset()
        self.rows_below = 0
        self.open_children: list[tuple[int, FolderNode]] = []
        self.kept: dict[bytes, FolderNode] = {}

    @property
    def path(self) -> bytes:
        """Absolute path."""
        return os.path.join(*reversed([node.name for node in self.lineage()]))

    def lineage(self) -> Iterator[FolderNode]:
        """Yield the folder, the one above it, and so on to the top."""
        node: FolderNode | None = self
        while node is not None:
            yield node
            node = node.parent

    def child(self, name: bytes) -> FolderNode:
        """Return the folder `name` in this one: the node that is kept, or a fresh one."""
        return self.kept.get(name) or FolderNode(name, self, is_link=name in self.links)

    def keep(self) -> None:
        """Let this be the node for its folder from now on."""
        if self.parent is not None:
            self.parent.kept[self.name] = self

    def has_child(self, name: bytes) -> bool:
        """Tell whether the folder `name` is known to be in this one."""
        return _position(self.names, name) is not None

    def count_rows(self) -> None:
        """Work out anew which folders are open in this one, and how many rows are below it."""
        places = ((_position(self.shown, name), child) for name, child in self.kept.items() if child.is_open)
        self.open_children = sorted(
            ((place, child) for place, child in places if place is not None), key=itemgetter(0)
        )
        inner = sum(child.rows_below for _, child in self.open_children)
        self.rows_below = len(self.shown) + inner if self.is_open else 0


class FolderRows:
    """The rows of a tree, from the top (row 0) down."""

    def __init__(self, top: FolderNode, *, shows_hidden: bool = False) -> None:
        """Show `top` and what is open below it; folders that begin with a dot only if `shows_hidden`."""
        self.top = top
        self.shows_hidden = shows_hidden

    def __len__(self) -> int:
        return 1 + self.top.rows_below

    def __getitem__(self, index: int) -> FolderNode:
        node, offset = self.top, index
        while offset:
            offset -= 1
            extra = 0
            for position, child in node.open_children:
                row = position + extra
                if row <= offset <= row + child.rows_below:
                    node, offset = child, offset - row
                    break
                if offset < row:
                    return node.child(node.shown[offset - extra])
                extra += child.rows_below
            else:
                return node.child(node.shown[offset - extra])
        return node

    def index_of(self, node: FolderNode) -> int | None:
        """Return the row of `node`, None when it is not shown."""
        index = 0
        for child in node.lineage():
            parent = child.parent
            if parent is None:
                break
            position = _position(parent.shown, child.name)
            if not parent.is_open or position is None:
                return None
            before = sum(
                open_child.rows_below for place, open_child in parent.open_children if place < position
            )
            index += 1 + position + before
        return index

    def open_nodes(self) -> list[FolderNode]:
        """Return the folders that are unfolded and shown, those above first."""
        nodes = [self.top] if self.top.is_open else []
        for node in nodes:
            nodes += (child for _, child in node.open_children)
        return nodes

    def set_open(self, node: FolderNode, *, is_open: bool) -> None:
        """Show or hide the folders in `node`."""
        node.keep()
        node.is_open = is_open
        _recount(node)

    def set_hidden(self, *, shown: bool) -> None:
        """Show or hide the folders whose name begins with a dot."""
        self.shows_hidden = shown
        nodes = [self.top]
        for node in nodes:
            nodes += node.kept.values()
        for node in reversed(nodes):
            node.shown = self._choose(node)
            node.count_rows()

    def take(self, node: FolderNode, listing: FolderListing) -> None:
        """Take what was found in `node`; what was unfolded in it stays so."""
        node.keep()
        node.names, node.plain_names, node.links = listing.names, listing.plain_names, listing.links
        node.error = listing.error
        node.shown = self._choose(node)
        if listing.error:
            node.state = FolderState.UNREADABLE
        else:
            node.state = FolderState.READ if listing.is_complete else FolderState.READING
        _recount(node)

    def add(self, node: FolderNode, name: bytes) -> FolderNode:
        """Add a folder that the listing of `node` did not have (it may not be listed, say)."""
        index = bisect_left(node.names, sort_key(name), key=sort_key)
        node.names = (*node.names[:index], name, *node.names[index:])
        node.plain_names = tuple(name for name in node.names if not name.startswith(b"."))
        node.shown = self._choose(node)
        _recount(node)
        return node.child(name)

    def _choose(self, node: FolderNode) -> Sequence[bytes]:
        return node.names if self.shows_hidden else node.plain_names


def _recount(node: FolderNode) -> None:
    """Work out the rows below `node` and the one above it; further up, only their number changes."""
    node.count_rows()
    child = node.parent
    if child is None:
        return
    before = child.rows_below
    child.count_rows()
    difference = child.rows_below - before
    while difference and (above := child.parent) is not None:
        if not above.is_open or not any(shown is child for _, shown in above.open_children):
            return
        above.rows_below += difference
        child = above


def _position(names: Sequence[bytes], name: bytes) -> int | None:
    """Return the place of `name` among sorted `names`, None when it is not there."""
    index = bisect_left(names, sort_key(name), key=sort_key)
    return index if index < len(names) and names[index] == name else None
