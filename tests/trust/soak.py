"""The long run: one application, for half an hour, scanning, searching and aborting while its media change.

`./nox -s soak` runs it (`-- --minutes 5` for less). What must stay flat is measured after every round, at rest: memory, open
files, threads, children, the write-ahead log. The figures of the last run stand in docs/reliability.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.media import jpeg_bytes, make_wav, write_file
from tests.process_tree import adopt_orphans, descendants, is_alive, proportional_bytes
from tests.terminal.pseudo_terminal import PATIENCE_S
from tests.trust.ground import Ground

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FILES = 400
CHANGED = 12
MEMORY_GROWTH = 1.05
"""By how much the memory at rest may be larger in the last quarter of a run than in the second."""


@dataclass(frozen=True)
class Sample:
    """What the application holds at rest, after a round.

    Attributes:
        memory_mb: memory of its process, megabytes (Pss).
        open_files: descriptors.
        threads: of its process.
        children: living processes below it.
        log_mb: the write-ahead log of the library, megabytes.
        library_mb: the library itself.
    """

    memory_mb: float
    open_files: int
    threads: int
    children: int
    log_mb: float
    library_mb: float


class Soak:
    """One application on one ground, and a person that never rests.

    Attributes:
        samples: one for each round.
        aborted: how many scans were aborted.
    """

    def __init__(self, ground: Ground, seed: int) -> None:
        """Make the media and open the application on them."""
        self.samples: list[Sample] = []
        self.aborted = 0
        self._ground = ground
        self._random = random.Random(seed)
        self._made = 0
        self._away = ground.folder / "away"
        self._contents = [jpeg_bytes(number) for number in range(8)]
        for _ in range(FILES):
            self._create()
        self._terminal = ground.terminal(str(ground.media))
        self._terminal.wait_for("IMG_")
        self._wait(lambda: self._last_scan()[1] == "completed")

    def round(self) -> Sample:
        """Change the media, scan them (or abort that), search meanwhile; return what is held afterwards."""
        self._change_media()
        scans, _ = self._last_scan()
        self._type("3", "s")
        self._wait(lambda: self._last_scan()[0] > scans)
        if self._random.random() < 0.4:
            self._pump(self._random.random() * 0.5)
            self._type("a")
        else:
            self._look_around()
        self._wait(lambda: self._last_scan()[1] in {"completed", "aborted"})
        self.aborted += self._last_scan()[1] == "aborted"
        self._wait(lambda: not self._children())
        self.samples.append(self._sample())
        return self.samples[-1]

    def leave(self) -> None:
        """Let the last scan be a whole one, and close the application."""
        scans, _ = self._last_scan()
        self._type("3", "s")
        self._wait(lambda: self._last_scan()[0] > scans and self._last_scan()[1] == "completed")
        self._type("q")
        assert self._terminal.wait_end() == 0, self._terminal.text
        assert self._terminal.is_restored
        self._ground.begin()

    def _change_media(self) -> None:
        """Take files away and bring others back, rewrite some, rename some; there are never more than at the beginning.

        What is taken away comes back later, so that the library need not remember more and more missing files.
        """
        away = sorted(self._away.rglob("*.*"))
        for path in self._random.sample(sorted(self._media()), CHANGED):
            self._put(path, self._away / path.relative_to(self._ground.media))
        for path in self._random.sample(away, min(CHANGED, len(away))):
            self._put(path, self._ground.media / path.relative_to(self._away))
        names = sorted(self._media())
        for path in self._random.sample(names, CHANGED):
            write_file(path, self._content())
        for path in self._random.sample(names, CHANGED):
            path.rename(path.with_name(f"MOVED_{self._next()}{path.suffix}"))

    def _media(self) -> Iterator[Path]:
        return (path for path in self._ground.media.rglob("*.*") if path.is_file())

    @staticmethod
    def _put(path: Path, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)

    def _create(self) -> None:
        folder = self._ground.media / f"{self._random.randrange(20):02}"
        if self._random.random() < 0.1:
            make_wav(folder / f"SOUND_{self._next()}.wav", self._made)
        else:
            write_file(folder / f"IMG_{self._next()}.jpg", self._content())

    def _content(self) -> bytes:
        return self._random.choice(self._contents) + b"%d" % self._next()

    def _next(self) -> int:
        self._made += 1
        return self._made

    def _look_around(self) -> None:
        """Visit every screen, search, open details, as a person would, and faster."""
        self._type("2")
        self._terminal.wait_for("┤ 2 Library ├")
        self._type("/", *f"img_{self._random.randrange(100)}")
        self._type("enter", "down", "enter")
        self._pump(0.1)
        for _ in range(3):
            self._type("escape")
            self._pump(0.1)  # alone: with more behind it, ESC could be a function key
        self._type(*self._random.choices(["pagedown", "end", "home", ">", "o", "down"], k=6))
        for screen in self._random.sample(["1", "3", "5", "6"], 4):
            self._type(screen)
            self._terminal.wait_for(f"┤ {screen} ")
        self._type("l", "l")

    def _type(self, *keys: str) -> None:
        for key in keys:
            self._terminal.send(key)
            self._pump(0.005)

    def _pump(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._terminal.pump(max(0.0, end - time.monotonic())) or time.monotonic() < end:
            pass

    def _wait(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline or self._terminal.process.poll() is not None:
                raise AssertionError(
                    f"hangs, or ended with {self._terminal.process.poll()}: {self._terminal.text}"
                )
            self._pump(0.02)

    def _last_scan(self) -> tuple[int, str]:
        """Return id and state of the last scan on record."""
        with contextlib.closing(sqlite3.connect(f"file:{self._ground.library}?mode=ro", uri=True)) as db:
            row = db.execute("SELECT id, state FROM scan ORDER BY id DESC LIMIT 1").fetchone()
        return row or (0, "")

    def _children(self) -> list[int]:
        return [pid for pid in descendants(self._terminal.process.pid) if is_alive(pid)]

    def _sample(self) -> Sample:
        pid = self._terminal.process.pid
        log = self._ground.library.with_name("library.yapmo-wal")
        return Sample(
            memory_mb=proportional_bytes(pid) / 1e6,
            open_files=len(os.listdir(f"/proc/{pid}/fd")),
            threads=len(os.listdir(f"/proc/{pid}/task")),
            children=len(self._children()),
            log_mb=log.stat().st_size / 1e6 if log.exists() else 0.0,
            library_mb=self._ground.library.stat().st_size / 1e6,
        )


def growth(samples: Sequence[Sample]) -> list[str]:
    """Return one sentence for everything that was not flat: the last quarter of a run beside the second."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    grown = []
    memory = [statistics.median(sample.memory_mb for sample in part) for part in (early, late)]
    if memory[1] > memory[0] * MEMORY_GROWTH:
        grown.append(f"memory grew from {memory[0]:.1f} to {memory[1]:.1f} MB")
    for name in ("open_files", "threads", "log_mb"):
        most = [max(getattr(sample, name) for sample in part) for part in (early, late)]
        if most[1] > most[0] * 1.5 + 2:
            grown.append(f"{name} grew from {most[0]:g} to {most[1]:g}")
    return grown


def main() -> int:
    """Run for so many minutes, print a line a minute, check what every case is checked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    adopt_orphans()
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder))
        soak = Soak(ground, options.seed)
        began = said = time.monotonic()
        print("minutes  rounds  aborted  memory MB  files  threads  children  log MB  library MB")
        while time.monotonic() < began + options.minutes * 60:
            sample = soak.round()
            if time.monotonic() > said + 60:
                said = time.monotonic()
                figures = "{:9.1f} {:6d} {:8d} {:9d} {:7.2f} {:11.2f}".format(*astuple(sample))
                print(
                    f"{(said - began) / 60:7.1f} {len(soak.samples):7d} {soak.aborted:8d} {figures}",
                    flush=True,
                )
        soak.leave()
        ground.end()
    grown = growth(soak.samples)
    print(f"{len(soak.samples)} rounds, {soak.aborted} scans aborted:", "; ".join(grown) or "all flat")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
