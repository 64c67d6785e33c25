"""The writer: batches, failures of single writes, cancellation, full disks, other processes."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tui.errors import LibraryError
from tui.library import writer as writer_module
from tui.library.batches import write_batch
from tui.library.connections import connect_reading, connect_writing
from tui.library.database import Library, create_library
from tui.library.locks import WriteTurns

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _put(name: str, value: object = 1) -> Callable[[sqlite3.Connection], None]:
    def write(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO setting VALUES (?, ?)", (name, value))

    return write


def _names(path: bytes) -> set[str]:
    with closing(connect_reading(path)) as db:
        return {name for (name,) in db.execute("SELECT name FROM setting")}


async def test_run_returns_after_the_commit(library: Library) -> None:
    assert await library.writer.run(lambda db: db.execute("SELECT 40 + 2").fetchone()[0]) == 42
    await library.writer.run(_put("a"))
    assert _names(library.path) == {"a"}


async def test_submitted_writes_are_committed_together(path: bytes) -> None:
    async with await Library.open(path, write_batch_size=1_000, write_batch_ms=60_000) as library:
        for number in range(20):
            await library.writer.submit(_put(f"k{number}"))
        assert _names(path) == set()
        await library.writer.flush()
        assert len(_names(path)) == 20
        assert library.writer.committed == 1


async def test_a_batch_ends_by_rows(path: bytes, wait_until: Callable[..., Any]) -> None:
    async with await Library.open(path, write_batch_size=10, write_batch_ms=60_000) as library:
        await library.writer.submit(_put("a"), rows=6)
        await library.writer.submit(_put("b"), rows=6)
        await wait_until(lambda: _names(path) == {"a", "b"})


async def test_a_batch_ends_by_time(path: bytes, wait_until: Callable[..., Any]) -> None:
    async with await Library.open(path, write_batch_size=1_000, write_batch_ms=30) as library:
        await library.writer.submit(_put("a"))
        await wait_until(lambda: _names(path) == {"a"})


async def test_a_write_that_raises_is_undone_alone(library: Library) -> None:
    def wrong(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO setting VALUES ('half', 1)")
        raise KeyError("wrong")

    await library.writer.submit(_put("a"))
    failing = asyncio.create_task(library.writer.run(wrong))
    await library.writer.submit(_put("b"))
    with pytest.raises(KeyError, match="wrong"):
        await failing
    await library.writer.flush()
    assert _names(library.path) == {"a", "b"}


async def test_a_batch_in_which_nothing_raises_is_written_without_savepoints(library: Library) -> None:
    """Under a savepoint SQLite writes down every page before it changes it: twice as many writes to disk."""
    statements: list[str] = []
    await library.writer.run(lambda db: db.set_trace_callback(statements.append))
    for name in "abc":
        await library.writer.submit(_put(name))
    await library.writer.flush()
    assert not [line for line in statements if "SAVEPOINT" in line]
    await library.writer.submit(_put("d"))
    with pytest.raises(sqlite3.IntegrityError):
        await library.writer.run(_put("a"))
    assert [line for line in statements if "SAVEPOINT" in line]
    assert _names(library.path) == set("abcd")


async def test_a_submitted_write_that_raises_is_told_at_the_next_flush(library: Library) -> None:
    await library.writer.submit(_put("a"))
    await library.writer.submit(_put("a"))
    with pytest.raises(LibraryError, match="1 changes could not be written"):
        await library.writer.flush()
    await library.writer.flush()
    assert _names(library.path) == {"a"}


async def test_closing_commits_what_is_queued(path: bytes) -> None:
    library = await Library.open(path, write_batch_size=1_000, write_batch_ms=60_000)
    for number in range(40):
        await library.writer.submit(_put(f"k{number}"))
    await library.close()
    await library.close()
    assert not os.path.exists(path + b"-wal")
    assert len(_names(path)) == 40
    with pytest.raises(LibraryError, match="closed"):
        await library.writer.submit(_put("late"))


async def test_a_cancelled_caller_changes_nothing_for_others(library: Library) -> None:
    entered = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(db: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(entered.set)
        time.sleep(0.05)
        _put("slow")(db)

    task = asyncio.create_task(library.writer.run(slow))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await library.writer.run(_put("next"))
    assert _names(library.path) == {"slow", "next"}


async def test_a_cancelled_writer_commits_what_it_has(path: bytes) -> None:
    library = await Library.open(path, write_batch_size=1_000, write_batch_ms=60_000)
    entered = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(db: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(entered.set)
        time.sleep(0.05)
        _put("slow")(db)

    running = asyncio.create_task(library.writer.run(slow))
    await entered.wait()
    await library.writer.submit(_put("queued"))
    library.writer._task.cancel()
    await running
    await asyncio.wait([library.writer._task])
    assert _names(path) == {"slow", "queued"}
    _assert_unlocked(path)
    await library.reader.close()


@pytest.mark.parametrize("delay_ms", [0, 1, 3, 10])
async def test_the_end_of_the_event_loop_leaves_no_lock_and_loses_nothing(path: bytes, delay_ms: int) -> None:
    accepted: list[str] = []

    async def write_until_cancelled() -> None:
        library = await Library.open(path, write_batch_size=7, write_batch_ms=1)
        number = 0
        async with asyncio.timeout(0.05 + delay_ms / 1000):
            while True:
                await library.writer.submit(_put(f"k{number}"))
                accepted.append(f"k{number}")
                number += 1

    def run() -> None:
        with pytest.raises(TimeoutError):
            asyncio.run(write_until_cancelled())

    await asyncio.to_thread(run)
    assert _names(path) == set(accepted)
    _assert_unlocked(path)


def _assert_unlocked(path: bytes) -> None:
    turns = WriteTurns(path)
    with turns.turn(lambda _waited: False), closing(connect_writing(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("ROLLBACK")
    turns.close()


async def test_a_fault_of_the_program_reaches_everyone_who_waits(
    path: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = await Library.open(path)

    def fail(*_args: object) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr(library.writer, "_write_batch", fail)
    with pytest.raises(LibraryError, match="not foreseen"):
        await asyncio.wait_for(library.writer.run(_put("a")), 10)
    with pytest.raises(LibraryError, match="not foreseen"):
        await library.writer.submit(_put("b"))
    with pytest.raises(LibraryError, match="not foreseen"):
        await asyncio.wait_for(library.close(), 10)


# Full disks


def _limit_pages(more: int) -> Callable[[sqlite3.Connection], None]:
    def limit(db: sqlite3.Connection) -> None:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages + more}")

    return limit


async def test_a_full_disk_makes_the_writer_wait_and_go_on(
    library: Library, wait_until: Callable[..., Any]
) -> None:
    connection = library.writer._connection
    await connection.transact(_limit_pages(2))
    await library.writer.submit(_put("a"))
    big = asyncio.create_task(library.writer.run(_put("big", "x" * 100_000)))
    await wait_until(lambda: "full" in library.writer.waiting)
    assert not big.done()
    assert _names(library.path) <= {"a"}
    await connection.transact(_limit_pages(10_000))
    await big
    assert library.writer.waiting == ""
    assert _names(library.path) == {"a", "big"}


async def test_a_full_disk_is_told_once_and_when_it_is_over(
    library: Library,
    wait_until: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    attempts = 0

    def counting(*args: Any) -> list[object]:
        nonlocal attempts
        attempts += 1
        return write_batch(*args)

    monkeypatch.setattr(writer_module, "write_batch", counting)
    monkeypatch.setattr(writer_module, "_FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(writer_module, "_LONGEST_RETRY_S", 0.01)
    connection = library.writer._connection
    await connection.transact(_limit_pages(2))
    with caplog.at_level("INFO", logger="yapmo.library"):
        big = asyncio.create_task(library.writer.run(_put("big", "x" * 100_000)))
        await wait_until(lambda: attempts >= 5)
        assert "full" in library.writer.refusal
        await connection.transact(_limit_pages(10_000))
        await big
    said = [record.message for record in caplog.records if record.name == "yapmo.library"]
    assert [("full" in line, "again" in line) for line in said] == [(True, False), (False, True)]
    assert library.writer.refusal == ""


async def test_closing_on_a_full_disk_gives_up_and_says_what_is_lost(
    path: bytes, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    monkeypatch.setattr(writer_module, "_CLOSE_ON_FULL_DISK_S", 0.3)
    library = await Library.open(path, write_batch_ms=10)
    await library.writer._connection.transact(_limit_pages(2))
    await library.writer.submit(_put("big", "x" * 100_000))
    await library.writer.submit(_put("small"))
    await wait_until(lambda: library.writer.waiting)
    with pytest.raises(LibraryError, match=r"full.*2 changes were not written"):
        await library.close()
    assert _names(path) == set()
    _assert_unlocked(path)


async def test_a_full_file_system(tmp_path: os.PathLike[str]) -> None:
    """A real one: the file size limit of a process makes writing fail as a full disk does."""
    path = os.path.join(os.fsencode(tmp_path), b"library.yapmo")
    code = """
