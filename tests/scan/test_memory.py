"""Short memory: fewer programs read, and the scan says so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.media import make_jpeg
from tests.scan.engine import Engine
from tui.records import ScanState
from tui.scan.memory import MemoryWatch, free_memory_mb
from tui.scan.service import ScanRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MB = 1_000_000


class System:
    """A description of memory as Linux gives it, in folders of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.cgroups = folder / "proc", folder / "cgroup"

    def write(self, path: str, text: str) -> None:
        file = self.proc.parent / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    @property
    def free_mb(self) -> int | None:
        return free_memory_mb(proc=str(self.proc), cgroups=str(self.cgroups))


@pytest.fixture
def system(tmp_path: Path) -> System:
    system = System(tmp_path)
    system.write("proc/meminfo", "MemTotal:       16000000 kB\nMemAvailable:    2000000 kB\n")
    return system


def test_what_the_system_has_is_free(system: System) -> None:
    assert system.free_mb == 2048


def test_the_limit_of_a_control_group_counts_where_it_is_lower(system: System) -> None:
    system.write("proc/self/cgroup", "0::/system.slice/yapmo.service\n")
    group = "cgroup/system.slice/yapmo.service"
    system.write(f"{group}/memory.max", "max\n")
    system.write(f"{group}/memory.current", f"{50 * MB}\n")
    assert system.free_mb == 2048
    system.write(f"{group}/memory.max", f"{300 * MB}\n")
    system.write(f"{group}/memory.stat", f"anon 1\ninactive_file {20 * MB}\n")
    assert system.free_mb == 270
    system.write("cgroup/system.slice/memory.max", f"{400 * MB}\n")
    system.write("cgroup/system.slice/memory.current", f"{390 * MB}\n")
    assert system.free_mb == 10, "the groups above hold it as well"


def test_control_groups_of_the_first_kind_and_of_containers(system: System) -> None:
    system.write("proc/self/cgroup", "5:cpu,memory:/docker/abc\n0::/\n")
    system.write("cgroup/memory/memory.limit_in_bytes", f"{500 * MB}\n")  # what a container sees of itself
    system.write("cgroup/memory/memory.usage_in_bytes", f"{600 * MB}\n")
    assert system.free_mb == 0


def test_a_system_that_tells_nothing_holds_nothing_back(tmp_path: Path) -> None:
    assert System(tmp_path).free_mb is None
    watch = MemoryWatch(200, look=lambda: None)
    assert (watch.allow(8), watch.is_short) == (8, False)


def test_programs_are_halved_while_memory_is_short_and_come_back_one_by_one() -> None:
    free = iter([150, 150, 150, 150, 250, 500, 500, 350, 500, 500])
    watch = MemoryWatch(200, look=lambda: next(free))
    steps = [(watch.allow(4), watch.is_short) for _ in range(10)]
    assert [number for number, _ in steps] == [2, 1, 1, 1, 1, 2, 3, 3, 4, 4]
    assert [short for _, short in steps] == [True] * 8 + [False] * 2


def test_it_says_what_it_does() -> None:
    watch = MemoryWatch(200, look=lambda: 120)
    watch.allow(4)
    assert watch.note == "Memory is short (120 MB free): 2 programs read instead of 4."
    watch = MemoryWatch(200, look=lambda: 120)
    watch.allow(1)
    assert watch.note == "Memory is short (120 MB free): 1 program reads, one file at a time."


def test_a_limit_of_nothing_never_looks() -> None:
    def look() -> int:
        raise AssertionError

    assert MemoryWatch(0, look=look).allow(4) == 4


async def test_a_scan_reads_with_fewer_programs_and_fewer_commands_ahead(
    tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    """The limit is put so high that the memory of this machine is short of it."""
    root = tmp_path / "media"
    for number in range(12):
        make_jpeg(root / f"{number}.jpg", number)
    async with Engine.open(tmp_path, max_workers=4, low_memory_mb=1_000_000_000) as engine:
        await engine.service.start(ScanRequest((os.fsencode(root),)))
        assert "Memory is short" in engine.snapshot.note
        run = engine.service._run
        assert run is not None
        pools = run._reading._disks[0].pools
        assert pools is not None
        await wait_until(lambda: pools.exiftool.size == 1 or not engine.service.running)
        assert pools.exiftool.capacity <= 2 * 2, "one command at a time, and one to follow"
        assert engine.service.workers == 4
        summary = await engine.service.wait()
        assert (summary.state, summary.counters.metadata_done) == (ScanState.COMPLETED, 12)
