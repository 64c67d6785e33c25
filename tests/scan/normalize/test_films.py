"""Films: tracks, codecs, playing time, rates, out of ExifTool's tags of both families of groups."""

from __future__ import annotations

from typing import Any

import pytest

from tui.records import Kind, Metadata
from tui.scan.normalize.codecs import name_codec
from tui.scan.normalize.exiftool import metadata_from_exiftool
from tui.scan.normalize.groups import merge_groups

PORTRAIT = {
    "File:FileType": "MP4",
    "File:MIMEType": "video/mp4",
    "QuickTime:CreateDate": "2019:07:03 16:22:11",
    "QuickTime:Duration": "12.5",
    "QuickTime:MatrixStructure": "1 0 0 0 1 0 0 0 1",
    "QuickTime:HandlerType": "mdta",
    "Track1:TrackDuration": "12.5",
    "Track1:MatrixStructure": "1 0 0 0 1 0 0 0 1",
    "Track1:MediaCreateDate": "2019:07:03 16:22:13",
    "Track1:HandlerType": "soun",
    "Track1:AudioFormat": "mp4a",
    "Track1:AudioChannels": "2",
    "Track1:AudioSampleRate": "48000",
    "Track2:MatrixStructure": "0 1 0 -1 0 0 1080 0 1",
    "Track2:MediaCreateDate": "2019:07:03 16:22:12",
    "Track2:HandlerType": "vide",
    "Track2:ImageWidth": "1920",
    "Track2:ImageHeight": "1080",
    "Track2:CompressorID": "hvc1",
    "Track2:VideoFrameRate": "29.9703",
    "Track3:HandlerType": "vide",
    "Track3:ImageWidth": "320",
    "Track3:ImageHeight": "180",
    "Track3:CompressorID": "jpeg",
    "Track4:HandlerType": "soun",
    "Track4:AudioFormat": "ac-3",
    "Track4:AudioChannels": "6",
    "Track4:AudioSampleRate": "44100",
    "Keys:Make": "Apple",
    "Keys:Model": "iPhone X",
    "XMP-xmp:Rating": "3",
    "IFD0:Software": "x",
}


def normalize(tags: dict[str, Any], kind: Kind = Kind.VIDEO, size: int = 1_000_000) -> Metadata:
    return metadata_from_exiftool(tags, path=b"/x/x.mp4", kind=kind, size=size, mtime_ns=0)


def test_the_first_picture_track_counts_for_the_picture_and_the_first_sound_track_for_the_sound() -> None:
    metadata = normalize(PORTRAIT, size=25_000_000)

    assert (metadata.width, metadata.height, metadata.orientation) == (1920, 1080, 6)
    assert (metadata.codec, metadata.frame_rate) == ("hevc", 29.97)
    assert (metadata.sample_rate, metadata.channels) == (48_000, 2)
    assert (metadata.duration_ms, metadata.bit_rate) == (12_500, 16_000_000)
    assert (metadata.make, metadata.model, metadata.rating) == ("Apple", "iPhone X", 3)
    assert metadata.taken_utc == 1562170932000
    assert metadata.date_source == "QuickTime:MediaCreateDate"


def test_matroska_codecs_of_both_tracks() -> None:
    metadata = normalize(
        {
            "Matroska:DocType": "webm",
            "Matroska:Duration": "8.2",
            "Track1:CodecID": "A_VORBIS",
            "Track1:TrackType": "2",
            "Track1:AudioChannels": "2",
            "Track2:CodecID": "V_VP9",
            "Track2:TrackType": "1",
            "Track2:ImageWidth": "400",
            "Track2:ImageHeight": "250",
            "Track2:VideoFrameRate": "30.0000003",
        }
    )

    assert (metadata.codec, metadata.width, metadata.frame_rate) == ("vp9", 400, 30.0)
    assert metadata.channels == 2


def test_family_0_stays_as_it_is() -> None:
    tags = {"QuickTime:ImageWidth": 1920, "EXIF:Make": "x", "odd": 1}

    assert merge_groups(tags) == tags


@pytest.mark.parametrize(
    ("matrix", "orientation"),
    [
        ("1 0 0 0 1 0 0 0 1", 1),
        ("-1 0 0 0 1 0 640 0 1", 2),
        ("-1 0 0 0 -1 0 640 480 1", 3),
        ("1 0 0 0 -1 0 0 480 1", 4),
        ("0 1 0 1 0 0 0 0 1", 5),
        ("0 1 0 -1 0 0 480 0 1", 6),
        ("0 -1 0 -1 0 0 480 640 1", 7),
        ("0 -1 0 1 0 0 0 640 1", 8),
        ("0 0 0 0 0 0 0 0 0", None),
        ("0.7 0.7 0 -0.7 0.7 0 0 0 1", None),
        ("1 0 0", None),
        (7, None),
    ],
)
def test_orientation_of_the_matrix(matrix: object, orientation: int | None) -> None:
    assert normalize({"QuickTime:MatrixStructure": matrix}).orientation == orientation


