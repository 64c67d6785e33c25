"""Some rounds of the long run (./nox -s soak), and that it would notice growth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.trust.soak import Sample, Soak, growth

if TYPE_CHECKING:
    from tests.trust.ground import Ground


def test_some_rounds_end_with_nothing_left_open(ground: Ground) -> None:
    soak = Soak(ground, seed=7)
    for _ in range(3):
        soak.round()
    soak.leave()
    files = [sample.open_files for sample in soak.samples]
    assert max(files) <= 40, files


def test_growth_is_noticed() -> None:
    flat = Sample(memory_mb=80, open_files=20, threads=6, children=0, log_mb=1, library_mb=2)
    assert growth([flat] * 8) == []
    assert growth([flat] * 4 + [replace(flat, memory_mb=90)] * 4) == ["memory grew from 80.0 to 90.0 MB"]
    assert growth([replace(flat, open_files=20 + 4 * number) for number in range(40)])
