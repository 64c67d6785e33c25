"""Is a library of a million files as quick to use as one of a thousand? Real program, pseudo-terminal of 120×40.

    python benchmarks/interface_million.py BIG SMALL [--only start|keys|drag|sort|typing|browse|sidebar]

BIG and SMALL are libraries of 1,000,000 and 1,000 files (`benchmarks/make_library.py`); both are measured in one run.

start    `yapmo` to the first painted rows, with the smallest application of Textual beside it
keys     from key press to repaint in the table: a line, a page, both ends; memory afterwards
drag     from a movement of the mouse on the scroll bar to the repaint of the rows that it leads to
sort     by every field: until the first rows are there, then from End to the last rows
typing   a query letter by letter: the echo of each letter, and the last letter to its rows
browse   the longest time without a repaint while a folder of 100,000 files or of 50,000 folders opens, a key every 20 ms
sidebar  the same for a library that has 50,000 folders in one

Folders and the library of folders are made in a directory of their own, which is removed afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from typing import TYPE_CHECKING

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, HERE)

from interface import DOWN, END, HOME, PAGE_DOWN, SMALLEST_APPLICATION, Screen, Terminal, percentile, report

from tui.library import files, roots
from tui.library.database import Library
from tui.library.query_fields import SORTABLE
from tui.records import FoundFile, Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

UP, PAGE_UP, RIGHT, CLEAR = b"\x1b[A", b"\x1b[5~", b"\x1b[C", b"\x15"
ROW_MARK = "▸  ".encode()
"""What only a row of files begins with: the one under the cursor."""
KEYS = {"a line": (DOWN, UP), "a page": (PAGE_DOWN, PAGE_UP), "the ends": (END, HOME)}
BAR_COLUMN, FIRST_ROW, LAST_ROW = 120, 4, 38
"""Where the scroll bar of the table stands, 1-based, without its ends."""
TYPED = "beach lisbon"
KEY_PERIOD_S = 0.02
OPENING_S = 6.0
"""How long keys are sent while a folder opens."""
FILES, FOLDERS = 100_000, 50_000


def start_on(library: str, mark: bytes = ROW_MARK) -> tuple[Terminal, Screen]:
    """Start YAPMO on a library; return it and its screen once `mark` is there and the rows stand still."""
    terminal = Terminal("--library", library)
    terminal.wait_for(mark)
    terminal.settle(0.5)
    screen = Screen()
    screen.feed(terminal.tail)
    return terminal, screen


def wait_for_first(text: bytes, *arguments: str, program: tuple[str, ...] = ()) -> tuple[float, float]:
    """Return the seconds from the start until `text` is painted, and the seconds of processor time until then."""
    terminal = Terminal(*arguments, program=program)
    try:
        painted = terminal.wait_for(text)
        return painted - terminal.began, terminal.cpu_s()
    finally:
        terminal.close()


def measure_start(libraries: dict[str, str], _home: str) -> None:
    """Time the first rows of both libraries and the first paint of the peer in turns; the first turn warms the caches."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in (*libraries, "peer")}
    for _ in range(11):
        for name, library in libraries.items():
            times[name].append(wait_for_first(ROW_MARK, "--library", library))
        peer = (sys.executable, "-c", SMALLEST_APPLICATION)
        times["peer"].append(wait_for_first(b"2 Library", program=peer))
    medians = {
        name: [statistics.median(part) for part in zip(*values[1:], strict=True)]
        for name, values in times.items()
    }
    for name in libraries:
        seconds, processor = medians[name]
        value = f"{seconds:.3f} s, {seconds / medians['peer'][0]:.2f} of the peer"
        report(f"first rows, {name} files", value, "<= 0.5 s")
        report(
            "    processor time", f"{processor:.2f} s, {processor / medians['peer'][1]:.2f} of the peer", ""
        )


def report_times(what: str, times: dict[str, list[float]]) -> None:
    """Print median and 95th percentile of each library."""
    for name, seconds in times.items():
        value = f"{statistics.median(seconds) * 1000:.1f}; {percentile(seconds, 0.95) * 1000:.1f} ms"
        report(f"{what}, {name} files", value, "median <= 10 ms; 95th percentile <= 50 ms")


