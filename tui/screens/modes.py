"""The main screens by mode; the module of a screen is imported when it is first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

    from tui.screens.session import ScreenSession


def screen_makers(session: ScreenSession) -> dict[str, Callable[[], Screen[Any]]]:
    """Return a maker for the screen of each mode."""

    def make_browse() -> Screen[Any]:
        from tui.screens.browse import BrowseScreen

        return BrowseScreen(session)

    def make_library() -> Screen[Any]:
        from tui.screens.library import LibraryScreen

        return LibraryScreen(session)

    def make_progress() -> Screen[Any]:
        from tui.screens.progress import ProgressScreen

        return ProgressScreen(session)

    def make_problems() -> Screen[Any]:
        from tui.screens.problems import ProblemsScreen

        return ProblemsScreen(session)

    def make_statistics() -> Screen[Any]:
        from tui.screens.statistics import StatisticsScreen

        return StatisticsScreen(session)

    return {
        "browse": make_browse,
        "library": make_library,
        "progress": make_progress,
        "problems": make_problems,
        "statistics": make_statistics,
    }
