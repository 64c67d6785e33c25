"""What is shown while the library opens: the frame that the main screens have, still empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from tui.actions import ACTIONS, BY_ID, key_name, keys_of
from tui.widgets.bars import FooterBar, HeaderBar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult


class OpeningScreen(Screen[None]):
    """Header and footer of the main screens around nothing."""

    def __init__(self, keymap: Mapping[str, str]) -> None:
        """Show keys with the user's own where `keymap` (action id to keys) has them."""
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        """Compose the frame."""
        yield HeaderBar(tabs(self._keymap), tab("show_library", self._keymap))
        yield FooterBar()

    def on_mount(self) -> None:
        """Name the one key that is heard already."""
        action = BY_ID["quit"]
        keys = key_name(keys_of(action, self._keymap).split(",")[0])
        self.query_one(FooterBar).show([(action.id, keys, action.label)])


def tabs(keymap: Mapping[str, str]) -> list[str]:
    """Return the tabs of the header: key and name of each main screen."""
    return [tab(action.id, keymap) for action in ACTIONS if action.call.startswith("app.show_mode")]


def tab(action_id: str, keymap: Mapping[str, str]) -> str:
    """Return the tab of the screen that an action shows."""
    action = BY_ID[action_id]
    return f"{key_name(keys_of(action, keymap).split(',')[0])} {action.label}"
