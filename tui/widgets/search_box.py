"""The search box: one line to type a query in, what came of it on the right, and a mistake under its place."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestionReady
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.display import display, format_count
from tui.library.query_terms import QueryError, read_tokens
from tui.widgets.file_columns import fit_text
from tui.widgets.suggestions import Suggest, Suggestions
from tui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from textual.app import ComposeResult
    from textual.timer import Timer

TYPING_PAUSE_S = 0.12
"""How long the keys must rest before a query runs: shorter than a thought, longer than between two letters."""

HISTORY_LENGTH = 50
"""Queries that the box remembers."""

SCOPE_CELLS = 30
"""Most cells that the folder takes within which the query is asked."""

PROMPT = " / "
"""Stands before the query; names the key that comes here."""


class QueryInput(TypedLine, inherit_bindings=True):
    """The line that is typed in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "To the files", show=False, id="show_found"),
        Binding("up", "recall(-1)", "Older query", show=False, id="older_query"),
        Binding("down", "recall(1)", "Newer query", show=False, id="newer_query"),
        Binding("tab", "complete(1)", "Complete", show=False, id="complete"),
        Binding("shift+tab", "complete(-1)", "Complete, backwards", show=False, id="complete_back"),
        Binding("escape", "clear_or_leave", "Clear", show=False, id="clear_search"),
    ]

    def __init__(self, box: SearchBox) -> None:
        """Belong to `box`, which is called and gets no messages: those would come after the next key."""
        super().__init__()
        self.placeholder = "words, kind:image iso>800 taken:2019..2021 …"
        self._box = box

    async def action_submit(self) -> None:
        """Go to what the query finds."""
        self._box.submit()

    def action_recall(self, step: int) -> None:
        """Put an older (-1) or newer (1) query into the box."""
        self._box.recall(step)

    async def action_complete(self, step: int) -> None:
        """Take the next (1) or previous (-1) way to go on; without any, go to what is beside the box."""
        if not await self._box.complete(step):
            self.screen.focus_next() if step > 0 else self.screen.focus_previous()

    def action_clear_or_leave(self) -> None:
        """Empty the box, or leave it when it is empty already."""
        self._box.clear_or_leave()


def without_field(query: str, names: Collection[str]) -> str:
    """Return a query without the terms of a field; behind a mistake it stays as it is."""
    kept, end = "", 0
    with contextlib.suppress(QueryError):
        for token in read_tokens(query):
            if token.field is None or token.field.name not in names:
                continue
            last = token.values[-1]
            kept = (kept + query[end : token.position - token.negated]).rstrip()
            end = last.position + len(last.text) + 2 * last.quoted
    return (kept + query[end:]).strip()


