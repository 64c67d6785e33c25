"""Section B of the threats: what is no file, what is made to harm who reads it, and what changes or cannot be read."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.media import encoded_bytes, jpeg_bytes, write_file
from tests.process_tree import MemoryWatch
from tests.trust.conftest import WHOLE
from tests.trust.ground import path_of
from tests.trust.hostile_files import (
    Mutator,
    OpenWatch,
    make_bombs,
    make_what_is_no_file,
    png_with_xmp,
    with_comments,
)
from tests.trust.oracle import check_sound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.trust.ground import Ground

MOST_MEMORY = 1_500_000_000
"""Bytes that the program and all its children may hold together while two of them read bombs."""

PATH_MAX = 4096
"""Bytes of a path, with the NUL behind it, from which on the system takes it no more."""

BOMBS_THAT_FAIL = {
    "text.png": ("memory",),
    "profile.png": ("memory",),
    "comments.jpg": ("CPU time",),
    "markers.jpg": ("CPU time",),
    "tags.png": ("CPU time", "memory"),
    "nested.png": ("CPU time", "memory"),
    "atoms.mp4": (),
    "atoms.m4a": (),
    "title.mp3": ("memory",),
    "again.mp3": ("memory",),
    "odd\nname.png": ("memory",),
}
"""What is said of each bomb, one of the words; nothing of those that do no harm."""

MORE_OF_THE_SAME = ("profile.png", "markers.jpg", "again.mp3", "odd\nname.png")
"""Bombs that only the whole sweep throws."""


def test_11_to_13_what_is_no_file_is_named_and_never_opened(ground: Ground) -> None:
    secret = ground.folder / "secret"
    write_file(secret, jpeg_bytes(7, model="secret"))
    odd = make_what_is_no_file(ground.media)
    for name in ("folder.jpg", "folder.mp3", "folder.mov"):
        write_file(ground.media / name / "inside.jpg", jpeg_bytes(1))
        write_file(ground.media / name / "no medium", b"x")
    write_file(ground.media / "good.jpg", jpeg_bytes(2))
    links = {
        "shadow.jpg": "/etc/shadow", "kernel.jpg": "/proc/kmsg", "secret.jpg": str(secret), "secret.xmp": str(secret),
        "loop.jpg": "loop.jpg", "one.jpg": "two.jpg", "two.jpg": "one.jpg", "broken.jpg": "nowhere", "here": ".",
        "up.jpg": "..", "memory.jpg": "/proc/self/mem",
    }  # fmt: skip
    for name, target in links.items():
        os.symlink(target, ground.media / name)
    ground.failing = ground.paths(map(os.fsencode, odd))
    ground.begin()
    watch = OpenWatch(secret, *(ground.media / name for name in odd if name != "terminal.gif"))
    outcome = ground.scan()
    opened = watch.opened()
    assert not opened, f"opened: {opened}"
    assert outcome.code == 0
    assert outcome.objects[-1]["ignored"] == sum(name.endswith(".jpg") for name in links), (
        "links are not counted"
    )
    assert {path_of(item).rpartition(b"/media/")[2] for item in ground.found()} == {
        b"good.jpg", b"folder.jpg/inside.jpg", b"folder.mp3/inside.jpg", b"folder.mov/inside.jpg",
    }  # fmt: skip
    said = ground.problems()
    for name, words in (
        ("pipe.jpg", "named pipe"),
        ("socket.jpg", "socket"),
        ("null.jpg", "character device"),
    ):
        if name in odd:
            assert words in said[bytes(ground.media / name)], said


def test_13_links_that_are_followed_lead_to_files_only_and_never_round(ground: Ground) -> None:
    ground.configure("[scan]\nfollow_symlinks = true\n")
    outside = ground.folder / "outside"
    write_file(outside / "deep" / "linked.jpg", jpeg_bytes(3))
    os.symlink(ground.media, outside / "deep" / "back")
    os.mkfifo(outside / "pipe")
    write_file(ground.media / "good.jpg", jpeg_bytes(2))
    links = {
        "kernel.jpg": "/proc/kmsg", "memory.jpg": "/proc/self/mem", "zero.jpg": "/dev/zero", "pipe.jpg": str(outside / "pipe"),
        "loop.jpg": "loop.jpg", "one.jpg": "two.jpg", "two.jpg": "one.jpg", "broken.jpg": "nowhere", "environ.mp3": "/proc/self/environ",
    }  # fmt: skip
    for name, target in {
        **links,
        "here": ".",
        "up": "..",
        "outside": str(outside),
        "again": str(outside),
    }.items():
        os.symlink(target, ground.media / name)
    ground.failing = ground.paths(map(os.fsencode, [*links]))
    ground.begin()
    outcome = ground.scan()
    found = [path_of(item).rpartition(b"/")[2] for item in ground.found("kind:image")]
    said = ground.problems()
    here = bytes(ground.media) + b"/"
    assert "leads into the system" in said[here + b"kernel.jpg"]
    assert "named pipe" in said[here + b"pipe.jpg"]
    assert "no longer there" in said[here + b"broken.jpg"]
    assert "circle" in said[here + b"loop.jpg"]
    loops = {path for path, words in said.items() if "leads back" in words}
    assert loops, "nothing is said of folders that lead back"
    ground.failing |= loops
    assert outcome.code in (0, 1)
    assert found.count(b"good.jpg") == found.count(b"linked.jpg") == 1


def test_14_to_18_bombs_cost_themselves_alone_and_little_memory(ground: Ground) -> None:
    ground.configure("" if WHOLE else "[exiftool]\ncpu_seconds = 1.5\n")
    ground.library_stays_apart = not WHOLE  # what a fresh scan says takes as long again
    failing = {
        name: words
        for name, words in BOMBS_THAT_FAIL.items()
        if words and (WHOLE or name not in MORE_OF_THE_SAME)
    }
    bombs = {name: content for name, content in make_bombs().items() if WHOLE or name not in MORE_OF_THE_SAME}
    for name, content in bombs.items():
        write_file(ground.media / name, content)
    good = {b"good-%d.jpg" % number: jpeg_bytes(number, model=f"camera {number}") for number in range(12)}
    good |= {b"song-%d.mp3" % number: encoded_bytes("mp3", number) for number in range(3)}
    for file, content in good.items():
        write_file(bytes(ground.media) + b"/" + file, content)
    ground.failing = ground.paths(map(os.fsencode, failing))
    ground.begin()
    process = ground.start("scan", "--json", "--workers", "2", str(ground.media))
    with MemoryWatch(process.pid) as watch:
        stdout, stderr = process.communicate(timeout=600)
    ground.note_output("the scan", stdout + stderr)
    assert process.returncode == 0
    said = {os.fsdecode(path.rpartition(b"/")[2]): words for path, words in ground.problems().items()}
    assert said.keys() == failing.keys()
    for name, words in failing.items():
        assert any(word in said[name] for word in words), said[name]
    cameras = {path_of(item).rpartition(b"/")[2]: item["model"] for item in ground.found()}
    assert {name: cameras[name] for name in good} == {
        name: f"camera {name[5:-4].decode()}" if name.startswith(b"good") else None for name in good
    }
    check_sound(ground.library)
    assert watch.peak_bytes < MOST_MEMORY, f"{watch.peak_bytes / 1e6:.0f} MB were held at once"


ODD_VALUES = (
    "1e999", "-1e999", "1.10", "007", "true", "null", "NaN", "Infinity", "0x10", "1_000", "18446744073709551616", "1e3", "-0",
    '"quoted"', "back\\slash", "{}", "[1,2]", "a\u2028b\u2029c", "\U0001f468\u200d\U0001f469", "e\u0301", "=1+1", "\ufffd", "a\tb", "a\nb",
)  # fmt: skip
"""Texts that a careless writer or reader of JSON makes something else of."""


def test_19_odd_values_come_back_as_they_are_and_as_strict_json(ground: Ground) -> None:
    by_name = {f"{number:02}": text for number, text in enumerate(ODD_VALUES)}
    for name, text in by_name.items():
        tags = (("title", text), ("artist", text), ("album", text))
        write_file(ground.media / f"{name}.flac", with_comments(tags))
        safe = "".join(f"&#{ord(character)};" for character in text)
        title = f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{safe}</rdf:li></rdf:Alt></dc:title>'
        write_file(ground.media / f"{name}.png", png_with_xmp(title))
    huge = "long " * (10_000_000 if WHOLE else 3_000_000)
    write_file(ground.media / "huge.flac", with_comments((("title", huge),)))
    write_file(ground.media / "huge.png", png_with_xmp(f"<dc:format>{huge}</dc:format>"))
    raw = {"nul": b"a\0b", "surrogate": b"a\xed\xa0\x80b", "latin": b"caf\xe9", "cut": b"caf\xc3"}
    for name, model in raw.items():
        write_file(
            ground.media / f"{name}.jpg",
            jpeg_bytes(1).replace(b"Canon EOS 5D Mark IV", model.ljust(20, b"!")),
        )
    ground.failing = ground.paths([b"huge.png"])  # its answer is larger than an answer may be
    ground.begin()
    assert ground.scan().code == 0
    found = {path_of(item).rpartition(b"/")[2].decode(): item for item in ground.found()}
    for name, text in by_name.items():
        for file in (f"{name}.flac", f"{name}.png"):
            assert found[file]["title"] == text, f"{file}: {found[file]['title']!r} is not {text!r}"
    assert len(str(found["huge.flac"]["title"] or "")) < 100_000
    cameras = {name: found[f"{name}.jpg"]["model"] for name in raw}
    assert cameras["latin"].startswith("caf"), cameras
    ids = [str(item["id"]) for item in found.values()]
    shown = ground.run("show", "--json", *ids)
    assert len(shown.objects) == len(found)
    for item in shown.objects:
        name = path_of(item).rpartition(b"/")[2].decode()
        if name[:2] in by_name and name.endswith(".flac"):
            assert item["all_tags"]["tags"]["artist"] == [by_name[name[:2]]]
    assert len(shown.stdout) < 20_000_000, "a huge text is not capped"


def test_20_a_file_that_changes_while_it_is_read_is_read_again_and_never_mixed(ground: Ground) -> None:
    mutator = Mutator(ground.media)
    for number in range(10):
        write_file(ground.media / f"still-{number}.jpg", jpeg_bytes(number))
    with mutator:
        assert ground.scan().code == 0
        rows = [item for item in ground.found("name:replaced or name:rewritten") if item["model"]]
    mixed = [row for row in rows if row["size"] != mutator.size_of(row["model"])]
    assert not mixed, (
        f"records of two contents: {[(row['path'], row['size'], row['model']) for row in mixed]}"
    )
    log = ground.log.read_text(encoding="utf-8")
    assert "changed while it was read" in log or "again and again" in log, "nothing was read while it changed"
    ground.begin()
    assert ground.scan("--retry-failed").code == 0
    assert len(ground.found("name:still")) == 10


def without_overriding() -> list[str]:
    """Return the words that start a program as one whom rights of files hold, also where the tests run as root."""
    if os.geteuid() != 0:
        return []
    program = shutil.which("setpriv")
    assert program, "setpriv (util-linux) is needed"
    return [program, "--bounding-set", "-dac_override,-dac_read_search", "--"]


def test_21_what_may_not_be_read_is_named_and_the_rest_is_read(ground: Ground) -> None:
    ground.launcher = without_overriding()
    for folder in ("closed", "closed/below", "names only", "by name only", "open"):
        write_file(ground.media / folder / "picture.jpg", jpeg_bytes(len(folder)))
    write_file(ground.media / "secret.jpg", jpeg_bytes(1))
    write_file(ground.media / "secret.mp3", encoded_bytes("mp3"))
    write_file(ground.media / "open/.yapmoignore", b"*.nothing")
    rights = {
        "closed": 0o000,
        "names only": 0o444,
        "by name only": 0o111,
        "secret.jpg": 0o000,
        "secret.mp3": 0o200,
        "open/.yapmoignore": 0,
    }
    for name, mode in rights.items():
        (ground.media / name).chmod(mode)
    ground.begin()
    try:
        outcome = ground.scan()
        said = {
            os.fsdecode(path.rpartition(b"/media/")[2]): words for path, words in ground.problems().items()
        }
        assert outcome.code == 1, "a folder that could not be read is exit code 1"
        assert said.keys() == {
            "closed", "names only/.yapmoignore", "names only/picture.jpg", "by name only", "secret.jpg", "secret.mp3", "open/.yapmoignore",
        }, said  # fmt: skip
        assert all("ermission" in words for words in said.values()), said
        assert [path_of(item).rpartition(b"/media/")[2] for item in ground.found("-problem:yes")] == [
            b"open/picture.jpg"
        ]
    finally:
        for name in rights:
            (ground.media / name).chmod(0o700)
    ground.launcher = []
    ground.begin()
    assert ground.scan("--retry-failed").code == 0
    assert ground.found("--count") == [{"count": 7}]


@pytest.fixture
def removed_well(tmp_path: Path) -> Iterator[None]:
    """Remove the test's folder by a program that can remove trees of any depth."""
    yield
    subprocess.run(["rm", "-rf", "--", str(tmp_path)], check=True)


