"""A line to type into that costs a terminal and a processor little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text
from textual.widgets import Input

from tui.display import display

if TYPE_CHECKING:
    from typing import Self

    from textual.geometry import Region


_DELETE, _CONTROL_PICTURES, _NOT_SHOWN = 0x7F, 0x2400, "\ufffd"


def mask(text: str) -> str:
    """Return `text` with a sign in the place of each character that a terminal would obey, so that places stay the same.

    What stands in a line need not be typed: a query may hold the name of a camera as a file gives it.
    """
    if display(text) == text:
        return text
    return "".join(character if display(character) == character else _sign(character) for character in text)


def _sign(character: str) -> str:
    """Return the picture of a control character (`␛`), or the sign for what cannot be shown."""
    code = ord(character)
    if code == _DELETE:
        return "␡"
    return chr(_CONTROL_PICTURES + code) if code < ord(" ") else _NOT_SHOWN


MOST_TYPED = 10_000
"""Characters that a line takes: more than any path or query may have, and no pasted megabyte."""


class TypedLine(Input):
    """An input whose width does not depend on what stands in it, and that shows all of it as signs."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(select_on_focus=False, compact=True)
        self.cursor_blink = False  # a blinking cursor is traffic on an idle line

    def replace(self, text: str, start: int, end: int) -> None:
        """Put `text` in the place of what stands from `start` to `end`, as far as there is room for it."""
        room = max(0, MOST_TYPED - len(self.value) + abs(end - start))
        if text and not room:
            return  # without painting the line again for each of a million letters
        if 0 < room < len(text):
            self.app.notify(
                f"Only {MOST_TYPED:,} characters fit here; the rest was left out.", severity="warning"
            )
        super().replace(text[:room], start, end)

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Paint the line; Textual would lay out the whole screen anew at every letter, and paint it twice."""
        del layout
        return super().refresh(*regions, repaint=repaint, recompose=recompose)

    @property
    def _value(self) -> Text:
        """The value as it is painted; Textual would send what is in it to the terminal."""
        return Text(mask(self.value), no_wrap=True, overflow="ignore", end="")

    def _position_to_cell(self, position: int) -> int:
        """Return the cell in which the character at `position` is painted."""
        return cell_len(mask(self.value[:position]))
