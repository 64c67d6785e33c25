"""One child process that can be killed: own group, limited, low priority, never blocking the event loop.

Children read hostile files, so nothing of theirs is trusted: output arrives in chunks, errors are always
drained, the whole process group ends with SIGTERM or SIGKILL, and where `setpriv` (util-linux) is present the
kernel kills the child when its parent dies.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
from functools import cache
from typing import IO, TYPE_CHECKING, Protocol

from tui.workers.strays import forget_child, record_child

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

logger = logging.getLogger("yapmo.workers")

CHUNK_BYTES = 65_536
"""Bytes read at once from a child: what a pipe holds."""

SHORTEST_REST_S, LONGEST_REST_S = 0.010, 0.060
"""Seconds between two looks at the output of a child that keeps talking: one turn of the event loop then takes several
answers. A child whose pipe is full is never left waiting."""

NICE = 10
"""How much lower than the interface's the priority of children is (`nice` levels)."""

OOM_SCORE = 500
"""Added to a child's score when the machine is out of memory: it goes before what matters (proc(5))."""

_LIMIT_BY_SHELL = (b"/bin/sh", b"-c", b'ulimit -f 0; ulimit -c 0; exec "$@"', b"sh")
_living: set[ChildProcess] = set()


class ProcessListener(Protocol):
    """Who hears from a child. All calls come on the event loop."""

    def output_received(self, data: bytes) -> None:
        """Take a chunk of the child's standard output."""

    def errors_received(self, data: bytes) -> None:
        """Take a chunk of the child's standard error."""

    def process_ended(self) -> None:
        """Hear, once, that the child will say nothing more: it died or closed its output."""


def minimal_environment() -> dict[bytes, bytes]:
    """Return the environment for children: nothing in it makes a program load code or read a user's files.

    PERL5LIB, PERL5OPT, PYTHONPATH, LD_PRELOAD and the like stay behind, HOME is nowhere, and entries of PATH
    that are relative are dropped.
    """
    search_path = os.environb.get(b"PATH", os.fsencode(os.defpath)).split(b":")
    environment = {
        b"PATH": b":".join(entry for entry in search_path if os.path.isabs(entry)),
        b"LC_ALL": b"C.UTF-8",
        b"HOME": b"/nonexistent",
    }
    if zone := os.environb.get(b"TZ"):
        environment[b"TZ"] = zone
    return environment


