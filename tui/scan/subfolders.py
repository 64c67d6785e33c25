"""The folders in a folder, for choosing what is scanned: read in a thread, handed over in growing lists."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.display import display
from tui.scan.daemon_thread import DaemonThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PERIOD_S = 0.2
"""Time after which a reader hands over what it has found so far, at first."""


@dataclass(frozen=True, slots=True)
class FolderListing:
    """What is known of the folders in one folder.

    Attributes:
        path: absolute path of the folder.
        names: of the folders found so far, sorted by `sort_key`.
        plain_names: those that do not begin with a dot.
        links: those among them that are symbolic links.
        is_complete: False while more may come.
        error: why the folder cannot be read (further); empty when it can.
    """

    path: bytes
    names: tuple[bytes, ...]
    plain_names: tuple[bytes, ...]
    links: frozenset[bytes]
    is_complete: bool
    error: str = ""


def sort_key(name: bytes) -> str:
    """Return what folders are sorted by: the name with upper and lower case alike, then as it is.

    One text, which no name has a zero byte in: fifty thousand are sorted without a pause in 25 ms, pairs in 110 ms, and
    no other thread runs meanwhile.
    """
    text = os.fsdecode(name)
    return f"{text.casefold()}\0{text}"


def list_subfolders(path: bytes, *, period_s: float = PERIOD_S) -> Iterator[FolderListing]:
    """Yield listings of the folders in `path`: the last one is complete, those before it grow.

    Args:
        path: absolute path of a folder.
        period_s: time in seconds after which the first listing that is not complete is yielded; the next take
            twice as long each, so that the work for many folders stays in proportion to their number.
    """
    found: list[str] = []
    links: set[bytes] = set()
    error = ""
    yield_at = time.monotonic() + period_s
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if _is_folder(entry):
                    found.append(sort_key(entry.name))
                    if entry.is_symlink():
                        links.add(entry.name)
                if time.monotonic() >= yield_at:
                    yield _listing(path, found, links, is_complete=False)
                    period_s *= 2
                    yield_at = time.monotonic() + period_s
    except OSError as caught:
        error = caught.strerror or str(caught)
    yield _listing(path, found, links, is_complete=True, error=error)


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


async def find_nearest_folder(path: bytes) -> bytes:
    """Return the absolute `path` if it is a folder, else the nearest folder above it.

    It is looked at in a thread of its own: a dead network disk holds up neither the caller nor another look.
    """
    thread = DaemonThread("nearest folder")
    try:
        return await thread.run(lambda: _nearest_folder(path))
    finally:
        thread.stop()


def _nearest_folder(path: bytes) -> bytes:
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere, or in a circle
        return False


def _listing(
    path: bytes, found: list[str], links: set[bytes], *, is_complete: bool, error: str = ""
) -> FolderListing:
    """Return a listing of what was found, by `sort_key`; sorts it in place, which is quick where most of it was sorted before."""
    found.sort()
    names = tuple(os.fsencode(key.rpartition("\0")[2]) for key in found)
    plain = tuple(name for name in names if not name.startswith(b"."))
    return FolderListing(path, names, plain, frozenset(links), is_complete, error)
