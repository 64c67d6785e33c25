"""Faults of the program in the middle of a scan: it ends, says so, and blames neither the disk nor other files."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any

import pytest

import tui.scan.hashing
import tui.scan.walk_batches
from tests.media import write_file
from tests.scan.engine import Engine
from tests.scan.test_service import state_of
from tui.errors import FAULT_CODE, LibraryError
from tui.records import ScanState, Stage
from tui.scan.fingerprint import fingerprint_file

if TYPE_CHECKING:
    from pathlib import Path

    from tui.records import FileJob, Fingerprint


@pytest.mark.parametrize(
    ("fault", "code"),
    [(RuntimeError("a [/] fault"), FAULT_CODE), (LibraryError("no room"), LibraryError.exit_code)],
)
async def test_a_walk_that_fails_is_no_root_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, code: int
) -> None:
    roots = tmp_path / "one", tmp_path / "two"
    for root in roots:
        write_file(root / "1.jpg", root.name.encode())

    def fail(*_arguments: Any) -> Any:
        raise fault

    async with Engine.open(tmp_path) as engine:
        with monkeypatch.context() as patch:
            patch.setattr(tui.scan.walk_batches, "apply_folder_updates", fail)
            summary = await engine.scan(*roots)
        assert (summary.state, summary.error_code, summary.unavailable) == (ScanState.FAILED, code, "")
        assert str(fault) in summary.error
        again = await engine.scan(*roots, only=Stage.WALK)
        assert (again.state, again.counters.new) == (ScanState.COMPLETED, 2)


@pytest.mark.parametrize("hashing", ["auto", "full"])
async def test_a_file_that_cannot_be_hashed_is_a_problem_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, hashing: str
) -> None:
    root = tmp_path / "media"
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        write_file(root / name, name.encode())

    def hash_but_one(job: FileJob, *arguments: Any, **options: Any) -> Fingerprint:
        if os.path.basename(job.path) == b"2.jpg":
            raise ValueError
        return fingerprint_file(job, *arguments, **options)

    monkeypatch.setattr(tui.scan.hashing, "fingerprint_file", hash_but_one)
    async with Engine.open(tmp_path, fingerprint=hashing) as engine:
        await engine.scan(root, only=Stage.WALK)
        with caplog.at_level(logging.CRITICAL + 1):
            async with asyncio.timeout(20):
                summary = await engine.scan(root, only=Stage.FINGERPRINT)
        assert summary.state is ScanState.COMPLETED
        assert (summary.counters.fingerprints_done, summary.counters.problems) == (2, 1)
        assert await state_of(engine, "fingerprint_state") == {"1.jpg": 1, "2.jpg": 2, "3.jpg": 1}
        assert "ValueError" in (await engine.rows("SELECT message FROM problem"))[0][0]
