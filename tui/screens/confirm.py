"""A question that is answered with yes or no."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.display import display

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class ConfirmScreen(ModalScreen[bool]):
    """A window with a question; it returns True for yes. Nothing happens by Enter alone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n,escape,q", "answer(False)", "No", show=False),
    ]

    def __init__(self, question: str, explanation: str = "", *, yes: str = "yes", no: str = "no") -> None:
        """Ask `question`; `yes` and `no` say what the answers do."""
        super().__init__()
        self._question = display(question)
        self._explanation = display(explanation)
        self._answers = f"y  {display(yes)}     n  {display(no)}"

    def compose(self) -> ComposeResult:
        """Compose the window."""
        text = Content.assemble(
            (self._question, "bold"),
            "\n\n" if self._explanation else "",
            self._explanation,
            "\n\n",
            (self._answers, "bold $text-accent"),
        )
        yield Static(text, classes="window")

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)
