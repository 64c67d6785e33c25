"""The real program in a pseudo-terminal, its screen read back with pyte."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Self

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEYS = {
    "enter": "\r", "escape": "\x1b", "tab": "\t", "space": " ", "backspace": "\x7f", "ctrl+c": "\x03",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~",
}  # fmt: skip


PATIENCE_S = 90.0
"""How long anything may take before a test fails: only a program that hangs does, however busy the machine is."""


class PseudoTerminal:
    """A program running on a terminal of its own.

    Attributes:
        received: every byte the program wrote.
        screen: what a terminal would show.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        environ: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        """Start `command` at once, with the terminal as its controlling one."""
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.received = bytearray()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.attributes = termios.tcgetattr(slave)
        settings = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environ or {})}
        for name in ("NO_COLOR", "COLUMNS", "LINES", "TMUX", "TERM_PROGRAM"):
            settings.pop(name, None)
        self.process = subprocess.Popen(
            list(command), stdin=slave, stdout=slave, stderr=slave, env=settings, cwd=cwd, close_fds=True,
            preexec_fn=_take_terminal,
        )  # fmt: skip
        self._slave = slave
        os.set_blocking(self._master, False)

    @classmethod
    def yapmo(cls, *arguments: str, **how: object) -> PseudoTerminal:
        """Start YAPMO of this checkout with `arguments`."""
        return cls([sys.executable, "-m", "tui", *arguments], **how)  # type: ignore[arg-type]  # passed through

    def pump(self, seconds: float = 0.0) -> bool:
        """Take what the program wrote, waiting `seconds` for the first byte; False when nothing came."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._master, 1 << 16)
        except (OSError, BlockingIOError):
            return False
        self.received += data
        if b"\x1b[?2026$p" in data:  # a harness that does not answer makes the program wait
            os.write(self._master, b"\x1b[?2026;2$y")
        self._stream.feed(data)
        return bool(data)

    def wait_for(self, condition: str | Callable[[str], bool], seconds: float = PATIENCE_S) -> str:
        """Return the screen's text once it holds `condition` (a text, or a test of the whole text)."""
        deadline = time.monotonic() + seconds
        while True:
            text = self.text
            if condition in text if isinstance(condition, str) else condition(text):
                return text
            if time.monotonic() > deadline:
                raise AssertionError(f"{condition!r} not on the screen within {seconds} s:\n{text}")
            self.pump(0.05)
            if self.process.poll() is not None and not self.pump(0.05):
                text = self.text
                if condition in text if isinstance(condition, str) else condition(text):
                    return text
                raise AssertionError(f"ended with {self.process.returncode} before {condition!r}:\n{text}")

    def send(self, *keys: str) -> None:
        """Type keys: names of `KEYS`, or the characters themselves."""
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the terminal, as a window does."""
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)
        self.process.send_signal(signal.SIGWINCH)

    def hang_up(self) -> None:
        """Take the terminal away, as a line does that drops."""
        os.close(self._master)
        self._master = os.open(os.devnull, os.O_RDWR)

    def wait_end(self, seconds: float = PATIENCE_S) -> int:
        """Return the exit code once the program has ended."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"still running after {seconds} s:\n{self.text}")
            self.pump(0.05)
        while self.pump(0.05):
            pass
        return self.process.returncode

    @property
    def text(self) -> str:
        """What the screen shows, line by line."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def is_restored(self) -> bool:
        """True when the terminal is as it was before the program: modes reset, cursor shown, no alternate screen."""
        modes = termios.tcgetattr(self._slave)[:4] == self.attributes[:4]
        data = bytes(self.received)
        left = data.rfind(b"\x1b[?1049l") > data.rfind(b"\x1b[?1049h") if b"\x1b[?1049h" in data else True
        shown = data.rfind(b"\x1b[?25h") > data.rfind(b"\x1b[?25l") if b"\x1b[?25l" in data else True
        return modes and left and shown

    def close(self) -> None:
        """Kill whatever still runs and give the terminal back."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for descriptor in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def _take_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
