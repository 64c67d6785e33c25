"""Pausing, resuming and aborting in every stage, and disks that do not answer."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

import tui.scan.walk_stage
from tests.media import jpeg_bytes, write_file
from tests.scan.engine import Engine
from tests.scan.test_service import children, state_of
from tui.records import ScanState, Stage
from tui.scan.closing import settle_walks
from tui.scan.service import ScanRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HUGE = 1 << 36
"""Bytes of a file full of holes that nobody hashes within a test."""


def make_photos(root: Path, number: int) -> None:
    for index in range(number):
        write_file(root / f"{index % 3}/{index}.jpg", jpeg_bytes(index % 5) + str(index).encode())


def make_huge(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(HUGE)


async def start(engine: Engine, root: Path, **request: Any) -> None:
    await engine.service.start(ScanRequest((os.fsencode(root),), **request))


@pytest.mark.parametrize("only", [Stage.WALK, Stage.METADATA, Stage.FINGERPRINT, None])
async def test_a_scan_that_is_paused_goes_on_or_ends_as_it_is_told(
    tmp_path: Path, only: Stage | None
) -> None:
    root = tmp_path / "media"
    make_photos(root, 12)
    async with Engine.open(tmp_path) as engine:
        if only is not None:
            await engine.scan(root, only=Stage.WALK)
        await start(engine, root, only=only)
        engine.service.pause()
        assert engine.snapshot.state is ScanState.PAUSED
        engine.service.abort()
        assert (await engine.service.wait()).state is ScanState.ABORTED
        await start(engine, root, only=only)
        engine.service.pause()
        engine.service.resume()
        assert (await engine.service.wait()).state is ScanState.COMPLETED
        done = {Stage.METADATA: (1, 0), Stage.FINGERPRINT: (0, 1), None: (1, 1)}
        for column, state in zip(
            ("metadata_state", "fingerprint_state"), done.get(only, (0, 0)), strict=True
        ):
            assert set((await state_of(engine, column)).values()) == {state}
    assert children() == set()


async def test_the_number_of_workers_changes_while_a_scan_is_paused(
    tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    root = tmp_path / "media"
    make_photos(root, 40)

    def processes() -> int:
        return len([worker for worker in engine.snapshot.workers if worker.kind == "exiftool"])

    async with Engine.open(tmp_path, max_workers=1) as engine:
        await start(engine, root)
        engine.service.pause()
        engine.service.set_workers(3)
        await wait_until(lambda: processes() == 3)
        engine.service.set_workers(1)
        await wait_until(lambda: processes() == 1)
        assert engine.snapshot.state is ScanState.PAUSED
        engine.service.resume()
        summary = await engine.service.wait()
        assert (summary.state, summary.counters.metadata_done) == (ScanState.COMPLETED, 40)


@pytest.mark.parametrize("number", [1, 32])
async def test_as_few_and_as_many_workers_as_there_may_be(tmp_path: Path, number: int) -> None:
    root = tmp_path / "media"
    make_photos(root, 6)
    async with Engine.open(tmp_path, max_workers=number) as engine:
        summary = await engine.scan(root)
        assert engine.service.workers == number
        assert (summary.counters.metadata_done, summary.counters.problems) == (6, 0)
    assert children() == set()


async def test_an_abort_while_a_huge_file_is_hashed_keeps_what_was_hashed_before(
    tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    root = tmp_path / "media"
    make_photos(root, 3)
    make_huge(root / "0/huge.mov")
    async with Engine.open(tmp_path, fingerprint="full") as engine:
        await engine.scan(root, only=Stage.WALK)
        await start(engine, root, only=Stage.FINGERPRINT)
        await wait_until(lambda: engine.snapshot.counters.fingerprints_done == 3)
        engine.service.abort()
        assert (await engine.service.wait()).state is ScanState.ABORTED
        states = await state_of(engine, "fingerprint_state")
        assert states.pop("huge.mov") == 0
        assert set(states.values()) == {1}


async def test_an_abort_while_equal_ends_are_told_apart(
    tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    root = tmp_path / "media"
    root.mkdir()
    make_huge(root / "a.mov")
    make_huge(root / "b.mov")
    async with Engine.open(tmp_path, fingerprint="auto") as engine:
        await engine.scan(root, only=Stage.WALK)
        await start(engine, root, only=Stage.FINGERPRINT)
        await wait_until(lambda: engine.snapshot.counters.fingerprints_done == 2)
        engine.service.abort()
        assert (await engine.service.wait()).state is ScanState.ABORTED
        rows = await engine.rows("SELECT fingerprint_state, quick_fingerprint, fingerprint FROM file")
        assert rows[0] == rows[1]
        assert rows[0][1] is not None
        assert rows[0][2] is None


async def test_an_abort_while_the_walk_is_settled_decides_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "media"
    make_photos(root, 9)

    async with Engine.open(tmp_path) as engine:

        async def abort_first(*arguments: Any, **options: Any) -> Any:
            engine.service.abort()
            return await settle_walks(*arguments, **options)

        await engine.catalogue(root)
        before = await engine.ids()
        os.rename(root / "0", root / "renamed")
        os.unlink(root / "1/1.jpg")
        monkeypatch.setattr(tui.scan.walk_stage, "settle_walks", abort_first)
        summary = await engine.scan(root, only=Stage.WALK)
        assert summary.state is ScanState.ABORTED
        monkeypatch.undo()
        engine.check_counts((await engine.scan(root, only=Stage.WALK)).counters)
        after = await engine.ids()
        assert {name.replace("renamed/", "0/"): number for name, number in after.items()} == {
            name: number for name, number in before.items() if name != "1/1.jpg"
        }


async def test_an_abort_does_not_wait_for_a_disk_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    root = tmp_path / "media"
    make_photos(root, 3)
    asked, answer = threading.Event(), threading.Event()

    def scandir(path: bytes) -> Any:
        if path.endswith(b"/1"):
            asked.set()
            answer.wait()
        return listdir(path)

    listdir = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    try:
        async with Engine.open(tmp_path) as engine:
            await start(engine, root, only=Stage.WALK)
            await wait_until(asked.is_set)
            engine.service.abort()
            try:
                async with asyncio.timeout(20):
                    assert (await engine.service.wait()).state is ScanState.ABORTED
            finally:
                answer.set()
            assert await engine.rows("SELECT state FROM scan") == [("aborted",)]
            again = await engine.scan(root, only=Stage.WALK)
            assert (again.state, again.counters.files) == (ScanState.COMPLETED, 3)
    finally:
        answer.set()
