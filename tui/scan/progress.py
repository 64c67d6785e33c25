"""Counting: what every stage did so far, and the immutable snapshot that the front doors pull."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import fields

from tui.records import Problem, ScanCounters, Stage, StageProgress

_WINDOW_S = 5.0
_SAMPLE_S = 0.25
_ETA_AFTER_S = 3.0
"""Time over which a rate is known before it tells when the stage will end."""

_KEPT_PROBLEMS = 50

COUNTER_NAMES = tuple(item.name for item in fields(ScanCounters))
"""The names of the counters, those of `ScanCounters`."""


class StageMeter:
    """Counts one stage and measures its rate over the last few seconds.

    `count` may be called from one thread and `measure` from another: both only add or read whole numbers.

    Attributes:
        total: how many there are to do, as far as is known; None while nothing is known.
        is_total_final: whether `total` can grow no more; before that there is no ETA.
        finished: whether the stage is at its end.
    """

    def __init__(self, stage: Stage) -> None:
        """Begin at nothing."""
        self.stage = stage
        self.done = 0
        self.failed = 0
        self.bytes = 0
        self.total: int | None = None
        self.is_total_final = False
        self.finished = False
        self._samples: deque[tuple[float, int, int]] = deque([(time.monotonic(), 0, 0)])

    def count(self, *, size: int = 0, failed: bool = False, number: int = 1) -> None:
        """Note `number` outcomes that covered `size` bytes together."""
        self.done += number
        self.bytes += size
        self.failed += number if failed else 0

    def measure(self) -> StageProgress:
        """Return how far the stage is; rates are over the last five seconds or since its first outcome."""
        now = time.monotonic()
        samples = self._samples
        if not self.done:
            samples.clear()  # the time in which nothing could be done yet says nothing about the rate
            samples.append((now, 0, 0))
        if now - samples[-1][0] >= _SAMPLE_S:
            samples.append((now, self.done, self.bytes))
        while len(samples) > 2 and now - samples[0][0] > _WINDOW_S:
            samples.popleft()
        since, done, size = samples[0]
        elapsed = max(now - since, 1e-6)
        rate = 0.0 if self.finished else (self.done - done) / elapsed
        is_foreseeable = self.total is not None and self.is_total_final and elapsed >= _ETA_AFTER_S
        left = max(0, (self.total or 0) - self.done)
        return StageProgress(
            stage=self.stage,
            done=self.done,
            total=self.total,
            failed=self.failed,
            per_second=rate,
            bytes_per_second=0.0 if self.finished else (self.bytes - size) / elapsed,
            eta_s=left / rate if is_foreseeable and rate > 0 else None,
            finished=self.finished,
        )


class Tally:
    """The counters of one scan and its latest problems, written by the stages in their threads and read by snapshots."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(COUNTER_NAMES, 0)
        self._problems: deque[Problem] = deque(maxlen=_KEPT_PROBLEMS)

    def add(self, name: str, number: int = 1) -> None:
        """Raise the counter `name`, one of `COUNTER_NAMES`."""
        with self._lock:
            self._counts[name] += number

    def add_problem(self, problem: Problem) -> None:
        """Count a problem and keep it among the latest."""
        self.add("problems")
        self._problems.append(problem)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The latest problems, newest last."""
        return tuple(self._problems)

    def counters(self) -> ScanCounters:
        """Return the counts as they are now."""
        return ScanCounters(**self._counts)
