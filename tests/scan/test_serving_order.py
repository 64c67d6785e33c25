"""What is looked at is served first: by the walk, by the reading of metadata and by the fingerprints."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.media import jpeg_bytes, write_file
from tests.scan.engine import Engine
from tui.library import roots
from tui.records import ScanState, Stage
from tui.scan import fingerprint, hashing, metadata
from tui.scan.service import ScanRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tui.records import FileJob, Fingerprint

FOLDERS, FILES = 12, 8


def make_folders(root: Path) -> Path:
    """Make folders of pictures; returns the last of them, which would be read last."""
    for folder in range(FOLDERS):
        for number in range(FILES):
            write_file(root / f"{folder:02}/{number}.jpg", jpeg_bytes(number) + f"{folder}".encode())
    return root / f"{FOLDERS - 1:02}"


async def scan_preferring(engine: Engine, root: Path, folder: Path, only: Stage) -> None:
    """Run one stage while somebody looks at a folder from its start on."""
    await engine.service.start(ScanRequest((os.fsencode(root),), only=only))
    engine.service.prioritise(os.fsencode(folder))
    assert (await engine.service.wait()).state is ScanState.COMPLETED


async def test_the_walk_goes_there_first(tmp_path: Path) -> None:
    root = tmp_path / "media"
    last = make_folders(root)
    async with Engine.open(tmp_path) as engine:
        await scan_preferring(engine, root, last, Stage.WALK)
        rows = await engine.rows("SELECT path FROM folder WHERE path <> x'' ORDER BY id")
        assert rows[0] == (b"11",)


async def test_its_metadata_is_read_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "media"
    last = make_folders(root)
    read: list[bytes] = []
    real = metadata.settle_answers

    def note(answers: Sequence[metadata.RawAnswer], *arguments: Any, **options: Any) -> metadata.SettledBatch:
        read.extend(answer.job.path for answer in answers)
        return real(answers, *arguments, **options)

    monkeypatch.setattr(metadata, "settle_answers", note)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root, only=Stage.WALK)
        await scan_preferring(engine, root, last, Stage.METADATA)
        assert len(read) == FOLDERS * FILES
        assert {os.path.dirname(path) for path in read[:FILES]} == {os.fsencode(last)}


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return a list that fills with the paths of files in the order in which they are hashed."""
    order: list[bytes] = []
    real = fingerprint.fingerprint_file

    def note(job: FileJob, *arguments: Any, **options: Any) -> Fingerprint:
        order.append(job.path)
        return real(job, *arguments, **options)

    monkeypatch.setattr(hashing, "fingerprint_file", note)
    return order


async def test_its_fingerprints_are_taken_first(tmp_path: Path, hashed: list[bytes]) -> None:
    root = tmp_path / "media"
    last = make_folders(root)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root, only=Stage.WALK)
        await scan_preferring(engine, root, last, Stage.FINGERPRINT)
        assert len(hashed) == FOLDERS * FILES
        # two threads have a batch each, and the second begins beside the first
        assert hashed[0].startswith(os.fsencode(last))
        places = [place for place, path in enumerate(hashed) if path.startswith(os.fsencode(last))]
        assert max(places) < 2 * 32


async def test_a_turning_disk_is_read_by_folder_and_name(tmp_path: Path, hashed: list[bytes]) -> None:
    root = tmp_path / "media"
    make_folders(root)
    async with Engine.open(tmp_path) as engine:
        for path in (root / "11", root / "05", root):  # so that ids do not follow the names
            await engine.scan(path, only=Stage.WALK)
        (found,) = await engine.library.writer.run(roots.list_roots)
        await engine.library.writer.run(lambda db: roots.set_disk(db, found.root_id, "hdd"))
        await engine.scan(root, only=Stage.FINGERPRINT)
        assert hashed == sorted(hashed)


async def test_what_is_read_again_in_one_stage_of_a_root_a_folder_or_a_file(tmp_path: Path) -> None:
    root = tmp_path / "media"
    for number, name in enumerate(("a/1.jpg", "a/2.jpg", "b/3.jpg")):
        write_file(root / name, jpeg_bytes(number))
    cases: tuple[tuple[Stage, Any, str, int], ...] = (
        (Stage.METADATA, "metadata", "a", 2),
        (Stage.METADATA, "everything", "a/1.jpg", 1),
        (Stage.FINGERPRINT, "metadata", "", 0),
        (Stage.FINGERPRINT, "everything", "", 3),
        (Stage.FINGERPRINT, "everything", "a", 2),
        (Stage.FINGERPRINT, "everything", "a/1.jpg", 1),
    )
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root)
        for stage, rescan, path, files in cases:
            counts = (await engine.scan(root / path, only=stage, rescan=rescan)).counters
            expected = (files, 0) if stage is Stage.METADATA else (0, files)
            assert (counts.metadata_done, counts.fingerprints_done) == expected, (stage, rescan, path)
            assert await engine.rows("SELECT DISTINCT metadata_state, fingerprint_state FROM file") == [
                (1, 1)
            ]


async def test_a_walk_alone_makes_nothing_pending(tmp_path: Path) -> None:
    root = tmp_path / "media"
    write_file(root / "1.jpg", jpeg_bytes(1))
    async with Engine.open(tmp_path, rescan="everything") as engine:
        await engine.scan(root)
        await engine.scan(root, only=Stage.WALK)
        assert await engine.rows("SELECT metadata_state, fingerprint_state FROM file") == [(1, 1)]
