"""Texts in chunks of WAV and AIFF files, in files that are made here byte by byte."""

from __future__ import annotations

import io
import os
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.scan.normalize.mutagen import metadata_from_mutagen
from tui.workers.chunks import read_chunk_texts
from tui.workers.tag_reader import read_tags

if TYPE_CHECKING:
    from pathlib import Path

    from tui.records import Metadata

HALF_A_SECOND = bytes(2 * 4_000)
RATE_OF_8000 = bytes.fromhex("400bfa00000000000000")
"""8000 as the extended float that AIFF has."""


def chunk(name: bytes, content: bytes, *, order: str = "<") -> bytes:
    return name + struct.pack(f"{order}I", len(content)) + content + bytes(len(content) % 2)


def info(*texts: tuple[bytes, bytes], between: bytes = b"") -> bytes:
    return chunk(b"LIST", b"INFO" + between.join(chunk(name, text + b"\0") for name, text in texts))


PLAIN = struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16)
MP3 = struct.pack("<HHIIHH", 0x55, 2, 44_100, 16_000, 1, 0)
ADPCM = struct.pack("<HHIIHH", 2, 1, 8_000, 4_000, 256, 4)


def wav(*chunks: bytes, form: bytes = PLAIN) -> bytes:
    content = b"WAVE" + chunk(b"fmt ", form) + b"".join(chunks) + chunk(b"data", HALF_A_SECOND)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def aiff(*chunks: bytes) -> bytes:
    common = struct.pack(">hIh", 1, 4_000, 16) + RATE_OF_8000
    sound = chunk(b"SSND", bytes(8) + HALF_A_SECOND, order=">")
    content = b"AIFF" + chunk(b"COMM", common, order=">") + b"".join(chunks) + sound
    return b"FORM" + struct.pack(">I", len(content)) + content


def texts_of(content: bytes) -> list[tuple[str, str]]:
    return list(read_chunk_texts(io.BytesIO(content)))


def read(path: Path, content: bytes) -> Metadata:
    path.write_bytes(content)
    answer = read_tags(os.fsencode(path))
    return metadata_from_mutagen(answer, size=len(content))


def test_wav_says_what_it_is(tmp_path: Path) -> None:
    tags = info(
        (b"INAM", b"Blue in Green"),
        (b"IART", b"Miles Davis"),
        (b"IPRD", b"Kind of Blue"),
        (b"IPRT", b"3/5"),
        (b"IGNR", b"Jazz"),
        (b"ICRD", b"1959-08-17"),
        (b"ICMT", b"a take of its own"),
        (b"IKEY", b"slow; piano"),
    )
    metadata = read(tmp_path / "song.wav", wav(tags))
    assert (metadata.title, metadata.artist, metadata.album) == (
        "Blue in Green",
        "Miles Davis",
        "Kind of Blue",
    )
    assert (metadata.track, metadata.genre, metadata.year) == (3, "Jazz", 1959)
    assert (metadata.description, metadata.keywords) == ("a take of its own", ("slow", "piano"))
    assert (metadata.duration_ms, metadata.sample_rate, metadata.channels) == (500, 8_000, 1)
    assert (metadata.codec, metadata.container) == ("pcm", "WAVE")


@pytest.mark.parametrize(
    ("form", "codec", "duration_ms", "bit_rate"),
    [(PLAIN, "pcm", 500, 128_000), (MP3, "mp3", 500, 128_000), (ADPCM, "adpcm", 2_000, 32_000)],
)
def test_compressed_sound_lasts_as_long_as_it_plays(
    tmp_path: Path, form: bytes, codec: str, duration_ms: int, bit_rate: int
) -> None:
    metadata = read(tmp_path / "sound.wav", wav(form=form))
    assert (metadata.codec, metadata.duration_ms, metadata.bit_rate) == (codec, duration_ms, bit_rate)


def test_aiff_says_what_it_is(tmp_path: Path) -> None:
    chunks = (
        chunk(b"NAME", b"Gymnop\x8edie", order=">"),
        chunk(b"AUTH", b"Erik Satie", order=">"),
        chunk(b"ANNO", b"on a Sunday", order=">"),
    )
    metadata = read(tmp_path / "song.aiff", aiff(*chunks))
    assert (metadata.title, metadata.artist, metadata.description) == (
        "Gymnopédie",
        "Erik Satie",
        "on a Sunday",
    )
    assert (metadata.duration_ms, metadata.sample_rate, metadata.channels) == (500, 8_000, 1)


def test_texts_behind_the_sound_are_found() -> None:
    content = wav() + info((b"INAM", b"late"))
    assert texts_of(content) == [("INAM", "late")]


@pytest.mark.parametrize("zeros", [b"\0", b"\0\0\0", bytes(30)])
def test_more_padding_than_belongs_there(zeros: bytes) -> None:
    assert texts_of(wav(info((b"INAM", b"a"), (b"IART", b"bc"), between=zeros))) == [
        ("INAM", "a"),
        ("IART", "bc"),
    ]


@pytest.mark.parametrize(
    ("content", "text"),
    [("Café".encode(), "Café"), (b"Caf\xe9", "Café"), (b"  x \0 rest", "x")],
)
def test_utf_8_or_the_code_page_of_its_time(content: bytes, text: str) -> None:
    assert texts_of(wav(info((b"INAM", content)))) == [("INAM", text)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"RIFF\0\0\0\0AVI " + info((b"INAM", b"film")),
        b"FORM\0\0\0\0ILBM" + chunk(b"NAME", b"picture", order=">"),
        wav(chunk(b"LIST", b"INFOINAM\xff\xff\xff\x7f")),
        wav(chunk(b"LIST", b"IN")),
        wav(info((b"INAM", b""), (b"IART", b"  "))),
    ],
)
def test_nothing_of_what_is_no_song_or_says_nothing(content: bytes) -> None:
    assert texts_of(content) == []


def test_a_recording_that_never_ended_is_not_read_to_its_end() -> None:
    file = io.BytesIO(b"RIFF\0\0\0\0WAVE" + chunk(b"data", b"") + bytes(1_000_000))
    assert list(read_chunk_texts(file)) == []
    assert file.tell() < 200_000


@given(st.binary(max_size=200))
def test_any_bytes_end(content: bytes) -> None:
    texts_of(b"RIFF\0\0\0\0WAVE" + content)
    texts_of(b"FORM\0\0\0\0AIFF" + content)
    texts_of(wav(chunk(b"LIST", b"INFO" + content)))
