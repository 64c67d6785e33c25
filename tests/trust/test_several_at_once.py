"""Several processes on one library: they take turns, know of each other, and leave it sound. Cases 30 and 34 from outside."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from tests.media import jpeg_bytes, write_file
from tests.terminal.pseudo_terminal import PATIENCE_S
from tests.trust.conftest import WHOLE
from tests.workers.fake_exiftool import write_fake_exiftool

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.trust.ground import Ground

STRESS_S = 60.0 if WHOLE else 4.0

_EDITS = """
import asyncio, os, sys, time
from tui.library import edits, tags
from tui.library.database import Library

async def work(path, number, seconds):
    done, end = 0, time.monotonic() + seconds
    async with await Library.open(path, create=False) as library:
        while time.monotonic() < end or not done:
            ids = await library.writer.run(lambda db: [i for (i,) in db.execute(
                "SELECT id FROM file WHERE missing_since IS NULL ORDER BY id LIMIT 20")])
            for file_id in ids:
                def write(db, file_id=file_id):
                    tags.add_tag(db, [file_id], f"by {number}")
                await library.writer.run(write)
                done += 1
    print(done)

asyncio.run(work(sys.argv[1].encode(), sys.argv[2], float(sys.argv[3])))
"""
"""Tags files one by one through the library's own functions, as a command would."""


def fill(ground: Ground, number: int, folder: str = "photos") -> None:
    """Put some photos into a folder of the media; `begin` is for the caller."""
    contents = [jpeg_bytes(seed) for seed in range(4)]
    for index in range(number):
        write_file(
            ground.media / f"{folder}/{index // 50}/IMG_{index:04}.jpg",
            contents[index % 4] + f"{folder}{index}".encode(),
        )
    below = f"{folder}/{(number - 1) // 50}/last"  # a folder below the others is read after them
    write_file(ground.media / below / "wait.jpg", contents[0] + folder.encode())


def ask(ground: Ground, question: str, *values: object) -> list[tuple[Any, ...]]:
    """Return what a question to the library is answered with; nothing while there is none."""
    if not ground.library.exists():
        return []
    with closing(sqlite3.connect(f"file:{ground.library}?mode=ro", uri=True, timeout=30)) as db:
        return db.execute(question, values).fetchall()


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.01)


def start_scan(ground: Ground, **how: Any) -> subprocess.Popen[bytes]:
    """Start a scan as cron does, and return once it has read some metadata; it ends after `open_gate` only.

    Its ExifTool waits with the last file until then, however quick the machine is.
    """
    (ground.folder / "bin").mkdir()
    write_fake_exiftool(ground.folder / "bin")
    ground.use_exiftool(ground.folder / "bin" / "exiftool")
    process = ground.start("scan", "--workers", "1", str(ground.media), **how)
    wait_until(
        lambda: ask(ground, "SELECT 1 FROM scan WHERE state = 'running' AND counters LIKE '%metadata_done%'")
    )
    return process


def open_gate(ground: Ground) -> None:
    """Let the scan go on, and all that follow."""
    (ground.folder / "bin" / "open").touch()