import asyncio, os, resource, signal, sys
from tui.library.database import Library
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

async def main():
    library = await Library.open(sys.argv[1], write_batch_ms=10)
    limit = os.path.getsize(sys.argv[1]) + 50_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    write = asyncio.create_task(library.writer.run(
        lambda db: db.execute("INSERT INTO setting VALUES ('big', zeroblob(3000000))").rowcount))
    while not library.writer.waiting:
        await asyncio.sleep(0.01)
    print(library.writer.waiting)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await write
    await library.close()

asyncio.run(main())
"""

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, os.fsdecode(path)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    ended = await asyncio.to_thread(run)
    assert ended.returncode == 0, ended.stderr
    assert "waiting" in ended.stdout
    assert _names(path) == {"big"}


# Several processes

_WRITING = """
import asyncio, os, sys
from tui.library.database import Library

async def main():
    path, name, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    async with await Library.open(path, write_batch_size=5, write_batch_ms=1) as library:
        for index in range(number):
            await library.writer.submit(
                lambda db, index=index: db.execute("INSERT INTO setting VALUES (?, 1)", (f"{name}-{index}",)))
            if index % 50 == 0:
                await library.writer.flush()

asyncio.run(main())
"""


def test_processes_write_in_turns(path: bytes) -> None:
    create_library(path)
    processes = [
        subprocess.Popen([sys.executable, "-c", _WRITING, path, name, "400"])
        for name in ("one", "two", "three")
    ]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert len(_names(path)) == 1_200
    with closing(connect_reading(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_process_that_always_writes_lets_others_in(path: bytes) -> None:
    create_library(path)
    code = """
