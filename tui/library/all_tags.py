"""Everything that an extractor said of a file, as compressed JSON text.

The first byte says how: 0 is plain, 1 is zlib with the dictionary below. A released dictionary is never changed;
another one gets the next number.
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from importlib.resources import files
from typing import Any

_PLAIN = 0
_ZLIB_1 = 1
_LEVEL = 3
_MEMORY_LEVEL = 5
"""Size of the compressor's tables, of which each file needs a copy: 144 kB. From 6 on the allocator gives the memory back
to the system and fetches it again for each file, which costs twice as much as compressing; 5 costs 2 % of the size."""
_LONGEST = 64_000_000


@cache
def _dictionary() -> bytes:
    """Return what typical answers of exiftool and mutagen have in common, the most frequent last."""
    return files("tui.library").joinpath("all_tags_1.dictionary").read_bytes()


@cache
def _compressor() -> zlib._Compress:
    """Return a compressor that knows the dictionary; a copy of it is half as dear as a new one."""
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, _dictionary())


def pack(text: bytes) -> bytes:
    """Return JSON text as it is stored."""
    compressor = _compressor().copy()
    packed = compressor.compress(text) + compressor.flush()
    return bytes([_ZLIB_1]) + packed if len(packed) < len(text) else bytes([_PLAIN]) + text


def unpack(stored: bytes) -> bytes:
    """Return the JSON text of what `pack` made.

    Raises:
        ValueError: it is damaged, or from a newer program.
    """
    if stored[:1] == bytes([_PLAIN]):
        return stored[1:]
    if stored[:1] != bytes([_ZLIB_1]):
        raise ValueError("tags are stored in a way that this version does not know")
    decompressor = zlib.decompressobj(-15, _dictionary())
    try:
        return decompressor.decompress(stored[1:], _LONGEST)
    except zlib.error as error:
        raise ValueError(f"stored tags are damaged: {error}") from None


def load(stored: bytes | None) -> dict[str, Any]:
    """Return stored tags by name; empty when there are none or they cannot be read."""
    if not stored:
        return {}
    try:
        tags = json.loads(unpack(stored))
    except (ValueError, RecursionError):
        return {}
    return tags if isinstance(tags, dict) else {}
