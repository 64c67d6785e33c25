"""Kinds of disks: how one is guessed from the system, and how many reads at once are good for it.

Sources: Documentation/ABI/stable/sysfs-block of the Linux kernel (`queue/rotational`), proc_pid_mountinfo(5).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tui.mounts import NETWORK_TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.mounts import Mount

BLOCK_DEVICES = "/sys/dev/block"
"""Where Linux describes every block device by its number."""


_VIRTUAL_MAKERS = ("qemu", "vmware", "vbox", "msft", "virtual")


class Disk(StrEnum):
    """A kind of disk."""

    SSD = "ssd"
    HDD = "hdd"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class DiskProfile:
    """How a kind of disk is read.

    Attributes:
        hashing: files that are hashed at once.
        most_extractors: programs that read metadata from it at once; None for as many as there may be.
        one_walk: whether its folders are listed by one walk at a time, for the same reason.
        in_path_order: whether files are read by folder and name, so that the head of the disk does not jump.
    """

    hashing: int
    most_extractors: int | None = None
    in_path_order: bool = False
    one_walk: bool = False


PROFILES = {
    Disk.SSD: DiskProfile(hashing=2),
    Disk.HDD: DiskProfile(hashing=1, most_extractors=2, in_path_order=True, one_walk=True),
    Disk.NETWORK: DiskProfile(hashing=8),
}
"""How each kind of disk is read; docs/decisions/disk-profiles.md says why."""


def guess_disk(mount: Mount | None, device: str, *, block_devices: str = BLOCK_DEVICES) -> Disk:
    """Return what kind of disk a file system lies on; SSD where the system does not tell.

    Args:
        mount: the file system, None where the system has no table of mounts.
        device: its `st_dev` as `major:minor`.
        block_devices: where the system describes block devices.
    """
    if mount is not None and _is_network(mount):
        return Disk.NETWORK
    for number in _device_numbers(mount, device):
        rotates = _rotates(os.path.join(block_devices, number))
        if rotates is not None:
            return Disk.HDD if rotates else Disk.SSD
    return Disk.SSD


def _is_network(mount: Mount) -> bool:
    if mount.type in NETWORK_TYPES:
        return True
    # a program that mounts `host:path` fetches it from there, whatever it calls itself
    is_fuse = mount.type.startswith("fuse.")
    return is_fuse and b":" in mount.source and not mount.source.startswith(b"/")


def _device_numbers(mount: Mount | None, device: str) -> list[str]:
    """Return the numbers under which the device may be described: btrfs has a number of its own for each subvolume."""
    numbers = [device]
    if mount is not None and mount.source.startswith(b"/dev/"):
        try:
            status = os.stat(mount.source)
        except OSError:
            return numbers
        if stat.S_ISBLK(status.st_mode):
            numbers.append(f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}")
    return numbers


def _rotates(device: str) -> bool | None:
    """Tell whether a block device, or the whole of which it is a partition, has a turning disk; None where unknown."""
    real = os.path.realpath(device)
    for folder in (real, os.path.dirname(real)):
        flag = _read(os.path.join(folder, "queue", "rotational"))
        if not flag:
            continue
        parts = _parts(folder)
        if parts:
            known = [_rotates(part) for part in parts]
            return any(known) if None not in known or True in known else None
        return None if flag == "1" and _is_virtual(folder) else flag == "1"
    return None


def _parts(device: str) -> list[str]:
    """Return the devices that one is put together from (device mapper, md); none for a plain disk."""
    folder = os.path.join(device, "slaves")
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder)]
    except OSError:
        return []


def _is_virtual(device: str) -> bool:
    """Tell whether a disk is made up by a virtual machine, which calls it turning without knowing."""
    if any(part.startswith(("virtio", "vbd-")) for part in device.split("/")):
        return True
    maker = _read(os.path.join(device, "device", "vendor")) + _read(os.path.join(device, "device", "model"))
    return any(name in maker.lower() for name in _VIRTUAL_MAKERS)


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def share_extractors(number: int, limits: Sequence[int | None], busy: Sequence[bool]) -> list[int]:
    """Share programs that read metadata among disks.

    Every disk gets one, even when there are more disks than programs: one that does not answer must not keep the
    others waiting. The rest goes to disks that have something to read, evenly, as far as each may have more.

    Args:
        number: how many there are.
        limits: the most that each disk may have, None for any number.
        busy: whether each disk has something to read.
    """
    shares = [1] * len(limits)
    while sum(shares) < number:
        hungry = [
            place
            for place, limit in enumerate(limits)
            if busy[place] and (limit is None or shares[place] < limit)
        ]
        if not hungry:
            break
        shares[min(hungry, key=lambda place: shares[place])] += 1
    return shares
