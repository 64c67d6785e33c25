"""Values of the query language: what people write for numbers, sizes, durations and dates, as bounds.

A value by itself stands for a range as wide as it is exact: `2019` is a year, `2.8` is 2.75 to 2.85, `20MB` is what
shows as 20 MB. Compared by `<` or `>`, a date is still its whole period, but a number is a point, and `last-30d` is
the point where its days begin.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from tui.library.query_fields import FieldType
from tui.library.values import LARGEST_INTEGER, stored_integer
from tui.records import stored_inode

if TYPE_CHECKING:
    from collections.abc import Callable

    Scalar = int | float | str

_NUMBER = re.compile(r"([+-]?)(\d{1,18})(?:\.(\d{1,12}))?", re.ASCII)
_SIZE_UNITS = {
    "": 1, "b": 1, "k": 10**3, "kb": 10**3, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9, "t": 10**12, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip
_TIME_UNITS_MS = {
    "ms": 1, "": 1_000, "s": 1_000, "sec": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
}  # fmt: skip
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{2})", re.ASCII)
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{1,2})(?::(\d{2})(?::(\d{2}))?)?)?)?)?", re.ASCII
)

_RECENT = re.compile(r"last-(\d{1,4})([hdwmy])", re.ASCII)
_INODE = re.compile(r"\d{1,20}", re.ASCII)
_OFFSET = re.compile(r"([+-]?)(\d{1,2})(?::?([0-5]\d))?", re.ASCII)

NAMED_DATES = (
    "today",
    "yesterday",
    "this-week",
    "this-month",
    "this-year",
    "last-week",
    "last-month",
    "last-year",
)
"""Dates by name; weeks begin on Monday (ISO 8601)."""


class Span(NamedTuple):
    """What one value stands for.

    Attributes:
        low: the least value that it means by itself.
        high: the first beyond those that it means by itself.
        point: the value to compare with; None for a date, which compares as the period from `low` to `high`.
    """

    low: Scalar
    high: Scalar
    point: Scalar | None = None

    def ends_before(self, first: Span) -> bool:
        """Return whether a range from `first` up to this one ends before it begins; both are values of one field."""
        if self.point is not None and first.point is not None:
            return self.point < first.point  # type: ignore[operator]  # both numbers, or both text
        # what lies beyond the times that a library can keep is one instant
        return self.high <= first.low and self.low < first.low  # type: ignore[operator]  # see above


def parse_value(kind: FieldType, text: str) -> Span | None:
    """Return what `text` stands for in a field of type `kind`, None when it is no such value."""
    try:
        return _PARSERS[kind](text.strip().lower())
    except (OverflowError, ValueError):
        return None


def _parse_number(text: str) -> Span | None:
    match = _NUMBER.fullmatch(text)
    return None if match is None else _span(match, 1)


def _parse_size(text: str) -> Span | None:
    return _parse_with_unit(text, _SIZE_UNITS)


def _parse_duration(text: str) -> Span | None:
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        ms = ((hours * 60 + minutes) * 60 + seconds) * 1000
        return Span(ms - 500, ms + 500, ms)
    return _parse_with_unit(text, _TIME_UNITS_MS)


def _parse_with_unit(text: str, units: dict[str, int]) -> Span | None:
    match = _NUMBER.match(text)
    if match is None:
        return None
    unit = units.get(text[match.end() :].strip())
    return None if unit is None else _span(match, unit)


def _span(match: re.Match[str], unit: int) -> Span:
    """Return what a number stands for: itself when whole and without a unit, else half of its last digit each way."""
    sign, whole, fraction = match.groups()
    if fraction is None and unit == 1:
        value = int(sign + whole)
        return Span(value, value + 1, value)
    middle = float(f"{sign}{whole}.{fraction or 0}") * unit
    half = unit * 10.0 ** -len(fraction or "") / 2
    if unit == 1:
        return Span(middle - half, middle + half, middle)
    low, high, point = (
        max(-LARGEST_INTEGER, min(LARGEST_INTEGER, round(value)))
        for value in (middle - half, middle + half, middle)
    )
    return Span(low, high, point)


def _parse_inode(text: str) -> Span | None:
    """Return an inode of up to 64 bits as the library keeps it."""
    if not _INODE.fullmatch(text) or int(text) >= 2**64:
        return None
    inode = stored_inode(int(text))
    return Span(inode, inode, inode)


def _parse_offset(text: str) -> Span | None:
    """Return minutes east of UTC for `+02:00`, `-5`, `+0530`."""
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    minutes = (int(match[2]) * 60 + int(match[3] or 0)) * (-1 if match[1] == "-" else 1)
    return Span(minutes, minutes + 1, minutes)


def _parse_date(text: str) -> Span | None:
    return _parse_period(text, _local_now(), datetime.isoformat)


def _parse_time(text: str) -> Span | None:
    return _parse_period(
        text, _local_now(), lambda local: stored_integer(_microseconds(_as_utc(local)) * 1000)
    )


def _parse_instant(text: str) -> Span | None:
    utc_now = datetime.now(UTC).replace(tzinfo=None)
    return _parse_period(text, utc_now, lambda utc: _microseconds(utc.replace(tzinfo=UTC)) // 1000)


def _local_now() -> datetime:
    return datetime.now().astimezone().replace(tzinfo=None)


def _as_utc(local: datetime) -> datetime:
    """Return the same instant in UTC; on the first and the last day of all dates, where it may have none, that day's."""
    try:
        return local.astimezone(UTC)
    except (OverflowError, ValueError):
        return local.replace(tzinfo=UTC)


