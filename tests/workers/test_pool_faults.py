"""What the pool does when children die, hang, talk nonsense or will not start."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import pytest

from tui.workers.errors import (
    AnswerTooLargeError,
    CpuTimeExceededError,
    DesynchronisedError,
    MemoryExceededError,
    PoolClosedError,
    TaskFailedError,
    TaskTimedOutError,
    WorkerDiedError,
    WorkerUnavailableError,
)
from tui.workers.pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.workers.exiftool import ExiftoolAnswer, ExiftoolKind

    type_write = Callable[[str | bytes], bytes]
    type_fake = Callable[..., ExiftoolKind]


def model_of(answer: ExiftoolAnswer) -> bytes:
    """Return the name of the file that the fake was asked for."""
    return bytes.fromhex(answer.tags["EXIF:Model"])


async def run_all(
    pool: WorkerPool[ExiftoolAnswer], paths: list[bytes]
) -> list[ExiftoolAnswer | BaseException]:
    """Run all paths at once, within a deadline, and return answers and errors in order."""
    async with asyncio.timeout(60):
        return await asyncio.gather(*(pool.run(path) for path in paths), return_exceptions=True)


def check_others(paths: list[bytes], outcomes: list[ExiftoolAnswer | BaseException], bad: set[bytes]) -> None:
    """Every path but the bad ones has its own answer, not another's."""
    for path, outcome in zip(paths, outcomes, strict=True):
        if path not in bad:
            assert not isinstance(outcome, BaseException), (path, outcome)
            assert model_of(outcome) == os.path.basename(path)


@pytest.mark.parametrize(
    ("how", "expected", "limits"),
    [
        ("die_before", WorkerDiedError, {}),
        ("die_mid", WorkerDiedError, {}),
        ("hang", TaskTimedOutError, {"timeout_s": 0.5}),
        ("stubborn", TaskTimedOutError, {"timeout_s": 0.5}),
        ("endless_errors", TaskTimedOutError, {"timeout_s": 0.7}),
        ("markless", TaskFailedError, {"timeout_s": 0.5}),
        ("half_json", DesynchronisedError, {}),
        ("not_json", DesynchronisedError, {}),
        ("wrong_number", DesynchronisedError, {}),
        ("swapped", DesynchronisedError, {}),
        ("endless", AnswerTooLargeError, {"answer_bytes": 500_000}),
        ("big", AnswerTooLargeError, {"answer_bytes": 500_000}),
        ("spin", CpuTimeExceededError, {"cpu_s": 0.5}),
        ("greedy", WorkerDiedError, {"memory_bytes": 300_000_000}),
    ],
)
@pytest.mark.parametrize("size", [1, 2])
async def test_bad_task_fails_alone(
    write: type_write,
    fake: type_fake,
    how: str,
    expected: type[TaskFailedError],
    limits: dict[str, float],
    size: int,
) -> None:
    paths = [write(f"good-{number}.jpg") for number in range(8)]
    bad = write(f"{how}.jpg")
    paths.insert(2, bad)
    async with WorkerPool(fake(**limits), size) as pool:
        outcomes = await run_all(pool, paths)
        assert isinstance(outcomes[2], expected)
        assert outcomes[2].message.endswith(".")
        assert how != "die_before" or "killed by a test" in outcomes[2].message
        check_others(paths, outcomes, {bad})
        check_others(paths[:2], await run_all(pool, paths[:2]), set())


@pytest.mark.parametrize("how", ["die_before", "die_mid", "hang", "half_json", "wrong_number"])
async def test_task_is_tried_twice(write: type_write, fake: type_fake, how: str) -> None:
    path = write(f"{how}-once.jpg")
    async with WorkerPool(fake(timeout_s=0.5), 1) as pool:
        async with asyncio.timeout(20):
            answer = await pool.run(path)
        assert model_of(answer) == os.path.basename(path)
        assert pool.statuses()[0].restarts == 1


async def test_deterministic_failures_are_not_tried_again(write: type_write, fake: type_fake) -> None:
    paths = [write("big.jpg"), write("spin.jpg")]
    async with WorkerPool(fake(answer_bytes=500_000, cpu_s=0.4), 1) as pool:
        await run_all(pool, paths)
        assert pool.statuses()[0].restarts <= 2
        await run_all(pool, [write("good.jpg")])
        assert pool.statuses()[0].restarts == 2


