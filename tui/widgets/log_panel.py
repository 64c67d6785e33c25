"""The log under any screen: a subscriber of the asyncio queue that all logging goes to."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from textual import work

from tui.display import format_count
from tui.widgets.file_columns import fit_text
from tui.widgets.painted_lines import Line, Piece, fit
from tui.widgets.scrolled_lines import ScrolledLines

if TYPE_CHECKING:
    from tui.log import LogFeed, LogLine, LogSubscription

KEPT_LINES = 5_000
"""Lines that the panel holds; the file holds more."""

PERIOD_S = 0.25
"""Least time between two repaints, however fast lines come."""

LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
"""What the panel can be limited to, from all to little."""

_LOOKS = {logging.DEBUG: "dim", logging.INFO: "", logging.WARNING: "warning"}


class LogPanel(ScrolledLines):
    """The latest lines of the log from a level on; follows the newest until one scrolls up."""

    def __init__(self, feed: LogFeed, level: int = logging.INFO) -> None:
        """Show what `feed` delivers, from `level` (of `logging`) on."""
        super().__init__()
        self._feed = feed
        self._all: list[LogLine] = []
        self._shown_lines: list[LogLine] = []
        self._dropped = 0
        self._unseen = 0
        self._follows = True
        self.level = level

    def on_mount(self) -> None:
        """Begin to listen; the panel stops when it is removed."""
        self._listen()

    def next_level(self) -> None:
        """Limit the panel to the next higher level, or from the highest show all again."""
        self.level = LEVELS[(LEVELS.index(self.level) + 1) % len(LEVELS)]
        self._shown_lines = [line for line in self._all if line.level >= self.level]
        self._unseen = 0
        self._follows = True
        self.rows_changed()

    def row_count(self) -> int:
        """Return the number of lines at this level."""
        return len(self._shown_lines)

    def row(self, index: int, width: int) -> Line:
        """Return one line: time, level, and what it says."""
        line = self._shown_lines[index]
        when = time.strftime("%H:%M:%S", time.localtime(line.time_s))
        look = _LOOKS.get(line.level, "bad")
        level = fit(line.level_name, 8)
        return (
            Piece(f" {when} ", "dim"),
            Piece(f"{level} ", look or "dim"),
            Piece(fit_text(line.text, max(0, width - 19), cut="middle"), look),
        )

    def head(self, width: int) -> Line:
        """Return the title: the level, whether the panel follows, and what was lost."""
        parts = [f"─ Log: {logging.getLevelName(self.level).lower()} and above "]
        if not self._follows:
            parts.append(f"── paused, {format_count(self._unseen)} new below; End goes on ")
        if self._dropped:
            parts.append(f"── {format_count(self._dropped)} lines dropped ")
        title = "".join(parts)
        return (
            Piece(title, "accent" if self.has_focus else "dim"),
            Piece("─" * max(0, width - len(title)), "dim"),
        )

    def empty_text(self) -> str:
        """Return what the panel says before the first line."""
        return "Nothing was logged at this level."

    def keep_in_range(self) -> None:
        """Stay at the newest line while following."""
        if self._follows:
            self.top = self.row_count()
        super().keep_in_range()

    def move(self, step: str) -> None:
        """Scroll; scrolling up pauses, reaching the newest line follows again."""
        self._follows = False
        super().move(step)
        self._follow_at_end()

    def scroll_rows(self, rows: int) -> None:
        """Scroll with the wheel; as with keys."""
        self._follows = False
        super().scroll_rows(rows)
        self._follow_at_end()

    def _follow_at_end(self) -> None:
        self._follows = self.top + self.page_height >= self.row_count()
        if self._follows:
            self._unseen = 0
        self.repaint()

    @work(name="log panel")
    async def _listen(self) -> None:
        with self._feed.subscribe() as subscription:
            while True:
                self._take([await subscription.queue.get(), *_waiting(subscription)], subscription.dropped)
                await asyncio.sleep(PERIOD_S)

    def _take(self, lines: list[LogLine], dropped: int) -> None:
        self._dropped = dropped
        self._all.extend(lines)
        del self._all[:-KEPT_LINES]
        fresh = [line for line in lines if line.level >= self.level]
        self._shown_lines.extend(fresh)
        excess = max(0, len(self._shown_lines) - KEPT_LINES)
        del self._shown_lines[:excess]
        if not self._follows:
            self._unseen += len(fresh)
            self.top -= excess
        self.rows_changed()


def _waiting(subscription: LogSubscription) -> list[LogLine]:
    """Return the lines that wait in the queue now."""
    return [subscription.queue.get_nowait() for _ in range(subscription.queue.qsize())]
