"""Values of the query language: what people write for numbers, sizes, durations and dates, as bounds.

A value by itself stands for a range as wide as it is exact: `2019` is a year, `2.8` is 2.75 to 2.85, `20MB` is what
shows as 20 MB. Compared by `<` or `>`, a date is still its whole period, but a number is a point.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from tui.library.query_fields import FieldType
from tui.library.values import LARGEST_INTEGER

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


class Span(NamedTuple):
    """What one value stands for.

    Attributes:
        low: the least value that it means by itself.
        high: the first beyond those that it means by itself.
        point: the value to compare a number with; None for dates, which compare as the period from `low` to `high`.
    """

    low: Scalar
    high: Scalar
    point: int | float | None = None


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


def _parse_date(text: str) -> Span | None:
    span = _parse_span(text)
    if span is None:
        return None
    first, beyond = span
    return Span(first.isoformat(), beyond.isoformat())


def _parse_time(text: str) -> Span | None:
    span = _parse_span(text)
    if span is None:
        return None
    first, beyond = span
    return Span(_to_ns(first), _to_ns(beyond))


def _to_ns(local: datetime) -> int:
    return int((local.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1000


def _parse_span(text: str) -> tuple[datetime, datetime] | None:
    """Return the first instant of a date of any precision, and the first one after it; local time."""
    if text in ("today", "yesterday"):
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        first = midnight - timedelta(days=text == "yesterday")
        return first, first + timedelta(days=1)
    match = _DATE.fullmatch(text.replace("t", "T"))
    if match is None:
        return None
    year, month, day_, hour, minute, second = (int(part) if part else None for part in match.groups())
    # wall-clock time: what it is compared with has no zone either, or is converted by the caller
    first = datetime(year or 0, month or 1, day_ or 1, hour or 0, minute or 0, second or 0)  # noqa: DTZ001  # see above
    if month is None:
        return first, first.replace(year=first.year + 1)
    if day_ is None:
        later = first.replace(day=28) + timedelta(days=4)
        return first, later.replace(day=1)
    step = (
        timedelta(days=1) if hour is None else timedelta(hours=1) if minute is None else timedelta(minutes=1)
    )
    return first, first + (step if second is None else timedelta(seconds=1))


_PARSERS: dict[FieldType, Callable[[str], Span | None]] = {
    FieldType.NUMBER: _parse_number,
    FieldType.SIZE: _parse_size,
    FieldType.DURATION: _parse_duration,
    FieldType.DATE: _parse_date,
    FieldType.TIME: _parse_time,
}