@pytest.mark.usefixtures("removed_well")
def test_22_a_tree_deeper_than_any_path_is_named_where_it_ends(removed_well: None, ground: Ground) -> None:
    del removed_well
    here = os.open(ground.media, os.O_RDONLY)
    place = here
    paths = []
    path = bytes(ground.media)
    for depth in range(1500):
        name = b"level %04d of a tree" % depth
        os.mkdir(name, dir_fd=place)
        below = os.open(name, os.O_RDONLY, dir_fd=place)
        if place != here:
            os.close(place)
        place = below
        path += b"/" + name
        if depth in (0, 100, 1499):
            paths.append(path + b"/picture.jpg")
            with open(os.open("picture.jpg", os.O_WRONLY | os.O_CREAT, dir_fd=place), "wb") as file:
                file.write(jpeg_bytes(depth))
    os.close(place)
    end = path
    while len(end.rpartition(b"/")[0]) >= PATH_MAX:
        end = end.rpartition(b"/")[0]
    ground.failing = {end}
    last = end.rpartition(b"/")[0] + b"/.yapmoignore"
    if len(last) >= PATH_MAX:  # the last folder can be listed, but nobody can tell whether this file is in it
        ground.failing.add(last)
    ground.begin()
    outcome = ground.scan()
    os.close(here)
    assert outcome.code == 1
    assert [path_of(item) for item in ground.found()] == paths[:2]
    assert "longer than the system allows" in ground.problems()[end]


