"""The table of docs/identity.md, run row by row against real directory trees.

Each case changes a tree between two scans and states what the library then says. Ids are compared by the name that
a file had at the first scan.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.media import write_file
from tests.scan.engine import Engine
from tui.library import stages
from tui.records import Stage
from tui.scan import equal_files

if TYPE_CHECKING:
    import sqlite3
    from array import array
    from collections.abc import Callable, Iterator, Mapping, Sequence

SECOND = 1_000_000_000


@dataclass(frozen=True)
class Case:
    """What happens on disk, and what the library says afterwards.

    Attributes:
        title: the row of the table.
        change: changes the tree.
        files: path afterwards → the path that its id belonged to at the first scan, None for a new id.
        missing: paths (of the first scan) whose files are missing afterwards.
        counts: counters of the second scan that must hold.
        between: changes made and scanned before `change`.
    """

    title: str
    change: Callable[[Path], None]
    files: Mapping[str, str | None]
    missing: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    between: tuple[Callable[[Path], None], ...] = ()


def content(name: str) -> bytes:
    return f"content of {name} ".encode() * 50


def first_tree(root: Path) -> None:
    for number, name in enumerate(("a/1.jpg", "a/2.jpg", "b/3.jpg")):
        write_file(root / name, content(name))
        touch(root / name, 1_600_000_000 * SECOND + number * SECOND)


def touch(path: Path, mtime_ns: int) -> None:
    os.utime(path, ns=(mtime_ns, mtime_ns))


def edit_in_place(path: Path, text: bytes = b"edited") -> None:
    with open(path, "r+b") as file:
        file.write(text)
    touch(path, 1_700_000_000 * SECOND)


def replace_by_editor(path: Path) -> None:
    draft = path.with_suffix(".tmp")
    write_file(draft, b"saved anew")
    os.replace(draft, path)


def restore_from_backup(path: Path) -> None:
    status = os.stat(path)
    draft = path.with_suffix(".tmp")
    shutil.copyfile(path, draft)
    os.replace(draft, path)
    touch(path, status.st_mtime_ns)
    assert os.stat(path).st_ino != status.st_ino


def rename(old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        os.makedirs((root / new).parent, exist_ok=True)
        os.rename(root / old, root / new)

    return change


def remove(*names: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for name in names:
            os.unlink(root / name)

    return change


def copy(old: str, *news: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for new in news:
            os.makedirs((root / new).parent, exist_ok=True)
            shutil.copyfile(root / old, root / new)

    return change


def link(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: os.link(root / old, root / new)


def move_by_copy(old: str, new: str) -> Callable[[Path], None]:
    """Do what `mv` does over file systems: the inode is another, the content the same."""
    return together(copy(old, new), remove(old))


def together(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for step in changes:
            step(root)

    return change


def new_file(name: str, text: bytes = b"something new") -> Callable[[Path], None]:
    return lambda root: write_file(root / name, text)


def aside(name: str) -> Callable[[Path], None]:
    """Move a file out of the root, where no scan sees it."""
    return lambda root: os.rename(root / name, root.parent / "aside")


def back(name: str) -> Callable[[Path], None]:
    return lambda root: os.rename(root.parent / "aside", root / name)


SAME = {"a/1.jpg": "a/1.jpg", "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"}

CASES = [
    Case("nothing", lambda _: None, SAME, counts={"unchanged": 3, "new": 0, "changed": 0}),
    Case("content changed in place", lambda root: edit_in_place(root / "a/1.jpg"), SAME, counts={"changed": 1, "unchanged": 2}),
    Case("replaced by an editor", lambda root: replace_by_editor(root / "a/1.jpg"), SAME, counts={"changed": 1, "new": 0}),
    Case("other content, same size", lambda root: edit_in_place(root / "a/1.jpg", b"CONTENT"), SAME, counts={"changed": 1}),
    Case(
        "same mtime, other size",
        together(lambda root: edit_in_place(root / "a/1.jpg", b"x" * 5000), lambda root: touch(root / "a/1.jpg", 1_600_000_000 * SECOND)),
        SAME,
        counts={"changed": 1},
    ),
    Case("touched", lambda root: touch(root / "a/1.jpg", 1_650_000_000 * SECOND), SAME, counts={"changed": 1}),
    Case("restored from a backup", lambda root: restore_from_backup(root / "a/1.jpg"), SAME, counts={"changed": 0, "new": 0, "moved": 0}),
    Case("renamed in its folder", rename("a/1.jpg", "a/one.jpg"), {"a/one.jpg": "a/1.jpg", "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"}, counts={"moved": 1, "new": 0, "missing": 0}),
    Case("renamed in case only", rename("a/1.jpg", "a/1.JPG"), {"a/1.JPG": "a/1.jpg", "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"}, counts={"moved": 1}),
    Case("moved to another folder", rename("a/1.jpg", "c/d/1.jpg"), {"c/d/1.jpg": "a/1.jpg", "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"}, counts={"moved": 1, "new": 0, "missing": 0}),
    Case(
        "moved and edited at once",
        together(rename("a/1.jpg", "c/1.jpg"), lambda root: edit_in_place(root / "c/1.jpg", b"x" * 999)),
        {"c/1.jpg": None, "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"},
        {"a/1.jpg"},
        {"new": 1, "missing": 1, "moved": 0},
    ),
    Case("moved over file systems", move_by_copy("a/1.jpg", "c/1.jpg"), {"c/1.jpg": "a/1.jpg", "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"}),
    Case("whole folder renamed", rename("a", "z"), {"z/1.jpg": "a/1.jpg", "z/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"}, counts={"moved": 2, "new": 0, "missing": 0}),
    Case("a copy made", copy("a/1.jpg", "c/1.jpg"), {**SAME, "c/1.jpg": None}, counts={"new": 1, "moved": 0}),
    Case(
        "a copy made, later the original deleted",
        remove("a/1.jpg"),
        {"c/1.jpg": None, "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"},
        {"a/1.jpg"},
        between=(copy("a/1.jpg", "c/1.jpg"),),
    ),
    Case(
        "two copies made and the original deleted",
        together(copy("a/1.jpg", "c/1.jpg", "c/2.jpg"), remove("a/1.jpg")),
        {"c/1.jpg": None, "c/2.jpg": None, "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"},
        {"a/1.jpg"},
    ),
    Case(
        "two equal files deleted, one appears",
        together(copy("a/1.jpg", "d/1.jpg"), remove("a/1.jpg", "c/1.jpg")),
        {"d/1.jpg": None, "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"},
        {"a/1.jpg", "c/1.jpg"},
        between=(copy("a/1.jpg", "c/1.jpg"),),
    ),
    Case(
        "moved away, another in its place",
        together(rename("a/1.jpg", "c/1.jpg"), new_file("a/1.jpg")),
        {"c/1.jpg": "a/1.jpg", "a/1.jpg": None, "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"},
        counts={"moved": 1, "new": 1, "missing": 0},
    ),
    Case(
        "two files swap names",
        together(rename("a/1.jpg", "t"), rename("b/3.jpg", "a/1.jpg"), rename("t", "b/3.jpg")),
        {"a/1.jpg": "b/3.jpg", "b/3.jpg": "a/1.jpg", "a/2.jpg": "a/2.jpg"},
        counts={"moved": 2, "new": 0, "missing": 0, "changed": 0},
    ),
    Case(
        "three files change names in a circle",
        together(rename("a/1.jpg", "t"), rename("a/2.jpg", "a/1.jpg"), rename("b/3.jpg", "a/2.jpg"), rename("t", "b/3.jpg")),
        {"a/1.jpg": "a/2.jpg", "a/2.jpg": "b/3.jpg", "b/3.jpg": "a/1.jpg"},
        counts={"moved": 3, "new": 0, "missing": 0},
    ),
    Case(
        "chain",
        together(rename("a/2.jpg", "c/9.jpg"), rename("a/1.jpg", "a/2.jpg")),
        {"c/9.jpg": "a/2.jpg", "a/2.jpg": "a/1.jpg", "b/3.jpg": "b/3.jpg"},
        counts={"moved": 2, "new": 0, "missing": 0},
    ),
    Case(
        "chain over a deleted file",
        together(remove("a/2.jpg"), rename("a/1.jpg", "a/2.jpg")),
        {"a/2.jpg": "a/1.jpg", "b/3.jpg": "b/3.jpg"},
        {"a/2.jpg"},
        {"moved": 1, "new": 0, "missing": 1},
    ),
    Case("a hard link added", link("a/1.jpg", "a/l.jpg"), {**SAME, "a/l.jpg": None}, counts={"new": 1, "moved": 0}),
    Case(
        "one of two hard links renamed",
        rename("a/l.jpg", "c_l.jpg"),
        {**SAME, "c_l.jpg": "a/l.jpg"},
        counts={"moved": 1, "new": 0, "missing": 0},
        between=(link("a/1.jpg", "a/l.jpg"),),
    ),
    Case(
        "both hard links renamed",
        together(rename("a/l.jpg", "x.jpg"), rename("a/1.jpg", "y.jpg")),
        {"x.jpg": None, "y.jpg": None, "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"},
        {"a/1.jpg", "a/l.jpg"},
        between=(link("a/1.jpg", "a/l.jpg"),),
    ),
    Case("one of two hard links removed", remove("a/l.jpg"), SAME, {"a/l.jpg"}, {"missing": 1}, between=(link("a/1.jpg", "a/l.jpg"),)),
    Case("deleted", remove("a/1.jpg"), {"a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"}, {"a/1.jpg"}, {"missing": 1}),
    Case("deleted, and back", back("a/1.jpg"), SAME, between=(aside("a/1.jpg"),), counts={"returned": 1, "new": 0, "changed": 0}),
    Case(
        "deleted, and back with other content",
        new_file("a/1.jpg", b"other"),
        SAME,
        between=(remove("a/1.jpg"),),
        counts={"new": 0},
    ),
    Case(
        "deleted, and back at another path",
        back("b/back.jpg"),
        {"b/back.jpg": "a/1.jpg", "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"},
        between=(aside("a/1.jpg"),),
        counts={"moved": 1, "new": 0},
    ),
    Case(
        "deleted, and back as a copy at another path",
        together(back("t"), move_by_copy("t", "b/back.jpg")),
        {"b/back.jpg": "a/1.jpg", "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"},
        between=(aside("a/1.jpg"),),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
async def test_identity(case: Case, tmp_path: Path) -> None:
    root = tmp_path / "root"
    first_tree(root)
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        ids = await engine.ids()
        for step in case.between:
            step(root)
            await engine.catalogue(root)
            ids |= {
                name: number
                for name, number in (await engine.ids()).items()
                if name not in ids and number not in ids.values()
            }
        case.change(root)
        counts = await engine.catalogue(root)
        after = await engine.ids()
        known_before = {name: ids.get(name) for name in case.files.values() if name is not None}
        assert set(after) == set(case.files)
        for name, old in case.files.items():
            if old is not None:
                assert after[name] == known_before[old], f"{name} should be what {old} was"
            elif name not in ids:
                assert after[name] not in ids.values(), f"{name} should be new"
        if case.files.get("a/1.jpg", "") is None:
            assert after["a/1.jpg"] != ids["a/1.jpg"]
        assert await engine.missing_ids() == {ids[name] for name in case.missing}
        assert {name: getattr(counts, name) for name in case.counts} == case.counts


@pytest.mark.parametrize(
    ("title", "moved", "new", "missing"),
    [
        ("moved over file systems", 1, 0, 0),
        ("deleted, and back as a copy at another path", 1, 0, 0),
        ("two copies made and the original deleted", 0, 2, 1),
        ("restored from a backup", 0, 0, 0),
        ("chain over a deleted file", 1, 0, 1),
    ],
)
async def test_the_counts_of_a_whole_scan_add_up(
    title: str, moved: int, new: int, missing: int, tmp_path: Path
) -> None:
    (case,) = (case for case in CASES if case.title == title)
    root = tmp_path / "root"
    first_tree(root)
    async with Engine.open(tmp_path, max_workers=1) as engine:
        for step in (*case.between, case.change):
            engine.check_counts((await engine.scan(root)).counters)
            step(root)
        counts = (await engine.scan(root)).counters
        engine.check_counts(counts)
        assert (counts.moved, counts.new, counts.missing) == (moved, new, missing)


async def test_a_second_scan_of_what_did_not_change_writes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    first_tree(root)
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        before = await engine.dump("file", "folder", "extracted", "root")
        await engine.catalogue(root)
        assert await engine.dump("file", "folder", "extracted") == before[:3]


async def test_moved_between_two_roots_on_one_disk(tmp_path: Path) -> None:
    first_tree(tmp_path / "one")
    write_file(tmp_path / "two/x.jpg", b"x")
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(tmp_path / "one", tmp_path / "two")
        before = await engine.ids_by_path()
        os.rename(tmp_path / "one/a/1.jpg", tmp_path / "two/1.jpg")
        await engine.catalogue(tmp_path / "one", tmp_path / "two")
        after = await engine.ids_by_path()
        assert after[tmp_path / "two/1.jpg"] == before[tmp_path / "one/a/1.jpg"]
        os.rename(tmp_path / "two/1.jpg", tmp_path / "one/1.jpg")
        await engine.catalogue(tmp_path / "one")  # the other root is not scanned, but looked at
        after = await engine.ids_by_path()
        assert after[tmp_path / "one/1.jpg"] == before[tmp_path / "one/a/1.jpg"]


async def test_an_unreadable_or_vanished_root_makes_nothing_missing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    first_tree(root)
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        shutil.move(root, tmp_path / "away")
        root.mkdir()
        summary = await engine.scan(root)
        assert "empty" in summary.unavailable
        assert await engine.missing_ids() == set()
        summary = await engine.scan(root, accept_missing=True)
        assert summary.counters.missing == 3


async def test_the_brake_holds_when_many_files_would_go_missing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for number in range(300):
        write_file(root / f"{number % 3}/{number}.jpg", content(str(number)))
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        shutil.rmtree(root / "0")
        shutil.rmtree(root / "1")
        write_file(root / "2/new.jpg", b"new")
        summary = await engine.scan(root)
        assert "200 of 301" in summary.unavailable
        assert summary.counters.new == 1
        assert await engine.missing_ids() == set()
        summary = await engine.scan(root, accept_missing=True)
        assert summary.unavailable == ""
        assert len(await engine.missing_ids()) == 200


async def test_the_brake_does_not_hold_for_moved_files(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for number in range(150):
        write_file(root / f"old/{number}.jpg", content(str(number)))
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        before = await engine.ids()
        os.rename(root / "old", root / "new")
        summary = await engine.scan(root)
        assert summary.unavailable == ""
        after = await engine.ids()
        assert {name.replace("new/", "old/"): number for name, number in after.items()} == before


async def test_files_that_are_alike_are_looked_for_once_a_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    find = stages.alike_without_full_fingerprint

    def counting(db: sqlite3.Connection, root_ids: Sequence[int]) -> array[int]:
        asked.append(1)
        return find(db, root_ids)

    monkeypatch.setattr(stages, "alike_without_full_fingerprint", counting)
    monkeypatch.setattr(equal_files, "_FULL_PAGE", 2)
    for number in range(7):
        write_file(tmp_path / f"root/{number}.jpg", content("the same"))
    async with Engine.open(tmp_path) as engine:
        await engine.scan(tmp_path / "root", only=Stage.WALK)
        await engine.scan(tmp_path / "root", only=Stage.FINGERPRINT)
        assert await engine.rows("SELECT count(fingerprint), count(DISTINCT fingerprint) FROM file") == [
            (7, 1)
        ]
    assert len(asked) == 1


async def test_another_file_system_is_accepted_once_and_for_all(tmp_path: Path) -> None:
    root = tmp_path / "root"
    first_tree(root)
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        (known,) = await engine.rows("SELECT file_system, path_in_file_system FROM root")
        await engine.library.writer.run(lambda db: db.execute("UPDATE root SET file_system = 'uuid:old'"))
        (root / "a/1.jpg").unlink()
        assert "another file system" in (await engine.scan(root, only=Stage.WALK)).unavailable
        assert await engine.missing_ids() == set()
        assert (await engine.scan(root, only=Stage.WALK, accept_missing=True)).counters.missing == 1
        assert await engine.rows("SELECT file_system, path_in_file_system FROM root") == [known]
        assert (await engine.scan(root, only=Stage.WALK)).unavailable == ""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Return a function that mounts (or unmounts) a file system at a folder."""
    mounted: list[Path] = []

    def switch(*command: str | Path) -> None:
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("mounting is not permitted here")
        (mounted.append if command[0] == "mount" else mounted.remove)(Path(command[-1]))

    yield switch
    for point in mounted:
        subprocess.run(["umount", point], check=False)


