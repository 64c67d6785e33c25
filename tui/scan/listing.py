"""What the walk found in one folder."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, cast

from tui.records import FoundFile, FoundSidecar, stored_inode

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from tui.records import Kind, Problem

_LARGEST = 2**63 - 1
_as_found = cast("Callable[[tuple[object, ...]], FoundFile]", partial(tuple.__new__, FoundFile))
"""What `FoundFile._make` does, without a function of Python for each of a million files."""


class FoundFiles:
    """The media files of one folder, in the order of the directory, held in columns.

    A rescan meets a million files and has nothing to say of nearly all of them: numbers in arrays cost a third of
    the time and memory of a tuple each. A `FoundFile` is made for those that somebody asks for.
    """

    __slots__ = ("inodes", "kinds", "links", "mtimes_ns", "names", "sizes")

    def __init__(self, files: Iterable[FoundFile] = ()) -> None:
        """Hold `files`."""
        self.names: list[bytes] = []
        self.kinds: list[Kind] = []
        self.sizes = array("q")
        self.mtimes_ns = array("q")
        self.inodes = array("q")
        self.links = array("q")
        for file in files:
            self._append(*file)

    def add_clamped(self, name: bytes, kind: Kind, status: os.stat_result) -> None:
        """Add a file whose size, time or inode has more than 63 bits, as the library can hold them.

        Whatever of it was appended to the columns before that showed is taken off first.
        """
        number = len(self.names)
        for column in (self.kinds, self.sizes, self.mtimes_ns, self.inodes, self.links):
            del column[number:]
        mtime_ns = max(-_LARGEST - 1, min(_LARGEST, status.st_mtime_ns))
        inode = stored_inode(status.st_ino)
        self._append(
            name, kind, min(_LARGEST, status.st_size), mtime_ns, inode, min(_LARGEST, status.st_nlink)
        )

    def _append(self, name: bytes, kind: Kind, size: int, mtime_ns: int, inode: int, links: int) -> None:
        self.kinds.append(kind)
        self.sizes.append(size)
        self.mtimes_ns.append(mtime_ns)
        self.inodes.append(inode)
        self.links.append(links)
        self.names.append(name)

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.names)

    def __iter__(self) -> Iterator[FoundFile]:
        """Yield the files."""
        columns = (self.names, self.kinds, self.sizes, self.mtimes_ns, self.inodes, self.links)
        return map(_as_found, zip(*columns, strict=True))

    def __getitem__(self, place: int) -> FoundFile:
        """Return the file at `place`."""
        numbers = self.sizes[place], self.mtimes_ns[place], self.inodes[place], self.links[place]
        return FoundFile(self.names[place], self.kinds[place], *numbers)

    def digest(self, kinds: bytes = b"") -> bytes:
        """Return xxh3_128 (16 bytes) over what a scan compares of the files, in the order of the directory.

        Two listings with one digest hold the same files; the same files may have another one after the directory
        was written anew.

        Args:
            kinds: what the kinds follow from, beside the names.
        """
        from xxhash import xxh3_128

        digest = xxh3_128(b"\0".join([kinds, *self.names]))  # no name holds NUL
        for column in (self.sizes, self.mtimes_ns, self.inodes):
            digest.update(column)
        if self.links.count(1) == len(self.links):
            return digest.digest()
        if min(self.links) > 1:
            digest.update(b"all linked")
        else:
            digest.update(bytes(links > 1 for links in self.links))
        return digest.digest()


@dataclass(slots=True)
class WalkedFolder:
    """What the walk found in one folder.

    Attributes:
        path: of the folder, relative to the root, `b""` for the root itself.
        files: its media files, in the order of the directory.
        sidecars: its sidecars, in the same order.
        folders: names of the folders below that the walk will enter.
        device: device number of the folder.
        ignored: how many media files and folders were left out by patterns, as hidden, as links (or
            because another path led there already) or as another file system.
        problems: what could not be read here.
        unknown: names of entries that could not be looked at: nobody knows what they are, so they are not gone.
        readable: False when the listing failed or broke off: what it lacks is then unknown, not gone.
        troubled: whether something could not be looked at that a second look may find.
    """

    path: bytes
    files: FoundFiles = field(default_factory=FoundFiles)
    sidecars: list[FoundSidecar] = field(default_factory=list)
    folders: list[bytes] = field(default_factory=list)
    device: int = 0
    ignored: int = 0
    problems: list[Problem] = field(default_factory=list)
    unknown: list[bytes] = field(default_factory=list)
    readable: bool = True
    troubled: bool = False
