"""Mutants of media files: the same from the same seed, damaged as disks, transfers and attackers damage them.

They are made of the files of the corpus (see tests/corpus) where it is there, else of media that the tests make.
"""

from __future__ import annotations

import io
import os
import struct
from functools import cache
from random import Random
from typing import TYPE_CHECKING

from PIL import Image

from tests.corpus.test_corpus_scan import CORPUS, files_below
from tests.media import encoded_bytes, jpeg_bytes
from tui.config import default_config

if TYPE_CHECKING:
    from collections.abc import Callable

Seedling = tuple[str, bytes]
"""The extension of a file and what is in it."""

LONGEST_BYTES = 1_000_000
"""So much of a long file is taken: what is read of it lies at its beginning, and ten thousand have to be made."""

_HEAD_BYTES = 4096
_EXTREMES = (0, 1, 0x7F, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)


@cache
def seedlings() -> tuple[Seedling, ...]:
    """Return the files that mutants are made of, always in the same order."""
    if not CORPUS.is_dir():
        return _made_seedlings()
    kinds = default_config().scan.kind_by_extension
    found = []
    for path in files_below(CORPUS):
        extension = path.suffix[1:].lower()
        if extension.encode() in kinds and not path.name.startswith(".") and path.is_file():
            found.append((extension, path.read_bytes()[:LONGEST_BYTES]))
    return tuple(found)


def _made_seedlings() -> tuple[Seedling, ...]:
    pictures = [("jpg", jpeg_bytes(seed, gps=(38.7, -9.1))) for seed in range(8)]
    for extension in ("png", "tiff", "webp", "gif", "bmp"):
        buffer = io.BytesIO()
        Image.open(io.BytesIO(jpeg_bytes(9))).save(buffer, extension)
        pictures.append((extension, buffer.getvalue()))
    tags = (("artist", "Somebody"), ("title", "Something"))
    recordings = ("mp3", "flac", "m4a", "ogg", "opus", "wav", "aiff", "mp4", "mov", "mkv", "avi", "webm")
    return (*pictures, *((extension, encoded_bytes(extension, 0, tags)) for extension in recordings))


def make_mutant(seed: int, number: int) -> tuple[str, bytes]:
    """Return the name and the content of a mutant; the name tells how it was made, and is unlike all others'."""
    random = Random(f"{seed}:{number}")
    extension, content = random.choice(seedlings())
    ways = random.choices(tuple(_WAYS), k=random.choice((1, 1, 1, 2, 3)))
    for way in ways:
        content = _WAYS[way](random, content)
    if random.random() < 0.05:  # what belongs to one parser comes to another
        extension = random.choice(seedlings())[0]
    return f"{number:05}-{'-'.join(ways)}.{extension}", content


def write_mutants(folder: bytes, seed: int, numbers: range) -> list[bytes]:
    """Write mutants into folders of a hundred below `folder`, and return their paths."""
    paths = []
    for number in numbers:
        name, content = make_mutant(seed, number)
        path = os.path.join(folder, b"%03d" % (number // 100), name.encode())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        paths.append(path)
    return paths


def _place(random: Random, content: bytes) -> int:
    """Return a place in `content`, every other time near its beginning, where lengths and tags are."""
    near = random.random() < 0.5
    return random.randrange(max(1, min(len(content), _HEAD_BYTES) if near else len(content)))


def _block(random: Random, content: bytes) -> tuple[int, int]:
    """Return beginning and end of a block: a few bytes as often as some thousand."""
    begin = _place(random, content)
    return begin, begin + int(2 ** random.uniform(0, 13))


def _flip_bits(random: Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(int(2 ** random.uniform(0, 7)) if content else 0):
        changed[_place(random, content)] ^= 1 << random.randrange(8)
    return bytes(changed)


def _truncate(random: Random, content: bytes) -> bytes:
    return content[: 1 + _place(random, content)]


def _duplicate_block(random: Random, content: bytes) -> bytes:
    begin, end = _block(random, content)
    return content[:end] + content[begin:end] * random.choice((1, 1, 2, 16)) + content[end:]


def _splice(random: Random, content: bytes) -> bytes:
    other = random.choice(seedlings())[1]
    return content[: _place(random, content)] + other[_place(random, other) :]


def _zero_block(random: Random, content: bytes) -> bytes:
    begin, end = _block(random, content)
    return content[:begin] + bytes(len(content[begin:end])) + content[end:]


def _inflate_length(random: Random, content: bytes) -> bytes:
    """Put another number where one stands that could be a length; any number where none does."""
    order, size = random.choice("<>"), random.choice((2, 4, 4, 8))
    form = struct.Struct(order + {2: "H", 4: "I", 8: "Q"}[size])
    if len(content) < size:
        return content
    begin = min(_place(random, content), len(content) - size)
    for place in range(begin, min(begin + 512, len(content) - size)):
        if 0 < form.unpack_from(content, place)[0] <= len(content):
            begin = place
            break
    was = form.unpack_from(content, begin)[0]
    number = random.choice((*_EXTREMES, was + 1, was - 1, was * 2, was * 256, len(content), 2**63 - 1))
    return content[:begin] + form.pack(number % 256**size) + content[begin + size :]


_WAYS: dict[str, Callable[[Random, bytes], bytes]] = {
    "flip": _flip_bits,
    "cut": _truncate,
    "double": _duplicate_block,
    "splice": _splice,
    "length": _inflate_length,
    "zero": _zero_block,
}
