"""Reading all that one scan finds: every disk side by side, with the programs shared among them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.records import Stage
from tui.scan.disk_reading import DiskReading, group_by_disk
from tui.scan.disks import share_extractors
from tui.scan.memory import MemoryWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from tui.records import WorkerStatus
    from tui.scan.disk_reading import SharedParts
    from tui.scan.extractors import Extractors
    from tui.scan.targets import ScanTarget

_SHORT_OF_MEMORY = 1
"""Commands that are written to a program at a time while memory is short."""


class Reading:
    """Reads metadata and takes fingerprints of what one scan scans.

    Attributes:
        workers: how many exiftool processes there are to be, while memory is not short.
    """

    def __init__(
        self,
        shared: SharedParts,
        targets: Sequence[ScanTarget],
        extractors: Extractors | None,
        *,
        is_walking: Callable[[], bool],
        has_listed: Callable[[ScanTarget], bool],
    ) -> None:
        """Prepare the reading.

        Args:
            shared: what all disks share.
            targets: what is read.
            extractors: what metadata is read with; None where none is read.
            is_walking: tells whether the walk may still make files pending.
            has_listed: tells whether all folders of a target are listed.
        """
        self._shared = shared
        self._memory = MemoryWatch(shared.config.scan.low_memory_mb)
        self.workers = extractors.number if extractors is not None else 0

        def make(group: Sequence[ScanTarget]) -> DiskReading:
            def is_walked() -> bool:
                return not is_walking() or all(has_listed(target) for target in group)

            return DiskReading(shared, group, extractors, is_walking=is_walking, is_walked=is_walked)

        self._disks = [make(group) for group in group_by_disk(targets)]
        self.balance()

    @property
    def note(self) -> str:
        """What is done about short memory, one sentence; empty while there is enough."""
        return self._memory.note

    def prefer(self, folder: bytes | None) -> None:
        """Read what lies at or below `folder` (absolute path) before all else."""
        for disk in self._disks:
            disk.prefer(folder)

    def set_workers(self, number: int) -> None:
        """Change the number of exiftool processes."""
        self.workers = number
        self.balance()

    def balance(self) -> None:
        """Share the programs anew among the disks that have something to read, as far as memory allows."""
        disks = [disk for disk in self._disks if disk.is_extracting]
        if not disks:
            return
        number = self._memory.allow(self.workers)
        limits = [disk.profile.most_extractors for disk in disks]
        shares = share_extractors(number, limits, [disk.is_busy for disk in disks])
        for disk, share in zip(disks, shares, strict=True):
            if disk.pools is not None:
                disk.pools.resize(share, ahead=_SHORT_OF_MEMORY if self._memory.is_short else 0)

    def statuses(self) -> tuple[WorkerStatus, ...]:
        """Return what each process is at, numbered through each kind."""
        found = [status for disk in self._disks if disk.pools is not None for status in disk.pools.statuses()]
        found.sort(key=lambda status: status.kind)
        if len(self._disks) == 1:
            return tuple(found)
        return tuple(replace(status, number=number) for number, status in enumerate(found, start=1))

    async def count_pending(self, stage: Stage) -> int:
        """Return how much is left to do in a stage, as far as the library knows by now."""
        return sum([await disk.count_pending(stage) for disk in self._disks])

    def jobs(self, on_failure: Callable[[], None]) -> list[Coroutine[None, None, None]]:
        """Return what is to run side by side with the walk; `on_failure` is to stop everything else."""
        return [self._read_metadata(on_failure), self._take_fingerprints(on_failure)]

    async def _read_metadata(self, on_failure: Callable[[], None]) -> None:
        await run_together((disk.read_metadata() for disk in self._disks), on_failure)
        self._shared.meters[Stage.METADATA].finished = not self._shared.token.aborted

    async def _take_fingerprints(self, on_failure: Callable[[], None]) -> None:
        """Hash what is pending; files that are equal over two disks are known as such only when both are read."""
        if Stage.FINGERPRINT not in self._shared.stages:
            return
        await run_together((disk.take_fingerprints() for disk in self._disks), on_failure)
        if len(self._disks) > 1:
            await run_together((disk.hash_equals_wholly() for disk in self._disks), on_failure)

    async def close_pools(self, grace_s: float) -> None:
        """End all processes; what they are at may take `grace_s` seconds more."""
        pools = [disk.pools for disk in self._disks if disk.pools is not None]
        await asyncio.gather(*(pair.close(grace_s) for pair in pools))


async def run_together(jobs: Iterable[Coroutine[None, None, None]], on_failure: Callable[[], None]) -> None:
    """Run jobs side by side until all are done; when one fails, call `on_failure`, wait for the others, and raise."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        on_failure()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
