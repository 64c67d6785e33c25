"""Whatever happens to a tree, with scans between: the library ends as a fresh scan of it, and files that survive keep
their ids, edits and tags.

`YAPMO_TEST_EXAMPLES=2000` tries as many histories instead of a few.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.media import write_file
from tests.scan.engine import Engine
from tui.library.edits import set_edit
from tui.library.tags import add_tag
from tui.records import Stage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

EXAMPLES = int(os.environ.get("YAPMO_TEST_EXAMPLES", "25"))
FOLDERS = ("a", "A", "b")
NAMES = ("1.jpg", "1.JPG", "2.jpg", "1.cr2", "1.mov", "1.xmp")
CONTENTS = (b"one" * 30, b"two" * 30, b"three", b"four" * 20_000, b"")
"""Few contents, of which two have one size, and few times: files that only look alike are frequent."""

SECOND = 1_000_000_000
FIRST_NS = 1_600_000_000 * SECOND

COPY_SECONDS = 9

PATHS = tuple(f"{folder}/{name}" for folder in FOLDERS for name in NAMES)


FIRST_FILES = ("a/1.jpg", "a/1.cr2", "b/2.jpg", "a/1.xmp")


class Step(NamedTuple):
    """Something that happens: what, to which file or folder, and where to or what with."""

    what: str
    which: str
    other: str = ""
    content: bytes = b""
    seconds: int = 0


class Stamp(NamedTuple):
    """What a scan compares of a file."""

    inode: int
    size: int
    mtime_ns: int


def paths_and_times() -> st.SearchStrategy[Step]:
    path, folder = st.sampled_from(PATHS), st.sampled_from(FOLDERS)
    content, seconds = st.sampled_from(CONTENTS), st.integers(0, 2)
    pair = st.tuples(path, path)
    return st.one_of(
        st.builds(Step, st.sampled_from(("create", "change")), path, content=content, seconds=seconds),
        st.builds(lambda what, ways: Step(what, *ways), st.sampled_from(("move", "swap", "link", "copy", "copy with time")), pair),
        st.builds(Step, st.sampled_from(("delete", "change case", "edit in place", "scan", "walk")), path, seconds=seconds),
        st.builds(Step, st.sampled_from(("move folder", "swap folders", "copy folder")), folder, folder),
        st.builds(Step, st.just("delete folder"), folder),
    )  # fmt: skip


def happen(root: Path, step: Step) -> None:
    """Do what a step says, as far as the tree allows it; the order of files is that of their names."""
    which, other = root / step.which, root / step.other
    DOES[step.what](which, other, step)


def set_time(path: Path, seconds: int) -> None:
    """Set a time that differs where contents do: what has size and time of another is taken for equal to it."""
    time_ns = FIRST_NS + seconds * SECOND + zlib.crc32(path.read_bytes())
    os.utime(path, ns=(time_ns, time_ns))


def create(which: Path, _: Path, step: Step) -> None:
    if not which.is_dir():
        write_file(which, step.content)
        set_time(which, step.seconds)


def change(which: Path, other: Path, step: Step) -> None:
    if which.is_file():
        draft = which.with_suffix(".draft")
        create(draft, other, step)
        os.replace(draft, which)


def edit_in_place(which: Path, _: Path, step: Step) -> None:
    if which.is_file():
        with open(which, "r+b") as file:
            file.write(b"edit")
        set_time(which, step.seconds)


def move(which: Path, other: Path, _: Step) -> None:
    if which.is_file():
        other.parent.mkdir(parents=True, exist_ok=True)
        os.rename(which, other)


def change_case(which: Path, other: Path, step: Step) -> None:
    move(which, which.with_name(which.name.swapcase()), step)


def swap(which: Path, other: Path, _: Step) -> None:
    if which.exists() and other.exists() and which != other:
        aside = which.with_name("aside")
        os.rename(which, aside)
        os.rename(other, which)
        os.rename(aside, other)


def link(which: Path, other: Path, _: Step) -> None:
    if which.is_file() and not other.exists():
        other.parent.mkdir(parents=True, exist_ok=True)
        os.link(which, other)


def copy(which: Path, other: Path, step: Step) -> None:
    if which.is_file() and not (other.exists() and which.samefile(other)):
        other.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(which, other)
        if step.what != "copy with time":
            set_time(other, COPY_SECONDS)


def delete(which: Path, *_: object) -> None:
    if which.is_file():
        which.unlink()


def delete_folder(which: Path, *_: object) -> None:
    if which.is_dir():
        shutil.rmtree(which)


def move_folder(which: Path, other: Path, _: Step) -> None:
    if which.is_dir() and not other.exists() and which not in other.parents:
        os.rename(which, other)


def swap_folders(which: Path, other: Path, step: Step) -> None:
    if which not in other.parents and other not in which.parents:
        swap(which, other, step)


def copy_folder(which: Path, other: Path, step: Step) -> None:
    for path in sorted(which.glob("*.*")):
        copy(path, other / path.name, step)


DOES: dict[str, Callable[[Path, Path, Step], None]] = {
    "create": create, "change": change, "edit in place": edit_in_place, "move": move, "change case": change_case,
    "swap": swap, "link": link, "copy": copy, "copy with time": copy, "delete": delete, "delete folder": delete_folder,
    "move folder": move_folder, "swap folders": swap_folders, "copy folder": copy_folder,
}  # fmt: skip


class History:
    """One library that is scanned now and then, with what was true of the tree and of the library at the last scan."""

    def __init__(self, engine: Engine, root: Path) -> None:
        self.engine = engine
        self.root = root
        self.stamps: dict[str, Stamp] = {}
        self.ids: dict[str, int] = {}
        self.missing: dict[tuple[str, Stamp], set[int]] = {}
        self.worked_on: dict[int, str] = {}

    async def scan(self, *, with_fingerprints: bool) -> None:
        """Scan, check what the scan decided, and work on the files that are new."""
        for stage in (Stage.WALK, Stage.FINGERPRINT)[: 1 + with_fingerprints]:
            summary = await self.engine.scan(self.root, only=stage, accept_missing=True)
            assert (summary.state, summary.unavailable) == ("completed", ""), summary
            if stage is Stage.WALK:
                self.engine.check_counts(summary.counters)
        stamps, ids = stamps_below(self.root), await self.engine.ids()
        assert set(ids) == set(stamps)
        self._check_ids(stamps, ids)
        await self._check_work()
        self.stamps, self.ids, self.missing = stamps, ids, await self._read_missing()
        await self.engine.library.writer.run(self._work_on_new)

    def _check_ids(self, stamps: dict[str, Stamp], ids: dict[str, int]) -> None:
        """Check the ids that docs/identity.md promises without a doubt."""
        before, after = Counter(self.stamps.values()), Counter(stamps.values())
        known = {*self.stamps.values(), *(stamp for _, stamp in self.missing)}
        place_before = {stamp: path for path, stamp in self.stamps.items()}
        for path, stamp in stamps.items():
            if path in self.stamps:
                same_place = self.stamps[path] == stamp
                changed_in_place = stamp not in known and self.stamps[path] not in after
                if same_place or changed_in_place:
                    assert ids[path] == self.ids[path], f"{path} stayed and has another id"
                    continue
            elif len(returned := self.missing.get((path, stamp), ())) == 1:
                assert ids[path] in returned, f"{path} came back and has another id"
                continue
            if before[stamp] == after[stamp] == 1:
                old = place_before[stamp]
                assert ids[path] == self.ids[old], f"{old} moved to {path} and has another id"

    async def _check_work(self) -> None:
        """Check that nothing that was typed is lost: tags come together when two rows turn out to be one file."""
        rows = await self.engine.rows(
            "SELECT tag.name, file_tag.file_id FROM file_tag JOIN tag ON tag.id = file_tag.tag_id"
        )
        assert sorted(name for name, _ in rows) == sorted(self.worked_on.values())
        titles = dict(await self.engine.rows("SELECT id, title FROM file WHERE title IS NOT NULL"))
        kept = {file_id for (file_id,) in await self.engine.rows("SELECT id FROM file")}
        for file_id in kept.intersection(self.worked_on):
            assert file_id in titles, f"file {file_id} has lost its title"

    async def _read_missing(self) -> dict[tuple[str, Stamp], set[int]]:
        found: dict[tuple[str, Stamp], set[int]] = {}
        for folder, name, file_id, *stamp in await self.engine.rows(
            "SELECT folder.path, name, file.id, inode, size, mtime_ns FROM file "
            "JOIN folder ON folder.id = folder_id WHERE missing_since IS NOT NULL"
        ):
            path = os.fsdecode(os.path.join(folder, name))
            found.setdefault((path, Stamp(*stamp)), set()).add(file_id)
        return found

    def _work_on_new(self, db: sqlite3.Connection) -> None:
        for (file_id,) in db.execute("SELECT id FROM file").fetchall():
            if file_id not in self.worked_on:
                self.worked_on[file_id] = f"tag of {file_id}"
                add_tag(db, [file_id], f"tag of {file_id}")
                set_edit(db, file_id, "title", f"title of {file_id}", file_id)


def stamps_below(root: Path) -> dict[str, Stamp]:
    """Return the stamps of all media files, by path in the root."""
    found = {}
    for path in root.rglob("*"):
        if path.is_file() and path.suffix.lower() in (".jpg", ".cr2", ".mov"):
            status = path.lstat()
            found[str(path.relative_to(root))] = Stamp(status.st_ino, status.st_size, status.st_mtime_ns)
    return found


PRESENT = (
    "SELECT folder.path, file.name, file.kind, file.extension, file.display_name, file.size, file.mtime_ns, file.inode, "
    "file.metadata_state, file.fingerprint_state, file.quick_fingerprint, main.name, main_folder.path "
    "FROM file JOIN folder ON folder.id = file.folder_id LEFT JOIN file AS main ON main.id = file.companion_of "
    "LEFT JOIN folder AS main_folder ON main_folder.id = main.folder_id WHERE file.missing_since IS NULL ORDER BY 1, 2"
)
SIDECARS = (
    "SELECT folder.path, sidecar.name, sidecar.size, sidecar.mtime_ns, file.name FROM sidecar "
    "JOIN folder ON folder.id = sidecar.folder_id LEFT JOIN file ON file.id = sidecar.file_id ORDER BY 1, 2"
)


async def live(steps: list[Step], place: Path) -> None:
    root = place / "root"
    root.mkdir()
    (place / "fresh").mkdir()
    async with Engine.open(place) as engine:
        history = History(engine, root)
        for number, name in enumerate(FIRST_FILES):
            happen(root, Step("create", name, content=CONTENTS[number], seconds=number))
        for step in steps:
            if step.what in ("scan", "walk"):
                await history.scan(with_fingerprints=step.what == "scan")
            else:
                happen(root, step)
        await history.scan(with_fingerprints=True)
        async with Engine.open(place / "fresh") as fresh:
            await History(fresh, root).scan(with_fingerprints=True)
            for question in (PRESENT, SIDECARS):
                assert await engine.rows(question) == await fresh.rows(question)
        await engine.library.writer.run(
            lambda db: db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        )
        assert await engine.rows("PRAGMA foreign_key_check") == []
        for table in ("arrival", "departure", "sidecar_departure", "regrouping"):
            assert await engine.rows(f"SELECT * FROM {table}") == [], table


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(paths_and_times(), min_size=4, max_size=24))
def test_any_history_ends_as_a_fresh_scan(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(live(steps, Path(place)))
