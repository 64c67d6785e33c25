"""Section D of the threats: full disks, damaged and foreign libraries, several processes, disks that are away."""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.media import jpeg_bytes, write_file
from tests.trust import oracle
from tests.trust.conftest import WHOLE
from tests.trust.mounts import make_read_only, mount, mount_memory, resize, unmount

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.trust.ground import Ground

PATIENCE_S = 90.0


def make_pictures(ground: Ground, number: int, *, first: int = 0) -> None:
    """Write small pictures into a few folders."""
    for seed in range(first, first + number):
        write_file(ground.media / f"{seed % 5}" / f"{seed}.jpg", jpeg_bytes(seed))


def wait_for(condition: Callable[[], Any]) -> Any:
    """Return what `condition` returns once that is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)
    return found


def read_until(
    ground: Ground, process: subprocess.Popen[bytes], text: bytes, stream: str = "stdout"
) -> bytes:
    """Return the line on a stream of `process` that has `text` in it, once it comes."""
    line: bytes
    for line in getattr(process, stream):
        ground.note_output(f"a line of {stream}", line)
        if text in line:
            return line
    raise AssertionError(f"{text!r} was never said; {process.communicate()!r}")


def fill(folder: Path) -> Path:
    """Take all room that is left on the disk of a folder; return the file that does."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


# 32: no room


def _let_the_disk_fill_up(ground: Ground) -> None:
    """Lay the library on a disk that has room for a new one and not for all that a scan finds."""
    make_pictures(ground, 120)
    ground.begin()
    ground.configure("[library]\nwrite_batch_size = 20\nwrite_batch_ms = 10\n")
    mount_memory(ground, ground.library.parent, 700)


@pytest.mark.mounts
@pytest.mark.parametrize("how", ["command", "application"])
def test_32_a_disk_that_fills_up_in_a_scan(ground: Ground, how: str) -> None:
    _let_the_disk_fill_up(ground)
    if how == "application":
        terminal = ground.terminal(str(ground.media), columns=160)
        terminal.wait_for("disk is full")
        resize(ground.library.parent, 64_000)
        terminal.wait_for(lambda text: "scanning" not in text and "is full" not in text)
        terminal.send("q")
        assert terminal.wait_end() == 0
        assert terminal.is_restored
    else:
        scan = ground.start("scan", "--json", str(ground.media))
        event = json.loads(read_until(ground, scan, b"is full"))
        assert event["note"].endswith("waiting")
        assert scan.poll() is None
        resize(ground.library.parent, 64_000)
        stdout, stderr = scan.communicate(timeout=PATIENCE_S)
        assert scan.returncode == 0, stderr
        ground.note_output("stdout", stdout)
        ground.note_output("stderr", stderr)
    with closing(oracle.connect(ground.library)) as db:
        done = "SELECT count(*) FROM file WHERE metadata_state = 1 AND fingerprint_state = 1"
        assert db.execute(done).fetchone() == (120,)
    ground.library_stays_apart = how != "command"


@pytest.mark.mounts
def test_32_a_disk_that_is_full_before_a_start_is_named(ground: Ground) -> None:
    make_pictures(ground, 5)
    ground.begin()
    mount_memory(ground, ground.library.parent, 2000)
    assert ground.scan().code == 0
    filler = fill(ground.library.parent)
    make_pictures(ground, 5, first=5)
    ground.begin()
    for command in ("search", "backup"):
        outcome = ground.run(command)
        assert outcome.code == 4, outcome
        assert "is full" in outcome.said, outcome
    filler.unlink()
    assert ground.scan().code == 0


@pytest.mark.mounts
def test_32_the_full_disk_of_the_log_stops_nothing(ground: Ground) -> None:
    make_pictures(ground, 6)
    write_file(ground.media / "damaged.jpg", b"\0\1" * 700)
    ground.failing = ground.paths([b"damaged.jpg"])
    ground.begin()
    mount_memory(ground, ground.log.parent, 64)
    fill(ground.log.parent)
    outcome = ground.scan()
    assert (outcome.code, outcome.objects[-1]["metadata_done"]) == (0, 6)


