"""Companions in the library: real trees, scanned, changed and scanned again."""

from __future__ import annotations

import json
import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.media import write_file
from tests.scan.engine import Engine
from tui.commands.json_records import details_object
from tui.file_facts import file_facts
from tui.library.files import remove_files
from tui.library.query import parse_query
from tui.library.stages import save_extractions
from tui.records import Extraction, Metadata, Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAIRS = {
    "a/IMG_1.JPG": "a/IMG_1.CR2",
    "a/IMG_1.xmp": "a/IMG_1.CR2",
    "a/IMG_1.JPG.XMP": "a/IMG_1.JPG",
    "b/IMG_2.mov": "b/IMG_2.HEIC",
    "b/IMG_2.AAE": "b/IMG_2.HEIC",
}
ALONE = ("a/IMG_1.CR2", "b/IMG_2.HEIC", "b/alone.jpg", "b/none.xmp")


def first_tree(root: Path) -> None:
    for name in (*PAIRS, *ALONE):
        write_file(root / name, f"content of {name}".encode())


async def pairs(engine: Engine) -> dict[str, str]:
    """Return the main file of each companion and sidecar, by path in the root."""
    rows = await engine.rows(
        "WITH path AS (SELECT file.id, folder.path || '/' || file.name AS name, companion_of FROM file "
        "JOIN folder ON folder.id = file.folder_id WHERE missing_since IS NULL) "
        "SELECT one.name, main.name FROM path AS one JOIN path AS main ON main.id = one.companion_of "
        "UNION ALL SELECT folder.path || '/' || sidecar.name, path.name FROM sidecar "
        "JOIN folder ON folder.id = sidecar.folder_id JOIN path ON path.id = sidecar.file_id"
    )
    return {child.strip("/"): main.strip("/") for child, main in rows}


def renamed(old: str, new: str) -> dict[str, str]:
    return {child.replace(old, new): main.replace(old, new) for child, main in PAIRS.items()}


def without(*names: str) -> dict[str, str]:
    return {child: main for child, main in PAIRS.items() if child not in names and main not in names}