@pytest.mark.parametrize("how", ["die_after", "babble", "late"])
async def test_answers_never_change_hands(write: type_write, fake: type_fake, how: str) -> None:
    """A child that dies, goes on talking or answers too late spoils no other file's answer."""
    paths = [write(f"{how}-{number}.jpg" if number % 3 == 0 else f"good-{number}.jpg") for number in range(9)]
    async with WorkerPool(fake(timeout_s=0.7), 2) as pool:
        outcomes = await run_all(pool, paths)
        bad = set() if how != "late" else {path for path in paths if b"late" in path}
        check_others(paths, outcomes, bad)
        assert all(isinstance(outcomes[paths.index(path)], TaskTimedOutError) for path in bad)


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_neighbours_of_deaths_are_never_blamed(write: type_write, fake: type_fake, size: int) -> None:
    """A file that was next in line at two deaths is read all the same: its second child has read nothing else."""
    paths = [write(f"{'good' if number % 2 else 'die_after'}-{number}.jpg") for number in range(16)]
    async with WorkerPool(fake(), size) as pool:
        check_others(paths, await run_all(pool, paths), set())


async def test_suspect_gets_a_new_child_in_a_smaller_pool(write: type_write, fake: type_fake) -> None:
    """With no empty place left, a child that works is retired to make room for one that has read nothing."""
    hung = write("hang-once.jpg")
    async with WorkerPool(fake(timeout_s=1.0), 2) as pool:
        while len(pool.pids()) < 2:
            await run_all(pool, [write("good-1.jpg"), write("slow-1.jpg"), write("slow-2.jpg")])
        first = pool.statuses()[0].restarts
        tasks = [asyncio.create_task(pool.run(path)) for path in (write("slow-3.jpg"), hung)]
        async with asyncio.timeout(60):
            while pool.statuses()[1].path != hung:
                await asyncio.sleep(0)
            pool.resize(1)
            answers = await asyncio.gather(*tasks)
        assert model_of(answers[1]) == b"hang-once.jpg"
        assert pool.statuses()[0].restarts == first + 1


async def test_flooded_errors_do_not_deadlock(write: type_write, fake: type_fake) -> None:
    paths = [write("flood.jpg"), write("good.jpg")]
    async with WorkerPool(fake(), 1) as pool:
        outcomes = await run_all(pool, paths)
        check_others(paths, outcomes, set())
        flooded = outcomes[0]
        assert not isinstance(flooded, BaseException)
        assert flooded.stderr.startswith("Warning: again and again")
        assert len(flooded.stderr) <= 16_384


async def test_ready_mark_in_a_value_ends_nothing(write: type_write, fake: type_fake) -> None:
    async with WorkerPool(fake(), 1) as pool:
        outcome = (await run_all(pool, [write("ready_in_value.jpg")]))[0]
        assert not isinstance(outcome, BaseException)
        assert outcome.tags["EXIF:Model"].startswith("{ready")


async def test_file_that_exiftool_cannot_find_is_an_answer_with_error(
    write: type_write, fake: type_fake
) -> None:
    async with WorkerPool(fake(), 1) as pool:
        outcome = (await run_all(pool, [write("silent.jpg")]))[0]
        assert not isinstance(outcome, BaseException)
        assert (outcome.error, outcome.tags) == ("The file is gone.", {})


async def test_memory_is_watched_where_the_kernel_does_not(write: type_write, fake: type_fake) -> None:
    kind = fake(memory_bytes=50_000_000)
    async with WorkerPool(kind, 1) as pool:
        from tui.workers.usage import Usage

        await run_all(pool, [write("good.jpg")])
        worker = pool._workers[0]
        task = asyncio.create_task(pool.run(write("hang.jpg")))
        while not worker.jobs:
            await asyncio.sleep(0.01)
        worker.inspect(Usage(cpu_s=0.0, rss_bytes=60_000_000, started="", ended=False))
        with pytest.raises(MemoryExceededError):
            await task


async def test_fat_child_is_replaced(write: type_write, fake: type_fake) -> None:
    kind = fake(recycle_bytes=40_000_000)
    async with WorkerPool(kind, 1) as pool:
        await run_all(pool, [write("good.jpg")])
        first = pool.pids()
        await run_all(pool, [write("fat.jpg")])
        deadline = time.monotonic() + 10
        while pool.pids() == first and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        assert pool.pids() != first
        check_others([write("good.jpg")], await run_all(pool, [write("good.jpg")]), set())


async def test_child_is_replaced_after_its_count(write: type_write, fake: type_fake) -> None:
    paths = [write(f"good-{number}.jpg") for number in range(20)]
    async with WorkerPool(fake(recycle_count=4), 1) as pool:
        check_others(paths, await run_all(pool, paths), set())
        assert pool.statuses()[0].restarts >= 3
        assert pool.statuses()[0].done == 20


