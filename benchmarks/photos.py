"""Camera JPEGs to measure on: varied copies of real ones, or generated ones where no real ones are at hand.

    python benchmarks/photos.py 3000 /tmp/photos [--from FOLDER]

A copy differs from its original by a comment segment, so that no two files are equal; its EXIF is untouched.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import re
import struct
import sys

LARGEST_BYTES = 2_000_000
"""Larger originals are left out: thousands of copies have to fit in memory and page cache."""

SMALLEST_SIDE = 64
"""Pictures with fewer pixels on a side are specimens of a file format."""

IMAGE_PROGRAMS = re.compile(
    r"adobe|photoshop|lightroom|gimp|paint|picasa|photos |photo pro|powerexif|xnview|irfanview|acdsee"
    r"|imagemagick|capture one|darktable|rawtherapee|digikam|snapseed|instagram|\bPIL\b|pillow",
    re.IGNORECASE,
)
"""Names of programs that rewrite pictures, as they sign in EXIF Software; cameras put their firmware there."""


def find_camera_jpegs(folder: str) -> list[bytes]:
    """Return the contents of JPEGs under `folder` that came out of a camera, each of at most `LARGEST_BYTES`."""
    found = []
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.lower().endswith((".jpg", ".jpeg")):
                continue
            with open(os.path.join(here, name), "rb") as file:
                content = file.read(LARGEST_BYTES + 1)
            if len(content) <= LARGEST_BYTES and is_camera_jpeg(content):
                found.append(content)
    return found


def is_camera_jpeg(content: bytes) -> bool:
    """Return whether these are the bytes of a JPEG as a camera writes it.

    It has Make, Model, DateTimeOriginal and ExposureTime, pixels that can be decoded, and no trace of an image program
    (EXIF Software, Photoshop's segment, XMP CreatorTool).
    """
    from PIL import Image
    from PIL.ExifTags import IFD, Base

    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.format not in ("JPEG", "MPO") or min(picture.size) < SMALLEST_SIDE:
                return False
            exif = picture.getexif()
            taken = exif.get_ifd(IFD.Exif)
            values = (exif.get(Base.Make), exif.get(Base.Model), taken.get(Base.DateTimeOriginal))
            if not all(str(value or "").strip("\0 ") for value in values) or not taken.get(Base.ExposureTime):
                return False
            if IMAGE_PROGRAMS.search(str(exif.get(Base.Software, ""))) or "photoshop" in picture.info:
                return False
            if b"CreatorTool" in picture.info.get("xmp", b""):
                return False
            picture.load()
    except (
        OSError,
        ValueError,
        SyntaxError,
        TypeError,
        LookupError,
        struct.error,
    ):  # what Pillow says of broken files
        return False
    return True


def generate_jpegs(number: int = 40) -> list[bytes]:
    """Return JPEGs with believable EXIF, drawn on the spot."""
    from PIL import Image

    made = []
    for seed in range(number):
        noise = random.Random(seed)
        picture = Image.frombytes("RGB", (32, 24), noise.randbytes(32 * 24 * 3)).resize((800, 600))
        exif = Image.Exif()
        exif[0x010F], exif[0x0110], exif[0x0112] = "Canon", f"Canon EOS {seed % 7}D", 1
        detail = exif.get_ifd(0x8769)
        detail[0x9003] = f"20{10 + seed % 10}:0{1 + seed % 9}:1{seed % 10} 12:00:0{seed % 10}"
        detail[0x8827], detail[0x829D], detail[0x829A], detail[0x920A] = 100, 2.8, 0.004, 50.0
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=80, exif=exif)
        made.append(buffer.getvalue())
    return made


def make_photos(number: int, target: str, source: str = "") -> int:
    """Write `number` JPEGs below `target`, 200 a folder, from those under `source`; returns their bytes together."""
    originals = find_camera_jpegs(source) if source else []
    print(
        f"{len(originals)} camera JPEGs to vary" if originals else "generated JPEGs to vary", file=sys.stderr
    )
    originals = originals or generate_jpegs()
    total = 0
    for index in range(number):
        content = originals[index % len(originals)]
        note = f"variant {index}".encode()
        varied = content[:2] + b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note + content[2:]
        folder = os.path.join(target, f"{index // 200:03d}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"IMG_{index:05d}.jpg"), "wb") as file:
            file.write(varied)
        total += len(varied)
    return total


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Make camera JPEGs to measure on.")
    parser.add_argument("number", type=int)
    parser.add_argument("target")
    parser.add_argument("--from", dest="source", default="", help="folder with real camera JPEGs")
    arguments = parser.parse_args()
    total = make_photos(arguments.number, arguments.target, arguments.source)
    print(f"{arguments.number} files, {total / 1e6:.0f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
