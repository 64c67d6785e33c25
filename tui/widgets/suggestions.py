"""How the query in the search box may go on: what is offered, which of it was taken, and the line that shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from rich.cells import cell_len
from textual.content import Content

from tui.display import display
from tui.errors import LibraryError
from tui.library.query_completion import Completion, complete_query

Suggest = Callable[[str], Awaitable[Sequence[Completion]]]
"""Returns how a query may go on, from the library as well; raises `LibraryError` when that cannot be read."""

PATIENCE_S = 0.3
"""How long the library is waited for; without it fields and fixed values are offered."""

_LEAST_LETTERS = 2
_GAP = "   "


class Suggestions:
    """Ways in which one typed query may go on."""

    def __init__(self, suggest: Suggest | None) -> None:
        """Ask `suggest`; None to know only fields and fixed values."""
        self._suggest = suggest
        self._typed = ""
        self._found: list[Completion] = []
        self._taken = -1

    async def find(self, typed: str) -> None:
        """Find how `typed` may go on; nothing behind a blank, where anything may follow."""
        found: Sequence[Completion] = []
        if typed and not typed[-1].isspace() and typed[-1] not in "(-":
            found = await self._ask(typed)
        self._typed, self._found, self._taken = typed, list(found), -1

    async def _ask(self, typed: str) -> Sequence[Completion]:
        if self._suggest is not None:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    return await self._suggest(typed)
            except (LibraryError, TimeoutError):
                pass  # the table tells of a library that cannot be read
        return complete_query(typed)

    def are_for(self, value: str) -> bool:
        """Return whether the suggestions are those for `value`, or one of them made it."""
        return value == (self._typed if self._taken < 0 else self._found[self._taken].applied(self._typed))

    @property
    def are_several(self) -> bool:
        """True when there is a choice."""
        return len(self._found) > 1

    @property
    def are_values(self) -> bool:
        """True when values of a field are offered, and not names of fields."""
        return any(not completion.text.endswith(":") for completion in self._found)

    @property
    def ghost(self) -> str | None:
        """The whole query with the first suggestion that only adds to it; None when there is none worth showing."""
        for completion in self._found:
            whole = completion.applied(self._typed)
            if display(whole) != whole:
                continue  # the line would paint it as it is
            letters = len(self._typed) - completion.start
            if whole.lower().startswith(self._typed.lower()) and (
                self.are_values or letters >= _LEAST_LETTERS
            ):
                return whole
        return None

    def take(self, step: int) -> str | None:
        """Return the whole query with the next (1) or previous (-1) suggestion; None when there is none."""
        if not self._found:
            return None
        first = 0 if step > 0 else len(self._found) - 1
        self._taken = first if self._taken < 0 else (self._taken + step) % len(self._found)
        whole = self._found[self._taken].applied(self._typed)
        if not self.are_several:
            self._typed, self._found, self._taken = "", [], -1  # so that what follows is looked for
        return whole

    def line(self, width: int) -> Content:
        """Return the suggestions as one line of `width` cells at most, the one that was taken marked and in sight."""
        labels = [display(completion.label) for completion in self._found]
        first = self._first_in_sight(labels, width - 2)
        parts: list[str | tuple[str, str]] = [" …  " if first else " "]
        for number, label in enumerate(labels[first:], first):
            parts += [(label, "reverse") if number == self._taken else label, _GAP]
        return Content.assemble(*parts).truncate(width, ellipsis=True)

    def _first_in_sight(self, labels: list[str], width: int) -> int:
        first, used = 0, 0
        for number, label in enumerate(labels[: self._taken + 1]):
            used += cell_len(label) + len(_GAP)
            if used > width:
                first, used = number, cell_len(label) + len(_GAP)
        return first
