"""The system's table of mounts: what lies at a path, and whether it is a disk of this machine or a network share.

Linux keeps it in `/proc/self/mountinfo` (proc_pid_mountinfo(5)); elsewhere nothing is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.paths import is_inside

TABLE = "/proc/self/mountinfo"

NETWORK_TYPES = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "coda", "ceph", "9p", "davfs"),
        *("glusterfs", "lustre", "beegfs", "gpfs", "orangefs"),
        *("fuse.sshfs", "fuse.rclone", "fuse.glusterfs", "fuse.ceph-fuse", "fuse.s3fs", "fuse.gcsfuse"),
    }
)
"""File systems whose files lie on another machine, as the kernel names them."""

LOCAL_TYPES = frozenset(
    {
        *("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "bcachefs", "vfat", "exfat", "ntfs3"),
        *("tmpfs", "ramfs", "overlay", "iso9660", "udf", "squashfs"),
    }
)
"""File systems on the disks or in the memory of this machine. What is in neither list may be either."""

_OCTAL = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of the table.

    Attributes:
        device: `major:minor`, the `st_dev` of what lies on it.
        root: the path inside the file system that is mounted.
        point: absolute path where it is mounted.
        type: as the kernel names it (`ext4`, `nfs4` …).
        source: what is mounted: a block device, `host:/export` …
    """

    device: str
    root: bytes
    point: bytes
    type: str
    source: bytes


def read_mounts(table: str = TABLE) -> list[Mount]:
    """Return all mounts in the order in which they were made; none where the system has no such table."""
    try:
        with open(table, "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    return [mount for line in lines if (mount := _parse(line)) is not None]


def find_mount(path: bytes, table: str = TABLE) -> Mount | None:
    """Return the mount that `path` (absolute, without links) lies on; None where the system does not tell."""
    best: Mount | None = None
    for mount in read_mounts(table):
        # of two at the same place the later one hides the other
        if is_inside(path, mount.point) and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def _parse(line: bytes) -> Mount | None:
    left, separator, right = line.partition(b" - ")
    fields, rest = left.split(b" "), right.split(b" ")
    if not separator or len(fields) < 5 or len(rest) < 2:
        return None
    return Mount(
        device=fields[2].decode("ascii", "replace"),
        root=_unescape(fields[3]),
        point=_unescape(fields[4]),
        type=rest[0].decode("utf-8", "replace"),
        source=_unescape(rest[1]),
    )


def _unescape(text: bytes) -> bytes:
    """Undo the octal escapes of space, tab, newline and backslash."""
    return _OCTAL.sub(lambda match: bytes([int(match.group(1), 8) & 0xFF]), text)
