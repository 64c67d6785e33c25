"""The table of docs/identity.md, run row by row against real directory trees.

Each case (`identity_cases`) changes a tree between two scans and states what the library then says. Ids are compared by
the name that a file had before. Every file has been edited and tagged, and each of them keeps what is its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.media import jpeg_bytes, write_file
from tests.scan.engine import Engine
from tests.scan.identity_cases import CASES
from tests.scan.tree_changes import content, first_tree
from tui.library import stages
from tui.library.edits import set_edit
from tui.library.tags import add_tag
from tui.records import Stage
from tui.scan import equal_files, root_walk, targets
from tui.scan.file_systems import FileSystem, file_system_of

if TYPE_CHECKING:
    import sqlite3
    from array import array
    from collections.abc import Callable, Iterator, Sequence

    from tests.scan.identity_cases import Case


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
async def test_identity(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    first_tree(root)
    if not case.stable:
        pretend_that_inodes_do_not_last(monkeypatch)
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
        worked_on = await work_on_all(engine)
        case.change(root)
        counts = await engine.catalogue(root)
        after = await engine.ids()
        assert set(after) == set(case.files)
        for name, old in case.files.items():
            if old is not None:
                assert after[name] == ids[old], f"{name} should be what {old} was"
            else:
                assert after[name] not in ids.values(), f"{name} should be new"
        assert await engine.missing_ids() == {ids[name] for name in case.missing}
        assert {name: getattr(counts, name) for name in case.counts} == case.counts
        assert await work_of_people(engine) == worked_on


def pretend_that_inodes_do_not_last(monkeypatch: pytest.MonkeyPatch) -> None:
    def unstable(path: bytes) -> FileSystem:
        return replace(file_system_of(path), stable_inodes=False)

    for module in (root_walk, targets):
        monkeypatch.setattr(module, "file_system_of", unstable)


async def work_on_all(engine: Engine) -> set[tuple[int, str, str]]:
    """Give every file, also the missing, a title and a tag of its own; return what `work_of_people` says then."""

    def work(db: sqlite3.Connection) -> None:
        for (file_id,) in db.execute("SELECT id FROM file").fetchall():
            set_edit(db, file_id, "title", f"title of {file_id}", 1)
            add_tag(db, [file_id], f"tag of {file_id}")

    await engine.library.writer.run(work)
    return await work_of_people(engine)


async def work_of_people(engine: Engine) -> set[tuple[int, str, str]]:
    """Return id, title and tag of the files that have an edit or a tag."""
    return set(
        await engine.rows(
            "SELECT file.id, file.title, tag.name FROM file LEFT JOIN edit ON edit.file_id = file.id "
            "LEFT JOIN file_tag ON file_tag.file_id = file.id LEFT JOIN tag ON tag.id = file_tag.tag_id "
            "WHERE edit.field = 'title' OR tag.id IS NOT NULL"
        )
    )


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


async def test_moved_over_file_systems_between_two_roots_scanned_one_after_the_other(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    first_tree(one)
    write_file(two / "x.jpg", b"x")
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(one, two)
        before = await engine.ids_by_path()
        shutil.copyfile(one / "a/1.jpg", two / "1.jpg")
        await engine.catalogue(two)
        assert (await engine.ids_by_path())[two / "1.jpg"] not in before.values()
        (one / "a/1.jpg").unlink()
        await engine.catalogue(one)
        assert (await engine.ids_by_path())[two / "1.jpg"] == before[one / "a/1.jpg"]
        assert await engine.missing_ids() == set()


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


async def test_a_file_that_is_renamed_to_another_kind_is_read_by_what_reads_that(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_file(root / "a.jpg", jpeg_bytes(1))
    write_file(root / "b.jpg", jpeg_bytes(2))
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root)
        (root / "a.jpg").rename(root / "a.cr2")
        (root / "b.jpg").rename(root / "b.jpeg")
        await engine.scan(root, only=Stage.WALK)
        found = await engine.rows("SELECT name, kind, metadata_state FROM file ORDER BY name")
        assert found == [(b"a.cr2", "raw", 0), (b"b.jpeg", "image", 1)]


async def test_another_disk_at_the_place_of_a_root_is_not_read_into_it(tmp_path: Path) -> None:
    """A second card in the reader has files of the same names: none of them becomes a file of the first card."""
    root = tmp_path / "card"
    for number in range(4):
        write_file(root / f"{number}.jpg", jpeg_bytes(number))
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root)
        await engine.library.writer.run(
            lambda db: db.execute("UPDATE root SET file_system = 'uuid:first card'")
        )
        tables = ("file", "folder", "extracted", "problem")
        before = await engine.dump(*tables)
        write_file(root / "1.jpg", jpeg_bytes(9))
        write_file(root / "new.jpg", jpeg_bytes(8))
        for options in ({}, {"rescan": "everything"}):
            summary = await engine.scan(root, **options)
            assert "it was not scanned" in summary.unavailable
            assert [doubt.path for doubt in summary.doubts] == [os.fsencode(root)]
            assert await engine.dump(*tables) == before
        summary = await engine.scan(root, accept_missing=True)
        assert (summary.counters.new, summary.counters.changed, summary.unavailable) == (1, 1, "")


async def test_a_part_that_was_scanned_alone_says_nothing_of_the_rest(tmp_path: Path) -> None:
    """The copy came after the original was last seen, and before it was missed."""
    root = tmp_path / "root"
    write_file(root / "a/1.jpg", content("moved by copy and delete"))
    (root / "b").mkdir()
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        before = await engine.ids()
        shutil.copy(root / "a/1.jpg", root / "b/1.jpg")
        (root / "a/1.jpg").unlink()
        await engine.catalogue(root / "b")
        engine.root = root
        await engine.catalogue(root)
        assert await engine.ids() == {"b/1.jpg": before["a/1.jpg"]}
        assert await engine.missing_ids() == set()


async def test_a_part_that_was_scanned_alone_has_seen_what_lay_in_it(tmp_path: Path) -> None:
    """Original and copy were there together when their folder was scanned, so neither is the other moved."""
    root = tmp_path / "root"
    write_file(root / "a/1.jpg", content("copied, then deleted"))
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        before = await engine.ids()
        shutil.copy(root / "a/1.jpg", root / "a/2.jpg")
        await engine.catalogue(root / "a")
        (root / "a/1.jpg").unlink()
        await engine.catalogue(root / "a")
        assert await engine.missing_ids() == {before["a/1.jpg"]}


@pytest.mark.parametrize(("identity", "moves"), [("uuid:1234", True), ("ext4:/dev/sdb1", False)])
async def test_a_root_follows_its_disk_to_another_place_only_where_it_is_known_for_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, identity: str, moves: bool
) -> None:
    """Without udev each stick in turn is /dev/sdb1: what is mounted elsewhere under that name may be any of them."""

    def name(path: bytes) -> FileSystem:
        return replace(file_system_of(path), identity=identity, path_in_file_system=b"/")

    monkeypatch.setattr(targets, "file_system_of", name)
    old, new = tmp_path / "old", tmp_path / "new"
    write_file(old / "1.jpg", content("of the first stick"))
    async with Engine.open(tmp_path) as engine:
        await engine.scan(old, only=Stage.WALK)
        old.rename(tmp_path / "unplugged")
        write_file(new / "2.jpg", content("of the second stick"))
        summary = await engine.scan(new, only=Stage.WALK)
        assert len(await engine.rows("SELECT id FROM root")) == (1 if moves else 2)
        assert summary.counters.missing == int(moves)


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
