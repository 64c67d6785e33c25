"""The walk, on real directory trees."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.media import write_file
from tui.records import Kind
from tui.scan.cancel import CancelToken, ScanCancelledError
from tui.scan.ignore import compile_patterns
from tui.scan.walk import Walk, WalkOptions

if TYPE_CHECKING:
    from pathlib import Path

    from tui.scan.listing import WalkedFolder

KINDS = {b"jpg": Kind.IMAGE, b"cr2": Kind.RAW, b"mov": Kind.VIDEO, b"mp3": Kind.AUDIO}


def walk(
    root: Path | bytes, *, start: bytes = b"", ignore: tuple[str, ...] = (), **options: Any
) -> list[WalkedFolder]:
    settings = WalkOptions(KINDS, compile_patterns(ignore), **options)
    return list(Walk(os.fsencode(root), settings, CancelToken(), start=start))


def paths_of(listings: list[WalkedFolder]) -> set[bytes]:
    return {os.path.join(listing.path, file.name) for listing in listings for file in listing.files}


def messages_of(listings: list[WalkedFolder]) -> dict[bytes, str]:
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
    assert paths_of(followed) == {b"real/a.jpg", b"link.jpg"}
    assert b"broken.jpg" in messages_of(followed)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    write_file(tmp_path / "a/b/c.jpg", b"x")
    os.symlink(tmp_path, tmp_path / "a/b/up")
    listings = walk(tmp_path, follow_symlinks=True)
    assert paths_of(listings) == {b"a/b/c.jpg"}
    assert "leads back" in messages_of(listings)[b"up"]


def test_links_between_folders_end_and_links_lead_out_of_the_root(tmp_path: Path) -> None:
    write_file(tmp_path / "outside/o.jpg", b"x")
    write_file(tmp_path / "root/a/1.jpg", b"x")
    write_file(tmp_path / "root/b/2.jpg", b"x")
    os.symlink("../b", tmp_path / "root/a/to_b")
    os.symlink("../a", tmp_path / "root/b/to_a")
    os.symlink(tmp_path / "outside", tmp_path / "root/out")
    os.symlink("itself.jpg", tmp_path / "root/itself.jpg")
    listings = walk(tmp_path / "root", follow_symlinks=True)
    assert paths_of(listings) == {b"a/1.jpg", b"b/2.jpg", b"out/o.jpg"}
    assert messages_of(listings)[b"itself.jpg"] == "cannot be looked at: links lead in a circle"
    assert paths_of(walk(tmp_path / "root")) == {b"a/1.jpg", b"b/2.jpg"}


@pytest.mark.parametrize("link", ["0", "z"])
@pytest.mark.parametrize("preferred", [None, b"0", b"a", b"z"])
def test_a_folder_that_a_link_leads_to_is_visited_once_and_by_its_own_path(
    tmp_path: Path, link: str, preferred: bytes | None
) -> None:
    write_file(tmp_path / "a/1.jpg", b"x")
    write_file(tmp_path / "a/deep/2.jpg", b"x")
    os.symlink("a", tmp_path / link)
    os.symlink("a/deep", tmp_path / f"{link}deep")
    options = WalkOptions(KINDS, compile_patterns(()), follow_symlinks=True)
    run = Walk(os.fsencode(tmp_path), options, CancelToken())
    run.prefer(preferred)
    listings = list(run)
    assert sorted(file.name for listing in listings for file in listing.files) == [b"1.jpg", b"2.jpg"]
    assert paths_of(listings) == {b"a/1.jpg", b"a/deep/2.jpg"}
    assert messages_of(listings) == {}


def test_a_folder_outside_that_two_links_lead_to_is_visited_once(tmp_path: Path) -> None:
    write_file(tmp_path / "outside/in/o.jpg", b"x")
    write_file(tmp_path / "root/a.jpg", b"x")
    os.symlink(tmp_path / "outside", tmp_path / "root/first")
    os.symlink(tmp_path / "outside/in", tmp_path / "root/second")
    os.symlink(tmp_path / "root", tmp_path / "outside/in/back")
    listings = walk(tmp_path / "root", follow_symlinks=True)
    assert paths_of(listings) == {b"a.jpg", b"first/in/o.jpg"}


def test_another_file_system_is_left_out_when_asked(tmp_path: Path) -> None:
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("there is no second file system to write to")
    write_file(tmp_path / "here/a.jpg", b"x")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        write_file(os.path.join(elsewhere, "b.jpg"), b"x")
        os.symlink(elsewhere, tmp_path / "there")
        both = walk(tmp_path, follow_symlinks=True)
        one = walk(tmp_path, follow_symlinks=True, one_file_system=True)
    assert paths_of(both) == {b"here/a.jpg", b"there/b.jpg"}
    assert paths_of(one) == {b"here/a.jpg"}
    assert [sum(listing.ignored for listing in listings) for listings in (both, one)] == [0, 1]


def run_without_privileges(folder: Path, program: str) -> None:
    """Run Python, in a process of its own, as someone for whom permissions count, also where the tests run as root."""
    command = [sys.executable, "-c", f"folder = {str(folder)!r}\n{textwrap.dedent(program)}"]
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv to give root's privileges up")
        capabilities = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={capabilities}", f"--inh-caps={capabilities}", *command]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    assert result.returncode == 0, result.stderr


def test_an_unreadable_folder_is_a_problem_and_the_walk_goes_on(tmp_path: Path) -> None:
    write_file(tmp_path / "closed/a.jpg", b"x")
    write_file(tmp_path / "open/b.jpg", b"x")
    os.chmod(tmp_path / "closed", 0)
    run_without_privileges(
        tmp_path,
        """
        from tests.scan.test_walk import walk, paths_of, messages_of
        found = walk(folder.encode())
        assert paths_of(found) == {b'open/b.jpg'}, paths_of(found)
        assert messages_of(found) == {b'closed': 'cannot read the folder: permission denied'}, messages_of(found)
        assert [listing.readable for listing in found] == [True, False, True]
        """,
    )


def test_what_may_not_be_looked_at_any_more_stays_present(tmp_path: Path) -> None:
    """A folder that may be listed but not entered names its files and says nothing of them."""
    run_without_privileges(
        tmp_path,
        """
        import asyncio, os
        from pathlib import Path
        from tests.media import write_file
        from tests.scan.engine import Engine

        root = Path(folder) / "root"
        for name in ("listed/a.jpg", "listed/below/b.jpg", "closed/c.jpg", "open/d.jpg", "open/gone.jpg"):
            write_file(root / name, name.encode())

        async def scan_twice():
            async with Engine.open(Path(folder)) as engine:
                await engine.catalogue(root)
                (root / "listed").chmod(0o444)
                (root / "closed").chmod(0)
                (root / "open/gone.jpg").unlink()
                summary = await engine.scan(root, only="walk")
                assert summary.unreadable, summary
                assert (summary.counters.missing, summary.counters.files) == (1, 1), summary
                assert "open/gone.jpg" not in await engine.ids()
                named = {Path(os.fsdecode(path)).name for (path,) in await engine.rows("SELECT path FROM problem")}
                assert {"a.jpg", "below", "closed"} <= named, named
                (root / "listed").chmod(0o755)
                (root / "closed").chmod(0o755)
                summary = await engine.scan(root, only="walk")
                assert (summary.counters.unchanged, summary.counters.new) == (4, 0), summary
                assert await engine.rows("SELECT path, message FROM problem") == []

        asyncio.run(scan_twice())
        """,
    )


def test_a_folder_that_vanishes_before_it_is_read_is_a_problem(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "b/2.jpg"):
        write_file(tmp_path / name, b"x")
    run = iter(Walk(os.fsencode(tmp_path), WalkOptions(KINDS, compile_patterns(())), CancelToken()))
    first = next(run)
    shutil.rmtree(tmp_path / "b")
    rest = [first, *run]
    assert paths_of(rest) == {b"a/1.jpg"}
    assert messages_of(rest) == {b"b": "cannot read the folder: it is no longer there"}
    assert [listing.readable for listing in rest] == [True, True, False]


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
    waits = threading.Event()

    class Gate(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            return super().wait(timeout)

    token = CancelToken()
    token._going = Gate()
    token.pause()
    ended = threading.Event()
    listed: list[WalkedFolder] = []

    def run() -> None:
        with pytest.raises(ScanCancelledError):
            listed.extend(Walk(os.fsencode(tmp_path), WalkOptions(KINDS, compile_patterns(())), token))
        ended.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert waits.wait(10)
    assert not listed
    assert not ended.is_set()
    token.abort()
    assert ended.wait(10)


def test_a_root_that_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        walk(tmp_path / "nothing")


def test_sidecars_are_listed_apart_from_media_files(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.jpg.xmp", "A.AAE", "xmp", ".hidden.xmp", "b.txt"):
        write_file(tmp_path / name, name.encode())
    (tmp_path / "folder.xmp").mkdir()
    os.symlink("a.jpg.xmp", tmp_path / "link.xmp")
    (listing, _) = walk(tmp_path, sidecars={b"xmp", b"aae"})
    assert {(item.name, item.size) for item in listing.sidecars} == {(b"a.jpg.xmp", 9), (b"A.AAE", 5)}
    assert [file.name for file in listing.files] == [b"a.jpg"]
    assert listing.folders == [b"folder.xmp"]


class FailingListings:
    """`os.scandir` that fails for one folder so many times."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, name: bytes, times: int, number: int = errno.EIO
    ) -> None:
        self.left, self._name, self._errno, self._listdir = times, name, number, os.scandir
        monkeypatch.setattr(os, "scandir", self.list)

    def list(self, path: bytes) -> Any:
        if path.endswith(self._name) and self.left > 0:
            self.left -= 1
            raise OSError(self._errno, "told so")
        return self._listdir(path)


