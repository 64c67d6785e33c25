"""Statistics: sums in rows, and the way from a row to its files."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.make_library import make_library
from tests.screens.filled_library import MadeFile, fill, photos
from tests.screens.scripted_engine import screen_text
from tui.library.query import parse_query
from tui.library.reader import count_files
from tui.library.statistics import PARTS, LibraryStatistics
from tui.records import Kind
from tui.screens.statistics_rows import statistics_rows
from tui.widgets.statistics_list import StatisticsList, bar_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from tests.screens.conftest import OpenApp
    from tui.library.database import Library

    Wait = Callable[..., Any]

LENS = 'EF 24-105mm "L" [/]'
FILES = [
    *photos(30),
    MadeFile(b"2020/a.cr2", "2020-01-01T10:00:00", Kind.RAW, metadata={"model": "EOS [b]R6", "lens": LENS}),
    MadeFile(b"music/song.flac", None, Kind.AUDIO),
]


async def _go_to(pilot: Pilot[int], name: str) -> None:
    """Put the cursor on the first row of this name."""
    rows = pilot.app.screen.query_one(StatisticsList)
    await pilot.press("home")
    while rows.chosen is not None and rows.chosen.name != name:
        before = rows.cursor
        await pilot.press("down")
        assert rows.cursor > before, f"there is no row {name}"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_sums_are_shown_aligned(
    open_app: OpenApp, library: Library, wait_until: Wait, size: tuple[int, int]
) -> None:
    await fill(library, FILES)
    async with open_app("statistics", size=size) as pilot:
        await wait_until(lambda: "Kinds" in screen_text(pilot.app))
        lines = screen_text(pilot.app).splitlines()
        ends = {line.index(number) + 2 for line in lines for number in ("30 ", " 1 ") if line.startswith((" image", " raw"))
                and number in line}  # fmt: skip
        assert len(ends) == 1, "numbers end in one column"
        assert all(len(line) <= size[0] for line in lines)
        assert any("█" in line for line in lines), "bars"
        await pilot.press("end")
        await wait_until(lambda: "/srv/media" in screen_text(pilot.app))
        assert "EOS [b]R6" in screen_text(pilot.app) or size[1] == 24


async def test_enter_shows_the_files_of_the_row(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    await fill(library, FILES)
    async with open_app("statistics", size=(120, 40)) as pilot:
        await wait_until(lambda: "Kinds" in screen_text(pilot.app))
        await _go_to(pilot, "EOS [b]R6")
        await pilot.press("enter")
        await wait_until(
            lambda: 'model="EOS [b]R6"' in screen_text(pilot.app) and "1 found" in screen_text(pilot.app)
        )
        await pilot.press("6")
        await wait_until(lambda: "Kinds" in screen_text(pilot.app))
        await _go_to(pilot, "  2020")
        await pilot.press("enter")
        await wait_until(
            lambda: "a.cr2" in screen_text(pilot.app) and "IMG_0001" not in screen_text(pilot.app)
        )


async def test_what_changed_is_read_again_when_the_screen_is_shown(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    await fill(library, FILES)
    async with open_app("statistics") as pilot:
        await wait_until(lambda: " 32" in screen_text(pilot.app))
        await pilot.press("2")
        await fill(library, photos(5, b"2021"))
        await pilot.press("6")
        await wait_until(lambda: " 37" in screen_text(pilot.app))
        await fill(library, photos(5, b"2022"))
        await pilot.press("r")
        await wait_until(lambda: " 42" in screen_text(pilot.app))


async def test_sections_are_gone_to_by_key(open_app: OpenApp, library: Library, wait_until: Wait) -> None:
    await fill(library, FILES)
    async with open_app("statistics") as pilot:
        await wait_until(lambda: "Kinds" in screen_text(pilot.app))
        rows = pilot.app.screen.query_one(StatisticsList)
        seen = []
        for key in ("right", "right", "left"):
            await pilot.press(key)
            seen.append(rows.chosen.name if rows.chosen else "")
        assert seen == ["Kinds", "Years", "Kinds"]


async def test_an_empty_library_has_sums_too(open_app: OpenApp, wait_until: Wait) -> None:
    async with open_app("statistics") as pilot:
        await wait_until(lambda: "Files" in screen_text(pilot.app) and "Folders" in screen_text(pilot.app))


def test_every_row_leads_to_as_many_files_as_it_says(tmp_path: Path) -> None:
    asyncio.run(make_library(2_000, str(tmp_path / "made.yapmo")))
    with closing(sqlite3.connect(tmp_path / "made.yapmo")) as db:
        years = [(77, None), (None, "0077-05-01T10:00:00"), (9999, None), (12345, None)]
        years += [(None, "9999-12-31T23:59:59"), (None, "1000-01-01T00:00:00")]
        for number, (year, taken) in enumerate(years, start=1):
            db.execute("UPDATE file SET year = ?, taken_local = ? WHERE id = ?", (year, taken, number))
        parts = {name: value for read in PARTS for name, value in read(db).items()}
        rows = [
            row
            for row in statistics_rows(LibraryStatistics(**parts), "%Y")
            if row.cells and row.query is not None
        ]
        assert len(rows) > 30
        for row in rows:
            assert count_files(db, parse_query(row.query or "")) == int(row.cells[0].replace(",", "")), row


def test_bars_are_as_long_as_their_share() -> None:
    assert [bar_text(share, 4) for share in (0.0, 1e-9, 0.5, 1.0)] == ["", "▏", "██", "████"]
