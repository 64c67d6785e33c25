"""A root that another process scans: its scan is shown, and asked to stop after a question."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.screens.scripted_engine import ScriptedEngine, screen_text, snapshot
from tui.library.scans import ScanRecord, ScanRunningError
from tui.records import ScanCounters, ScanState

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.screens.conftest import OpenApp

    Wait = Callable[..., Any]

RECORD = ScanRecord(
    7,
    1,
    b"/srv/photos",
    ScanState.RUNNING,
    time.time_ns(),
    None,
    ScanCounters(),
    "",
    time.time_ns(),
    "nas",
    4242,
)


@pytest.fixture
def engine() -> ScriptedEngine:
    """An engine whose root is scanned by process 4242 on the machine "nas"."""
    engine = ScriptedEngine()
    engine.refusal = ScanRunningError(b"/srv/photos", RECORD)
    return engine


@pytest.mark.parametrize(("mode", "size"), [("library", (80, 24)), ("browse", (120, 40))])
async def test_the_scan_that_is_in_the_way_is_shown(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait, mode: str, size: tuple[int, int]
) -> None:
    async with open_app(mode, size=size) as pilot:
        await pilot.press("s")
        await wait_until(lambda: "┤ 3 Progress ├" in screen_text(pilot.app))
        await wait_until(lambda: "by process 4242 on nas since 2019-07-03" in screen_text(pilot.app))
        shown = screen_text(pilot.app)
        assert "another machine" in shown
        assert "98,304" in shown
        assert "metadata      61 %" in shown
        await wait_until(lambda: "a abort" in screen_text(pilot.app))
        assert "p pause" not in screen_text(pilot.app)
        await pilot.press("2")
        await wait_until(lambda: "by process 4242 on nas" in screen_text(pilot.app).split("\n")[-2])
        engine.other.shown = snapshot(
            process=engine.other.process, workers=(), counters=ScanCounters(files=98_999)
        )
        await pilot.press("3")
        await wait_until(lambda: "98,999" in screen_text(pilot.app))


async def test_it_is_asked_to_stop_only_after_a_question(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    async with open_app("progress", size=(80, 24)) as pilot:
        await pilot.press("s")
        await wait_until(lambda: "a abort" in screen_text(pilot.app))
        for answer, asked in (("n", 0), ("y", 1)):
            await pilot.press("a")
            await wait_until(lambda: "Ask process 4242 on nas to stop its scan?" in screen_text(pilot.app))
            assert "not killed" in screen_text(pilot.app).replace("\n", " ")
            await pilot.press(answer)
            await wait_until(lambda: "Ask process" not in screen_text(pilot.app))
            await wait_until(lambda asked=asked: engine.other.asked == asked)
        assert engine.aborts == 0
        engine.other.finish(ScanState.ABORTED)
        await wait_until(lambda: "Scan aborted in" in screen_text(pilot.app))
        await wait_until(lambda: "a abort" not in screen_text(pilot.app))


async def test_the_users_own_scan_takes_its_place(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    async with open_app("progress") as pilot:
        await pilot.press("s")
        await wait_until(lambda: "by process 4242" in screen_text(pilot.app))
        engine.refusal = None
        await pilot.press("s")
        await wait_until(lambda: "p pause" in screen_text(pilot.app))
        assert "by process 4242 on nas since 2019" not in screen_text(pilot.app)
        await pilot.press("a")
        await wait_until(lambda: engine.aborts == 1)
        assert engine.other.asked == 0


async def test_leaving_does_not_touch_it(open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait) -> None:
    async with open_app("progress") as pilot:
        await pilot.press("s")
        await wait_until(lambda: "by process 4242" in screen_text(pilot.app))
        await pilot.press("q")
        await wait_until(lambda: pilot.app.return_code is not None)
        assert (pilot.app.return_value, engine.aborts, engine.other.asked) == (0, 0, 0)
