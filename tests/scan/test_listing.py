"""What the walk found in one folder, in columns."""

from __future__ import annotations

import os

import pytest

from tui.records import FoundFile, Kind
from tui.scan.listing import FoundFiles

FILES = [FoundFile(b"%d.jpg" % number, Kind.IMAGE, number, 10 + number, 20 + number) for number in range(3)]


def status(size: int = 1, mtime_ns: int = 1, inode: int = 1) -> os.stat_result:
    return os.stat_result((0o100644, inode, 1, 1, 0, 0, size, 0, 0, 0), {"st_mtime_ns": mtime_ns})


def test_columns_give_back_what_was_put_in() -> None:
    listing = FoundFiles(FILES)
    assert list(listing) == FILES
    assert [listing[place] for place in range(len(listing))] == FILES


@pytest.mark.parametrize("file", [file._replace(links=9, kind=Kind.RAW) for file in FILES])
def test_a_digest_is_over_what_a_scan_compares(file: FoundFile) -> None:
    digest = FoundFiles([file]).digest()
    assert FoundFiles([file._replace(links=8, kind=Kind.IMAGE)]).digest() == digest
    assert FoundFiles([file]).digest(b"png is an image") != digest
    for other in (
        file._replace(name=b"other"),
        file._replace(size=99),
        file._replace(mtime_ns=99),
        file._replace(inode=99),
        file._replace(links=1),
    ):
        assert FoundFiles([other]).digest() != digest
    assert FoundFiles([file, *FILES]).digest() != digest


def test_numbers_beyond_63_bits_are_what_the_library_can_hold() -> None:
    listing = FoundFiles(FILES[:1])
    listing.sizes.append(5)  # as the walk does, until a number does not fit
    listing.add_clamped(b"big", Kind.IMAGE, status(size=5, mtime_ns=2**70, inode=2**64 - 1))
    listing.add_clamped(b"old", Kind.IMAGE, status(mtime_ns=-(2**70)))
    assert list(listing)[1:] == [
        FoundFile(b"big", Kind.IMAGE, 5, 2**63 - 1, 2**63 - 1),
        FoundFile(b"old", Kind.IMAGE, 1, -(2**63), 1),
    ]
