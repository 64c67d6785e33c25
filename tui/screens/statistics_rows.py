"""What the Statistics screen says of a library, row by row."""

from __future__ import annotations

from datetime import MAXYEAR
from typing import TYPE_CHECKING

from tui.display import display, format_count, format_duration, format_size, format_time
from tui.library_facts import library_facts, scan_changes
from tui.widgets.statistics_list import StatisticsRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tui.library.scans import ScanRecord
    from tui.library.statistics import FolderSums, Group, LibraryStatistics


def statistics_rows(statistics: LibraryStatistics, date_format: str) -> list[StatisticsRow]:
    """Return all rows, sections one after the other; times are written after `date_format`."""
    rows = [StatisticsRow("Library", is_heading=True)]
    rows += [StatisticsRow(fact.name, text=fact.text, query=fact.query) for fact in library_facts(statistics)]
    for title, groups, make_query in (
        ("Kinds", statistics.kinds, lambda name: f"kind:{name}"),
        ("Years", statistics.years, _year_query),
        ("Cameras", statistics.cameras, lambda name: _quoted("model=", name)),
        ("Lenses", statistics.lenses, lambda name: _quoted("lens=", name)),
        ("Extensions", statistics.extensions, lambda name: _quoted("ext:", name)),
    ):
        rows += _group_rows(title, groups, make_query)
    rows += _folder_rows(statistics.top_folders)
    if statistics.scans:
        rows += [StatisticsRow(""), StatisticsRow("Growth, scan by scan", is_heading=True)]
        rows += [_scan_row(scan, date_format) for scan in statistics.scans]
    return rows


def _group_rows(
    title: str, groups: Sequence[Group], make_query: Callable[[str], str | None]
) -> Iterator[StatisticsRow]:
    """Yield a section: bars stand for numbers of files, the longest for the most."""
    if not groups:
        return
    yield StatisticsRow("")
    yield StatisticsRow(title, ("files", "size", "playing"), is_heading=True)
    most = max(group.files for group in groups)
    for group in groups:
        query = make_query(group.name) if group.name or title == "Years" else None
        yield StatisticsRow(
            display(group.name) or "(unknown)", _cells(group), share=group.files / most, query=query
        )


def _folder_rows(folders: Sequence[FolderSums]) -> Iterator[StatisticsRow]:
    """Yield the section of folders: bars stand for bytes."""
    if not folders:
        return
    yield StatisticsRow("")
    yield StatisticsRow("Folders", ("files", "size", "playing"), is_heading=True)
    most = max(1, *(sums.size for sums in folders))
    for sums in folders:
        name = (
            display(sums.path)
            if not sums.depth
            else "  " * sums.depth + display(sums.path.rpartition(b"/")[2])
        )
        yield StatisticsRow(name, _cells(sums), share=sums.size / most, folder=sums.path)


def _cells(sums: Group | FolderSums) -> tuple[str, str, str]:
    return format_count(sums.files), format_size(sums.size), format_duration(sums.duration_ms or None)


def _scan_row(scan: ScanRecord, date_format: str) -> StatisticsRow:
    text = f"{scan_changes(scan)}  {scan.what}"
    return StatisticsRow(format_time(scan.started_at, date_format), text=text, folder=scan.path)


def _year_query(year: str) -> str:
    """Return the query for a year of release or, where that is not known, of recording."""
    if not year:
        return "-has:year -has:date"
    number = int(year)
    if not 1 <= number <= MAXYEAR:
        return f"year:{year}"  # nothing was recorded then
    recorded = f"taken:{number:04}" if number < MAXYEAR else f"taken>{MAXYEAR - 1}"
    return f"year:{year} or (-has:year {recorded})"


def _quoted(field: str, name: str) -> str | None:
    """Return a term for exactly this text; None where quotes in it stand against that."""
    return None if '"' in name else f'{field}"{name}"'