@pytest.mark.mounts
def test_32_an_abort_does_not_wait_for_room(ground: Ground) -> None:
    _let_the_disk_fill_up(ground)
    scan = ground.start("scan", str(ground.media))
    assert b"waiting" in read_until(ground, scan, b"is full", "stderr")
    scan.send_signal(signal.SIGTERM)
    began = time.monotonic()
    stdout, stderr = scan.communicate(timeout=PATIENCE_S)
    assert time.monotonic() - began < 15
    assert scan.returncode in (3, 4), stderr
    assert b"is full" in stderr
    ground.note_output("stdout", stdout)
    ground.note_output("stderr", stderr)
    resize(ground.library.parent, 64_000)
    assert ground.scan().code == 0


# 33: stopped at any instant


def test_33_a_scan_that_is_told_to_stop_at_any_instant_leaves_no_lock(ground: Ground) -> None:
    make_pictures(ground, 80)
    ground.begin()
    ground.configure("[library]\nwrite_batch_size = 5\nwrite_batch_ms = 10\n")
    rng = random.Random(33)
    for number in range(30 if WHOLE else 3):
        scan = ground.start("scan", str(ground.media), stdout=subprocess.DEVNULL)
        while scan.poll() is None and not _is_scanning(ground, scan.pid):
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 1.0))  # the instant: any will do
        scan.terminate()
        _, stderr = scan.communicate(timeout=PATIENCE_S)
        ground.note_output("stderr", stderr)
        assert scan.returncode in (0, 3), (number, stderr)
        with closing(sqlite3.connect(ground.library, timeout=0, isolation_level=None)) as db:
            db.execute("BEGIN EXCLUSIVE")
            assert db.execute("SELECT count(*) FROM scan WHERE state = 'running'").fetchone() == (0,)
            db.execute("ROLLBACK")
    assert ground.scan().code == 0


def _is_scanning(ground: Ground, pid: int) -> bool:
    if not ground.library.exists():
        return False
    with closing(oracle.connect(ground.library)) as db:
        return (
            db.execute("SELECT 1 FROM scan WHERE pid = ? AND state = 'running'", (pid,)).fetchone()
            is not None
        )


# 34: two at once


def test_34_a_second_scan_of_a_root_is_refused_and_a_dead_one_is_taken_over(ground: Ground) -> None:
    make_pictures(ground, 60)
    ground.begin()
    first = ground.start("scan", "--json", str(ground.media))
    wait_for(lambda: _is_scanning(ground, first.pid))
    os.kill(first.pid, signal.SIGSTOP)
    try:
        second = ground.scan()
        assert second.code == 4
        assert str(first.pid) in second.said
        assert second.seconds < 30
        assert len(ground.found()) <= 60  # who reads is not kept waiting
    finally:
        first.kill()
        first.communicate()
    third = ground.scan()
    assert (third.code, third.objects[-1]["files"]) == (0, 60)


# 35: damage


def _zero_header(library: Path) -> None:
    with open(library, "r+b") as file:
        file.write(bytes(100))


