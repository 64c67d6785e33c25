"""The log panel: follows, pauses, filters, forgets, and repaints at most four times a second."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from textual.app import App, ComposeResult

from tests.screens.scripted_engine import FORBIDDEN, HOSTILE_NAMES
from tui.log import LogFeed
from tui.widgets import log_panel
from tui.widgets.log_panel import LogPanel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    Wait = Callable[..., Any]

logger = logging.getLogger("yapmo.test_log_panel")


class LogApp(App[None]):
    """A panel alone."""

    def __init__(self, feed: LogFeed) -> None:
        super().__init__()
        self.feed = feed

    def compose(self) -> ComposeResult:
        yield LogPanel(self.feed)

    @property
    def panel(self) -> LogPanel:
        return self.query_one(LogPanel)

    @property
    def shown(self) -> str:
        return "\n".join(strip.text.rstrip() for strip in self.screen._compositor.render_strips())


@contextlib.contextmanager
def feeding() -> Iterator[LogFeed]:
    """Connect a feed to the test's logger."""
    feed = LogFeed()
    logger.addHandler(feed)
    logger.setLevel(logging.DEBUG)
    try:
        yield feed
    finally:
        logger.removeHandler(feed)


async def test_lines_from_before_and_after_are_shown(wait_until: Wait) -> None:
    with feeding() as feed:
        logger.info("before")
        app = LogApp(feed)
        async with app.run_test(size=(80, 12)):
            await wait_until(lambda: "before" in app.shown)
            logger.warning("after %d", 1)
            await wait_until(lambda: "WARNING  after 1" in app.shown)


async def test_the_newest_line_is_followed_until_one_scrolls_up(wait_until: Wait) -> None:
    with feeding() as feed:
        app = LogApp(feed)
        async with app.run_test(size=(80, 12)) as pilot:
            for number in range(100):
                logger.info("line %d.", number)
            await wait_until(lambda: "line 99." in app.shown)
            app.panel.move("page_up")
            await pilot.pause()
            top = app.shown.split("\n")[1]
            for number in range(5):
                logger.info("more %d.", number)
            await wait_until(lambda: "paused, 5 new below" in app.shown)
            assert app.shown.split("\n")[1] == top
            app.panel.move("end")
            await wait_until(lambda: "more 4." in app.shown)
            assert "paused" not in app.shown


async def test_levels_are_chosen_in_turn(wait_until: Wait) -> None:
    with feeding() as feed:
        app = LogApp(feed)
        async with app.run_test(size=(80, 12)) as pilot:
            logger.debug("small")
            logger.info("plain")
            logger.error("grave")
            await wait_until(lambda: "grave" in app.shown)
            assert "small" not in app.shown
            app.panel.next_level()
            await pilot.pause()
            assert "Log: warning and above" in app.shown
            assert "plain" not in app.shown
            assert "grave" in app.shown
            app.panel.next_level()
            app.panel.next_level()
            await pilot.pause()
            assert "Log: debug and above" in app.shown
            assert "small" in app.shown


async def test_memory_is_bounded_and_a_paused_view_stays(
    wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_panel, "KEPT_LINES", 200)
    with feeding() as feed:
        app = LogApp(feed)
        async with app.run_test(size=(80, 12)) as pilot:
            for number in range(150):
                logger.info("line %d.", number)
            await wait_until(lambda: "line 149." in app.shown)
            app.panel.move("up")
            await pilot.pause()
            top = app.shown.split("\n")[1]
            for number in range(100):
                logger.info("more %d.", number)
            await wait_until(lambda: "100 new below" in app.shown)
            assert app.panel.row_count() == 200
            assert app.shown.split("\n")[1] == top


async def test_a_flood_is_shown_in_few_repaints(wait_until: Wait) -> None:
    with feeding() as feed:
        app = LogApp(feed)
        async with app.run_test(size=(80, 12)) as pilot:
            await pilot.pause()
            taken: list[int] = []
            take = app.panel._take

            def counting(lines: list[Any], dropped: int) -> None:
                taken.append(len(lines))
                take(lines, dropped)

            app.panel._take = counting  # type: ignore[method-assign]  # to count batches
            for number in range(5_000):
                logger.info("line %d.", number)
            await wait_until(lambda: "line 4999." in app.shown)
            assert len(taken) <= 4


async def test_hostile_lines_stay_one_line_of_text(wait_until: Wait) -> None:
    with feeding() as feed:
        app = LogApp(feed)
        async with app.run_test(size=(80, 24), notifications=True):
            for name in HOSTILE_NAMES:
                logger.error("%s", name.decode("utf-8", "surrogateescape"))
            await wait_until(lambda: "[@click=app.quit]x" in app.shown)
            assert app.panel.row_count() == len(HOSTILE_NAMES)
            assert not FORBIDDEN.intersection(app.shown.replace("\n", ""))
