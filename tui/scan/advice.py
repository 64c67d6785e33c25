"""Advice for large libraries: what will take how long, and what `--only metadata` saves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.display import format_count, format_duration
from tui.records import ScanState, Stage

if TYPE_CHECKING:
    from tui.records import ProgressSnapshot, StageProgress

LARGE_LIBRARY = 250_000
"""From so many files on, a first scan takes long enough to be worth a word of advice."""

WORTH_SAVING_S = 60.0
"""Less time than this is not worth leaving the fingerprints for later."""


class ScanAdviser:
    """Says once in a scan what is left of it will take, by the rates of this very scan."""

    def __init__(self, large: int = LARGE_LIBRARY) -> None:
        """Speak of scans of more than `large` files."""
        self._large = large
        self._has_spoken = False

    def advise(self, snapshot: ProgressSnapshot | None) -> str:
        """Return the advice as soon as there are figures for it, and only once; empty otherwise."""
        if self._has_spoken or snapshot is None or snapshot.state is not ScanState.RUNNING:
            return ""
        if snapshot.counters.files <= self._large:
            return ""
        advice = _advice(snapshot)
        self._has_spoken = bool(advice)
        return advice


def _advice(snapshot: ProgressSnapshot) -> str:
    stages = {stage.stage: stage for stage in snapshot.stages}
    metadata, fingerprint = stages.get(Stage.METADATA), stages.get(Stage.FINGERPRINT)
    if metadata is None or metadata.eta_s is None:
        return ""
    begin = (
        f"{format_count(snapshot.counters.files)} files: reading the metadata of the {format_count(_left(metadata))} "
        f"that are left takes about {_time(metadata.eta_s)} at {metadata.per_second:,.0f} a second."
    )
    parts = [begin]
    if fingerprint is not None and not fingerprint.finished:
        parts.append(_fingerprint_advice(metadata, fingerprint))
    parts.append("What was found can be searched now; a scan that is stopped goes on later where it was.")
    return " ".join(parts)


def _fingerprint_advice(metadata: StageProgress, fingerprint: StageProgress) -> str:
    """Say how long the fingerprints take: most are taken beside the metadata, and what is left comes after it."""
    if fingerprint.eta_s is None or metadata.eta_s is None:
        return "`yapmo scan --only metadata` leaves the fingerprints, which come besides, for later."
    after_s = fingerprint.eta_s - metadata.eta_s
    if after_s < WORTH_SAVING_S:
        return "The fingerprints are taken meanwhile; `yapmo scan --only metadata` would save little."
    return f"The fingerprints take about {_time(after_s)} more, which `yapmo scan --only metadata` leaves for later."


def _left(stage: StageProgress) -> int:
    return max(0, (stage.total or 0) - stage.done)


def _time(seconds: float) -> str:
    return format_duration(round(seconds) * 1000)