@pytest.mark.parametrize(
    ("tags", "duration_ms"),
    [
        ({"QuickTime:Duration": "5.57814"}, 5578),
        ({"QuickTime:Duration": 0, "QuickTime:TrackDuration": 0, "QuickTime:MediaDuration": 3}, 3000),
        ({"Matroska:Duration": "00:01:13.346000000"}, 73_346),
        ({"ASF:Duration": "31.098", "ASF:Preroll": "3399"}, 27_699),
        ({"RIFF:FrameCount": 30, "RIFF:FrameRate": "29.97"}, 1001),
        (
            {
                "RIFF:FrameCount": 5,
                "RIFF:FrameRate": 25,
                "RIFF:VideoFrameCount": 300,
                "RIFF:VideoFrameRate": 25,
            },
            12_000,
        ),
        ({"Flash:Duration": "1.001"}, 1001),
        ({"QuickTime:Duration": "1e999"}, None),
        ({"QuickTime:Duration": -5}, None),
        ({"QuickTime:Duration": "99999999999"}, None),
        ({"MPEG:VideoBitrate": 18_500_000}, None),
    ],
)
def test_playing_time(tags: dict[str, Any], duration_ms: int | None) -> None:
    assert normalize(tags).duration_ms == duration_ms


def test_playing_time_of_other_kinds() -> None:
    assert normalize({"GIF:Duration": "3.1"}, Kind.IMAGE).duration_ms == 3100
    assert normalize({"QuickTime:Duration": "1"}, Kind.IMAGE).duration_ms is None
    assert normalize({"QuickTime:Duration": "1"}, Kind.RAW).duration_ms is None
    assert (
        normalize({"RIFF:NumberOfSamples": 44_100, "RIFF:SampleRate": 22_050}, Kind.AUDIO).duration_ms == 2000
    )
    assert normalize({"RIFF:AvgBytesPerSec": 100_000}, Kind.AUDIO).duration_ms == 10_000
    assert normalize({"MPEG:AudioBitrate": "128000"}, Kind.AUDIO).duration_ms == 62_500


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("avc1", "h264"),
        ("H264", "h264"),
        ("V_MPEG4/ISO/AVC", "h264"),
        ("hev1", "hevc"),
        ("XVID", "mpeg4"),
        ("ap4h", "prores"),
        ("mp4a", "aac"),
        ("A_PCM/INT/LIT", "pcm"),
        ("Windows Media Video 9", "wmv3"),
        ("Windows Media Audio V2", "wma"),
        ("Microsoft MPEG-4 Video Codec V3", "msmpeg4"),
        ("NewCodec", "newcodec"),
        ("encv", None),
        ("", None),
        (None, None),
    ],
)
def test_one_name_for_each_codec(said: object, name: str | None) -> None:
    assert name_codec(said) == name


@pytest.mark.parametrize(
    ("tags", "kind", "codec"),
    [
        ({"Flash:VideoEncoding": "7", "Flash:ImageWidth": 2, "Flash:ImageHeight": 2}, Kind.VIDEO, "h264"),
        ({"M2TS:VideoStreamType": "27", "H264:ImageWidth": 2, "H264:ImageHeight": 2}, Kind.VIDEO, "h264"),
        ({"MPEG:ImageWidth": 720, "MPEG:ImageHeight": 576, "MPEG:AudioLayer": "2"}, Kind.VIDEO, None),
        ({"QuickTime:AudioFormat": "mp4a"}, Kind.VIDEO, "aac"),
        ({"QuickTime:CompressorID": "encv", "QuickTime:OriginalFormat": "avc1"}, Kind.VIDEO, "h264"),
        ({"QuickTime:AudioFormat": "enca", "QuickTime:OriginalFormat": "mp4a"}, Kind.VIDEO, "aac"),
        ({"MPEG:AudioLayer": "1"}, Kind.AUDIO, "mp3"),
        ({"RIFF:Encoding": "85"}, Kind.AUDIO, "mp3"),
        ({"File:FileType": "FLAC"}, Kind.AUDIO, "flac"),
        ({"File:FileType": "OGG"}, Kind.AUDIO, None),
    ],
)
def test_codec(tags: dict[str, Any], kind: Kind, codec: str | None) -> None:
    assert normalize(tags, kind).codec == codec


def test_sound_of_mpeg_is_in_codes() -> None:
    metadata = normalize(
        {"MPEG:MPEGAudioVersion": "3", "MPEG:SampleRate": "1", "MPEG:ChannelMode": "3"}, Kind.AUDIO
    )

    assert (metadata.sample_rate, metadata.channels) == (48_000, 1)


def test_a_size_that_was_written_without_its_fixed_point() -> None:
    metadata = normalize({"QuickTime:ImageWidth": 41_943_040, "QuickTime:ImageHeight": 23_592_960})

    assert (metadata.width, metadata.height) == (640, 360)


def test_songs_that_only_exiftool_can_read() -> None:
    metadata = normalize(
        {
            "RIFF:Title": "Mission Bass",
            "RIFF:Artist": "B.O.S.E.",
            "RIFF:Product": "808 Bass Express",
            "RIFF:Genre": "Hip-Hop",
            "RIFF:TrackNumber": "7",
            "RIFF:DateCreated": "1996",
            "ID3:Genre": "(8)",
            "ID3:PartOfSet": "2/3",
            "QuickTime:TrackNumber": "3 of 6",
            "ID3:BeatsPerMinute": "128.5",
            "ID3:InitialKey": "8A",
        },
        Kind.AUDIO,
    )

    assert (metadata.title, metadata.artist, metadata.album) == (
        "Mission Bass",
        "B.O.S.E.",
        "808 Bass Express",
    )
    assert (metadata.genre, metadata.year, metadata.track, metadata.disc) == ("Jazz", 1996, 3, 2)
    assert (metadata.bpm, metadata.musical_key) == (128.5, "8A")
