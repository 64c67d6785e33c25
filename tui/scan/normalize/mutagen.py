"""What mutagen says of a song, as a `Metadata` record.

The answer is that of `tui.workers.tag_reader`: the names of tags are those of the format (ID3 frames, Vorbis comments, MP4
atoms, APEv2 keys, ASF attributes, text chunks of WAV and AIFF), each with a list of values. Names mean the same in all of
them and are looked up whatever their case, so that one table serves all formats. Sources: id3.org, "ID3v2.4.0 - Native
Frames"; Xiph.org, "Ogg Vorbis I format specification: comment field"; MusicBrainz Picard documentation, "Appendix B: Tag
Mapping"; and those of `tui.workers.chunks`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tui.records import Metadata
from tui.scan.normalize.codecs import name_codec
from tui.scan.normalize.genres import name_genres
from tui.scan.normalize.streams import name_wave_codec, read_bit_rate
from tui.scan.normalize.values import (
    first_integer,
    first_joined,
    first_positive,
    first_text,
    read_integer,
    read_number,
    read_positive,
    read_text,
    read_texts,
    read_year,
    stars_from_percent,
    stars_from_popularimeter,
    unique,
)
from tui.scan.normalize.words import clean_description

if TYPE_CHECKING:
    from collections.abc import Mapping

_TITLE = ("tit2", "tt2", "title", "©nam", "wm/title", "inam", "titl", "name")
_ARTIST = ("tpe1", "tp1", "artist", "©art", "author", "wm/author", "performer", "iart", "auth")
_ALBUM = ("talb", "tal", "album", "©alb", "wm/albumtitle", "iprd")
_ALBUM_ARTIST = (
    "tpe2",
    "tp2",
    "albumartist",
    "album artist",
    "album_artist",
    "aart",
    "wm/albumartist",
    "ensemble",
)
_TRACK = ("trck", "trk", "tracknumber", "track", "trkn", "wm/tracknumber", "wm/track", "itrk", "iprt")
_DISC = ("tpos", "tpa", "discnumber", "disc", "disk", "wm/partofset")
_GENRE = ("tcon", "tco", "genre", "©gen", "gnre", "wm/genre", "ignr")
_YEAR = (
    "tdrc",
    "tyer",
    "tye",
    "tdrl",
    "date",
    "year",
    "releasedate",
    "©day",
    "wm/year",
    "tdor",
    "tory",
    "originaldate",
    "originalyear",
    "wm/originalreleasetime",
    "wm/originalreleaseyear",
    "icrd",
)
_BPM = ("tbpm", "tbp", "bpm", "tempo", "tmpo", "----:com.apple.itunes:bpm", "wm/beatsperminute")
_KEY = (
    "tkey",
    "tke",
    "txxx:initialkey",
    "txxx:initial key",
    "initialkey",
    "initial key",
    "key",
    "----:com.apple.itunes:initialkey",
    "----:com.apple.itunes:key",
    "wm/initialkey",
)
_DESCRIPTION = (
    "comm",
    "com",
    "comment",
    "comments",
    "description",
    "©cmt",
    "desc",
    "ldes",
    "wm/description",
    "icmt",
    "anno",
)
_PERCENT = ("rate", "wm/shareduserrating")
_SHARE = ("fmps_rating", "txxx:fmps_rating", "----:com.apple.itunes:fmps_rating")
_STARS = ("rating", "txxx:rating", "----:com.apple.itunes:rating")
_LONGEST_NAME = 200
_LONGEST_KEY = 32
_MACHINE_COMMENT = re.compile(r"comm:(?:itun|cddb|songs-db|id3v1)", re.IGNORECASE)
_MP3_IN_MP4 = ("mp4a.69", "mp4a.6b")  # object types of ISO/IEC 14496-1
_CODECS = {
    "aac": "aac",
    "ac3": "ac3",
    "aiff": "pcm",
    "asf": "wma",
    "dsdiff": "dsd",
    "dsf": "dsd",
    "easymp3": "mp3",
    "flac": "flac",
    "monkeysaudio": "ape",
    "mp3": "mp3",
    "musepack": "musepack",
    "oggflac": "flac",
    "oggopus": "opus",
    "oggspeex": "speex",
    "oggtheora": "theora",
    "oggvorbis": "vorbis",
    "optimfrog": "optimfrog",
    "smf": "midi",
    "tak": "tak",
    "trueaudio": "tta",
    "wavpack": "wavpack",
}
"""The codec by the class that mutagen reads a file with, in lower case."""


def metadata_from_mutagen(answer: Mapping[str, object], *, size: int) -> Metadata:
    """Return what is known of a song, in YAPMO's vocabulary. Songs have a year, not a date (docs/dates.md).

    Args:
        answer: `type`, `mime`, `info` and `tags`, as `tui.workers.tag_reader` gives them; anything that JSON can hold.
        size: of the file, bytes.
    """
    tags, info = _lower_names(answer.get("tags")), _lower_names(answer.get("info"))
    duration_ms = _read_duration_ms(info)
    return Metadata(
        mime=_read_mime(answer.get("mime")),
        container=read_text(answer.get("type"), _LONGEST_NAME),
        duration_ms=duration_ms,
        codec=_read_codec(answer.get("type"), info),
        bit_rate=read_integer(info.get("bitrate"), 1, 1_000_000_000) or read_bit_rate(size, duration_ms),
        sample_rate=_read_sample_rate(answer.get("type"), info),
        channels=read_integer(info.get("channels"), 1, 1_000),
        title=first_text(tags, _TITLE),
        artist=first_joined(tags, _ARTIST),
        album=first_text(tags, _ALBUM),
        album_artist=first_joined(tags, _ALBUM_ARTIST),
        track=first_integer(tags, _TRACK, 1, 9_999),
        disc=first_integer(tags, _DISC, 1, 9_999),
        genre=next((names for tag in _GENRE if tag in tags and (names := name_genres(tags[tag]))), None),
        year=next((year for tag in _YEAR if tag in tags and (year := read_year(tags[tag]))), None),
        bpm=first_positive(tags, _BPM, 1_000, digits=2),
        musical_key=first_text(tags, _KEY, _LONGEST_KEY),
        rating=_read_rating(tags),
        description=_read_description(tags),
        keywords=_read_keywords(tags),
    )


def _lower_names(values: object) -> dict[str, object]:
    """Return `values` with their names in lower case; of names that then are one, the first counts."""
    found: dict[str, object] = {}
    if isinstance(values, dict):
        for name, value in values.items():
            found.setdefault(str(name)[:_LONGEST_NAME].lower(), value)
    return found


def _read_duration_ms(info: Mapping[str, object]) -> int | None:
    seconds = read_positive(info.get("length"), 1e9)
    return round(seconds * 1000) or None if seconds else None


def _read_mime(value: object) -> str | None:
    """Return the registered type (RFC 3003) where mutagen has one of its own for MP3."""
    mime = read_text(value, _LONGEST_NAME)
    return "audio/mpeg" if mime in ("audio/mp3", "audio/x-mp3") else mime


def _read_sample_rate(file_class: object, info: Mapping[str, object]) -> int | None:
    """Return Hz; Opus states none, because it always plays at 48 kHz (RFC 7845, section 4)."""
    rate = read_integer(info.get("sample_rate"), 1, 100_000_000)
    return 48_000 if rate is None and file_class == "OggOpus" else rate


def _read_codec(file_class: object, info: Mapping[str, object]) -> str | None:
    """Return the codec: MP4 files name theirs, WAV files number it, MPEG audio has its layer, the others have but one."""
    name = (read_text(file_class, _LONGEST_NAME) or "").lower()
    if name == "mp3" and (layer := read_integer(info.get("layer"), 1, 3)):
        return f"mp{layer}"
    if name == "wave":
        return name_wave_codec(info.get("audio_format"))
    if name == "mp4":
        codec = read_text(info.get("codec"), _LONGEST_NAME)
        if codec and codec.lower() in _MP3_IN_MP4:
            return "mp3"
        return name_codec(codec.partition(".")[0]) if codec else None
    return _CODECS.get(name)


def _read_rating(tags: Mapping[str, object]) -> int | None:
    """Return 0 to 5 stars; of plain ratings those up to 5 are stars, those above percent."""
    if "popm" in tags and (stars := stars_from_popularimeter(tags["popm"])) is not None:
        return stars
    for name in _SHARE:
        share = read_number(tags.get(name))
        if share is not None and 0 <= share <= 1:
            return int(share * 5 + 0.5)
    for name in _STARS:
        rating = read_number(tags.get(name))
        if rating is not None and 0 <= rating <= 5:
            return int(rating + 0.5)
        if rating is not None and (stars := stars_from_percent(rating)) is not None:
            return stars
    return next(
        (stars for name in _PERCENT if (stars := stars_from_percent(tags.get(name))) is not None), None
    )


def _read_keywords(tags: Mapping[str, object]) -> tuple[str, ...]:
    """Return the keywords; those of a WAV file are one line."""
    lines = read_texts(tags["ikey"]) if "ikey" in tags else []
    words = [word.strip() for line in lines for word in re.split("[;,]", line)]
    return unique(word for word in (*read_texts(tags.get("keywords", [])), *words) if word)


def _read_description(tags: Mapping[str, object]) -> str | None:
    """Return the first comment that a person may have written: not those in which programs keep their numbers."""
    for name in _DESCRIPTION:
        if name in tags and (text := clean_description(tags[name])):
            return text
    for name, value in tags.items():
        if (
            name.startswith("comm:")
            and not _MACHINE_COMMENT.match(name)
            and (text := clean_description(value))
        ):
            return text
    return None
