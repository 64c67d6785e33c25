"""What a walk learned reaches the library in small batches, in the order of names, and no more than needed."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from tests.media import write_file
from tests.scan.engine import Engine
from tui.library import files
from tui.library.identity.staging import apply_folder_updates
from tui.records import FolderUpdate, FoundFile, FoundSidecar, Kind, ScanState, Stage
from tui.scan import walk_batches
from tui.scan.walk_batches import count_files, in_order, split_update

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    import pytest

FILES = tuple(FoundFile(b"%d.jpg" % number, Kind.IMAGE, 1, 1, number) for number in range(9))


def make_files(root: Path, number: int, folders: int = 1) -> None:
    for index in range(number):
        write_file(root / str(index % folders) / f"{index}.jpg", b"x")


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3), st.integers(1, 5))
def test_the_parts_of_an_update_say_what_it_says(new: int, changed: int, sidecars: int, limit: int) -> None:
    update = FolderUpdate(
        b"d",
        "fs",
        new=FILES[:new],
        changed=tuple(enumerate(FILES[:changed])),
        sidecars=tuple(FoundSidecar(b"%d.xmp" % number, 1, 1) for number in range(sidecars)),
        digest=b"digest",
    )
    parts = list(split_update(update, limit))
    assert all(count_files(part) <= limit and part.file_system == "fs" for part in parts)
    for name in ("new", "changed", "sidecars"):
        assert sum((getattr(part, name) for part in parts), ()) == getattr(update, name)
    assert len(parts) == 1 or all(part.digest is None for part in parts)


def test_an_update_from_which_files_depart_stays_whole() -> None:
    update = FolderUpdate(b"d", new=FILES, gone=(1,))
    assert list(split_update(update, 2)) == [update]


@given(st.permutations(FILES), st.integers(1, 12))
def test_files_are_put_in_the_order_of_their_names(found: list[FoundFile], limit: int) -> None:
    assert in_order(found, limit) == sorted(found)


async def test_an_unchanged_folder_is_known_without_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(tmp_path / "media", 20, folders=2)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(tmp_path / "media", only=Stage.WALK)
        read: list[int] = []
        present = files.present_stamps

        def note_and_read(db: sqlite3.Connection, folder_id: int) -> Any:
            read.append(folder_id)
            return present(db, folder_id)

        monkeypatch.setattr(files, "present_stamps", note_and_read)
        again = await engine.scan(tmp_path / "media", only=Stage.WALK)
        assert (again.counters.unchanged, again.counters.bytes) == (20, 20)
        (top,) = await engine.rows("SELECT id FROM folder WHERE path = x''")
        assert set(read) <= set(top), "only the folder that holds no file is looked up"
        os.utime(tmp_path / "media/1/1.jpg", ns=(5, 5))
        changed = await engine.scan(tmp_path / "media", only=Stage.WALK)
        assert (changed.counters.changed, changed.counters.unchanged) == (1, 19)


async def test_a_folder_of_many_batches_is_known_without_its_rows_from_the_second_scan_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk_batches.split_update, "__defaults__", (3,))
    make_files(tmp_path / "media", 10)
    async with Engine.open(tmp_path) as engine:
        first = await engine.scan(tmp_path / "media", only=Stage.WALK)
        assert first.counters.new == 10
        names = [name for (name,) in await engine.rows("SELECT name FROM file ORDER BY id")]
        assert names == sorted(names)
        listing = "SELECT digest FROM folder_listing JOIN folder ON id = folder_id WHERE path = x'30'"
        assert await engine.rows(listing) == [(None,)]
        second = await engine.scan(tmp_path / "media", only=Stage.WALK)
        assert second.counters.unchanged == 10
        assert await engine.rows(listing) != [(None,)]


async def test_an_abort_waits_for_two_batches_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk_batches, "BATCH_FILES", 4)
    make_files(tmp_path / "media", 120, folders=60)
    async with Engine.open(tmp_path) as engine:
        batches: list[int] = []

        def let_the_walk_run_ahead_then_abort(*arguments: Any) -> Any:
            batches.append(len(batches))
            deadline = time.monotonic() + 0.5
            while len(batches) == 1 and engine.snapshot.counters.folders < 30 and time.monotonic() < deadline:
                time.sleep(0.001)  # in the writer's thread: nothing else waits for it
            engine.service.abort()
            return apply_folder_updates(*arguments)

        monkeypatch.setattr(walk_batches, "apply_folder_updates", let_the_walk_run_ahead_then_abort)
        summary = await engine.scan(tmp_path / "media", only=Stage.WALK)
        assert summary.state is ScanState.ABORTED
        assert len(batches) <= 3
        kept = len(await engine.rows("SELECT 1 FROM file"))
        assert 0 < kept == summary.counters.new < 120
        monkeypatch.undo()
        rest = await engine.scan(tmp_path / "media", only=Stage.WALK)
        assert (rest.counters.new, rest.counters.unchanged) == (120 - kept, kept)
