"""The meter of a stage: rates since the first outcome, and no time to the end before it can be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tui.records import Stage
from tui.scan.progress import StageMeter

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let a clock of the test's own go on by so many seconds."""
    now = 1_000.0

    def wait(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr("tui.scan.progress.time.monotonic", lambda: now)
    return wait


def meter_of(total: int | None, *, is_final: bool = True) -> StageMeter:
    meter = StageMeter(Stage.METADATA)
    meter.total, meter.is_total_final = total, is_final
    return meter


def test_the_end_is_told_when_the_rate_is_known_over_three_seconds(wait: Callable[[float], None]) -> None:
    meter = meter_of(2_000)
    etas = []
    for _ in range(8):
        meter.measure()
        wait(0.5)
        meter.count(number=50)
        etas.append(meter.measure().eta_s)
    assert etas[:5] == [None] * 5
    assert etas[5:] == [pytest.approx((2_000 - done) / 100) for done in (300, 350, 400)]


@pytest.mark.parametrize(("total", "is_final"), [(None, False), (248, False)])
def test_without_a_final_total_there_is_no_end(
    wait: Callable[[float], None], total: int | None, is_final: bool
) -> None:
    meter = meter_of(total, is_final=is_final)
    meter.measure()
    wait(4)
    meter.count(number=248)
    progress = meter.measure()
    assert progress.per_second == pytest.approx(62)
    assert progress.eta_s is None
    meter.total, meter.is_total_final = 2_000, True
    assert meter.measure().eta_s == pytest.approx((2_000 - 248) / 62)


def test_the_time_before_the_first_outcome_does_not_slow_the_rate(wait: Callable[[float], None]) -> None:
    meter = meter_of(100)
    for _ in range(12):
        meter.measure()
        wait(0.25)
    meter.count(number=10)
    progress = meter.measure()
    assert progress.per_second == pytest.approx(40)
    assert progress.eta_s is None


def test_a_rate_follows_the_last_five_seconds(wait: Callable[[float], None]) -> None:
    meter = meter_of(10_000)
    meter.measure()
    for number in [100] * 20 + [10] * 20:
        wait(0.5)
        meter.count(number=number)
        progress = meter.measure()
    assert progress.per_second == pytest.approx(20)


def test_a_finished_stage_has_neither_rate_nor_end(wait: Callable[[float], None]) -> None:
    meter = meter_of(10)
    meter.measure()
    wait(4)
    meter.count(number=5)
    meter.finished = True
    assert (meter.measure().per_second, meter.measure().eta_s) == (0.0, None)
