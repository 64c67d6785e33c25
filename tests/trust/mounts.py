"""Small disks of the tests, mounted where nobody else sees them: one that fills up, one that fails (Linux).

A test that mounts runs as root, or as root of a user namespace of its own (see `mounting` in conftest). The mounts lie in a mount
namespace of the test process, so the system forgets them with it, whatever happens.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.trust.ground import Ground

_NEW_MOUNTS = 0x00020000
_READ_ONLY, _NO_SUID, _NO_DEV, _REMOUNT, _RECURSIVE, _PRIVATE = 1, 2, 4, 32, 1 << 14, 1 << 18
_DETACH = 2
_SERVER = Path(__file__).with_name("fuse_server.py")


def _call(name: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


@lru_cache(maxsize=1)
def enter_own_namespace() -> None:
    """Let what this process mounts from now on be seen by it and its children alone."""
    _call("unshare", _NEW_MOUNTS)
    _call("mount", b"none", b"/", None, ctypes.c_ulong(_RECURSIVE | _PRIVATE), None)


def mount(source: str, folder: Path, kind: str, options: str) -> None:
    """Mount a file system at `folder`, which exists."""
    enter_own_namespace()
    flags = ctypes.c_ulong(_NO_SUID | _NO_DEV)
    _call("mount", source.encode(), bytes(folder), kind.encode(), flags, options.encode())


def resize(folder: Path, kilobytes: int) -> None:
    """Give the disk of memory that is mounted at `folder` another size."""
    flags = ctypes.c_ulong(_REMOUNT | _NO_SUID | _NO_DEV)
    _call("mount", b"none", bytes(folder), None, flags, f"size={kilobytes}k".encode())


def make_read_only(folder: Path) -> None:
    """Let nothing be written any more to the disk that is mounted at `folder`."""
    flags = ctypes.c_ulong(_REMOUNT | _READ_ONLY | _NO_SUID | _NO_DEV)
    _call("mount", b"none", bytes(folder), None, flags, None)


def unmount(folder: Path) -> None:
    """Take what is mounted at `folder` away at once, whoever uses it (umount -l)."""
    _call("umount2", bytes(folder), _DETACH)


def mount_memory(ground: Ground, folder: Path, kilobytes: int) -> None:
    """Mount an empty disk of that size at `folder`, until the end of the test."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mount("small", folder, "tmpfs", f"size={kilobytes}k,mode=700")
    ground.at_the_end.callback(unmount, folder)


class FaultyDisk:
    """A disk at `ground.media` that shows the folder `content` and fails as it is told; see fuse_server.py.

    Attributes:
        content: a plain folder; what lies in it is on the disk.
    """

    def __init__(self, ground: Ground) -> None:
        """Make the folders; `connect` mounts the disk."""
        self._ground = ground
        self.content = ground.folder / "content"
        self._control = ground.folder / "control"
        self._server: subprocess.Popen[bytes] | None = None
        self.content.mkdir()
        self._control.mkdir()
        ground.at_the_end.callback(self._end)

    def connect(self) -> None:
        """Plug it in: from now on it lies at `ground.media`."""
        descriptor = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        try:
            options = f"fd={descriptor},rootmode=40000,user_id=0,group_id=0,allow_other"
            mount("faulty", self._ground.media, "fuse", options)
            words = [sys.executable, str(_SERVER), str(descriptor), str(self.content), str(self._control)]
            self._server = subprocess.Popen(words, pass_fds=[descriptor], start_new_session=True)
        finally:
            os.close(descriptor)
        self._ground.servers.add(self._server.pid)

    def disconnect(self) -> None:
        """Pull it out: nothing but an empty folder is left, and what is open on it fails (umount -l, and the disk gone)."""
        self._stop()
        unmount(self._ground.media)

    def crash(self) -> None:
        """Let the driver die: the folder stays mounted, and everything in it fails with ENOTCONN."""
        self._stop()

    def tell(self, what: str) -> None:
        """Let everything fail (`dead`) or hang (`silent`) from now on, or some of it wait (`hold`, `slow`)."""
        (self._control / what).touch()

    def recover(self) -> None:
        """Let it work as before."""
        for what in ("dead", "silent", "slow", "hold"):
            (self._control / what).unlink(missing_ok=True)

    def _stop(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def _end(self) -> None:
        self._stop()
        with contextlib.suppress(OSError):
            unmount(self._ground.media)
