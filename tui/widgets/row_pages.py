"""The rows that a table holds of a long list: a few pages around what is shown, never the list."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.records import FileRow

PAGE_ROWS = 64
"""Rows of one page: what the library is asked for at once."""


class FileView(Protocol):
    """An ordered list of files that is read in parts, such as the answer to a query."""

    async def count(self) -> int:
        """Return how many files there are."""

    async def page(self, offset: int, limit: int) -> Sequence[FileRow]:
        """Return up to `limit` rows from the 0-based `offset` on."""

    async def prepare_places(self) -> None:
        """Get ready for pages far from either end; may take a second for a million files, and may be cancelled."""

    async def position_of(self, file_id: int) -> int | None:
        """Return the 0-based place of a file, None when it is not in the list."""


class RowPages:
    """Rows of one list by their place, in pages of `PAGE_ROWS`, the least recently used page given up first."""

    def __init__(self, *, most_pages: int = 12) -> None:
        """Hold at most `most_pages` pages; a screen of any size needs no more than three at a time."""
        self.most_pages = most_pages
        self._pages: OrderedDict[int, tuple[FileRow, ...]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(page) for page in self._pages.values())

    def row(self, index: int) -> FileRow | None:
        """Return the row at the 0-based `index`, None while it is not here."""
        number, place = divmod(index, PAGE_ROWS)
        page = self._pages.get(number)
        return page[place] if index >= 0 and page is not None and place < len(page) else None

    def place_of(self, file_id: int) -> int | None:
        """Return the index of a file among the rows that are here."""
        for number, page in self._pages.items():
            for place, row in enumerate(page):
                if row.file_id == file_id:
                    return number * PAGE_ROWS + place
        return None

    def put(self, number: int, rows: Sequence[FileRow]) -> None:
        """Keep `rows` as page `number` (0-based), and give up the page that was of no use for longest."""
        self._pages[number] = tuple(rows)
        self._pages.move_to_end(number)
        while len(self._pages) > self.most_pages:
            self._pages.popitem(last=False)

    def lacking(self, first: int, last: int) -> list[int]:
        """Return the numbers of the pages that are not here for the rows from `first` to `last`.

        The pages that are here count as used by this.
        """
        numbers = page_numbers(first, last)
        for number in numbers:
            if number in self._pages:
                self._pages.move_to_end(number)
        return [number for number in numbers if number not in self._pages]


def parse_place(text: str, count: int) -> int:
    """Return the 0-based place that a person means in a list of `count` rows: `500,000` or a share of it, `50 %`.

    Raises:
        ValueError: it is neither.
    """
    typed = "".join(text.split()).replace(",", "")
    if not typed.endswith("%"):
        return int(typed) - 1
    share = float(typed[:-1])
    if not 0 <= share <= 100:
        raise ValueError(text)
    return round(share / 100 * (count - 1))


def page_numbers(first: int, last: int) -> range:
    """Return the numbers of the pages that hold the rows from `first` to `last` (both included)."""
    return range(max(0, first) // PAGE_ROWS, max(0, last) // PAGE_ROWS + 1)
