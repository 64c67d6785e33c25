"""Disks that fail in the middle of a scan: reads that fail or never return, roots that disappear and come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.media import jpeg_bytes, write_file
from tests.trust.mounts import FaultyDisk

if TYPE_CHECKING:
    from tests.trust.ground import Ground

pytestmark = pytest.mark.mounts


@pytest.fixture
def disk(ground: Ground) -> FaultyDisk:
    """A disk with a dozen pictures, connected."""
    disk = FaultyDisk(ground)
    for number in range(12):
        write_file(disk.content / f"{number % 3}" / f"{number}.jpg", jpeg_bytes(number))
    return disk


def test_a_sound_disk(ground: Ground, disk: FaultyDisk) -> None:
    disk.connect()
    ground.begin()
    assert ground.scan().code == 0
    assert len(ground.found()) == 12
