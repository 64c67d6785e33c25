"""Size, orientation, playing time, codec and rates, out of what ExifTool says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tui.records import Kind
from tui.scan.normalize.codecs import name_codec
from tui.scan.normalize.values import (
    first_integer,
    first_positive,
    read_integer,
    read_number,
    read_positive,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_PIXELS = 2_147_483_647
_MOST_FIXED_POINT = 65_535
_LONGEST_S = 1_000_000_000
_LOWEST_SAMPLE_RATE = 1_000
_STILL_GROUPS = (
    "File",
    "PNG",
    "GIF",
    "RIFF",
    "Jpeg2000",
    "Photoshop",
    "QuickTime",
    "EXIF",
    "MIE",
    "GIMP",
    "XMP",
)
_RAW_GROUPS = ("EXIF", "QuickTime", "MakerNotes", "File", "XMP")
_FILM_GROUPS = (
    "QuickTime",
    "Matroska",
    "RIFF",
    "Flash",
    "ASF",
    "H264",
    "MPEG",
    "Real",
    "Theora",
    "File",
    "XMP",
)
_GROUPS = {Kind.IMAGE: _STILL_GROUPS, Kind.RAW: _RAW_GROUPS, Kind.VIDEO: _FILM_GROUPS, Kind.AUDIO: ()}
_SIZE_TAGS = {
    kind: tuple((f"{group}:ImageWidth", f"{group}:ImageHeight") for group in groups)
    for kind, groups in _GROUPS.items()
}
_EXIF_SIZE = ("EXIF:ExifImageWidth", "EXIF:ExifImageHeight")
_SIZE_IN_EXIF = ("CR2", "IIQ", "EIP")
"""Files whose ImageWidth is that of a preview. Source: ExifTool, Composite:ImageSize."""

_TWO_NUMBERS = re.compile(r"\s*([0-9]{1,10})[ x]([0-9]{1,10})\s*")

_SECONDS_TAGS = (
    "QuickTime:Duration",
    "Matroska:Duration",
    "Flash:Duration",
    "M2TS:Duration",
    "Real:Duration",
    "QuickTime:TrackDuration",
    "QuickTime:MediaDuration",
)
_CLOCK = re.compile(r"\s*([0-9]{1,5}):([0-9]{2}):([0-9]{2}(?:\.[0-9]+)?)\s*")
_FRAME_RATE_TAGS = (
    "QuickTime:VideoFrameRate",
    "Matroska:VideoFrameRate",
    "RIFF:VideoFrameRate",
    "RIFF:FrameRate",
    "Flash:FrameRate",
    "MPEG:FrameRate",
    "Theora:FrameRate",
    "H264:FrameRate",
    "XMP:VideoFrameRate",
)
_SOUND_GROUPS = (
    "QuickTime",
    "Matroska",
    "ASF",
    "Flash",
    "M2TS",
    "Vorbis",
    "Opus",
    "RIFF",
    "AIFF",
    "FLAC",
    "APE",
)
_SAMPLE_RATE_TAGS = tuple(
    f"{group}:{tag}" for group in _SOUND_GROUPS for tag in ("SampleRate", "AudioSampleRate")
)
_CHANNEL_TAGS = tuple(
    f"{group}:{tag}" for group in _SOUND_GROUPS for tag in ("AudioChannels", "NumChannels", "Channels")
)
_CODEC_FILE_TYPES = ("AAC", "AC3", "AMR", "DTS", "FLAC")
_MPEG_CHANNELS = {0: 2, 1: 2, 2: 2, 3: 1}
_MPEG_SAMPLE_RATES = {
    3: (44_100, 48_000, 32_000),  # MPEG version 1
    2: (22_050, 24_000, 16_000),  # version 2
    0: (11_025, 12_000, 8_000),  # version 2.5
}
_PICTURE_CODEC_TAGS = (
    "QuickTime:CompressorID",
    "Matroska:VideoCodecID",
    "RIFF:VideoCodec",
    "ASF:VideoCodecName",
    "QuickTime:OtherFormat",
    "QuickTime:OriginalFormat",  # of an encrypted track
)
_SOUND_CODEC_TAGS = (
    "QuickTime:AudioFormat",
    "QuickTime:OriginalFormat",
    "Matroska:AudioCodecID",
    "Matroska:CodecID",
    "ASF:AudioCodecName",
)
_PICTURE_CODEC_NUMBERS: dict[str, dict[int, str]] = {
    "Flash:VideoEncoding": {2: "flv1", 3: "flashsv", 4: "vp6", 5: "vp6", 6: "flashsv2", 7: "h264"},
    "M2TS:VideoStreamType": {1: "mpeg1", 2: "mpeg2", 16: "mpeg4", 27: "h264", 36: "hevc", 234: "vc1"},
}
_WAVE_CODECS = {
    1: "pcm",
    2: "adpcm",
    3: "pcm",
    6: "alaw",
    7: "ulaw",
    17: "adpcm",
    49: "gsm",
    80: "mp2",
    85: "mp3",
    0xFFFE: "pcm",
}
"""Codecs by wFormatTag; the extensible format is used for PCM of many channels or bits. Source: Microsoft, mmreg.h."""

_SOUND_CODEC_NUMBERS: dict[str, dict[int, str]] = {
    "RIFF:Encoding": _WAVE_CODECS,
    "Flash:AudioEncoding": {
        0: "pcm",
        1: "adpcm",
        2: "mp3",
        3: "pcm",
        7: "alaw",
        8: "ulaw",
        10: "aac",
        11: "speex",
    },
    "MPEG:AudioLayer": {3: "mp1", 2: "mp2", 1: "mp3"},
}
_MATRIX_ORIENTATIONS = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}


def read_size(tags: Mapping[str, object], kind: Kind) -> tuple[int | None, int | None]:
    """Return width and height in pixels as stored, of the picture itself: not of a preview, not what EXIF believes.

    The choice is that of ExifTool's Composite:ImageSize.
    """
    if kind is Kind.RAW:
        cropped = tags.get("RAF:RawImageCroppedSize", tags.get("MakerNotes:RawImageCroppedSize"))
        if isinstance(cropped, str) and len(cropped) < 40 and (match := _TWO_NUMBERS.fullmatch(cropped)):
            return int(match[1]) or None, int(match[2]) or None
        if tags.get("File:FileType") in _SIZE_IN_EXIF and (size := _read_pair(tags, *_EXIF_SIZE)):
            return size
    for width_tag, height_tag in _SIZE_TAGS[kind]:
        if width_tag in tags and (size := _read_pair(tags, width_tag, height_tag)):
            return _unshift(size) if kind is Kind.VIDEO else size
    return _read_pair(tags, *_EXIF_SIZE) or (None, None)


def _read_pair(tags: Mapping[str, object], width_tag: str, height_tag: str) -> tuple[int, int] | None:
    width = read_integer(tags.get(width_tag), 1, _MOST_PIXELS)
    height = read_integer(tags.get(height_tag), 1, _MOST_PIXELS)
    return (width, height) if width is not None and height is not None else None


def _unshift(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size of a film whose writer put whole pixels where 16.16 fixed point belongs, as it was meant."""
    return size if max(size) <= _MOST_FIXED_POINT else (max(1, size[0] >> 16), max(1, size[1] >> 16))


