"""The columns that a table of files can show: what each says of a file, and how wide it may be.

A column is data, not a widget: the table asks `fit_columns` once for each width, then `Column.text` for each cell.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len, set_cell_size

from tui.display import display, format_duration, format_size, format_time
from tui.field_text import (
    camera_name,
    format_exposure,
    format_local,
    format_offset,
    format_position,
    format_rating,
    format_scaled,
    short_path,
)
from tui.library.query_fields import FIELDS_BY_NAME
from tui.records import HOT_FIELDS, FileState, StageState
from tui.widgets.painted_lines import ELLIPSIS, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tui.records import FileRow

    Show = Callable[[FileRow, str], object]

GAP = 2
"""Empty cells between two columns."""

GUESS_SIGN = "~"
"""Stands before a date that is only the time of the file."""

FILE_TIME_SOURCE = "File:FileModifyDate"
"""`Metadata.date_source` of a file that states no date itself."""

_DATES = frozenset({"taken", "modified"})
_LONG_DATE = datetime.fromisoformat("2029-09-26T22:58:58")
# a Wednesday in September: no date has longer words in English

Align = Literal["left", "right"]
Cut = Literal["end", "middle", "start"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table of files.

    Attributes:
        name: what the option `interface.columns` calls it.
        title: its header.
        show: from a row and the date pattern (`strftime`) to what the cell says; None leaves it empty.
        least: narrowest useful width in cells.
        most: width in cells beyond which more is of no use.
        share: weight when width left over is handed out; 0 keeps the column at `least`.
        align: numbers and dates align right, words left.
        cut: where text that is too wide loses its middle, start or end.
        drop: columns of the highest number go first when the table is narrow; those of 0 stay.
        sort: field of the query language that sorts by this column; empty when nothing does.
        falling: whether the first sort by this column puts the highest first (dates, sizes, ratings).
    """

    name: str
    title: str
    show: Show
    least: int
    most: int = 0
    share: int = 0
    align: Align = "left"
    cut: Cut = "end"
    drop: int = 5
    sort: str = ""
    falling: bool = False

    def text(self, row: FileRow, date_format: str) -> str:
        """Return what this column says of `row`: one line of text that is safe to show.

        A value that no formatter can make sense of (an exposure of 1e-320 s) shows as `?`: a file never stops a table.
        """
        try:
            value = self.show(row, date_format)
        except (ArithmeticError, TypeError, ValueError):
            return "?"
        return "" if value is None else display(value if isinstance(value, (str, bytes)) else str(value))


@dataclass(frozen=True, slots=True)
class FittedColumn:
    """A column with its place in a table of a given width: first cell and number of cells."""

    column: Column
    x: int
    width: int


