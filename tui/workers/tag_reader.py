"""Reading the tags of one music file with mutagen. Runs only in a child: mutagen trusts what it reads.

An ID3 frame of 800 kB can unpack to gigabytes, nested MP4 atoms recurse without end, and a broken Ogg raises
whatever comes: the child's limits and its one broad `except` are the guard, not this module.
"""

from __future__ import annotations

import math
import os
import stat
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, Any

import mutagen
from mutagen.apev2 import APEv2
from mutagen.asf import ASFTags
from mutagen.id3 import Encoding, ID3Tags
from mutagen.mp4 import AtomDataType, MP4FreeForm, MP4Tags

from tui.workers.chunks import read_chunk_texts, read_wave_rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_TEXT = 65_536
"""Characters kept of one text."""

MOST_CHARACTERS = 2_000_000
"""Characters kept of all texts of one file together."""

MOST_VALUES = 10_000
"""Values kept of one file."""

_LONGEST_NAME = 500
_LARGEST_INTEGER = 2**63
_STREAM_ATTRIBUTES = ("length", "bitrate", "sample_rate", "channels", "bits_per_sample")
_CHUNKED = ("WAVE", "AIFF")
_PLAIN_WAVE_FORMATS = (1, 3, 0xFFFE)
_PICTURE_KEYS = frozenset({"metadata_block_picture", "coverart"})


def read_tags(path: bytes) -> dict[str, Any]:
    """Return what mutagen says of the file at `path`.

    Returns:
        `type` (mutagen's class, such as `MP3`), `mime`, `info` (length in seconds, bitrate in bits a second,
        sample_rate in Hz, channels …: numbers and texts only), `tags` (name as the format has it, to a list
        of texts and numbers; binary values stand as `(binary, N bytes)`) and `warnings`; or only `error`, one
        sentence, when the file is in no format that mutagen knows.

    Raises:
        Exception: anything at all; mutagen lets through what a damaged file makes it trip over.
    """
    with open(os.fsdecode(path), "rb", opener=_open_regular) as file:
        parsed = mutagen.File(file)
        texts = list(read_chunk_texts(file)) if type(parsed).__name__ in _CHUNKED else []
        rate = read_wave_rate(file) if _is_compressed_wave(parsed) else None
    if parsed is None:
        return {"error": "This is no music format that mutagen knows."}
    stream = _describe_stream(parsed.info)
    if rate:
        stream["length"], stream["bitrate"] = rate
    collector = _TagCollector()
    collector.add_all(_name_values(parsed.tags))
    collector.add_all(texts)
    collector.add_all(("picture", picture.data) for picture in getattr(parsed, "pictures", ()))
    return {
        "type": type(parsed).__name__,
        "mime": next(iter(parsed.mime), ""),
        "info": stream,
        "tags": collector.tags,
        "warnings": ["Tags were left out: there are too many."] if collector.full else [],
    }


