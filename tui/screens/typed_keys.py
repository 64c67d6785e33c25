"""What is typed, in its order: each key is heard when what it is meant for is there."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from textual import events
from textual.widgets import Input

from tui.actions import BY_ID, keys_of
from tui.display import display

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from textual.app import App
    from textual.timer import Timer

    from tui.screens.shell import ShellScreen

    Typed = events.Key | events.Paste

KEYS_PATIENCE_S = 1.0
"""How long keys wait for what they are meant for: a disk that does not answer must not hold them for ever."""


class KeysInOrder:
    """The queue of what is typed.

    People type ahead: a key may be meant for a screen that the key before it brings. So each key has its whole effect
    before the next one is looked at, and while the shown screen awaits its content, keys wait for that.
    """

    def __init__(
        self,
        app: App[Any],
        keymap: Mapping[str, str],
        shown: Callable[[], ShellScreen | None],
        pass_on: Callable[[events.Event], Awaitable[None]],
    ) -> None:
        """Hear keys for `app`; until `begin`, all but those that leave are only kept.

        Args:
            app: whose actions and lines of input the keys are for.
            keymap: the user's own keys (action id to keys).
            shown: returns the main screen that is on top, None for another one; called only after `begin`.
            pass_on: gives a key that nothing else wants to Textual.
        """
        self._app = app
        self._keymap = keymap
        self._shown = shown
        self._pass_on = pass_on
        self._has_begun = False
        self._typed: deque[Typed] = deque()
        self._patience: Timer | None = None
        self._given_up: ShellScreen | None = None

    async def begin(self) -> None:
        """Hear keys from now on, first those that were typed before."""
        self._has_begun = True
        await self.go_on()

    async def hear(self, event: Typed) -> None:
        """Hear a key or a paste when its turn comes; a key that leaves does not wait for its turn."""
        if isinstance(event, events.Key) and self._leaves_at_once(event):
            await self._have_effect(event)
        else:
            self._typed.append(event)
            await self.go_on()

    async def go_on(self) -> None:
        """Hear what waits, one after the other; what follows a key that brings something waits for it."""
        while self._typed and self._has_begun:
            shell = self._shown()
            if shell is not None and shell.awaits_content and shell is not self._given_up:
                if self._patience is None:
                    self._patience = self._app.set_timer(KEYS_PATIENCE_S, self._give_up_waiting)
                return
            await self._have_effect(self._typed.popleft())

    async def content_arrived(self) -> None:
        """Hear the keys that waited for the content of a screen."""
        if self._patience is not None:
            self._patience.stop()
        self._given_up = self._patience = None
        await self.go_on()

    async def _give_up_waiting(self) -> None:
        self._given_up, self._patience = self._shown(), None
        await self.go_on()

    def _leaves_at_once(self, event: events.Key) -> bool:
        leaving = keys_of(BY_ID["interrupt"], self._keymap).split(",")
        if not self._has_begun and not self._typed:  # behind other keys it may be part of a word
            leaving += keys_of(BY_ID["quit"], self._keymap).split(",")
        return event.key in leaving

    async def _have_effect(self, event: Typed) -> None:
        """Let a key or a paste have its whole effect.

        Textual hands keys on through the queues of the widgets: the next one would overtake it there, and what was
        meant for one screen would be done by another.
        """
        if isinstance(event, events.Key):
            if await self._runs_action(event.key, priority=True):
                return
            line = self._app.focused
            if isinstance(line, Input) and event.is_printable and event.character:
                line.replace(event.character, *sorted(line.selection))
                return
            if await self._runs_action(event.key):
                return
        elif isinstance(line := self._app.focused, Input):
            pasted = next(iter(event.text.splitlines()), "")
            line.replace(display(pasted), *sorted(line.selection))  # safe: a clipboard is foreign text too
            return
        await self._pass_on(event)

    async def _runs_action(self, key: str, *, priority: bool = False) -> bool:
        """Run the action of a key to its end, and tell whether there is one."""
        return await self._app._check_bindings(key, priority=priority)  # noqa: SLF001  # no public way awaits the action
