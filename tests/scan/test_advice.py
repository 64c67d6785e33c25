"""Advice for large libraries, from the rates of the scan itself."""

from __future__ import annotations

import pytest

from tui.records import ProgressSnapshot, ScanCounters, ScanState, Stage, StageProgress
from tui.scan.advice import LARGE_LIBRARY, ScanAdviser

WALK = StageProgress(Stage.WALK, done=9, finished=True)
METADATA = StageProgress(Stage.METADATA, done=1_000, total=97_000, per_second=160.0, eta_s=600.0)


def snapshot(
    *stages: StageProgress, files: int = 97_000, state: ScanState = ScanState.RUNNING
) -> ProgressSnapshot:
    return ProgressSnapshot(1, (b"/srv/photos",), state, counters=ScanCounters(files=files), stages=stages)


def fingerprints(eta_s: float | None) -> StageProgress:
    return StageProgress(Stage.FINGERPRINT, done=10, total=97_000, per_second=50.0, eta_s=eta_s)


def test_it_says_what_is_left_by_this_scans_own_rates() -> None:
    text = ScanAdviser(large=90_000).advise(snapshot(WALK, METADATA, fingerprints(1_900.0)))
    assert "97,000 files" in text
    assert "96,000 that are left takes about 10:00 at 160 a second" in text
    assert "The fingerprints take about 21:40 more, which `yapmo scan --only metadata` leaves" in text


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (fingerprints(610.0), "would save little"),
        (fingerprints(None), "leaves the fingerprints"),
        (StageProgress(Stage.FINGERPRINT, finished=True), ""),
    ],
)
def test_it_claims_no_saving_that_is_not_there(stage: StageProgress, words: str) -> None:
    text = ScanAdviser(large=90_000).advise(snapshot(WALK, METADATA, stage))
    assert words in text
    assert ("--only metadata" in text) == bool(words)
    assert "more, which" not in text


def test_it_speaks_once_and_not_before_there_are_figures() -> None:
    adviser = ScanAdviser(large=90_000)
    unknown = StageProgress(Stage.METADATA, done=1_000, total=97_000, per_second=160.0)
    assert adviser.advise(None) == ""
    assert adviser.advise(snapshot(WALK, unknown)) == ""
    assert adviser.advise(snapshot(WALK, METADATA, state=ScanState.PAUSED)) == ""
    assert adviser.advise(snapshot(WALK, METADATA))
    assert adviser.advise(snapshot(WALK, METADATA)) == ""


def test_smaller_libraries_get_no_advice() -> None:
    assert ScanAdviser(large=97_000).advise(snapshot(WALK, METADATA)) == ""
    assert ScanAdviser().advise(snapshot(WALK, METADATA, files=LARGE_LIBRARY)) == ""
    assert ScanAdviser().advise(snapshot(WALK, METADATA, files=LARGE_LIBRARY + 1))