@cache
def find_launcher() -> tuple[bytes, ...]:
    """Return the words to put before a command so that the kernel ends it with its parent, or limits it.

    That is `setpriv --pdeathsig KILL` on Linux where it can do so (that of BusyBox cannot); off Linux a shell
    that sets the limits that cannot be set from outside there.
    """
    if sys.platform != "linux":
        return _LIMIT_BY_SHELL
    program = shutil.which("setpriv")
    if program is None:
        return ()
    words = (os.fsencode(program), b"--pdeathsig", b"KILL", b"--")
    try:
        done = subprocess.run([*words, b"true"], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return words if done.returncode == 0 else ()


_UNLESS_ORPHANED = b'test "$PPID" = "$0" && unset PWD OLDPWD SHLVL && exec "$@"'
"""Runs its arguments if the parent is the process of the number before them; without what a shell adds to the environment."""


def launch_words() -> tuple[bytes, ...]:
    """Return the words to put before a command of this process: those of `find_launcher`, and on Linux a look back.

    A parent that is killed before `setpriv` has spoken to the kernel is not heard of again. So what follows starts only
    if the parent still lives by then.
    """
    launcher = find_launcher()
    if sys.platform != "linux" or not launcher:
        return launcher
    return (*launcher, b"/bin/sh", b"-c", _UNLESS_ORPHANED, b"%d" % os.getpid())


class ChildProcess:
    """A running child with its three pipes.

    It must be made on the event loop's thread: the death of the *thread* that started a child is what the
    kernel takes for the death of its parent (prctl(2), PR_SET_PDEATHSIG).
    """

    def __init__(
        self,
        command: Sequence[bytes],
        listener: ProcessListener,
        *,
        environment: Mapping[bytes, bytes] | None = None,
        memory_bytes: int = 0,
        cpu_s: int = 0,
    ) -> None:
        """Start `command` and limit it before it can have read anything foreign.

        Args:
            command: absolute path of the program, and its arguments.
            listener: who hears what the child says.
            environment: instead of `minimal_environment()`.
            memory_bytes: limit of the address space; 0 for none (macOS knows none).
            cpu_s: limit of CPU time for the whole life of the child, seconds; 0 for none.

        Raises:
            OSError: the program cannot be started.
        """
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._process = subprocess.Popen(
            [*launch_words(), *command],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=minimal_environment() if environment is None else environment,
            process_group=0,  # no session: Linux schedules sessions apart, and nice counts only within one (sched(7))
        )
        _living.add(self)
        self._pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        self.pid = self._process.pid
        self._limit(memory_bytes, cpu_s)
        record_child(self.pid)
        self._unsent = bytearray()
        self._sending: asyncio.Handle | None = None
        self._awaits_room = False
        self._resting: asyncio.TimerHandle | None = None
        self._rest_s = SHORTEST_REST_S
        self._heard_end = False
        self._input, self._output, self._errors = (_prepare(pipe) for pipe in self._pipes)
        self._hears_output = self._hears_errors = False
        self._listen_to_output(wanted=True)
        self.listen_to_errors(wanted=True)

    def drain_errors(self) -> None:
        """Hear at once what lies ready on standard error."""
        if self._errors >= 0:
            self._read_errors()

    def drain_output(self) -> None:
        """Hear at once what lies ready on standard output; of a child that has ended, that is its last words."""
        if self._resting is not None:
            self._resting.cancel()
        if self._output >= 0:
            self._read_output()

    def rest(self, *, longer: bool) -> None:
        """Look at the output less often from now on, or more often: whoever knows how much there is for the child to do says so."""
        factor = 1.5 if longer else 0.5
        self._rest_s = min(max(self._rest_s * factor, SHORTEST_REST_S), LONGEST_REST_S)

    def listen_to_errors(self, wanted: bool) -> None:
        """Choose whether standard error is heard as it comes, or only when `drain_errors` is called.

        The second saves the event loop a turn for each task. Whoever chooses it drains now and then, since a
        child stands still while the pipe is full.
        """
        if self._errors < 0 or wanted == self._hears_errors:
            return
        self._hears_errors = wanted
        if wanted:
            self._loop.add_reader(self._errors, self._read_errors)
        else:
            self._loop.remove_reader(self._errors)

    @property
    def exit_status(self) -> int | None:
        """Exit status once the process is collected, negative for the signal that ended it; else None."""
        return self._process.returncode

    def write(self, data: bytes) -> None:
        """Send `data` to the child's standard input, soon; what the pipe cannot take then follows when it can."""
        if self._input < 0:
            return
        self._unsent += data
        if self._sending is None and not self._awaits_room:
            self._sending = self._loop.call_soon(self._send)

    def disconnect(self) -> None:
        """Close the pipes: the listener hears nothing more, and the child can say nothing more."""
        self._heard_end = True
        self._unsent.clear()
        self.close_input()
        self._close_output()
        self._close_errors()

    def terminate(self) -> None:
        """Ask the child and its group to end (SIGTERM)."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the child and its group (SIGKILL)."""
        self._signal(signal.SIGKILL)

    async def wait(self, timeout_s: float) -> bool:
        """Wait until the process is gone and collected, its group too.

        Returns:
            False when it still lives after `timeout_s` seconds (stuck in the kernel on a dead disk, say).
        """
        deadline = self._loop.time() + timeout_s
        pause_s = 0.001
        while not self._collect():
            if self._loop.time() >= deadline:
                return False
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.02)
        return True

    async def end(self, *, patience_s: float = 0.1, timeout_s: float = 1.0) -> bool:
        """Let the child end itself on SIGTERM for `patience_s` seconds, then kill it.

        Returns:
            False when it still lives `timeout_s` seconds after SIGKILL.
        """
        self.terminate()
        if await self.wait(patience_s):
            return True
        self.kill()
        if await self.wait(timeout_s):
            return True
        logger.warning("worker process %d does not end although it was killed", self.pid)
        return False

    def _limit(self, memory_bytes: int, cpu_s: int) -> None:
        """Lower the child's priority and cap what it can take; it may not write files nor dump its memory."""
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, os.getpriority(os.PRIO_PROCESS, 0) + NICE)
        if sys.platform != "linux":
            return
        limits = {resource.RLIMIT_FSIZE: (0, 0), resource.RLIMIT_CORE: (0, 0)}
        if memory_bytes:
            limits[resource.RLIMIT_AS] = (memory_bytes, memory_bytes)
        if cpu_s:  # SIGXCPU at the first limit tells why; SIGKILL at the second
            limits[resource.RLIMIT_CPU] = (cpu_s, cpu_s + 1)
        try:
            for name, limit in limits.items():
                resource.prlimit(self.pid, name, limit)
            with open(f"/proc/{self.pid}/oom_score_adj", "w", encoding="ascii") as file:
                file.write(str(OOM_SCORE))
        except (OSError, ValueError) as error:
            logger.debug("worker process %d: a limit was not set: %s", self.pid, error)

    def _send(self) -> None:
        self._sending = None
        if self._input < 0:
            return
        try:
            sent = os.write(self._input, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:  # the child is gone, which the end of its output tells
            self._unsent.clear()
            self.close_input()
            return
        del self._unsent[:sent]
        if bool(self._unsent) == self._awaits_room:
            return
        self._awaits_room = bool(self._unsent)
        if self._awaits_room:
            self._loop.add_writer(self._input, self._send)
        else:
            self._loop.remove_writer(self._input)

    def _read_output(self) -> None:
        """Take what lies ready and rest for a while, or hear of the next byte if that was nothing or a full pipe."""
        self._resting = None
        data = _read_chunk(self._output)
        if data == b"":
            self.drain_errors()
            self._close_output()
            self._tell_end()
            return
        rests = data is not None and len(data) < CHUNK_BYTES
        self._listen_to_output(wanted=not rests)
        if rests:
            self._resting = self._loop.call_later(self._rest_s, self._read_output)
        if data:
            self._listener.output_received(data)

    def _listen_to_output(self, *, wanted: bool) -> None:
        if wanted == self._hears_output:
            return
        self._hears_output = wanted
        if wanted:
            self._loop.add_reader(self._output, self._read_output)
        else:
            self._loop.remove_reader(self._output)

    def _read_errors(self) -> None:
        data = _read_chunk(self._errors)
        if data:
            self._listener.errors_received(data)
        elif data is not None:
            self._close_errors()

    def _tell_end(self) -> None:
        if not self._heard_end:
            self._heard_end = True
            self._listener.process_ended()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _collect(self) -> bool:
        """Return True once the child is collected; what is left of its group is killed before that.

        A process id is free for others as soon as it is collected, so nothing is signalled after that.
        """
        if self._process.returncode is not None:
            return True
        if hasattr(os, "waitid"):
            with contextlib.suppress(ChildProcessError):
                if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                    return False
            self.kill()
        if self._process.poll() is None:
            return False
        self.disconnect()
        forget_child(self.pid)
        _living.discard(self)
        return True

    def close_input(self) -> None:
        """Let the child read the end of its standard input; what the pipe cannot take now is dropped."""
        if self._unsent:
            self._send()
        if self._input >= 0:
            self._loop.remove_writer(self._input)
            _close(self._pipes[0])
            self._input = -1
            self._unsent.clear()

    def _close_output(self) -> None:
        if self._output >= 0:
            if self._resting is not None:
                self._resting.cancel()
            self._listen_to_output(wanted=False)
            _close(self._pipes[1])
            self._output = -1

    def _close_errors(self) -> None:
        if self._errors >= 0:
            self._loop.remove_reader(self._errors)
            _close(self._pipes[2])
            self._errors = -1


def _prepare(pipe: IO[bytes] | None) -> int:
    """Return the descriptor of a pipe, which from now on never blocks."""
    if pipe is None:
        raise AssertionError("every pipe was asked for")
    os.set_blocking(pipe.fileno(), False)
    return pipe.fileno()


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()


def _read_chunk(fd: int) -> bytes | None:
    """Return what lies ready, empty bytes at the end, None when nothing lies ready."""
    try:
        return os.read(fd, CHUNK_BYTES)
    except BlockingIOError:
        return None
    except OSError:
        return b""


@atexit.register
def _kill_living() -> None:
    """End the children of a process that leaves without closing its pools (an error in a front door)."""
    for child in list(_living):
        child.kill()
