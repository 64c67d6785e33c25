"""Problems: listed, limited to a stage, shown in full, tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.screens.scripted_engine import FORBIDDEN, HOSTILE_NAMES, everything_shown, screen_text
from tui.library.files import add_folder, insert_files
from tui.library.problems import record_problem
from tui.library.roots import add_root
from tui.records import FoundFile, Kind, Problem, Stage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from tests.screens.conftest import OpenApp
    from tui.library.database import Library

    Wait = Callable[..., Any]


def fill(db: sqlite3.Connection) -> None:
    """Three files that failed at metadata, one at fingerprint, and a folder that could not be read."""
    root = add_root(db, b"/srv/photos")
    folder = add_folder(db, root.root_id, b"2019", None)
    names = [b"one.jpg", b"two.jpg", b"three.jpg", b"four.jpg"]
    insert_files(
        db, folder, [FoundFile(name, Kind.IMAGE, 1, 1, place) for place, name in enumerate(names)], 1
    )
    db.execute("UPDATE file SET metadata_state = 2, fingerprint_state = 1")
    ids = dict(db.execute("SELECT name, id FROM file").fetchall())
    for number, name in enumerate(names[:3]):
        problem = Problem(b"/srv/photos/2019/" + name, Stage.METADATA, f"broken {number}", ids[name])
        record_problem(db, problem, now_ns=1_562_178_131_000_000_000 + number)
    record_problem(
        db, Problem(b"/srv/photos/2019/four.jpg", Stage.FINGERPRINT, "unstable", ids[b"four.jpg"]), now_ns=5
    )
    record_problem(db, Problem(b"/srv/photos/locked", Stage.WALK, "Permission denied"), now_ns=4)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_problems_are_listed(
    open_app: OpenApp, library: Library, wait_until: Wait, size: tuple[int, int]
) -> None:
    await library.writer.run(fill)
    async with open_app("problems", size=size) as pilot:
        await wait_until(lambda: "5 problems of all stages" in screen_text(pilot.app))
        for words in ("three.jpg", "broken 2", "locked", "Permission denied"):
            assert words in screen_text(pilot.app)


async def test_without_problems_the_list_says_so(open_app: OpenApp, wait_until: Wait) -> None:
    async with open_app("problems") as pilot:
        await wait_until(lambda: "No problems." in screen_text(pilot.app))


async def test_the_list_is_limited_to_one_stage_after_the_other(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    await library.writer.run(fill)
    async with open_app("problems") as pilot:
        await pilot.press("f")
        await wait_until(lambda: "1 problem of stage walk" in screen_text(pilot.app))
        assert "three.jpg" not in screen_text(pilot.app)
        await pilot.press("f")
        await wait_until(lambda: "3 problems of stage metadata" in screen_text(pilot.app))


async def test_one_file_is_tried_again(open_app: OpenApp, library: Library, wait_until: Wait) -> None:
    await library.writer.run(fill)
    async with open_app("problems") as pilot:
        await wait_until(lambda: "broken 2" in screen_text(pilot.app))
        await pilot.press("r")
        await wait_until(lambda: "1 file is read again by the next scan" in screen_text(pilot.app))
        pending = await library.writer.run(
            lambda db: db.execute("SELECT name FROM file WHERE metadata_state = 0").fetchall()
        )
        assert pending == [(b"three.jpg",)]


async def test_all_files_are_tried_again_after_a_question(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    await library.writer.run(fill)
    count = "SELECT count(*) FROM file WHERE metadata_state = 0 OR fingerprint_state = 0"
    async with open_app("problems") as pilot:
        await wait_until(lambda: "broken 2" in screen_text(pilot.app))
        await pilot.press("R")
        await wait_until(lambda: "Try 5 files again?" in screen_text(pilot.app))
        await pilot.press("n")
        await pilot.pause()
        assert await library.writer.run(lambda db: db.execute(count).fetchone()) == (0,)
        await pilot.press("R")
        await wait_until(lambda: "Try 5 files again?" in screen_text(pilot.app))
        await pilot.press("y")
        await wait_until(lambda: "4 files are read again" in screen_text(pilot.app))
        assert await library.writer.run(lambda db: db.execute(count).fetchone()) == (4,)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
async def test_a_hostile_problem_is_shown_in_full_as_text(
    open_app: OpenApp, library: Library, wait_until: Wait, name: bytes
) -> None:
    message = name.decode("utf-8", "backslashreplace")
    await library.writer.run(
        lambda db: record_problem(db, Problem(b"/p/" + name, Stage.WALK, message), now_ns=1)
    )
    async with open_app("problems") as pilot:
        await wait_until(lambda: "1 problem " in screen_text(pilot.app))
        await pilot.press("enter")
        await wait_until(lambda: "Stage walk, once, last at 1970-01-01 00:00." in screen_text(pilot.app))
        assert not FORBIDDEN.intersection(everything_shown(pilot.app))
        await pilot.press("escape", "r")
        await wait_until(lambda: "Folders are looked at again by every scan." in screen_text(pilot.app))
