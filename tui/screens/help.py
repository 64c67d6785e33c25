"""The keys of where one is, made from the registry of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.screen import ModalScreen

from tui.actions import ACTIONS, Place, bindings, key_names, keys_of
from tui.widgets.painted_lines import Line, Piece, fit
from tui.widgets.scrolled_lines import ScrolledLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.app import ComposeResult
    from textual.binding import BindingType

KEYS_WIDTH = 13
"""Cells of the column of keys."""


class HelpText(ScrolledLines):
    """Headings and keys, scrolled."""

    def __init__(self, lines: Iterable[Line]) -> None:
        """Show `lines`."""
        super().__init__()
        self._lines = tuple(lines)

    def row_count(self) -> int:
        """Return the number of lines."""
        return len(self._lines)

    def row(self, index: int, width: int) -> Line:  # noqa: ARG002  # cut by the widget
        """Return one line."""
        return self._lines[index]


class HelpScreen(ModalScreen[None]):
    """A window over the screen that lists its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Place.LISTS),
        Binding("escape,q,question_mark,enter", "dismiss", "Close", show=False),
    ]

    def __init__(self, places: tuple[Place, ...], keymap: Mapping[str, str]) -> None:
        """List the keys of `places`, then those that hold everywhere, with the user's own where `keymap` has them."""
        super().__init__()
        self._lines = tuple(help_lines(places, keymap))

    def compose(self) -> ComposeResult:
        """Compose the window."""
        text = HelpText(self._lines)
        text.border_title = "Keys"
        text.border_subtitle = "esc closes"
        yield text

    def action_move(self, step: str) -> None:
        """Scroll."""
        self.query_one(HelpText).move(step)


def help_lines(places: tuple[Place, ...], keymap: Mapping[str, str]) -> Iterable[Line]:
    """Yield the help for `places` and for everywhere: a heading each, and a line an action."""
    for place in dict.fromkeys((*places, Place.EVERYWHERE, Place.LOG, Place.LISTS)):
        actions = [action for action in ACTIONS if action.place is place and action.keys]
        if not actions:
            continue
        yield (Piece(f" {place.value}", "strong"),)
        for action in actions:
            keys = fit(key_names(keys_of(action, keymap)), KEYS_WIDTH)
            yield (Piece(f"   {keys} ", "key"), Piece(action.help))
        yield (Piece(""),)
