"""The three lines that frame every screen: header, status of the scan, footer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from tui.widgets.painted_lines import Line, PaintedLines, Piece, fit, line_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events


class HeaderBar(PaintedLines):
    """The first line: the screens there are, which one this is, and a word on the right."""

    def __init__(self, tabs: Sequence[str], current: str) -> None:
        """Show `tabs` (`1 Browse`, `2 Library` …) with `current` marked."""
        super().__init__(classes="bar")
        self._tabs = tuple(tabs)
        self._current = current
        self._right = ""

    def show(self, right: str) -> None:
        """Show `right` at the right end (`1,204,311 files`)."""
        self._right = right
        self.repaint()

    def lines(self, width: int, height: int) -> Sequence[Line]:  # noqa: ARG002  # one line high
        """Return the header: all screens where there is room, else only the keys of the others, else the one that is shown."""
        right = (Piece(f" {self._right} ", ""),) if self._right else ()
        keys = tuple(tab if tab == self._current else tab.partition(" ")[0] for tab in self._tabs)
        lefts = [self._left(tabs) for tabs in (self._tabs, keys, (self._current,))]
        left = next((left for left in lefts if line_width(left) + line_width(right) + 3 <= width), lefts[-1])
        rule = width - line_width(left) - line_width(right) - 1
        return [(*left, Piece("─" * max(0, rule), "dim"), *right, Piece("─", "dim"))]

    def _left(self, tabs: Sequence[str]) -> Line:
        pieces = [Piece(" YAPMO ", "strong")]
        for tab in tabs:
            if tab == self._current:
                pieces += [Piece("─┤ ", "dim"), Piece(tab, "accent"), Piece(" ├", "dim")]
            else:
                pieces += [Piece("── ", "dim"), Piece(tab, "dim"), Piece(" ", "dim")]
        return (*pieces, Piece("─", "dim"))


class StatusBar(PaintedLines):
    """One line about the running scan, or about how the last one ended; hidden while there is nothing to say."""

    def __init__(self) -> None:
        """Begin hidden."""
        super().__init__(classes="bar")
        self._lines: tuple[Line, ...] = ()
        self.display = False

    def show(self, *lines: Line) -> None:
        """Show the first of `lines` that there is room for, else the last one; without any, hide the bar."""
        self._lines = lines
        if self.display != bool(lines):
            self.display = bool(lines)
        self.repaint()

    def lines(self, width: int, height: int) -> Sequence[Line]:  # noqa: ARG002  # one line high
        """Return what was last shown, as fully as it fits."""
        return [next((line for line in self._lines if line_width(line) <= width), self._lines[-1])]


class FooterBar(PaintedLines):
    """The last line: the keys that matter here; a click on one is as good as the key."""

    class Clicked(Message):
        """An action was clicked.

        Attributes:
            action_id: id of the action in the registry.
        """

        def __init__(self, action_id: str) -> None:
            """Keep which action it was."""
            super().__init__()
            self.action_id = action_id

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(classes="bar")
        self._items: tuple[tuple[str, str, str], ...] = ()
        self._ends: list[tuple[int, str]] = []

    @property
    def items(self) -> list[tuple[str, str, str]]:
        """What is shown: each an action's id, key and label."""
        return list(self._items)

    def show(self, items: Sequence[tuple[str, str, str]]) -> None:
        """Show `items`, each an action's id, key and label; the last two stay where there is little room."""
        self._items = tuple(items)
        self.repaint()

    def lines(self, width: int, height: int) -> Sequence[Line]:  # noqa: ARG002  # one line high
        """Return as many items as there is room for."""
        items = list(self._items)
        while len(items) > 2 and sum(len(key) + len(label) + 3 for _, key, label in items) > width:
            del items[-3]
        pieces: list[Piece] = []
        self._ends = []
        for action_id, key, label in items:
            pieces += [Piece(" "), Piece(key, "key"), Piece(f" {label} ", "dim")]
            self._ends.append((line_width(tuple(pieces)), action_id))
        used = line_width(tuple(pieces))
        return [(*pieces, Piece(fit("", width - used)))]

    def on_click(self, event: events.Click) -> None:
        """Report the action under the pointer."""
        for end, action_id in self._ends:
            if event.x < end:
                self.post_message(self.Clicked(action_id))
                return
