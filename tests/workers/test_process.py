"""One child: its pipes, its end, its usage, and the records of children that outlive their parent."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tui.workers import process, strays, usage
from tui.workers.process import ChildProcess, find_launcher, minimal_environment
from tui.workers.strays import reap_strays, record_child, records_dir
from tui.workers.usage import read_boot_id, read_usage, read_usages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

REPO = Path(__file__).parents[2]


class Listener:
    """Remembers what a child says."""

    def __init__(self) -> None:
        self.output = b""
        self.errors = b""
        self.ended = 0

    def output_received(self, data: bytes) -> None:
        self.output += data

    def errors_received(self, data: bytes) -> None:
        self.errors += data

    def process_ended(self) -> None:
        self.ended += 1


def python(code: str) -> tuple[bytes, ...]:
    """Return the command that runs `code` in this Python."""
    return (os.fsencode(sys.executable), b"-IS", b"-c", code.encode())


async def test_a_child_says_everything_and_ends_once(wait_until: Callable[..., Awaitable[None]]) -> None:
    listener = Listener()
    child = ChildProcess(python("import sys; print(sys.stdin.read()); sys.stderr.write('oh')"), listener)
    child.write(b"hello")
    child.close_input()
    await wait_until(lambda: listener.ended)
    assert (listener.output, listener.errors, listener.ended) == (b"hello\n", b"oh", 1)
    assert await child.wait(5)
    assert child.exit_status == 0
    child.terminate()
    child.kill()


async def test_more_input_than_a_pipe_holds_is_sent(wait_until: Callable[..., Awaitable[None]]) -> None:
    listener = Listener()
    child = ChildProcess(
        python("import sys, time; time.sleep(0.2); print(len(sys.stdin.buffer.read()))"), listener
    )
    for _ in range(100):
        child.write(bytes(10_000))
    await wait_until(lambda: not child._unsent)
    child.close_input()
    await wait_until(lambda: listener.ended)
    assert listener.output == b"1000000\n"
    assert await child.end()


async def test_writing_to_a_dead_child_is_no_error(wait_until: Callable[..., Awaitable[None]]) -> None:
    listener = Listener()
    child = ChildProcess(python("pass"), listener)
    await wait_until(lambda: listener.ended)
    child.write(bytes(1_000_000))
    child.write(b"more")
    assert await child.end()


async def test_the_whole_group_ends(wait_until: Callable[..., Awaitable[None]]) -> None:
    listener = Listener()
    code = (
        "import subprocess, sys; p = subprocess.Popen(['sleep', '1000']); print(p.pid, flush=True); p.wait()"
    )
    child = ChildProcess(python(code), listener)
    await wait_until(lambda: listener.output)
    grandchild = int(listener.output)
    assert await child.end(patience_s=0.0)
    await wait_until(lambda: (used := read_usage(grandchild)) is None or used.ended)


async def test_what_a_dead_child_leaves_behind_ends(wait_until: Callable[..., Awaitable[None]]) -> None:
    listener = Listener()
    code = "import subprocess; p = subprocess.Popen(['sleep', '1000']); print(p.pid, flush=True)"
    child = ChildProcess(python(code), listener)
    await wait_until(lambda: listener.output)
    assert await child.wait(10)
    grandchild = int(listener.output)
    await wait_until(lambda: (used := read_usage(grandchild)) is None or used.ended)


async def test_a_child_that_ignores_sigterm_is_killed() -> None:
    listener = Listener()
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(1000)"
    child = ChildProcess(python(code), listener)
    while not listener.output:
        await asyncio.sleep(0.01)
    assert await child.end(patience_s=0.05)
    assert child.exit_status == -signal.SIGKILL


async def test_a_disconnected_child_is_heard_no_more() -> None:
    listener = Listener()
    child = ChildProcess(python("print(1)"), listener)
    child.disconnect()
    assert await child.end()
    assert (listener.output, listener.ended) == (b"", 0)


async def test_no_file_can_be_written(tmp_path: Path, wait_until: Callable[..., Awaitable[None]]) -> None:
    listener = Listener()
    code = f"import os, sys; sys.stdin.read(); os.write(os.open({str(tmp_path / 'x')!r}, os.O_CREAT | os.O_WRONLY), b'x')"
    child = ChildProcess(python(code), listener)
    child.close_input()
    await wait_until(lambda: listener.ended)
    assert await child.end()
    assert child.exit_status != 0
    assert (tmp_path / "x").read_bytes() == b""


async def test_children_leave_the_processor_to_the_interface() -> None:
    """On one core, a child that burns CPU gets a small part of what this process gets."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        child = ChildProcess(python("print(1, flush=True)\nwhile True: pass"), listener := Listener())
        while not listener.output:
            await asyncio.sleep(0.01)
        mine, its = time.process_time(), read_usage(child.pid)
        while time.process_time() - mine < 1.0:
            pass
        used = read_usage(child.pid)
        assert its is not None
        assert used is not None
        assert used.cpu_s - its.cpu_s < 0.5
    finally:
        os.sched_setaffinity(0, cores)
    assert await child.end()


