"""The pool in good times: order, size, statuses, cancellation, closing; and what its children may do."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tui.workers.errors import PoolClosedError, TaskRefusedError
from tui.workers.pool import WorkerPool
from tui.workers.process import find_launcher
from tui.workers.usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui.workers.exiftool import ExiftoolAnswer, ExiftoolKind

REPO = Path(__file__).parents[2]


def name_in(answer: ExiftoolAnswer) -> str:
    """Return the name of the file that the fake was asked for."""
    return bytes.fromhex(answer.tags["EXIF:Model"]).decode()


async def test_many_answers_come_to_those_who_asked(
    write: Callable[[str], bytes], fake: Callable[..., ExiftoolKind]
) -> None:
    names = [f"good-{number}.jpg" for number in range(300)]
    paths = [write(name) for name in names]
    async with asyncio.timeout(60), WorkerPool(fake(), 3) as pool:
        answers = await asyncio.gather(*(pool.run(path) for path in paths))
        assert [name_in(answer) for answer in answers] == names
        assert sum(status.done for status in pool.statuses()) == 300
        assert all(status.done > 0 and status.restarts == 0 for status in pool.statuses())


async def test_children_start_when_there_is_work_and_no_more_than_needed(
    write: Callable[[str], bytes], fake: Callable[..., ExiftoolKind]
) -> None:
    path = write("good.jpg")
    async with asyncio.timeout(30), WorkerPool(fake(), 4, in_flight=3) as pool:
        assert pool.pids() == ()
        for _ in range(3):
            await pool.run(path)
        assert len(pool.pids()) == 1
        assert (pool.size, pool.capacity) == (4, 16)
        assert [status.number for status in pool.statuses()] == [1, 2, 3, 4]


async def test_statuses_tell_what_is_read_and_for_how_long(
    write: Callable[[str], bytes],
    fake: Callable[..., ExiftoolKind],
    wait_until: Callable[..., Awaitable[None]],
) -> None:
    path = write("hang.jpg")
    async with WorkerPool(fake(), 1) as pool:
        task = asyncio.create_task(pool.run(path))
        await wait_until(lambda: pool.statuses()[0].busy_s > 0.05)
        status = pool.statuses()[0]
        assert (status.kind, status.path, status.done, status.restarts) == ("exiftool", path, 0, 0)
    with pytest.raises(PoolClosedError):
        await task


async def test_size_changes_while_it_runs(
    write: Callable[[str], bytes], fake: Callable[..., ExiftoolKind]
) -> None:
    names = [f"good-{number}.jpg" for number in range(200)]
    paths = [write(name) for name in names]
    async with asyncio.timeout(60), WorkerPool(fake(), 1) as pool:
        tasks = [asyncio.create_task(pool.run(path)) for path in paths]
        for size in (4, 2, 5, 1, 3):
            pool.resize(size)
            await asyncio.wait(tasks[:40])
            assert len(pool.statuses()) == pool.size == size
            del tasks[:40]
            assert len(pool.pids()) <= 5
        pool.resize(1)
        await asyncio.sleep(0)
        assert len(pool.pids()) == 1


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (-3, 1), (1, 1), (32, 32), (1000, 32)])
async def test_size_stays_between_1_and_32(fake: Callable[..., ExiftoolKind], asked: int, given: int) -> None:
    pool = WorkerPool(fake(), asked)
    assert pool.size == given
    pool.resize(2)
    pool.resize(asked)
    assert pool.size == given


async def test_cancelled_callers_disturb_nobody(
    write: Callable[[str], bytes], fake: Callable[..., ExiftoolKind]
) -> None:
    names = [f"good-{number}.jpg" for number in range(60)]
    paths = [write(name) for name in names]
    async with asyncio.timeout(60), WorkerPool(fake(), 2) as pool:
        tasks = [asyncio.create_task(pool.run(path)) for path in paths]
        await tasks[0]
        for task in tasks[1::2]:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for name, outcome in list(zip(names, outcomes, strict=True))[::2]:
            assert not isinstance(outcome, BaseException)
            assert name_in(outcome) == name


async def test_cancelled_tasks_that_only_waited_are_not_read(
    write: Callable[[str], bytes], fake: Callable[..., ExiftoolKind]
) -> None:
    paths = [write("slow.jpg"), *(write(f"good-{number}.jpg") for number in range(30))]
    async with asyncio.timeout(60), WorkerPool(fake(), 1, in_flight=2) as pool:
        tasks = [asyncio.create_task(pool.run(path)) for path in paths]
        while not pool.statuses()[0].path:
            await asyncio.sleep(0.01)
        for task in tasks[2:]:
            task.cancel()
        await asyncio.wait(tasks)
        await pool.run(paths[1])
        assert pool.statuses()[0].done <= 4


async def test_a_pool_that_does_not_run_takes_no_task(
    write: Callable[[str], bytes], fake: Callable[..., ExiftoolKind]
) -> None:
    pool = WorkerPool(fake(), 1)
    with pytest.raises(PoolClosedError):
        await pool.run(write("good.jpg"))
    await pool.close()
    await pool.start()
    await pool.start()
    await pool.run(write("good.jpg"))
    await pool.close()
    with pytest.raises(PoolClosedError):
        await pool.run(write("good.jpg"))


async def test_an_idle_pool_costs_nothing(
    write: Callable[[str], bytes],
    fake: Callable[..., ExiftoolKind],
    wait_until: Callable[..., Awaitable[None]],
) -> None:
    async with asyncio.timeout(30), WorkerPool(fake(), 1) as pool:
        await pool.run(write("good.jpg"))
        await wait_until(lambda: not pool._stirred.is_set())


async def test_children_are_limited(
    write: Callable[[str], bytes], real: Callable[..., ExiftoolKind], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("PATH", f"relative:{os.environ['PATH']}")
    kind = real(memory_bytes=777_777_777)
    async with asyncio.timeout(30), WorkerPool(kind, 1) as pool:
        await pool.run(write("a.jpg"))
        pid = pool.pids()[0]
        limits = Path(f"/proc/{pid}/limits").read_text()
        environment = dict(
            entry.split(b"=", 1) for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if entry
        )
        assert os.getpgid(pid) == pid
        assert os.getsid(pid) == os.getsid(0), "in another session its priority would not count"
        assert os.getpriority(os.PRIO_PROCESS, pid) >= min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == 500
        opened = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        assert {name for name in opened if not name.startswith("pipe:")} <= {
            os.path.realpath(os.fsdecode(kind.program.path))
        }, opened
    lines = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    assert lines["Max file size"] == ["0", "0"]
    assert lines["Max core file size"] == ["0", "0"]
    assert lines["Max address space"] == ["777777777", "777777777"]
    assert set(environment) == {b"PATH", b"LC_ALL", b"HOME", b"TZ"}
    assert not environment[b"PATH"].startswith(b"relative")


def test_children_die_with_their_parent(
    tmp_path: Path, write: Callable[[str], bytes], fake: Callable[..., ExiftoolKind]
) -> None:
    assert find_launcher(), "setpriv of util-linux is needed here"
    kind = fake()
    script = f"""
