"""A file system that shows a folder read-only and fails as it is told: the kernel's FUSE protocol, without a library.

Run by `mounts.FaultyDisk` as `python fuse_server.py DESCRIPTOR FOLDER CONTROL`. What goes wrong depends on names:
reads of `*eio*` fail, reads of `*hang*` are never answered, and those of `*stuck*` neither, in such a way that not even
SIGKILL ends who reads. While the folder CONTROL holds a file `hold`, reads of `*late*` wait; with `slow`, folders are listed
slowly; with `dead`, everything fails with EIO; with `silent`, nothing is answered. The structures are those of <linux/fuse.h>, version 7.31.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import struct
import sys
import time

LOOKUP, FORGET, GETATTR, READLINK, OPEN, READ, STATFS, RELEASE = 1, 2, 3, 5, 14, 15, 17, 18
INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, DESTROY, BATCH_FORGET = 26, 27, 28, 29, 36, 38, 42
UNANSWERED = (FORGET, BATCH_FORGET, INTERRUPT)

HEADER = struct.Struct("<IIQQIIIHH")
ANSWER = struct.Struct("<IiQ")
DIRECT_IO = 1
ASYNC_READ = 1
"""Lets who waits for a page be killed, as on NFS."""
LOOK_S = 0.05
"""How often the folder CONTROL is looked at while requests wait."""


class Unanswered(Exception):  # noqa: N818
    """This request gets no answer, ever."""


class Server:
    """Answers the requests that the kernel writes to one descriptor of /dev/fuse."""

    def __init__(self, descriptor: int, folder: bytes, control: bytes) -> None:
        self.descriptor = descriptor
        self.folder = folder
        self.control = control
        self.paths = {1: b""}
        self.nodes = {b"": 1}
        self.waiting: list[bytes] = []

    def run(self) -> None:
        """Answer until the file system is unmounted."""
        while True:
            ready, _, _ = select.select([self.descriptor], [], [], LOOK_S if self.waiting else None)
            if self.waiting and not self.is_told("silent"):
                held, self.waiting = self.waiting, []
                for request in held:
                    self.serve(request)
            if not ready:
                continue
            try:
                request = os.read(self.descriptor, 1 << 18)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                    continue
                return
            if self.is_told("silent") and HEADER.unpack_from(request)[1] not in (INIT, *UNANSWERED):
                self.waiting.append(request)
            else:
                self.serve(request)

    def is_told(self, what: str) -> bool:
        return os.path.exists(os.path.join(self.control, what.encode()))

    def serve(self, request: bytes) -> None:
        _, opcode, unique, node, *_ = HEADER.unpack_from(request)
        if opcode in UNANSWERED:
            return
        if opcode == READ and b"late" in self.paths.get(node, b"") and self.is_told("hold"):
            self.waiting.append(request)
            return
        if opcode == READDIR and self.is_told("slow"):
            time.sleep(0.05)
        error, data = 0, b""
        try:
            if opcode != INIT and self.is_told("dead"):
                raise OSError(errno.EIO, "told so")
            data = self.answer(opcode, node, request[HEADER.size :])
        except Unanswered:
            return
        except OSError as failure:
            error = -(failure.errno or errno.EIO)
        try:
            os.write(self.descriptor, ANSWER.pack(ANSWER.size + len(data), error, unique) + data)
        except OSError:
            return  # nobody waits for it any more

    def answer(self, opcode: int, node: int, body: bytes) -> bytes:
        if opcode == INIT:
            return struct.pack(
                "<IIIIHHIIHHI7I", 7, 31, 1 << 17, ASYNC_READ, 16, 12, 1 << 16, 1, 0, 0, 0, *[0] * 7
            )
        path = self.paths.get(node)
        if path is None:
            raise OSError(errno.ESTALE, "forgotten")
        real = os.path.join(self.folder, path) if path else self.folder
        if opcode == LOOKUP:
            return self.look_up(path, body.rstrip(b"\0"))
        if opcode == GETATTR:
            return struct.pack("<QII", 0, 0, 0) + attributes(os.lstat(real))
        if opcode == READLINK:
            return os.readlink(real)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("<QII", 0, DIRECT_IO if b"stuck" in path else 0, 0)
        if opcode == READ:
            return self.read(path, real, *struct.unpack_from("<QQI", body)[1:])
        if opcode == READDIR:
            return entries(real, *struct.unpack_from("<QQI", body)[1:])
        if opcode == STATFS:
            return struct.pack(
                "<QQQQQIIII6I", 1 << 20, 1 << 19, 1 << 19, 1 << 20, 1 << 19, 4096, 255, 4096, *[0] * 7
            )
        if opcode in (RELEASE, RELEASEDIR, DESTROY):
            return b""
        raise OSError(errno.ENOSYS, "not here")

    def look_up(self, folder: bytes, name: bytes) -> bytes:
        path = os.path.join(folder, name) if folder else name
        status = os.lstat(os.path.join(self.folder, path))
        node = self.nodes.setdefault(path, len(self.nodes) + 1)
        self.paths[node] = path
        return struct.pack("<QQQQII", node, 0, 0, 0, 0, 0) + attributes(status)

    def read(self, path: bytes, real: bytes, offset: int, size: int) -> bytes:
        name = os.path.basename(path)
        if b"eio" in name:
            raise OSError(errno.EIO, "told so")
        if b"hang" in name or b"stuck" in name:
            raise Unanswered
        with open(real, "rb") as file:
            return os.pread(file.fileno(), size, offset)


def attributes(status: os.stat_result) -> bytes:
    times = status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns
    numbers = status.st_ino, status.st_size, status.st_blocks, *(time // 10**9 for time in times)
    rest = status.st_mode, status.st_nlink, status.st_uid, status.st_gid, 0, 4096, 0
    return struct.pack("<6Q10I", *numbers, *(time % 10**9 for time in times), *rest)


def entries(folder: bytes, offset: int, size: int) -> bytes:
    data = b""
    with os.scandir(folder) as found:
        names = sorted(
            (entry.name, entry.inode(), entry.stat(follow_symlinks=False).st_mode) for entry in found
        )
    for number, (name, inode, mode) in enumerate(names[offset:], start=offset + 1):
        entry = struct.pack("<QQII", inode, number, len(name), stat.S_IFMT(mode) >> 12) + name
        entry += bytes(-len(entry) % 8)
        if len(data) + len(entry) > size:
            break
        data += entry
    return data


if __name__ == "__main__":
    Server(int(sys.argv[1]), os.fsencode(sys.argv[2]), os.fsencode(sys.argv[3])).run()
