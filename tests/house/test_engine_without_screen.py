"""The engine works without a screen: importing it, and running it, loads nothing of the terminal application."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SCREEN = ("textual", "rich", "typer", "tui.app", "tui.opening", "tui.screens", "tui.widgets", "tui.actions")


def modules_after(program: str) -> set[str]:
    """Return the modules that a new process has loaded after `program`."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    result = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
        env=plain,
    )
    return set(json.loads(result.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "program",
    [
        "import tui.scan.service",
        "import tui.library.database, tui.library.query",
        "import tui.workers.pool, tui.workers.exiftool, tui.workers.tags",
        "import tui.config, tui.log, tui.paths, tui.display, tui.records, tui.errors",
    ],
)
def test_the_rooms_below_load_no_screen(program: str) -> None:
    loaded = modules_after(program)
    assert not [name for name in loaded if name.startswith(SCREEN)]


def test_the_child_that_reads_tags_loads_little() -> None:
    loaded = modules_after("import tui.workers.python_worker")
    heavy = {"asyncio", "aiosqlite", "sqlite3", "textual", "rich", "typer", "tui.library", "tui.scan"}
    assert not heavy & loaded


def test_help_loads_neither_engine_nor_records() -> None:
    loaded = modules_after(
        "import sys\nfrom tui.cli import run\nimport io, contextlib\n"
        "with contextlib.redirect_stdout(io.StringIO()): run(['--help'])"
    )
    assert not {"tui.records", "tui.scan.service", "tui.library.database", "textual", "asyncio"} & loaded
