"""What ExifTool says of a file, as a `Metadata` record.

The tags are those of `-json -n -e` with family 0 groups (`EXIF:Make`); for films family 1 as well (`Track1:…`), which
keeps their tracks apart. Composite tags are not asked for, they take a third of ExifTool's time: what matters of them is
computed here. Any value may be hostile, and numbers may be written as text: nothing here raises.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.records import Kind, Metadata
from tui.scan.normalize.dates import DateFinder
from tui.scan.normalize.genres import name_genres
from tui.scan.normalize.groups import merge_groups
from tui.scan.normalize.positions import read_altitude, read_position
from tui.scan.normalize.streams import (
    read_bit_rate,
    read_channels,
    read_codec,
    read_duration_ms,
    read_frame_rate,
    read_orientation,
    read_sample_rate,
    read_size,
)
from tui.scan.normalize.values import (
    first_integer,
    first_joined,
    first_positive,
    first_text,
    read_integer,
    read_number,
    read_text,
    read_year,
)
from tui.scan.normalize.words import (
    DESCRIPTION_TAGS,
    KEYWORD_TAGS,
    PEOPLE_TAGS,
    PLACE_TAGS,
    RATING_TAGS,
    read_description,
    read_keywords,
    read_people,
    read_place,
    read_rating,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, tzinfo

    _ReadField = Callable[[Mapping[str, object], Sequence[str]], Any]

_MAKE_TAGS = (
    "EXIF:Make",
    "QuickTime:Make",
    "QuickTime:AndroidManufacturer",
    "XML:DeviceManufacturer",
    "XMP:Make",
    "H264:Make",
    "RIFF:Make",
    "MIE:Make",
)
_MODEL_TAGS = (
    "EXIF:Model",
    "QuickTime:Model",
    "QuickTime:AndroidModel",
    "XML:DeviceModelName",
    "XMP:Model",
    "H264:Model",
    "RIFF:Model",
    "MIE:Model",
    "EXIF:UniqueCameraModel",
)
_LENS_TAGS = (
    "EXIF:LensModel",
    "XMP:LensModel",
    "XMP:Lens",
    "MakerNotes:LensModel",
    "MakerNotes:LensType",
    "QuickTime:LensModel",
    "XML:LensModelName",
)
_LENS_RANGE_TAGS = ("EXIF:LensInfo", "MakerNotes:Lens", "XMP:LensInfo", "MakerNotes:LensSpec")
"""Tags with the shortest and longest focal length and the widest aperture at either; Sony's between two of features."""
_ISO_TAGS = (
    "EXIF:ISO",
    "EXIF:RecommendedExposureIndex",
    "EXIF:StandardOutputSensitivity",
    "EXIF:ISOSpeed",
    "XMP:ISO",
    "XMP:PhotographicSensitivity",
    "MakerNotes:ISO",
)
_MOST_ISO_OF_16_BITS = 65_535
_F_NUMBER_TAGS = ("EXIF:FNumber", "EXIF:ApertureValue", "XMP:FNumber")
_EXPOSURE_TAGS = ("EXIF:ExposureTime", "EXIF:ShutterSpeedValue", "XMP:ExposureTime")
_FOCAL_LENGTH_TAGS = ("EXIF:FocalLength", "XMP:FocalLength")
_TITLE_TAGS = (
    "XMP:Title",
    "IPTC:ObjectName",
    "EXIF:XPTitle",
    "QuickTime:Title",
    "QuickTime:DisplayName",
    "Matroska:Title",
    "ASF:Title",
    "RIFF:Title",
    "PNG:Title",
    "AIFF:Name",
    "XMP:Headline",
    "IPTC:Headline",
    "EXIF:DocumentName",
)
_ARTIST_TAGS = (
    "XMP:Creator",
    "EXIF:Artist",
    "IPTC:By-line",
    "EXIF:XPAuthor",
    "QuickTime:Artist",
    "QuickTime:Author",
    "QuickTime:Director",
    "Matroska:Artist",
    "ASF:Author",
    "RIFF:Artist",
    "PNG:Author",
    "AIFF:Author",
)
_SONG_TITLE_TAGS = ("ID3:Title", "Vorbis:Title", "APE:Title")
_SONG_ARTIST_TAGS = ("ID3:Artist", "Vorbis:Artist", "APE:Artist")
_ALBUM_TAGS = (
    "ID3:Album",
    "Vorbis:Album",
    "APE:Album",
    "QuickTime:Album",
    "ASF:AlbumTitle",
    "RIFF:Product",
    "Matroska:Album",
)
_ALBUM_ARTIST_TAGS = (
    "ID3:Band",
    "Vorbis:Albumartist",
    "APE:AlbumArtist",
    "QuickTime:AlbumArtist",
    "ASF:AlbumArtist",
    "Vorbis:Band",
)
_TRACK_TAGS = (
    "ID3:Track",
    "Vorbis:TrackNumber",
    "APE:Track",
    "QuickTime:TrackNumber",
    "ASF:TrackNumber",
    "RIFF:TrackNumber",
)
_DISC_TAGS = (
    "ID3:PartOfSet",
    "Vorbis:Discnumber",
    "Vorbis:Disc",
    "APE:Discnumber",
    "APE:Disc",
    "QuickTime:DiskNumber",
    "ASF:PartOfSet",
)
_GENRE_TAGS = (
    "ID3:Genre",
    "Vorbis:Genre",
    "APE:Genre",
    "QuickTime:Genre",
    "ASF:Genre",
    "RIFF:Genre",
    "Matroska:Genre",
)
_YEAR_TAGS = (
    "ID3:RecordingTime",
    "ID3:Year",
    "ID3:ReleaseTime",
    "ID3:OriginalReleaseTime",
    "Vorbis:Date",
    "Vorbis:Year",
    "APE:Year",
    "APE:Date",
    "QuickTime:ContentCreateDate",
    "QuickTime:Year",
    "ASF:Year",
    "RIFF:DateCreated",
    "Matroska:DateReleased",
)
_BPM_TAGS = (
    "ID3:BeatsPerMinute",
    "Vorbis:Bpm",
    "APE:Bpm",
    "QuickTime:BeatsPerMinute",
    "ASF:BeatsPerMinute",
)
_KEY_TAGS = ("ID3:InitialKey", "Vorbis:Initialkey", "QuickTime:Initialkey", "ASF:InitialKey", "Vorbis:Key")
_LONGEST_KEY = 32
_LONGEST_NAME = 200
_MOST_TAGS_OF_LAYOUT = 500
_LENS_NAME = re.compile(r"(?!0(?:\.0)? ?mm)(?=.*[^\W\d_]{2})")
"""Has letters, and is not the lens of 0 mm that adapters have."""


