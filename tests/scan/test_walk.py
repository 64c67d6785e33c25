"""The walk, on real directory trees."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.media import write_file
from tui.records import Kind
from tui.scan.cancel import CancelToken, ScanCancelledError
from tui.scan.ignore import compile_patterns
from tui.scan.walk import FolderListing, Walk, WalkOptions

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {b"jpg": Kind.IMAGE, b"cr2": Kind.RAW, b"mov": Kind.VIDEO, b"mp3": Kind.AUDIO}


def walk(
    root: Path | bytes, *, start: bytes = b"", ignore: tuple[str, ...] = (), **options: bool
) -> list[FolderListing]:
    settings = WalkOptions(KINDS, compile_patterns(ignore), **options)
    return list(Walk(os.fsencode(root), settings, CancelToken(), start=start))


def paths_of(listings: list[FolderListing]) -> set[bytes]:
    return {os.path.join(listing.path, file.name) for listing in listings for file in listing.files}


def messages_of(listings: list[FolderListing]) -> dict[bytes, str]:
    return {
        os.path.basename(problem.path): problem.message
        for listing in listings
        for problem in listing.problems
    }


def test_finds_media_of_all_kinds_in_any_case_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a.jpg", "B.JPG", "c.Cr2", "d/e.mov", "d/f/g.mp3", "notes.txt", "jpg", "x.jpg.bak"):
        write_file(tmp_path / name, b"x")
    listings = walk(tmp_path)
    assert paths_of(listings) == {b"a.jpg", b"B.JPG", b"c.Cr2", b"d/e.mov", b"d/f/g.mp3"}
    assert {file.kind for listing in listings for file in listing.files} == set(Kind)
    assert [listing.path for listing in listings] == [b"", b"d", b"d/f"]


def test_a_file_comes_with_what_lstat_says(tmp_path: Path) -> None:
    write_file(tmp_path / "a.jpg", b"12345")
    os.link(tmp_path / "a.jpg", tmp_path / "b.jpg")
    status = os.lstat(tmp_path / "a.jpg")
    (listing,) = walk(tmp_path)
    for file in listing.files:
        assert (file.size, file.mtime_ns, file.inode, file.links) == (5, status.st_mtime_ns, status.st_ino, 2)


@pytest.mark.parametrize(
    "name", [b"caf\xe9.jpg", b"new\nline.jpg", b"\x1b[31m.jpg", b" lead.jpg", b"[bold].jpg"]
)
def test_names_are_bytes_and_any_bytes(tmp_path: Path, name: bytes) -> None:
    write_file(os.path.join(os.fsencode(tmp_path), name), b"x")
    assert paths_of(walk(tmp_path)) == {name}


def test_hidden_files_and_folders_only_when_asked(tmp_path: Path) -> None:
    write_file(tmp_path / ".a.jpg", b"x")
    write_file(tmp_path / ".cache/b.jpg", b"x")
    assert paths_of(walk(tmp_path)) == set()
    assert sum(listing.ignored for listing in walk(tmp_path)) == 2
    assert paths_of(walk(tmp_path, hidden=True)) == {b".a.jpg", b".cache/b.jpg"}


def test_patterns_of_the_configuration(tmp_path: Path) -> None:
    for name in ("@eaDir/a.jpg", ".Trash-1000/a.jpg", "b/@eaDir/c.jpg", "b/ok.jpg", "b/x_thumb.jpg"):
        write_file(tmp_path / name, b"x")
    assert paths_of(walk(tmp_path, ignore=("@eaDir", ".Trash*", "*_thumb.jpg"), hidden=True)) == {b"b/ok.jpg"}


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        (("/b/*.jpg",), {b"a.jpg", b"b/c/d.jpg"}),
        (("*.jpg", "!a.jpg"), {b"a.jpg"}),
        (("b/**/d.jpg",), {b"a.jpg", b"b/x.jpg"}),
        (("c/",), {b"a.jpg", b"b/x.jpg"}),
        (("# comment", "", "x.jpg"), {b"a.jpg", b"b/c/d.jpg"}),
        (("b/c/", "a.jpg"), {b"b/x.jpg"}),
        (("b/x.jpg/",), {b"a.jpg", b"b/x.jpg", b"b/c/d.jpg"}),
    ],
)
def test_patterns_with_paths_are_gitignore(
    tmp_path: Path, patterns: tuple[str, ...], kept: set[bytes]
) -> None:
    for name in ("a.jpg", "b/x.jpg", "b/c/d.jpg"):
        write_file(tmp_path / name, b"x")
    assert paths_of(walk(tmp_path, ignore=patterns)) == kept


def test_ignore_files_hold_below_their_folder_and_the_deepest_wins(tmp_path: Path) -> None:
    for name in ("a.jpg", "b/a.jpg", "b/keep.jpg", "b/c/a.jpg", "b/c/keep.jpg"):
        write_file(tmp_path / name, b"x")
    write_file(tmp_path / "b/.yapmoignore", b"*.jpg\n!keep.jpg\n")
    write_file(tmp_path / "b/c/.yapmoignore", b"!a.jpg\nkeep.jpg\n")
    assert paths_of(walk(tmp_path)) == {b"a.jpg", b"b/keep.jpg", b"b/c/a.jpg"}
    assert paths_of(walk(tmp_path, start=b"b/c")) == {b"b/c/a.jpg"}


def test_an_ignore_file_that_is_a_pipe_does_not_hang(tmp_path: Path) -> None:
    write_file(tmp_path / "a.jpg", b"x")
    os.mkfifo(tmp_path / ".yapmoignore")
    listings = walk(tmp_path)
    assert paths_of(listings) == {b"a.jpg"}
    assert "not a regular file" in messages_of(listings)[b".yapmoignore"]


def test_what_is_no_file_is_reported_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    write_file(tmp_path / "folder.jpg/in.jpg", b"x")
    listings = walk(tmp_path)
    assert paths_of(listings) == {b"folder.jpg/in.jpg"}
    assert messages_of(listings)[b"pipe.jpg"] == "is a named pipe, not a file; skipped"


def test_links_are_left_out_unless_followed(tmp_path: Path) -> None:
    write_file(tmp_path / "real/a.jpg", b"x")
    os.symlink(tmp_path / "real/a.jpg", tmp_path / "link.jpg")
    os.symlink(tmp_path / "real", tmp_path / "dir")
    os.symlink(tmp_path / "nowhere", tmp_path / "broken.jpg")
    assert paths_of(walk(tmp_path)) == {b"real/a.jpg"}
    followed = walk(tmp_path, follow_symlinks=True)
    assert paths_of(followed) == {b"real/a.jpg", b"link.jpg", b"dir/a.jpg"}
    assert b"broken.jpg" in messages_of(followed)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    write_file(tmp_path / "a/b/c.jpg", b"x")
    os.symlink(tmp_path, tmp_path / "a/b/up")
    listings = walk(tmp_path, follow_symlinks=True)
    assert paths_of(listings) == {b"a/b/c.jpg"}
    assert "leads back" in messages_of(listings)[b"up"]


def test_an_unreadable_folder_is_a_problem_and_the_walk_goes_on(tmp_path: Path) -> None:
    write_file(tmp_path / "closed/a.jpg", b"x")
    write_file(tmp_path / "open/b.jpg", b"x")
    os.chmod(tmp_path / "closed", 0)
    for folder in (tmp_path, *tmp_path.parents):
        os.chmod(folder, os.stat(folder).st_mode | 0o055)
    program = (
        "import os, sys; os.setgid(65534); os.setuid(65534)\n"
        "from tests.scan.test_walk import walk, paths_of, messages_of\n"
        f"found = walk({str(tmp_path)!r}.encode())\n"
        "assert paths_of(found) == {b'open/b.jpg'}, paths_of(found)\n"
        "assert messages_of(found) == {b'closed': 'cannot read the folder: permission denied'}, messages_of(found)\n"
        "assert [listing.readable for listing in found] == [True, False, True]\n"
    )
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path[:0] = {[os.getcwd()]!r}\nimport tests.scan.test_walk\n{program}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_a_tree_deeper_than_the_longest_path_is_reported_not_silently_empty(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(30):
        os.mkdir(b"d" * 200, dir_fd=here)
        deeper = os.open(b"d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    listings = walk(tmp_path)
    assert any("longer than the system allows" in message for message in messages_of(listings).values())


def test_a_preferred_folder_comes_next(tmp_path: Path) -> None:
    for letter in "abcdef":
        write_file(tmp_path / letter / "sub" / "x.jpg", b"x")
    run = Walk(os.fsencode(tmp_path), WalkOptions(KINDS, compile_patterns(())), CancelToken())
    order = []
    for listing in run:
        order.append(listing.path)
        if listing.path == b"":
            run.prefer(b"e/sub")
    assert order[1:3] == [b"e", b"e/sub"]
    assert len(order) == 13


def test_an_abort_ends_the_walk_at_the_next_folder(tmp_path: Path) -> None:
    write_file(tmp_path / "a/b/c.jpg", b"x")
    token = CancelToken()
    run = iter(Walk(os.fsencode(tmp_path), WalkOptions(KINDS, compile_patterns(())), token))
    next(run)
    token.abort()
    with pytest.raises(ScanCancelledError):
        next(run)


def test_a_paused_walk_waits_and_an_abort_wakes_it(tmp_path: Path) -> None:
    write_file(tmp_path / "a/b.jpg", b"x")
    token = CancelToken()
    token.pause()
    ended = threading.Event()

    def run() -> None:
        with pytest.raises(ScanCancelledError):
            list(Walk(os.fsencode(tmp_path), WalkOptions(KINDS, compile_patterns(())), token))
        ended.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    time.sleep(0.05)
    assert not ended.is_set()
    token.abort()
    assert ended.wait(10)


def test_a_root_that_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        walk(tmp_path / "nothing")
