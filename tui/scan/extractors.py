"""What metadata is read with: exiftool and mutagen, in pools of which each disk has its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.workers.pool import WorkerPool

if TYPE_CHECKING:
    from tui.records import WorkerStatus
    from tui.workers.exiftool import ExiftoolAnswer
    from tui.workers.kind import WorkerKind
    from tui.workers.tags import TagAnswer


@dataclass(frozen=True, slots=True)
class Extractors:
    """What metadata is read with.

    Attributes:
        exiftool: for pictures and films.
        tags: for songs.
        version: name and version of the exiftool.
        number: how many exiftool processes a scan may have.
    """

    exiftool: WorkerKind[ExiftoolAnswer]
    tags: WorkerKind[TagAnswer]
    version: str
    number: int

    def make_pools(self) -> ExtractorPools:
        """Return pools for one disk; no process starts yet."""
        return ExtractorPools(WorkerPool(self.exiftool, self.number), WorkerPool(self.tags, 1))


class ExtractorPools:
    """The processes that read metadata from one disk.

    They are its own, because a disk that does not answer holds whoever reads from it.
    """

    def __init__(self, exiftool: WorkerPool[ExiftoolAnswer], tags: WorkerPool[TagAnswer]) -> None:
        """Take over pools that have not started."""
        self.exiftool = exiftool
        self.tags = tags
        self._is_closed = False

    def resize(self, number: int, *, ahead: int = 0) -> None:
        """Have `number` exiftool processes and half as many for songs; `ahead` commands wait at each, 0 for as usual."""
        if not self._is_closed:
            self.exiftool.resize(number, in_flight=ahead)
            self.tags.resize(max(1, number // 2), in_flight=ahead)

    def statuses(self) -> list[WorkerStatus]:
        """Return what each process is at; none once the pools are closed."""
        return [] if self._is_closed else [*self.exiftool.statuses(), *self.tags.statuses()]

    async def close(self, grace_s: float) -> None:
        """End all processes; what they are at may take `grace_s` seconds more."""
        self._is_closed = True
        await asyncio.gather(self.exiftool.close(grace_s), self.tags.close(grace_s))
