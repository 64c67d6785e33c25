"""`yapmo stats`: how much of what there is in the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.commands.output import write_facts, write_json
from tui.commands.session import run_session
from tui.display import format_count, format_duration, format_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tui.commands.session import Session
    from tui.commands.shared_options import SharedOptions
    from tui.library.statistics import Group, LibraryStatistics

_MOST_SHOWN = 20


def run_stats(shared: SharedOptions) -> int:
    """Print sums over the library; with `--json` one object."""

    async def work(session: Session) -> int:
        statistics = await session.library.reader.statistics()
        if shared.as_json:
            write_json(_object(statistics))
        else:
            _write(statistics)
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
        "by_extension": _groups_object(statistics.extensions),
        "problems": dict(statistics.problems),
    }


def _groups_object(groups: Iterable[Group]) -> dict[str, dict[str, int]]:
    """Return groups by name; the empty name is for files of which it is not known."""
    return {
        group.name: {"files": group.files, "bytes": group.size, "duration_ms": group.duration_ms}
        for group in groups
    }


def _write(statistics: LibraryStatistics) -> None:
    problems = ", ".join(f"{format_count(number)} {stage}" for stage, number in statistics.problems.items())
    facts = (
        ("Files", format_count(statistics.files)),
        ("Folders", format_count(statistics.folders)),
        ("Size", format_size(statistics.size)),
        ("Playing time", format_duration(statistics.duration_ms) if statistics.duration_ms else ""),
        ("With a date", format_count(statistics.with_date)),
        ("With a position", format_count(statistics.with_position)),
        ("Missing", format_count(statistics.missing or None)),
        ("Metadata to read", format_count(statistics.pending_metadata or None)),
        ("Fingerprints to make", format_count(statistics.pending_fingerprints or None)),
        ("Problems", problems),
    )
    write_facts("Library", [fact for fact in facts if fact[1]])
    for title, groups in (
        ("Kinds", statistics.kinds),
        ("Years", statistics.years),
        ("Cameras", statistics.cameras),
        ("Extensions", statistics.extensions),
    ):
        write_facts(title, _group_facts(groups))


def _group_facts(groups: Sequence[Group]) -> list[tuple[str, str]]:
    """Return name and sums of each group, the sums in columns; the many small ones are only counted."""
    shown, rest = groups[:_MOST_SHOWN], groups[_MOST_SHOWN:]
    columns = [
        (format_count(group.files), format_size(group.size), format_duration(group.duration_ms or None))
        for group in shown
    ]
    widths = [max(map(len, cells)) for cells in zip(*columns, strict=True)]
    facts = [
        (
            group.name or "(unknown)",
            "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)),
        )
        for group, cells in zip(shown, columns, strict=True)
    ]
    return [*facts, ("…", f"{format_count(len(rest))} more (see --json)")] if rest else facts
