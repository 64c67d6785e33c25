"""Hashing threads: a read that never returns costs its file and its thread, and nothing else."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from tui.records import FileJob, Fingerprint, Kind
from tui.scan import hashing
from tui.scan.cancel import CancelToken
from tui.scan.hashing import HashingThreads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest


class Disk:
    """Files of which those with an id in `hanging` are never read to their end, until `answer`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *hanging: int) -> None:
        self.answer = threading.Event()
        self.hanging = hanging
        self.asked: list[int] = []
        monkeypatch.setattr(hashing, "fingerprint_file", self.read)

    def read(self, job: FileJob, token: Any, **_: object) -> Fingerprint:
        self.asked.append(job.file_id)
        token.check()
        if job.file_id in self.hanging:
            self.answer.wait()
        return Fingerprint(job.file_id, job.size, job.mtime_ns, quick=b"q")


class Results:
    """What the threads hand in."""

    def __init__(self) -> None:
        self.outcomes: list[Fingerprint] = []
        self.batches = 0

    def take(self, outcomes: Sequence[Fingerprint], ends_batch: bool) -> None:
        self.outcomes += outcomes
        self.batches += ends_batch


def jobs(*ids: int) -> list[FileJob]:
    return [FileJob(number, b"/m/%d.jpg" % number, Kind.IMAGE, 1, 1, 1) for number in ids]


async def test_a_read_that_hangs_costs_one_file(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    disk, results = Disk(monkeypatch, 3), Results()
    threads = HashingThreads(1, CancelToken(), results.take, follow_links=False, timeout_s=0.05)
    threads.start()
    threads.submit(jobs(1, 2, 3, 4, 5), full=False)

    def is_done() -> bool:
        threads.give_up_hanging()
        return results.batches == 1

    await wait_until(is_done)
    errors = {outcome.file_id: outcome.error for outcome in results.outcomes}
    assert sorted(errors) == [1, 2, 3, 4, 5]
    assert [file_id for file_id, error in errors.items() if error] == [3]
    assert "did not answer within 0.05 s" in (errors[3] or "")
    disk.answer.set()  # it returns at last, and nobody listens
    threads.submit(jobs(6), full=False)
    await wait_until(lambda: results.batches == 2)
    assert [outcome.file_id for outcome in results.outcomes].count(3) == 1
    threads.stop()


async def test_a_pause_is_no_hanging_read(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    disk, results, token = Disk(monkeypatch), Results(), CancelToken()
    threads = HashingThreads(1, token, results.take, follow_links=False, timeout_s=0.01)
    token.pause()
    threads.start()
    threads.submit(jobs(1), full=False)
    await asyncio.sleep(0)
    threads.give_up_hanging()
    token.resume()
    await wait_until(lambda: results.batches == 1)
    assert [outcome.error for outcome in results.outcomes] == [None]
    assert disk.asked == [1]
    threads.stop()


async def test_not_more_threads_hang_than_may(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    monkeypatch.setattr(hashing, "_MOST_GIVEN_UP", 2)
    disk, results = Disk(monkeypatch, 1, 2, 3), Results()
    threads = HashingThreads(1, CancelToken(), results.take, follow_links=False, timeout_s=0.02)
    threads.start()
    threads.submit(jobs(1, 2, 3, 4), full=False)

    def hangs_at_the_third() -> bool:
        threads.give_up_hanging()
        return disk.asked == [1, 2, 3]

    await wait_until(hangs_at_the_third)
    threads.give_up_hanging()
    assert [outcome.file_id for outcome in results.outcomes] == [1, 2]
    disk.answer.set()
    await wait_until(lambda: results.batches == 1)
    assert [bool(outcome.error) for outcome in results.outcomes] == [True, True, False, False]
    threads.stop()
