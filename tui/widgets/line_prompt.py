"""A line to type into, above the body of a screen, for one question at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType


class AnswerLine(TypedLine):
    """The line to type into."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Take it", show=False, id="go_there"),
    ]

    def __init__(self, submit: Callable[[], None]) -> None:
        """Call `submit` at Enter."""
        super().__init__()
        self._submit = submit

    async def action_submit(self) -> None:
        """Answer at once; Textual's message would come after the next key."""
        self._submit()


class LinePrompt(Horizontal):
    """Asks for one line of text; Enter answers, Escape gives up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Give up", show=False, id="stay_here"),
    ]

    def __init__(self, label: str, answer: Callable[[str | None], None]) -> None:
        """Ask with `label`; hidden until `ask`.

        Args:
            label: stands before the line.
            answer: called with what was entered, with None when it was given up. Called at once, not by a message:
                the next key belongs to what the answer brings.
        """
        super().__init__()
        self._label = label
        self._answer = answer
        self.display = False

    async def ask(self, value: str = "") -> None:
        """Take the keys, from the very next one on; the line begins with `value`.

        Label and line are made for the first question: most screens never ask one, and lines of input are the dearest part
        of a screen that opens.
        """
        if not self.children:
            await self.mount(Static(Content(f" {self._label} ")), AnswerLine(self._answer_line))
        line = self.query_one(Input)
        line.value = value
        line.cursor_position = len(value)
        self.display = True
        self.screen.set_focus(line)

    def action_give_up(self) -> None:
        """Answer with nothing."""
        self.display = False
        self._answer(None)

    def _answer_line(self) -> None:
        self.display = False
        self._answer(self.query_one(Input).value)
