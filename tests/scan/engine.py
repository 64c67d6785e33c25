"""The engine for tests: a library in a temporary folder and the real scan service over it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.config import default_config
from tui.library.database import Library
from tui.records import Stage
from tui.scan.service import ScanRequest, ScanService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.records import ProgressSnapshot, ScanCounters, ScanSummary


class Engine:
    """A library and a service over it."""

    def __init__(self, library: Library, service: ScanService) -> None:
        self.library = library
        self.service = service
        self.root = Path()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, folder: Path, **scan: Any) -> AsyncIterator[Engine]:
        """Open a library in `folder`; `scan` overrides options of section `[scan]`, of which one worker is the default."""
        config = default_config()
        scan = {"max_workers": 1} | scan
        config = replace(config, scan=replace(config.scan, **scan))
        async with await Library.open(os.fsencode(folder / "library.yapmo")) as library:
            service = ScanService(library, config)
            try:
                yield cls(library, service)
            finally:
                await service.close()

    @property
    def snapshot(self) -> ProgressSnapshot:
        """How the scan stands that was started last."""
        snapshot = self.service.snapshot()
        assert snapshot is not None
        return snapshot

    async def scan(self, *paths: Path, **request: Any) -> ScanSummary:
        """Scan and return how it ended."""
        self.root = paths[0]
        await self.service.start(ScanRequest(tuple(os.fsencode(path) for path in paths), **request))
        return await self.service.wait()

    @staticmethod
    def check_counts(counts: ScanCounters) -> None:
        """Check the equation of `ScanCounters`, for a scan that walked and was completed."""
        decided = counts.new + counts.changed + counts.unchanged + counts.moved + counts.returned
        assert counts.files == decided, counts
        assert min(asdict(counts).values()) >= 0, counts

    async def catalogue(self, *paths: Path) -> ScanCounters:
        """Walk and fingerprint `paths` without reading metadata; returns the counters of the walk."""
        walked = await self.scan(*paths, only=Stage.WALK)
        assert walked.state == "completed", walked
        assert walked.unavailable == "", walked
        self.check_counts(walked.counters)
        hashed = await self.scan(*paths, only=Stage.FINGERPRINT)
        assert hashed.state == "completed", hashed
        assert (hashed.counters.new, hashed.counters.missing, hashed.counters.unchanged) == (0, 0, 0)
        return walked.counters

    async def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what `sql` finds in the library as it is committed."""
        await self.library.writer.flush()
        connection = self.library.connect_read_only()
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    async def ids_by_path(self) -> dict[Path, int]:
        """Return the ids of all present files by absolute path."""
        rows = await self.rows(
            "SELECT r.path, d.path, f.name, f.id FROM file f JOIN folder d ON d.id = f.folder_id "
            "JOIN root r ON r.id = d.root_id WHERE f.missing_since IS NULL"
        )
        return {
            Path(os.fsdecode(os.path.join(root, folder, name))): number for root, folder, name, number in rows
        }

    async def ids(self) -> dict[str, int]:
        """Return the ids of the present files of the root last scanned, by path in it."""
        found = await self.ids_by_path()
        return {
            str(path.relative_to(self.root)): number
            for path, number in found.items()
            if path.is_relative_to(self.root)
        }

    async def missing_ids(self) -> set[int]:
        """Return the ids of all missing files."""
        return {
            number for (number,) in await self.rows("SELECT id FROM file WHERE missing_since IS NOT NULL")
        }

    async def dump(self, *tables: str) -> list[list[tuple[Any, ...]]]:
        """Return all rows of some tables."""
        return [await self.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables]
