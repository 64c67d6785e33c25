"""Files made on the spot, read by the real ExifTool and mutagen with the options of the bulk run."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.media import make_encoded, make_jpeg
from tests.scan.normalize.corpus import run_exiftool
from tui.records import Kind, Metadata
from tui.scan.normalize.exiftool import metadata_from_exiftool
from tui.scan.normalize.mutagen import metadata_from_mutagen
from tui.workers.tag_reader import read_tags

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, kind: Kind) -> Metadata:
    family = "-G1" if kind is Kind.VIDEO else "-G0"
    tags = run_exiftool(path, family, "-e")[str(path)]
    return metadata_from_exiftool(
        tags, path=os.fsencode(path), kind=kind, size=path.stat().st_size, mtime_ns=path.stat().st_mtime_ns
    )


def write_tags(path: Path, *tags: str) -> None:
    subprocess.run(["exiftool", "-config", "", "-q", "-overwrite_original", *tags, str(path)], check=True)


def test_photograph(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    make_jpeg(path, seed=1, gps=(-33.8568, 151.2153), size=(64, 48))
    write_tags(
        path,
        "-EXIF:FNumber=2.8",
        "-EXIF:ExposureTime=1/250",
        "-EXIF:SubSecTimeOriginal=24",
        "-EXIF:OffsetTimeOriginal=+10:00",
        "-XMP:Subject=beach",
        "-XMP:Subject=007",
        "-IPTC:Keywords=Beach",
        "-XMP:Rating=4",
        "-XMP:Title=1.10",
        "-XMP:City=Sydney",
        "-XMP:Country=Australia",
    )

    metadata = read(path, Kind.IMAGE)

    assert (metadata.width, metadata.height, metadata.orientation) == (64, 48, 1)
    assert (metadata.make, metadata.iso, metadata.f_number, metadata.exposure) == ("Canon", 200, 2.8, 0.004)
    assert metadata.latitude == pytest.approx(-33.8568, abs=1e-4)
    assert metadata.longitude == pytest.approx(151.2153, abs=1e-4)
    assert (metadata.taken_local, metadata.utc_offset) == ("2019-07-03T18:22:11.240", 600)
    assert (metadata.taken_utc, metadata.date_source) == (1562142131240, "EXIF:DateTimeOriginal")
    assert (metadata.keywords, metadata.rating, metadata.title) == (("beach", "007"), 4, "1.10")
    assert metadata.place == "Sydney, Australia"


@pytest.mark.parametrize(("degrees", "orientation"), [(0, 1), (90, 6), (180, 3), (270, 8)])
def test_turned_film(tmp_path: Path, degrees: int, orientation: int) -> None:
    path = tmp_path / "film.mp4"
    make_encoded(path)
    write_tags(path, f"-Rotation={degrees}", "-QuickTime:CreateDate=2019:07:03 16:22:11")

    metadata = read(path, Kind.VIDEO)

    assert (metadata.width, metadata.height, metadata.orientation) == (64, 48, orientation)
    assert (metadata.codec, metadata.frame_rate, metadata.duration_ms) == ("h264", 10.0, 500)
    assert metadata.taken_utc == 1562170931000


def test_matroska(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    make_encoded(path, title="A title")

    metadata = read(path, Kind.VIDEO)

    assert (metadata.width, metadata.height, metadata.codec) == (64, 48, "h264")
    assert (metadata.title, metadata.duration_ms) == ("A title", 500)


@pytest.mark.parametrize("extension", ["mp3", "flac", "ogg", "m4a"])
def test_song(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"song.{extension}"
    make_encoded(path, title="Title", artist="Ann", album="Album", track="3", date="2019", genre="Rock")
    size = path.stat().st_size

    metadata = metadata_from_mutagen(read_tags(os.fsencode(path)), size=size)
    again = read(path, Kind.AUDIO)

    for found in (metadata, again):
        assert (found.title, found.artist, found.album) == ("Title", "Ann", "Album")
        assert (found.track, found.year, found.genre) == (3, 2019, "Rock")
    assert metadata.duration_ms == pytest.approx(500, abs=60)
    assert metadata.codec == {"mp3": "mp3", "flac": "flac", "ogg": "vorbis", "m4a": "aac"}[extension]
    assert metadata.sample_rate == 44_100
