"""Fixtures for all tests: every test runs with its own home, so that nothing of the user's is touched."""

from __future__ import annotations

import logging
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test an empty home: config, data and state directories lie inside it."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    for variable, name in (
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_STATE_HOME", "state"),
    ):
        monkeypatch.setenv(variable, str(folder / name))
    monkeypatch.delenv("YAPMO_CONFIG", raising=False)
    monkeypatch.setattr(logging.getLogger("yapmo"), "propagate", True)  # a program run in a test turns it off
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    return folder


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    """Return a coroutine function that waits for a condition with a deadline; with `pause_s=0` it misses no turn."""
    import asyncio

    async def wait(condition: Callable[[], object], *, seconds: float = 60.0, pause_s: float = 0.01) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {condition}")
            await asyncio.sleep(pause_s)

    return wait


def pytest_configure(config: pytest.Config) -> None:
    """Keep the terminal of whoever runs the tests out of what the tests show, and their `nohup` out of what they start."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for variable in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        os.environ.pop(variable, None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write out what is no UTF-8 in a report: hostile names get into captured logs, and reports travel as UTF-8."""
    report = yield
    report.sections = [(name, _as_utf8(text)) for name, text in report.sections]
    if report.failed and not _is_utf8(str(report.longrepr)):
        report.longrepr = _as_utf8(str(report.longrepr))
    return report


def _is_utf8(text: str) -> bool:
    return _as_utf8(text) == text


def _as_utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
