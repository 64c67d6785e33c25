"""How commands write their result to stdout: JSON lines, exact paths, or columns for eyes and for pipes.

On a terminal columns are aligned and have a header (Rich, imported only then); in a pipe they are separated by tabs.
Every text passes `display()` here, so that nothing foreign reaches a terminal whatever a command hands over.
"""

from __future__ import annotations

import json
import math
import os
import sys
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from tui.display import PLAIN_TERMINALS, display, format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

_MEASURED_ROWS = 200
_WIDEST = 60
_GAP = "  "
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        title: its header.
        style: style of its cells on a terminal that has colours, in the words of Rich.
        right: whether its cells align right, as numbers do.
    """

    title: str
    style: str = ""
    right: bool = False


def to_json(value: object) -> str:
    r"""Return `value` as one line of JSON (RFC 8259) that a terminal can show.

    Letters of all scripts stay as they are, characters that are not printable become `\uXXXX`. A number that JSON does not
    know (infinity, not a number) becomes its text.
    """
    try:
        text = _ENCODER.encode(value)
    except ValueError:
        text = _ENCODER.encode(_finite(value))
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def write_json(value: Mapping[str, Any], *, flush: bool = False) -> None:
    """Write one JSON object as a line, in UTF-8 whatever the locale; `flush` for one who watches."""
    sys.stdout.buffer.write(to_json(value).encode() + b"\n")
    if flush:
        sys.stdout.buffer.flush()


def write_path(path: bytes) -> None:
    """Write the exact bytes of a path, ended by NUL."""
    sys.stdout.buffer.write(path + b"\0")


def write_line(text: str | bytes) -> None:
    """Write one line: a text or a path, which may be foreign."""
    print(display(text))


def write_note(text: str) -> None:
    """Write one line for the person at the terminal, who is not who reads the result: to stderr."""
    print(display(text), file=sys.stderr)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 file`, `1,204 files`."""
    return f"{format_count(number)} {noun}{'' if number == 1 else 's'}"


class TableWriter:
    """Writes rows as they come, in bounded memory.

    On a terminal the first rows decide how wide the columns are, 60 cells at most. No text is cut or folded, so that a
    path can be copied; one that is wider pushes the rest of its line to the right.
    """

    def __init__(self, *columns: Column) -> None:
        """Begin a table; nothing is written before the first row."""
        self._columns = columns
        self._terminal = sys.stdout.isatty()
        self._waiting: list[list[str]] = []
        self._widths: list[int] = []
        self._console: Console | None = None

    def add(self, row: Sequence[str | bytes]) -> None:
        """Write one row, a text or a path a column."""
        cells = [display(cell) for cell in row]
        if not self._terminal:
            print("\t".join(cells))
        elif self._console is not None:
            self._write_cells(cells)
        else:
            self._waiting.append(cells)
            if len(self._waiting) == _MEASURED_ROWS:
                self._begin()

    def __enter__(self) -> Self:
        """Use it in a `with` block: the end of the block writes what is still held back."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._console is None and self._waiting:
            self._begin()

    def _begin(self) -> None:
        """Measure, then write the header and what was held back."""
        from rich.cells import cell_len

        self._console = terminal_console()
        titles = [column.title for column in self._columns]
        self._widths = [
            min(_WIDEST, max(map(cell_len, cells))) for cells in zip(titles, *self._waiting, strict=True)
        ]
        self._write_cells(titles, style="bold")
        for cells in self._waiting:
            self._write_cells(cells)
        self._waiting.clear()

    def _write_cells(self, cells: Sequence[str], style: str = "") -> None:
        from rich.cells import cell_len
        from rich.text import Text

        line = Text()
        last = len(cells) - 1
        for number, (column, cell, width) in enumerate(zip(self._columns, cells, self._widths, strict=True)):
            padding = " " * (width - cell_len(cell))
            if column.right:
                line.append(padding)
            line.append(cell, style or column.style)
            if number < last:
                line.append(_GAP if column.right else padding + _GAP)
        if self._console is not None:
            self._console.print(line)


def write_table(columns: Sequence[Column], rows: Iterable[Sequence[str | bytes]]) -> None:
    """Write a table of bounded length."""
    with TableWriter(*columns) as table:
        for row in rows:
            table.add(row)


def write_facts(title: str, facts: Iterable[tuple[str, str]]) -> None:
    """Write a group of names and values under a title, aligned; nothing for a group without facts.

    A value of several lines stays below itself.
    """
    shown = [(display(name), [display(line) for line in value.split("\n")]) for name, value in facts]
    if not shown:
        return
    width = max(len(name) for name, _ in shown)
    lines = [("", display(title), "")]
    for name, values in shown:
        lines += [
            (f"  {label:<{width}}  ", "", value) for label, value in zip_longest([name], values, fillvalue="")
        ]
    _write_lines(lines)


def _write_lines(lines: Iterable[tuple[str, str, str]]) -> None:
    """Write lines of a dim, a bold and a plain part; plain altogether where stdout is no terminal."""
    if not sys.stdout.isatty():
        for line in lines:
            print("".join(line).rstrip())
        return
    from rich.text import Text

    console = terminal_console()
    for dim, bold, plain in lines:
        console.print(Text.assemble((dim, "dim"), (bold, "bold"), plain))


def terminal_console() -> Console:
    """Return Rich's console on stdout: no markup, no folding; it knows `NO_COLOR` and dumb terminals."""
    from rich.console import Console

    class ConsoleOfCommand(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # no failure for a command; Rich would end the process with 1

    plain = os.environ.get("TERM", "") in PLAIN_TERMINALS
    return ConsoleOfCommand(
        file=sys.stdout,
        color_system=None if plain else "auto",
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,
    )
