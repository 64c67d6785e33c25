"""The search index is put in order where a scan wrote much to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.library.search_index import merge_step

if TYPE_CHECKING:
    import sqlite3

    from tui.library.database import Library
    from tui.records import ScanCounters
    from tui.scan.cancel import CancelToken

MANY = 10_000
"""Files that were found or read, from which on the index is worth merging."""


async def merge_search_index(library: Library, token: CancelToken, counters: ScanCounters) -> None:
    """Merge the parts of the search index if a scan that counted `counters` wrote much; an abort leaves it as it is.

    Raises:
        LibraryError: the library cannot be written.
    """
    more, begin = counters.new + counters.metadata_done >= MANY, True
    while more and not token.aborted:

        def step(db: sqlite3.Connection, begin: bool = begin) -> bool:
            return merge_step(db, begin=begin)

        more, begin = await library.writer.run(step), False
