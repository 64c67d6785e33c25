"""A list of records in aligned columns: problems, past scans and other lists of bounded length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from tui.widgets.line_list import LineList
from tui.widgets.painted_lines import Line, Piece, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Record = TypeVar("Record")

GAP = "  "
"""Between two columns."""

LEAST_SHARE = 16
"""Cells that a column without a width of its own needs to be of use; others give way for it."""


@dataclass(frozen=True, slots=True)
class RecordColumn(Generic[Record]):
    """One column.

    Attributes:
        title: its heading.
        show: from a record to the text of the cell.
        width: in cells; 0 shares what the others leave.
        align: numbers right, words left.
        cut: where text that is too wide is cut.
        look: from a record to the look of the cell (see `painted_lines.LOOKS`); None for the plain one.
        drop: columns of the highest number go first when the list is narrow; those of 0 stay.
    """

    title: str
    show: Callable[[Record], str]
    width: int = 0
    align: Literal["left", "right"] = "left"
    cut: Literal["start", "end"] = "end"
    look: Callable[[Record], str] | None = None
    drop: int = 0


class RecordList(LineList, Generic[Record]):
    """A list of records, one a row."""

    def __init__(
        self,
        columns: Sequence[RecordColumn[Record]],
        *,
        empty: str = "",
        id: str | None = None,  # noqa: A002  # Textual's name
    ) -> None:
        """Show records in `columns`; `empty` is what the list says when it was shown none."""
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._records: Sequence[Record] = ()
        self._is_known = False
        self._empty = empty

    @property
    def records(self) -> Sequence[Record]:
        """The records that are shown."""
        return self._records

    @property
    def chosen(self) -> Record | None:
        """The record under the cursor; None in an empty list."""
        return self._records[self.cursor] if self._records else None

    def show(self, records: Sequence[Record]) -> None:
        """Show `records` instead of those before; the cursor stays on its row number."""
        if records != self._records or not self._is_known:
            self._records, self._is_known = records, True
            self.rows_changed()

    def empty_text(self) -> str:
        """Return what the list says while it has no records; nothing before it is known that there are none."""
        return self._empty if self._is_known else ""

    def row_count(self) -> int:
        """Return the number of records."""
        return len(self._records)

    def head(self, width: int) -> Line:
        """Return the headings."""
        texts = [fit(column.title, cells, align=column.align) for column, cells in self._fit_to(width)]
        return (Piece(fit(" " + GAP.join(texts), width), "dim"),)

    def row(self, index: int, width: int) -> Line:
        """Return one record."""
        record = self._records[index]
        pieces = [Piece(" ")]
        for column, cells in self._fit_to(width):
            text = fit(column.show(record), cells, align=column.align, cut=column.cut)
            pieces += [Piece(text, column.look(record) if column.look else ""), Piece(GAP)]
        return tuple(pieces[:-1])

    def _fit_to(self, width: int) -> list[tuple[RecordColumn[Record], int]]:
        """Return the columns that are shown in `width` cells, each with its own."""
        shown = list(self._columns)
        while (share := _share(shown, width))[0] < LEAST_SHARE and any(column.drop for column in shown):
            shown.remove(max(shown, key=lambda column: column.drop))
        cells, rest = share
        fitted = []
        for column in shown:
            fitted.append((column, column.width or cells + (rest > 0)))
            rest -= not column.width
        return fitted


def _share(columns: Sequence[RecordColumn[Record]], width: int) -> tuple[int, int]:
    """Return the cells for each of `columns` that has no width of its own, and how many of them get one more."""
    taken = sum(column.width for column in columns) + len(GAP) * (len(columns) - 1) + 2
    sharing = sum(not column.width for column in columns)
    return divmod(max(0, width - taken), sharing) if sharing else (LEAST_SHARE, 0)
