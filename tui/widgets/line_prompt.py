"""A line to type into, above the body of a screen, for one question at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class LinePrompt(Horizontal):
    """Asks for one line of text; Enter answers, Escape gives up."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Back", show=False)]

    class Answered(Message):
        """The line was entered, or given up.

        Attributes:
            text: what was typed; None when it was given up.
        """

        def __init__(self, text: str | None) -> None:
            """Keep the answer."""
            super().__init__()
            self.text = text

    def __init__(self, label: str) -> None:
        """Ask with `label`; hidden until `ask`."""
        super().__init__()
        self._label = label
        self.display = False

    def compose(self) -> ComposeResult:
        """Compose label and line."""
        yield Static(Content(f" {self._label} "))
        yield Input(compact=True, select_on_focus=False)

    def ask(self, value: str = "") -> None:
        """Take the keys, from the very next one on; the line begins with `value`."""
        line = self.query_one(Input)
        line.value = value
        line.cursor_position = len(value)
        self.display = True
        self.screen.set_focus(line)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        event.stop()
        self.display = False
        self.post_message(self.Answered(event.value))

    def action_give_up(self) -> None:
        """Answer with nothing."""
        self.display = False
        self.post_message(self.Answered(None))
