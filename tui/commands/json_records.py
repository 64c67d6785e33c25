"""What the library knows as JSON objects: the format that `--json` promises.

Fields of the metadata have the names of the columns; what is not known is null. Numbers are numbers, dates are ISO 8601.
Times of files stay exact: `mtime_ns` is integer nanoseconds since the epoch.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tui.paths import json_path
from tui.records import HOT_FIELDS, LONG_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.library.edits import Edit
    from tui.library.problems import ProblemRow
    from tui.library.reader import FileDetails
    from tui.library.roots import RootCounts
    from tui.library.scans import ScanRecord
    from tui.records import FileRow

_NOTHING_KNOWN = {**dict.fromkeys((*HOT_FIELDS, *LONG_FIELDS)), "keywords": (), "people": ()}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso_time(value: int | None, *, per_second: int = 1_000_000_000) -> str | None:
    """Return a time since the epoch as ISO 8601 in UTC, to the millisecond: `2019-07-03T17:22:11.000Z`.

    Args:
        value: the time, None for not known.
        per_second: how many of its units make a second.
    """
    if value is None:
        return None
    try:
        moment = _EPOCH + timedelta(milliseconds=value * 1000 // per_second)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def file_object(row: FileRow, long_fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file as `search --json` prints it; `long_fields` are its `LONG_FIELDS` as far as they are known."""
    return {
        "id": row.file_id,
        **json_path(row.path),
        "kind": str(row.kind),
        "size": row.size,
        "mtime_ns": row.mtime_ns,
        "state": str(row.state),
        **_NOTHING_KNOWN,
        **row.values,
        **long_fields,
        "taken_utc": iso_time(row.values.get("taken_utc"), per_second=1000),
    }


def details_object(details: FileDetails) -> dict[str, Any]:
    """Return a file as `show --json` prints it."""
    return {
        **file_object(details.row, {name: getattr(details, name) for name in LONG_FIELDS}),
        "metadata_state": details.row.metadata_state.name.lower(),
        "first_seen": iso_time(details.first_seen),
        "missing_since": iso_time(details.missing_since),
        "offline_since": iso_time(details.root_offline_since),
        "extractor": details.extractor,
        "all_tags": details.all_tags,
        "tags": list(details.tags),
        "edits": [_edit_object(edit) for edit in details.edits],
        "problems": [problem_object(problem) for problem in details.problems],
        "companions": [{**json_path(item.path), "kind": item.kind} for item in details.companions],
    }


def _edit_object(edit: Edit) -> dict[str, Any]:
    return {
        "field": edit.field,
        "value": edit.value,
        "extracted": edit.extracted,
        "edited_at": iso_time(edit.edited_at),
    }


def problem_object(row: ProblemRow) -> dict[str, Any]:
    """Return a problem as `problems --json` prints it."""
    return {
        "id": row.problem_id,
        "file_id": row.problem.file_id,
        **json_path(row.problem.path),
        "stage": str(row.problem.stage),
        "message": row.problem.message,
        "attempts": row.attempts,
        "first_at": iso_time(row.first_at),
        "last_at": iso_time(row.last_at),
        "ignored": row.ignored,
    }


def root_object(counts: RootCounts, last_scan: ScanRecord | None) -> dict[str, Any]:
    """Return a root as `roots --json` prints it; `last_scan` is null before the first scan."""
    root = counts.root
    return {
        "id": root.root_id,
        **json_path(root.path),
        "label": root.label,
        "uuid": root.uuid,
        "disk": root.disk_kind,
        "disk_is_guessed": root.disk is None,
        "offline_since": iso_time(root.offline_since),
        "seen_at": iso_time(root.seen_at),
        "files": counts.files,
        "missing": counts.missing,
        "bytes": counts.size,
        "folders": counts.folders,
        "last_scan": _scan_object(last_scan) if last_scan is not None else None,
    }


def _scan_object(scan: ScanRecord) -> dict[str, Any]:
    return {
        "id": scan.scan_id,
        "state": str(scan.state),
        "started_at": iso_time(scan.started_at),
        "finished_at": iso_time(scan.finished_at),
    }
