"""Files that are made to harm who reads them, what is no file at all, and files that change without pause."""

from __future__ import annotations

import ctypes
import os
import socket
import stat
import struct
import threading
import zlib
from typing import TYPE_CHECKING, Self

from tests.media import encoded_bytes, jpeg_bytes
from tests.workers.bombs import id3_bomb, nested_atoms, packed, png_bomb

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class OpenWatch:
    """Tells which of some files were opened by anybody since it began (inotify(7))."""

    def __init__(self, *paths: Path | str) -> None:
        """Watch `paths`; links are followed."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        in_open = 0x20
        self._paths = {
            self._libc.inotify_add_watch(self._descriptor, os.fsencode(path), in_open): str(path)
            for path in paths
        }

    def opened(self) -> set[str]:
        """Return the files that were opened, and end."""
        try:
            data = os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            data = b""
        os.close(self._descriptor)
        found = set()
        while data:
            watch, _, _, length = struct.unpack_from("iIII", data)
            found.add(self._paths[watch])
            data = data[16 + length :]
        return found


def make_what_is_no_file(folder: Path) -> set[str]:
    """Make pipes, sockets and devices under names of media, and return these names."""
    for name in ("pipe.jpg", "pipe.mp3", "pipe.mov", "pipe.cr2"):
        os.mkfifo(folder / name)
    with socket.socket(socket.AF_UNIX) as end:
        here = os.getcwd()
        os.chdir(folder)  # the address of a socket may have 108 bytes
        try:
            end.bind("socket.jpg")
        finally:
            os.chdir(here)
    names = {"pipe.jpg", "pipe.mp3", "pipe.mov", "pipe.cr2", "socket.jpg"}
    if os.geteuid() == 0:  # nobody else can make devices
        for name, kind, major, minor in (
            ("null.jpg", stat.S_IFCHR, 1, 3),
            ("zero.png", stat.S_IFCHR, 1, 5),
            ("kmsg.mp3", stat.S_IFCHR, 1, 11),
            ("terminal.gif", stat.S_IFCHR, 5, 0),
            ("disk.mp4", stat.S_IFBLK, 7, 250),
        ):
            os.mknod(folder / name, 0o666 | kind, os.makedev(major, minor))
            names.add(name)
    return names


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of one pixel with more chunks (type and data)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    more = b"".join(chunk(kind, data) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + header + more + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def png_with_xmp(content: str) -> bytes:
    """Return a PNG with an XMP packet of any length."""
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:n="http://n/">{content}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    )
    return png_with((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet.encode()))


def jpeg_with(segments: bytes) -> bytes:
    """Return a JPEG with more segments before its own."""
    jpeg = jpeg_bytes(5)
    return jpeg[:2] + segments + jpeg[2:]


def make_bombs() -> dict[str, bytes]:
    """Return small files that grow, nest or last without end, by name."""
    many = "".join(f"<n:t{number}>{number}</n:t{number}>" for number in range(100_000))
    deep = 20_000
    return {
        "text.png": png_bomb(1000),
        "profile.png": png_with((b"iCCP", b"name\0\0" + packed(1000))),
        "comments.jpg": jpeg_with(b"\xff\xfe\0\4ab" * 500_000),
        "markers.jpg": jpeg_with(b"\xff\x01" * 1_000_000),
        "tags.png": png_with_xmp(many),
        "nested.png": png_with_xmp(
            "<dc:subject><rdf:Bag><rdf:li>" * deep + "x" + "</rdf:li></rdf:Bag></dc:subject>" * deep
        ),
        "atoms.mp4": nested_atoms(8_000),
        "atoms.m4a": nested_atoms(8_000),
        "title.mp3": id3_bomb(800),
        "again.mp3": id3_bomb(800),
        "odd\nname.png": png_bomb(1000),  # read by a process of its own
    }


def with_comments(tags: tuple[tuple[str, str], ...]) -> bytes:
    """Return a FLAC with these comments, in its very bytes."""
    flac = encoded_bytes("flac")
    first = 4 + 4 + 34  # the mark, and STREAMINFO, which comes first
    comments = b"".join(
        struct.pack("<I", len(line)) + line for name, text in tags for line in [f"{name}={text}".encode()]
    )
    body = struct.pack("<I", 1) + b"x" + struct.pack("<I", len(tags)) + comments
    if len(body) >= 1 << 24:  # a block of a FLAC has 16 MB at most
        body = (
            struct.pack("<I", 1)
            + b"x"
            + struct.pack("<II", 1, (1 << 24) - 100)
            + comments[4 : (1 << 24) - 96]
        )
    return flac[:first] + struct.pack(">I", 4 << 24 | len(body)) + body + flac[first:]


class Mutator:
    """Changes files without pause, from `__enter__` to `__exit__`; each version of a file says by its camera how long it is."""

    def __init__(self, folder: Path) -> None:
        """Make first versions of the files."""
        self._folder = folder
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._version = 0
        self.names = [
            f"{how}-{number}.jpg" for how in ("replaced", "rewritten", "growing") for number in range(8)
        ]
        self._base = [jpeg_bytes(1, model=f"version {version:04}", size=(8, 8)) for version in range(200)]
        self._change()

    def size_of(self, camera: str) -> int:
        """Return how long the version with this camera is."""
        version = int(camera.split()[1])
        return len(self._base[version]) + version

    def _change(self) -> None:
        version = self._version = (self._version + 1) % len(self._base)
        content = self._base[version] + bytes(version)
        for name in self.names:
            path = self._folder / name
            if name.startswith("replaced"):
                path.with_suffix(".new").write_bytes(content)
                path.with_suffix(".new").replace(path)
            elif name.startswith("growing") and path.exists():
                with path.open("ab") as file:
                    file.write(b"more")
            else:  # between its two halves there is nothing in the file
                path.write_bytes(content)

    def _run(self) -> None:
        while not self._ends.wait(0.003):
            self._change()

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._ends.set()
        self._thread.join()