def metadata_from_exiftool(
    tags: Mapping[str, object],
    *,
    path: bytes,
    kind: Kind,
    size: int,
    mtime_ns: int,
    now: datetime | None = None,
    zone: tzinfo | None = None,
) -> Metadata:
    """Return what is known of a file, in YAPMO's vocabulary.

    Args:
        tags: tag with its group to value, as ExifTool printed them; anything that JSON can hold.
        path: of the file; its name may hold a date.
        kind: what the file is.
        size: of the file, bytes.
        mtime_ns: modification time of the file, nanoseconds since 1970.
        now: the present moment, against dates in the future; None asks the clock.
        zone: in which instants without a known zone are shown; None for the zone of this machine.
    """
    if kind is Kind.VIDEO:
        tags = merge_groups(tags)
    playing = kind is not Kind.IMAGE and kind is not Kind.RAW
    fields = {name: read(tags, names) for name, read, names in _find_fields(tags, playing=playing)}
    fields["width"], fields["height"] = read_size(tags, kind)
    fields["orientation"] = read_orientation(tags, kind)
    duration_ms = fields["duration_ms"] = read_duration_ms(tags, kind, size)
    fields["latitude"], fields["longitude"] = read_position(tags)
    if fields["latitude"] is not None:
        fields["altitude"] = read_altitude(tags)
    finder = DateFinder(tags, path=path, mtime_ns=mtime_ns, duration_ms=duration_ms, now=now, zone=zone)
    (
        fields["taken_local"],
        fields["utc_offset"],
        fields["taken_utc"],
        fields["date_source"],
    ) = finder.find(kind)
    if playing:
        fields["codec"] = read_codec(tags, kind, has_picture=fields["width"] is not None)
        fields["bit_rate"] = read_bit_rate(size, duration_ms)
        fields["frame_rate"] = read_frame_rate(tags) if kind is Kind.VIDEO else None
        fields["sample_rate"] = read_sample_rate(tags)
        fields["channels"] = read_channels(tags)
    return Metadata(**fields)


def _find_fields(tags: Mapping[str, object], *, playing: bool) -> tuple[_Field, ...]:
    """Return the fields that a file can have, each with those of its tags that are there.

    A camera writes the same tags into every file: what to look at is found once for all of them. What has so many
    tags that few others can have the same would only fill memory.
    """
    layout = tuple(tags)
    match = _match_fields if len(layout) <= _MOST_TAGS_OF_LAYOUT else _match_fields.__wrapped__
    return match(layout, playing=playing)


@lru_cache(maxsize=128)
def _match_fields(layout: tuple[str, ...], *, playing: bool) -> tuple[_Field, ...]:
    there = frozenset(layout)
    fields = _FIELDS_OF_PLAYING if playing else _FIELDS_OF_PICTURES
    found = (field._replace(tags=tuple(tag for tag in field.tags if tag in there)) for field in fields)
    return tuple(field for field in found if field.tags)


def _read_lens(tags: Mapping[str, object], names: Sequence[str]) -> str | None:
    """Return the lens by name, or by its range (`18-55mm f/3.5-5.6`); numbers of lens types are no names."""
    for tag in names:
        lens = _describe_range(tags[tag]) if tag in _LENS_RANGE_TAGS else read_text(tags[tag], _LONGEST_NAME)
        if lens and _LENS_NAME.match(lens):
            return lens
    return None