def _cut_off(library: Path) -> None:
    os.truncate(library, library.stat().st_size // 2)


def _empty(library: Path) -> None:
    os.truncate(library, 0)


def _make_foreign(library: Path) -> None:
    library.unlink()
    with closing(sqlite3.connect(library)) as db:
        db.execute("CREATE TABLE cookies (id)")


def _damage_schema(library: Path) -> None:
    with open(library, "r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)


HARMS = [_zero_header, _cut_off, _empty, _make_foreign, _damage_schema]


def test_35_a_damaged_library_is_left_alone_and_the_way_back_is_said(ground: Ground) -> None:
    make_pictures(ground, 4)
    ground.begin()
    assert ground.scan().code == 0
    backup = ground.run("backup").stdout.decode().strip()
    for number, harm in enumerate(HARMS):
        harm(ground.library)
        harmed = ground.library.read_bytes()
        commands = [["search"], ["scan", str(ground.media)], ["stats", "--json"]]
        for command in commands if WHOLE else [commands[number % 3]]:
            outcome = ground.run(*command)
            assert outcome.code == 4, (harm, command, outcome)
            assert ground.library.read_bytes() == harmed, (harm, command)
            assert f"yapmo restore --library {ground.library} {backup}" in outcome.said, outcome
        restore = outcome.said[outcome.said.index("restore --library") :].split('"')[0]
        restored = ground.run(*shlex.split(restore)[:1], shlex.split(restore)[3])
        assert restored.code == 0, restored
        kept = [path for path in ground.library.parent.glob("*.aside-*") if path.read_bytes() == harmed]
        assert kept, harm
        shutil.move(kept[0], ground.folder / f"aside-{number}")
    assert ground.scan().code == 0


def test_35_a_damaged_library_in_the_application(ground: Ground) -> None:
    make_pictures(ground, 4)
    ground.begin()
    assert ground.scan().code == 0
    assert ground.run("backup").code == 0
    _zero_header(ground.library)
    harmed = ground.library.read_bytes()
    terminal = ground.terminal(columns=200)
    terminal.wait_end()
    assert terminal.process.returncode == 4
    assert "yapmo restore --library" in terminal.text
    assert terminal.is_restored
    assert ground.library.read_bytes() == harmed
    ground.library_stays_apart = True


def damage_pages(library: Path, table: str) -> None:
    """Overwrite the pages of one table (or index), wherever they lie, but for the first."""
    with closing(sqlite3.connect(library)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = [page for (page,) in db.execute("SELECT pageno FROM dbstat WHERE name = ?", (table,))]
    with open(library, "r+b") as file:
        for page in pages[1:] or pages:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)


def test_35_a_page_that_is_found_damaged_later(ground: Ground) -> None:
    make_pictures(ground, 120)
    ground.begin()
    assert ground.scan().code == 0
    assert ground.run("backup").code == 0
    make_pictures(ground, 40, first=200)
    ground.begin()
    sound = ground.library.read_bytes()
    damage_pages(ground.library, "file")
    for command in (["search", "--json"], ["scan", str(ground.media)], ["show", "77"]):
        outcome = ground.run(*command)
        assert outcome.code == 4, (command, outcome)
        assert "is damaged" in outcome.said
        assert "yapmo restore --library" in outcome.said
    terminal = ground.terminal(columns=160)
    terminal.wait_for("damaged")
    terminal.send("q")
    terminal.wait_end()
    assert terminal.is_restored
    ground.library.write_bytes(sound)
    assert ground.scan().code == 0


# 36: newer, and a migration that fails: the rest in test_kill_sweeps


def test_36_a_newer_library_is_refused_and_left_alone(ground: Ground) -> None:
    make_pictures(ground, 2)
    ground.begin()
    ground.library_stays_apart = True  # not a scan is the matter here
    assert ground.scan().code == 0
    before = ground.library.read_bytes()
    with closing(sqlite3.connect(ground.library)) as db:
        db.execute("PRAGMA user_version = 999")
    newer = ground.library.read_bytes()
    for command in (["search"], ["scan", str(ground.media)], ["backup"]):
        outcome = ground.run(*command)
        assert (outcome.code, ground.library.read_bytes()) == (4, newer), command
        assert "newer YAPMO" in outcome.said
    ground.library.write_bytes(before)


_FAILING = """
import os, sqlite3, sys
from tui.errors import LibraryError
from tui.library import database
from tui.library.schema import MIGRATIONS, Migration

def fail(db):
    db.execute("CREATE TABLE half (name TEXT)")
    db.execute("DELETE FROM file")
    raise sqlite3.OperationalError("this step is wrong")

try:
    database.migrate(os.fsencode(sys.argv[1]), (*MIGRATIONS, Migration(2, "wrong", fail)))
except LibraryError as error:
    sys.exit(error.exit_code)
"""


def test_36_a_migration_that_fails_leaves_the_library_as_it_was(ground: Ground) -> None:
    make_pictures(ground, 3)
    ground.begin()
    ground.library_stays_apart = True  # not a scan is the matter here
    assert ground.scan().code == 0
    command = [sys.executable, "-c", _FAILING, str(ground.library)]
    assert subprocess.run(command, env=ground.environ, check=False, timeout=60).returncode == 4
    (backup,) = ground.library.parent.glob("*.backup")
    oracle.check_sound(backup)
    assert len(ground.found()) == 3


# 37: a reader that stays


def test_37_a_reader_that_stays_does_not_let_the_log_grow_without_end(ground: Ground) -> None:
    make_pictures(ground, 10)
    ground.begin()
    ground.library_stays_apart = True  # not a scan is the matter here
    assert ground.scan().code == 0
    command = [sys.executable, "-c", _GROWING, str(ground.library)]
    done = subprocess.run(
        command, env=ground.environ, check=True, timeout=120, capture_output=True, text=True
    )
    largest_with_reader, largest_after = map(int, done.stdout.split())
    assert largest_after < largest_with_reader
    assert largest_after < 3_000_000, done.stdout
    assert "keeps reading" in done.stderr


_GROWING = """
import asyncio, logging, os, sys
from tui.library import writer
from tui.library.connections import connect_reading
from tui.library.database import Library

logging.basicConfig(stream=sys.stderr)
writer._LOG_LIMIT_BYTES = 1_000_000  # 64 MB take too long to write in a test

async def main():
    path = os.fsencode(sys.argv[1])
    def size():
        return os.path.getsize(path + b"-wal")
    async with await Library.open(path, write_batch_ms=1) as library:
        async def grow(times):
            largest = 0
            for number in range(times):
                text = "%d " % number * 20_000
                await library.writer.run(lambda db: db.execute("INSERT OR REPLACE INTO setting VALUES ('x', ?)", (text,)).rowcount)
                largest = max(largest, size())
            return largest
        reader = connect_reading(path)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM file").fetchone()
        held = await grow(40)
        reader.close()
        after = await grow(60)
        print(held, size())
        await library.writer.run(lambda db: db.execute("DELETE FROM setting WHERE name = 'x'").rowcount)

asyncio.run(main())
"""


# 38: where the library may not lie


@pytest.mark.mounts
def test_38_a_library_that_cannot_be_written_is_read(ground: Ground) -> None:
    make_pictures(ground, 5)
    ground.begin()
    ground.library_stays_apart = True  # not a scan is the matter here
    assert ground.scan().code == 0
    held = ground.folder / "held"
    ground.library.parent.rename(held)
    ground.library.parent.mkdir()
    mount("tmpfs", ground.library.parent, "tmpfs", "size=8m")
    for path in held.iterdir():
        if not path.name.endswith(("-wal", "-shm")):
            shutil.copy(path, ground.library.parent)
    make_read_only(ground.library.parent)
    try:
        assert len(ground.found()) == 5
        assert ground.run("stats").code == 0
        outcome = ground.scan()
        assert outcome.code == 4
        assert "cannot be written" in outcome.said
        backup = ground.run("backup", str(ground.folder / "elsewhere.backup"))
        assert backup.code == 0, backup
        beside = ground.run("backup")
        assert beside.code == 4
        assert "cannot be copied" in beside.said
        terminal = ground.terminal(columns=200)
        assert terminal.wait_end() == 4  # the application writes, so it says where it could
        assert "cannot be written" in terminal.text
        assert terminal.is_restored
    finally:
        unmount(ground.library.parent)
        ground.library.parent.rmdir()
        held.rename(ground.library.parent)


# 39: roots that are not there; in the middle of a scan: test_failing_disks


@pytest.mark.mounts
def test_39_a_root_that_is_not_mounted_or_empty_loses_nothing(ground: Ground) -> None:
    stray = ground.media / "0" / "stray.jpg"  # lies in the bare folder, where the disk is mounted
    write_file(stray, jpeg_bytes(999))
    mount("photos", ground.media, "tmpfs", "size=8m,mode=755")
    ground.at_the_end.callback(unmount, ground.media)
    make_pictures(ground, 60)
    assert ground.scan().code == 0
    kept = ground.folder / "kept"
    shutil.copytree(ground.media, kept)
    unmount(ground.media)
    for paths in ([str(ground.media)], []):
        outcome = ground.run("scan", "--json", *paths)
        assert outcome.code == 5, outcome
        assert len(ground.found("missing:no")) == 60
    shutil.rmtree(ground.media)
    assert ground.run("scan", "--json").code == 5
    assert len(ground.found("missing:no")) == 60
    ground.media.mkdir()
    mount("photos", ground.media, "tmpfs", "size=8m,mode=755")
    empty = ground.scan()
    assert empty.code == 5
    assert "is empty" in empty.said or "is empty" in empty.objects[-1]["reason"]
    assert len(ground.found("missing:no")) == 60
    for path in kept.iterdir():
        shutil.copytree(path, ground.media / path.name)
    assert ground.scan().code == 0
