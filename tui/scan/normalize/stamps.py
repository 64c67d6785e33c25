"""Dates as files write them: in the values of tags, and in names of files."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_STAMP = re.compile(
    r"""\s*([0-9]{4})
    (?:[-:/.]([0-9]{1,2})
    (?:[-:/.]([0-9]{1,2})
    (?:[ T]{1,2}([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?
    )?)?)?
    \s*(?:(Z|UTC|GMT|[-+][0-9]{2}(?::?[0-9]{2})?)(?:\ DST)?|[A-Z]{3,5})?\s*""",
    re.VERBOSE,
)
_OFFSET = re.compile(r"\s*(?:Z|UTC|GMT|([-+])([0-9]{1,2}):?([0-9]{2})?)\s*")
_LONGEST_STAMP = 48
_EXIF_LENGTH = 19  # of `2019:07:03 18:22:11`, the way most are written
_WESTMOST, _EASTMOST = -720, 840
_OFFSETS_IN_USE = frozenset(
    (*range(-720, 841, 60), -570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825)
)
_QUARTER_S = 900
_FIRST_PHOTOGRAPH = 1826
_YEAR_OF_LAST_ZERO = 1970
_ZEROS = frozenset((date(1899, 12, 30), date(1904, 1, 1), date(1970, 1, 1)))  # of OLE, QuickTime and Unix

_DATE_IN_NAME = re.compile(
    r"""(?<![0-9])
    (?:((?:18|19|20)[0-9]{2})([-_.])([0-9]{2})\2([0-9]{2}) | ((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2}))
    (?:
        (?:[ _T.-]{1,3} | [ _-][A-Za-z\x80-\xff]{1,8}[ _-])?
        (?:([01][0-9]|2[0-3])([0-5][0-9])([0-5][0-9]) | ([0-9]{1,2})([-_.:])([0-5][0-9])\12([0-5][0-9]))
        (?:-?([0-9]{3}))?
        (?:(?:[ _]|\xe2\x80\xaf)?([AaPp])[Mm](?![A-Za-z]))?
    )?
    (?![0-9])""",
    re.VERBOSE,
)
_LONGEST_NAME = 255


class Stamp(NamedTuple):
    """A date as it was written.

    Attributes:
        local: date and time without a zone, to the millisecond; the first instant of what a partial date means.
        offset: minutes east of UTC, where it was written with it.
        precision: empty for a date with a time; else `day`, `month` or `year`.
    """

    local: datetime
    offset: int | None = None
    precision: str = ""

    @property
    def utc(self) -> datetime:
        """The same instant in UTC; a stamp without an offset is taken for UTC."""
        return self.local - timedelta(minutes=self.offset) if self.offset else self.local

    def agrees_with(self, partial: Stamp) -> bool:
        """Return whether this date lies within what `partial` means."""
        same = {"day": 3, "month": 2, "year": 1}[partial.precision]
        return self.local.timetuple()[:same] == partial.local.timetuple()[:same]


def read_stamp(value: object) -> Stamp | None:
    """Return the date in the value of a tag; None if it is none, or one that does not exist (Feb 30, month 13).

    Unknown months and days may be missing or `00`. The second 60 is taken for 59, and 24:00:00 for the next midnight;
    any other hour 24 is an error of the camera's.
    """
    if not isinstance(value, str) or len(value) > _LONGEST_STAMP:
        return None
    if len(value) == _EXIF_LENGTH and value[4] == value[7] == value[13] == value[16] == ":":
        try:
            return Stamp(datetime.fromisoformat(value.replace(":", "-", 2)))
        except ValueError:  # the long way knows more ways of writing
            pass
    match = _STAMP.fullmatch(value)
    if match is None:
        return None
    *parts, fraction, zone = match.groups()
    return _make_stamp(parts, fraction, read_offset(zone))


def _make_stamp(parts: Sequence[str | None], fraction: str | None, offset: int | None) -> Stamp | None:
    """Return the date of six parts (year, month, day, hour, minute, second), None if it does not exist."""
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    precision = ("" if parts[3] else "day") if day else "month" if month else "year"
    if precision:
        hour = minute = second = 0
    next_midnight = (hour, minute, second) == (24, 0, 0)
    try:
        local = datetime(  # noqa: DTZ001  # a wall clock has no zone
            year,
            month or 1,
            day or 1,
            0 if next_midnight else hour,
            minute,
            59 if second == 60 else second,
            read_milliseconds(fraction) * 1000,
        )
        return Stamp(local + timedelta(days=1) if next_midnight else local, offset, precision)
    except (ValueError, OverflowError):
        return None


def read_milliseconds(fraction: str | None) -> int:
    """Return the milliseconds in the digits behind the point of a second (`24` is 240); 0 if they are no digits."""
    return int(fraction[:3].ljust(3, "0")) if fraction and fraction.isascii() and fraction.isdigit() else 0


def read_offset(value: object) -> int | None:
    """Return the minutes east of UTC in `+02:00`, `-0930`, `+2`, `Z`; None if it is none or lies beyond -12:00 to +14:00."""
    return _read_offset(value) if isinstance(value, str) and len(value) <= _LONGEST_STAMP else None


@lru_cache(maxsize=64)
def _read_offset(text: str) -> int | None:
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    hours, minutes = int(match[2] or 0), int(match[3] or 0)
    offset = (hours * 60 + minutes) * (-1 if match[1] == "-" else 1)
    return offset if _WESTMOST <= offset <= _EASTMOST and minutes < 60 else None


def is_date(stamp: Stamp, latest: datetime) -> bool:
    """Return whether `stamp` can be when a picture was taken.

    Not before the first photograph (1826), not after `latest` (a date without a zone), not the zero of a clock:
    1899-12-30, 1904-01-01, 1970-01-01.
    """
    local = stamp.local
    if local.year > _YEAR_OF_LAST_ZERO:
        return local <= latest
    if local.year < _FIRST_PHOTOGRAPH or local > latest:
        return False
    return stamp.precision in ("month", "year") or not {local.date(), stamp.utc.date()} & _ZEROS


def find_offset(local: datetime, utc: datetime, tolerance_s: int) -> int | None:
    """Return the offset in use somewhere on earth that makes `local` of `utc` within `tolerance_s` seconds."""
    seconds = (local - utc) // timedelta(seconds=1)
    quarters = (seconds + _QUARTER_S // 2) // _QUARTER_S
    close = abs(seconds - quarters * _QUARTER_S) <= tolerance_s
    return quarters * 15 if close and quarters * 15 in _OFFSETS_IN_USE else None


def read_name(path: bytes, latest: datetime) -> tuple[Stamp, bool] | None:
    """Return the date in the name of the file at `path`, and whether it is in UTC (Google's `PXL_` names are).

    A date after `latest` is none.
    Source for `PXL_`: Google, Pixel Camera; the names carry UTC, those of `IMG_`, `VID_` and `MVIMG_` local time.
    """
    name = path.rpartition(b"/")[2][:_LONGEST_NAME].decode("latin-1")  # only its ASCII characters matter
    for match in _DATE_IN_NAME.finditer(name):
        stamp = _stamp_of_match(match)
        if stamp is not None and is_date(stamp, latest):
            return stamp, name.startswith("PXL_")
    return None


def _stamp_of_match(match: re.Match[str]) -> Stamp | None:
    day = match.group(1, 3, 4) if match[1] else match.group(5, 6, 7)
    time = match.group(8, 9, 10) if match[8] else match.group(11, 13, 14)
    if match[16] and match[11] and 1 <= int(match[11]) <= 12:
        hour = int(match[11]) % 12 + (12 if match[16] in "Pp" else 0)
        time = (str(hour), *time[1:])
    return _make_stamp((*day, *time), match[15], None)
