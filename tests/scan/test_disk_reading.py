"""Roots on several disks: read side by side, and none held up by another."""

from __future__ import annotations

import asyncio
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.media import jpeg_bytes, make_jpeg, write_file
from tests.scan.engine import Engine
from tests.scan.test_service import children, meddling_exiftool, use_exiftool
from tui.library import roots, scans
from tui.mounts import read_mounts
from tui.records import ScanState, Stage
from tui.scan import fingerprint_stage
from tui.scan.disk_reading import group_by_disk
from tui.scan.fingerprint_stage import FingerprintStage
from tui.scan.root_walk import RootWalk
from tui.scan.service import ScanRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tui.records import FileJob


async def make_roots(engine: Engine, folder: Path, **disks: str) -> list[Path]:
    """Catalogue a root of six pictures for each of `disks` (name of the root to its kind of disk)."""
    paths = [folder / name for name in disks]
    for number, path in enumerate(paths):
        for index in range(6):
            make_jpeg(path / f"{index}.jpg", 10 * number + index)
    await engine.scan(*paths, only=Stage.WALK)
    for root in await engine.library.writer.run(roots.list_roots):
        disk = disks[os.path.basename(root.path).decode()]
        await engine.library.writer.run(partial(roots.set_disk, root_id=root.root_id, disk=disk))
    return paths


async def states_below(engine: Engine, root: Path) -> set[tuple[int, int]]:
    """Return the states of metadata and fingerprint that the files of a root are in."""
    return set(
        await engine.rows(
            "SELECT metadata_state, fingerprint_state FROM file JOIN folder ON folder.id = folder_id "
            "JOIN root ON root.id = root_id WHERE root.path = ?",
            os.fsencode(root),
        )
    )


@pytest.mark.parametrize("workers", [1, 4])
async def test_a_disk_that_does_not_answer_holds_up_no_other(tmp_path: Path, workers: int) -> None:
    async with Engine.open(tmp_path, max_workers=workers) as engine:
        quick, slow = await make_roots(engine, tmp_path, quick="ssd", slow="network")
        use_exiftool(engine, meddling_exiftool(tmp_path, "if b'/slow/' in line: time.sleep(3600)"))
        await engine.service.start(ScanRequest())
        async with asyncio.timeout(30):
            while await states_below(engine, quick) != {(1, 1)}:
                await asyncio.sleep(0.05)
        assert engine.service.running
        assert {metadata for metadata, _ in await states_below(engine, slow)} == {0}
        engine.service.abort()
        assert (await engine.service.wait()).state is ScanState.ABORTED
    assert children() == set()


async def test_equal_files_on_two_disks_are_told_apart_by_their_whole_content(tmp_path: Path) -> None:
    async with Engine.open(tmp_path) as engine:
        paths = await make_roots(engine, tmp_path, one="ssd", two="hdd", three="network")
        for path in paths:
            write_file(path / "same.jpg", jpeg_bytes(77) + b"x" * 300_000)
        summary = await engine.scan(*paths)
        assert (summary.state, summary.counters.metadata_done) == (ScanState.COMPLETED, 21)
        rows = await engine.rows(
            "SELECT display_name FROM file WHERE fingerprint IS NOT NULL AND size > 200000"
        )
        assert rows == [("same.jpg",)] * 3
        progress = {stage.stage: (stage.finished, stage.done) for stage in engine.snapshot.stages}
        assert progress[Stage.METADATA] == (True, 21)
        assert progress[Stage.FINGERPRINT] == (True, 24)


async def test_a_kind_of_disk_sets_how_many_reads_run_at_once(tmp_path: Path) -> None:
    expected = {"ssd": (4, 2), "hdd": (2, 1), "network": (4, 8)}
    async with Engine.open(tmp_path, max_workers=4) as engine:
        (path,) = await make_roots(engine, tmp_path, root="ssd")
        for disk, numbers in expected.items():
            await engine.library.writer.run(partial(roots.set_disk, root_id=1, disk=disk))
            await engine.service.start(ScanRequest((os.fsencode(path),)))
            run = engine.service._run
            assert run is not None
            (reading,) = run._reading._disks
            fingerprint: FingerprintStage | None = reading._fingerprint
            assert reading.pools is not None
            assert fingerprint is not None
            assert (reading.pools.exiftool.size, fingerprint._hashing._number) == numbers
            assert engine.service.workers == 4
            await engine.service.wait()


async def test_roots_on_one_disk_are_read_together(tmp_path: Path) -> None:
    async with Engine.open(tmp_path) as engine:
        paths = await make_roots(engine, tmp_path, one="hdd", two="hdd", three="ssd")
        await engine.service.start(ScanRequest(tuple(os.fsencode(path) for path in paths)))
        run = engine.service._run
        assert run is not None
        groups = [
            sorted(os.path.basename(item.path) for item in group) for group in group_by_disk(run._targets)
        ]
        assert groups == [[b"one", b"two"], [b"three"]]
        await engine.service.wait()