import os, sys, time
from tui.library.locks import WriteTurns
turns = WriteTurns(os.fsencode(sys.argv[1]))
while True:
    with turns.turn():
        print("x", flush=True)
        time.sleep(0.03)
"""
    greedy = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    assert greedy.stdout is not None
    turns = WriteTurns(path)
    try:
        assert greedy.stdout.readline() == b"x\n"
        for _ in range(10):
            with turns.turn(lambda waited_s: waited_s < 10):
                assert greedy.poll() is None
    finally:
        greedy.kill()
        greedy.wait()
        greedy.stdout.close()
        turns.close()


async def test_a_process_that_holds_the_turn_is_waited_for(
    library: Library, wait_until: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_SAY_WAITING_AFTER_S", 0.02)
    other = WriteTurns(library.path)
    with other.turn():
        task = asyncio.create_task(library.writer.run(_put("a")))
        await wait_until(lambda: "another process" in library.writer.waiting)
        assert not task.done()
    await task
    assert library.writer.waiting == ""
    other.close()


async def test_another_program_that_holds_the_database_is_waited_for(
    library: Library, wait_until: Callable[..., Any]
) -> None:
    with closing(sqlite3.connect(library.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        task = asyncio.create_task(library.writer.run(_put("a")))
        await wait_until(lambda: "Another program holds" in library.writer.waiting)
        other.execute("ROLLBACK")
        await task
    assert _names(library.path) == {"a"}


async def test_closing_while_another_process_holds_the_turn_ends(
    path: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_CLOSE_S", 0.2)
    library = await Library.open(path, write_batch_ms=1)
    other = WriteTurns(path)
    with other.turn():
        await library.writer.submit(_put("a"))
        with pytest.raises(LibraryError, match=r"Another process.*1 changes were not written"):
            await library.close()
    other.close()


def test_a_killed_process_gives_its_turn_back(path: bytes) -> None:
    create_library(path)
    code = """
import os, sys, time
from tui.library.locks import WriteTurns
with WriteTurns(os.fsencode(sys.argv[1])).turn():
    print("held", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    process.kill()
    process.wait()
    process.stdout.close()
    _assert_unlocked(path)


# The log


async def test_the_log_stays_small_while_readers_come_and_go(library: Library) -> None:
    largest = 0
    with closing(library.connect_read_only()) as db:
        for number in range(60):
            # a reader that holds a snapshot over some commits, as a slow query does
            db.execute("BEGIN")
            db.execute("SELECT name FROM setting").fetchone()
            for part in range(3):
                await library.writer.run(_put(f"k{number}-{part}", "x" * 300_000))
            db.execute("COMMIT")
            await library.writer.run(_put(f"k{number}-last", "x" * 300_000))
            largest = max(largest, os.path.getsize(library.path + b"-wal"))
    assert os.path.getsize(library.path) > 60_000_000
    assert largest < 40_000_000


async def test_a_reader_that_never_ends_is_told_of(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writer_module, "_LOG_LIMIT_BYTES", 1_000_000)
    await library.writer.run(_put("first"))
    with closing(library.connect_read_only()) as db:
        db.execute("BEGIN")
        db.execute("SELECT name FROM setting").fetchone()
        for number in range(8):
            await library.writer.run(_put(f"k{number}", "x" * 500_000))
        assert "keeps reading" in caplog.text
    for number in range(4):
        await library.writer.run(_put(f"l{number}", "x" * 500_000))
    await library.writer.flush()
    assert os.path.getsize(library.path + b"-wal") < 5_000_000
