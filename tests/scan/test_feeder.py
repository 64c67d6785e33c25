"""The feeder hands every pending file out once, whatever is settled meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from tui.records import FileJob, Kind
from tui.scan.daemon_thread import DaemonThread
from tui.scan.feeder import Feeder

if TYPE_CHECKING:
    from collections.abc import Iterator


class Backlog:
    """Pending files by id, and a query over them that can be held in the middle."""

    def __init__(self, number: int) -> None:
        self.pending = set(range(1, number + 1))
        self.may_return = threading.Event()
        self.may_return.set()
        self.has_read = threading.Event()

    def query(
        self, db: sqlite3.Connection, *, after_id: int, limit: int, under: bytes | None
    ) -> list[FileJob]:
        ids = sorted(number for number in self.pending if number > after_id)
        if under is not None:
            ids = [number for number in ids if number % 10 == int(under)]
        self.has_read.set()
        assert self.may_return.wait(10)
        return [FileJob(number, b"/x", Kind.IMAGE, 1, 1, 1) for number in ids[:limit]]


@pytest.fixture
def thread() -> Iterator[DaemonThread]:
    thread = DaemonThread("test")
    yield thread
    thread.stop()


def feeder_over(backlog: Backlog, thread: DaemonThread) -> Feeder:
    return Feeder(thread, sqlite3.connect(":memory:", check_same_thread=False), backlog.query)


async def test_every_file_once_over_several_pages(thread: DaemonThread) -> None:
    feeder = feeder_over(Backlog(1300), thread)
    seen = []
    while (job := await feeder.next_job()) is not None:
        seen.append(job.file_id)
    assert sorted(seen) == list(range(1, 1301))


async def test_what_is_settled_while_a_page_is_read_is_not_handed_out_again(thread: DaemonThread) -> None:
    backlog = Backlog(1)
    feeder = feeder_over(backlog, thread)
    first = await feeder.next_job()
    assert first is not None
    backlog.may_return.clear()
    backlog.has_read.clear()
    waiting = asyncio.create_task(feeder.next_job())
    await asyncio.to_thread(backlog.has_read.wait, 10)
    backlog.pending.clear()  # its outcome is committed after the query has looked …
    feeder.settle([first.file_id])  # … and settled before the query returns
    backlog.may_return.set()
    assert await waiting is None


async def test_a_file_given_back_undone_comes_again_three_times_at_most(thread: DaemonThread) -> None:
    feeder = feeder_over(Backlog(1), thread)
    times = 0
    while (job := await feeder.next_job()) is not None:
        times += 1
        feeder.give_back([job.file_id])
        assert times < 10
    assert times == 3


async def test_a_file_put_aside_comes_again_when_it_is_brought_back(thread: DaemonThread) -> None:
    feeder = feeder_over(Backlog(3), thread)
    for _ in range(4):  # more often than a file may be given back
        handed_out = {job.file_id for job in [await feeder.next_job() for _ in range(3)] if job is not None}
        assert handed_out == {1, 2, 3}
        assert feeder.put_aside([2, 9]) == {2}
        feeder.give_back([])
        assert await feeder.next_job() is None
        assert (feeder.has_aside, feeder.under_way) == (True, 3)
        feeder.bring_back()
        feeder.settle([1, 3])
        assert (feeder.has_aside, feeder.under_way) == (False, 0)


async def test_preferred_files_come_first_and_files_that_came_later_are_found(thread: DaemonThread) -> None:
    backlog = Backlog(600)
    feeder = feeder_over(backlog, thread)
    await feeder.next_job()
    feeder.prefer(b"7")
    preferred = [await feeder.next_job() for _ in range(60)]
    assert all(job is not None and job.file_id % 10 == 7 for job in preferred)
    rest = set()
    while (job := await feeder.next_job()) is not None:
        rest.add(job.file_id)
    assert len(rest) == 600 - 61
    backlog.pending.add(601)
    job = await feeder.next_job()
    assert job is not None
    assert job.file_id == 601
    job = None
    feeder.claim(FileJob(602, b"/x", Kind.IMAGE, 1, 1, 1))
    backlog.pending.add(602)
    assert await feeder.next_job() is None


async def test_a_preferred_folder_is_served_first_also_when_its_files_come_later(
    thread: DaemonThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.scan.feeder._PREFERRED_AGAIN_S", 0.0)
    backlog = Backlog(1300)
    backlog.pending = {number for number in backlog.pending if number % 10 != 7}
    feeder = feeder_over(backlog, thread)
    feeder.prefer(b"7")
    first = await feeder.next_job()
    assert first is not None
    assert first.file_id == 1
    backlog.pending.add(2007)  # the walk has just found it
    handed_out = [await feeder.next_job() for _ in range(512)]  # what is left of the page, and one more
    assert handed_out[-1] is not None
    assert handed_out[-1].file_id == 2007


async def test_a_page_is_handed_out_by_folder_and_name_where_that_is_wanted(thread: DaemonThread) -> None:
    names = [b"/b/1", b"/a/2", b"/a b/0", b"/a/1"]

    def query(db: sqlite3.Connection, *, after_id: int, limit: int, under: bytes | None) -> list[FileJob]:
        jobs = [FileJob(number, path, Kind.IMAGE, 1, 1, 1) for number, path in enumerate(names, 1)]
        return [job for job in jobs if job.file_id > after_id]

    connection = sqlite3.connect(":memory:", check_same_thread=False)
    for in_path_order, expected in ((False, names), (True, [b"/a/1", b"/a/2", b"/a b/0", b"/b/1"])):
        feeder = Feeder(thread, connection, query, in_path_order=in_path_order)
        handed_out = [job.path for job in [await feeder.next_job() for _ in names] if job is not None]
        assert handed_out == expected
