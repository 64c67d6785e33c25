"""What is known about a file, in groups and words for people."""

from __future__ import annotations

from tests.screens.file_views import make_row
from tui.file_facts import file_facts
from tui.library.edits import Edit
from tui.library.problems import ProblemRow
from tui.library.reader import FileDetails
from tui.records import FileState, Problem, Stage, StageState

NOON_NS = 1_562_155_200_000_000_000
"""2019-07-03 12:00:00 UTC."""


def facts_of(details: FileDetails) -> dict[str, dict[str, str]]:
    return {group.title: {fact.label: fact.value for fact in group.facts} for group in file_facts(details)}


def test_a_file_of_which_little_is_known_has_no_empty_groups() -> None:
    details = FileDetails(make_row(1, metadata_state=StageState.PENDING, taken_local=None), b"/srv", NOON_NS)
    facts = facts_of(details)
    assert set(facts) == {"File", "Camera"}
    assert facts["File"]["Metadata"] == "not read yet"
    assert facts["File"]["First seen"] == "2019-07-03 12:00:00"
    assert "Missing" not in facts["File"]
    assert all(value for group in facts.values() for value in group.values())


def test_everything_known_is_said() -> None:
    row = make_row(
        2, b"song [/].flac", state=FileState.MISSING, width=6000, height=4000, orientation=6, duration_ms=61_000,
        artist="The Band", album="Album", track=3, bpm=120.5, sample_rate=44_100, utc_offset=120, rating=0,
        latitude=-1.5, longitude=2.25, altitude=-10.0, exposure=1 / 60, f_number=2.8, iso=400, focal_length=35.0,
    )  # fmt: skip
    details = FileDetails(
        row,
        b"/srv",
        NOON_NS,
        missing_since=NOON_NS,
        extractor="mutagen 1.47",
        description="two\nlines",
        keywords=("a", "b"),
        people=("Anna",),
        all_tags={"EXIF:Make": "Canon", "Plain": ["x", 1], "XMP:Nested": {"a": [1]}, "XMP:Count": 7},
        tags=("family", "draft"),
        edits=(Edit("title", "New", None, NOON_NS),),
        problems=(ProblemRow(1, Problem(b"", Stage.METADATA, "bad [/] file", 2), 3, NOON_NS, NOON_NS, True),),
    )
    facts = facts_of(details)
    assert facts["Problems"] == {"metadata": "bad [/] file (3 times), 2019-07-03 12:00:00, ignored"}
    assert facts["File"]["Missing"] == "since 2019-07-03 12:00:00"
    assert facts["File"]["Size"] == "30.0 MB (30,000,002 bytes)"
    assert facts["Content"]["Taken"] == "2019-07-03 18:22:11 +02:00"
    assert facts["Content"]["Orientation"] == "turned right"
    assert facts["Content"]["Pixels"] == "6000 × 4000 (24.0 megapixels)"
    assert facts["Content"]["Position"] == "1.5000° S 2.2500° E"
    assert facts["Content"]["Length"] == "1:01"
    assert facts["Content"]["Rating"] == "-"
    assert facts["Camera"]["Aperture"] == "f/2.8"
    assert facts["Sound"]["Tempo"] == "120.5 BPM"
    assert facts["Tags and edits"]["Tags"] == "family, draft"
    assert facts["Tags and edits"]["title"] == "New\n(was empty; edited 2019-07-03 12:00:00)"
    assert facts["EXIF"] == {"Make": "Canon"}
    assert facts["XMP"] == {"Nested": '{"a": [1]}', "Count": "7"}
    assert facts["Extractor"] == {"Plain": "x\n1"}
