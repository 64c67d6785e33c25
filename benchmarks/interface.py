"""How does the application feel while a scan runs at full speed? Real program, pseudo-terminal of 120×40.

    python benchmarks/interface.py [FOLDER] [--from CORPUS] [--only keys|traffic|start|abort|memory]

keys     from key press to the repaint that it causes, during a scan (cursor, paging, typing in the search box)
traffic  bytes a second and share of a core on the Progress screen during a scan, and bytes while idle
start    `yapmo --help`, and `yapmo` to the first painted frame, with the smallest application of Textual beside it
abort    from Ctrl-C to the end of the process with everything committed, also with a hung exiftool
memory   resident memory of the main process during a scan of 100,000 files

Every figure is printed beside what it must reach. A terminal emulator (pyte) tells when a key's repaint is there: when search
box, names and cursor first look as they do once nothing has come for 40 ms.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, HERE)
os.environ["PYTHONPATH"] = HERE  # what is measured is this checkout, wherever Python comes from

import pyte
from photos import make_photos

QUIET_S = 0.04
SMALLEST_APPLICATION = """
from textual.app import App
from textual.widgets import Static

class Smallest(App):
    def compose(self):
        yield Static("2 Library")

Smallest().run()
"""
"""What a Textual application costs that does nothing but show one line: the peer of the first paint."""
DOWN, PAGE_DOWN, END, HOME = b"\x1b[B", b"\x1b[6~", b"\x1b[F", b"\x1b[H"


class Terminal:
    """A program on a pseudo-terminal whose output is timed, not shown."""

    def __init__(
        self, *arguments: str, columns: int = 120, rows: int = 40, program: tuple[str, ...] = ()
    ) -> None:
        """Start YAPMO (or `program`) with `arguments`."""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        self.began = time.perf_counter()
        command = program or (sys.executable, "-P", "-m", "tui")
        self.process = subprocess.Popen(
            [*command, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environ, cwd=HERE,
            preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)),
        )  # fmt: skip
        os.close(slave)
        self.bytes = 0
        self.tail = b""

    def read(self, seconds: float) -> bytes:
        """Return what comes within `seconds`, empty when nothing does."""
        if not select.select([self.master], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            return b""
        if b"\x1b[?2026$p" in data:
            os.write(self.master, b"\x1b[?2026;2$y")
        self.bytes += len(data)
        self.tail = (self.tail + data)[-200_000:]
        return data

    def wait_for(self, text: bytes, seconds: float = 30.0) -> float:
        """Return the time at which `text` was on its way to the screen."""
        deadline = time.perf_counter() + seconds
        while text not in self.tail:
            if time.perf_counter() > deadline:
                raise SystemExit(f"{text!r} did not come:\n{self.tail[-2000:]!r}")
            self.read(0.1)
        return time.perf_counter()

    def settle(self, seconds: float = QUIET_S) -> None:
        """Return when nothing has come for `seconds`."""
        while self.read(seconds):
            pass

    def press(self, key: bytes, screen: Screen, *, quiet: float = QUIET_S) -> float | None:
        """Return the seconds from a key to the moment when what it changes was painted, None if it changed nothing.

        That is when `screen` first looks as it does in the end, after `quiet` seconds without a change; what comes later
        is the scan's.
        """
        before = screen.look()
        chunks: list[tuple[float, bytes]] = []
        began = time.perf_counter()
        os.write(self.master, key)
        wait = max(1.0, quiet)
        while data := self.read(wait):
            chunks.append((time.perf_counter() - began, data))
            wait = quiet
            if chunks[-1][0] > max(2, 3 * quiet):
                break
        looks = [(seconds, screen.feed(data)) for seconds, data in chunks]
        if not looks or looks[-1][1] == before:
            return None
        return next(seconds for seconds, look in looks if look == looks[-1][1])

    def cpu_s(self) -> float:
        """Return the processor time that the main process has used."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """Return the resident memory of the main process in MB of 1,000,000 bytes."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def close(self) -> None:
        """End the program."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            deadline = time.perf_counter() + 10
            while self.process.poll() is None and time.perf_counter() < deadline:
                self.read(0.05)
        self.process.kill()
        self.process.wait()
        os.close(self.master)


class Screen:
    """What the terminal shows, of which the part is looked at that keys change and the scan does not.

    That is the search box, the names in the table and where the cursor stands; numbers, dates and cameras of the rows arrive
    with the scan.
    """

    COLUMNS = slice(0, 62)

    def __init__(self, columns: int = 120, rows: int = 40) -> None:
        """Begin with an empty screen."""
        self.rows = slice(1, 37)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, data: bytes) -> object:
        """Take output of the program; return how the part looks then."""
        self._stream.feed(data)
        return self.look()

    def look(self) -> object:
        """Return the part, comparable."""
        lines = self._screen.display[self.rows]
        backgrounds = [self._screen.buffer[row][self.COLUMNS.stop].bg for row in range(1, 37)]
        return [line[self.COLUMNS] for line in lines], backgrounds


def report(name: str, value: str, limit: str) -> None:
    """Print one figure beside what it must reach."""
    print(f"{name:52}{value:>28}   {limit}", flush=True)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` of the values lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure_keys(folder: str, home: str) -> None:
    """Time keys in the table and in the search box while the scan runs."""
    terminal = Terminal("--library", os.path.join(home, "keys.yapmo"), folder)
    terminal.wait_for(b"Library")
    os.write(terminal.master, b"2")
    end = time.perf_counter() + 1.5
    while time.perf_counter() < end:
        terminal.read(0.1)
    os.write(terminal.master, b"/sort:name\r")  # an order in which rows do not wander while dates arrive
    terminal.settle(0.3)
    screen = Screen()
    screen.feed(terminal.tail)
    times: list[float] = []
    for turn in range(300):
        key = (DOWN, DOWN, PAGE_DOWN, DOWN, HOME, DOWN, END, HOME)[turn % 8]
        times.append(terminal.press(key, screen) or 0.0)
    os.write(terminal.master, b"/" + b"\x7f" * 20)
    terminal.settle(0.3)
    screen.rows = slice(1, 2)  # the search box; what is found follows when typing rests
    for turn in range(100):
        key = b"img_012"[turn % 7 : turn % 7 + 1] if turn // 7 % 2 == 0 else b"\x7f"
        times.append(terminal.press(key, screen) or 0.0)
    times = [seconds * 1000 for seconds in times if seconds]
    running = terminal.process.poll() is None
    terminal.close()
    assert running
    report("key to repaint during a scan, median", f"{statistics.median(times):.1f} ms", "<= 10 ms")
    report("key to repaint during a scan, 95th percentile", f"{percentile(times, 0.95):.1f} ms", "<= 30 ms")


def measure_traffic(folder: str, home: str) -> None:
    """Count bytes and processor time on the Progress screen, then bytes while idle."""
    library = os.path.join(home, "traffic.yapmo")
    terminal = Terminal("--library", library, folder)
    terminal.wait_for(b"Library")
    os.write(terminal.master, b"3")
    end = time.perf_counter() + 2
    while time.perf_counter() < end:
        terminal.read(0.1)
    with_screen = _measure_window(terminal, 8.0)
    os.write(terminal.master, b"1")
    terminal.settle(0.2)
    without = _measure_window(terminal, 8.0)
    terminal.close()
    report("traffic of the Progress screen during a scan", f"{with_screen[0] / 1000:.1f} kB/s", "<= 9 kB/s")
    cost = (with_screen[1] - without[1]) * 100
    report(
        "processor for it (beside Browse during the same scan)",
        f"{cost:+.1f} % of a core ({with_screen[1] * 100:.0f} - {without[1] * 100:.0f})", "<= 3 %",
    )  # fmt: skip
    terminal = Terminal("--library", library)
    terminal.wait_for(b"Library")
    end = time.perf_counter() + 3
    while time.perf_counter() < end:
        terminal.read(0.1)
    idle = _measure_window(terminal, 5.0)
    terminal.close()
    report("traffic while idle", f"{idle[0]:.0f} B/s", "0")


def _measure_window(terminal: Terminal, seconds: float) -> tuple[float, float]:
    """Return bytes a second and processor share over the next `seconds`."""
    received, cpu, began = terminal.bytes, terminal.cpu_s(), time.perf_counter()
    while time.perf_counter() - began < seconds:
        terminal.read(0.1)
    elapsed = time.perf_counter() - began
    return (terminal.bytes - received) / elapsed, (terminal.cpu_s() - cpu) / elapsed


def measure_start(_folder: str, home: str) -> None:
    """Time `--help`, the first painted frame and that of the peer in turns; the first of each warms the page cache."""
    launcher = os.path.join(HERE, "yapmo")
    programs = {
        "yapmo": (launcher, "--library", os.path.join(home, "start.yapmo")),
        "peer": (sys.executable, "-c", SMALLEST_APPLICATION),
    }
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    helps: list[float] = []
    paints: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(11):
        began = time.perf_counter()
        subprocess.run([launcher, "--help"], stdout=subprocess.DEVNULL, env=environ, check=True)
        helps.append(time.perf_counter() - began)
        for name, program in programs.items():
            terminal = Terminal(program=program)
            paints[name].append(terminal.wait_for(b"2 Library") - terminal.began)
            terminal.close()
    first, peer = (statistics.median(paints[name][1:]) for name in programs)
    report("yapmo --help", f"{statistics.median(helps[1:]):.3f} s", "<= 0.25 s")
    report("yapmo to the first paint", f"{first:.3f} s", "<= 0.5 s")
    report("the smallest application of Textual to its first", f"{peer:.3f} s: {first / peer:.2f} of it", "")


def measure_abort(folder: str, home: str) -> None:
    """Time Ctrl-C to the end of `yapmo scan`, with a healthy and with a hung exiftool."""
    hung = os.path.join(home, "exiftool")
    real = shutil.which("exiftool")
    with open(hung, "w", encoding="utf-8") as file:
        file.write(
            f'#!/bin/sh\ncase "$*" in *-stay_open*) ;; *) exec {real} "$@";; esac\n'
            "trap '' TERM\n"
            'while read -r line; do case "$line" in\n'
            "  /*) exec sleep 1000;;\n"  # a file: hang, deaf to SIGTERM
            "  *'=${status}}') mark=${line%%=*};;\n"
            '  -execute*) echo "$mark=0}" >&2; echo 12.57; echo "{ready${line#-execute}}";;\n'
            "esac; done\n"
        )
    os.chmod(hung, 0o755)
    config = os.path.join(home, "hung.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f'[exiftool]\npath = "{hung}"\n')
    for name, extra, limit in (("healthy", (), "<= 0.5 s"), ("hung child", ("--config", config), "<= 1 s")):
        times = []
        for turn in range(5):
            library = os.path.join(home, f"abort-{name[:4]}-{turn}.yapmo")
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tui", "scan", "--library", library, *extra, folder],
                cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(3.0)
            began = time.perf_counter()
            process.send_signal(signal.SIGINT)
            process.wait()
            times.append(time.perf_counter() - began)
            assert process.returncode == 3, process.returncode
        report(f"abort to prompt, {name} (slowest of 5)", f"{max(times):.2f} s", limit)


def measure_memory(_folder: str, home: str) -> None:
    """Watch the resident memory during scans of 10,000, 100,000 and 200,000 files (hard links over small songs).

    Printed is the largest of each quarter of the scan: what grew with the number of files would grow from quarter to quarter.
    """
    for number in (10_000, 100_000, 200_000):
        tree = os.path.join(home, f"tree{number}")
        _link_songs(tree, number)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tui", "scan", "--library", os.path.join(home, f"m{number}.yapmo"), tree],
            cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        resident = []
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
                    resident.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
            except (OSError, IndexError):
                break
            time.sleep(0.05)
        assert process.wait() == 0
        quarter = len(resident) // 4
        largest = [max(resident[part * quarter : (part + 1) * quarter]) for part in range(4)]
        figures = " ".join(f"{megabytes:.0f}" for megabytes in largest)
        report(f"memory of the main process, {number:,} files", f"{figures} MB", "<= 130 MB, not growing")
        shutil.rmtree(tree)


def _link_songs(tree: str, number: int) -> None:
    import wave

    for index in range(number):
        folder = os.path.join(tree, f"{index // 400:04d}")
        first = os.path.join(tree, f"{index // 20_000}.wav")
        if index % 20_000 == 0:
            os.makedirs(tree, exist_ok=True)
            with wave.open(first, "wb") as sound:
                sound.setparams((1, 2, 8000, 0, "NONE", ""))
                sound.writeframes(bytes([index % 251]) * 800)
        if index % 400 == 0:
            os.makedirs(folder)
        os.link(first, os.path.join(folder, f"{index:06d}.wav"))


PARTS = {
    "keys": measure_keys,
    "traffic": measure_traffic,
    "start": measure_start,
    "abort": measure_abort,
    "memory": measure_memory,
}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--from", dest="source", default="", help="folder with camera JPEGs to vary")
    parser.add_argument("--number", type=int, default=8000)
    parser.add_argument("--only", choices=PARTS, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        folder = arguments.folder or os.path.join(home, "photos")
        if not arguments.folder:
            make_photos(arguments.number, folder, arguments.source)
        for name, measure in PARTS.items():
            if arguments.only in (None, name):
                measure(folder, home)


if __name__ == "__main__":
    main()