def test_23_nothing_from_home_the_folder_or_the_environment_is_run(ground: Ground) -> None:
    mark = ground.folder / "executed"
    perl = f'BEGIN {{ open(my $f, ">>", "{mark}"); print $f "perl $0\\n"; close $f }} 1;\n'
    python = f"import sys\nopen({str(mark)!r}, 'a').write(f'python {{sys.orig_argv}}\\n')\n"
    for place in (ground.home, ground.media, ground.folder, ground.folder / "library"):
        write_file(place / ".ExifTool_config", f'system("echo config >> {mark}");\n{perl}'.encode())
        for module in ("json", "mutagen", "sitecustomize", "usercustomize", "struct"):
            write_file(place / f"{module}.py", python.encode())
        for module in ("Evil.pm", "Image/ExifTool.pm", "strict.pm", "File/RandomAccess.pm"):
            write_file(place / module, perl.encode())
    write_file(ground.media / "picture.jpg", jpeg_bytes(1))
    write_file(ground.media / "line\nfeed.jpg", jpeg_bytes(2))
    write_file(ground.media / "song.mp3", encoded_bytes("mp3"))
    media = str(ground.media)
    ground.environ |= {
        "EXIFTOOL_HOME": media, "PERL5OPT": f"-I{media} -MEvil", "PERL5LIB": media, "PERLLIB": media, "PERL5DB": f'BEGIN {{ system("echo db >> {mark}") }}',
        "LESSOPEN": f"|echo less >> {mark}", "BASH_ENV": f"{media}/sitecustomize.py", "ENV": f"{media}/sitecustomize.py",
    }  # fmt: skip
    own = (
        ground.folder / "own modules"
    )  # the user's own Python runs them, but nothing that reads foreign files
    write_file(own / "sitecustomize.py", python.encode())
    ground.begin()
    assert (
        ground.scan(
            cwd=ground.media, env=ground.environ | {"PYTHONPATH": f"{ground.environ['PYTHONPATH']}:{own}"}
        ).code
        == 0
    )
    ran = mark.read_text().splitlines() if mark.exists() else []
    foreign = [line for line in ran if "'-m', 'tui'" not in line]
    assert not foreign, f"executed: {foreign}"
    assert len(ground.found()) == 3
