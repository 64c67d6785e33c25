"""Roots that come and go: offline is not missing, and nobody is asked about a disk that is not there."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

import pytest

from tests.media import write_file
from tests.scan.engine import Engine
from tui.errors import RootUnavailableError
from tui.library import roots
from tui.records import Stage
from tui.scan.presence import find_present, look_alone, look_at_roots
from tui.scan.service import ScanRequest

if TYPE_CHECKING:
    from pathlib import Path


async def offline_roots(engine: Engine) -> set[bytes]:
    """Return the names of the roots that the library takes for offline."""
    known = await engine.library.writer.run(roots.list_roots)
    return {os.path.basename(root.path) for root in known if root.offline_since is not None}


async def make_two(engine: Engine, folder: Path) -> tuple[Path, Path]:
    here, away = folder / "here", folder / "away"
    for root in (here, away):
        write_file(root / "1.jpg", root.name.encode())
    await engine.scan(here, away, only=Stage.WALK)
    return here, away


async def test_a_scan_of_all_roots_notes_which_is_away_and_which_came_back(tmp_path: Path) -> None:
    async with Engine.open(tmp_path) as engine:
        _, away = await make_two(engine, tmp_path)
        away.rename(tmp_path / "unplugged")
        for _ in range(2):
            await engine.service.start(ScanRequest(only=Stage.WALK))
            summary = await engine.service.wait()
            assert (summary.counters.missing, summary.doubts) == (0, ())
            assert str(away) in summary.unavailable
            assert await offline_roots(engine) == {b"away"}
        assert await engine.missing_ids() == set()
        (tmp_path / "unplugged").rename(away)
        await engine.service.start(ScanRequest(only=Stage.WALK))
        assert (await engine.service.wait()).unavailable == ""
        assert await offline_roots(engine) == set()


async def test_a_scan_of_a_root_that_is_away_says_so_and_notes_it(tmp_path: Path) -> None:
    async with Engine.open(tmp_path) as engine:
        _, away = await make_two(engine, tmp_path)
        away.rename(tmp_path / "unplugged")
        with pytest.raises(RootUnavailableError, match="There is no"):
            await engine.scan(away)
        assert await offline_roots(engine) == {b"away"}


async def test_the_empty_folder_where_a_disk_was_mounted_is_not_the_disk(tmp_path: Path) -> None:
    """The file system of the root is another one than that of the folder that is left."""
    async with Engine.open(tmp_path) as engine:
        _, away = await make_two(engine, tmp_path)
        await engine.library.writer.run(
            lambda db: db.execute(
                "UPDATE root SET file_system = 'uuid:disk' WHERE path = ?", (os.fsencode(away),)
            )
        )
        (away / "1.jpg").unlink()
        assert await look_at_roots(engine.library)
        assert await offline_roots(engine) == {b"away"}
        summary = await engine.scan(away, only=Stage.WALK)
        assert "another file system" in summary.unavailable
        assert not summary.doubts, "there is nothing to ask about a disk that is not there"
        assert await offline_roots(engine) == {b"away"}
        assert await engine.missing_ids() == set()
        await engine.scan(away, only=Stage.WALK, accept_missing=True)
        assert await engine.missing_ids() == set(), "a yes to another question is none to this one"
        await engine.scan(away, only=Stage.WALK, accept_missing=True, accept_unmounted=True)
        assert len(await engine.missing_ids()) == 1
        assert await offline_roots(engine) == set()


async def test_what_was_deleted_is_a_question_and_what_is_away_is_none(tmp_path: Path) -> None:
    async with Engine.open(tmp_path) as engine:
        here, _ = await make_two(engine, tmp_path)
        (here / "1.jpg").unlink()
        summary = await engine.scan(here, only=Stage.WALK)
        assert "is empty" in summary.unavailable
        assert [doubt.path for doubt in summary.doubts] == [os.fsencode(here)]
        assert await offline_roots(engine) == set()


async def test_of_two_roots_only_the_one_in_doubt_may_be_accepted(tmp_path: Path) -> None:
    async with Engine.open(tmp_path) as engine:
        here, away = await make_two(engine, tmp_path)
        await engine.library.writer.run(
            lambda db: db.execute(
                "UPDATE root SET file_system = 'uuid:disk' WHERE path = ?", (os.fsencode(away),)
            )
        )
        for root in (here, away):
            (root / "1.jpg").unlink()
        summary = await engine.scan(here, away, only=Stage.WALK)
        assert "another file system" in summary.unavailable
        assert [doubt.path for doubt in summary.doubts] == [os.fsencode(here)]
        assert all(doubt.reason in summary.unavailable for doubt in summary.doubts)
        summary = await engine.scan(here, away, only=Stage.WALK, accept_missing=True)
        assert summary.counters.missing == 1
        assert "another file system" in summary.unavailable


@pytest.mark.parametrize(
    ("gone", "missing"),
    [
        ((), set()),
        ((1,), {"1.jpg"}),  # most are there as they were: the folder is the one that the library knows
        ((1, 2), set()),  # a file may lie in the bare folder where a disk was mounted
    ],
)
async def test_a_folder_is_on_the_file_system_on_which_its_files_are_seen(
    tmp_path: Path, gone: tuple[int, ...], missing: set[str]
) -> None:
    """A disk has another name when it is plugged in elsewhere, a network share when its server moves."""
    root = tmp_path / "root"
    for number in range(3):
        write_file(root / f"in/{number}.jpg", str(number).encode())
    (root / "in/deep").mkdir()
    write_file(root / "in/deep/0.jpg", b"deep")
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root, only=Stage.WALK)
        await engine.library.writer.run(
            lambda db: db.execute("UPDATE folder SET file_system = 'uuid:old' WHERE path = x'696e'")
        )
        for number in gone:
            (root / f"in/{number}.jpg").unlink()
        summary = await engine.scan(root, only=Stage.WALK)
        names = await engine.rows("SELECT display_name FROM file WHERE missing_since IS NOT NULL")
        assert {name for (name,) in names} == missing
        is_spared = len(gone) > len(missing)
        (known,) = await engine.rows("SELECT file_system FROM folder WHERE path = x'696e'")
        assert known == ("uuid:old" if is_spared else None,)
        assert [
            f"{len(gone)} files lie on uuid:old" in row
            for (row,) in await engine.rows("SELECT message FROM problem")
        ] == [True] * is_spared
        assert summary.counters.problems == is_spared


async def test_looking_writes_only_what_changed(tmp_path: Path) -> None:
    async with Engine.open(tmp_path) as engine:
        _, away = await make_two(engine, tmp_path)
        before = await engine.dump("root")
        assert not await look_at_roots(engine.library)
        assert await engine.dump("root") == before
        away.rename(tmp_path / "unplugged")
        assert await look_at_roots(engine.library)
        assert not await look_at_roots(engine.library)


async def test_a_disk_that_does_not_answer_counts_as_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system call that hangs is stood in for by a lock that nobody opens before the end."""
    answers = threading.Event()
    async with Engine.open(tmp_path) as engine:
        here, away = await make_two(engine, tmp_path)
        real = os.scandir

        def scandir(path: bytes) -> object:
            if path == os.fsencode(away):
                answers.wait(20)
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
        monkeypatch.setattr("tui.scan.presence.PATIENCE_S", 0.2)
        try:
            known = await engine.library.writer.run(roots.list_roots)
            present = await find_present(known, patience_s=0.2)
            assert present == {root.root_id: root.path == os.fsencode(here) for root in known}
            await engine.service.start(ScanRequest(only=Stage.WALK))
            summary = await engine.service.wait()
            assert f"{away} does not answer." in summary.unavailable
            assert summary.counters.unchanged == 1
            assert await offline_roots(engine) == {b"away"}
        finally:
            answers.set()


async def test_what_a_look_raises_reaches_the_one_who_waits() -> None:
    def look() -> None:
        raise OSError(5, "broken")

    with pytest.raises(OSError, match="broken"):
        await look_alone(look)


async def test_looking_waits_for_nobody_who_writes(tmp_path: Path) -> None:
    async with Engine.open(tmp_path) as engine:
        await make_two(engine, tmp_path)
        may_end = threading.Event()
        writing = asyncio.create_task(engine.library.writer.run(lambda _: may_end.wait(60)))
        try:
            async with asyncio.timeout(30):
                assert not await look_at_roots(engine.library)
            assert not writing.done()
        finally:
            may_end.set()
            await writing
