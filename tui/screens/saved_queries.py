"""Saved queries on the screen: keeping the one in the search box by a name, choosing one of those that were kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from textual.content import Content

from tui.display import display
from tui.errors import YapmoError
from tui.library.saved_queries import save_query, term_of, tidy_name
from tui.screens.faults import tell_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import App
    from textual.command import CommandPalette

    from tui.library.saved_queries import SavedQuery
    from tui.screens.session import ScreenSession


def names_collections(text: str) -> bool:
    """Return whether a query may name saved queries or collections, which must be known then."""
    return "@" in text or "collection" in text.lower() or "query" in text.lower()


async def keep_query(app: App[Any], session: ScreenSession, name: str, text: str) -> None:
    """Keep a query by a name, and say so, or why not."""
    try:
        replaced = await session.library.writer.run(lambda db: save_query(db, name, text, time.time_ns()))
    except YapmoError as error:
        tell_fault(app, error)
        return
    term, chosen = term_of(tidy_name(name)), session.key("open_saved")
    done = "Changed" if replaced else "Kept"
    app.notify(f"{done}; {display(term)} asks it, {chosen} lists all.", markup=False)


async def choose_saved_query(app: App[Any], session: ScreenSession, take: Callable[[str], None]) -> None:
    """Let the user choose a saved query by its name; `take` is called with the term that asks it."""
    try:
        saved = await session.library.reader.saved_queries()
    except YapmoError as error:
        tell_fault(app, error)
        return
    if saved:
        app.push_screen(saved_query_palette(saved, take))
    else:
        app.notify(f"There are no saved queries; {session.key('save_query')} keeps one.", markup=False)


def saved_query_palette(saved: Sequence[SavedQuery], take: Callable[[str], None]) -> CommandPalette:
    """Return a palette of saved queries."""
    from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider

    def shown(item: SavedQuery) -> Content:
        return Content.assemble(display(item.name), "   ", (display(item.query), "dim"))

    def taker(item: SavedQuery) -> Callable[[], None]:
        return lambda: take(term_of(item.name))

    class SavedQueries(Provider):
        """The saved queries, by name."""

        async def discover(self) -> Hits:
            """Yield all of them."""
            for item in saved:
                yield DiscoveryHit(shown(item), taker(item), display(item.name))

        async def search(self, query: str) -> Hits:
            """Yield those whose name is like what was typed."""
            matcher = self.matcher(query)
            for item in saved:
                score = matcher.match(item.name)
                if score > 0:
                    yield Hit(score, shown(item), taker(item), display(item.name))

    return CommandPalette(providers=[SavedQueries], placeholder="Name of a saved query …")