async def test_a_program_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "find_launcher", lambda: ())
    with pytest.raises(FileNotFoundError):
        ChildProcess((b"/nowhere/program",), Listener())


def test_children_left_open_end_with_the_program() -> None:
    """An error that leaves the event loop without closing anything leaves no child, setpriv or not."""
    script = """
import asyncio, sys
from tui.workers import process
process.find_launcher = lambda: ()
told = asyncio.Event()
class Deaf:
    def output_received(self, data):
        print(data.decode(), flush=True)
        told.set()
    def errors_received(self, data): pass
    def process_ended(self): pass
async def main():
    code = b"import os, time; print(os.getpid(), flush=True); time.sleep(1000)"
    child = process.ChildProcess((sys.executable.encode(), b"-c", code), Deaf())
    await asyncio.wait_for(told.wait(), 30)
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPO, capture_output=True, text=True, check=False
    )
    used = read_usage(int(done.stdout))
    assert used is None or used.ended


def test_the_shell_limits_where_prlimit_is_missing() -> None:
    done = subprocess.run(
        [*process._LIMIT_BY_SHELL, b"/bin/sh", b"-c", b'ulimit -f; ulimit -c; echo "$0" "$@"', b"a b", b"$c"],
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"0\n0\na b $c\n"


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", ""])
def test_a_setpriv_that_cannot_do_it_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    if script:
        (tmp_path / "setpriv").write_text(script)
        (tmp_path / "setpriv").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_launcher.__wrapped__() == ()


def test_a_child_that_is_started_by_a_dying_program_does_not_outlive_it(tmp_path: Path) -> None:
    """The program is killed before its child has asked the kernel to die with it: setpriv is held until then."""
    started = tmp_path / "started"
    (tmp_path / "setpriv").write_text(
        f"""#!/bin/sh
[ "$4" = true ] && exec /usr/bin/setpriv "$@"
mkdir {started}.$$  # it may write no file
while [ "$(ps -o ppid= -p $$ | tr -d ' ')" = "$PPID" ]; do sleep 0.01; done
PATH=/usr/bin:/bin exec setpriv "$@"
""".replace("/usr/bin/setpriv", shutil.which("setpriv") or "setpriv")
    )
    (tmp_path / "setpriv").chmod(0o755)
    script = """
import asyncio, sys
from tui.workers.process import ChildProcess
class Deaf:
    def output_received(self, data): pass
    def errors_received(self, data): pass
    def process_ended(self): pass
async def main():
    child = ChildProcess((b"/bin/sleep", b"1000"), Deaf())
    await asyncio.sleep(1000)