def read_orientation(tags: Mapping[str, object], kind: Kind) -> int | None:
    """Return the EXIF orientation, 1 to 8; of films from the matrix of their picture track, of HEIF from its rotation."""
    found = first_integer(tags, ("EXIF:Orientation", "XMP:Orientation"), 1, 8)
    if found is not None:
        return found
    if kind is Kind.VIDEO:
        return _orientation_of_matrix(tags.get("QuickTime:MatrixStructure"))
    turned = read_integer(tags.get("QuickTime:Rotation"), 0, 270)  # anticlockwise (ISO/IEC 23008-12, "irot")
    return {0: 1, 90: 8, 180: 3, 270: 6}.get(turned) if turned is not None else None


def _orientation_of_matrix(matrix: object) -> int | None:
    """Return the orientation for a QuickTime matrix `a b u c d v x y w` (QuickTime File Format, "Matrices")."""
    parts = matrix.split() if isinstance(matrix, str) and len(matrix) < 200 else []
    if len(parts) != 9:
        return None
    a, b, _, c, d, *_ = (_sign(part) for part in parts)
    return _MATRIX_ORIENTATIONS.get((a, b, c, d))


def _sign(part: str) -> int:
    number = read_number(part) or 0
    return (number > 0.5) - (number < -0.5)


def read_duration_ms(tags: Mapping[str, object], kind: Kind, size: int) -> int | None:
    """Return the playing time in milliseconds; of still pictures only that of an animation. `size` is the file's."""
    if kind is Kind.RAW:
        return None
    if kind is Kind.IMAGE:
        return _to_ms(first_positive(tags, ("GIF:Duration", "RIFF:Duration"), _LONGEST_S))
    for tag in _SECONDS_TAGS:
        if tag in tags and (seconds := _read_seconds(tags[tag])):
            return _to_ms(seconds)
    return _to_ms(_count_seconds(tags, kind, size))


