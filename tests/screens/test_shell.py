"""What holds on every screen: modes, header, footer, help, palette, log, scan, leaving."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.screens.scripted_engine import (
    FORBIDDEN,
    HOSTILE_NAMES,
    ScriptedEngine,
    everything_shown,
    screen_text,
    snapshot,
)
from tui.actions import ACTIONS, Place
from tui.app import YapmoApp
from tui.errors import LibraryError
from tui.records import Doubt, Problem, ScanCounters, ScanState, ScanSummary, Stage
from tui.screens.help import HelpScreen
from tui.widgets.log_panel import LogPanel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.screens.conftest import OpenApp

    Wait = Callable[..., Any]

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)])


@SIZES
async def test_number_keys_show_the_screens(open_app: OpenApp, size: tuple[int, int]) -> None:
    async with open_app("progress", size=size) as pilot:
        for key, title in (("1", "1 Browse"), ("3", "3 Progress"), ("5", "5 Problems"), ("2", "2 Library")):
            await pilot.press(key)
            await pilot.pause()
            assert f"┤ {title} ├" in screen_text(pilot.app)


async def test_a_narrow_header_shows_the_current_screen_only(open_app: OpenApp) -> None:
    async with open_app("progress", size=(40, 12)) as pilot:
        first = screen_text(pilot.app).split("\n")[0]
        assert "3 Progress" in first
        assert "Browse" not in first


async def test_the_footer_offers_to_abort_only_while_a_scan_runs(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    async with open_app() as pilot:
        assert "a abort" not in screen_text(pilot.app)
        await pilot.press("s")
        await wait_until(lambda: "a abort" in screen_text(pilot.app))
        await pilot.press("a")
        await wait_until(lambda: "a abort" not in screen_text(pilot.app))
        assert engine.aborts == 1


async def test_the_end_of_a_scan_is_told(open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait) -> None:
    async with open_app() as pilot:
        await pilot.press("s")
        engine.finish()
        await wait_until(lambda: "Scan completed in 12:34: 1,024 new, 12 changed" in screen_text(pilot.app))


async def test_files_that_seem_gone_are_marked_only_after_a_question(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    reason = "900 of 1,000 files of /srv/[/] are gone; nothing was marked missing."
    other = "There is no /mnt/usb."
    engine.summary = ScanSummary(
        1,
        ScanState.COMPLETED,
        ScanCounters(),
        1.0,
        unavailable=f"{other} {reason}",
        doubts=(Doubt(b"/srv/[/]", reason),),
    )
    async with open_app() as pilot:
        for key, scans in (("n", 1), ("y", 3)):
            await pilot.press("s")
            engine.finish()
            await wait_until(lambda: "Mark the files that are gone as missing?" in screen_text(pilot.app))
            assert "/srv/[/] are gone" in screen_text(pilot.app)
            await pilot.press(key)
            await pilot.pause()
            assert len(engine.requests) == scans
        assert [request.accept_missing for request in engine.requests] == [False, False, True]
        assert engine.requests[-1].paths == (b"/srv/[/]",), "only what was asked about"
        assert not engine.requests[-1].accept_unmounted
        engine.finish()
        await pilot.pause(0.5)
        assert "Mark the files" not in screen_text(pilot.app), "asked once is enough"


async def test_a_long_scan_rings_when_it_ends(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    for notify, seconds, rings in ((True, 61.0, 1), (True, 59.0, 0), (False, 61.0, 0)):
        async with open_app(notify=notify) as pilot:
            heard: list[str] = []
            monkeypatch.setattr(pilot.app, "bell", partial(heard.append, "bell"))
            await pilot.press("s")
            engine.finish(seconds=seconds)
            await wait_until(lambda: "Scan completed" in screen_text(pilot.app))
            assert len(heard) == rings


async def test_nobody_is_asked_about_a_disk_that_is_not_there(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    reason = "There is no /mnt/[/]."
    engine.summary = ScanSummary(1, ScanState.COMPLETED, ScanCounters(), 1.0, unavailable=reason)
    async with open_app() as pilot:
        await pilot.press("s")
        engine.finish()
        await wait_until(lambda: reason in screen_text(pilot.app))
        assert "Mark the files" not in screen_text(pilot.app)


async def test_advice_for_a_very_large_library_is_given_once(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    async with open_app() as pilot:
        await pilot.press("s")
        engine.shown = snapshot(counters=ScanCounters(files=300_000))
        await wait_until(lambda: "300,000 files: reading" in screen_text(pilot.app))
        pilot.app.clear_notifications()
        await pilot.pause(0.6)
        assert "300,000 files: reading" not in screen_text(pilot.app)


async def test_a_scan_that_cannot_start_says_why_and_what_to_do(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    engine.refusal = LibraryError("[/] is \x1b[31mbeing scanned", hint="Wait for [@click=app.quit]it.")
    async with open_app() as pilot:
        await pilot.press("s")
        await wait_until(lambda: "Wait for [@click=app.quit]it." in screen_text(pilot.app))
        assert r"[/] is \x1b[31mbeing scanned" in screen_text(pilot.app)
        assert not engine.running


async def test_pause_and_resume_use_one_key(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    async with open_app() as pilot:
        await pilot.press("s", "p")
        assert engine.paused
        await wait_until(lambda: "paused" in screen_text(pilot.app))
        await pilot.press("p")
        assert not engine.paused


async def test_other_screens_show_the_scan_in_a_line(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    async with open_app("problems") as pilot:
        await pilot.press("s")
        await wait_until(lambda: "scanning all roots" in screen_text(pilot.app))
        line = next(line for line in screen_text(pilot.app).split("\n") if "scanning" in line)
        assert "walk 100 %" in line
        assert "metadata  61 %  512/s  ETA 8:41" in line
        assert "problems 3" in line


async def test_ctrl_c_aborts_the_scan_and_again_leaves(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    async with open_app() as pilot:
        await pilot.press("s", "ctrl+c")
        assert engine.aborts == 1
        assert pilot.app.is_running
        await pilot.press("ctrl+c")
        await wait_until(lambda: pilot.app.return_value is not None)
        assert pilot.app.return_value == 0


async def test_ctrl_c_without_a_scan_asks_for_another(open_app: OpenApp, wait_until: Wait) -> None:
    async with open_app() as pilot:
        await pilot.press("ctrl+c")
        await wait_until(lambda: "Ctrl-C again leaves" in screen_text(pilot.app))
        assert pilot.app.return_value is None


async def test_leaving_aborts_the_scan_first_and_waits_for_it(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    engine.ignores_abort = True
    async with open_app() as pilot:
        await pilot.press("s", "q")
        await pilot.pause(0.2)
        assert engine.aborts == 1
        assert pilot.app.return_value is None, "the engine has not finished"
        engine.finish(ScanState.ABORTED)
        await wait_until(lambda: pilot.app.return_value is not None)
        assert pilot.app.return_value == 3


async def test_help_lists_every_key_of_the_screen(open_app: OpenApp) -> None:
    async with open_app("browse", size=(120, 60)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HelpScreen)
        shown = screen_text(pilot.app)
        for action in ACTIONS:
            if action.place in {Place.BROWSE, Place.EVERYWHERE, Place.LISTS}:
                assert action.help in shown
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, HelpScreen)


async def test_the_palette_offers_the_actions_of_the_screen(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    async with open_app("problems") as pilot:
        names = [command.title for command in pilot.app.get_system_commands(pilot.app.screen)]
        assert "Scan  (s)" in names
        assert "Retry all  (R)" in names
        assert "Home  (~)" not in names, "that is an action of another screen"
        assert "Abort  (a)" not in names, "nothing to abort"
        await pilot.press("ctrl+p")
        await pilot.press(*"scan")
        await pilot.pause(0.3)
        await pilot.press("enter", "enter")
        await wait_until(lambda: engine.requests)


async def test_the_users_keys_replace_those_of_the_program(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait
) -> None:
    async with open_app(keys={"scan": "x"}) as pilot:
        await wait_until(lambda: "x scan" in screen_text(pilot.app))
        await pilot.press("s")
        assert not engine.requests
        await pilot.press("x")
        assert engine.requests


async def test_wrong_keys_in_the_config_are_told(open_app: OpenApp, wait_until: Wait) -> None:
    async with open_app(keys={"scn": "x", "abort": "l"}) as pilot:
        await wait_until(lambda: "There is no action 'scn'" in screen_text(pilot.app))
        await wait_until(lambda: "'l' is wanted by both" in screen_text(pilot.app))


async def test_an_unknown_theme_is_told_and_the_program_runs(open_app: OpenApp, wait_until: Wait) -> None:
    async with open_app(theme="no-such") as pilot:
        await wait_until(lambda: "There is no theme 'no-such'" in screen_text(pilot.app))


async def test_the_log_opens_under_every_screen(open_app: OpenApp, wait_until: Wait) -> None:
    async with open_app() as pilot:
        logging.getLogger("yapmo.scan").warning("before it was opened")
        await pilot.press("l")
        await wait_until(lambda: "before it was opened" in screen_text(pilot.app))
        await pilot.press("5")
        await wait_until(lambda: "┤ 5 Problems ├" in screen_text(pilot.app))
        await wait_until(lambda: "before it was opened" in screen_text(pilot.app))
        await pilot.press("l", "3")
        await pilot.pause()
        assert not pilot.app.screen.query(LogPanel)


@SIZES
async def test_hostile_names_stay_text_on_every_screen(
    open_app: OpenApp, engine: ScriptedEngine, size: tuple[int, int], wait_until: Wait
) -> None:
    problems = tuple(
        Problem(b"/p/" + name, Stage.METADATA, name.decode("utf-8", "surrogateescape"))
        for name in HOSTILE_NAMES
    )
    async with open_app("progress", size=size) as pilot:
        await pilot.press("l")
        for name in HOSTILE_NAMES:
            engine.running = True
            engine.shown = snapshot(
                paths=(b"/srv/" + name,), problems=problems, note=name.decode("utf-8", "surrogateescape")
            )
            assert isinstance(pilot.app, YapmoApp)
            pilot.app.scan_control.watch()
            pilot.app.notify(
                name.decode("utf-8", "surrogateescape"), title=name.decode("utf-8", "surrogateescape")
            )
            logging.getLogger("yapmo.workers").error("failed on %s", name)
            for mode in ("progress", "problems"):
                pilot.app.switch_mode(mode)
                await pilot.pause()
                assert not FORBIDDEN.intersection(everything_shown(pilot.app))
        pilot.app.switch_mode("progress")
        await pilot.press("l")
        await wait_until(lambda: "/p/[@click=app.quit]x" in screen_text(pilot.app))
        assert pilot.app.is_running