def end(ground: Ground, process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """Return how a process ended and what it wrote."""
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    ground.note_output("a process beside others", (stdout or b"") + (stderr or b""))
    return process.returncode, (stdout or b"") + (stderr or b"")


def hold(ground: Ground, process: subprocess.Popen[bytes]) -> None:
    """Let a process stand still, alive, at a moment when it does not have the turn to write."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        if all(is_free(f"{ground.library}-{name}") for name in ("queue", "lock")):
            return
        process.send_signal(signal.SIGCONT)


def is_free(lock: str) -> bool:
    """Tell whether nobody holds a lock file."""
    with open(lock, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_34_a_second_scan_says_who_scans_and_can_watch_and_abort(ground: Ground) -> None:
    fill(ground, 30)
    ground.begin()
    first = start_scan(ground)
    hold(ground, first)
    second = ground.scan()
    assert second.code == 4
    told = json.loads(second.stderr)
    assert f"process {first.pid} on {os.uname().nodename} since " in told["message"]
    assert "--abort" in told["hint"]
    watching = ground.start("scan", "--watch", "--json", str(ground.media))
    assert watching.stdout is not None
    event = json.loads(watching.stdout.readline())
    assert (event["event"], event["process"]["pid"]) == ("progress", first.pid)
    assert event["stages"]["metadata"]["done"] > 0
    person = ground.terminal("scan", str(ground.media))
    person.wait_for("This is that scan")
    person.wait_for("metadata")
    person.send("ctrl+c")
    assert person.wait_end() == 3
    asking = ground.start("scan", "--abort", str(ground.media / "photos"))
    wait_until(lambda: ask(ground, "SELECT 1 FROM scan WHERE abort_requested = 1"))
    assert first.poll() is None, "who leaves stops only watching"
    first.send_signal(signal.SIGCONT)
    code, written = end(ground, asking)
    assert code == 0, written
    assert f"asking process {first.pid} on".encode() in written
    assert f"aborted: {ground.media}".encode() in written
    assert end(ground, first)[0] == 3
    code, written = end(ground, watching)
    last = json.loads(written.splitlines()[-1])
    assert (code, last["event"], last["state"], last["process"]["pid"]) == (
        3,
        "finished",
        "aborted",
        first.pid,
    )
    none = ground.run("scan", "--abort")
    assert (none.code, none.said) == (0, "No scan is running.\n")
    open_gate(ground)
    assert ground.scan().code == 0


def test_34_the_application_shows_the_scan_of_another_process(ground: Ground) -> None:
    fill(ground, 30)
    ground.begin()
    cron = start_scan(ground)
    hold(ground, cron)
    terminal = ground.terminal(columns=80, rows=24)
    terminal.wait_for("IMG_0")
    terminal.send("s")
    terminal.wait_for(f"by process {cron.pid} on ")
    terminal.wait_for("┤ 3 Progress ├")
    terminal.wait_for("a abort")
    terminal.send("a")
    terminal.wait_for(f"Ask process {cron.pid}")
    terminal.send("y")
    terminal.wait_for("aborting")
    cron.send_signal(signal.SIGCONT)
    terminal.wait_for("scan aborted")
    assert end(ground, cron)[0] == 3
    open_gate(ground)
    terminal.send("s")
    terminal.wait_for("scan completed")
    terminal.send("q")
    assert terminal.wait_end() == 0
    assert terminal.is_restored


def test_34_the_lease_of_a_killed_process_is_taken_over_at_once(ground: Ground) -> None:
    fill(ground, 30)
    ground.begin()
    killed = start_scan(ground)
    killed.kill()
    end(ground, killed)
    assert ask(ground, "SELECT count(*) FROM scan WHERE state = 'running'") == [(1,)]
    # its number belongs to somebody else by now: to this test
    with closing(sqlite3.connect(ground.library, isolation_level=None)) as db:
        db.execute("UPDATE scan SET pid = ? WHERE state = 'running'", (os.getpid(),))
    assert ground.run("scan", "--abort").said == "No scan is running.\n"
    open_gate(ground)
    assert ground.scan().code == 0
    assert ask(ground, "SELECT state FROM scan ORDER BY id") == [("aborted",), ("completed",)]


def test_34_who_watches_hears_that_the_process_died(ground: Ground) -> None:
    fill(ground, 30)
    ground.begin()
    dying = start_scan(ground)
    hold(ground, dying)
    watching = ground.start("scan", "--watch", "--json", str(ground.media))
    assert watching.stdout is not None
    watching.stdout.readline()
    dying.kill()
    end(ground, dying)
    code, written = end(ground, watching)
    last = json.loads(written.splitlines()[-1])
    assert (code, last["state"]) == (3, "aborted")
    assert f"process {dying.pid}" in last["reason"]
    open_gate(ground)
    assert ground.scan().code == 0


def test_several_at_once_take_turns(ground: Ground) -> None:
    """An open application, a scan from cron, commands that write, and a script that tags: nobody fails, nothing is lost."""
    fill(ground, 30)
    ground.begin()
    script = [sys.executable, "-c", _EDITS, str(ground.library)]
    how: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": ground.environ}
    cron = start_scan(ground)
    open_gate(ground)
    terminal = ground.terminal()
    terminal.wait_for("IMG_0")
    taggers = [subprocess.Popen([*script, str(number), str(STRESS_S)], **how) for number in range(2)]
    deadline = time.monotonic() + STRESS_S
    rounds = 0
    while time.monotonic() < deadline or not rounds:
        rounds += 1
        terminal.send("/", f"IMG_00{rounds % 10}", "enter")
        terminal.pump(0.05)
        for words in (
            ("search", "--save", f"q{rounds}", "kind:image"),
            ("roots", "set", str(ground.media), "--label", f"number {rounds}"),
        ):
            outcome = ground.run(*words)
            assert outcome.code == 0, outcome
        if cron.poll() is not None:
            code, written = end(ground, cron)
            assert code in (0, 4), written
            cron = ground.start("scan", str(ground.media))
    assert end(ground, cron)[0] in (0, 4)
    tagged = [end(ground, tagger) for tagger in taggers]
    assert [code for code, _ in tagged] == [0, 0], tagged
    terminal.send("escape")
    terminal.pump(0.2)
    terminal.send("ctrl+c", "ctrl+c")
    assert terminal.wait_end() in (0, 3)
    assert ground.run("roots", "set", str(ground.media), "--label", ground.media.name).code == 0
    assert ground.scan().code == 0
    assert ask(ground, "SELECT count(*) FROM file_tag") == [(40,)]
    saved = ground.run("search", "--list-saved").stdout.decode()
    assert all(f"q{number}" in saved for number in range(1, rounds + 1))
    assert "locked" not in ground.log.read_text(encoding="utf-8")
    print(f"{rounds} rounds, {[written for _, written in tagged]} tags")


def test_a_stress_of_four_processes_ends_with_a_sound_library(ground: Ground) -> None:
    """Scans of two roots, aborted and killed in turn, beside each other: the library is as if one had scanned in peace."""
    for folder in ("one", "two"):
        fill(ground, 40, folder)
    ground.begin()
    roots = [str(ground.media / folder) for folder in ("one", "two")]
    for root in roots:
        assert ground.run("scan", "--only", "walk", root).code == 0
    deadline, number = time.monotonic() + STRESS_S, 0
    running: list[subprocess.Popen[bytes]] = []
    while time.monotonic() < deadline or number < 8:
        number += 1
        ways = (
            ("scan", "--rescan", "everything", roots[number % 2]),
            ("scan", *roots),
            ("scan", "--abort"),
            ("scan", "--watch", "--json", roots[0]),
        )
        running.append(ground.start(*ways[number % 4]))
        if len(running) < 4:
            continue
        process = running.pop(0)
        if number % 3 == 0:
            process.kill()
        code, written = end(ground, process)
        assert code in (0, 3, 4, -signal.SIGKILL), (code, written)
        assert b"locked" not in written
    for process in running:
        code, written = end(ground, process)
        assert code in (0, 3, 4), (code, written)
    for root in roots:
        assert ground.run("scan", root).code == 0
    ground.library_stays_apart = True  # of two roots; compared here
    from tests.trust import oracle
    from tests.trust.ground import Ground as AnotherGround

    fresh = AnotherGround.beside(ground)
    for root in roots:
        assert fresh.run("scan", root).code == 0
    oracle.check_sound(ground.library)
    oracle.check_same_library(ground.library, fresh.library)
    print(f"{number} processes")
