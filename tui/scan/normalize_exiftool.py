"""What ExifTool says of a file, as a `Metadata` record.

The tags are those of `-json -n -e` with family 0 groups (`EXIF:Make`); for films family 1 as well (`Track1:…`), which
keeps their tracks apart. Composite tags are not asked for, they take a third of ExifTool's time: what matters of them is
computed here. Any value may be hostile, and numbers may be written as text: nothing here raises.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui.records import Kind, Metadata
from tui.scan.normalize_dates import DateFinder
from tui.scan.normalize_genres import name_genres
from tui.scan.normalize_groups import merge_groups
from tui.scan.normalize_positions import read_altitude, read_position
from tui.scan.normalize_streams import (
    read_bit_rate,
    read_channels,
    read_codec,
    read_duration_ms,
    read_frame_rate,
    read_orientation,
    read_sample_rate,
    read_size,
)
from tui.scan.normalize_values import (
    first_integer,
    first_joined,
    first_positive,
    first_text,
    read_integer,
    read_number,
    read_text,
    read_year,
)
from tui.scan.normalize_words import read_description, read_keywords, read_people, read_place, read_rating

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

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
_LENS_RANGE_TAGS = ("EXIF:LensInfo", "MakerNotes:Lens", "XMP:LensInfo")
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
_LENS_NAME = re.compile(
    r"(?!0(?:\.0)? ?mm)(?=.*[^\W\d_]{2})"
)  # has letters, and is not the lens of 0 mm that adapters have


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
    width, height = read_size(tags, kind)
    duration_ms = read_duration_ms(tags, kind, size)
    latitude, longitude = read_position(tags)
    taken = DateFinder(tags, path=path, mtime_ns=mtime_ns, duration_ms=duration_ms, now=now, zone=zone).find(
        kind
    )
    metadata = Metadata(
        mime=read_text(tags.get("File:MIMEType"), _LONGEST_NAME),
        container=read_text(tags.get("File:FileType"), _LONGEST_NAME),
        width=width,
        height=height,
        orientation=read_orientation(tags, kind),
        duration_ms=duration_ms,
        taken_local=taken.taken_local,
        utc_offset=taken.utc_offset,
        taken_utc=taken.taken_utc,
        date_source=taken.date_source,
        make=first_text(tags, _MAKE_TAGS, _LONGEST_NAME),
        model=first_text(tags, _MODEL_TAGS, _LONGEST_NAME),
        lens=_read_lens(tags),
        iso=_read_iso(tags),
        f_number=first_positive(tags, ("EXIF:FNumber", "EXIF:ApertureValue", "XMP:FNumber"), 1_000, digits=2),
        exposure=first_positive(
            tags, ("EXIF:ExposureTime", "EXIF:ShutterSpeedValue", "XMP:ExposureTime"), 1e7
        ),
        focal_length=first_positive(tags, ("EXIF:FocalLength", "XMP:FocalLength"), 100_000, digits=2),
        latitude=latitude,
        longitude=longitude,
        altitude=read_altitude(tags) if latitude is not None else None,
        rating=read_rating(tags),
        title=first_text(tags, (*_SONG_TITLE_TAGS, *_TITLE_TAGS) if playing else _TITLE_TAGS),
        artist=first_joined(tags, (*_SONG_ARTIST_TAGS, *_ARTIST_TAGS) if playing else _ARTIST_TAGS),
        description=read_description(tags),
        keywords=read_keywords(tags),
        people=read_people(tags),
        place=read_place(tags),
    )
    if not playing:
        return metadata
    return replace(metadata, **_read_playing(tags, kind, size, duration_ms, has_picture=width is not None))


def _read_playing(
    tags: Mapping[str, object], kind: Kind, size: int, duration_ms: int | None, *, has_picture: bool
) -> dict[str, Any]:
    """Return the fields that only music and films have."""
    return {
        "codec": read_codec(tags, kind, has_picture=has_picture),
        "bit_rate": read_bit_rate(size, duration_ms),
        "frame_rate": read_frame_rate(tags) if kind is Kind.VIDEO else None,
        "sample_rate": read_sample_rate(tags),
        "channels": read_channels(tags),
        "album": first_text(tags, _ALBUM_TAGS),
        "album_artist": first_joined(tags, _ALBUM_ARTIST_TAGS),
        "track": first_integer(tags, _TRACK_TAGS, 1, 9_999),
        "disc": first_integer(tags, _DISC_TAGS, 1, 9_999),
        "genre": next(
            (name for tag in _GENRE_TAGS if tag in tags and (name := name_genres(tags[tag]))), None
        ),
        "year": next((year for tag in _YEAR_TAGS if tag in tags and (year := read_year(tags[tag]))), None),
        "bpm": first_positive(tags, _BPM_TAGS, 1_000, digits=2),
        "musical_key": first_text(tags, _KEY_TAGS, _LONGEST_KEY),
    }


def _read_lens(tags: Mapping[str, object]) -> str | None:
    """Return the lens by name, or by its range (`18-55mm f/3.5-5.6`); numbers of lens types are no names."""
    for tag in _LENS_TAGS:
        if tag in tags and (text := read_text(tags[tag], _LONGEST_NAME)) and _LENS_NAME.match(text):
            return text
    return next(
        (lens for tag in _LENS_RANGE_TAGS if tag in tags and (lens := _describe_range(tags[tag]))), None
    )


def _describe_range(value: object) -> str | None:
    """Return a lens from its shortest and longest focal length and the widest aperture at either."""
    parts = value.split() if isinstance(value, str) and len(value) < _LONGEST_NAME else []
    if len(parts) != 4:
        return None
    short, long, wide, narrow = (read_number(part) or 0 for part in parts)
    if not 1 <= short <= long <= 100_000:
        return None
    focal = f"{short:g}mm" if short == long else f"{short:g}-{long:g}mm"
    if not 0.5 <= wide <= narrow <= 100:
        return focal
    return f"{focal} f/{wide:g}" if wide == narrow else f"{focal} f/{wide:g}-{narrow:g}"


def _read_iso(tags: Mapping[str, object]) -> int | None:
    """Return the ISO speed; 65535 in its tag of 16 bits means that it is more, and told elsewhere."""
    fallback = None
    for tag in _ISO_TAGS:
        if tag in tags and (iso := _first_iso(tags[tag])):
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
