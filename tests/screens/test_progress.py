"""Progress: what a snapshot looks like, and how little of it is sent when the next one comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.screens.scripted_engine import ScriptedEngine, screen_text, snapshot
from tui.library.roots import add_root
from tui.library.scans import finish_scan, start_scan
from tui.records import Problem, ScanCounters, ScanState, Stage, StageProgress, WorkerStatus
from tui.widgets.progress_card import MOST_WORKERS, ProgressCard, format_rate, name_paths, share_done
from tui.widgets.record_list import RecordList

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from tests.screens.conftest import OpenApp
    from tui.library.database import Library
    from tui.widgets.painted_lines import Line

    Wait = Callable[..., Any]


def plain(line: Line) -> str:
    return "".join(piece.text for piece in line).rstrip()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_running_scan_fills_the_card(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait, size: tuple[int, int]
) -> None:
    async with open_app("progress", size=size) as pilot:
        await pilot.press("s")
        await wait_until(lambda: "scanning" in screen_text(pilot.app))
        shown = screen_text(pilot.app)
        assert "12:34" in shown
        for words in (
            "walk         100 %",
            "metadata      61 %",
            "512/s",
            "4.1 MB/s",
            "ETA 8:41",
            "98,304",
            "IMG_0412.CR2",
        ):
            assert words in shown
        assert "12 s, restarted once" in shown
        assert "timed out after 120 s" in shown
        assert all(len(line) <= size[0] for line in shown.split("\n"))


async def test_without_a_scan_the_card_says_so(open_app: OpenApp) -> None:
    async with open_app() as pilot:
        assert "No scan was made since the start." in screen_text(pilot.app)


async def test_plus_and_minus_change_the_workers_within_bounds(
    open_app: OpenApp, engine: ScriptedEngine
) -> None:
    async with open_app() as pilot:
        await pilot.press("plus")
        assert engine.workers == 2, "no scan runs"
        await pilot.press("s", "plus", "plus")
        assert engine.workers == 4
        engine.workers = 1
        await pilot.press("minus")
        assert engine.workers == 1
        engine.workers = 32
        await pilot.press("plus")
        assert engine.workers == 32


async def test_the_history_lists_past_scans(open_app: OpenApp, library: Library, wait_until: Wait) -> None:
    def write(db: sqlite3.Connection) -> None:
        root = add_root(db, b"/srv/ph[/]otos")
        scan_id = start_scan(db, root.root_id, b"/srv/ph[/]otos", now_ns=1_562_178_131_000_000_000)
        finish_scan(
            db,
            scan_id,
            ScanState.ABORTED,
            ScanCounters(files=1_234, new=56),
            now_ns=1_562_178_192_000_000_000,
        )

    await library.writer.run(write)
    async with open_app() as pilot:
        await wait_until(lambda: "/srv/ph[/]otos" in screen_text(pilot.app))
        line = next(line for line in screen_text(pilot.app).split("\n") if "ph[/]otos" in line)
        for words in ("2019-07-03 18:22", "aborted", "1,234", "56", "1:01"):
            assert words in line


async def test_a_narrow_history_gives_up_numbers_for_the_path(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    def write(db: sqlite3.Connection) -> None:
        root = add_root(db, b"/srv/photos/2019")
        start_scan(db, root.root_id, b"/srv/photos/2019", now_ns=1_562_178_131_000_000_000)

    await library.writer.run(write)
    async with open_app(size=(80, 24)) as pilot:
        await wait_until(lambda: "/srv/photos/2019" in screen_text(pilot.app))
        await wait_until(lambda: "Files  Problems      Time" in screen_text(pilot.app))
        await pilot.resize_terminal(50, 14)
        await wait_until(lambda: "srv/photos/2019" in screen_text(pilot.app))


async def test_the_cursor_scrolls_the_problems_while_more_come(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    problems = tuple(Problem(b"/p/%02d" % number, Stage.METADATA, "broken") for number in range(50))
    async with open_app() as pilot:
        await pilot.press("s")
        engine.shown = snapshot(problems=problems)
        await wait_until(lambda: "/p/49" in screen_text(pilot.app))
        await pilot.press("end")
        await pilot.pause()
        assert "/p/00" in screen_text(pilot.app)


async def test_the_next_snapshot_sends_a_few_cells(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    async with open_app() as pilot:
        await pilot.press("s")
        await wait_until(lambda: "scanning" in screen_text(pilot.app))
        await pilot.pause()
        card = pilot.app.screen.query_one(ProgressCard)
        cells: list[int] = []
        refresh = card.refresh

        def counting(*regions: Any, **how: Any) -> ProgressCard:
            cells.append(sum(region.area for region in regions) if regions else 10_000)
            return refresh(*regions, **how)

        card.refresh = counting  # type: ignore[method-assign]  # to count what is sent
        layouts = pilot.app.screen._compositor.layers
        engine.shown = snapshot(
            seconds=755.0,
            stages=(
                StageProgress(Stage.WALK, 98_304, 98_304, finished=True),
                StageProgress(Stage.METADATA, 640, 1_036, 3, 513.9, 4_200_000.0, 520.0),
                StageProgress(Stage.FINGERPRINT, 44, None, 0, 9.3),
            ),
        )
        await wait_until(lambda: "12:35" in screen_text(pilot.app))
        assert sum(cells) < 300, "of 4,800"
        assert pilot.app.screen._compositor.layers is layouts, "no layout was made"


async def test_many_workers_are_summed_up(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    workers = tuple(
        WorkerStatus(number, "exiftool", b"/x" if number % 2 else None) for number in range(1, 33)
    )
    async with open_app(size=(80, 24)) as pilot:
        await pilot.press("s")
        engine.shown = snapshot(workers=workers)
        await wait_until(lambda: "and 28 more workers, 14 of them busy" in screen_text(pilot.app))
        assert pilot.app.screen.query_one("#problems", RecordList).size.height >= 3


@pytest.mark.parametrize(
    ("path", "words"), [(None, "and 1 more worker, idle"), (b"/x", "and 1 more worker, busy")]
)
async def test_one_worker_too_many_for_the_card_is_told_in_the_singular(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait, path: bytes | None, words: str
) -> None:
    workers = tuple(WorkerStatus(number, "exiftool", path) for number in range(1, MOST_WORKERS + 2))
    async with open_app() as pilot:
        await pilot.press("s")
        engine.shown = snapshot(workers=workers)
        await wait_until(lambda: words in screen_text(pilot.app))


def test_rates_have_no_more_digits_than_can_be_read() -> None:
    assert [format_rate(rate) for rate in (0.0, 9.04, 9.96, 512.4, 90_123.0)] == [
        "0.0/s", "9.0/s", "10/s", "512/s", "90,123/s",
    ]  # fmt: skip


def test_what_is_scanned_is_named() -> None:
    assert name_paths(()) == "all roots"
    assert name_paths((b"/a",)) == "/a"
    assert name_paths((b"/a\x1b", b"/b", b"/c")) == r"/a\x1b and 2 more"


def test_a_share_never_passes_one_and_is_unknown_without_a_total() -> None:
    assert share_done(StageProgress(Stage.WALK, 5, None)) is None
    assert share_done(StageProgress(Stage.WALK, 5, 4)) == 1.0
    assert share_done(StageProgress(Stage.WALK, 0, 0, finished=True)) == 1.0
    assert share_done(StageProgress(Stage.WALK, 1, 4)) == 0.25
