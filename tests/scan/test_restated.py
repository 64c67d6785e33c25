"""What a scan learns of files that did not change: their kind by the configuration, and whether they have hard links."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.media import make_jpeg, write_file
from tests.scan.engine import Engine
from tui.config import default_config
from tui.library import files
from tui.records import Kind, ScanState, Stage

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LINKED = "SELECT display_name FROM file WHERE links > 1 AND missing_since IS NULL ORDER BY 1"


async def test_a_hard_link_that_comes_or_goes_elsewhere_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    for number in range(2):
        write_file(root / f"a/{number}.jpg", str(number).encode())
    (root / "b").mkdir()
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        os.link(root / "a/0.jpg", root / "b/link.jpg")
        counts = await engine.catalogue(root)
        assert (counts.new, counts.changed, counts.unchanged) == (1, 0, 2)
        assert await engine.rows(LINKED) == [("0.jpg",), ("link.jpg",)]
        (root / "b/link.jpg").unlink()
        counts = await engine.catalogue(root)
        assert (counts.missing, counts.changed, counts.unchanged) == (1, 0, 2)
        assert await engine.rows(LINKED) == []
        assert set(await engine.rows("SELECT fingerprint_state FROM file")) == {(1,)}
        monkeypatch.delattr(files, "present_stamps")
        await engine.catalogue(root / "a")  # which is known by its digest again, without its rows


async def test_the_kind_of_a_known_file_follows_the_configuration(tmp_path: Path) -> None:
    root = tmp_path / "root"
    make_jpeg(root / "1.jpg", 1)
    make_jpeg(root / "away.jpg", 2)
    write_file(root / "1.mov", b"no film")
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root)
        (root / "away.jpg").rename(tmp_path / "away.jpg")
        await engine.scan(root)
        (before,) = await engine.rows("SELECT id, kind, metadata_state FROM file WHERE name = ?", b"1.jpg")
        assert before[1:] == ("image", 1)
    kinds = dict(default_config().scan.extensions)
    kinds[Kind.IMAGE] = tuple(extension for extension in kinds[Kind.IMAGE] if extension != "jpg")
    kinds[Kind.RAW] = (*kinds[Kind.RAW], "jpg")
    async with Engine.open(tmp_path, extensions=kinds) as engine:
        (tmp_path / "away.jpg").rename(root / "away.jpg")
        counts = (await engine.scan(root, only=Stage.WALK)).counters
        assert (counts.changed, counts.returned, counts.unchanged) == (0, 1, 2)
        jpeg = "SELECT id, kind, metadata_state FROM file WHERE name = ?"
        assert await engine.rows(jpeg, b"1.jpg") == [(before[0], "raw", 0)]
        summary = await engine.scan(root)
        assert (summary.state, summary.counters.metadata_done) == (ScanState.COMPLETED, 2)
        assert await engine.rows(jpeg, b"1.jpg") == [(before[0], "raw", 1)]
