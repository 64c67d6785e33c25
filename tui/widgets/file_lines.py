"""The titles and rows of a table of files as lines, each worked out once for a width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.records import FileState, StageState
from tui.widgets.file_columns import (
    GAP,
    Column,
    FittedColumn,
    columns_by_name,
    fit_columns,
    fit_text,
    state_sign,
)
from tui.widgets.painted_lines import Line, Piece, fit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.records import FileRow

MARK_CELLS = 3
"""Cells before the first column: the cursor's mark, the file's state, a blank."""

CACHED_ROWS = 512
"""Rows whose text is kept, more than any screen has."""


class FileLines:
    """Draws rows of files in columns."""

    def __init__(self, columns: Iterable[str], date_format: str) -> None:
        """Draw `columns` (names as in `interface.columns`), dates after `date_format` (`strftime`)."""
        self._columns = columns_by_name(columns, date_format)
        self._date_format = date_format
        self._fitted: dict[int, tuple[FittedColumn, ...]] = {}
        self._heads: dict[tuple[int, tuple[str, bool] | None], Line] = {}
        self._texts: dict[int, tuple[FileRow, int, str]] = {}

    def forget(self) -> None:
        """Forget what was worked out for widths that are no longer shown."""
        self._fitted.clear()
        self._heads.clear()
        self._texts.clear()

    def fit_to(self, width: int) -> tuple[FittedColumn, ...]:
        """Return the columns fitted to `width` cells, the titles and all rows alike."""
        if width not in self._fitted:
            self._fitted[width] = fit_columns(self._columns, width - MARK_CELLS - 1)
        return self._fitted[width]

    def sortable(self, width: int) -> list[Column]:
        """Return the columns shown in `width` cells that a list can be sorted by."""
        return [fitted.column for fitted in self.fit_to(width) if fitted.column.sort]

    def sortable_at(self, x: int, width: int) -> Column | None:
        """Return the column whose title stands at cell `x`, None where nothing sorts."""
        x -= MARK_CELLS
        for fitted in self.fit_to(width):
            if fitted.column.sort and fitted.x <= x < fitted.x + fitted.width + GAP:
                return fitted.column
        return None

    def head(self, width: int, sort: tuple[str, bool] | None) -> Line:
        """Return the titles of the columns, that of the one sorted by (field, whether the highest comes first) with ▲ or ▼."""
        if (cached := self._heads.get((width, sort))) is not None:
            return cached
        pieces = [Piece(" " * MARK_CELLS)]
        for fitted in self.fit_to(width):
            column, title, look = fitted.column, fitted.column.title, "strong"
            if sort is not None and sort[0] == column.sort:
                title, look = f"{title} {'▼' if sort[1] else '▲'}", "accent"
            pieces += [Piece(fit(title, fitted.width, align=column.align), look), Piece(" " * GAP)]
        return self._heads.setdefault((width, sort), tuple(pieces))

    def row(self, row: FileRow | None, width: int, *, under_cursor: bool) -> Line:
        """Return one row, or the placeholder of a row that is on the way (None)."""
        mark = "▸" if under_cursor else " "
        if row is None:
            return (Piece(f"{mark}  …", "dim"),)
        missing, pending = row.state is FileState.MISSING, row.metadata_state is StageState.PENDING
        look, sign = "dim" if missing or pending else "", state_sign(row)
        if sign == " ":
            return (Piece(f"{mark}  {self._cells(row, width)}", look),)
        return Piece(mark), Piece(sign, look or "warning"), Piece(f" {self._cells(row, width)}", look)

    def _cells(self, row: FileRow, width: int) -> str:
        """Return what the columns say of a row; a cursor that moves needs most rows again as they were."""
        before, before_width, text = self._texts.get(row.file_id, (None, 0, ""))
        if before is row and before_width == width:
            return text
        text = (" " * GAP).join(
            fit_text(
                fitted.column.text(row, self._date_format),
                fitted.width,
                align=fitted.column.align,
                cut=fitted.column.cut,
            )
            for fitted in self.fit_to(width)
        )
        if len(self._texts) >= CACHED_ROWS:
            self._texts.clear()
        self._texts[row.file_id] = (row, width, text)
        return text