class _TagCollector:
    """Keeps tags as JSON has them, until there are too many."""

    def __init__(self) -> None:
        self.tags: dict[str, list[str | int | float]] = {}
        self.full = False
        self._characters = 0
        self._values = 0

    def add_all(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Add each value under its name."""
        for name, value in pairs:
            plain = _to_plain(value)
            if isinstance(plain, str):
                plain = plain[:LONGEST_TEXT]
                self._characters += len(plain)
            self._values += 1
            self.full = self.full or self._characters > MOST_CHARACTERS or self._values > MOST_VALUES
            if self.full:
                return
            self.tags.setdefault(name[:_LONGEST_NAME], []).append(plain)


def _open_regular(path: str, flags: int) -> int:
    """Open a regular file without waiting for one that is not (a named pipe that took its place)."""
    fd = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError("This is not a regular file.")
    return fd


def _is_compressed_wave(parsed: Any) -> bool:
    """Return whether mutagen takes blocks of compressed sound for samples, and computes too short a time."""
    return type(parsed).__name__ == "WAVE" and parsed.info.audio_format not in _PLAIN_WAVE_FORMATS


def _describe_stream(info: object) -> dict[str, str | int | float]:
    """Return the attributes of a stream that are numbers or texts; some formats compute the common ones."""
    if info is None:
        return {}
    names = [
        *_STREAM_ATTRIBUTES,
        *(name for name in getattr(info, "__dict__", ()) if not name.startswith("_")),
    ]
    values = {name: getattr(info, name, None) for name in names}
    return {name: _to_plain(value) for name, value in values.items() if isinstance(value, str | int | float)}


def _to_plain(value: object) -> str | int | float:
    """Return `value` as a number that every JSON reader takes, or as text."""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"(binary, {len(value)} bytes)"
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and -_LARGEST_INTEGER <= value < _LARGEST_INTEGER:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)


def _name_values(tags: object) -> Iterator[tuple[str, Any]]:
    """Yield each value of `tags` with the name that its format has for it."""
    if isinstance(tags, ID3Tags):
        for _, frame in _items(tags):
            for value in _frame_values(frame):
                yield _frame_name(frame), value
    elif isinstance(tags, MP4Tags):
        for name, values in _items(tags):
            for value in values if isinstance(values, list) else [values]:
                yield name, _atom_value(value)
    elif isinstance(tags, APEv2):
        for name, value in _items(tags):
            yield from ((name, text) for text in (value if hasattr(value, "__iter__") else [value.value]))
    elif isinstance(tags, ASFTags):
        yield from ((name, attribute.value) for name, attribute in tags)
    elif isinstance(tags, list):  # Vorbis comments
        for name, value in tags:
            yield name.lower(), value.encode() if name.lower() in _PICTURE_KEYS else value


def _items(tags: Any) -> list[tuple[str, Any]]:
    return list(tags.items())


def _frame_name(frame: Any) -> str:
    """Return the ID of an ID3 frame, with its description where that tells frames of one ID apart."""
    if frame.FrameID in ("TXXX", "WXXX") or (frame.FrameID == "COMM" and frame.desc):
        return f"{frame.FrameID}:{frame.desc}"
    if frame.FrameID == "UFID":
        return f"UFID:{frame.owner}"
    return str(frame.FrameID)


def _frame_values(frame: Any) -> Iterable[Any]:
    """Return the values of an ID3 frame, whatever its class calls them."""
    if frame.FrameID == "TCON":
        return (
            [_reread(genre) for genre in frame.genres] if _is_latin(frame) else list(frame.genres)
        )  # spells out the numbers that ID3v1 had for genres
    if frame.FrameID == "POPM":
        return [frame.rating]
    for attribute in ("data", "text", "url", "people", "count"):
        if hasattr(frame, attribute):
            value = getattr(frame, attribute)
            values = [_join(item) for item in value] if isinstance(value, list) else [value]
            return [_reread(item) for item in values] if _is_latin(frame) else values
    return [f"({type(frame).__name__})"]


def _is_latin(frame: Any) -> bool:
    return getattr(frame, "encoding", None) == Encoding.LATIN1


def _reread(text: Any) -> Any:
    """Return a text that was said to be Latin-1 as what programs wrote: UTF-8, perhaps cut off, or Windows' code page."""
    if not isinstance(text, str) or text.isascii():
        return text
    try:
        content = text.encode("latin-1")
    except UnicodeEncodeError:
        return text
    try:
        unicode = getincrementaldecoder("utf-8")().decode(content)
        if not unicode.isascii():  # at least one whole character: `Caf\xe9` is none that was cut off
            return unicode
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return text


def _join(item: Any) -> Any:
    """Return one entry of a list frame: pairs of role and name become one text."""
    return ": ".join(str(part) for part in item) if isinstance(item, list | tuple) else item


def _atom_value(value: Any) -> Any:
    """Return a value of an MP4 atom: `3/12` for a pair of numbers, text for a freeform atom of text."""
    if isinstance(value, MP4FreeForm) and value.dataformat == AtomDataType.UTF8:
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, tuple):
        return "/".join(str(part) for part in value)
    return value
