"""The wider run: a thousand real files, normalised, against what ExifTool computes itself (its Composite tags)."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.scan.normalize.corpus import find_corpus, kind_of, run_exiftool
from tests.scan.normalize.invariants import check
from tui.records import Kind, Metadata
from tui.scan.normalize.exiftool import metadata_from_exiftool
from tui.scan.normalize.mutagen import metadata_from_mutagen
from tui.workers.exiftool import TRACK_EXTENSIONS
from tui.workers.tag_reader import read_tags

pytestmark = pytest.mark.corpus

SECOND_RAW = "MakerNotes:ImageWidth"
"""Minolta's raw data within Sony's: ExifTool takes its size from there, YAPMO from the pictures's own directory."""


@dataclass(frozen=True)
class Specimen:
    path: str
    kind: Kind
    metadata: Metadata
    composite: dict[str, Any]
    tags: dict[str, Any]


@pytest.fixture(scope="module")
def specimens() -> list[Specimen]:
    folder = find_corpus()
    assert folder is not None
    full = run_exiftool(folder, "-G0")
    with_tracks = [word for extension in TRACK_EXTENSIONS for word in ("-ext", os.fsdecode(extension))]
    tracks = run_exiftool(folder, "-G1", "-e", *with_tracks)
    found = []
    for path, said_in_full in full.items():
        kind = kind_of(path)
        if kind is None:
            continue
        tags = {key: value for key, value in said_in_full.items() if not key.startswith("Composite:")}
        said = tracks[path] if os.fsencode(path).rpartition(b".")[2].lower() in TRACK_EXTENSIONS else tags
        size = os.path.getsize(path)
        metadata = metadata_from_exiftool(said, path=os.fsencode(path), kind=kind, size=size, mtime_ns=0)
        composite = {key[10:]: value for key, value in full[path].items() if key.startswith("Composite:")}
        found.append(Specimen(path, kind, metadata, composite, tags))
    assert len(found) > 500
    return found


def test_every_record_is_within_its_ranges(specimens: list[Specimen]) -> None:
    for specimen in specimens:
        check(specimen.metadata)


def test_positions(specimens: list[Specimen]) -> None:
    compared = 0
    for specimen in specimens:
        latitude, longitude = (specimen.composite.get(f"GPS{name}") for name in ("Latitude", "Longitude"))
        if latitude is None or longitude is None or float(latitude) == float(longitude) == 0:
            assert specimen.metadata.latitude is None or "XMP:GPSLatitude" in specimen.tags, specimen.path
            continue
        assert specimen.metadata.latitude == pytest.approx(float(latitude), abs=1e-6), specimen.path
        assert specimen.metadata.longitude == pytest.approx(float(longitude), abs=1e-6), specimen.path
        compared += 1
    assert compared > 20


def test_sizes(specimens: list[Specimen]) -> None:
    compared = 0
    for specimen in specimens:
        size = str(specimen.composite.get("ImageSize", ""))
        if specimen.kind is Kind.AUDIO or not size or SECOND_RAW in specimen.tags:
            continue
        width, height = (int(float(part)) for part in size.split()[:2])
        while specimen.kind is Kind.VIDEO and max(width, height) > 65_535:
            width, height = width >> 16, height >> 16
        assert (specimen.metadata.width or 0, specimen.metadata.height or 0) == (width, height), specimen.path
        compared += 1
    assert compared > 300


def test_times_of_the_shutter(specimens: list[Specimen]) -> None:
    compared = 0
    for specimen in specimens:
        said = str(specimen.composite.get("SubSecDateTimeOriginal", ""))
        match = re.fullmatch(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?([+-]\d\d:\d\d|Z)?", said)
        if match is None or specimen.metadata.date_source != "EXIF:DateTimeOriginal":
            continue
        year, month, day, time, fraction, zone = match.groups()
        milliseconds = (fraction or "")[:3].ljust(3, "0")
        expected = f"{year}-{month}-{day}T{time}" + (f".{milliseconds}" if milliseconds != "000" else "")
        assert specimen.metadata.taken_local == expected, specimen.path
        if zone and zone != "Z":
            minutes = int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[4:]))
            assert specimen.metadata.utc_offset == minutes, specimen.path
        compared += 1
    assert compared > 40


def test_offsets_that_gps_proves_are_those_that_files_state(specimens: list[Specimen]) -> None:
    compared = 0
    for specimen in specimens:
        stated = specimen.metadata.utc_offset
        if "EXIF:OffsetTimeOriginal" not in specimen.tags or "EXIF:GPSTimeStamp" not in specimen.tags:
            continue
        tags = {
            tag: value for tag, value in specimen.tags.items() if "OffsetTime" not in tag and tag[:3] != "XMP"
        }
        proven = metadata_from_exiftool(tags, path=b"/x", kind=specimen.kind, size=1, mtime_ns=0).utc_offset
        assert proven in (None, stated), specimen.path
        compared += proven is not None
    assert compared > 5


def test_turns_of_films(specimens: list[Specimen]) -> None:
    orientations = {0: 1, 90: 6, 180: 3, 270: 8}
    turned = 0
    for specimen in specimens:
        if specimen.kind is Kind.VIDEO and "Rotation" in specimen.composite:
            rotation = int(float(specimen.composite["Rotation"]))
            assert specimen.metadata.orientation == orientations[rotation], specimen.path
            turned += rotation != 0
    assert turned > 0


def test_playing_times(specimens: list[Specimen]) -> None:
    compared = 0
    for specimen in specimens:
        said = specimen.composite.get("Duration")
        if specimen.kind is Kind.VIDEO and said is not None and "RIFF:FrameRate" in specimen.tags:
            assert specimen.metadata.duration_ms == pytest.approx(float(said) * 1000, abs=2), specimen.path
            compared += 1
    assert compared > 1


def test_songs_of_mutagen() -> None:
    folder = find_corpus()
    assert folder is not None
    read = 0
    for path in sorted(folder.rglob("*")):
        if kind_of(str(path)) is Kind.AUDIO and path.is_file():
            try:
                answer = read_tags(os.fsencode(path))
            except (
                Exception
            ):  # a broken file breaks mutagen in any way; the child's guard is tested elsewhere
                continue
            size = path.stat().st_size
            check(metadata_from_mutagen(answer, size=size))
            read += "error" not in answer
    assert read > 150
