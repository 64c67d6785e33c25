"""What WAV and AIFF files keep in chunks that mutagen does not read: texts, and the rate of compressed sound.

Sources: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0" (RIFF, the INFO list); Apple,
"Audio Interchange File Format 1.3" (the text chunks). Runs only in a child, like `tag_reader`.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_CHUNKS = 10_000
_MOST_BYTES = 1_000_000
_TEXT_CHUNKS = (b"NAME", b"AUTH", b"ANNO", b"(c) ")
_RIFF_HEADER, _AIFF_HEADER = struct.Struct("<4sI"), struct.Struct(">4sI")


def read_chunk_texts(file: BinaryIO) -> Iterator[tuple[str, str]]:
    """Yield name (`INAM`, `NAME` …) and text of each text chunk; nothing of a file that is neither WAV nor AIFF."""
    file.seek(0)
    form, _, kind = struct.unpack("4s4s4s", file.read(12).ljust(12))
    if form == b"RIFF" and kind == b"WAVE":
        for name, size in _walk(file, _RIFF_HEADER):
            if name == b"LIST" and size > 4 and file.read(4) == b"INFO":
                yield from _read_info(file.read(min(size - 4, _MOST_BYTES)))
    elif form == b"FORM" and kind in (b"AIFF", b"AIFC"):
        for name, size in _walk(file, _AIFF_HEADER):
            if name in _TEXT_CHUNKS:
                yield from _to_text(name, file.read(min(size, _MOST_BYTES)), "mac_roman")


def read_wave_rate(file: BinaryIO) -> tuple[float, int] | None:
    """Return seconds and bits a second of a WAV file, from its bytes a second, which count for compressed sound as well."""
    file.seek(0)
    if file.read(12)[8:] != b"WAVE":
        return None
    bytes_per_s = 0
    for name, size in _walk(file, _RIFF_HEADER):
        if name == b"fmt " and size >= 12:
            bytes_per_s = int.from_bytes(file.read(12)[8:], "little")
        elif name == b"data" and bytes_per_s:
            return size / bytes_per_s, bytes_per_s * 8
    return None


def _read_info(info: bytes) -> Iterator[tuple[str, str]]:
    file = io.BytesIO(info)
    for name, size in _walk(file, _RIFF_HEADER):
        yield from _to_text(name, file.read(size), "cp1252")


def _walk(file: BinaryIO, header: struct.Struct) -> Iterator[tuple[bytes, int]]:
    """Yield name and size of each chunk that follows; `file` stands at its content then, and may be read.

    Some programs pad chunks with more than the one byte that brings them to an even length.
    """
    start = b""
    for _ in range(_MOST_CHUNKS):
        start += file.read(header.size - len(start))
        if len(start) < header.size:
            return
        if start.startswith(b"\0"):
            start = start.lstrip(b"\0")
            continue
        name, size = header.unpack(start)
        content = file.tell()
        yield name, size
        file.seek(content + size)
        start = b""


def _to_text(name: bytes, content: bytes, old_encoding: str) -> Iterator[tuple[str, str]]:
    """Yield the text in a chunk if it has any: UTF-8 as programs write today, or what its format began with."""
    content = content.partition(b"\0")[0]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode(old_encoding, "replace")
    if text.strip():
        yield name.decode("latin-1").strip(), text.strip()