def move(old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        os.makedirs((root / new).parent, exist_ok=True)
        os.rename(root / old, root / new)

    return change


def move_stem(folder: str, stem: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / new).mkdir()
        for path in (root / folder).glob(f"{stem}.*"):
            os.rename(path, root / new / path.name)

    return change


def move_by_copy(root: Path) -> None:
    shutil.copytree(root / "a", root / "c", copy_function=shutil.copyfile)
    shutil.rmtree(root / "a")


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (lambda _: None, PAIRS),
        (move("a", "z"), renamed("a/", "z/")),
        (move("a", "A"), renamed("a/", "A/")),
        (move_stem("b", "IMG_2", "n"), renamed("b/", "n/")),
        (move_by_copy, renamed("a/", "c/")),
        (move("a/IMG_1.CR2", "b/IMG_1.CR2"), without("a/IMG_1.CR2") | {"a/IMG_1.xmp": "a/IMG_1.JPG"}),
        (lambda root: (root / "a/IMG_1.CR2").unlink(), without("a/IMG_1.CR2") | {"a/IMG_1.xmp": "a/IMG_1.JPG"}),
        (lambda root: (root / "a/IMG_1.xmp").unlink(), without("a/IMG_1.xmp")),
        (lambda root: shutil.rmtree(root / "b"), without("b/IMG_2.HEIC")),
        (lambda root: write_file(root / "a/IMG_1.xmp", b"edited by another program"), PAIRS),
        (lambda root: write_file(root / "b/none.jpg", b"its picture"), PAIRS | {"b/none.xmp": "b/none.jpg"}),
        (lambda root: write_file(root / "b/alone.THM", b"no film"), PAIRS),
    ],
    ids=[
        "nothing", "folder renamed", "folder renamed in case only", "pair moved", "pair moved over file systems",
        "main file moved", "main file deleted", "sidecar deleted", "folder deleted", "sidecar changed",
        "picture of a sidecar came", "sidecar of nothing came",
    ],
)  # fmt: skip
async def test_companions_after_a_change(
    change: Callable[[Path], None], after: dict[str, str], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    first_tree(root)
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        before = await engine.ids()
        assert await pairs(engine) == PAIRS
        change(root)
        await engine.catalogue(root)
        assert await pairs(engine) == after
        new = set((await engine.ids()).values()).difference(before.values())
        assert len(new) == (root / "b/none.jpg").exists()
        on_disk = {
            (os.fsencode(path.name), path.stat().st_size)
            for path in root.rglob("*")
            if path.suffix.lower() in (".xmp", ".aae", ".thm")
        }
        assert set(await engine.rows("SELECT name, size FROM sidecar")) == on_disk
        known = await engine.dump("file", "folder", "sidecar", "regrouping")
        await engine.catalogue(root)
        assert await engine.dump("file", "folder", "sidecar", "regrouping") == known
        assert known[-1] == []


async def test_a_root_that_is_away_keeps_its_sidecars(tmp_path: Path) -> None:
    root = tmp_path / "root"
    first_tree(root)
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        shutil.move(root, tmp_path / "away")
        root.mkdir()
        await engine.scan(root, only=Stage.WALK)
        assert await pairs(engine) == PAIRS
        await engine.scan(root, only=Stage.WALK, accept_missing=True)
        assert await engine.rows("SELECT * FROM sidecar") == []
        root.rmdir()
        shutil.move(tmp_path / "away", root)
        await engine.catalogue(root)
        assert await pairs(engine) == PAIRS


async def test_what_belongs_together_is_shown_and_found(tmp_path: Path) -> None:
    root = tmp_path / "root"
    first_tree(root)
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        ids = await engine.ids()
        shown = {}
        for name in ("a/IMG_1.CR2", "a/IMG_1.JPG", "b/alone.jpg"):
            details = await engine.library.reader.details(ids[name])
            assert details is not None
            companions = {item["path"]: item["kind"] for item in details_object(details)["companions"]}
            shown[name] = {os.path.relpath(path, root): kind for path, kind in companions.items()}
            facts = {group.title: group.facts for group in file_facts(details)}.get("Companions", ())
            assert [fact.value for fact in facts] == [os.path.basename(path) for path in companions]
        found = {
            text: {row.file_id async for row in engine.library.reader.iterate(parse_query(text))}
            for text in ("companion:yes", "companion:no", "has:sidecar", "-has:sidecar")
        }
    assert shown == {
        "a/IMG_1.CR2": {"a/IMG_1.JPG": "image", "a/IMG_1.xmp": "sidecar"},
        "a/IMG_1.JPG": {"a/IMG_1.CR2": "raw", "a/IMG_1.JPG.XMP": "sidecar"},
        "b/alone.jpg": {},
    }
    companions_found = {ids["a/IMG_1.JPG"], ids["b/IMG_2.mov"]}
    with_sidecar = {ids["a/IMG_1.CR2"], ids["a/IMG_1.JPG"], ids["b/IMG_2.HEIC"]}
    assert found == {
        "companion:yes": companions_found,
        "companion:no": set(ids.values()) - companions_found,
        "has:sidecar": with_sidecar,
        "-has:sidecar": set(ids.values()) - with_sidecar,
    }


@pytest.mark.parametrize(
    ("film", "identifiers", "paired"),
    [
        ("3s", ("", ""), True),
        ("11s", ("", ""), False),
        ("11s", ("same", "same"), True),
        ("3s", ("one", "other"), False),
    ],
)
async def test_what_metadata_says_of_a_live_photo(
    film: str, identifiers: tuple[str, str], paired: bool, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    first_tree(root)
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        told = {
            "b/IMG_2.mov": (Metadata(duration_ms=int(film[:-1]) * 1000), identifiers[0]),
            "b/IMG_2.HEIC": (Metadata(), identifiers[1]),
        }
        ids = await engine.ids()
        for name, (metadata, identifier) in told.items():
            ((size, mtime_ns),) = await engine.rows("SELECT size, mtime_ns FROM file WHERE id = ?", ids[name])
            tags = json.dumps({"Keys:ContentIdentifier": identifier} if identifier else {}).encode()
            outcome = Extraction(ids[name], size, mtime_ns, "exiftool", metadata, tags)
            await engine.library.writer.run(partial(save_extractions, extractions=[outcome]))
        await engine.scan(root, only=Stage.WALK)
        assert (await pairs(engine)).get("b/IMG_2.mov") == ("b/IMG_2.HEIC" if paired else None)


async def test_a_main_file_that_leaves_the_library_leaves_its_companions_alone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    first_tree(root)
    async with Engine.open(tmp_path) as engine:
        await engine.catalogue(root)
        main = (await engine.ids())["a/IMG_1.CR2"]
        await engine.library.writer.run(lambda db: remove_files(db, [main]))
        assert await pairs(engine) == without("a/IMG_1.CR2") | {"a/IMG_1.JPG.XMP": "a/IMG_1.JPG"}
        assert await engine.rows("SELECT companion_of FROM file WHERE companion_of = ?", main) == []
        await engine.catalogue(root)
        assert await pairs(engine) == PAIRS
