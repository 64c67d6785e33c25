"""Every row of the tables in docs/dates.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path

import pytest

from tui.records import Kind
from tui.scan.normalize.exiftool import metadata_from_exiftool

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ZONE = timezone(timedelta(hours=1))
PAGE = Path(__file__).parents[3] / "docs" / "dates.md"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    said: dict[str, str]
    expected: tuple[str, ...]


def nanoseconds(instant: str) -> int:
    return (datetime.fromisoformat(instant) - EPOCH) // timedelta(microseconds=1) * 1000


def read_cases() -> list[tuple[str, Case]]:
    cases = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5 and "`" in cells[0]:
            said = dict(part.partition("=")[::2] for part in re.findall("`([^`]*)`", cells[0]))
            cases.append((cells[0].replace("`", ""), Case(said, tuple(cells[1:]))))
    return cases


CASES = read_cases()


def test_the_page_has_its_tables() -> None:
    assert len(CASES) > 140
    assert len({name for name, _ in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES])
def test_date(case: Case) -> None:
    said = dict(case.said)
    name, kind, modified = said.pop("name", "x.jpg"), said.pop("kind", "image"), said.pop("modified", "")

    metadata = metadata_from_exiftool(
        said,
        path=b"/photos/2001-01-01 12.00.00/" + name.encode(),
        kind=Kind(kind),
        size=1000,
        mtime_ns=nanoseconds(modified) if modified else 0,
        now=NOW,
        zone=ZONE,
    )

    instant = None
    if metadata.taken_utc is not None:
        moment = EPOCH + timedelta(milliseconds=metadata.taken_utc)
        instant = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    found = (metadata.taken_local, metadata.utc_offset, instant, metadata.date_source)
    assert tuple("–" if part is None else str(part).replace("+00:00", "Z") for part in found) == case.expected


class ShortCalendar(tzinfo):
    """A zone of a system whose calendar does not reach that far, such as one with seconds of 32 bits."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        raise OverflowError

    def tzname(self, moment: datetime | None) -> str:
        return "short"

    def dst(self, moment: datetime | None) -> None:
        return None

    def fromutc(self, moment: datetime) -> datetime:
        raise OverflowError


def test_an_instant_beyond_the_calendar_of_the_system_is_shown_in_utc() -> None:
    tags = {"QuickTime:CreateDate": "1901:07:03 16:22:11"}
    metadata = metadata_from_exiftool(
        tags, path=b"/x", kind=Kind.VIDEO, size=1, mtime_ns=0, now=NOW, zone=ShortCalendar()
    )

    assert metadata.taken_local == "1901-07-03T16:22:11"


def test_a_time_of_modification_beyond_all_calendars_is_no_date() -> None:
    metadata = metadata_from_exiftool({}, path=b"/x", kind=Kind.IMAGE, size=1, mtime_ns=10**30, now=NOW)

    assert metadata.taken_local is None


def test_the_present_is_asked_of_the_clock() -> None:
    soon, later = (datetime.now(UTC) + timedelta(hours=hours) for hours in (40, 60))
    for date, counts in ((soon, True), (later, False)):
        tags = {"EXIF:DateTimeOriginal": f"{date:%Y:%m:%d %H:%M:%S}"}
        metadata = metadata_from_exiftool(tags, path=b"/x", kind=Kind.IMAGE, size=1, mtime_ns=0)
        assert (metadata.taken_local is not None) is counts