import asyncio
from tui.workers.exiftool import ExiftoolKind, ExiftoolProgram
from tui.workers.kind import WorkerLimits
from tui.workers.pool import WorkerPool

async def main():
    pool = WorkerPool(ExiftoolKind(ExiftoolProgram({kind.program.path!r}, "12.57"), WorkerLimits()), 1)
    await pool.start()
    await pool.run({write("good.jpg")!r})
    print(*pool.pids(), flush=True)
    await pool.run({write("stubborn.jpg")!r})

asyncio.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPO, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert read_usage(pid) is not None
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 1.0
    while (usage := read_usage(pid)) is not None and not usage.ended:
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.01)


async def test_refused_file_reaches_no_child(fake: Callable[..., ExiftoolKind], media: Path) -> None:
    (media / "folder.jpg").mkdir()
    async with WorkerPool(fake(), 1) as pool:
        with pytest.raises(TaskRefusedError, match="a directory"):
            await pool.run(os.fsencode(media / "folder.jpg"))
        assert pool.pids() == ()


@pytest.mark.corpus
async def test_every_real_file_settles(real: Callable[..., ExiftoolKind]) -> None:
    """Every third of a thousand real files ends with an answer or a reason from both kinds of children, unchanged."""
    corpus = REPO.parent / "shared" / "corpus"
    if not corpus.is_dir():
        pytest.skip("there is no corpus beside the repository")
    from tests.workers.conftest import make_limits
    from tui.workers.errors import TaskFailedError
    from tui.workers.tags import TagKind

    paths = [os.fsencode(path) for path in sorted(corpus.rglob("*")) if path.is_file()][::3]
    before = {path: os.stat(path).st_mtime_ns for path in paths}
    async with (
        asyncio.timeout(300),
        WorkerPool(real(), 2) as exiftool,
        WorkerPool(TagKind(make_limits()), 2) as tags,
    ):
        outcomes = await asyncio.gather(
            *(pool.run(path) for pool in (exiftool, tags) for path in paths), return_exceptions=True
        )
    unexpected = [
        item for item in outcomes if isinstance(item, BaseException) and not isinstance(item, TaskFailedError)
    ]
    refused = {
        path for path, item in zip(paths * 2, outcomes, strict=True) if isinstance(item, TaskFailedError)
    }
    assert unexpected == []
    assert all(os.path.getsize(path) == 0 for path in refused)
    assert {path: os.stat(path).st_mtime_ns for path in paths} == before
