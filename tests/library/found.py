"""Files as the walk would find them."""

from __future__ import annotations

from tui.records import FoundFile, Kind

NOW = 1_700_000_000_000_000_000
"""Nanoseconds since the epoch; the time at which everything in these tests happens."""


def found(
    name: bytes,
    *,
    size: int = 1_000,
    mtime_ns: int = NOW,
    inode: int = 1,
    links: int = 1,
    kind: Kind = Kind.IMAGE,
) -> FoundFile:
    """Return a file as the walk would find it."""
    return FoundFile(name, kind, size, mtime_ns, inode, links)
