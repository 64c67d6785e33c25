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
    """

    title: str
    show: Callable[[Record], str]
    width: int = 0
    align: Literal["left", "right"] = "left"
    cut: Literal["start", "end"] = "end"
    look: Callable[[Record], str] | None = None


class RecordList(LineList, Generic[Record]):
    """A list of records, one a row."""

    def __init__(
        self,
        columns: Sequence[RecordColumn[Record]],
        *,
        empty: str = "",
        id: str | None = None,  # noqa: A002  # Textual's name
    ) -> None:
        """Show records in `columns`; `empty` is what the list says while it has none."""
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._records: Sequence[Record] = ()
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
        if records != self._records:
            self._records = records
            self.rows_changed()

    def empty_text(self) -> str:
        """Return what the list says while it has no records."""
        return self._empty

    def row_count(self) -> int:
        """Return the number of records."""
        return len(self._records)

    def head(self, width: int) -> Line:
        """Return the headings."""
        widths = self._widths(width)
        texts = [
            fit(column.title, cells, align=column.align)
            for column, cells in zip(self._columns, widths, strict=True)
        ]
        return (Piece(fit(" " + GAP.join(texts), width), "dim"),)

    def row(self, index: int, width: int) -> Line:
        """Return one record."""
        record = self._records[index]
        pieces = [Piece(" ")]
        for column, cells in zip(self._columns, self._widths(width), strict=True):
            text = fit(column.show(record), cells, align=column.align, cut=column.cut)
            pieces += [Piece(text, column.look(record) if column.look else ""), Piece(GAP)]
        return tuple(pieces[:-1])

    def _widths(self, width: int) -> list[int]:
        taken = sum(column.width for column in self._columns) + len(GAP) * (len(self._columns) - 1) + 2
        sharing = sum(not column.width for column in self._columns)
        share, rest = divmod(max(0, width - taken), sharing) if sharing else (0, 0)
        widths = []
        for column in self._columns:
            widths.append(column.width or share + (rest > 0))
            rest -= not column.width
        return widths
