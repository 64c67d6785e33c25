"""The terminal application on a real library, with an engine that does what a test says."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.screens.scripted_engine import ScriptedEngine
from tui.app import YapmoApp
from tui.config import default_config
from tui.library.database import Library, create_library
from tui.log import set_up_logging
from tui.screens import found_files
from tui.screens.session import ScreenSession
from tui.screens.shell import ShellScreen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    OpenApp = Callable[..., contextlib.AbstractAsyncContextManager[Pilot[int]]]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a pilot look every 5 ms whether the application rests, and screens soon what is new.

    Textual's 20 ms, twice a key, would be most of the time that a test takes.
    """
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.005)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", 0.0005)
    monkeypatch.setattr(found_files, "RENEWAL_PERIOD_S", 0.1)


@pytest.fixture
def engine() -> ScriptedEngine:
    """The engine of the application under test."""
    return ScriptedEngine()


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty library, to be copied: to make one takes longer than many a test."""
    path = tmp_path_factory.mktemp("empty") / "library.yapmo"
    create_library(bytes(path))
    return path


@pytest.fixture
async def library(tmp_path: Path, empty_library: Path) -> AsyncIterator[Library]:
    """An empty library."""
    path = tmp_path / "library.yapmo"
    shutil.copy(empty_library, path)
    async with await Library.open(str(path)) as opened:
        yield opened


@pytest.fixture
def open_app(library: Library, engine: ScriptedEngine, wait_until: Callable[..., Any]) -> OpenApp:
    """Open the application: `async with open_app("progress", size=(80, 24)) as pilot`."""

    @contextlib.asynccontextmanager
    async def open_it(
        mode: str = "progress",
        *,
        size: tuple[int, int] = (120, 40),
        start_path: bytes | None = None,
        **interface: Any,
    ) -> AsyncIterator[Pilot[int]]:
        config = default_config()
        interface = {"refresh_ms": 100, **interface}
        config = dataclasses.replace(config, interface=dataclasses.replace(config.interface, **interface))
        feed = set_up_logging(dataclasses.replace(config.logging, file=False))

        async def open_session() -> ScreenSession:
            return ScreenSession(config, library, engine, feed, keymap=dict(config.interface.keys))

        app = YapmoApp(config, open_session, start_path, first_mode=mode)
        async with app.run_test(size=size, notifications=True) as pilot:
            await wait_until(lambda: app.is_open and isinstance(app.screen, ShellScreen))
            await pilot.pause()
            yield pilot

    return open_it
