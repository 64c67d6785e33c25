"""Rows of sums under headings, with a bar beside each for its share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.widgets.line_list import LineList
from tui.widgets.painted_lines import Line, Piece, fit

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_BAR = 8
"""Cells that a bar needs to be of use; below that the name gets them."""

_EIGHTHS = " ▏▎▍▌▋▊▉"
_CELLS = (11, 9, 11)
_NAME_SHARE = 0.45


@dataclass(frozen=True, slots=True)
class StatisticsRow:
    """One row: a heading, a line of text, or sums.

    Attributes:
        name: what it is about; safe text.
        cells: the sums as text, in the order of the columns; in a heading, their names; empty for a line of text.
        text: what a line of text says.
        share: length of the bar, 0 to 1; None for none.
        is_heading: whether a section begins here.
        query: query that finds the files of the row; None when there is none.
        folder: absolute path of the folder that the row is about; None for another row.
    """

    name: str
    cells: tuple[str, ...] = ()
    text: str = ""
    share: float | None = None
    is_heading: bool = False
    query: str | None = None
    folder: bytes | None = None


class StatisticsList(LineList):
    """All sums in one list."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self._rows: Sequence[StatisticsRow] = ()
        self._notice = "The library is read …"

    @property
    def chosen(self) -> StatisticsRow | None:
        """The row under the cursor; None in an empty list."""
        return self._rows[self.cursor] if self._rows else None

    def show(self, rows: Sequence[StatisticsRow]) -> None:
        """Show `rows` instead of those before; the cursor stays on its row number."""
        self._rows = rows
        self.rows_changed()

    def show_notice(self, notice: str) -> None:
        """Say `notice` while there are no rows."""
        self._notice = notice
        self.rows_changed()

    def move_section(self, step: int) -> None:
        """Move the cursor to the heading after (`step` 1) or before (-1) where it stands."""
        headings = [index for index, row in enumerate(self._rows) if row.is_heading]
        beyond = [index for index in headings if (index - self.cursor) * step > 0]
        if beyond:
            self.move_to(min(beyond, key=lambda index: abs(index - self.cursor)))

    def empty_text(self) -> str:
        """Return what the list says without rows."""
        return self._notice

    def row_count(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def row(self, index: int, width: int) -> Line:
        """Return one row: name, sums, bar."""
        row = self._rows[index]
        look = "accent" if row.is_heading else ""
        if row.text:
            name = max(20, int(width * _NAME_SHARE / 2))
            return (
                Piece(" "),
                Piece(fit(row.name, name), "dim"),
                Piece(fit(row.text, width - name - 2)),
                Piece(" "),
            )
        if not row.cells:
            return (Piece(fit(f" {row.name}", width), look),)
        name, bar = share_width(width)
        numbers = "".join(
            fit(cell, cells, align="right") for cell, cells in zip(row.cells, _CELLS, strict=True)
        )
        return (
            Piece(" "),
            Piece(fit(row.name, name), look),
            Piece(numbers, "dim" if row.is_heading else ""),
            Piece("  "),
            Piece(fit(bar_text(row.share or 0.0, bar), bar), "bar"),
            Piece(" "),
        )


def share_width(width: int) -> tuple[int, int]:
    """Return the cells for the name and for the bar in a row of `width` cells."""
    free = max(0, width - sum(_CELLS) - 4)
    name = max(min(free, 24), int(free * 0.6))
    bar = free - name
    return (name, bar) if bar >= LEAST_BAR else (free, 0)


def bar_text(share: float, cells: int) -> str:
    """Return a bar of `share` (0 to 1) of `cells`, to an eighth of a cell; what is there at all is seen."""
    eighths = round(max(0.0, min(1.0, share)) * cells * 8)
    if share > 0 and cells:
        eighths = max(1, eighths)
    full, part = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[part] if part else "")
