"""Ignore files, compared with what Git itself makes of the same patterns on the same tree."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.media import write_file
from tests.scan.test_walk import messages_of, paths_of, walk
from tui.config import default_config
from tui.records import Kind
from tui.scan.cancel import CancelToken
from tui.scan.ignore import compile_patterns
from tui.scan.walk import Walk, WalkOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TREE = (
    "a.jpg", "A.jpg", "b.jpg", "#a.jpg", "!a.jpg", "sp ace.jpg", "end .jpg", "caf\xe9.jpg", "x^.jpg",
    "sub/a.jpg", "sub/b.jpg", "sub/deep/a.jpg", "sub/deep/b.jpg", "sub/deep/er/a.jpg",
    "other/sub/a.jpg", "other/deep/b.jpg", "jpg.jpg/a.jpg",
)  # fmt: skip

PATTERNS: dict[str, Mapping[str, bytes]] = {
    "a name anywhere": {"": b"a.jpg\n"},
    "anchored": {"": b"/a.jpg\n"},
    "anchored below": {"sub": b"/a.jpg\n"},
    "a slash in the middle anchors": {"": b"sub/a.jpg\n"},
    "a folder alone": {"": b"sub/\n"},
    "a folder's name with and without slash": {"": b"jpg.jpg/\ndeep\n"},
    "star stays within a folder": {"": b"sub/*.jpg\n"},
    "two stars before": {"": b"**/deep\n"},
    "two stars behind": {"": b"sub/**\n"},
    "two stars between": {"": b"sub/**/a.jpg\n"},
    "question mark": {"": b"?.jpg\n"},
    "classes": {"": b"[ab].jpg\n"},
    "classes turned round": {"": b"[!a].jpg\n[^b].jpg\n"},
    "negation": {"": b"*.jpg\n!b.jpg\n"},
    "the last pattern wins": {"": b"!a.jpg\n*.jpg\n!b.jpg\nb.jpg\n"},
    "no way back into an ignored folder": {"": b"sub/\n!sub/a.jpg\n"},
    "no way back from inside an ignored folder": {"": b"sub/\n", "sub": b"!*.jpg\n"},
    "a folder opened again step by step": {"": b"/sub/*\n!/sub/deep/\n/sub/deep/*\n!/sub/deep/b.jpg\n"},
    "all but one folder": {"": b"/*\n!/sub\n"},
    "the deepest file wins": {"": b"a.jpg\n", "sub": b"!a.jpg\n", "sub/deep": b"a.jpg\n"},
    "a file below says nothing of what is above": {"sub/deep": b"*.jpg\n"},
    "comments, blank lines, escapes": {"": b"# all\n\n\\#a.jpg\n\\!a.jpg\n"},
    "spaces at the end": {"": b"a.jpg   \nend\\ .jpg\n"},
    "spaces within": {"": b"sp ace.jpg\n"},
    "lines of Windows": {"": b"a.jpg\r\n/sub/\r\n"},
    "byte order mark": {"": b"\xef\xbb\xbfa.jpg\n"},
    "no newline at the end": {"": b"b.jpg\na.jpg"},
    "a line separator is no end of line": {"": b"x\xe2\x80\xa8a.jpg\nb.jpg\n"},
    "letters beyond ASCII": {"": "caf\xe9.jpg\n".encode()},
    "upper case is not lower case": {"": b"A.jpg\n"},
}


def make_tree(root: Path, patterns: Mapping[str, bytes], name: str) -> None:
    for path in TREE:
        write_file(root / path, b"x")
    for folder, content in patterns.items():
        write_file(root / folder / name, content)


@pytest.mark.skipif(shutil.which("git") is None, reason="compares with Git")
@pytest.mark.parametrize("patterns", PATTERNS.values(), ids=PATTERNS)
def test_ignore_files_mean_what_git_takes_them_for(tmp_path: Path, patterns: Mapping[str, bytes]) -> None:
    make_tree(tmp_path / "git", patterns, ".gitignore")
    make_tree(tmp_path / "yapmo", patterns, ".yapmoignore")
    git = ["git", "-C", str(tmp_path / "git"), "-c", "core.excludesFile=", "-c", "core.ignoreCase=false"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"],
        capture_output=True,
        check=True,
    ).stdout
    kept = {path for path in listed.split(b"\0") if path.endswith(b".jpg")}
    assert paths_of(walk(tmp_path / "yapmo")) == kept
    assert kept != {os.fsencode(path) for path in TREE}, "the patterns ignore something"


@pytest.mark.parametrize("line", ["[z-a].jpg", "!", "\\", "[[:alpha:]].jpg"])
def test_a_line_that_cannot_be_understood_is_reported_and_the_rest_holds(tmp_path: Path, line: str) -> None:
    make_tree(tmp_path, {"": f"b.jpg\n{line}\na.jpg\n".encode()}, ".yapmoignore")
    listings = walk(tmp_path)
    assert {os.path.basename(path) for path in paths_of(listings)} & {b"a.jpg", b"b.jpg"} == set()
    assert b"A.jpg" in paths_of(listings)
    assert line in messages_of(listings)[b".yapmoignore"]


@pytest.mark.parametrize("pattern", ["[z-a].jpg", "!", "[^a].jpg", "a.jpg ", "caf?.jpg", "[\xe9\xe8]*"])
def test_patterns_of_the_configuration_never_stop_a_walk(tmp_path: Path, pattern: str) -> None:
    write_file(tmp_path / "a.jpg", b"x")
    kept = paths_of(walk(tmp_path, ignore=(pattern,)))
    assert kept == (set() if pattern == "a.jpg " else {b"a.jpg"})


def test_the_patterns_of_the_configuration_yield_to_an_ignore_file(tmp_path: Path) -> None:
    write_file(tmp_path / "keep/@eaDir/a.jpg", b"x")
    write_file(tmp_path / "drop/@eaDir/a.jpg", b"x")
    write_file(tmp_path / "keep/.yapmoignore", b"!@eaDir\n")
    assert paths_of(walk(tmp_path, ignore=("@eaDir/",))) == {b"keep/@eaDir/a.jpg"}


@pytest.mark.parametrize("hidden", [False, True])
def test_the_default_patterns_leave_out_what_machines_leave_behind(tmp_path: Path, hidden: bool) -> None:
    left_behind = (
        "@eaDir/a.jpg", "#recycle/a.jpg", "$RECYCLE.BIN/a.jpg", "$Recycle.Bin/a.jpg", ".Trash-1000/a.jpg",
        "System Volume Information/a.jpg", "lost+found/a.jpg", ".git/a.jpg", "._a.jpg", ".thumbnails/a.jpg",
        "deep/er/@eaDir/a.jpg",
    )  # fmt: skip
    kept = ("a.jpg", "eaDir/a.jpg", "recycle/a.jpg", "Trash/a.jpg", "@eaDir.jpg", "deep/er/a.jpg")
    for path in (*left_behind, *kept):
        write_file(tmp_path / path, b"x")
    scan = default_config().scan
    options = WalkOptions(scan.kind_by_extension, compile_patterns(scan.ignore), hidden=hidden)
    listings = list(Walk(os.fsencode(tmp_path), options, CancelToken()))
    assert paths_of(listings) == {os.fsencode(path) for path in kept}
    assert {file.kind for listing in listings for file in listing.files} == {Kind.IMAGE}


@pytest.mark.parametrize("hidden", [True, False])
def test_the_short_test_for_media_files_says_what_all_patterns_say(hidden: bool) -> None:
    patterns = (
        ".Trash*",
        "._*",
        ".b.jpg",
        "c.jpg",
        "C.JPG",
        "Thumbs.db",
        "*_thumb.jpg",
        "[xy]*",
        "d?.mp3",
        "e/",
        "jpg",
    )
    rules = compile_patterns(patterns)
    is_ignored = rules.test_for_files({b"jpg", b"mp3"}, hidden=hidden)
    assert is_ignored is not None
    names = (
        b"a.jpg", b"c.jpg", b"C.JPG", b"C.jpg", b"a_thumb.jpg", b"x.jpg", b"dd.mp3", b"e.jpg", b"._a.jpg", b".Trash.jpg",
        b".b.jpg", b"jpg",
    )  # fmt: skip
    for name in names:
        if hidden or not name.startswith(b"."):
            assert is_ignored(name) == rules.match(b"", name, is_folder=False), name


def test_the_default_patterns_cost_a_media_file_nothing() -> None:
    scan = default_config().scan
    rules = compile_patterns(scan.ignore)
    assert rules.test_for_files(scan.kind_by_extension, hidden=False) is None
    assert not rules.judge_paths_of_files
