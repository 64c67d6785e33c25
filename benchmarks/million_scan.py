"""How long does a scan of a million files take, the first one and the next, beside `find` over the same tree?

    python benchmarks/million_scan.py [TREE] [--files 1000000] [--changed 1000]

Each scan is a process of its own, `yapmo scan --only walk`, so that its time holds the start of the program and its memory is
all that it took. `find -printf` runs before each, warm; ratios are of processor time, which other programs on the machine
disturb least. Files are changed in a tree that is made for that (`make_tree.py`), never in TREE; without TREE all is measured
there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from make_tree import make_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
YAPMO = [sys.executable, "-m", "tui"]


@dataclass(frozen=True)
class Usage:
    """What one process took: seconds on the clock and of the processor, memory in MB, and what it printed."""

    wall_s: float
    processor_s: float
    memory_mb: float
    output: bytes


def run(command: list[str], home: str) -> Usage:
    """Run a command to its end, with settings and data below `home`.

    Raises:
        SystemExit: it failed.
    """
    environment = os.environ | {
        "HOME": home,
        "XDG_CONFIG_HOME": home,
        "XDG_DATA_HOME": home,
        "PYTHONPATH": HERE,
    }
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, env=environment)
        errors = child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.perf_counter() - began
        if child.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{errors.decode(errors='replace')[-2000:]}")
        output.seek(0)
        return Usage(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, output.read())


def run_find(tree: str, home: str) -> Usage:
    """Let `find` print size, time and inode of all files of a tree."""
    return run(["find", tree, "-type", "f", "-printf", "%s %T@ %i\n"], home)


def scan(tree: str, library: str, home: str, label: str, files: int) -> Usage:
    """Scan a tree beside `find`, and print a line of the table."""
    peer = run_find(tree, home)
    used = run([*YAPMO, "scan", tree, "--only", "walk", "--library", library, "--json"], home)
    print(
        f"{label:32}{used.wall_s:8.1f} s{used.processor_s:8.1f} s{files / used.wall_s:11,.0f} /s"
        f"{used.wall_s / peer.wall_s:8.1f}{used.processor_s / peer.processor_s:8.1f}{used.memory_mb:8.0f} MB",
        flush=True,
    )
    return used


def list_files(tree: str) -> Iterator[str]:
    """Yield the files of a tree, without those in hidden folders."""
    for here, _, names in os.walk(tree):
        if "/." not in here:
            yield from (os.path.join(here, name) for name in names)


def make_changeable(tree: str, number: int) -> list[str]:
    """Give `number` files of a tree of hard links contents of their own; return them.

    No list of all is made: what a child takes is counted from the size of the process that it came from.
    """
    every = max(1, count_files(tree) // number)
    chosen = list(islice(islice(list_files(tree), None, None, every), number))
    for path in chosen:
        shutil.copy2(path, path + ".new")
        os.replace(path + ".new", path)
    return chosen


def count_files(tree: str) -> int:
    """Return how many files a tree holds, hidden folders left out."""
    return sum(1 for _ in list_files(tree))


def show_found(library: str, name: str, home: str) -> None:
    """Search for a name and say whether it was found."""
    used = run([*YAPMO, "search", os.path.splitext(name)[0], "--library", library, "--json"], home)
    found = f'"{name}"'.encode() in used.output or f"/{name}".encode() in used.output
    print(f"{name} is {'found' if found else 'NOT FOUND'}; yapmo search took {used.wall_s:.2f} s")


def measure(tree: str, home: str, chosen: list[str]) -> None:
    """Print the table for one tree; `chosen` may be changed."""
    library, files = os.path.join(home, f"{os.path.basename(tree)}.yapmo"), count_files(tree)
    some_name = os.path.basename(next(islice(list_files(tree), files // 2, None)))
    print(f"\n{files:,} files in {tree}")
    print(f"{'':32}{'wall':>10}{'processor':>10}{'files':>14}{'× find':>8}{'cpu':>8}{'memory':>11}")
    used = run_find(tree, home)
    print(f"{'find':32}{used.wall_s:8.1f} s{used.processor_s:8.1f} s{files / used.wall_s:11,.0f} /s")
    bare = run(
        [sys.executable, os.path.join(HERE, "benchmarks", "bare_catalogue.py"), tree, f"{library}.bare"], home
    )
    print(
        f"{'bare catalogue':32}{bare.wall_s:8.1f} s{bare.processor_s:8.1f} s{files / bare.wall_s:11,.0f} /s"
    )
    os.remove(f"{library}.bare")
    first = scan(tree, library, home, "first scan", files)
    print(f"the first scan reaches {bare.wall_s / first.wall_s:.2f} of the bare catalogue's files/s")
    scan(tree, library, home, "second scan", files)
    third = scan(tree, library, home, "third scan", files)
    if chosen:
        for path in chosen:
            os.utime(path)
        after = scan(tree, library, home, f"the same, {len(chosen):,} files changed", files)
        print(f"changed files cost {after.processor_s - third.processor_s:.1f} s of processor time")
        folder = os.path.dirname(chosen[len(chosen) // 2])
        os.rename(folder, folder + "-moved")
        scan(tree, library, home, "the same, a folder moved", files)
    show_found(library, some_name, home)
    print(f"the library has {os.path.getsize(library) / files:.0f} bytes a file")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tree", nargs="?", help="a tree to look at; it is not changed")
    parser.add_argument("--files", type=int, default=1_000_000, help="size of the tree that is made")
    parser.add_argument("--changed", type=int, default=1_000, help="files that are changed in it")
    parser.add_argument("--only-given", action="store_true", help="measure TREE alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        if options.tree:
            measure(os.path.abspath(options.tree), home, [])
        if not (options.tree and options.only_given):
            tree = os.path.join(home, "media")
            make_tree(options.files, tree)
            measure(tree, home, make_changeable(tree, options.changed))


if __name__ == "__main__":
    main()
