"""What of the scanned roots is still to be done, as the library has it: handed out stage by stage, and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.library import stages
from tui.scan.feeder import Feeder

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from tui.records import FileJob, Stage
    from tui.scan.daemon_thread import DaemonThread
    from tui.scan.targets import ScanTarget

    PendingFiles = Callable[..., list[FileJob]]


class Backlog:
    """The files of what one scan scans whose metadata or fingerprint is pending.

    Attributes:
        feeders: those that were made, one a stage.
    """

    def __init__(
        self,
        thread: DaemonThread,
        connection: sqlite3.Connection,
        targets: Sequence[ScanTarget],
        *,
        in_path_order: bool = False,
    ) -> None:
        """Read with `connection`, which belongs to `thread` alone; hand out by folder and name if `in_path_order`."""
        self._in_path_order = in_path_order
        self._thread = thread
        self._connection = connection
        self._targets = targets
        self.feeders: list[Feeder] = []

    def prefer(self, folder: bytes | None) -> None:
        """Hand out the files at or below `folder` (absolute path) before all others."""
        for feeder in self.feeders:
            feeder.prefer(folder)

    def feeder(self, query: PendingFiles) -> Feeder:
        """Make a feeder over the files of what is scanned whose stage is pending."""
        targets = self._targets

        def pending(
            db: sqlite3.Connection, *, after_id: int, limit: int, under: bytes | None
        ) -> list[FileJob]:
            jobs: list[FileJob] = []
            for target in targets:
                part = target.part_under(under)
                if part is not None:
                    jobs += query(
                        db, target.key.root_id, part, name=target.name, after_id=after_id, limit=limit
                    )
            jobs.sort(key=lambda job: job.file_id)
            return jobs[:limit]

        feeder = Feeder(self._thread, self._connection, pending, in_path_order=self._in_path_order)
        self.feeders.append(feeder)
        return feeder

    async def count(self, stage: Stage) -> int:
        """Return how many files are pending in a stage, as far as the library knows by now."""
        return await self._thread.run(lambda: self._count(stage))

    def _count(self, stage: Stage) -> int:
        return sum(
            stages.count_pending(self._connection, stage, target.key.root_id, target.start, name=target.name)
            for target in self._targets
        )
