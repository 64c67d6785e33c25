"""The folders in a folder, for choosing what is scanned: read in a thread, handed over in growing lists."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.display import display

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PERIOD_S = 0.2
"""Time after which a reader hands over what it has found so far."""


@dataclass(frozen=True, slots=True)
class Subfolder:
    """A folder inside another.

    Attributes:
        name: its name.
        is_link: whether it is a symbolic link to a folder.
    """

    name: bytes
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class FolderListing:
    """What is known of the folders in one folder.

    Attributes:
        path: absolute path of the folder.
        subfolders: those found so far, sorted by name, upper and lower case alike.
        is_complete: False while more may come.
        error: why the folder cannot be read (further); empty when it can.
    """

    path: bytes
    subfolders: tuple[Subfolder, ...]
    is_complete: bool
    error: str = ""


def list_subfolders(path: bytes, *, period_s: float = PERIOD_S) -> Iterator[FolderListing]:
    """Yield listings of the folders in `path`: the last one is complete, those before it grow.

    Args:
        path: absolute path of a folder.
        period_s: time in seconds after which a listing that is not complete is yielded.
    """
    found: list[Subfolder] = []
    try:
        yield_at = time.monotonic() + period_s
        with os.scandir(path) as entries:
            for entry in entries:
                if _is_folder(entry):
                    found.append(Subfolder(entry.name, entry.is_symlink()))
                if time.monotonic() >= yield_at:
                    yield FolderListing(path, _sorted(found), is_complete=False)
                    yield_at = time.monotonic() + period_s
    except OSError as error:
        yield FolderListing(path, _sorted(found), is_complete=True, error=error.strerror or str(error))
    else:
        yield FolderListing(path, _sorted(found), is_complete=True)


def read_in_thread(path: bytes, deliver: Callable[[FolderListing], object], stop: threading.Event) -> None:
    """Read `path` in a daemon thread and hand each listing to `deliver`, in that thread, until `stop` is set.

    A daemon, because a read on a dead network disk never returns and must not keep the program from ending.
    """

    def read() -> None:
        for listing in list_subfolders(path):
            if stop.is_set():
                return
            deliver(listing)

    threading.Thread(target=read, name=f"folders of {display(path)}", daemon=True).start()


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere, or in a circle
        return False


def _sorted(found: list[Subfolder]) -> tuple[Subfolder, ...]:
    return tuple(sorted(found, key=lambda folder: (os.fsdecode(folder.name).casefold(), folder.name)))
