"""Media for tests, made on the spot: small, real, and different from each other by `seed`."""

from __future__ import annotations

import io
import os
import random
import subprocess
import wave
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

if TYPE_CHECKING:
    from pathlib import Path

_EXIF_IFD = 0x8769
_GPS_IFD = 0x8825


def jpeg_bytes(
    seed: int = 0,
    *,
    taken: str | None = "2019:07:03 18:22:11",
    make: str = "Canon",
    model: str = "Canon EOS 5D Mark IV",
    gps: tuple[float, float] | None = None,
    size: tuple[int, int] = (64, 48),
) -> bytes:
    """Return a JPEG of random blocks with EXIF; the same arguments give the same bytes."""
    picture = Image.frombytes("RGB", (4, 3), random.Random(seed).randbytes(36)).resize(size)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = make, model, 1
    ifd = exif.get_ifd(_EXIF_IFD)
    if taken is not None:
        ifd[0x9003] = taken
    ifd[0x8827], ifd[0x829D], ifd[0x829A] = 100 + seed % 7 * 100, IFDRational(28, 10), IFDRational(1, 250)
    if gps is not None:
        latitude, longitude = gps
        place = exif.get_ifd(_GPS_IFD)
        place[1], place[2] = ("N" if latitude >= 0 else "S"), _degrees(latitude)
        place[3], place[4] = ("E" if longitude >= 0 else "W"), _degrees(longitude)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=70, exif=exif)
    return buffer.getvalue()


def make_jpeg(path: str | bytes | Path, seed: int = 0, **how: object) -> None:
    """Write a JPEG (see `jpeg_bytes`) to `path`, making the folders above it."""
    write_file(path, jpeg_bytes(seed, **how))  # type: ignore[arg-type]  # passed through as they are


def make_wav(path: str | bytes | Path, seed: int = 0, *, seconds: float = 0.1) -> None:
    """Write a mono WAV of noise to `path`, making the folders above it."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(random.Random(seed).randbytes(int(8000 * seconds) * 2))
    write_file(path, buffer.getvalue())


@lru_cache(maxsize=32)
def encoded_bytes(extension: str, seed: int = 0, tags: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Return half a second of music or film as ffmpeg encodes it for `extension` (mp3, flac, m4a, ogg, mp4, mkv …)."""
    film = extension in ("mp4", "mov", "mkv", "avi", "webm")
    source = (
        ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=0.5"]
        if film
        else ["-f", "lavfi", "-i", f"sine=frequency={220 + seed}:duration=0.5"]
    )
    marks = [word for name, value in tags for word in ("-metadata", f"{name}={value}")]
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        target = os.path.join(folder, f"out.{extension}")
        command = [
            "ffmpeg",
            "-v",
            "error",
            *source,
            *marks,
            "-metadata",
            f"comment=seed {seed}",
            "-y",
            target,
        ]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        with open(target, "rb") as file:
            return file.read()


def make_encoded(path: str | bytes | Path, seed: int = 0, **tags: str) -> None:
    """Write music or film (see `encoded_bytes`; the format follows the extension of `path`)."""
    extension = os.fsdecode(path).rpartition(".")[2].lower()
    write_file(path, encoded_bytes(extension, seed, tuple(sorted(tags.items()))))


def write_file(path: str | bytes | Path, content: bytes) -> None:
    """Write `content` to `path`, making the folders above it."""
    os.makedirs(os.path.dirname(os.fspath(path)) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def _degrees(value: float) -> tuple[float, float, float]:
    value = abs(value)
    minutes = value % 1 * 60
    return (float(int(value)), float(int(minutes)), round(minutes % 1 * 60, 4))
