"""How fast is a scan, beside a bare pool of exiftool processes and beside `exiftool -r`?

    python benchmarks/scan_speed.py [FOLDER] [--workers 2] [--rounds 3]

All read the same files in one run, in turns, warm. The bare pool is as many `exiftool -stay_open` processes with the
same options, two commands written ahead, doing nothing with the answers. Start-up is left out: of the bare pool by a
first command that is not counted, of `exiftool -r` by taking off a run over one file, of YAPMO by taking off a scan of
one file.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from photos import make_photos

from tui.config import default_config
from tui.library.database import Library
from tui.scan.service import ScanRequest, ScanService
from tui.workers.exiftool import BULK_OPTIONS, find_exiftool, group_option

EXIFTOOL = find_exiftool(default_config().exiftool).path


def list_files(folder: str) -> list[str]:
    """Return all files under `folder`, sorted."""
    return sorted(os.path.join(here, name) for here, _, names in os.walk(folder) for name in names)


async def run_bare_pool(paths: list[str], workers: int) -> float:
    """Return the seconds that a bare pool takes to read `paths`."""
    command = [EXIFTOOL, b"-config", b"", b"-stay_open", b"True", b"-@", b"-", b"-common_args", *BULK_OPTIONS]
    children = [
        await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 24, cwd="/"
        )
        for _ in range(workers)
    ]
    for child in children:
        await ask(child, paths[0])
    waiting = iter(paths)
    began = time.perf_counter()
    await asyncio.gather(*(read_all(child, waiting) for child in children))
    seconds = time.perf_counter() - began
    for child in children:
        child.kill()
        await child.wait()
    return seconds


def _command(path: str) -> bytes:
    """Return what is sent for one file, the same as YAPMO's pool sends."""
    name = os.fsencode(path)
    return group_option(name) + b"\n" + name + b"\n-execute1\n"


async def ask(child: asyncio.subprocess.Process, path: str) -> None:
    """Read one file with a child and wait for the answer."""
    child.stdin.write(_command(path))
    await child.stdout.readuntil(b"{ready1}\n")


async def read_all(child: asyncio.subprocess.Process, waiting: object) -> None:
    """Read files until none is left, two commands ahead."""
    ahead = 0
    for path in waiting:
        child.stdin.write(_command(path))
        ahead += 1
        if ahead > 2:
            await child.stdout.readuntil(b"{ready1}\n")
            ahead -= 1
    for _ in range(ahead):
        await child.stdout.readuntil(b"{ready1}\n")


def run_recursive(folder: str) -> float:
    """Return the seconds of `exiftool -q -r -json -n FOLDER`."""
    began = time.perf_counter()
    subprocess.run(
        [EXIFTOOL, "-q", "-r", "-json", "-n", folder],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return time.perf_counter() - began


async def run_scan(folder: str, workers: int, fingerprint: str) -> float:
    """Return the seconds of a first scan of `folder` into a new library."""
    config = default_config()
    config = replace(config, scan=replace(config.scan, fingerprint=fingerprint, max_workers=workers))
    with tempfile.TemporaryDirectory() as home:
        async with await Library.open(os.path.join(home, "library.yapmo")) as library:
            service = ScanService(library, config)
            began = time.perf_counter()
            await service.start(ScanRequest((os.fsencode(folder),)))
            summary = await service.wait()
            seconds = time.perf_counter() - began
            assert summary.state == "completed", summary
    return seconds


async def measure(folder: str, workers: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each contender in each round, start-up taken off."""
    paths = list_files(folder)
    seconds: dict[str, list[float]] = {
        name: [] for name in ("bare pool", "yapmo", "yapmo + fingerprints", "exiftool -r")
    }
    with tempfile.TemporaryDirectory() as single:
        shutil.copy(paths[0], single)
        for _ in range(rounds):
            seconds["bare pool"].append(await run_bare_pool(paths, workers))
            start = await run_scan(single, workers, "off")
            seconds["yapmo"].append(await run_scan(folder, workers, "off") - start)
            seconds["yapmo + fingerprints"].append(await run_scan(folder, workers, "auto") - start)
            seconds["exiftool -r"].append(run_recursive(folder) - run_recursive(single))
    return seconds


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--number", type=int, default=3000, help="files to make where no folder is given")
    parser.add_argument("--from", dest="source", default="", help="folder with camera JPEGs to vary")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.folder or made
        if not arguments.folder:
            make_photos(arguments.number, made, arguments.source)
        number = len(list_files(folder))
        seconds = asyncio.run(measure(folder, arguments.workers, arguments.rounds))
    print(f"{number} files, {arguments.workers} workers, median of {arguments.rounds} rounds")
    bare, recursive = statistics.median(seconds["bare pool"]), statistics.median(seconds["exiftool -r"])
    print(f"{'':24}{'files/s':>10}{'of bare pool':>14}{'of exiftool -r':>16}")
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:24}{number / median:10.0f}{bare / median:14.2f}{recursive / median:16.2f}")


if __name__ == "__main__":
    main()
