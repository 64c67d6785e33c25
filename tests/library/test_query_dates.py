"""Dates of the query language that depend on the day on which they are asked."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from tui.library import query_values
from tui.library.query_fields import FieldType
from tui.library.query_values import NAMED_DATES, parse_value


class _Clock(datetime):
    """A clock that stands at 18:30:15 on Sunday 31 March 2024, in a leap year."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # as narrow as the tests need it
        return datetime(2024, 3, 31, 18, 30, 15, 250_000, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(query_values, "datetime", _Clock)
    yield None
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "first", "beyond"),
    [
        ("today", "2024-03-31", "2024-04-01"),
        ("yesterday", "2024-03-30", "2024-03-31"),
        ("this-week", "2024-03-25", "2024-04-01"),
        ("last-week", "2024-03-18", "2024-03-25"),
        ("this-month", "2024-03-01", "2024-04-01"),
        ("last-month", "2024-02-01", "2024-03-01"),
        ("this-year", "2024-01-01", "2025-01-01"),
        ("LAST-YEAR", "2023-01-01", "2024-01-01"),
        ("last-1d", "2024-03-31", "2024-04-01"),
        ("last-30d", "2024-03-02", "2024-04-01"),
        ("last-2w", "2024-03-18", "2024-04-01"),
        ("last-1m", "2024-03-01", "2024-04-01"),
        ("last-6m", "2023-10-01", "2024-04-01"),
        ("last-1y", "2023-04-01", "2024-04-01"),
    ],
)
def test_a_date_that_moves_with_the_day(text: str, first: str, beyond: str) -> None:
    span = parse_value(FieldType.DATE, text)
    assert span is not None
    assert (span.low, span.high) == (f"{first}T00:00:00", f"{beyond}T00:00:00")
    assert span.point == (span.low if text[-2:-1].isdigit() else None)
    time_ns = parse_value(FieldType.TIME, text)
    instant = parse_value(FieldType.INSTANT, text)
    assert time_ns is not None
    assert instant is not None
    epoch_s = datetime.fromisoformat(first).replace(tzinfo=UTC).timestamp()
    assert time_ns.low == int(epoch_s) * 10**9
    assert instant.low == int(epoch_s) * 1_000


def test_the_last_hours_are_counted_from_now() -> None:
    span = parse_value(FieldType.DATE, "last-24h")
    assert span is not None
    assert (span.low, span.high) == ("2024-03-30T18:30:16", "2024-03-31T18:30:16")


def test_months_have_no_days_that_they_do_not_have() -> None:
    before = query_values._months_before
    assert before(datetime(2024, 3, 31, tzinfo=UTC), 1).day == 29
    assert before(datetime(2023, 12, 31, tzinfo=UTC), -2) == datetime(2024, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["last-d", "last-5", "last-5x", "last-", "next-week", "this-day", "last-9999y", "last--1d", "-30d"],
)
def test_what_is_no_date(text: str) -> None:
    assert parse_value(FieldType.DATE, text) is None


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("+02:00", 120), ("-5", -300), ("0530", 330), ("+5:30", 330), ("2", 120), ("-00:30", -30)],
)
def test_offsets(text: str, minutes: int) -> None:
    assert parse_value(FieldType.OFFSET, text) == (minutes, minutes + 1, minutes)


def test_names_of_dates_are_all_known() -> None:
    for name in NAMED_DATES:
        assert parse_value(FieldType.DATE, name) is not None
