"""The real ExifTool on names that would be options, code or something else than one file."""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from tests.media import jpeg_bytes
from tui.workers.errors import TaskRefusedError
from tui.workers.exiftool import ExiftoolChannel, ExiftoolKind
from tui.workers.kind import WorkerLimits
from tui.workers.pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTILE_NAMES = [
    b'x\n-if\nsystem("touch PWNED");1\nvictim.jpg',
    b"x\n-all=\nvictim.jpg",
    b"y\n-o\ncopy.jpg",
    b"\n-execute\n",
    b"\n-stay_open\nFalse\n",
    b"\nlead.jpg",
    b"return\r",
    b"two\rlines.jpg",
    b"-ver",
    b"--",
    b"-",
    b"-execute",
    b"-stay_open",
    b"-@",
    b"#comment.jpg",
    b"#[CSTR]x\\nsystem.jpg",
    b" leading.jpg",
    b"trailing.jpg ",
    b"\ttab.jpg",
    b"$x@y.jpg",
    b"${path}@{[system('touch PWNED')]}.jpg",
    b"touch P|",
    b"|touch P",
    b">out",
    b"<in",
    b"&=0.jpg",
    b"%d%f.jpg",
    b"*.jpg",
    b"?[a-z]{b,c}.jpg",
    b"caf\xe9.jpg",
    b"\xff\xfe.jpg",
    "cafe\u0301.jpg".encode(),
    "caf\u00e9.jpg".encode(),
    b"\x1b]52;c;cHduZWQ=\x07.jpg",
    b"{ready1}.jpg",
    b"a" * 251 + b".jpg",
    b"gz.jpg.gz",
]


def snapshot(folder: str) -> dict[bytes, tuple[str, int, int]]:
    """Return hash, inode and mtime of every file in `folder`."""
    found = {}
    for entry in os.scandir(os.fsencode(folder)):
        with open(entry.path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        found[entry.name] = (digest, entry.inode(), entry.stat().st_mtime_ns)
    return found


async def test_every_name_gives_its_own_record_and_changes_nothing(
    media: Path, real: Callable[..., ExiftoolKind]
) -> None:
    """Each hostile file stands between two plain ones; all three answers are their own."""
    models = {}
    for number, name in enumerate(HOSTILE_NAMES):
        for path, model in ((name, f"hostile {number}"), (b"plain-%d.jpg" % number, f"plain {number}")):
            full = os.path.join(os.fsencode(media), path)
            with open(full, "wb") as file:
                file.write(jpeg_bytes(number, model=model))
            models[full] = model
    victim = os.path.join(os.fsencode(media), b"victim.jpg")
    with open(victim, "wb") as file:
        file.write(jpeg_bytes(99, model="victim"))
    before, before_root = snapshot(str(media)), set(os.listdir("/"))
    async with asyncio.timeout(120), WorkerPool(real(), 2) as pool:
        answers = await asyncio.gather(*(pool.run(path) for path in models))
    for path, answer in zip(models, answers, strict=True):
        assert answer.error == "", path
        assert answer.tags["EXIF:Model"] == models[path], path
    assert snapshot(str(media)) == before
    assert set(os.listdir("/")) == before_root
    assert not os.path.exists("PWNED")


@pytest.mark.parametrize("path", [b"/a\nb", b"/a\rb", b"/a\0b", b"relative.jpg", b"", b"-ver", b"#x", b" /x"])
def test_the_lowest_function_refuses_what_is_not_one_absolute_path(path: bytes) -> None:
    with pytest.raises(TaskRefusedError):
        ExiftoolChannel(WorkerLimits()).ask(path)


def test_a_request_is_five_lines() -> None:
    request = ExiftoolChannel(WorkerLimits()).ask(b"/a b/#[CSTR]$x.jpg ")
    lines = request.split(b"\n")
    assert lines[0] == b"-echo4"
    assert lines[2] == b"-G0"
    assert lines[3] == b"/a b/#[CSTR]$x.jpg "
    assert lines[4].startswith(b"-execute")
    assert lines[5:] == [b""]


@pytest.mark.parametrize(
    "path", [b"relative.jpg", b"-ver", b"/nowhere\0.jpg", b"/nowhere/x\n.jpg", b"/nowhere/x.jpg"]
)
async def test_pool_refuses_paths_without_a_file(real: Callable[..., ExiftoolKind], path: bytes) -> None:
    async with WorkerPool(real(), 1) as pool:
        with pytest.raises(TaskRefusedError):
            await pool.run(path)
        assert pool.pids() == ()


def test_of_a_flood_of_complaints_the_beginning_is_kept() -> None:
    channel = ExiftoolChannel(WorkerLimits(errors_bytes=1000))
    mark = channel.greet().split(b"\n")[1].replace(b"${status}", b"7")
    for number in range(200):
        channel.feed_errors(b"%06d " % number * 5000)
    assert len(channel.last_words()) < 2000
    channel.feed_errors(mark[:10])
    channel.feed_errors(mark[10:] + b"\n")
    channel.feed_output(b"12.57\n{ready%s}\n" % mark.partition(b"-")[2].partition(b"=")[0])
    reply = channel.next_reply()
    assert reply is not None
    assert (reply.output, reply.status, len(reply.errors)) == (b"12.57\n", 7, 1000)
    assert reply.errors.startswith(b"000000 ")


@pytest.mark.parametrize("how", ["hang\n.jpg", "die\n.jpg", "spin\n.jpg", "endless\n.jpg"])
async def test_a_process_of_its_own_has_the_same_limits(
    write: Callable[[str], bytes], fake: Callable[..., ExiftoolKind], how: str
) -> None:
    from tui.workers import errors

    expected = {
        "hang": errors.TaskTimedOutError,
        "die": errors.WorkerDiedError,
        "spin": errors.CpuTimeExceededError,
        "endless": errors.AnswerTooLargeError,
    }[how.partition("\n")[0]]
    timeout_s = 0.5 if how.startswith("hang") else 30.0
    async with WorkerPool(fake(timeout_s=timeout_s, cpu_s=1, answer_bytes=300_000), 1) as pool:
        with pytest.raises(expected):
            await pool.run(write(how))


async def test_a_process_of_its_own_is_tried_twice(
    write: Callable[[str], bytes], fake: Callable[..., ExiftoolKind]
) -> None:
    async with WorkerPool(fake(), 1) as pool:
        answer = await pool.run(write("die-once\n.jpg"))
        assert bytes.fromhex(answer.tags["EXIF:Model"]) == b"die-once\n.jpg"


async def test_close_ends_processes_of_their_own(
    write: Callable[[str], bytes], fake: Callable[..., ExiftoolKind]
) -> None:
    from tests.workers.conftest import list_children
    from tui.workers.errors import PoolClosedError
    from tui.workers.pool import SINGLE_READS

    before = list_children()
    pool = WorkerPool(fake(timeout_s=60.0), 1)
    await pool.start()
    tasks = [asyncio.create_task(pool.run(write(f"hang{number}\n.jpg"))) for number in range(4)]
    async with asyncio.timeout(20):
        while len(list_children() - before) < SINGLE_READS:
            await asyncio.sleep(0.01)
        await pool.close()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, PoolClosedError) for outcome in outcomes)
