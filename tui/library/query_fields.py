"""The fields of the query language, as data: completion, help and documentation are made from this table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tui.library.indexes import INDEXED_TEXTS, INDEXES_BY_COLUMN


class FieldType(StrEnum):
    """What a field compares, and how its value is written."""

    WORDS = "words"
    """Words of one column of the full-text index, the last one by its beginning."""
    TEXT = "text"
    """A part of a text column; `*` and `?` make it a pattern for the whole."""
    CHOICE = "choice"
    """One of a few words."""
    FLAG = "yes or no"
    NUMBER = "number"
    SIZE = "size"
    DURATION = "duration"
    DATE = "date"
    """Local time as text, `YYYY-MM-DDTHH:MM:SS`."""
    TIME = "time"
    """Nanoseconds since the epoch, asked for as a local date."""
    INSTANT = "time in UTC"
    """Milliseconds since the epoch, asked for as a date in UTC."""
    OFFSET = "UTC offset"
    """Minutes east of UTC, written in hours."""
    INODE = "inode"
    PATH = "path"
    ROOT = "root"
    TAG = "tag"
    COLLECTION = "collection"
    PRESENCE = "what a file has"
    SORT = "field to sort by"


def known_values(column: str, collation: str = "NOCASE") -> str:
    """Return SQL for the values (`value`) of a column among present files, up to a condition that may follow WHERE.

    The index is asked for each value there is, some hundred, not for each file.
    """
    next_value = (
        f"SELECT {column} FROM file WHERE {column} {{}} AND missing_since IS NULL "
        f"ORDER BY {column} COLLATE {collation} LIMIT 1"
    )
    first, after = next_value.format("IS NOT NULL"), next_value.format(f"COLLATE {collation} > known.value")
    return (
        f"WITH RECURSIVE known (value) AS (SELECT ({first}) UNION ALL SELECT ({after}) FROM known "
        "WHERE known.value IS NOT NULL) SELECT value FROM known WHERE "
    )


KNOWN_VALUES = {
    "file.model": known_values("model", "BINARY"),
    **{f"file.{column}": known_values(column) for column in INDEXED_TEXTS},
}
"""How to list the values of text columns that have few, and an index."""

INDEXED_COLUMNS = frozenset({"file.id", *INDEXES_BY_COLUMN}) - {"file.display_name"}
"""Columns by the values of which an index of the library finds files; what is asked of a name is mostly a part of it."""

INDEXED_FLAGS = frozenset({"dup", "problem", "edited", "missing"})
"""Flags of which a table or an index names the files that have them."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the query language.

    Attributes:
        name: what people write before the colon.
        type: what it compares.
        column: SQL expression of what it compares, or column of the full-text index.
        help: one line for people.
        example: a term that uses it.
        aliases: other names that mean the same.
        order: SQL expressions to sort by, in order; empty when nothing can be sorted by it.
        always: every file has a value, so that no file comes last for want of one.
        choices: for CHOICE, FLAG and PRESENCE: word to SQL condition.
    """

    name: str
    type: FieldType
    column: str
    help: str
    example: str
    aliases: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    always: bool = False
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def indexed(self) -> bool:
        """True when an index of the library has the files in this order."""
        first = self.order[0].removesuffix(" COLLATE NOCASE") if self.order else ""
        return first == "file.id" or first in INDEXES_BY_COLUMN

    @property
    def expected(self) -> str:
        """What a value must look like, for error messages."""
        if self.choices:
            return "one of " + ", ".join(word for word, _ in self.choices)
        return _EXPECTED[self.type]

    @property
    def has_order(self) -> bool:
        """True when values can be compared by `<` and `>`."""
        return self.type in _ORDERED


_ORDERED = frozenset(
    {
        FieldType.NUMBER,
        FieldType.SIZE,
        FieldType.DURATION,
        FieldType.DATE,
        FieldType.TIME,
        FieldType.INSTANT,
        FieldType.OFFSET,
    }
)
_DATES = (
    "a date such as 2019, 2019-07, 2019-07-03, 2019-07-03T18:22, today, this-month, last-30d, "
    "or a range such as 2019..2021-06"
)
_EXPECTED = {
    FieldType.WORDS: 'a word, or several in quotes: "canon eos"',
    FieldType.TEXT: "a part of the text, or a pattern with * and ?",
    FieldType.NUMBER: "a number such as 800, or a range such as 100..800",
    FieldType.SIZE: "a size such as 500kB, 20MB, 1.5GB, or a range such as 1MB..20MB",
    FieldType.DURATION: "a duration such as 30s, 5min, 1h, 4:33, or a range such as 1min..5min",
    FieldType.DATE: _DATES,
    FieldType.TIME: _DATES,
    FieldType.INSTANT: _DATES,
    FieldType.OFFSET: "an offset such as +02:00 or -5",
    FieldType.INODE: "the number of an inode, such as 131",
    FieldType.PATH: "a part of a path, or an absolute path",
    FieldType.ROOT: "a part of the label or path of a root, or its number",
    FieldType.COLLECTION: 'the name of a collection or saved query; in quotes if it has blanks: "new year"',
    FieldType.TAG: 'a tag, or several words in quotes: "new year"',
    FieldType.SORT: "a field to sort by, with - after it for the highest first",
}

_MISSING = "file.missing_since IS NOT NULL"
MEMBERS = {
    "problem": "SELECT file_id FROM problem WHERE file_id IS NOT NULL AND ignored = 0",
    "edited": "SELECT file_id FROM edit",
    "dup": "SELECT id FROM file WHERE quick_fingerprint IN (SELECT quick_fingerprint FROM shared_fingerprint)",
}
"""SQL for the ids of the files that have a flag, or may have it."""

_PROBLEM = f"file.id IN ({MEMBERS['problem']})"


def space_of(file: str) -> str:
    """Return SQL for a number that those names of files have in common that take the space of one file: of one inode."""
    return f"iif({file}.links > 1, {file}.inode, -{file}.id)"


# for names of one inode, the contents that are there twice are looked for at once: a look at each name for each other one
# would take the square of their number
_DUPLICATE = (
    "file.quick_fingerprint IN (SELECT quick_fingerprint FROM shared_fingerprint) "
    "AND iif(file.links = 1, TRUE, file.quick_fingerprint IN (SELECT quick_fingerprint FROM shared_fingerprint AS shared WHERE "
    f"(SELECT min({space_of('name')}) < max({space_of('name')}) FROM file AS name "
    "WHERE name.quick_fingerprint = shared.quick_fingerprint AND name.missing_since IS NULL))) "
    "AND EXISTS (SELECT 1 FROM file AS twin WHERE twin.quick_fingerprint = file.quick_fingerprint "
    f"AND twin.missing_since IS NULL AND {space_of('twin')} <> {space_of('file')} "
    "AND (file.fingerprint IS NULL OR twin.fingerprint IS NULL OR twin.fingerprint = file.fingerprint))"
)
_OFFLINE = (
    "file.folder_id IN (SELECT folder.id FROM root CROSS JOIN folder ON folder.root_id = root.id "
    "WHERE root.offline_since IS NOT NULL)"
)
_LONG = "file.id IN (SELECT file_id FROM extracted WHERE {} IS NOT NULL)"


def _flag(name: str, condition: str, text: str, *aliases: str) -> Field:
    choices = (("yes", condition), ("no", f"({condition}) IS NOT TRUE"), ("any", "TRUE"))
    return Field(name, FieldType.FLAG, condition, text, f"{name}:yes", aliases, choices=choices)


def _number(name: str, column: str, text: str, example: str, *aliases: str) -> Field:
    return Field(name, FieldType.NUMBER, f"file.{column}", text, example, aliases, (f"file.{column}",))


HAS = {
    "gps": "latitude",
    "altitude": "altitude",
    "date": "taken_local",
    "offset": "utc_offset",
    "utc": "taken_utc",
    "dimensions": "width",
    "orientation": "orientation",
    "make": "make",
    "camera": "model",
    "lens": "lens",
    "iso": "iso",
    "aperture": "f_number",
    "exposure": "exposure",
    "focal": "focal_length",
    "rating": "rating",
    "duration": "duration_ms",
    "title": "title",
    "artist": "artist",
    "album": "album",
    "albumartist": "album_artist",
    "track": "track",
    "disc": "disc",
    "genre": "genre",
    "year": "year",
    "bpm": "bpm",
    "key": "musical_key",
    "codec": "codec",
    "container": "container",
    "mime": "mime",
    "bitrate": "bit_rate",
    "fps": "frame_rate",
    "samplerate": "sample_rate",
    "channels": "channels",
    "fingerprint": "quick_fingerprint",
}
"""What `has:` asks for, and the column that must have a value."""

INDEXED_PRESENCE = frozenset(
    {"tags", "edits", *(word for word, column in HAS.items() if f"file.{column}" in INDEXES_BY_COLUMN)}
)
"""What `has:` asks for that a table or an index names the files of."""


def _words(name: str, text: str, example: str, *aliases: str, column: str = "", order: str = "") -> Field:
    sorted_by = (f"file.{order} COLLATE NOCASE",) if order else ()
    return Field(name, FieldType.WORDS, column or name, text, example, aliases, sorted_by)


def _text(name: str, column: str, text: str, example: str, *aliases: str) -> Field:
    order = (f"file.{column} COLLATE NOCASE",)
    return Field(name, FieldType.TEXT, f"file.{column}", text, example, aliases, order)


FIELDS: tuple[Field, ...] = (
    Field(
        "kind", FieldType.CHOICE, "file.kind", "image, raw, video or audio; photo is image and raw", "kind:image",
        order=("file.kind", "file.taken_local"), always=True,
        choices=(
            ("image", "file.kind = 'image'"), ("raw", "file.kind = 'raw'"), ("video", "file.kind = 'video'"),
            ("audio", "file.kind = 'audio'"), ("photo", "file.kind IN ('image', 'raw')"),
        ),
    ),
    Field(
        "name", FieldType.TEXT, "file.display_name", "part of the file name, or a pattern", "name:*_edited.jpg",
        order=("file.display_name COLLATE NOCASE",), always=True,
    ),
    Field(
        "path", FieldType.PATH, "", "part of the path; an absolute path means all below it", "path:trips/",
        ("folder", "in"), ("folder.root_id", "folder.path", "file.name"), always=True,
    ),
    Field("root", FieldType.ROOT, "", "part of the label or path of a root, or its number", "root:photos"),
    Field(
        "ext", FieldType.TEXT, "file.extension", "file name extension", "ext:cr2", ("extension", "type"),
        ("file.extension",), always=True,
    ),
    Field(
        "size", FieldType.SIZE, "file.size", "size of the file", "size>20MB", order=("file.size",), always=True,
    ),
    Field(
        "modified", FieldType.TIME, "file.mtime_ns", "when the file was last changed", "modified>2024-05", ("mtime",),
        ("file.mtime_ns",), always=True,
    ),
    Field(
        "added", FieldType.TIME, "file.first_seen", "when the file came into the library", "added:today", ("seen",),
        ("file.id",), always=True,
    ),
    Field(
        "taken", FieldType.DATE, "file.taken_local", "when it was recorded, local time", "taken:2019..2021-06", ("date",),
        ("file.taken_local",),
    ),
    Field(
        "utc", FieldType.INSTANT, "file.taken_utc", "when it was recorded, in UTC, where that is known", "utc:2019-07-03T16",
        ("taken_utc",), ("file.taken_utc",),
    ),
    Field(
        "offset", FieldType.OFFSET, "file.utc_offset", "hours that the clock of its date was ahead of UTC", "offset:+02:00",
        ("utc_offset", "zone"), ("file.utc_offset",),
    ),
    _text("datesource", "date_source", "where its date comes from", "datesource:filename", "date_source"),
    Field(
        "camera", FieldType.WORDS, "camera", "maker and model of the camera", 'camera:"canon eos"',
        order=("file.model", "file.taken_local"),
    ),
    _text("make", "make", "maker of the camera", "make:nikon"),
    Field(
        "model", FieldType.TEXT, "file.model", "model of the camera", "model:d850",
        order=("file.model", "file.taken_local"),
    ),
    _text("lens", "lens", "lens", "lens:24-105"),
    _number("iso", "iso", "sensitivity", "iso>800"),
    _number("f", "f_number", "aperture", "f<2.8", "f_number", "aperture"),
    _number("exposure", "exposure", "exposure time in seconds", "exposure>1", "shutter"),
    _number("focal", "focal_length", "focal length in mm", "focal:24..70", "focal_length"),
    _number("width", "width", "pixels across", "width>=3840"),
    _number("height", "height", "pixels from top to bottom", "height>=2160"),
    _number("orientation", "orientation", "EXIF orientation, 1 to 8", "orientation:6"),
    Field(
        "mp", FieldType.NUMBER, "file.width * file.height / 1e6", "megapixels", "mp>12", ("megapixels",),
        ("file.width * file.height",),
    ),
    Field(
        "lat", FieldType.NUMBER, "file.latitude", "degrees north", "lat:40..44", ("latitude",),
        ("file.latitude", "file.longitude"),
    ),
    _number("lon", "longitude", "degrees east", "lon:-10..-6", "longitude", "lng"),
    _number("alt", "altitude", "metres above the sea", "alt>2000", "altitude"),
    Field(
        "rating", FieldType.NUMBER, "file.rating", "stars, 0 to 5", "rating>=4", ("stars",), ("file.rating",),
    ),
    Field(
        "dur", FieldType.DURATION, "file.duration_ms", "playing time", "dur<30s", ("duration", "length"),
        ("file.duration_ms",),
    ),
    _words("title", "title", "title:sunrise", order="title"),
    _words("description", "caption or comment", "description:birthday", "caption", "comment"),
    _words("keyword", "keyword in the file", "keyword:beach", "keywords", "subject", column="keywords"),
    _words("people", "who is shown", "people:anna", "person"),
    _words("place", "name of the place", "place:lisbon", "city", "country"),
    Field(
        "artist", FieldType.WORDS, "artist", "artist of the song or of its album", "artist:bowie", ("by",),
        ("file.artist COLLATE NOCASE", "file.album COLLATE NOCASE", "file.disc", "file.track"),
    ),
    Field(
        "album", FieldType.WORDS, "album", "album", 'album:"abbey road"',
        order=("file.album COLLATE NOCASE", "file.disc", "file.track"),
    ),
    _text("albumartist", "album_artist", "artist of the album", "albumartist:various", "album_artist"),
    _number("track", "track", "number on the disc", "track:1"),
    _number("disc", "disc", "number of the disc", "disc:2"),
    _text("genre", "genre", "genre", "genre:jazz"),
    _number("year", "year", "year of release", "year:1977..1983"),
    _number("bpm", "bpm", "tempo", "bpm:120..128", "tempo"),
    _text("key", "musical_key", "musical key", "key:8A", "musical_key"),
    _text("codec", "codec", "codec", "codec:hevc"),
    _text("container", "container", "file format", "container:mkv", "format"),
    _text("mime", "mime", "MIME type", "mime:video/*"),
    _number("bitrate", "bit_rate", "bits per second", "bitrate>=320000", "bit_rate"),
    _number("fps", "frame_rate", "frames per second", "fps>30", "frame_rate"),
    _number("samplerate", "sample_rate", "samples per second", "samplerate>=96000", "sample_rate"),
    _number("channels", "channels", "number of audio channels", "channels>2"),
    Field("tag", FieldType.TAG, "", "one of your own tags", "tag:family", ("tags",)),
    Field(
        "collection", FieldType.COLLECTION, "", "a collection of yours, or a saved query; `@name` for short", "collection:best",
        ("query",),
    ),
    _flag("missing", _MISSING, "no longer where it was; files that are missing appear only when you ask"),
    Field(
        "lost", FieldType.TIME, "file.missing_since", "since when it is missing", "lost:last-30d", ("missing_since",),
        ("file.missing_since",),
    ),
    _flag("problem", _PROBLEM, "something could not be read", "problems"),
    _flag("dup", _DUPLICATE, "another file has the same content, and is no hard link to it", "duplicate", "duplicates"),
    _flag("companion", "file.companion_of IS NOT NULL", "goes with another file: JPEG of a RAW, film of a Live Photo"),
    _flag("offline", _OFFLINE, "its root is a disk that is not there now"),
    _flag("edited", f"file.id IN ({MEMBERS['edited']})", "you changed its metadata"),
    Field(
        "state", FieldType.CHOICE, "file.state", "present or missing", "state:missing", order=("file.state",), always=True,
        choices=(("present", "file.missing_since IS NULL"), ("missing", _MISSING), ("any", "TRUE")),
    ),
    Field(
        "metadata", FieldType.CHOICE, "file.metadata_state", "whether its metadata was read", "metadata:failed",
        choices=(
            ("pending", "file.metadata_state = 0"), ("done", "file.metadata_state = 1"), ("failed", "file.metadata_state = 2"),
        ),
    ),
    Field(
        "fingerprint", FieldType.CHOICE, "file.fingerprint_state", "whether its fingerprint was made", "fingerprint:pending",
        choices=(
            ("pending", "file.fingerprint_state = 0"), ("done", "file.fingerprint_state = 1"),
            ("failed", "file.fingerprint_state = 2"),
        ),
    ),
    Field(
        "has", FieldType.PRESENCE, "", "something is known: gps, date, rating …", "has:gps",
        choices=(
            *((word, f"file.{column} IS NOT NULL") for word, column in HAS.items()),
            *((word, _LONG.format(word)) for word in ("description", "keywords", "people", "place")),
            ("sidecar", "file.id IN (SELECT file_id FROM sidecar WHERE file_id IS NOT NULL)"),
            ("tags", "file.id IN (SELECT file_id FROM file_tag)"), ("edits", "file.id IN (SELECT file_id FROM edit)"),
            ("collection", "file.id IN (SELECT file_id FROM collection_file)"), ("problem", _PROBLEM),
        ),
    ),
    Field(
        "links", FieldType.NUMBER, "file.links", "number of its hard links", "links>1", order=("file.links",), always=True,
    ),
    Field("inode", FieldType.INODE, "file.inode", "inode on its disk", "inode:131"),
    Field("id", FieldType.NUMBER, "file.id", "number of the file in the library", "id:42", order=("file.id",), always=True),
    Field("sort", FieldType.SORT, "", "the order: a field, and - after it for the highest first", "sort:taken-", ("order",)),
)  # fmt: skip
"""All fields, in the order in which help shows them."""

FIELDS_BY_NAME: dict[str, Field] = {name: field for field in FIELDS for name in (field.name, *field.aliases)}
"""Every field by its name and by its aliases, all in lower case."""

SORTABLE = tuple(field.name for field in FIELDS if field.order)
"""Names of the fields that files can be sorted by."""
