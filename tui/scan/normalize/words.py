"""Titles, descriptions, names, keywords, places and ratings, out of what ExifTool says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tui.scan.normalize.values import (
    LONG_TEXT,
    SHORT_TEXT,
    first_text,
    read_number,
    read_text,
    read_texts,
    stars_from_percent,
    stars_from_popularimeter,
    unique,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DESCRIPTION_TAGS = (
    "XMP:Description",
    "IPTC:Caption-Abstract",
    "EXIF:ImageDescription",
    "EXIF:XPComment",
    "EXIF:UserComment",
    "XMP:UserComment",
    "QuickTime:Description",
    "QuickTime:LongDescription",
    "QuickTime:Comment",
    "QuickTime:Information",
    "PNG:Description",
    "PNG:Comment",
    "File:Comment",
    "GIF:Comment",
    "ASF:Description",
    "RIFF:Comment",
    "Matroska:Description",
    "Matroska:Comment",
    "ID3:Comment",
    "Vorbis:Description",
    "Vorbis:Comment",
    "APE:Comment",
    "AIFF:Comment",
)
_JUNK = frozenset(
    (
        "olympus digital camera",
        "konica minolta digital camera",
        "minolta digital camera",
        "kodak digital still camera",
        "digital camera",
        "digital still camera",
        "sony dsc",
        "samsung",
        "samsung digital camera",
        "samsung techwin",
        "exif_jpeg_picture",
        "exif jpeg picture",
        "jpeg",
        "dcim",
        "dcf",
        "default",
        "untitled",
        "applemark",
        "created with gimp",
        "created with the gimp",
        "file written by adobe photoshop",
        "lead technologies inc. v1.01",
        "intel(r) jpeg library, version 1,5,4,36",
        "optimized by jpegmini",
        "processed by sox",
    )
)
"""Descriptions that cameras and programs write into every file, in lower case."""

_JUNK_PATTERN = re.compile(
    r"""creator:\ gd-jpeg\ v|file\ written\ by\ adobe\ photoshop|oplus_[0-9]+$|filter:\ ?[0-9]+;|\{\s*"|<\?xml
    |\(iTun|[\s!-/:-@\[-`{-~]*$""",
    re.VERBOSE | re.IGNORECASE,
)
_CHARSET = re.compile(r"charset=\"?\w+\"?\s*", re.IGNORECASE)
_LONGEST_JUNK = 60

_WORD_LISTS = ("XMP:Subject", "IPTC:Keywords")
_WORD_LINES = ("EXIF:XPKeywords", "XMP:Keywords", "QuickTime:Keywords", "PNG:Keywords", "RIFF:Keywords")
_WORD_PATHS = ("XMP:TagsList", "XMP:HierarchicalSubject")
KEYWORD_TAGS = (*_WORD_LISTS, *_WORD_LINES, *_WORD_PATHS)
PEOPLE_TAGS = ("XMP:PersonInImage", "XMP:RegionPersonDisplayName", "XMP:RegionName")
_LONGEST_WORD = 250
_LONGEST_LINE = 20_000

_PLACE_LEVELS = (
    ("XMP:Location", "IPTC:Sub-location", "XMP:LocationCreatedSublocation", "XMP:LocationShownSublocation"),
    ("XMP:City", "IPTC:City", "XMP:LocationCreatedCity", "XMP:LocationShownCity"),
    (
        "XMP:State",
        "IPTC:Province-State",
        "XMP:LocationCreatedProvinceState",
        "XMP:LocationShownProvinceState",
    ),
    (
        "XMP:Country",
        "IPTC:Country-PrimaryLocationName",
        "XMP:LocationCreatedCountryName",
        "XMP:LocationShownCountryName",
    ),
)
PLACE_TAGS = tuple(tag for level in _PLACE_LEVELS for tag in level)

_STARS_TAGS = ("XMP:Rating", "EXIF:Rating", "QuickTime:UserRating", "MakerNotes:Rating", "MIE:Rating")
_PERCENT_TAGS = ("XMP:RatingPercent", "EXIF:RatingPercent", "ASF:SharedUserRating", "QuickTime:RatingPercent")
_POINTS_TAG = "ID3:Popularimeter"
RATING_TAGS = (*_STARS_TAGS, *_PERCENT_TAGS, _POINTS_TAG)
_MOST_STARS = 5


def read_description(tags: Mapping[str, object], names: Sequence[str]) -> str | None:
    """Return the first description or comment that a person may have written."""
    for tag in names:
        if (text := clean_description(tags[tag])) is not None:
            return text
    return None


def clean_description(value: object) -> str | None:
    """Return `value` as a description, None for what cameras and programs write into every file."""
    text = read_text(value, LONG_TEXT)
    if text is None:
        return None
    if text[:8].lower() == "charset=":
        text = _CHARSET.sub("", text, count=1)
    if text[:_LONGEST_JUNK].lower() in _JUNK or _JUNK_PATTERN.match(text):
        return None
    return text


def read_keywords(tags: Mapping[str, object], names: Sequence[str]) -> tuple[str, ...]:
    """Return keywords and subjects, each once; of hierarchies (`Places|Lisbon`) the last part."""
    return unique(word for tag in names for word in _find_words(tag, tags[tag]))


def _find_words(tag: str, value: object) -> Iterator[str]:
    if tag in _WORD_LISTS:
        yield from (text[:_LONGEST_WORD] for text in read_texts(value))
    elif tag in _WORD_LINES:
        for line in read_texts(value, _LONGEST_LINE):
            yield from (word for part in re.split("[;,]", line) if (word := part.strip()[:_LONGEST_WORD]))
    else:
        for path in read_texts(value):
            if word := re.split("[|/]", path.rstrip("|/"))[-1].strip()[:_LONGEST_WORD]:
                yield word


def read_people(tags: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the people shown; regions count when they are faces, or nothing says what they are."""
    names = read_texts(tags["XMP:PersonInImage"]) if "XMP:PersonInImage" in tags else []
    if "XMP:RegionPersonDisplayName" in tags:
        names += read_texts(tags["XMP:RegionPersonDisplayName"])
    if "XMP:RegionName" in tags:
        regions = read_texts(tags["XMP:RegionName"])
        types = read_texts(tags.get("XMP:RegionType", []))
        if len(types) != len(regions):
            types = ["Face"] * len(regions)
        names += [name for name, kind in zip(regions, types, strict=True) if kind.casefold() == "face"]
    return unique(names) if names else ()


def read_place(tags: Mapping[str, object]) -> str | None:
    """Return the names of the place from small to large, joined with `, `."""
    names = (first_text(tags, level, _LONGEST_WORD) for level in _PLACE_LEVELS)
    return ", ".join(unique(name for name in names if name))[:SHORT_TEXT] or None


def read_rating(tags: Mapping[str, object]) -> int | None:
    """Return 0 to 5 stars. A rejected picture (-1) has none. Source: XMP Specification part 1, "xmp:Rating"."""
    for tag in _STARS_TAGS:
        if tag in tags:
            number = read_number(tags[tag])
            if number is not None and 0 <= number <= _MOST_STARS:
                return int(number + 0.5)
            if number is not None and number > _MOST_STARS:
                return stars_from_percent(number)
            if number is not None:
                return None
    for tag in _PERCENT_TAGS:
        if tag in tags and (stars := stars_from_percent(tags[tag])) is not None:
            return stars
    return stars_from_popularimeter(_points(tags.get(_POINTS_TAG)))


def _points(value: object) -> object:
    """Return the rating in a popularimeter frame, which ExifTool writes as `email rating count`."""
    words = value.split()[-2:] if isinstance(value, str) and len(value) < SHORT_TEXT else []
    return words[0] if words else value