def _describe_range(value: object) -> str | None:
    """Return a lens from its shortest and longest focal length and the widest aperture at either."""
    parts = value.split() if isinstance(value, str) and len(value) < _LONGEST_NAME else []
    if len(parts) == 6:
        parts = parts[1:5]
    if len(parts) != 4:
        return None
    short, long, wide, narrow = (read_number(part) or 0 for part in parts)
    if not 1 <= short <= long <= 100_000:
        return None
    focal = f"{short:g}mm" if short == long else f"{short:g}-{long:g}mm"
    if not 0.5 <= wide <= narrow <= 100:
        return focal
    return f"{focal} f/{wide:g}" if wide == narrow else f"{focal} f/{wide:g}-{narrow:g}"


def _read_iso(tags: Mapping[str, object], names: Sequence[str]) -> int | None:
    """Return the ISO speed; 65535 in its tag of 16 bits means that it is more, and told elsewhere."""
    fallback = None
    for tag in names:
        if iso := _first_iso(tags[tag]):
            if iso != _MOST_ISO_OF_16_BITS:
                return iso
            fallback = iso
    return fallback


def _first_iso(value: object) -> int | None:
    """Return the first speed above 0 in a number or in an array such as `0 200`."""
    if isinstance(value, str) and " " in value:
        speeds = (read_integer(part, 1, 100_000_000) for part in value[:_LONGEST_NAME].split())
        return next((speed for speed in speeds if speed), None)
    return read_integer(value, 1, 100_000_000)


def _read_genre(tags: Mapping[str, object], names: Sequence[str]) -> str | None:
    """Return the genres of the first tag that names any."""
    return next((genre for tag in names if (genre := name_genres(tags[tag]))), None)


def _read_year(tags: Mapping[str, object], names: Sequence[str]) -> int | None:
    """Return the first year."""
    return next((year for tag in names if (year := read_year(tags[tag]))), None)


def _by_itself(read: Callable[[Mapping[str, object]], Any]) -> _ReadField:
    """Return how to read a field whose tags are not alternatives: `read` knows what each of them means."""
    return lambda tags, _names: read(tags)


class _Field(NamedTuple):
    """A field of the record.

    Attributes:
        name: as the record calls it.
        read: reads it from those of its tags that are there.
        tags: the best first.
    """

    name: str
    read: _ReadField
    tags: tuple[str, ...]


_FIELDS = (
    _Field("mime", partial(first_text, limit=_LONGEST_NAME), ("File:MIMEType",)),
    _Field("container", partial(first_text, limit=_LONGEST_NAME), ("File:FileType",)),
    _Field("make", partial(first_text, limit=_LONGEST_NAME), _MAKE_TAGS),
    _Field("model", partial(first_text, limit=_LONGEST_NAME), _MODEL_TAGS),
    _Field("lens", _read_lens, (*_LENS_TAGS, *_LENS_RANGE_TAGS)),
    _Field("iso", _read_iso, _ISO_TAGS),
    _Field("f_number", partial(first_positive, highest=1_000, digits=2), _F_NUMBER_TAGS),
    _Field("exposure", partial(first_positive, highest=1e7), _EXPOSURE_TAGS),
    _Field("focal_length", partial(first_positive, highest=100_000, digits=2), _FOCAL_LENGTH_TAGS),
    _Field("rating", _by_itself(read_rating), RATING_TAGS),
    _Field("description", read_description, DESCRIPTION_TAGS),
    _Field("keywords", read_keywords, KEYWORD_TAGS),
    _Field("people", _by_itself(read_people), PEOPLE_TAGS),
    _Field("place", _by_itself(read_place), PLACE_TAGS),
)
_FIELDS_OF_PICTURES = (
    *_FIELDS,
    _Field("title", first_text, _TITLE_TAGS),
    _Field("artist", first_joined, _ARTIST_TAGS),
)
_FIELDS_OF_PLAYING = (
    *_FIELDS,
    _Field("title", first_text, (*_SONG_TITLE_TAGS, *_TITLE_TAGS)),
    _Field("artist", first_joined, (*_SONG_ARTIST_TAGS, *_ARTIST_TAGS)),
    _Field("album", first_text, _ALBUM_TAGS),
    _Field("album_artist", first_joined, _ALBUM_ARTIST_TAGS),
    _Field("track", partial(first_integer, lowest=1, highest=9_999), _TRACK_TAGS),
    _Field("disc", partial(first_integer, lowest=1, highest=9_999), _DISC_TAGS),
    _Field("genre", _read_genre, _GENRE_TAGS),
    _Field("year", _read_year, _YEAR_TAGS),
    _Field("bpm", partial(first_positive, highest=1_000, digits=2), _BPM_TAGS),
    _Field("musical_key", partial(first_text, limit=_LONGEST_KEY), _KEY_TAGS),
)
