"""Camera JPEGs to measure on: varied copies of real ones, or generated ones where no real ones are at hand.

    python benchmarks/photos.py 3000 /tmp/photos [--from FOLDER]

A copy differs from its original by a comment segment, so that no two files are equal; its EXIF is untouched.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import sys


def find_camera_jpegs(folder: str) -> list[bytes]:
    """Return the contents of JPEGs under `folder` that carry EXIF of a camera, each under 2 MB."""
    found = []
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.lower().endswith((".jpg", ".jpeg")):
                continue
            with open(os.path.join(here, name), "rb") as file:
                content = file.read(2_000_001)
            head = content[:4096]
            if (
                len(content) <= 2_000_000
                and content[:2] == b"\xff\xd8"
                and b"Exif\0\0" in head
                and b"MakerNote" not in name.encode()
            ):
                found.append(content)
    return found


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
