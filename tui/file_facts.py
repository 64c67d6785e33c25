"""What is known about one file, put into groups and words for people."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.display import format_count, format_duration, format_size, format_time
from tui.field_text import (
    camera_name,
    format_exposure,
    format_offline,
    format_offset,
    format_position,
    format_rating,
    format_scaled,
)
from tui.records import FileState, StageState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tui.library.reader import FileDetails

_ORIENTATIONS = {
    2: "mirrored",
    3: "turned by 180°",
    4: "mirrored, turned by 180°",
    5: "mirrored, turned left",
    6: "turned right",
    7: "mirrored, turned right",
    8: "turned left",
}
"""What EXIF orientations say about the picture (EXIF 2.3, tag 0x0112); 1 is upright."""

_STATES = {
    StageState.PENDING: "not read yet",
    StageState.DONE: "read",
    StageState.FAILED: "could not be read",
}


_COMPANIONS = {"sidecar": "Sidecar", "image": "Picture", "raw": "RAW", "video": "Film", "audio": "Sound"}
"""What a companion is, in words."""

EXACT_TIME = "%Y-%m-%d %H:%M:%S"
"""Times are given to the second here, whatever `interface.date_format` leaves out."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known about a file.

    Attributes:
        label: what it is.
        value: the value as text; it may have several lines, and may be foreign.
        look: how it looks (see `painted_lines.LOOKS`).
    """

    label: str
    value: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class FactGroup:
    """Facts that belong together, under a title."""

    title: str
    facts: tuple[Fact, ...]


def file_facts(details: FileDetails) -> tuple[FactGroup, ...]:
    """Return everything known about a file, in groups; groups and facts that are empty are left out."""
    values = details.row.values
    groups = (
        ("Problems", _problem_facts(details)),
        ("File", _own_facts(details)),
        ("Companions", _companion_facts(details)),
        ("Content", _content_facts(details)),
        ("Camera", _camera_facts(values)),
        ("Sound", _sound_facts(values)),
        ("Tags and edits", _human_facts(details)),
        *_extracted_groups(details.all_tags),
    )
    kept = (FactGroup(title, tuple(fact for fact in facts if fact.value)) for title, facts in groups)
    return tuple(group for group in kept if group.facts)


def _facts(*pairs: tuple[str, object]) -> list[Fact]:
    return [Fact(label, "" if value is None else str(value)) for label, value in pairs]


def _problem_facts(details: FileDetails) -> list[Fact]:
    facts = []
    for row in details.problems:
        times = f" ({format_count(row.attempts)} times)" if row.attempts > 1 else ""
        ignored = ", ignored" if row.ignored else ""
        when = format_time(row.last_at, EXACT_TIME)
        facts.append(
            Fact(row.problem.stage.value, f"{row.problem.message}{times}, {when}{ignored}", "warning")
        )
    return facts


def _own_facts(details: FileDetails) -> list[Fact]:
    row = details.row
    missing = row.state is FileState.MISSING
    since = format_time(details.missing_since, EXACT_TIME)
    return [
        *_facts(("Name", os.fsdecode(row.name)), ("Folder", os.fsdecode(os.path.dirname(row.path)))),
        Fact("Missing", f"since {since}" if since else "yes", "warning") if missing else Fact("Missing", ""),
        Fact(
            "Offline", format_offline(details.root_offline_since, details.root_seen_at, EXACT_TIME), "warning"
        ),
        *_facts(
            ("Size", _size(row.size)),
            ("Modified", format_time(row.mtime_ns, EXACT_TIME)),
            ("Kind", ", ".join(filter(None, (row.kind.value, row.values.get("mime"))))),
            ("First seen", format_time(details.first_seen, EXACT_TIME)),
            ("Metadata", _STATES[row.metadata_state]),
            ("Extractor", details.extractor),
        ),
    ]


def _size(size: int) -> str:
    exact = f"{format_count(size)} bytes"
    return exact if size < 1000 else f"{format_size(size)} ({exact})"


def _companion_facts(details: FileDetails) -> list[Fact]:
    """Name what lies beside the file by what it is there: the folder is the file's own."""
    return [
        Fact(_COMPANIONS[item.kind], os.fsdecode(os.path.basename(item.path))) for item in details.companions
    ]


