"""A line to type into that costs a terminal and a processor little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

if TYPE_CHECKING:
    from typing import Self

    from textual.geometry import Region


class TypedLine(Input):
    """An input whose width does not depend on what stands in it."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(select_on_focus=False, compact=True)
        self.cursor_blink = False  # a blinking cursor is traffic on an idle line

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Paint the line; Textual would lay out the whole screen anew at every letter, and paint it twice."""
        del layout
        return super().refresh(*regions, repaint=repaint, recompose=recompose)
