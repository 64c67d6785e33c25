"""Which files may reach a child."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tui.workers.errors import PoolClosedError, TaskRefusedError, TaskTimedOutError
from tui.workers.files import FileGate, check_regular_file, is_local_device
from tui.workers.pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tui.workers.exiftool import ExiftoolKind


def make_special(folder: Path, what: str) -> bytes:
    """Make something that is no regular file and return its path."""
    path = str(folder / "x.jpg")
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        os.mkdir(path)
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
    elif what == "empty":
        open(path, "wb").close()
    elif what != "nothing":
        os.symlink({"link": str(folder / "real.jpg"), "loop": path}.get(what, what), path)
    (folder / "real.jpg").write_bytes(b"x")
    return os.fsencode(path)


SPECIALS = [
    "pipe",
    "folder",
    "socket",
    "empty",
    "nothing",
    "link",
    "loop",
    "/dev/zero",
    "/proc/kmsg",
    "/nowhere",
]


@pytest.mark.parametrize("what", SPECIALS)
def test_only_regular_files_pass(tmp_path: Path, what: str) -> None:
    path = make_special(tmp_path, what)
    began = time.monotonic()
    with pytest.raises(TaskRefusedError) as caught:
        check_regular_file(path)
    assert caught.value.message.endswith(".")
    assert time.monotonic() - began < 1


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, regular = make_special(tmp_path, "pipe"), os.lstat(tmp_path / "real.jpg")
    with monkeypatch.context() as patch:
        patch.setattr(os, "lstat", lambda _: regular)
        with pytest.raises(TaskRefusedError, match="named pipe"):
            check_regular_file(path)


@pytest.mark.parametrize("what", ["pipe", "socket", "/dev/zero"])
def test_what_is_no_file_is_not_even_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Opening a device can do things (a tape rewinds), and a pipe's writer would go on."""
    path = make_special(tmp_path, what)
    opened: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", lambda *arguments: opened.append(arguments))
        with pytest.raises(TaskRefusedError):
            check_regular_file(path)
    assert opened == []


@pytest.mark.parametrize(
    "what", ["pipe", "folder", "loop", "/dev/zero", "/proc/kmsg", "/proc/self/environ", "/nowhere"]
)
def test_following_links_leads_to_regular_files_only(tmp_path: Path, what: str) -> None:
    with pytest.raises(TaskRefusedError):
        check_regular_file(make_special(tmp_path, what), follow_links=True)


def test_a_followed_link_passes(tmp_path: Path) -> None:
    assert check_regular_file(make_special(tmp_path, "link"), follow_links=True).st_size == 1


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(b"x")
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(TaskRefusedError, match="No permission"):
            check_regular_file(os.fsencode(path))
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("what", SPECIALS)
async def test_no_child_sees_anything_else(
    tmp_path: Path, real: Callable[..., ExiftoolKind], what: str
) -> None:
    """Refused in the thread (first of its folder) and at once (second)."""
    path = make_special(tmp_path, what)
    async with asyncio.timeout(5), WorkerPool(real(), 1) as pool:
        for _ in range(2):
            with pytest.raises(TaskRefusedError):
                await pool.run(path)
        assert pool.pids() == ()


async def test_gate_checks_the_first_file_of_a_local_folder_in_a_thread(tmp_path: Path) -> None:
    threads = []

    def check(path: bytes) -> os.stat_result:
        threads.append(threading.current_thread())
        return os.stat(path)

    gate = FileGate(check)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x")
    await gate.check(os.fsencode(tmp_path / "a"), 5)
    await gate.check(os.fsencode(tmp_path / "b"), 5)
    local = is_local_device(os.stat(tmp_path).st_dev)
    assert threads[0] is not threading.main_thread()
    assert (threads[1] is threading.main_thread()) == local
    gate.close()


async def test_a_disk_that_hangs_stops_only_who_asks() -> None:
    release = threading.Event()

    def check(path: bytes) -> os.stat_result:
        if path.startswith(b"/dead"):
            release.wait()
        return os.stat("/")

    gate = FileGate(check)
    hanging = [asyncio.create_task(gate.check(b"/dead/%d" % number, 0.1)) for number in range(4)]
    outcomes = await asyncio.gather(*hanging, return_exceptions=True)
    assert all(isinstance(outcome, TaskTimedOutError) for outcome in outcomes)
    await gate.check(b"/healthy/file", 20)
    waiting = asyncio.create_task(gate.check(b"/dead/x", 60))
    await asyncio.sleep(0)
    gate.close()
    with pytest.raises(PoolClosedError):
        await waiting
    release.set()


async def test_closing_the_pool_settles_who_waits_for_a_dead_disk(
    fake: Callable[..., ExiftoolKind], monkeypatch: pytest.MonkeyPatch
) -> None:
    release, kind = threading.Event(), fake(timeout_s=60.0)

    def check(path: bytes) -> os.stat_result:
        release.wait()
        return os.stat(path)

    monkeypatch.setattr(kind, "check", check)
    pool = WorkerPool(kind, 1)
    await pool.start()
    task = asyncio.create_task(pool.run(b"/"))
    await asyncio.sleep(0)
    await pool.close()
    async with asyncio.timeout(5):
        with pytest.raises(PoolClosedError):
            await task
    release.set()


def test_network_and_unknown_file_systems_are_not_local(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "36 35 8:1 / / rw,noatime shared:1 - ext4 /dev/sda1 rw\n"
        "37 36 0:50 / /nas rw master:2 shared:3 - nfs4 nas:/export rw\n"
        "38 36 0:51 / /remote rw - fuse.sshfs host: rw\n",
        encoding="utf-8",
    )
    assert is_local_device(os.makedev(8, 1), str(mounts))
    assert not is_local_device(os.makedev(0, 50), str(mounts))
    assert not is_local_device(os.makedev(0, 51), str(mounts))
    assert not is_local_device(os.makedev(0, 52), str(mounts))
    assert not is_local_device(os.makedev(8, 1), str(tmp_path / "nothing"))