async def test_every_worker_has_a_number_of_its_own(tmp_path: Path, wait_until: Callable[..., Any]) -> None:
    async with Engine.open(tmp_path, max_workers=2) as engine:
        await make_roots(engine, tmp_path, one="ssd", two="network")
        use_exiftool(engine, meddling_exiftool(tmp_path, "if b'.jpg' in line: time.sleep(3600)"))
        await engine.service.start(ScanRequest())
        await wait_until(lambda: sum(worker.path is not None for worker in engine.snapshot.workers) == 2)
        numbers = [worker.number for worker in engine.snapshot.workers]
        assert numbers == list(range(1, len(numbers) + 1))
        engine.service.abort()
        await engine.service.wait()


async def test_the_guess_of_a_scan_is_kept(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    async with Engine.open(tmp_path) as engine:
        await engine.scan(tmp_path / "media", only=Stage.WALK)
        ((guess,),) = await engine.rows("SELECT guessed_disk FROM root")
        assert guess in {"ssd", "hdd", "network"}
        assert guess == "ssd" or read_mounts()


async def test_what_is_hashed_while_another_disk_is_walked_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    monkeypatch.setattr(fingerprint_stage, "_BATCH_FILES", 4)
    monkeypatch.setattr(fingerprint_stage, "_WAITING_BATCHES", 2)
    gate, remembered = threading.Event(), [0]
    real_walk, real_submit = RootWalk._walk_all, FingerprintStage._submit

    def walk_all(walk: RootWalk) -> None:
        assert not walk._root.endswith(b"/slow") or gate.wait(60)
        real_walk(walk)

    def submit(stage: FingerprintStage, jobs: Sequence[FileJob], *, full: bool) -> None:
        remembered.append(len(stage._hashed_early))
        real_submit(stage, jobs, full=full)

    async with Engine.open(tmp_path) as engine:
        quick, _ = await make_roots(engine, tmp_path, quick="ssd", slow="network")
        for number in range(34):
            write_file(quick / f"{number}.png", b"%d" % number)
        await engine.scan(quick, only=Stage.METADATA)
        monkeypatch.setattr(RootWalk, "_walk_all", walk_all)
        monkeypatch.setattr(FingerprintStage, "_submit", submit)
        await engine.service.start(ScanRequest())
        run = engine.service._run
        assert run is not None
        async with asyncio.timeout(60):
            while {fingerprint for _, fingerprint in await states_below(engine, quick)} != {1}:
                await asyncio.sleep(0.01)
        disks = run._reading._disks
        await wait_until(
            lambda: not any(disk._fingerprint and disk._fingerprint._hashed_early for disk in disks)
        )
        assert engine.service.running
        gate.set()
        assert (await engine.service.wait()).state is ScanState.COMPLETED
        progress = {item.stage: item.done for item in engine.snapshot.stages}
        assert progress[Stage.FINGERPRINT] == 46, "each file once"
    assert 0 < max(remembered) <= 5 * 4


@pytest.mark.parametrize(("disk", "together"), [("ssd", 3), ("hdd", 1)])
async def test_a_turning_disk_is_walked_by_one_walk_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: str, together: int
) -> None:
    begun = 0
    at_once: list[int] = []
    everybody = threading.Barrier(together)
    real = RootWalk._walk_all

    def walk_all(walk: RootWalk) -> None:
        nonlocal begun
        begun += 1
        everybody.wait(20)  # nobody goes on before so many have begun
        at_once.append(begun)
        real(walk)
        begun -= 1

    async with Engine.open(tmp_path) as engine:
        paths = await make_roots(engine, tmp_path, one=disk, two=disk, three=disk)
        monkeypatch.setattr(RootWalk, "_walk_all", walk_all)
        summary = await engine.scan(*paths, only=Stage.WALK)
    assert (summary.state, summary.counters.unchanged) == (ScanState.COMPLETED, 18)
    assert max(at_once) == together


async def test_a_scan_of_several_roots_is_one_scan_in_the_history(tmp_path: Path) -> None:
    async with Engine.open(tmp_path) as engine:
        paths = await make_roots(engine, tmp_path, one="ssd", two="ssd")
        await engine.scan(paths[0], only=Stage.WALK)
        last, first = await engine.library.writer.run(scans.recent_scans)
        assert (last.path, last.further_roots, last.counters.new) == (os.fsencode(paths[0]), 0, 0)
        assert (first.further_roots, first.counters.new) == (1, 12)
        assert first.what.endswith("/one and 1 more")
        for number, root in enumerate(await engine.library.writer.run(roots.list_roots)):
            own = await engine.library.writer.run(partial(scans.recent_scans, root_id=root.root_id))
            assert len(own) == 2 - number