def _read_seconds(value: object) -> float | None:
    """Return seconds, written as a number or as a clock (`00:00:13.346000000`)."""
    if isinstance(value, str) and len(value) < 40 and (match := _CLOCK.fullmatch(value)):
        return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
    return read_positive(value, _LONGEST_S)


def _to_ms(seconds: float | None) -> int | None:
    return round(seconds * 1000) or None if seconds and seconds <= _LONGEST_S else None


def _count_seconds(tags: Mapping[str, object], kind: Kind, size: int) -> float | None:
    """Return the playing time of formats that state a count and a rate instead."""
    play = read_positive(tags.get("ASF:Duration"), _LONGEST_S)
    if play is not None:  # counts the preroll as well (ASF Specification, "Play Duration")
        return play - (read_positive(tags.get("ASF:Preroll"), play * 1000) or 0) / 1000
    for count_tag, rate_tag in (
        ("RIFF:VideoFrameCount", "RIFF:VideoFrameRate"),
        ("RIFF:FrameCount", "RIFF:FrameRate"),
        ("RIFF:NumberOfSamples", "RIFF:SampleRate"),
        ("AIFF:NumSampleFrames", "AIFF:SampleRate"),
        ("FLAC:TotalSamples", "FLAC:SampleRate"),
    ):
        count, rate = read_positive(tags.get(count_tag), 1e15), read_positive(tags.get(rate_tag), 1e9)
        if count and rate:
            return count / rate
    bytes_per_s = read_positive(tags.get("RIFF:AvgBytesPerSec"), 1e9)
    if bytes_per_s and kind is Kind.AUDIO:
        return size / bytes_per_s
    bits_per_s = read_positive(tags.get("MPEG:AudioBitrate"), 1e9)
    return size * 8 / bits_per_s if bits_per_s and kind is Kind.AUDIO else None


def read_frame_rate(tags: Mapping[str, object]) -> float | None:
    """Return frames per second."""
    return first_positive(tags, _FRAME_RATE_TAGS, 1_000, digits=3)


def read_bit_rate(size: int, duration_ms: int | None) -> int | None:
    """Return the bits per second of a whole file of `size` bytes."""
    return round(size * 8000 / duration_ms) or None if duration_ms and size > 0 else None


def read_sample_rate(tags: Mapping[str, object]) -> int | None:
    """Return the samples per second of the sound."""
    rate = first_integer(tags, _SAMPLE_RATE_TAGS, _LOWEST_SAMPLE_RATE, 100_000_000)
    if rate is not None or "MPEG:SampleRate" not in tags:
        return rate
    version = read_integer(tags.get("MPEG:MPEGAudioVersion"), 0, 3)
    index = read_integer(tags["MPEG:SampleRate"], 0, 2)
    rates = _MPEG_SAMPLE_RATES.get(version) if version is not None else None
    return rates[index] if rates and index is not None else None


def read_channels(tags: Mapping[str, object]) -> int | None:
    """Return the number of channels of the sound."""
    channels = first_integer(tags, _CHANNEL_TAGS, 1, 1_000)
    if channels is not None or "MPEG:ChannelMode" not in tags:
        return channels
    mode = read_integer(tags["MPEG:ChannelMode"], 0, 3)
    return _MPEG_CHANNELS[mode] if mode is not None else None


def read_codec(tags: Mapping[str, object], kind: Kind, *, has_picture: bool) -> str | None:
    """Return the codec of a film's picture; that of the sound where `has_picture` says that there is none."""
    if kind is Kind.VIDEO:
        for tag in _PICTURE_CODEC_TAGS:
            if tag in tags and (codec := name_codec(tags[tag])):
                return codec
        if has_picture:
            return _codec_of_number(tags, _PICTURE_CODEC_NUMBERS)
    for tag in _SOUND_CODEC_TAGS:
        if tag in tags and (codec := name_codec(tags[tag])):
            return codec
    file_type = tags.get("File:FileType")
    return _codec_of_number(tags, _SOUND_CODEC_NUMBERS) or (
        name_codec(file_type) if file_type in _CODEC_FILE_TYPES else None
    )


def name_wave_codec(number: object) -> str | None:
    """Return the codec that the format number of a WAV file means, None if it is unknown."""
    known = read_integer(number, 0, 65_535)
    return _WAVE_CODECS.get(known) if known is not None else None


def _codec_of_number(tags: Mapping[str, object], numbers: Mapping[str, Mapping[int, str]]) -> str | None:
    for tag, names in numbers.items():
        number = read_integer(tags.get(tag), 0, 1_000_000)
        if number is not None and number in names:
            return names[number]
    return None