def measure_keys(libraries: dict[str, str], _home: str) -> None:
    """Time the keys that move the cursor, each kind by itself."""
    programs = {name: start_on(library) for name, library in libraries.items()}
    for what, keys in KEYS.items():
        times: dict[str, list[float]] = {name: [] for name in libraries}
        for turn in range(60):
            for name, (terminal, screen) in programs.items():
                times[name].append(terminal.press(keys[turn % 2], screen) or 0.0)
        report_times(what, {name: [time for time in values if time] for name, values in times.items()})
    for name, (terminal, _) in programs.items():
        report(f"memory after that, {name} files", f"{terminal.resident_mb():.0f} MB", "<= 130 MB")
        terminal.close()


def measure_drag(libraries: dict[str, str], _home: str) -> None:
    """Drag the scroll bar to one place after the other."""
    chance = random.Random(1)
    places = [chance.randrange(FIRST_ROW, LAST_ROW) for _ in range(60)]
    times: dict[str, list[float]] = {name: [] for name in libraries}
    for name, library in libraries.items():
        terminal, screen = start_on(library)
        os.write(terminal.master, mouse(0, FIRST_ROW))
        screen.feed(terminal.read(0.3))
        jump = terminal.press(mouse(32, (FIRST_ROW + LAST_ROW) // 2), screen, quiet=3.0) or 0.0
        report(f"first jump to the middle, {name} files", f"{jump * 1000:.0f} ms", "")
        for place in places:
            taken = terminal.press(mouse(32, place), screen)
            times[name] += [taken] if taken else []
        os.write(terminal.master, mouse(0, places[-1], released=True))
        report(f"memory after dragging, {name} files", f"{terminal.resident_mb():.0f} MB", "<= 130 MB")
        terminal.close()
    report_times("dragging the scroll bar", times)


def mouse(button: int, row: int, *, released: bool = False) -> bytes:
    """Return an event of the mouse on the scroll bar (xterm's SGR protocol): 0 presses, 32 moves with the button down."""
    return b"\x1b[<%d;%d;%d%c" % (button, BAR_COLUMN, row, ord("m" if released else "M"))


def measure_sort(libraries: dict[str, str], _home: str) -> None:
    """Sort by every field in either direction, and go to the end of each."""
    for name, library in libraries.items():
        terminal, screen = start_on(library)
        first: dict[str, float] = {}
        last: dict[str, float] = {}
        for field in SORTABLE:
            for order in (field, f"{field}-"):
                keys = b"/" + CLEAR + f"sort:{order}\r".encode()
                first[order] = terminal.press(keys, screen, quiet=1.0) or 0.0
                last[order] = terminal.press(END, screen, quiet=1.0) or 0.0
        report(f"memory after all orders, {name} files", f"{terminal.resident_mb():.0f} MB", "<= 130 MB")
        terminal.close()
        for what, times in (("first rows", first), ("last rows", last)):
            slow = sorted(times, key=times.__getitem__, reverse=True)[:6]
            report(
                f"{what} of an order, {name} files",
                f"median {statistics.median(times.values()) * 1000:.0f} ms",
                "",
            )
            print("    slowest: " + ", ".join(f"{order} {times[order] * 1000:.0f} ms" for order in slow))


def measure_typing(libraries: dict[str, str], _home: str) -> None:
    """Type a query, a letter every 80 ms at least, and wait for its rows."""
    letters: dict[str, list[float]] = {name: [] for name in libraries}
    for name, library in libraries.items():
        terminal, screen = start_on(library)
        found = []
        for _ in range(4):
            os.write(terminal.master, b"/" + CLEAR)
            terminal.settle(1.0)
            screen.rows, screen.COLUMNS = slice(1, 2), Screen.COLUMNS
            for letter in TYPED[:-1]:
                letters[name].append(terminal.press(letter.encode(), screen) or 0.0)
            screen.rows, screen.COLUMNS = slice(1, 37), slice(0, 119)  # with the number that was found
            found.append(terminal.press(TYPED[-1].encode(), screen, quiet=1.5) or 0.0)
        terminal.close()
        report(
            f"last letter to its rows, {name} files",
            f"{statistics.median(found) * 1000:.0f} ms",
            "120 ms are the pause",
        )
    report_times("echo of a letter", letters)


def longest_gap(terminal: Terminal, keys: bytes, opening: bytes) -> float:
    """Return the longest time without a repaint while `keys` are pressed in turns every 20 ms and `opening` opens a folder."""
    presses = [keys[index : index + 3] for index in range(0, len(keys), 3)]
    painted = begun = time.perf_counter()
    longest, turn = 0.0, 0
    while time.perf_counter() - begun < OPENING_S:
        if time.perf_counter() - begun >= turn * KEY_PERIOD_S:
            os.write(terminal.master, opening if turn == 25 else presses[turn % len(presses)])
            turn += 1
        if terminal.read(0.002):
            now = time.perf_counter()
            longest, painted = max(longest, now - painted), now
    return max(longest, time.perf_counter() - painted)


def measure_browse(_libraries: dict[str, str], home: str) -> None:
    """Open big folders in Browse."""
    empty = os.path.join(home, "empty.yapmo")
    for what, make in (("100,000 files", make_files), ("50,000 folders", make_folders)):
        tree = os.path.join(home, what.replace(",", "").replace(" ", "-"))
        for name in ("a", "b"):
            os.makedirs(os.path.join(tree, name))
        make(os.path.join(tree, "a"))
        terminal = Terminal("--library", empty, columns=120)
        terminal.wait_for(b"Browse")
        terminal.settle(1.0)
        os.write(terminal.master, b"/" + CLEAR + os.fsencode(tree) + b"\r")
        terminal.settle(1.0)
        os.write(terminal.master, DOWN)
        terminal.settle(0.3)
        # up and down again between the two folders; the key that opens comes while the cursor is on the first
        gap = longest_gap(terminal, DOWN + UP, b"\x1b[A" * 3 + DOWN + RIGHT)
        shown = Screen()
        shown.feed(terminal.tail)
        report(f"longest gap while a folder of {what} opens", f"{gap * 1000:.0f} ms", "<= 100 ms")
        terminal.close()


def make_files(folder: str) -> None:
    """Fill a folder with empty files, and a folder to be seen among them."""
    for number in range(FILES):
        os.close(os.open(os.path.join(folder, f"IMG_{number:06d}.jpg"), os.O_CREAT | os.O_WRONLY))
    os.mkdir(os.path.join(folder, "the only folder"))


def make_folders(folder: str) -> None:
    """Fill a folder with folders."""
    for number in range(FOLDERS):
        os.makedirs(os.path.join(folder, f"{number:05d}"))


def measure_sidebar(_libraries: dict[str, str], home: str) -> None:
    """Unfold a root with 50,000 folders beside the table."""
    library = os.path.join(home, "folders.yapmo")
    asyncio.run(make_library_of_folders(library))
    terminal, _screen = start_on(library, b"song.mp3")
    os.write(terminal.master, b"f" + DOWN)
    terminal.settle(1.0)
    gap = longest_gap(terminal, DOWN + UP, DOWN * 3 + RIGHT)
    report("longest gap while the sidebar unfolds 50,000 folders", f"{gap * 1000:.0f} ms", "<= 100 ms")
    report("memory after that", f"{terminal.resident_mb():.0f} MB", "")
    terminal.close()


async def make_library_of_folders(path: str) -> None:
    """Make a library with a root of 50,000 folders of one file each."""

    def fill(db: sqlite3.Connection) -> None:
        root_id = roots.add_root(db, b"/srv/folders").root_id
        top = files.add_folder(db, root_id, b"", None)
        for number in range(FOLDERS):
            folder_id = files.add_folder(db, root_id, b"%05d" % number, top)
            found = FoundFile(b"song.mp3", Kind.AUDIO, 5_000_000 + number, 1_562_178_131_000_000_000, number)
            files.insert_files(db, folder_id, [found], 1_700_000_000_000_000_000)

    async with await Library.open(path) as library:
        await library.writer.run(fill)


PARTS: dict[str, Callable[[dict[str, str], str], None]] = {
    "start": measure_start,
    "keys": measure_keys,
    "drag": measure_drag,
    "sort": measure_sort,
    "typing": measure_typing,
    "browse": measure_browse,
    "sidebar": measure_sidebar,
}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("big")
    parser.add_argument("small")
    parser.add_argument("--only", choices=PARTS, default=None)
    arguments = parser.parse_args()
    libraries = {"1,000": os.path.abspath(arguments.small), "1,000,000": os.path.abspath(arguments.big)}
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home
        for name, measure in PARTS.items():
            if arguments.only in (None, name):
                measure(libraries, home)


if __name__ == "__main__":
    main()
