"""When was it taken: the one date out of all that a file says of dates. The rule and its table: docs/dates.md."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from time import time
from typing import TYPE_CHECKING, NamedTuple

from tui.records import Kind
from tui.scan.normalize.positions import read_position
from tui.scan.normalize.stamps import (
    Stamp,
    find_offset,
    is_date,
    read_milliseconds,
    read_name,
    read_offset,
    read_stamp,
)
from tui.scan.normalize.values import read_integer, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_MILLISECOND = timedelta(milliseconds=1)
_LENGTH_OF_MILLISECONDS = len("2019-07-03T18:22:11.250")
_CLOCKS_MAY_BE_AHEAD = timedelta(days=2)
_GPS_TOLERANCE_S = 60
_NAME_TOLERANCE_S = 5
_FARTHEST_FROM_SUN_MIN = 270  # clocks in the west of China are three hours off, and summer time adds one


class Taken(NamedTuple):
    """When it was taken: four fields of `Metadata`, by their names there."""

    taken_local: str | None = None
    utc_offset: int | None = None
    taken_utc: int | None = None
    date_source: str | None = None


class _Source(NamedTuple):
    """A tag that holds a date.

    Attributes:
        tag: its name.
        fraction: the tag with the fraction of its second, empty for none.
        offset: the tag with its offset, empty for none.
        instant: the date is in UTC, not what a clock on the wall showed.
        with_time: a date without a time of day does not count.
    """

    tag: str
    fraction: str = ""
    offset: str = ""
    instant: bool = False
    with_time: bool = False


_ORIGINAL = (
    _Source("EXIF:DateTimeOriginal", "EXIF:SubSecTimeOriginal", "EXIF:OffsetTimeOriginal"),
    _Source("QuickTime:DateTimeOriginal"),
    _Source("XML:CreationDateValue"),
    _Source("H264:DateTimeOriginal"),
    _Source("RIFF:DateTimeOriginal"),
    _Source("MakerNotes:DateTimeOriginal"),
    _Source("XMP:DateTimeOriginal"),
)
_CREATED = (
    _Source("EXIF:CreateDate", "EXIF:SubSecTimeDigitized", "EXIF:OffsetTimeDigitized"),
    _Source("XMP:DateTimeDigitized"),
)
_CREATION = _Source("QuickTime:CreationDate")
_LATER = (
    _Source("QuickTime:ContentCreateDate", with_time=True),
    _Source("QuickTime:MediaCreateDate", instant=True),
    _Source("QuickTime:CreateDate", instant=True),
    _Source("Matroska:DateTimeOriginal", instant=True),
    _Source("ASF:CreationDate", instant=True),
    _Source("XMP:DateCreated"),
    _Source("XMP:CreateDate"),
    _Source("PNG:CreationTime"),
)
_MODIFIED = _Source("EXIF:ModifyDate", "EXIF:SubSecTime", "EXIF:OffsetTime")
_OF_PICTURES = tuple((source.tag, source) for source in (*_ORIGINAL, *_CREATED, _CREATION, *_LATER))
_OF_MUSIC = tuple((source.tag, source) for source in (*_ORIGINAL, _CREATION))
_WITH_OFFSET = ("XMP:DateTimeOriginal", "XMP:DateCreated", "XMP:CreateDate")
_WITHOUT_ZONE = ("QuickTime:Make", "QuickTime:CompressorName", "QuickTime:HandlerDescription")


class _Clue(NamedTuple):
    """A date that was found, where, and whether it is an instant in UTC instead of local time."""

    stamp: Stamp
    tag: str
    instant: bool = False


class DateFinder:
    """Finds the date of one file."""

    def __init__(
        self,
        tags: Mapping[str, object],
        *,
        path: bytes,
        mtime_ns: int,
        duration_ms: int | None = None,
        now: datetime | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        """Prepare to look.

        Args:
            tags: what ExifTool said, tag with its family 0 group to value.
            path: of the file; its name may hold a date.
            mtime_ns: modification time, nanoseconds since 1970; 0 for none.
            duration_ms: playing time of a film.
            now: the present moment, against dates in the future; None asks the clock.
            zone: in which instants are shown; None for the zone of this machine.
        """
        self._tags = tags
        self._path = path
        self._mtime_ns = mtime_ns
        self._duration_ms = duration_ms
        seconds = time() if now is None else now.timestamp()
        self._latest = _latest_date(int(seconds) // 60)
        self._zone = zone

    def find(self, kind: Kind) -> Taken:
        """Return the date that the most trustworthy source tells; all None if there is none."""
        partial: _Clue | None = None
        for clue in self._find_clues(kind):
            if partial is None and not clue.stamp.precision:
                return self._settle(clue)
            if partial is None:
                partial = clue
            elif not clue.stamp.precision and clue.stamp.agrees_with(partial.stamp):
                return self._settle(clue)
        if partial is not None:
            return self._settle(partial)
        return Taken() if kind is Kind.AUDIO else self._take_from_file()

    def _find_clues(self, kind: Kind) -> Iterator[_Clue]:
        """Yield every date but the last resorts, the most trustworthy first."""
        tags = self._tags
        for tag, source in _OF_MUSIC if kind is Kind.AUDIO else _OF_PICTURES:
            if tag in tags and (clue := self._read(source)):
                yield clue
        if kind is Kind.AUDIO:
            return
        yield from self._read_iptc()
        yield from self._read_gps()
        if named := read_name(self._path, self._latest):
            yield _Clue(named[0], "File:FileName", instant=named[1])

    def _read(self, source: _Source) -> _Clue | None:
        tag, fraction, _, instant, with_time = source
        stamp = read_stamp(self._tags.get(tag))
        if stamp is None or (with_time and stamp.precision):
            return None
        if fraction and not stamp.precision:
            stamp = self._complete(stamp, source)
        return _Clue(stamp, tag, instant) if is_date(stamp, self._latest) else None

    def _complete(self, stamp: Stamp, source: _Source) -> Stamp:
        """Return a date of EXIF with its fraction and offset, which have tags of their own."""
        tags, (local, offset, _) = self._tags, stamp
        if offset is None and source.offset in tags:
            offset = read_offset(tags[source.offset])
        if offset is None:
            offset = self._prove_offset(local)
        if source.fraction in tags and not local.microsecond:
            milliseconds = read_milliseconds(read_text(tags[source.fraction]))
            local = local.replace(microsecond=milliseconds * 1000) if milliseconds else local
        return Stamp(local, offset)

    def _prove_offset(self, local: datetime) -> int | None:
        """Return the offset of `local` where another tag proves it; the order is that of docs/dates.md."""
        tags, local = self._tags, local.replace(microsecond=0) if local.microsecond else local
        if "EXIF:OffsetTime" in tags and (modified := read_stamp(tags.get("EXIF:ModifyDate"))):
            offset = read_offset(tags["EXIF:OffsetTime"])
            if offset is not None and modified.local == local:
                return offset
        if "EXIF:TimeZoneOffset" in tags:
            hours = read_integer(tags["EXIF:TimeZoneOffset"], -12, 14)
            if hours is not None:
                return hours * 60
        for tag in _WITH_OFFSET:
            other = read_stamp(tags[tag]) if tag in tags else None
            if other and other.offset is not None and other.local.replace(microsecond=0) == local:
                return other.offset
        return self._prove_offset_by_gps(local) if "EXIF:GPSDateStamp" in tags else None

    def _prove_offset_by_gps(self, local: datetime) -> int | None:
        """Return the offset between `local` and the time of GPS, unless the sun at that longitude says that it is wrong.

        Programs that place pictures on a map write local time where UTC belongs.
        """
        gps = self._read_exif_gps()
        offset = find_offset(local, gps.local, _GPS_TOLERANCE_S) if gps else None
        longitude = read_position(self._tags)[1]
        if offset is None or longitude is None or abs(offset - longitude * 4) <= _FARTHEST_FROM_SUN_MIN:
            return offset
        return None

    def _read_iptc(self) -> Iterator[_Clue]:
        day, time = self._tags.get("IPTC:DateCreated"), self._tags.get("IPTC:TimeCreated")
        stamp = read_stamp(f"{day} {time}") if isinstance(day, str) and isinstance(time, str) else None
        stamp = stamp or read_stamp(day)
        if stamp and is_date(stamp, self._latest):
            yield _Clue(stamp, "IPTC:DateCreated")

    def _read_gps(self) -> Iterator[_Clue]:
        stamps = (
            ("EXIF:GPSDateStamp", self._read_exif_gps()),
            ("XMP:GPSDateTime", read_stamp(self._tags.get("XMP:GPSDateTime"))),
        )
        for tag, stamp in stamps:
            if stamp and not stamp.precision and is_date(stamp, self._latest):
                yield _Clue(stamp, tag, instant=True)

    def _read_exif_gps(self) -> Stamp | None:
        day, time = self._tags.get("EXIF:GPSDateStamp"), self._tags.get("EXIF:GPSTimeStamp")
        stamp = read_stamp(f"{day} {time}") if isinstance(day, str) and isinstance(time, str) else None
        return stamp if stamp and not stamp.precision else None

    def _take_from_file(self) -> Taken:
        """Return the date of the last resorts: EXIF's ModifyDate, then the file's own time."""
        if modified := self._read(_MODIFIED):
            return self._settle(modified)
        if self._mtime_ns:
            try:
                stamp = Stamp(_EPOCH + self._mtime_ns // 1_000_000 * _MILLISECOND)
            except OverflowError:
                return Taken()
            if is_date(stamp, self._latest):
                return self._show_here(stamp.local, "File:FileModifyDate")
        return Taken()

    def _settle(self, clue: _Clue) -> Taken:
        """Return the date that a clue gives."""
        (local, offset, precision), tag, instant = clue
        if precision:
            return Taken(_format(local), date_source=f"{tag}, {precision} only")
        if instant:
            return self._settle_instant(clue)
        if offset is None:
            return Taken(_format(local), date_source=tag)
        return Taken(_format(local), offset, _count_milliseconds(local) - offset * 60_000, tag)

    def _settle_instant(self, clue: _Clue) -> Taken:
        """Return the date of an instant in UTC; of local time where it turns out that it is none."""
        utc, offset = clue.stamp.utc, None
        if clue.tag.startswith("QuickTime:"):
            if any("GoPro" in (read_text(self._tags.get(tag)) or "") for tag in _WITHOUT_ZONE):
                return Taken(_format(clue.stamp.local), date_source=clue.tag)
            offset = read_integer(self._tags.get("QuickTime:TimeZone"), -720, 840)
        if offset is None:
            offset = self._find_offset_by_name(utc)
            if offset == 0:  # whether it is UTC or local time, it shows the same: no offset is proven
                return Taken(_format(utc), date_source=clue.tag)
        if offset is None:
            return self._show_here(utc, clue.tag)
        local = utc + timedelta(minutes=offset)
        return Taken(_format(local), offset, _count_milliseconds(utc), clue.tag)

    def _find_offset_by_name(self, utc: datetime) -> int | None:
        """Return the offset between an instant, the end or the start of a film, and the local time in the file's name."""
        named = read_name(self._path, self._latest)
        if named is None or named[1] or named[0].precision:
            return None
        at_start = find_offset(named[0].local, utc, _NAME_TOLERANCE_S)
        if at_start is not None or not self._duration_ms:
            return at_start
        start = utc - timedelta(milliseconds=self._duration_ms)
        return find_offset(named[0].local, start, _NAME_TOLERANCE_S)

    def _show_here(self, utc: datetime, source: str) -> Taken:
        """Return an instant as the clocks of this machine's zone showed it."""
        elapsed = utc - _EPOCH
        try:
            shown = datetime.fromtimestamp(elapsed.days * 86_400 + elapsed.seconds, self._zone)
        except (OverflowError, OSError, ValueError):  # beyond what the system's calendar knows
            local = utc
        else:
            local = shown.replace(microsecond=utc.microsecond, tzinfo=None)
        return Taken(_format(local), None, _count_milliseconds(utc), source)


@lru_cache(maxsize=4)
def _latest_date(minute: int) -> datetime:
    """Return the last date in UTC that is none of the future, `minute` minutes after 1970 began."""
    return _EPOCH + timedelta(minutes=minute) + _CLOCKS_MAY_BE_AHEAD


def _format(local: datetime) -> str:
    return local.isoformat()[:_LENGTH_OF_MILLISECONDS]


def _count_milliseconds(utc: datetime) -> int:
    elapsed = utc - _EPOCH
    return elapsed.days * 86_400_000 + elapsed.seconds * 1000 + elapsed.microseconds // 1000
