"""`make_demo`: a small library of generated media to try YAPMO on, in folders as people have them.

Photos with EXIF and positions, tagged music, films where ffmpeg is there, an exact duplicate and a damaged file. What
exists is left alone, so a second call makes only what is missing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import UsageError
from tui.operations.demo_photos import PHOTOS, encode_photo, taken_timestamp
from tui.operations.demo_recordings import FILMS, SONGS, RecordingError, find_ffmpeg, make_film, make_song
from tui.paths import absolute, data_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tui.operations.demo_photos import Photo

logger = logging.getLogger("yapmo.operations")

MARKER = "About these files.txt"
"""The file by which a folder is known as one of the demo."""

_ABOUT = """\
These files were made by `yapmo demo`. None of them shows a real place, person or song.
You may remove the whole folder; `yapmo demo` makes it anew.
"""
DUPLICATE_OF = "Photos/2019/07 Lisbon/DSC_1002.JPG"
DUPLICATE = "Photos/Sorted/best of/Atlantic.JPG"
DAMAGED = "Photos/2016/08 Iceland/IMG_0499.JPG"


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What `make_demo` did.

    Attributes:
        folder: absolute path of the demo.
        made: files that were made now.
        kept: files that were there already.
        left_out: one sentence for each thing that could not be made.
        seconds: how long it took.
    """

    folder: bytes
    made: int
    kept: int
    left_out: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """One file of the demo: its path below the folder, and the function that writes it to the path it is given."""

    path: str
    write: Callable[[str], None]
    modified: float | None = None


def demo_folder() -> bytes:
    """Return where the demo lies unless another folder is named: `demo` in the user's data directory."""
    return absolute(os.path.join(data_dir(), "demo"))


def demo_library_path() -> bytes:
    """Return the library that the demo is catalogued in, so that the user's own stays free of it."""
    return absolute(os.path.join(data_dir(), "demo.yapmo"))


def make_demo(folder: bytes | str, report: Callable[[int, int], None] | None = None) -> DemoReport:
    """Make the demo's files that are not there yet; takes about ten seconds the first time, and blocks.

    No file that exists is touched, whoever made it.

    Args:
        folder: where; it is made. A folder that has other things in it is refused.
        report: called with the number of files done and of all, after each.

    Raises:
        UsageError: the folder holds other things, or cannot be written.
    """
    started = time.monotonic()
    place = absolute(folder)
    made = kept = 0
    left_out: list[str] = []
    try:
        _claim(place)
        pieces = list(_plan(os.fsdecode(place), left_out))
        for number, piece in enumerate(pieces, 1):
            target = os.path.join(os.fsdecode(place), piece.path)
            if os.path.lexists(target):
                kept += 1
            else:
                try:
                    _make(piece, target)
                    made += 1
                except RecordingError as error:
                    left_out.append(f"{piece.path}: {error}")
            if report:
                report(number, len(pieces))
    except OSError as error:
        raise UsageError(
            f"The demo cannot be written to {display(place)}: {error.strerror}.",
            hint="Name another folder: yapmo demo FOLDER",
        ) from error
    logger.info("demo in %s: %d files made, %d kept", display(place), made, kept)
    return DemoReport(place, made, kept, tuple(left_out), time.monotonic() - started)


def _claim(place: bytes) -> None:
    """Make the folder, or make sure that it is one of the demo."""
    os.makedirs(place, mode=0o755, exist_ok=True)
    marker = os.path.join(place, os.fsencode(MARKER))
    if os.path.exists(marker):
        return
    if os.listdir(place):
        raise UsageError(
            f"{display(place)} is not empty, and no folder of the demo.",
            hint="Name another folder: yapmo demo FOLDER",
        )
    with open(marker, "x", encoding="utf-8") as file:
        file.write(_ABOUT)


def _plan(place: str, left_out: list[str]) -> Iterator[_Piece]:
    """Yield every file of the demo; what cannot be made here is said in `left_out`."""
    for seed, photo in enumerate(PHOTOS):
        yield _Piece(photo.path, partial(_write_photo, photo, seed), taken_timestamp(photo))
    yield _Piece(DUPLICATE, partial(_write_copy, os.path.join(place, DUPLICATE_OF)))
    yield _Piece(DAMAGED, partial(_write_bytes, b"\0" * 4096 + b"this was a photo once" * 200))
    ffmpeg = find_ffmpeg()
    if ffmpeg is None:
        left_out.append("ffmpeg is not installed: songs are WAV files, and there are no films")
    for song in SONGS:
        plain = os.path.splitext(song.path)[0] + ".wav"
        path = song.path if ffmpeg and not os.path.lexists(os.path.join(place, plain)) else plain
        yield _Piece(path, partial(make_song, song, ffmpeg=ffmpeg))
    for seed, film in enumerate(FILMS):
        if ffmpeg:
            write = partial(make_film, film, ffmpeg=ffmpeg, seed=100 + seed)
            yield _Piece(film.path, write, datetime.fromisoformat(film.taken).timestamp())


def _make(piece: _Piece, target: str) -> None:
    """Write one file under a hidden name and move it to its place, where nothing is overwritten."""
    folder, name = os.path.split(target)
    os.makedirs(folder, exist_ok=True)
    # a folder of its own, since ffmpeg decides by the extension what it writes
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as hidden:
        draft = os.path.join(hidden, name)
        piece.write(draft)
        if piece.modified is not None:
            os.utime(draft, (piece.modified, piece.modified))
        with contextlib.suppress(FileExistsError):
            _move_without_overwriting(draft, target)


def _move_without_overwriting(draft: str, target: str) -> None:
    try:
        os.link(draft, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links; only another demo at this instant could lose
        if not os.path.lexists(target):
            os.rename(draft, target)


def _write_photo(photo: Photo, seed: int, target: str) -> None:
    _write_bytes(encode_photo(photo, seed), target)


def _write_copy(source: str, target: str) -> None:
    with open(source, "rb") as file:
        _write_bytes(file.read(), target)


def _write_bytes(content: bytes, target: str) -> None:
    with open(target, "xb") as file:
        file.write(content)
