"""Disks that are away for a while: seen as that, waited for, and told from folders that were deleted."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tui.library.identity.staging import ScanKey
from tui.scan import absence
from tui.scan.absence import DiskPresence
from tui.scan.cancel import CancelToken, ScanCancelledError
from tui.scan.disks import Disk
from tui.scan.file_systems import FileSystem, file_system_of
from tui.scan.targets import ScanTarget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Mounts:
    """What lies at each path, as far as the product asks; another disk everywhere while `is_away`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_away = False
        monkeypatch.setattr(absence, "file_system_of", self.look)

    def look(self, path: bytes) -> FileSystem:
        if self.is_away:
            return FileSystem("ext4:/dev/other", "ext4", path, stable_inodes=True)
        return file_system_of(path)


@pytest.fixture
def mounts(monkeypatch: pytest.MonkeyPatch) -> Mounts:
    return Mounts(monkeypatch)


@pytest.fixture
def presence(tmp_path: Path, mounts: Mounts) -> DiskPresence:
    folder = os.fsencode(tmp_path / "root")
    os.mkdir(folder)
    here = file_system_of(folder)
    key = ScanKey(1, 1, 1, expect_moves=False)
    target = ScanTarget(key, folder, folder, b"", None, here, here.identity, here.identity, Disk.SSD)
    return DiskPresence([target], CancelToken())


def test_a_disk_that_is_there(presence: DiskPresence) -> None:
    assert presence.look_now()
    assert (presence.is_away, presence.note) == (False, "")


def test_another_file_system_at_the_place_means_that_the_disk_is_away(
    presence: DiskPresence, mounts: Mounts, tmp_path: Path
) -> None:
    mounts.is_away = True
    assert not presence.look_now()
    assert f"waiting for the disk of {tmp_path}/root" in presence.note
    mounts.is_away = False
    assert presence.look_now()
    assert presence.note == ""


def test_a_root_that_was_deleted_is_not_waited_for(presence: DiskPresence, tmp_path: Path) -> None:
    (tmp_path / "root").rmdir()
    assert presence.look_now()
    assert not presence.wait_in_thread()


def test_a_root_whose_disk_was_taken_away_with_its_folder(
    presence: DiskPresence, mounts: Mounts, tmp_path: Path
) -> None:
    (tmp_path / "root").rmdir()
    mounts.is_away = True
    assert not presence.look_now()


async def test_failures_are_doubted_until_the_disk_has_been_back_for_a_while(
    presence: DiskPresence, mounts: Mounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not await presence.is_to_blame()
    mounts.is_away = True
    assert await presence.is_to_blame()
    mounts.is_away = False
    assert await presence.is_to_blame()
    monkeypatch.setattr(absence, "_DOUBTED_S", 0.0)
    assert not await presence.is_to_blame()


def test_a_thread_waits_until_the_disk_is_back(
    presence: DiskPresence, mounts: Mounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absence, "LOOK_S", 0.002)
    assert not presence.wait_in_thread()
    mounts.is_away = True
    waited: list[bool] = []
    thread = threading.Thread(target=lambda: waited.append(presence.wait_in_thread()))
    thread.start()
    while not presence.is_away:
        pass
    assert waited == []
    mounts.is_away = False
    thread.join(30)
    assert waited == [True]


def test_an_abort_ends_the_waiting(presence: DiskPresence, mounts: Mounts) -> None:
    mounts.is_away = True
    presence._token.abort()
    with pytest.raises(ScanCancelledError):
        presence.wait_in_thread()


async def test_a_disk_that_does_not_answer_is_away(
    presence: DiskPresence, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    answer = threading.Event()
    is_there = absence._is_there

    def hang(target: ScanTarget) -> bool:
        answer.wait()
        return is_there(target)

    monkeypatch.setattr(absence, "_is_there", hang)
    monkeypatch.setattr(absence, "PATIENCE_S", 0.01)
    monkeypatch.setattr(absence, "LOOK_S", 0.01)
    looking = asyncio.create_task(presence.keep_looking())
    try:
        await wait_until(lambda: "does not answer" in presence.note)
        answer.set()
        await wait_until(lambda: not presence.is_away)
    finally:
        answer.set()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
