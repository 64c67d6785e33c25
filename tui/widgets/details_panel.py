"""A panel of titled groups of facts about one file: labels, values wrapped beside them, scrolled by the keys of lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells

from tui.display import display, format_count
from tui.widgets.painted_lines import Line, Piece, fit
from tui.widgets.scrolled_lines import ScrolledLines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.file_facts import Fact, FactGroup

MOST_CHARACTERS = 2_000
"""Characters of one value that are shown; what an editor hid in a file may be megabytes."""

LEAST_VALUE_CELLS = 16
"""Where less than this is left beside the labels, values go below them."""


class DetailsPanel(ScrolledLines):
    """Everything known about one file."""

    DEFAULT_CSS = """
    DetailsPanel {
        background: $surface;
        border-left: outer $panel;
        &:focus { border-left: outer $accent; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        """Begin empty."""
        super().__init__(id=id)
        self._file_name = ""
        self._groups: Sequence[FactGroup] = ()
        self._lines: list[Line] = []
        self._lines_width = -1

    def show(self, name: str, groups: Sequence[FactGroup], *, from_top: bool = True) -> None:
        """Show the facts about a file, from their beginning or (`from_top` False) where one had scrolled to."""
        self._file_name, self._groups, self._lines_width = name, groups, -1
        if from_top:
            self.top = 0
        self.rows_changed()

    def head(self, width: int) -> Line:
        """Return the name of the file, which stays while the rest is scrolled."""
        return (Piece(fit(f" {display(self._file_name)}", width), "accent"),)

    def row_count(self) -> int:
        """Return the number of lines at the present width."""
        width = max(1, self.size.width - 1)
        if self._lines_width != width:
            self._lines_width = width
            self._lines = list(lay_out(self._groups, width))
        return len(self._lines)

    def row(self, index: int, width: int) -> Line:  # noqa: ARG002  # laid out for it already
        """Return one line."""
        return self._lines[index]


def lay_out(groups: Sequence[FactGroup], width: int) -> Iterator[Line]:
    """Yield the lines that show `groups` in `width` cells, all labels of one width."""
    labels = [cell_len(display(fact.label)) for group in groups for fact in group.facts]
    label_width = min(max(labels, default=0), 18, max(1, width // 2))
    for number, group in enumerate(groups):
        if number:
            yield ()
        yield (Piece(" "), Piece(display(group.title), "strong"))
        for fact in group.facts:
            yield from _lay_out_fact(fact, label_width, width)


def _lay_out_fact(fact: Fact, label_width: int, width: int) -> Iterator[Line]:
    label, indent = display(fact.label), label_width + 3
    beside = width - indent >= LEAST_VALUE_CELLS and cell_len(label) <= label_width
    if not beside:
        yield (Piece(f" {fit(label, min(width - 1, cell_len(label)))}", "dim"),)
        indent = 3
    for number, line in enumerate(wrap_text(_shortened(fact.value), max(1, width - indent))):
        if beside and not number:
            yield (Piece(f" {fit(label, label_width)}  ", "dim"), Piece(line, fact.look))
        else:
            yield (Piece(" " * indent), Piece(line, fact.look))


def _shortened(value: str) -> str:
    if len(value) <= MOST_CHARACTERS:
        return value
    return f"{value[:MOST_CHARACTERS]}…\n({format_count(len(value))} characters)"


def wrap_text(text: str, width: int) -> Iterator[str]:
    """Yield `text` made safe, in lines of at most `width` cells, broken between words where that is possible."""
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in display(paragraph).split(" "):
            joined = f"{line} {word}" if line else word
            if cell_len(joined) <= width:
                line = joined
                continue
            if line:
                yield line
            *whole, line = chop_cells(word, width) or [""]
            yield from whole
        yield line