async def test_files_of_a_disk_inside_the_root_wait_for_it(tmp_path: Path, disk: Callable[..., None]) -> None:
    root, inner, store = tmp_path / "root", tmp_path / "root/in", tmp_path / "store"
    first_tree(root)
    for folder in (inner, store):
        folder.mkdir()
    disk("mount", "-t", "tmpfs", "yapmo-test", store)
    disk("mount", "--bind", store, inner)
    for name in ("4.jpg", "deep/5.jpg"):
        write_file(inner / name, content(name))
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        before = await engine.dump("file", "folder")
        disk("umount", inner)
        for number in range(2):
            summary = await engine.scan(root, only=Stage.WALK)
            assert (summary.counters.missing, summary.counters.problems) == (0, 1), number
        assert (await engine.scan(inner, only=Stage.WALK)).counters.missing == 0
        assert await engine.dump("file", "folder") == before
        disk("mount", "--bind", store, inner)
        (inner / "4.jpg").unlink()
        summary = await engine.scan(inner, only=Stage.WALK)
        assert (summary.unavailable, summary.counters.missing, summary.counters.unchanged) == ("", 1, 1)
        summary = await engine.scan(root, only=Stage.WALK)
        assert (summary.unavailable, summary.counters.missing, summary.counters.unchanged) == ("", 0, 4)
