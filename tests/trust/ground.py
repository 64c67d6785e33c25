"""A place where the real program is attacked: media, a library, a home; and the real commands run in it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.process_tree import descendants
from tests.terminal.pseudo_terminal import PseudoTerminal
from tests.trust import oracle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CHECKOUT = Path(__file__).resolve().parents[2]
HANGING_S = 120.0
"""After so long a command counts as hanging. The promise is 60 s on a quiet machine; a busy one needs some more."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it wrote.

    Attributes:
        code: its exit code, negative for the signal that killed it.
        stdout: what it printed.
        stderr: what it told people.
        seconds: how long it took.
    """

    code: int
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The lines of stdout as JSON objects."""
        return [json.loads(line, parse_constant=_refuse) for line in self.stdout.split(b"\n") if line]

    @property
    def said(self) -> str:
        """What it told people, as text."""
        return self.stderr.decode("utf-8", "backslashreplace")


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


class Ground:
    """Media in a folder, the library that catalogues them, and the program that a test starts on both.

    Attributes:
        folder: everything lies in it.
        media: the folder that is scanned; a test fills it, then calls `begin`.
        library: the library's file.
        home: the home folder, with config, data and state folders of the program in it.
        environ: the environment of what is started.
        launcher: words put before every command: a program that starts what follows it.
        failing: files (absolute paths) that are expected to be reported as failed; every other one has to be read.
            None where that cannot be known before: whatever failed has to be reported, and nothing else.
        media_may_change: True where the case itself changes media while the program runs.
        library_stays_apart: True where the case destroys the library, or ends without a scan that could be compared.
        names_of_tags: True where so many damaged files are read that ExifTool's memory of them shows in later ones; of all
            tags of a file the names alone are then compared, beside all fields of the library.
        outputs: everything that was written by what was started, with a name each.
        servers: processes of the test itself, which may outlive what it tests.
        at_the_end: what is undone when all has been checked: disks of the test's own, say.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folders."""
        self.folder = folder
        self.media = folder / "media"
        self.library = folder / "library" / "library.yapmo"
        self.home = folder / "home"
        self.failing: set[bytes] | None = set()
        self.media_may_change = False
        self.library_stays_apart = False
        self.names_of_tags = False
        self.launcher: list[str] = []
        self.outputs: list[tuple[str, bytes]] = []
        self.servers: set[int] = set()
        self.at_the_end = contextlib.ExitStack()
        self._before: dict[bytes, tuple[object, ...]] | None = None
        self._terminals: list[PseudoTerminal] = []
        self.media.mkdir()
        self.home.mkdir()
        self.library.parent.mkdir(mode=0o700)
        self.environ = {
            **os.environ,
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "PYTHONPATH": str(CHECKOUT),
            "TZ": "UTC",
        }

    @property
    def log(self) -> Path:
        """The log file of what was started."""
        return self.home / "state" / "yapmo" / "yapmo.log"

    def begin(self) -> None:
        """Note how the media are; from now on nothing may change them."""
        self._before = oracle.state_of_tree(bytes(self.media))

    def use_exiftool(self, program: Path) -> None:
        """Let everything that is started from now on find this ExifTool first."""
        self.environ["PATH"] = f"{program.parent}:{self.environ['PATH']}"

    def configure(self, text: str) -> None:
        """Write the user's config file (TOML)."""
        folder = self.home / "config" / "yapmo"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "config.toml").write_text(text, encoding="utf-8")

    def start(self, *arguments: str | bytes, **how: Any) -> subprocess.Popen[Any]:
        """Start a command in a session of its own; its stdout and stderr are pipes unless `how` says otherwise."""
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | how
        how.setdefault("env", self.environ)
        how.setdefault("cwd", self.folder)
        return subprocess.Popen(self.command(*arguments), start_new_session=True, **how)

    def command(self, *arguments: str | bytes) -> list[str | bytes]:
        """Return the words that run the program with `arguments` on the library of this ground."""
        return [*self.launcher, sys.executable, "-P", "-m", "tui", "--library", str(self.library), *arguments]

    def run(self, *arguments: str | bytes, seconds: float = HANGING_S, **how: Any) -> Outcome:
        """Run a command to its end; one that takes longer than `seconds` fails the test."""
        began = time.monotonic()
        process = self.start(*arguments, **how)
        try:
            stdout, stderr = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            raise AssertionError(f"{arguments!r} hangs; it said {stderr!r}") from None
        outcome = Outcome(process.returncode, stdout or b"", stderr or b"", time.monotonic() - began)
        self.note_output(f"stdout of {arguments!r}", outcome.stdout)
        self.note_output(f"stderr of {arguments!r}", outcome.stderr)
        return outcome

    def note_output(self, what: str, data: bytes) -> None:
        """Keep what a program wrote, for the check that nothing of the data acts on a terminal."""
        assert b"Traceback (most recent call last)" not in data, data.decode("utf-8", "backslashreplace")
        self.outputs.append((what, data))

    def scan(self, *options: str, **how: Any) -> Outcome:
        """Scan the media; the last object on stdout is the event `finished`."""
        return self.run("scan", "--json", *options, str(self.media), **how)

    def terminal(
        self, *arguments: str, environ: Mapping[str, str] | None = None, **size: int
    ) -> PseudoTerminal:
        """Start the application in a pseudo-terminal; it is closed after the test at the latest."""
        command = [os.fsdecode(word) for word in self.command(*arguments)]
        environ = {**self.environ, **(environ or {})}
        terminal = PseudoTerminal(command, environ=environ, cwd=str(self.folder), **size)
        self._terminals.append(terminal)
        return terminal

    def found(self, *query: str) -> list[dict[str, Any]]:
        """Return what the command `search` finds, all files without a query."""
        outcome = self.run("search", "--json", *query)
        assert outcome.code == 0, outcome
        return outcome.objects

    def problems(self) -> dict[bytes, str]:
        """Return the problems that the command `problems` names: message by path."""
        outcome = self.run("problems", "--json")
        assert outcome.code == 0, outcome
        return {path_of(item): str(item["message"]) for item in outcome.objects}

    def paths(self, names: Iterable[bytes]) -> set[bytes]:
        """Return the absolute paths of files of the media."""
        return {bytes(self.media) + b"/" + name for name in names}

    def give_up(self) -> None:
        """Kill what a failed test has left."""
        for terminal in self._terminals:
            terminal.close()
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def end(self) -> None:
        """Check everything that must hold after every case (the global oracle)."""
        for terminal in self._terminals:
            terminal.close()
            oracle.check_terminal(bytes(terminal.received))
        oracle.check_no_process_is_left(self.servers)
        if self._before is not None and not self.media_may_change:
            oracle.check_same_tree(self._before, oracle.state_of_tree(bytes(self.media)))
        if not self.library_stays_apart:
            oracle.check_sound(self.library)
            self._check_as_a_fresh_scan()
            self._check_failures_are_named()
            oracle.check_no_process_is_left(self.servers)
        for what, data in self.outputs:
            oracle.check_text(what, data)
        for log in self.log.parent.glob("yapmo.log*"):
            data = log.read_bytes()
            assert b"Traceback (most recent call last)" not in data, data.decode("utf-8", "backslashreplace")[
                -8000:
            ]
            oracle.check_text(f"the log {log.name}", data)

    def _check_as_a_fresh_scan(self) -> None:
        fresh = Ground.beside(self)
        outcome = fresh.scan()
        assert outcome.code in (0, 1), outcome
        oracle.check_same_library(self.library, fresh.library, names_of_tags=self.names_of_tags)

    def _check_failures_are_named(self) -> None:
        named = set(self.problems())
        failed = oracle.failed_files(self.library)
        assert failed <= named, f"failed without a problem on record: {failed - named}"
        expected = failed if self.failing is None else self.failing
        assert named == expected, f"named {named - expected}, not named {expected - named}"

    @classmethod
    def beside(cls, other: Ground) -> Ground:
        """Return a ground with the same media and an empty library, in a folder of its own."""
        folder = other.folder / "fresh"
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        fresh = cls(folder)
        fresh.media.rmdir()
        fresh.media = other.media
        fresh.environ["PATH"] = other.environ["PATH"]
        fresh.launcher = other.launcher
        config = other.home / "config"
        if config.exists():
            shutil.copytree(config, fresh.home / "config")
        return fresh


def path_of(item: Mapping[str, Any]) -> bytes:
    """Return the path of an object that a command printed, in its very bytes."""
    return b64decode(item["path_b64"]) if "path_b64" in item else str(item["path"]).encode()
