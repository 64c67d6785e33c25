"""Fingerprints of real files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import xxhash

from tests.media import write_file
from tui.records import FileJob, Kind, stored_inode
from tui.scan.cancel import CancelToken, ScanCancelledError
from tui.scan.fingerprint import END_BYTES, fingerprint_file

if TYPE_CHECKING:
    from pathlib import Path

    from tui.records import Fingerprint


def job_for(path: Path) -> FileJob:
    status = os.lstat(path)
    return FileJob(
        1,
        os.fsencode(path),
        Kind.IMAGE,
        status.st_size,
        status.st_mtime_ns,
        1,
        inode=stored_inode(status.st_ino),
    )


def fingerprint(path: Path, *, full: bool = False) -> Fingerprint:
    return fingerprint_file(job_for(path), CancelToken(), full=full)


@pytest.mark.parametrize(
    "size", [0, 1, END_BYTES, END_BYTES + 1, 2 * END_BYTES, 2 * END_BYTES + 1, 1_000_000]
)
def test_quick_is_the_hash_of_size_head_and_tail(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    write_file(tmp_path / "a", content)
    tail = content[max(END_BYTES, size - END_BYTES) :]
    expected = xxhash.xxh3_128(size.to_bytes(8, "little") + content[:END_BYTES] + tail).digest()
    result = fingerprint(tmp_path / "a")
    assert result.quick == expected
    assert result.full == (xxhash.xxh3_128(content).digest() if size <= 2 * END_BYTES else None)
    assert fingerprint(tmp_path / "a", full=True).full == xxhash.xxh3_128(content).digest()


def test_files_that_differ_in_the_middle_alone_differ_in_full(tmp_path: Path) -> None:
    content = bytearray(os.urandom(300_000))
    write_file(tmp_path / "a", bytes(content))
    content[150_000] ^= 1
    write_file(tmp_path / "b", bytes(content))
    a, b = fingerprint(tmp_path / "a", full=True), fingerprint(tmp_path / "b", full=True)
    assert a.quick == b.quick
    assert a.full != b.full


def test_what_cannot_be_hashed_says_why(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"x")
    job = job_for(tmp_path / "a")
    write_file(tmp_path / "a", b"xy")
    assert "changed while" in (fingerprint_file(job, CancelToken(), full=False).error or "")
    os.unlink(tmp_path / "a")
    assert "no such file" in (fingerprint_file(job, CancelToken(), full=False).error or "")
    os.mkfifo(tmp_path / "a")
    assert "not a regular file" in (fingerprint_file(job, CancelToken(), full=False).error or "")
    os.unlink(tmp_path / "a")
    os.symlink("/etc/passwd", tmp_path / "a")
    assert "cannot be opened" in (fingerprint_file(job, CancelToken(), full=False).error or "")


def test_another_file_at_the_path_is_told_from_a_changed_one(tmp_path: Path) -> None:
    """Where nothing, or another file, lies at its path, the file may be elsewhere; one that changed is where it was."""
    write_file(tmp_path / "a", b"x")
    job = job_for(tmp_path / "a")
    assert not fingerprint_file(job, CancelToken(), full=False).elsewhere
    write_file(tmp_path / "a", b"xy")
    assert not fingerprint_file(job, CancelToken(), full=False).elsewhere
    write_file(tmp_path / "b", b"xyz")
    os.replace(tmp_path / "b", tmp_path / "a")
    assert fingerprint_file(job, CancelToken(), full=False).elsewhere
    os.unlink(tmp_path / "a")
    assert fingerprint_file(job, CancelToken(), full=False).elsewhere


def test_an_abort_stops_a_long_hash(tmp_path: Path) -> None:
    with open(tmp_path / "a", "wb") as file:
        file.truncate(50_000_000)
    token = CancelToken()
    token.abort()
    with pytest.raises(ScanCancelledError):
        fingerprint_file(job_for(tmp_path / "a"), token, full=True)
