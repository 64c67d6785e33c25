"""Fingerprints: xxh3_128 over a file's ends (quick) or its whole content (full).

A fingerprint finds candidates for duplicates and moves. It is no proof: nothing is deleted or linked without
a comparison byte by byte.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Protocol

import xxhash

from tui.records import Fingerprint, stored_inode

if TYPE_CHECKING:
    from tui.records import FileJob

END_BYTES = 64 * 1024
"""Bytes at the start and at the end of a file that the quick fingerprint covers."""

_CHUNK = 1 << 20


class Checked(Protocol):
    """What is asked between two reads whether to go on, as `CancelToken.check`."""

    def check(self) -> None:
        """Return when work may go on; raise ScanCancelledError when the scan was aborted."""


def fingerprint_file(job: FileJob, token: Checked, *, full: bool, follow_links: bool = False) -> Fingerprint:
    """Hash one file.

    The quick fingerprint is xxh3_128 over the size as 8 bytes little-endian, the first 64 KiB and the last 64 KiB
    (the whole content up to 128 KiB). For a file that it covers wholly the full fingerprint costs nothing and is
    always given.

    Args:
        job: the file; its size and mtime must still hold.
        token: checked between chunks of 1 MiB.
        full: whether to hash the whole content as well.
        follow_links: whether a path that is a symbolic link stands for what it leads to; else it is an error.

    Returns:
        The outcome; a file that cannot be read, or changed meanwhile, gives an outcome with `error`.

    Raises:
        ScanCancelledError: the scan was aborted.
    """
    try:
        no_links = 0 if follow_links else os.O_NOFOLLOW
        descriptor = os.open(job.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | no_links)
    except OSError as error:
        gone = isinstance(error, FileNotFoundError | NotADirectoryError)
        return _failed(job, f"cannot be opened: {(error.strerror or str(error)).lower()}", elsewhere=gone)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            return _failed(job, "is not a regular file")
        if (before.st_size, before.st_mtime_ns) != (job.size, job.mtime_ns):
            other = stored_inode(before.st_ino) != job.inode
            return _failed(
                job, "changed while it was being scanned; the next scan reads it again", elsewhere=other
            )
        quick = _hash_ends(descriptor, before.st_size)
        whole = _hash_all(descriptor, token) if full or before.st_size <= 2 * END_BYTES else None
        after = os.fstat(descriptor)
    except OSError as error:
        return _failed(job, f"cannot be read: {(error.strerror or str(error)).lower()}")
    finally:
        os.close(descriptor)
    if (after.st_size, after.st_mtime_ns) != (job.size, job.mtime_ns):
        return _failed(job, "changed while it was being scanned; the next scan reads it again")
    return Fingerprint(job.file_id, job.size, job.mtime_ns, quick=quick, full=whole)


def _hash_ends(descriptor: int, size: int) -> bytes:
    digest = xxhash.xxh3_128(size.to_bytes(8, "little"))
    digest.update(_read_at(descriptor, 0, min(size, END_BYTES)))
    if size > END_BYTES:
        start = max(END_BYTES, size - END_BYTES)
        digest.update(_read_at(descriptor, start, size - start))
    return digest.digest()


def _hash_all(descriptor: int, token: Checked) -> bytes:
    digest = xxhash.xxh3_128()
    offset = 0
    while chunk := os.pread(descriptor, _CHUNK, offset):
        token.check()
        digest.update(chunk)
        offset += len(chunk)
    return digest.digest()


def _read_at(descriptor: int, offset: int, length: int) -> bytes:
    """Read exactly `length` bytes unless the file ends first; one `pread` may give less (signals, network disks)."""
    parts = []
    while length > 0 and (part := os.pread(descriptor, length, offset)):
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return b"".join(parts)


def _failed(job: FileJob, message: str, *, elsewhere: bool = False) -> Fingerprint:
    return Fingerprint(job.file_id, job.size, job.mtime_ns, error=message, elsewhere=elsewhere, path=job.path)