def fit_text(text: str, width: int, *, align: Align = "left", cut: Cut = "end") -> str:
    """Return `text` in exactly `width` cells, padded or cut; a wide character is never halved.

    Args:
        text: text that has passed `display()`.
        width: cells to fill; nothing is returned for 0 or less.
        align: side that the text keeps to when it is shorter.
        cut: which part goes when it is longer; an ellipsis stands for it. Names lose their middle, so that number
            and extension stay; paths lose their start.
    """
    if cut == "end" or width < 2 or cell_len(text) <= width:
        return fit(text, width, align=align)
    head = set_cell_size(text, width // 2) if cut == "middle" else ""
    tail = _last_cells(text, width - 1 - cell_len(head))
    return fit(head + ELLIPSIS + tail, width)


def _last_cells(text: str, width: int) -> str:
    """Return the end of `text` that takes at most `width` cells."""
    start = max(0, len(text) - width)
    while cell_len(text[start:]) > width:
        start += 1
    return text[start:]


def fit_columns(columns: Sequence[Column], width: int) -> tuple[FittedColumn, ...]:
    """Choose which columns are shown in `width` cells, and how wide each becomes.

    Columns give way in the order of `Column.drop` (the later of two equals first) until the least widths fit; what is
    left over goes to those that have a share in it. One column always remains, however narrow the table.
    """
    shown = list(columns)
    while len(shown) > 1 and sum(column.least + GAP for column in shown) - GAP > width:
        shown.remove(max(reversed(shown), key=lambda column: column.drop))
    widths = _share_out(shown, width - GAP * (len(shown) - 1))
    fitted, x = [], 0
    for column, cells in zip(shown, widths, strict=True):
        fitted.append(FittedColumn(column, x, cells))
        x += cells + GAP
    return tuple(fitted)


def _share_out(columns: Sequence[Column], width: int) -> list[int]:
    """Return the widths of `columns`: each at least its least, all together at most `width`."""
    widths = [column.least for column in columns]
    spare = width - sum(widths)
    if spare < 0:
        return [max(1, width)] * len(columns)
    growing = [index for index, column in enumerate(columns) if column.share]
    while spare > 0 and growing:
        shares, to_give = sum(columns[index].share for index in growing), spare
        for index in growing:
            portion = max(1, to_give * columns[index].share // shares)
            given = min(portion, columns[index].most - widths[index], spare)
            widths[index] += given
            spare -= given
        growing = [index for index in growing if widths[index] < columns[index].most]
    return widths


def columns_by_name(names: Iterable[str], date_format: str = "%Y-%m-%d %H:%M") -> tuple[Column, ...]:
    """Return the columns called `names`, in that order, each once; a name that no column has is left out.

    Columns of dates become as wide as `date_format` (`strftime`) asks for.
    """
    chosen = [COLUMNS[name] for name in dict.fromkeys(names) if name in COLUMNS] or [COLUMNS["name"]]
    date_cells = cell_len(display(_LONG_DATE.strftime(date_format))) + len(GUESS_SIGN)
    return tuple(
        replace(column, least=max(date_cells, cell_len(column.title) + 2))
        if column.name in _DATES
        else column
        for column in chosen
    )


def state_sign(row: FileRow) -> str:
    """Return the sign before a file: `×` missing, `!` its metadata failed, `…` not read yet, else a blank."""
    if row.state is FileState.MISSING:
        return "×"
    if row.metadata_state is StageState.FAILED:
        return "!"
    return "…" if row.metadata_state is StageState.PENDING else " "


def _value(name: str) -> Show:
    """Return a formatter that shows the metadata column `name` as it is."""
    return lambda row, _date_format: row.values.get(name)


def _formatted(name: str, form: Callable[..., object], *arguments: object) -> Show:
    """Return a formatter that shows the metadata column `name` through `form`; no value leaves the cell empty."""

    def show(row: FileRow, _date_format: str) -> object:
        value = row.values.get(name)
        return None if value is None else form(value, *arguments)

    return show


def _dimensions(row: FileRow, _date_format: str) -> str | None:
    width, height = row.values.get("width"), row.values.get("height")
    return f"{width}×{height}" if width and height else None


def _taken(row: FileRow, date_format: str) -> str | None:
    """Return when a file was recorded; with a sign before it when that is only the time of the file."""
    taken = row.values.get("taken_local")
    if not taken:
        return None
    guessed = GUESS_SIGN if row.values.get("date_source") == FILE_TIME_SOURCE else ""
    return guessed + format_local(taken, date_format)


def _camera(row: FileRow, _date_format: str) -> str | None:
    return camera_name(row.values.get("make"), row.values.get("model"))


def _position(row: FileRow, _date_format: str) -> str | None:
    return format_position(row.values.get("latitude"), row.values.get("longitude"))


def _sort_field(name: str) -> str:
    """Return the field of the query language that sorts by a metadata column, empty when none does."""
    field = FIELDS_BY_NAME.get(name)
    return field.name if field is not None and field.order else ""


def _words(name: str, title: str, least: int, most: int, *, drop: int = 5) -> Column:
    return Column(name, title, _value(name), least, most, share=2, drop=drop, sort=_sort_field(name))


def _number(
    name: str, title: str, least: int, show: Show | None = None, *, drop: int = 6, sort: str = ""
) -> Column:
    field = _sort_field(sort or name)
    return Column(
        name, title, show or _value(name), least, align="right", drop=drop, sort=field, falling=True
    )


_FILE_COLUMNS = (
    Column(
        "name", "Name", lambda row, _: row.name, 17, 72, share=4, cut="middle", drop=0, sort="name"
    ),
    Column(
        "folder", "Folder", lambda row, _: short_path(os.path.dirname(row.path)), 12, 60,
        share=3, cut="start", drop=4, sort="path",
    ),
    Column(
        "path", "Path", lambda row, _: short_path(row.path), 20, 120, share=5, cut="start", drop=4, sort="path"
    ),
    Column("extension", "Type", lambda row, _: os.path.splitext(row.name)[1][1:].lower(), 6, drop=7, sort="ext"),
    Column("kind", "Kind", lambda row, _: row.kind.value, 6, drop=6, sort="kind"),
    _number("size", "Size", 7, lambda row, _: format_size(row.size), drop=2),
    _number("modified", "Modified", 16, lambda row, pattern: format_time(row.mtime_ns, pattern), drop=5),
    Column("state", "State", lambda row, _: row.state.value, 7, drop=6, sort="state"),
)  # fmt: skip
"""Columns about the file itself."""

_CONTENT_COLUMNS = (
    _number("taken", "Taken", 17, _taken, drop=1),
    Column("camera", "Camera", _camera, 10, 26, share=2, drop=3, sort="camera"),
    _number("dimensions", "Pixels", 11, _dimensions, sort="mp"),
    _number("duration", "Length", 8, _formatted("duration_ms", format_duration), drop=3),
    Column("position", "Position", _position, 23, drop=7, sort="lat"),
    Column("rating", "★", _formatted("rating", format_rating), 5, drop=4, sort="rating", falling=True),
    _words("make", "Maker", 8, 20),
    _words("model", "Model", 10, 24),
    _words("lens", "Lens", 12, 34),
    _number("iso", "ISO", 6),
    _number("f_number", "Aperture", 10, _formatted("f_number", lambda value: f"f/{value:g}")),
    _number("exposure", "Exposure", 10, _formatted("exposure", format_exposure)),
    _number("focal_length", "Focal", 8, _formatted("focal_length", format_scaled, "mm")),
    _number("altitude", "Altitude", 10, _formatted("altitude", format_scaled, "m")),
    _words("title", "Title", 12, 48, drop=3),
    _words("artist", "Artist", 10, 30, drop=3),
    _words("album", "Album", 10, 36, drop=4),
    _words("album_artist", "Album artist", 14, 30),
    _number("track", "Track", 7),
    _number("disc", "Disc", 6),
    _words("genre", "Genre", 8, 20),
    _number("year", "Year", 6),
    _words("codec", "Codec", 7, 14, drop=7),
    _words("container", "Format", 8, 14, drop=7),
    _number("bit_rate", "Bit rate", 10, _formatted("bit_rate", format_scaled, "kb/s", 1000)),
    _number("frame_rate", "Frames/s", 10, _formatted("frame_rate", lambda value: f"{value:.4g}")),
    _number("sample_rate", "Samples", 9, _formatted("sample_rate", format_scaled, "kHz", 1000)),
    _number("bpm", "BPM", 6, _formatted("bpm", lambda value: f"{value:.1f}")),
    _words("musical_key", "Key", 5, 5),
    _number("utc_offset", "Offset", 8, _formatted("utc_offset", format_offset)),
    _words("date_source", "Date from", 12, 32, drop=7),
    _words("mime", "MIME", 10, 24, drop=7),
)
"""Columns about what is in the file."""

_NAMED_COLUMNS = {column.name: column for column in (*_FILE_COLUMNS, *_CONTENT_COLUMNS)}
_FIELD_NAMES = {"taken_local": "taken", "duration_ms": "duration"}
_PLAIN_COLUMNS = tuple(
    _number(name, name.replace("_", " ").capitalize(), max(10, len(name) + 2))
    for name in HOT_FIELDS
    if name not in _NAMED_COLUMNS and name not in _FIELD_NAMES
)

COLUMNS: Mapping[str, Column] = {
    **_NAMED_COLUMNS,
    **{field: _NAMED_COLUMNS[name] for field, name in _FIELD_NAMES.items()},
    **{column.name: column for column in _PLAIN_COLUMNS},
}
"""Every column by the name that `interface.columns` uses: those above, and each other field of the metadata as it is."""
