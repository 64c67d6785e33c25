"""Small files that unpack to hundreds of megabytes, or nest without end."""

from __future__ import annotations

import struct
import zlib

from tests.media import encoded_bytes

_BLOCK = b"a" * 1_000_000


def packed(megabytes: int) -> bytes:
    """Return a zlib stream of so many megabytes of one letter; made from one block, so that it takes no time."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = packer.compress(_BLOCK) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 1
    for _ in range(megabytes):
        checksum = zlib.adler32(_BLOCK, checksum)
    return b"\x78\xda" + block * megabytes + b"\x03\x00" + struct.pack(">I", checksum)


def png_bomb(megabytes: int) -> bytes:
    """Return a PNG with a compressed text of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    text = chunk(b"zTXt", b"Comment\0\0" + packed(megabytes))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + header + text + pixels + chunk(b"IEND", b"")


def id3_bomb(megabytes: int) -> bytes:
    """Return an MP3 with a title of that size."""
    data = packed(megabytes)
    frame = b"TIT2" + struct.pack(">IHI", len(data) + 4, 0x0080, megabytes * 1_000_000) + data
    synchsafe = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + synchsafe + frame + encoded_bytes("mp3")


def nested_atoms(depth: int) -> bytes:
    """Return an MP4 of atoms within atoms."""
    content = b""
    for _ in range(depth):
        content = struct.pack(">I4s", len(content) + 8, b"udta") + content
    moov = struct.pack(">I4s", len(content) + 8, b"moov") + content
    return struct.pack(">I4s4sI", 16, b"ftyp", b"M4A ", 0) + moov
