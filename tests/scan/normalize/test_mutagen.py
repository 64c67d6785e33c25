"""Songs, out of mutagen's tags of all formats."""

from __future__ import annotations

from typing import Any

import pytest
from mutagen._constants import GENRES as MUTAGEN_GENRES

from tui.records import Metadata
from tui.scan.normalize.genres import GENRES, name_genres
from tui.scan.normalize.mutagen import metadata_from_mutagen


def normalize(
    tags: Any = None, *, info: Any = None, file_class: object = "MP3", mime: object = ""
) -> Metadata:
    answer = {"type": file_class, "mime": mime, "info": info or {}, "tags": tags or {}}
    return metadata_from_mutagen(answer, size=1_000_000)


EXPECTED = Metadata(
    container="x",
    title="Title",
    artist="Ann; Bob",
    album="Album",
    album_artist="Various",
    track=3,
    disc=2,
    genre="Rock; Pop",
    year=2019,
    bpm=128.0,
    musical_key="8A",
    description="A comment",
)


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param(
            {
                "TIT2": ["Title"],
                "TPE1": ["Ann", "Bob"],
                "TALB": ["Album"],
                "TPE2": ["Various"],
                "TRCK": ["3/12"],
                "TPOS": ["2/2"],
                "TCON": ["(17)", "Pop"],
                "TDRC": ["2019-07-03T18:22:11"],
                "TDOR": ["1987"],
                "TBPM": ["128"],
                "TKEY": ["8A"],
                "COMM:iTunNORM": ["000003E8 000003E8"],
                "COMM:by hand": ["A comment"],
            },
            id="ID3",
        ),
        pytest.param(
            {
                "title": ["Title"],
                "artist": ["Ann", "Bob"],
                "album": ["Album"],
                "albumartist": ["Various"],
                "tracknumber": ["03"],
                "discnumber": ["2"],
                "genre": ["Rock", "Pop"],
                "date": ["2019-07"],
                "bpm": ["128"],
                "initialkey": ["8A"],
                "comment": ["A comment"],
            },
            id="Vorbis",
        ),
        pytest.param(
            {
                "©nam": ["Title"],
                "©ART": ["Ann", "Bob"],
                "©alb": ["Album"],
                "aART": ["Various"],
                "trkn": ["3/12"],
                "disk": ["2/0"],
                "©gen": ["Rock", "Pop"],
                "©day": ["2019-07-03T07:00:00Z"],
                "tmpo": [128],
                "----:com.apple.iTunes:initialkey": ["8A"],
                "©cmt": ["A comment"],
                "covr": ["(binary, 12 bytes)"],
            },
            id="MP4",
        ),
        pytest.param(
            {
                "Title": ["Title"],
                "Artist": ["Ann", "Bob"],
                "Album": ["Album"],
                "Album Artist": ["Various"],
                "Track": ["3/12"],
                "Disc": ["2"],
                "Genre": ["Rock", "Pop"],
                "Year": ["2019"],
                "BPM": ["128"],
                "INITIALKEY": ["8A"],
                "Comment": ["A comment"],
            },
            id="APEv2",
        ),
        pytest.param(
            {
                "Title": ["Title"],
                "Author": ["Ann", "Bob"],
                "WM/AlbumTitle": ["Album"],
                "WM/AlbumArtist": ["Various"],
                "WM/TrackNumber": [3],
                "WM/PartOfSet": ["2"],
                "WM/Genre": ["Rock", "Pop"],
                "WM/Year": ["2019"],
                "WM/BeatsPerMinute": ["128"],
                "WM/InitialKey": ["8A"],
                "Description": ["A comment"],
            },
            id="ASF",
        ),
    ],
)
def test_formats_mean_the_same(tags: dict[str, Any]) -> None:
    found = normalize(tags, file_class="x")

    assert found == EXPECTED