def _content_facts(details: FileDetails) -> list[Fact]:
    values = details.row.values
    width, height = values.get("width"), values.get("height")
    frame_rate, duration_ms = values.get("frame_rate"), values.get("duration_ms")
    return _facts(
        ("Title", values.get("title")),
        ("Description", details.description),
        ("Keywords", ", ".join(details.keywords)),
        ("People", ", ".join(details.people)),
        ("Rating", format_rating(values.get("rating"))),
        ("Taken", _taken(values)),
        ("Date from", values.get("date_source")),
        ("Place", details.place),
        ("Position", format_position(values.get("latitude"), values.get("longitude"))),
        ("Altitude", format_scaled(values.get("altitude"), "m")),
        ("Pixels", f"{width} × {height}" + _megapixels(width, height) if width and height else None),
        ("Orientation", _ORIENTATIONS.get(values.get("orientation", 1))),
        ("Length", format_duration(duration_ms) if duration_ms is not None else None),
        ("Format", values.get("container")),
        ("Codec", values.get("codec")),
        ("Frames", format_scaled(frame_rate, "per second")),
        ("Bit rate", format_scaled(values.get("bit_rate"), "kb/s", 1000)),
    )


def _megapixels(width: int, height: int) -> str:
    return f" ({width * height / 1e6:.1f} megapixels)" if width * height >= 1_000_000 else ""


def _taken(values: Mapping[str, Any]) -> str | None:
    taken = values.get("taken_local")
    if not taken:
        return None
    return " ".join(filter(None, (str(taken).replace("T", " "), format_offset(values.get("utc_offset")))))


def _camera_facts(values: Mapping[str, Any]) -> list[Fact]:
    f_number, focal = values.get("f_number"), values.get("focal_length")
    return _facts(
        ("Camera", camera_name(values.get("make"), values.get("model"))),
        ("Lens", values.get("lens")),
        ("Exposure", format_exposure(values.get("exposure"))),
        ("Aperture", f"f/{f_number:g}" if f_number is not None else None),
        ("ISO", values.get("iso")),
        ("Focal length", format_scaled(focal, "mm")),
    )


def _sound_facts(values: Mapping[str, Any]) -> list[Fact]:
    return _facts(
        ("Artist", values.get("artist")),
        ("Album", values.get("album")),
        ("Album artist", values.get("album_artist")),
        ("Track", values.get("track")),
        ("Disc", values.get("disc")),
        ("Genre", values.get("genre")),
        ("Year", values.get("year")),
        ("Tempo", format_scaled(values.get("bpm"), "BPM")),
        ("Key", values.get("musical_key")),
        ("Samples", format_scaled(values.get("sample_rate"), "kHz", 1000)),
        ("Channels", values.get("channels")),
    )


def _human_facts(details: FileDetails) -> list[Fact]:
    facts = _facts(("Tags", ", ".join(details.tags)))
    for edit in details.edits:
        when = format_time(edit.edited_at, EXACT_TIME)
        was = "empty" if edit.extracted is None else edit.extracted
        value = "emptied" if edit.value is None else edit.value
        facts.append(Fact(edit.field, f"{value}\n(was {was}; edited {when})"))
    return facts


def _extracted_groups(all_tags: Mapping[str, Any]) -> Iterable[tuple[str, list[Fact]]]:
    """Group what the extractor said by the part of the file it stands in (`EXIF:Make` in `EXIF`)."""
    groups: dict[str, list[Fact]] = {}
    for name, value in all_tags.items():
        group, _, tag = name.rpartition(":")
        groups.setdefault(group or "Extractor", []).append(Fact(tag, _text(value)))
    return groups.items()


def _text(value: object) -> str:
    """Return a value of an extractor as text; lists an item a line, anything nested as JSON."""
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return "\n".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