def _microseconds(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _parse_period(text: str, now: datetime, store: Callable[[datetime], Scalar]) -> Span | None:
    """Return a date of any precision as the library keeps it (`store`); `now` is the same clock's time."""
    recent = _RECENT.fullmatch(text)
    if recent is not None:
        first, beyond = _recent_period(int(recent[1]), recent[2], now)
        return Span(store(first), store(beyond), store(first))
    period = _named_period(text, now) if text in NAMED_DATES else _written_period(text)
    return None if period is None else Span(store(period[0]), store(period[1]))


def _recent_period(number: int, unit: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the last hours up to now, or the last days, weeks, months or years, of which today is the last day."""
    if unit == "h":
        beyond = now.replace(microsecond=0) + timedelta(seconds=1)
        return beyond - timedelta(hours=number), beyond
    beyond = _midnight(now) + timedelta(days=1)
    if unit in "dw":
        return beyond - timedelta(days=number * (7 if unit == "w" else 1)), beyond
    return _months_before(beyond, number * (12 if unit == "y" else 1)), beyond


def _named_period(name: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the period of one of `NAMED_DATES`."""
    midnight, day = _midnight(now), timedelta(days=1)
    if name in ("today", "yesterday"):
        first = midnight - (day if name == "yesterday" else timedelta())
        return first, first + day
    which, _, unit = name.partition("-")
    if unit == "week":
        first = midnight - day * midnight.weekday() - day * (7 if which == "last" else 0)
        return first, first + 7 * day
    first = midnight.replace(day=1) if unit == "month" else midnight.replace(month=1, day=1)
    months = 1 if unit == "month" else 12
    if which == "last":
        return _months_before(first, months), first
    return first, _months_before(first, -months)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _months_before(moment: datetime, months: int) -> datetime:
    """Return the same day some months before, or the last one of that month where it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def _written_period(text: str) -> tuple[datetime, datetime] | None:
    """Return the first instant of a date of any precision, and the first one after it; at the end of all dates the last."""
    match = _DATE.fullmatch(text.replace("t", "T"))
    if match is None:
        return None
    year, month, day_, hour, minute, second = (int(part) if part else None for part in match.groups())
    # wall-clock time: what it is compared with has no zone either, or is converted by the caller
    first = datetime(year or 0, month or 1, day_ or 1, hour or 0, minute or 0, second or 0)  # noqa: DTZ001  # see above
    units = {"hours": hour, "minutes": minute, "seconds": second}
    finest = next((unit for unit, value in reversed(units.items()) if value is not None), "days")
    try:
        if day_ is None:
            return first, _months_before(first, -1 if month else -12)
        return first, first + timedelta(**{finest: 1})
    except (OverflowError, ValueError):
        return first, datetime.max  # noqa: DTZ901  # see above


_PARSERS: dict[FieldType, Callable[[str], Span | None]] = {
    FieldType.NUMBER: _parse_number,
    FieldType.SIZE: _parse_size,
    FieldType.DURATION: _parse_duration,
    FieldType.OFFSET: _parse_offset,
    FieldType.INODE: _parse_inode,
    FieldType.DATE: _parse_date,
    FieldType.TIME: _parse_time,
    FieldType.INSTANT: _parse_instant,
}
