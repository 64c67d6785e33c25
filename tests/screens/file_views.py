"""Lists of files for tests of screens: in memory, of any length, and counting what they are asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tui.records import FileRow, FileState, Kind, StageState

if TYPE_CHECKING:
    from collections.abc import Sequence


def make_row(file_id: int, name: bytes | None = None, **values: Any) -> FileRow:
    """Return a photo with `file_id`, called after it unless `name` says otherwise."""
    name = name if name is not None else b"IMG_%07d.CR2" % file_id
    return FileRow(
        file_id=file_id,
        path=b"/srv/photos/2019/" + name,
        name=name,
        kind=Kind.RAW,
        size=30_000_000 + file_id,
        mtime_ns=1_562_178_131_000_000_000,
        state=values.pop("state", FileState.PRESENT),
        metadata_state=values.pop("metadata_state", StageState.DONE),
        values={
            "taken_local": "2019-07-03T18:22:11",
            "make": "Canon",
            "model": "Canon EOS 5D Mark IV",
            **values,
        },
    )


class ListedFiles:
    """A `FileView` over a list, which a test may change between two views but not below one."""

    def __init__(self, rows: Sequence[FileRow], *, delay_s: float = 0.0) -> None:
        """Serve `rows`, each answer after `delay_s`."""
        self.rows = list(rows)
        self.delay_s = delay_s
        self.asked: list[tuple[int, int]] = []

    async def count(self) -> int:
        """Return how many there are."""
        await asyncio.sleep(self.delay_s)
        return len(self.rows)

    async def page(self, offset: int, limit: int) -> Sequence[FileRow]:
        """Return a part of them."""
        self.asked.append((offset, limit))
        await asyncio.sleep(self.delay_s)
        return self.rows[offset : offset + limit]

    async def prepare_places(self) -> None:
        """Do nothing: all places are near."""

    async def position_of(self, file_id: int) -> int | None:
        """Return the place of one of them."""
        await asyncio.sleep(self.delay_s)
        return next((place for place, row in enumerate(self.rows) if row.file_id == file_id), None)


class CountlessFiles:
    """A `FileView` of any length whose rows are made when they are asked for: number `n` has the id `n`."""

    def __init__(self, length: int) -> None:
        """Pretend to hold `length` files."""
        self.length = length
        self.asked: list[tuple[int, int]] = []

    async def count(self) -> int:
        """Return the length."""
        return self.length

    async def page(self, offset: int, limit: int) -> Sequence[FileRow]:
        """Make the rows asked for."""
        self.asked.append((offset, limit))
        await asyncio.sleep(0)
        return [make_row(number) for number in range(offset, min(offset + limit, self.length))]

    async def prepare_places(self) -> None:
        """Do nothing: all places are near."""

    async def position_of(self, file_id: int) -> int | None:
        """Return the id, which is the place."""
        return file_id if file_id < self.length else None
