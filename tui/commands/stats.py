"""`yapmo stats`: how much of what there is in the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.commands.json_records import iso_time
from tui.commands.output import write_facts, write_json
from tui.commands.session import run_session
from tui.display import display, format_count, format_duration, format_size, format_time
from tui.field_text import format_offline
from tui.library.roots import list_roots
from tui.library_facts import library_facts, scan_changes
from tui.paths import json_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tui.commands.session import Session
    from tui.commands.shared_options import SharedOptions
    from tui.library.scans import ScanRecord
    from tui.library.statistics import FolderSums, Group, LibraryStatistics

_MOST_SHOWN = 20
_MOST_FOLDERS = 60
_MOST_SCANS = 10


def run_stats(shared: SharedOptions) -> int:
    """Print sums over the library; with `--json` one object."""

    async def work(session: Session) -> int:
        statistics = await session.library.reader.statistics()
        offline = [root for root in session.read(list_roots) if root.offline_since is not None]
        if shared.as_json:
            write_json({**_object(statistics), "offline": [json_path(root.path) for root in offline]})
        else:
            _write(statistics)
            pattern = session.config.interface.date_format
            write_facts(
                "Offline",
                [
                    (display(root.path), format_offline(root.offline_since, root.seen_at, pattern))
                    for root in offline
                ],
            )
        return 0

    return run_session(work, shared)


def _object(statistics: LibraryStatistics) -> dict[str, Any]:
    return {
        "files": statistics.files,
        "missing": statistics.missing,
        "folders": statistics.folders,
        "bytes": statistics.size,
        "duration_ms": statistics.duration_ms,
        "with_position": statistics.with_position,
        "with_date": statistics.with_date,
        "pending_metadata": statistics.pending_metadata,
        "pending_fingerprints": statistics.pending_fingerprints,
        "by_kind": _groups_object(statistics.kinds),
        "by_year": _groups_object(statistics.years),
        "by_camera": _groups_object(statistics.cameras),
        "by_lens": _groups_object(statistics.lenses),
        "by_extension": _groups_object(statistics.extensions),
        "by_folder": [
            {**json_path(sums.path), "depth": sums.depth, **_sums_object(sums)}
            for sums in statistics.top_folders
        ],
        "duplicates": {
            "sets": statistics.duplicates.sets,
            "files": statistics.duplicates.files,
            "bytes": statistics.duplicates.size,
        },
        "scans": [_scan_object(scan) for scan in statistics.scans],
        "problems": dict(statistics.problems),
    }


def _groups_object(groups: Iterable[Group]) -> dict[str, dict[str, int]]:
    """Return groups by name; the empty name is for files of which it is not known."""
    return {group.name: _sums_object(group) for group in groups}


def _sums_object(sums: Group | FolderSums) -> dict[str, int]:
    return {"files": sums.files, "bytes": sums.size, "duration_ms": sums.duration_ms}


def _scan_object(scan: ScanRecord) -> dict[str, Any]:
    counters = scan.counters
    return {
        **json_path(scan.path),
        "id": scan.scan_id,
        "started_at": iso_time(scan.started_at),
        "finished_at": iso_time(scan.finished_at),
        "state": str(scan.state),
        "files": counters.files,
        "new": counters.new,
        "changed": counters.changed,
        "moved": counters.moved,
        "returned": counters.returned,
        "missing": counters.missing,
    }


def _write(statistics: LibraryStatistics) -> None:
    write_facts("Library", [(fact.name, fact.text) for fact in library_facts(statistics)])
    for title, groups in (
        ("Kinds", statistics.kinds),
        ("Years", statistics.years),
        ("Cameras", statistics.cameras),
        ("Lenses", statistics.lenses),
        ("Extensions", statistics.extensions),
    ):
        most = len(groups) if title == "Years" else _MOST_SHOWN
        write_facts(title, _in_columns(groups, [group.name or "(unknown)" for group in groups], most))
    folders = statistics.top_folders
    write_facts(
        "Folders",
        _in_columns(folders, ["  " * sums.depth + display(sums.path) for sums in folders], _MOST_FOLDERS),
    )
    scans = statistics.scans[:_MOST_SCANS]
    write_facts(
        "Scans", [(format_time(scan.started_at), f"{scan.what}: {scan_changes(scan)}") for scan in scans]
    )


def _in_columns(
    groups: Sequence[Group | FolderSums], names: Sequence[str], most: int
) -> list[tuple[str, str]]:
    """Return name and sums of each group, the sums in columns; those beyond `most` are only counted."""
    columns = [
        (format_count(group.files), format_size(group.size), format_duration(group.duration_ms or None))
        for group in groups[:most]
    ]
    widths = [max(map(len, cells)) for cells in zip(*columns, strict=True)]
    facts = [
        (name, "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)))
        for name, cells in zip(names, columns, strict=False)
    ]
    rest = len(groups) - len(facts)
    return [*facts, ("…", f"{format_count(rest)} more (see --json)")] if rest else facts