class SearchBox(Widget):
    """A query being typed.

    `QueryChanged` comes when the keys rest.
    """

    DEFAULT_CSS = """
    SearchBox {
        height: 1;
        layout: horizontal;
        background: $surface;
        & > .search-scope { width: auto; color: $text-accent; text-wrap: nowrap; }
        & > .search-prompt { width: 3; color: $text-muted; }
        & > QueryInput { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
        & > QueryInput:focus { border: none; background: $surface; }
        & > .search-result { width: auto; padding: 0 1; color: $text-muted; text-wrap: nowrap; }
        & > .search-mistake {
            display: none;
            overlay: screen;
            offset: 0 1;
            width: 100%;
            height: 1;
            background: $error-muted;
            color: $text-error;
            text-wrap: nowrap;
        }
        & > .search-suggestions {
            display: none;
            overlay: screen;
            offset: 0 1;
            width: 100%;
            height: 1;
            background: $panel;
            color: $text;
            text-wrap: nowrap;
        }
        &.-mistaken > .search-mistake { display: block; }
        &.-suggesting > .search-mistake { display: none; }
        &.-suggesting > .search-suggestions { display: block; }
        &:focus-within > .search-prompt { color: $accent; text-style: bold; }
    }
    """

    class QueryChanged(Message):
        """The user wants the files that a query describes.

        Attributes:
            text: the query, stripped.
        """

        def __init__(self, text: str) -> None:
            """Keep the query."""
            super().__init__()
            self.text = text

    def __init__(
        self,
        leave: Callable[[], None],
        suggest: Suggest | None = None,
        *,
        id: str | None = None,  # noqa: A002  # Textual's name
    ) -> None:
        """Make an empty box.

        Args:
            leave: called when the user goes on to what was found; at once, for the next key is meant for that.
            suggest: returns how a query may go on; None for a box that completes only by itself.
            id: the widget's id.
        """
        super().__init__(id=id)
        self._leave = leave
        self._history: deque[str] = deque(maxlen=HISTORY_LENGTH)
        self._place_in_history = 0
        self._draft = ""
        self._sent = ""
        self._pause: Timer | None = None
        self._line = QueryInput(self)
        self._scope = Static(Content(""), classes="search-scope")
        self._result = Static(Content(""), classes="search-result")
        self._mistake = Static(Content(""), classes="search-mistake")
        self._offered = Static(Content(""), classes="search-suggestions")
        self._suggestions = Suggestions(suggest)

    def compose(self) -> ComposeResult:
        """Compose what is always shown; the lines below the box come when there is something to say."""
        yield self._scope
        yield Static(Content(PROMPT), classes="search-prompt")
        yield self._line
        yield self._result

    @property
    def text(self) -> str:
        """The query as it stands in the box."""
        return self._line.value.strip()

    def focus_line(self) -> None:
        """Let the user type; what is there stays and the cursor goes behind it."""
        self.screen.set_focus(
            self._line
        )  # `Widget.focus` would lose a key typed right behind the one that calls this
        self._line.cursor_position = len(self._line.value)

    def replace_text(self, text: str) -> None:
        """Put another query into the box and run it at once."""
        self._line.value = text
        self._line.cursor_position = len(text)
        self._send()

    def drop_field(self, *names: str) -> None:
        """Take the terms of a field (by its names) out of the query, without running it."""
        self._line.value = self._sent = without_field(self._line.value, names)

    def add_term(self, term: str) -> None:
        """Put a term at the end of the query, without running it."""
        self._line.value = self._sent = f"{self._line.value.rstrip()} {term}"

    def show_scope(self, text: str) -> None:
        """Say within what the query is asked, before its line; nothing for everything."""
        scope = fit_text(display(text), min(cell_len(display(text)), SCOPE_CELLS), cut="start")
        self._scope.update(Content(f" in {scope} " if scope else ""))

    def show_searching(self) -> None:
        """Say that the query is being answered."""
        self._show_right("searching …")

    def show_result(self, count: int, elapsed_ms: float) -> None:
        """Say how many files were found and how long that took."""
        self._show_right(f"{format_count(count)} found  {elapsed_ms:.0f} ms")

    def show_nothing(self) -> None:
        """Say nothing: no query is in force."""
        self._show_right("")

    def _show_right(self, text: str) -> None:
        self.remove_class("-mistaken")
        if str(self._result.content) != text:  # another text asks for a layout of the whole screen
            self._result.update(Content(text))

    def show_mistake(self, message: str, position: int) -> None:
        """Point at the 0-based `position` of the query and say what is wrong there."""
        text, width = self._line.value, self.size.width
        left = self._line.region.x - self.region.x
        place = min(
            max(left, left + cell_len(text[:position]) - self._line.scroll_offset.x), max(0, width - 1)
        )
        words = display(message)
        line = " " * place + "▲ " + words
        if (
            place + 2 + cell_len(words) > width
        ):  # no room to the right of the place: stand to its left, or cut
            room = place - 1
            line = fit_text(words, room, align="right") + " ▲" if room >= cell_len(words) else f"▲ {words}"
        self._show_below(self._mistake, Content(fit_text(line, width)))
        self._result.update(Content(""))
        self.add_class("-mistaken")

    def remember(self) -> None:
        """Keep the present query for the keys that recall older ones."""
        if self.text and (not self._history or self._history[-1] != self.text):
            self._history.append(self.text)
        self._place_in_history = len(self._history)

    @on(Input.Changed)
    def _wait_for_pause(self, event: Input.Changed) -> None:
        event.stop()
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(TYPING_PAUSE_S, self._send)
        if not self._suggestions.are_for(event.value):
            self._look_for_suggestions(event.value)

    @work(name="suggestions", group="suggestions", exclusive=True)
    async def _look_for_suggestions(self, typed: str) -> None:
        """Find how the query may go on while the user types; nothing waits for it."""
        await self._suggestions.find(typed)
        if self._line.value != typed:
            return
        ghost = self._suggestions.ghost
        if ghost is not None and self._line.has_focus:
            self._line.post_message(SuggestionReady(typed, ghost))
        self._show_suggestions(visible=self._line.has_focus and self._suggestions.are_values)

    def _show_suggestions(self, *, visible: bool) -> None:
        self.set_class(visible, "-suggesting")
        if visible:
            self._show_below(self._offered, self._suggestions.line(self.size.width))

    def _show_below(self, line: Static, text: Content) -> None:
        if not line.is_attached:
            self.mount(line, before=0)  # first, so that it begins at the left edge
        line.update(text)

    def on_descendant_blur(self) -> None:
        """Offer nothing where nothing is typed."""
        self._show_suggestions(visible=False)

    async def complete(self, step: int) -> bool:
        """Put the next (1) or previous (-1) suggestion into the box; return whether there is one.

        What is typed behind the key waits until the library has said what it has, for a moment at most.
        """
        typed = self._line.value
        if self._line.cursor_position != len(typed):
            return False
        if not self._suggestions.are_for(typed):
            await self._suggestions.find(typed)
        taken = self._suggestions.take(step)
        if taken is None:
            return False
        self._line.value = taken
        self._line.cursor_position = len(taken)
        self._show_suggestions(visible=self._suggestions.are_several)
        return True

    def submit(self) -> None:
        """Run the query and go on to what it finds."""
        self._send()
        self.remember()
        self._leave()

    def clear_or_leave(self) -> None:
        """Empty the box, or leave it when it is empty already."""
        if self._line.value:
            self.remember()
            self.replace_text("")
        else:
            self._leave()

    def recall(self, step: int) -> None:
        """Put an older (-1) or newer (1) query into the box; below the newest comes what was typed, then the table."""
        place = self._place_in_history + step
        if place > len(self._history):
            self._leave()
        elif place >= 0:
            if self._place_in_history == len(self._history):
                self._draft = self._line.value
            self._place_in_history = place
            self.replace_text(self._history[place] if place < len(self._history) else self._draft)

    def _send(self) -> None:
        """Ask for the query now, if it is another one than the last."""
        if self._pause is not None:
            self._pause.stop()
            self._pause = None
        if self.text != self._sent:
            self._sent = self.text
            self.post_message(self.QueryChanged(self.text))