asyncio.run(main())
"""
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with subprocess.Popen([sys.executable, "-c", script], cwd=REPO, env=environ) as program:
        _wait_for(lambda: list(tmp_path.glob("started.*")))
        program.kill()
    child = int(next(tmp_path.glob("started.*")).suffix[1:])
    _wait_for(lambda: (used := read_usage(child)) is None or used.ended)


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_environment_names_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PERL5LIB", "PERL5OPT", "PYTHONPATH", "LD_PRELOAD", "EXIFTOOL_HOME"):
        monkeypatch.setenv(name, "/tmp")
    monkeypatch.setenv("PATH", "/usr/bin::.:bin:/bin")
    environment = minimal_environment()
    assert environment[b"PATH"] == b"/usr/bin:/bin"
    assert environment[b"HOME"] == b"/nonexistent"
    assert set(environment) == {b"PATH", b"LC_ALL", b"HOME", b"TZ"}


def test_usage_of_this_process() -> None:
    used = read_usage(os.getpid())
    assert used is not None
    assert used.rss_bytes > 1_000_000
    assert used.cpu_s > 0
    assert not used.ended
    assert read_usage(2**22 + 1) is None


def test_ps_tells_the_same_as_proc() -> None:
    me = os.getpid()
    by_proc, by_ps = read_usages([me])[me], usage._ask_ps([me, 2**22 + 1])
    assert set(by_ps) == {me}
    assert by_ps[me].cpu_s == pytest.approx(by_proc.cpu_s, abs=2)
    assert by_ps[me].rss_bytes == pytest.approx(by_proc.rss_bytes, rel=0.5)
    assert by_ps[me].started
    assert usage._ask_ps([]) == {}


@pytest.mark.parametrize(
    ("text", "seconds"), [("0:01.50", 1.5), ("00:00:07", 7), ("1:02:03", 3723), ("2-00:00:01", 172_801)]
)
def test_cpu_times_of_ps(text: str, seconds: float) -> None:
    assert usage._parse_cpu(text) == seconds


def test_without_ps_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert usage._ask_ps([os.getpid()]) == {}


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process in a group of its own."""
    with subprocess.Popen(["sleep", "1000"], process_group=0) as child:
        yield child
        child.kill()


def edit_record(pid: int, /, **changes: object) -> None:
    """Change the record of `pid`."""
    path = Path(records_dir()) / str(pid)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_stray_whose_parent_is_gone_is_killed(sleeper: subprocess.Popen[bytes]) -> None:
    record_child(sleeper.pid)
    edit_record(sleeper.pid, owner=2**22 + 1)
    assert reap_strays() == 1
    assert sleeper.wait(5) == -signal.SIGKILL
    assert os.listdir(records_dir()) == []


def test_children_of_living_parents_are_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    record_child(sleeper.pid)
    assert reap_strays() == 0
    assert sleeper.poll() is None
    assert os.listdir(records_dir()) == [str(sleeper.pid)]
    strays.forget_child(sleeper.pid)
    strays.forget_child(sleeper.pid)
    assert os.listdir(records_dir()) == []


@pytest.mark.parametrize(
    "changes", [{"started": "1"}, {"boot": "another"}, {"pid": 1}, {"pid": -1}, {"pid": "x"}]
)
def test_nobody_else_is_hit(sleeper: subprocess.Popen[bytes], changes: dict[str, object]) -> None:
    """A process id that another process has now, another boot, and records that are no records."""
    record_child(sleeper.pid)
    edit_record(sleeper.pid, owner=2**22 + 1, **changes)
    assert reap_strays() == 0
    assert sleeper.poll() is None
    assert os.listdir(records_dir()) == []


def test_records_that_are_none_are_dropped() -> None:
    os.makedirs(records_dir())
    for name, text in (("1", ""), ("2", "[]"), ("3", '{"pid": 3}'), ("x", "\x00")):
        (Path(records_dir()) / name).write_text(text)
    assert reap_strays() == 0
    assert os.listdir(records_dir()) == []


def test_records_are_private_and_optional(sleeper: subprocess.Popen[bytes], home: Path) -> None:
    assert reap_strays() == 0
    record_child(sleeper.pid)
    assert os.stat(os.path.join(records_dir(), str(sleeper.pid))).st_mode & 0o777 == 0o600
    assert read_boot_id()
    record_child(2**22 + 1)
    strays.forget_child(sleeper.pid)
    os.rmdir(records_dir())
    Path(records_dir()).write_text("a file where the folder should be")
    record_child(sleeper.pid)
    assert reap_strays() == 0


def test_a_stray_of_a_killed_program_ends_at_the_next_start(home: Path) -> None:
    """Without setpriv a killed program leaves its child; the record tells the next one."""
    script = """
import asyncio, sys
from tui.workers import process
process.find_launcher = lambda: ()
class Deaf:
    def output_received(self, data): pass
    def errors_received(self, data): pass
    def process_ended(self): pass
async def main():
    child = process.ChildProcess((b"/bin/sleep", b"1000"), Deaf())
    print(child.pid, flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPO, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    used = read_usage(pid)
    assert used is not None
    assert not used.ended
    assert reap_strays() == 1
    deadline = time.monotonic() + 5
    while (used := read_usage(pid)) is not None and not used.ended:
        assert time.monotonic() < deadline
        time.sleep(0.01)
