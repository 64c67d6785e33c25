"""What kind of disk is guessed from the system, and how programs are shared among disks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tui.mounts import Mount
from tui.scan.disks import Disk, guess_disk, share_extractors

if TYPE_CHECKING:
    from pathlib import Path


def mount(kind: str, source: bytes, device: str = "8:1") -> Mount:
    return Mount(device, b"/", b"/mnt", kind, source)


@pytest.mark.parametrize(
    ("kind", "source", "disk"),
    [
        ("nfs4", b"nas:/export", Disk.NETWORK),
        ("nfs", b"nas:/export", Disk.NETWORK),
        ("cifs", b"//nas/photos", Disk.NETWORK),
        ("fuse.sshfs", b"me@nas:", Disk.NETWORK),
        ("fuse.somethingnew", b"nas:/photos", Disk.NETWORK),
        ("fuse.mergerfs", b"/disk1:/disk2", Disk.SSD),
        ("ceph", b"10.0.0.1:6789:/", Disk.NETWORK),
        ("9p", b"host", Disk.NETWORK),
        ("tmpfs", b"tmpfs", Disk.SSD),
        ("overlay", b"overlay", Disk.SSD),
        ("zfs", b"tank/photos", Disk.SSD),
    ],
)
def test_the_type_of_the_file_system_tells_a_share(
    tmp_path: Path, kind: str, source: bytes, disk: Disk
) -> None:
    assert guess_disk(mount(kind, source), "0:99", block_devices=str(tmp_path)) is disk


class Devices:
    """Block devices as sysfs describes them: folders, and links to them by number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.by_number = folder / "dev"
        self.by_number.mkdir()

    def add(self, number: str, place: str, *, rotational: str = "", vendor: str = "") -> Path:
        """Describe a device at `place`; `rotational` is empty for a partition."""
        device = self.folder / place
        device.mkdir(parents=True, exist_ok=True)
        if rotational:
            (device / "queue").mkdir()
            (device / "queue/rotational").write_text(f"{rotational}\n")
        if vendor:
            (device / "device").mkdir()
            (device / "device/vendor").write_text(f"{vendor}   \n")
        os.symlink(device, self.by_number / number)
        return device

    def guess(self, number: str) -> Disk:
        return guess_disk(mount("ext4", b"/dev/x", number), number, block_devices=str(self.by_number))


def test_the_block_device_or_its_whole_tells_whether_it_turns(tmp_path: Path) -> None:
    devices = Devices(tmp_path)
    devices.add("8:0", "pci/block/sda", rotational="1", vendor="ATA")
    devices.add("8:1", "pci/block/sda/sda1")
    devices.add("259:0", "pci/nvme/nvme0n1", rotational="0")
    assert [devices.guess(number) for number in ("8:0", "8:1", "259:0", "7:7")] == [
        Disk.HDD,
        Disk.HDD,
        Disk.SSD,
        Disk.SSD,
    ]


def test_what_is_put_together_turns_when_one_of_its_parts_does(tmp_path: Path) -> None:
    devices = Devices(tmp_path)
    turning = devices.add("8:0", "pci/block/sda", rotational="1", vendor="ATA")
    still = devices.add("8:16", "pci/block/sdb", rotational="0")
    for number, name, parts in (("253:0", "dm-0", [still, turning]), ("253:1", "dm-1", [still])):
        mapped = devices.add(number, f"virtual/{name}", rotational="1")
        (mapped / "slaves").mkdir()
        for part in parts:
            os.symlink(part, mapped / "slaves" / part.name)
    assert (devices.guess("253:0"), devices.guess("253:1")) == (Disk.HDD, Disk.SSD)


def test_a_virtual_machine_does_not_know_what_turns(tmp_path: Path) -> None:
    devices = Devices(tmp_path)
    devices.add("254:0", "pci/virtio2/block/vda", rotational="1")
    devices.add("8:0", "pci/host0/block/sda", rotational="1", vendor="VMware")
    assert (devices.guess("254:0"), devices.guess("8:0")) == (Disk.SSD, Disk.SSD)


@pytest.mark.parametrize(
    ("number", "limits", "busy", "shares"),
    [
        (8, [None], [True], [8]),
        (8, [2], [True], [2]),
        (8, [None, 2], [True, True], [6, 2]),
        (8, [None, None], [True, True], [4, 4]),
        (8, [None, None], [True, False], [7, 1]),
        (8, [2, 2], [True, True], [2, 2]),
        (1, [None, None, 2], [True, True, True], [1, 1, 1]),
        (3, [None], [False], [1]),
    ],
)
def test_programs_are_shared_among_disks_that_have_work(
    number: int, limits: list[int | None], busy: list[bool], shares: list[int]
) -> None:
    assert share_extractors(number, limits, busy) == shares
