"""What is known of a media file by its content: the one record that all extractors are normalised into.

The configuration needs it at every start, and nothing else of `records`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a media file is, decided by its extension."""

    IMAGE = "image"
    RAW = "raw"
    VIDEO = "video"
    AUDIO = "audio"


class Metadata(NamedTuple):
    """What is known of a media file's content, in one vocabulary for all formats.

    A value that a file does not state is None. Each field is a column of the library by the same name. A tuple,
    because a frozen dataclass of forty fields takes five times as long to make.

    Attributes:
        mime: MIME type as the extractor determined it from the content.
        width: pixels, as stored (before orientation).
        height: pixels, as stored (before orientation).
        orientation: EXIF orientation, 1 to 8.
        duration_ms: playing time in milliseconds.
        taken_local: wall-clock time of the recording, `YYYY-MM-DDTHH:MM:SS[.fff]`.
        utc_offset: minutes east of UTC, where the file states or proves it.
        taken_utc: milliseconds since 1970-01-01T00:00:00Z, where the instant is known (docs/dates.md).
        date_source: the tag that `taken_local` came from, such as `EXIF:DateTimeOriginal`; `, day only`, `, month only`
            or `, year only` behind it when the date says no more.
        make: camera maker.
        model: camera model.
        lens: lens model.
        iso: ISO speed.
        f_number: aperture as the f-number.
        exposure: exposure time in seconds.
        focal_length: millimetres, as built (not the 35 mm equivalent).
        latitude: degrees, north positive, -90 to 90.
        longitude: degrees, east positive, -180 to 180.
        altitude: metres above sea level, negative below.
        rating: 0 to 5.
        title: title of the picture, film or song.
        artist: photographer, director or performer.
        album: album of a song.
        album_artist: artist of the whole album.
        track: track number.
        disc: disc number.
        genre: genre.
        year: year of release of music or film, 1 to 9999.
        codec: codec of the first video stream, or of the audio.
        container: file format as the extractor names it.
        bit_rate: bits per second.
        frame_rate: frames per second.
        sample_rate: Hz.
        channels: number of audio channels.
        bpm: tempo in beats per minute.
        musical_key: key as the file states it (`8A`, `Am` …).
        description: caption or comment.
        keywords: keywords and subjects, in the file's order.
        people: names of the people shown.
        place: location names from small to large, joined with `, `.
    """

    mime: str | None = None
    width: int | None = None
    height: int | None = None
    orientation: int | None = None
    duration_ms: int | None = None
    taken_local: str | None = None
    utc_offset: int | None = None
    taken_utc: int | None = None
    date_source: str | None = None
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    iso: int | None = None
    f_number: float | None = None
    exposure: float | None = None
    focal_length: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    rating: int | None = None
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    track: int | None = None
    disc: int | None = None
    genre: str | None = None
    year: int | None = None
    codec: str | None = None
    container: str | None = None
    bit_rate: int | None = None
    frame_rate: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    bpm: float | None = None
    musical_key: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    place: str | None = None


LONG_FIELDS = ("description", "keywords", "people", "place")
"""Fields of `Metadata` that the library keeps in table `extracted`, away from the hot table."""

HOT_FIELDS = tuple(name for name in Metadata._fields if name not in LONG_FIELDS)
"""Fields of `Metadata` that are columns of table `file`, in the order of the record."""