async def test_killed_child_is_replaced(write: type_write, fake: type_fake) -> None:
    async with WorkerPool(fake(), 1) as pool:
        await run_all(pool, [write("good.jpg")])
        os.kill(pool.pids()[0], 9)
        check_others([write("good.jpg")], await run_all(pool, [write("good.jpg")]), set())


async def test_program_that_always_dies_fails_tasks_and_is_tried_again(
    write: type_write, fake: type_fake
) -> None:
    path = write("good.jpg")
    kind = fake(start="dead")
    async with WorkerPool(kind, 2) as pool:
        outcomes = await run_all(pool, [path] * 5)
        assert all(isinstance(outcome, WorkerUnavailableError) for outcome in outcomes)
        assert "this ExifTool is broken" in str(outcomes[0])
        fake(start="good")  # writes a working program in its place
        check_others([path], await run_all(pool, [path]), set())


async def test_program_that_dies_once_at_its_start_costs_nothing(write: type_write, fake: type_fake) -> None:
    paths = [write(f"good-{number}.jpg") for number in range(5)]
    async with WorkerPool(fake(start="dead-once"), 1) as pool:
        check_others(paths, await run_all(pool, paths), set())


@pytest.mark.parametrize("start", ["hang", "garbage"])
async def test_program_that_does_not_begin_well(write: type_write, fake: type_fake, start: str) -> None:
    async with WorkerPool(fake(start=start, start_s=0.2), 1) as pool:
        outcomes = await run_all(pool, [write("good.jpg")])
        assert isinstance(outcomes[0], WorkerUnavailableError)


async def test_program_that_is_silent_is_given_up_before_its_fourth_start(
    write: type_write, fake: type_fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.workers.pool.LONGEST_START_S", 0.5)
    async with WorkerPool(fake(start="hang", start_s=0.4), 1) as pool:
        outcomes = await run_all(pool, [write("good.jpg")])
        assert isinstance(outcomes[0], WorkerUnavailableError)
        assert pool.statuses()[0].restarts <= 1


async def test_program_that_is_not_there(write: type_write, fake: type_fake) -> None:
    kind = fake()
    os.unlink(kind.program.path)
    async with WorkerPool(kind, 1) as pool:
        outcomes = await run_all(pool, [write("good.jpg")])
        assert isinstance(outcomes[0], WorkerUnavailableError)


@pytest.mark.parametrize("how", ["hang", "stubborn"])
async def test_close_is_quick_and_settles_all(write: type_write, fake: type_fake, how: str) -> None:
    paths = [write(f"{how}-{number}.jpg") for number in range(7)]
    pool = WorkerPool(fake(timeout_s=60.0), 2)
    await pool.start()
    tasks = [asyncio.create_task(pool.run(path)) for path in paths]
    while not all(status.path for status in pool.statuses()):
        await asyncio.sleep(0.01)
    began = time.monotonic()
    await pool.close()
    assert time.monotonic() - began < 0.5
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, PoolClosedError) for outcome in outcomes)
    with pytest.raises(PoolClosedError):
        await pool.run(paths[0])
    await pool.close()


async def test_close_lets_running_tasks_finish(write: type_write, fake: type_fake) -> None:
    path = write("slow.jpg")
    pool = WorkerPool(fake(), 1)
    await pool.start()
    task = asyncio.create_task(pool.run(path))
    while not pool.statuses()[0].path:
        await asyncio.sleep(0.01)
    await pool.close(grace_s=5.0)
    assert model_of(await task) == b"slow.jpg"


async def test_cancelled_close_goes_on(write: type_write, fake: type_fake) -> None:
    pool = WorkerPool(fake(), 1)
    await pool.start()
    task = asyncio.create_task(pool.run(write("hang.jpg")))
    while not pool.pids():
        await asyncio.sleep(0.01)
    closing = asyncio.create_task(pool.close())
    await asyncio.sleep(0)
    closing.cancel()
    await pool.close()
    assert pool.pids() == ()
    with pytest.raises(PoolClosedError):
        await task


async def test_child_that_a_file_has_spoilt_is_replaced(write: type_write, fake: type_fake) -> None:
    """ExifTool calls a colour profile's tag binary in all files after one that has it in a wrong type."""
    paths = [
        write("good-1.jpg"),
        write("spoils.jpg"),
        *(write(f"good-{number}.jpg") for number in range(2, 9)),
    ]
    async with WorkerPool(fake(), 1) as pool:
        outcomes = await run_all(pool, paths)
        check_others(paths, outcomes, set())
        spoilt = [outcome.tags.get("ICC_Profile:MediaWhitePoint") for outcome in outcomes]  # type: ignore[union-attr]  # all are answers
        assert spoilt == [None, "(Binary data 17 bytes, use -b option to extract)", *[None] * 7]
        assert pool.statuses()[0].restarts == 1