def test_stream() -> None:
    info = {"length": 3.4482, "bitrate": 128_000, "sample_rate": 44_100, "channels": 2, "layer": 3}
    metadata = normalize(info=info, mime="audio/mp3")

    assert (metadata.duration_ms, metadata.bit_rate, metadata.sample_rate) == (3448, 128_000, 44_100)
    assert (metadata.channels, metadata.codec, metadata.container) == (2, "mp3", "MP3")
    assert metadata.mime == "audio/mpeg"


def test_a_bit_rate_that_is_not_stated_is_that_of_the_file() -> None:
    assert normalize(info={"length": 10, "bitrate": 0}).bit_rate == 800_000
    assert normalize(info={"length": 0, "bitrate": 0}).bit_rate is None


@pytest.mark.parametrize(
    ("file_class", "info", "codec"),
    [
        ("MP3", {"layer": 2}, "mp2"),
        ("MP3", {}, "mp3"),
        ("MP4", {"codec": "mp4a.40.2"}, "aac"),
        ("MP4", {"codec": "mp4a.6B"}, "mp3"),
        ("MP4", {"codec": "alac"}, "alac"),
        ("MP4", {}, None),
        ("OggOpus", {}, "opus"),
        ("WAVE", {"audio_format": 1}, "pcm"),
        ("WAVE", {"audio_format": 0x55}, "mp3"),
        ("WAVE", {"audio_format": 0xFFFE}, "pcm"),
        ("WAVE", {"audio_format": 0x1234}, None),
        ("Unheard", {}, None),
        (None, {}, None),
    ],
)
def test_codec(file_class: object, info: dict[str, Any], codec: str | None) -> None:
    assert normalize(file_class=file_class, info=info).codec == codec


def test_opus_plays_at_48_khz() -> None:
    assert normalize(file_class="OggOpus").sample_rate == 48_000


def test_songs_have_no_date() -> None:
    metadata = normalize({"TDRC": ["2019-07-03"]})

    assert (metadata.taken_local, metadata.taken_utc, metadata.date_source, metadata.year) == (
        None,
        None,
        None,
        2019,
    )


@pytest.mark.parametrize(
    ("tags", "stars"),
    [
        ({"POPM": [196]}, 4),
        ({"POPM": [0]}, None),
        ({"rating": ["4"]}, 4),
        ({"RATING": ["80"]}, 4),
        ({"rating": ["500"]}, None),
        ({"FMPS_RATING": ["0.6"]}, 3),
        ({"TXXX:FMPS_Rating": ["1.0"]}, 5),
        ({"WM/SharedUserRating": [99]}, 5),
        ({"rate": ["60"]}, 3),
        ({}, None),
    ],
)
def test_rating(tags: dict[str, Any], stars: int | None) -> None:
    assert normalize(tags).rating == stars


@pytest.mark.parametrize("value", ["A1", "0", "0/12", "-3", "99999", ""])
def test_tracks_that_are_no_number_above_0_are_none(value: str) -> None:
    assert normalize({"TRCK": [value]}).track is None


@pytest.mark.parametrize(
    ("value", "genres"),
    [
        ("Rock", "Rock"),
        ("(17)", "Rock"),
        ("17", "Rock"),
        (17, "Rock"),
        ("(4)(17)", "Disco; Rock"),
        ("(4)Eurodisco", "Disco; Eurodisco"),
        ("(17)Rock", "Rock"),
        ("(RX)(CR)", "Remix; Cover"),
        ("((odd)", "(odd)"),
        ("(250)", "250"),
        ("999", "999"),
        (["Rock", "rock", "Pop"], "Rock; Pop"),
        ("Drum & Bass", "Drum & Bass"),
        ("", None),
        ([], None),
        (None, None),
        ("(", "("),
    ],
)
def test_genres(value: object, genres: str | None) -> None:
    assert name_genres(value) == genres


def test_the_list_of_genres_is_that_of_mutagen() -> None:
    assert list(GENRES) == list(MUTAGEN_GENRES)
