"""What the sums over a library say, put into words for people: the same on the Statistics screen and in `yapmo stats`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.display import format_count, format_duration, format_size
from tui.records import ScanState

if TYPE_CHECKING:
    from tui.library.scans import ScanRecord
    from tui.library.statistics import Duplicates, LibraryStatistics


@dataclass(frozen=True, slots=True)
class LibraryFact:
    """One thing that is said of a library.

    Attributes:
        name: what it is.
        text: how much.
        query: finds the files that it is about; None when no query does.
    """

    name: str
    text: str
    query: str | None


def library_facts(statistics: LibraryStatistics) -> list[LibraryFact]:
    """Return what there is to say of the whole library; what is not there is left out."""
    problems = (f"{format_count(number)} {stage}" for stage, number in statistics.problems.items())
    facts = (
        LibraryFact("Files", format_count(statistics.files), ""),
        LibraryFact("Folders", format_count(statistics.folders), None),
        LibraryFact("Size", format_size(statistics.size), None),
        LibraryFact("Playing time", format_duration(statistics.duration_ms or None), "has:duration"),
        LibraryFact("With a date", format_count(statistics.with_date), "has:date"),
        LibraryFact("With a position", format_count(statistics.with_position), "has:gps"),
        LibraryFact("Missing", format_count(statistics.missing or None), "missing:yes"),
        LibraryFact(
            "Metadata to read", format_count(statistics.pending_metadata or None), "metadata:pending"
        ),
        LibraryFact("Fingerprints to make", format_count(statistics.pending_fingerprints or None), None),
        LibraryFact("Duplicates", _waste(statistics.duplicates), "dup:yes"),
        LibraryFact("Problems", ", ".join(problems), "problem:yes"),
    )
    return [fact for fact in facts if fact.text]


def _waste(duplicates: Duplicates) -> str:
    if not duplicates.files:
        return ""
    files = "file" if duplicates.files == 1 else "files"
    return f"{format_size(duplicates.size)} could be free: {format_count(duplicates.files)} {files} more than needed"


def scan_changes(scan: ScanRecord) -> str:
    """Return what the library gained and lost by a scan, and how it ended unless it was completed."""
    counters = scan.counters
    changes = [
        f"{sign}{format_count(number)} {word}"
        for sign, number, word in (
            ("+", counters.new, "new"),
            ("+", counters.returned, "returned"),
            ("−", counters.missing, "missing"),
            ("", counters.changed, "changed"),
            ("", counters.moved, "moved"),
        )
        if number
    ]
    state = "" if scan.state is ScanState.COMPLETED else f"{scan.state}, "
    return f"{state}{', '.join(changes) or 'nothing new'}"
