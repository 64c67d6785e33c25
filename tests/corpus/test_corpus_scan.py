"""A whole scan over a thousand real media files of all formats, many of them damaged.

Collected only where the files are: in the folder that YAPMO_CORPUS names, or in `shared/corpus` beside the checkout.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.scan.engine import Engine
from tui.config import default_config
from tui.records import ScanState

if TYPE_CHECKING:
    from collections.abc import Iterator

BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
CORPUS = Path(os.path.realpath(os.environ.get("YAPMO_CORPUS", BESIDE)))

pytestmark = pytest.mark.corpus


def files_below(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(here) / name for name in sorted(names))


def state_of(path: Path) -> tuple[str, int, int]:
    status = os.lstat(path)
    return hashlib.sha256(path.read_bytes()).hexdigest(), status.st_mtime_ns, status.st_ino


if CORPUS.is_dir():

    async def test_every_file_ends_as_metadata_or_as_a_problem(tmp_path: Path) -> None:
        kinds = default_config().scan.kind_by_extension
        media = {
            path
            for path in files_below(CORPUS)
            if path.suffix[1:].lower().encode() in kinds and not path.name.startswith(".")
        }
        before = {path: state_of(path) for path in media}
        async with Engine.open(tmp_path, max_workers=0) as engine:
            summary = await engine.scan(CORPUS)
            assert summary.state is ScanState.COMPLETED, summary
            counts = summary.counters
            catalogued = await engine.ids_by_path()
            assert counts.files == counts.new == len(catalogued)
            engine.check_counts(counts)
            assert counts.ignored + counts.files >= len(media)
            assert set(catalogued) <= media
            assert counts.metadata_done + counts.metadata_failed == counts.files
            assert counts.fingerprints_done + counts.fingerprints_failed == counts.files
            assert not await engine.rows(
                "SELECT name FROM file WHERE metadata_state = 0 OR fingerprint_state = 0"
            )
            unexplained = await engine.rows(
                "SELECT f.name FROM file f WHERE f.metadata_state = 2 AND NOT EXISTS "
                "(SELECT 1 FROM problem p WHERE p.file_id = f.id AND p.stage = 'metadata' AND p.message <> '')"
            )
            assert unexplained == []
            assert counts.metadata_done > 0.9 * counts.files
            again = await engine.scan(CORPUS)
            assert again.counters.unchanged == counts.files
            assert (again.counters.metadata_done, again.counters.metadata_failed) == (0, 0)
        assert {path: state_of(path) for path in media} == before
