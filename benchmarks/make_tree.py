"""Make a tree of N media files out of a few dozen: `python benchmarks/make_tree.py N DIR [--from FOLDER]`.

The files are hard links, so that a million takes seconds and no space. They lie in folders of 400, and in some of
100,000 (one for every 500,000 files). The originals are small media files of FOLDER, or small sounds and pictures made
here; a file system that allows fewer links to one file than are needed gets further copies.
"""

from __future__ import annotations

import argparse
import errno
import os
import random
import shutil
import sys
import time
import wave
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_FOLDER, IN_LARGE_FOLDER, ONE_LARGE_FOLDER_IN = 400, 100_000, 500_000
ORIGINALS, LARGEST_ORIGINAL = 36, 20_000
ORIGINALS_FOLDER = ".originals"
"""Hidden, so that a scan does not count what lies in it."""
EXTENSIONS = (".jpg", ".mp3", ".flac", ".png", ".mp4", ".m4a", ".heic", ".cr2")


def main() -> None:
    """Make the tree and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int)
    parser.add_argument("folder")
    parser.add_argument("--from", dest="source", help="folder with media files to link to")
    options = parser.parse_args()
    began = time.perf_counter()
    folders = make_tree(options.number, options.folder, options.source)
    print(f"{options.number:,} files in {folders:,} folders: {time.perf_counter() - began:.1f} s")


def make_tree(number: int, tree: str, source: str | None = None) -> int:
    """Make `number` hard links below `tree`, which must not exist, and return the number of folders."""
    os.makedirs(os.path.join(tree, ORIGINALS_FOLDER))
    originals = collect_originals(source, os.path.join(tree, ORIGINALS_FOLDER))
    folders = 0
    index = 0
    for folder, in_folder in plan_folders(number):
        path = os.path.join(tree, folder)
        os.makedirs(path)
        folders += 1
        for _ in range(in_folder):
            original = originals[index % len(originals)]
            name = f"{path}/IMG_{index:07d}{os.path.splitext(original)[1]}"
            try:
                os.link(original, name)
            except OSError as error:
                if error.errno != errno.EMLINK:
                    raise
                originals[index % len(originals)] = shutil.copy2(original, another_name(original))
                os.link(originals[index % len(originals)], name)
            index += 1
    return folders


def plan_folders(number: int) -> Iterator[tuple[str, int]]:
    """Yield folders with the number of files in each."""
    for index in range(number // ONE_LARGE_FOLDER_IN):
        yield f"camera roll {index}", IN_LARGE_FOLDER
        number -= IN_LARGE_FOLDER
    index = 0
    while number > 0:
        yield f"{2001 + index // 100 % 24}/{index % 12 + 1:02} part {index}", min(number, IN_FOLDER)
        number -= IN_FOLDER
        index += 1


def collect_originals(source: str | None, target: str) -> list[str]:
    """Copy small media files of `source` to `target`, or make some; return their paths."""
    if source is None:
        makers = ((make_picture, "jpg"), (make_sound, "wav"))
        return [
            make(os.path.join(target, f"{index:02}.{extension}"), index)
            for index in range(ORIGINALS)
            for make, extension in (makers[index % len(makers)],)
        ]
    found = []
    for folder, _, names in os.walk(source):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.lower().endswith(EXTENSIONS) and 0 < os.path.getsize(path) <= LARGEST_ORIGINAL:
                found.append(path)
    if not found:
        sys.exit(f"{source} holds no media files of up to {LARGEST_ORIGINAL:,} bytes")
    chosen = random.Random(1).sample(sorted(found), min(ORIGINALS, len(found)))
    return [
        shutil.copy2(path, os.path.join(target, f"{index:02}{os.path.splitext(path)[1]}"))
        for index, path in enumerate(chosen)
    ]


def make_picture(path: str, seed: int) -> str:
    """Write a small photo of one of five cameras, different for each seed, and return its path."""
    from PIL import Image
    from PIL.ExifTags import Base

    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model] = "Maker", f"Camera {seed % 5}"
    exif[Base.DateTime] = f"{2001 + seed % 24}:01:{1 + seed % 28:02} 12:00:00"
    Image.effect_noise((64, 48), 20 + seed).save(path, "JPEG", exif=exif)
    return path


def make_sound(path: str, seed: int) -> str:
    """Write a tenth of a second of sound, different for each seed, and return its path."""
    noise = random.Random(seed)
    with wave.open(path, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(noise.randbytes(1600))
    return path


def another_name(path: str) -> str:
    """Return a free name beside `path`."""
    stem, extension = os.path.splitext(path)
    number = 1
    while os.path.exists(f"{stem}-{number}{extension}"):
        number += 1
    return f"{stem}-{number}{extension}"


if __name__ == "__main__":
    main()
