"""A scan that wrote much leaves the search index in one part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.media import write_file
from tests.scan.engine import Engine
from tui.records import ScanState, Stage
from tui.scan import merging

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def parts(engine: Engine) -> int:
    """Return of how many parts the index is made."""
    return int((await engine.rows("SELECT count(DISTINCT segid) FROM search_idx"))[0][0])


async def test_only_a_large_scan_merges_the_search_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "media"
    async with Engine.open(tmp_path) as engine:
        for number in range(3):
            write_file(root / f"{number}.jpg", b"x" * number)
            await engine.scan(root, only=Stage.WALK)
        assert await parts(engine) == 3
        monkeypatch.setattr(merging, "MANY", 1)
        write_file(root / "last.jpg", b"y")
        assert (await engine.scan(root, only=Stage.WALK)).state is ScanState.COMPLETED
        assert await parts(engine) == 1
        await engine.library.writer.run(
            lambda db: db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        )
        assert len(await engine.rows("SELECT rowid FROM search WHERE search MATCH 'jpg'")) == 4
