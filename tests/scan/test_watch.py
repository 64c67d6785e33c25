"""A scan is watched, and asked to stop, by who may not scan its root."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tests.media import jpeg_bytes, write_file
from tests.scan.engine import Engine
from tui.errors import LibraryError
from tui.library.locks import host_name
from tui.library.scans import ScanRunningError
from tui.records import ScanState
from tui.scan.request import ScanRequest
from tui.scan.service import ScanService

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tui.scan.watch import ScanWatch

    Wait = Callable[..., Any]

FILES = 60


async def watch_a_paused_scan(engine: Engine, root: Path, wait_until: Wait) -> tuple[ScanService, ScanWatch]:
    """Begin a scan of `root`, pause it, and return another service that watches it."""
    for number in range(FILES):
        write_file(root / f"{number}.jpg", jpeg_bytes(number % 5) + str(number).encode())
    write_file(root / "empty.jpg", b"")
    await engine.service.start(ScanRequest((os.fsencode(root),)))
    await wait_until(lambda: engine.snapshot.counters.metadata_done > 2, pause_s=0)
    engine.service.pause()
    other = ScanService(engine.library, engine.service._config)
    with pytest.raises(ScanRunningError) as refused:
        await other.start(ScanRequest((os.fsencode(root),)))
    return other, await other.watch(refused.value.scan_id)


async def test_a_scan_is_watched_to_its_end(tmp_path: Path, wait_until: Wait) -> None:
    root = tmp_path / "media"
    async with Engine.open(tmp_path) as engine:
        other, watch = await watch_a_paused_scan(engine, root, wait_until)
        assert watch.paths == (os.fsencode(root),)
        assert (watch.process.pid, watch.process.host, watch.process.is_here) == (
            os.getpid(),
            host_name(),
            True,
        )
        await wait_until(lambda: watch.snapshot().state == ScanState.PAUSED)
        await wait_until(
            lambda: watch.snapshot().counters.metadata_done == engine.snapshot.counters.metadata_done
        )
        shown, real = watch.snapshot(), engine.snapshot
        assert [(stage.stage, stage.done) for stage in shown.stages] == [
            (stage.stage, stage.done) for stage in real.stages
        ]
        assert shown.process == watch.process
        engine.service.resume()
        summary = await engine.service.wait()
        watched = await watch.wait()
        assert not watch.running
        assert (watched.state, watched.counters) == (ScanState.COMPLETED, summary.counters)
        assert watched.seconds == pytest.approx(summary.seconds, abs=1)
        assert all(stage.finished and not stage.per_second for stage in watch.snapshot().stages)
        assert [os.path.basename(problem.path) for problem in watch.snapshot().problems] == [b"empty.jpg"]
        await other.close()


async def test_a_scan_is_asked_to_abort(tmp_path: Path, wait_until: Wait) -> None:
    root = tmp_path / "media"
    async with Engine.open(tmp_path) as engine:
        other, watch = await watch_a_paused_scan(engine, root, wait_until)
        (found,) = await other.watch_living([os.fsencode(root / "0.jpg")])
        assert await other.watch_living([os.fsencode(tmp_path / "elsewhere")]) == []
        assert await found.ask_to_abort()
        assert found.snapshot().state == ScanState.ABORTING, "shown before the scan has heard"
        assert (await engine.service.wait()).state == ScanState.ABORTED
        assert (await watch.wait()).state == (await found.wait()).state == ScanState.ABORTED
        assert not await found.ask_to_abort()
        assert await other.watch_living() == []
        await other.close()


async def test_a_watch_notices_that_the_process_died(tmp_path: Path, wait_until: Wait) -> None:
    root = tmp_path / "media"
    async with Engine.open(tmp_path) as engine:
        other, watch = await watch_a_paused_scan(engine, root, wait_until)
        with sqlite3.connect(tmp_path / "library.yapmo") as db:
            db.execute("UPDATE scan SET process = process || '0'")
        summary = await asyncio.wait_for(watch.wait(), 60)
        assert summary.state == watch.snapshot().state == ScanState.ABORTED
        assert f"process {os.getpid()}" in summary.error
        await other.close()


async def test_a_watch_of_a_scan_that_is_gone_is_refused(tmp_path: Path) -> None:
    async with Engine.open(tmp_path) as engine:
        with pytest.raises(LibraryError, match="no longer"):
            await engine.service.watch(7)


async def test_who_leaves_stops_only_watching(tmp_path: Path, wait_until: Wait) -> None:
    async with Engine.open(tmp_path) as engine:
        other, watch = await watch_a_paused_scan(engine, tmp_path / "media", wait_until)
        await other.close()
        with pytest.raises(asyncio.CancelledError):
            await watch.wait()
        assert engine.service.running
