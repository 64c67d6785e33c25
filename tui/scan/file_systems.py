"""Which file system a path lies on: the identity of roots, and whether inodes can be trusted there.

Linux tells it in its table of mounts and in `/dev/disk/by-uuid`; elsewhere the device number of
`stat` has to do.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.mounts import find_mount
from tui.scan.disks import Disk, guess_disk

if TYPE_CHECKING:
    from tui.mounts import Mount

_UNSTABLE_INODES = frozenset({"cifs", "smb3", "smbfs", "9p", "vfat", "msdos", "exfat", "davfs"})


@dataclass(frozen=True, slots=True)
class FileSystem:
    """The file system under one path.

    Attributes:
        identity: name that lasts over mounts and reboots: `uuid:…` where the disk has one, else `TYPE:SOURCE`.
        type: as the kernel names it (`ext4`, `nfs4` …), empty where unknown.
        path_in_file_system: the path seen from the file system's own root.
        stable_inodes: True where an inode number names the same file at the next mount.
        disk: kind of disk that it seems to lie on.
    """

    identity: str
    type: str
    path_in_file_system: bytes
    stable_inodes: bool
    disk: Disk = Disk.SSD

    @property
    def is_unmistakable(self) -> bool:
        """Whether no other file system may ever have this identity: each stick in turn is `/dev/sdb1`, each tmpfs `tmpfs`."""
        return self.identity.startswith("uuid:") or self.disk is Disk.NETWORK


def file_system_of(path: bytes) -> FileSystem:
    """Return the file system that holds `path`, an absolute path of something that exists.

    Raises:
        OSError: `path` cannot be looked at.
    """
    real = os.path.realpath(path)
    number = os.stat(real).st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    mount = _mount_of(real, device)
    if mount is None:
        return FileSystem(f"device:{device}", "", real, stable_inodes=True)
    below = os.path.relpath(real, mount.point) if real != mount.point else b"."
    inner = mount.root if below == b"." else os.path.join(mount.root, below)
    uuid = _uuid_of(mount.source)
    identity = f"uuid:{uuid}" if uuid else f"{mount.type}:{os.fsdecode(mount.source)}"
    fuse = mount.type == "fuse" or mount.type.startswith("fuse.")
    return FileSystem(
        identity=identity,
        type=mount.type,
        path_in_file_system=inner,
        stable_inodes=not fuse and mount.type not in _UNSTABLE_INODES,
        disk=guess_disk(mount, device),
    )


def _mount_of(real: bytes, device: str) -> Mount | None:
    """Return the mount that `real` lies on, None where its device number says that it is another."""
    mount = find_mount(real)
    # btrfs gives subvolumes device numbers of their own, so a differing number is no proof of a wrong mount
    if mount is not None and mount.device != device and mount.type not in ("btrfs", "overlay", "zfs"):
        return None
    return mount


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
