"""Which file system a path lies on: the identity of roots, and whether inodes can be trusted there.

Linux tells it in `/proc/self/mountinfo` (proc(5)) and `/dev/disk/by-uuid`; elsewhere the device number of
`stat` has to do.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_NETWORK_TYPES = frozenset(
    {
        b"nfs",
        b"nfs4",
        b"cifs",
        b"smb3",
        b"smbfs",
        b"afs",
        b"ceph",
        b"9p",
        b"glusterfs",
        b"fuse.sshfs",
        b"fuse.rclone",
        b"davfs",
    }
)
_UNSTABLE_INODES = frozenset({b"cifs", b"smb3", b"smbfs", b"9p", b"vfat", b"msdos", b"exfat", b"davfs"})
_OCTAL = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class FileSystem:
    """The file system under one path.

    Attributes:
        identity: name that lasts over mounts and reboots: `uuid:…` where the disk has one, else `TYPE:SOURCE`.
        type: as the kernel names it (`ext4`, `nfs4` …), empty where unknown.
        path_in_file_system: the path seen from the file system's own root.
        network: True for network file systems.
        stable_inodes: True where an inode number names the same file at the next mount.
    """

    identity: str
    type: str
    path_in_file_system: bytes
    network: bool
    stable_inodes: bool


@dataclass(frozen=True, slots=True)
class _Mount:
    device: str
    root: bytes
    point: bytes
    type: bytes
    source: bytes


def file_system_of(path: bytes) -> FileSystem:
    """Return the file system that holds `path`, an absolute path of something that exists.

    Raises:
        OSError: `path` cannot be looked at.
    """
    real = os.path.realpath(path)
    number = os.stat(real).st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    mount = _find_mount(real, device)
    if mount is None:
        return FileSystem(f"device:{device}", "", real, network=False, stable_inodes=True)
    below = os.path.relpath(real, mount.point) if real != mount.point else b"."
    inner = mount.root if below == b"." else os.path.join(mount.root, below)
    uuid = _uuid_of(mount.source)
    identity = f"uuid:{uuid}" if uuid else f"{os.fsdecode(mount.type)}:{os.fsdecode(mount.source)}"
    fuse = mount.type == b"fuse" or mount.type.startswith(b"fuse.")
    return FileSystem(
        identity=identity,
        type=os.fsdecode(mount.type),
        path_in_file_system=inner,
        network=mount.type in _NETWORK_TYPES,
        stable_inodes=not fuse and mount.type not in _UNSTABLE_INODES,
    )


def _find_mount(real: bytes, device: str) -> _Mount | None:
    """Return the mount that `real` lies under: the longest mount point above it, later mounts first."""
    best: _Mount | None = None
    for mount in _read_mounts():
        above = mount.point == b"/" or real == mount.point or real.startswith(mount.point + b"/")
        if above and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    # btrfs gives subvolumes device numbers of their own, so a differing number is no proof of a wrong mount
    if best is not None and best.device != device and best.type not in (b"btrfs", b"overlay", b"zfs"):
        return None
    return best


def _read_mounts() -> list[_Mount]:
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    mounts = []
    for line in lines:
        left, separator, right = line.partition(b" - ")
        fields, rest = left.split(b" "), right.split(b" ")
        if separator and len(fields) >= 5 and len(rest) >= 2:
            device = fields[2].decode("ascii", "replace")
            mounts.append(
                _Mount(device, _unescape(fields[3]), _unescape(fields[4]), rest[0], _unescape(rest[1]))
            )
    return mounts


def _unescape(text: bytes) -> bytes:
    """Undo mountinfo's octal escapes of space, tab, newline and backslash."""
    return _OCTAL.sub(lambda match: bytes([int(match.group(1), 8) & 0xFF]), text)


def _uuid_of(source: bytes) -> str:
    """Return the UUID of a block device, empty where it has none or udev is not there."""
    if not source.startswith(b"/dev/"):
        return ""
    folder = b"/dev/disk/by-uuid"
    try:
        wanted = os.path.realpath(source)
        for name in os.listdir(folder):
            if os.path.realpath(os.path.join(folder, name)) == wanted:
                return os.fsdecode(name)
    except OSError:
        return ""
    return ""