@pytest.mark.parametrize(("fails", "absences", "is_read"), [(1, 0, True), (3, 2, True), (2, 0, False)])
def test_a_folder_that_cannot_be_read_is_listed_again_and_after_each_absence_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int, absences: int, is_read: bool
) -> None:
    for name in ("a/1.jpg", "a/below/2.jpg", "b/3.jpg"):
        write_file(tmp_path / name, b"x")
    failing = FailingListings(monkeypatch, b"/a", fails)
    waits: list[bool] = []

    def wait_for_disk() -> bool:
        waits.append(len(waits) < absences)
        return waits[-1]

    options = WalkOptions(KINDS, compile_patterns(()))
    run = Walk(os.fsencode(tmp_path), options, CancelToken(), wait_for_disk=wait_for_disk)
    listings = list(run)
    assert (failing.left, sum(waits)) == (0, absences)
    known = {b"a/1.jpg", b"a/below/2.jpg", b"b/3.jpg"} if is_read else {b"b/3.jpg"}
    assert paths_of(listings) == known
    assert [listing.path for listing in listings] == (
        [b"", b"a", b"a/below", b"b"] if is_read else [b"", b"a", b"b"]
    )
    assert list(messages_of(listings)) == ([] if is_read else [b"a"])


def test_a_folder_that_may_not_be_read_is_not_listed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path / "a" / "1.jpg", b"x")
    failing = FailingListings(monkeypatch, b"/a", 2, errno.EACCES)
    assert messages_of(walk(tmp_path)) == {b"a": "cannot read the folder: permission denied"}
    assert failing.left == 1
