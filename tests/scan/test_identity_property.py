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

EXAMPLES = int(os.environ.get("YAPMO_TEST_EXAMPLES", "20"))
FOLDERS = ("a", "A", "b")
NAMES = ("1.jpg", "1.JPG", "2.jpg", "1.cr2", "1.mov", "1.xmp")
CONTENTS = (b"one" * 30, b"two" * 30, b"three", b"four" * 20_000, b"")
"""Few contents, of which two have one size, and few times: files that only look alike are frequent."""

SECOND = 1_000_000_000
FIRST_NS = 1_600_000_000 * SECOND

COPY_SECONDS = 9

PATHS = tuple(f"{folder}/{name}" for folder in FOLDERS for name in NAMES)


FIRST_FILES = ("a/1.jpg", "a/1.cr2", "b/2.jpg", "b/1.xmp")


class Step(NamedTuple):
    """Something that happens.

    Attributes:
        what: one of `DOES`.
        pick: which of the present files, or folders, it happens to.
        place: path where something comes, or whose folder is meant.
        content: of a file that is made or replaced.
        seconds: when its time is set.
    """

    what: str
    pick: int
    place: str
    content: bytes = b""
    seconds: int = 0


class Round(NamedTuple):
    """What happens between two scans, which folder is scanned alone before all is, and whether what was put aside is back and fingerprints are taken then."""

    steps: list[Step]
    bring_back: bool
    with_fingerprints: bool
    alone: str


class Stamp(NamedTuple):
    """What a scan compares of a file."""

    inode: int
    size: int
    mtime_ns: int


def steps() -> st.SearchStrategy[Step]:
    return st.builds(
        Step, st.sampled_from(tuple(DOES)), st.integers(0, 11), st.sampled_from(PATHS), st.sampled_from(CONTENTS), st.integers(0, 2)
    )  # fmt: skip


def histories() -> st.SearchStrategy[list[Round]]:
    """Return what happens to a tree; each round ends with a scan."""
    of_one_round = st.lists(steps(), min_size=1, max_size=4)
    return st.lists(
        st.builds(Round, of_one_round, st.booleans(), st.booleans(), st.sampled_from(("", *FOLDERS))),
        min_size=2,
        max_size=5,
    )


def happen(root: Path, step: Step) -> None:
    """Do what a step says to one of the files that are there."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    if not files or step.what == "create":
        create(root / step.place, step)
    else:
        DOES[step.what](files[step.pick % len(files)], root / step.place, step)


def create(path: Path, step: Step) -> None:
    write_file(path, step.content)
    set_time(path, step.seconds)


def set_time(path: Path, seconds: int) -> None:
    """Set a time that differs where contents do: what has size and time of another is taken for equal to it."""
    time_ns = FIRST_NS + seconds * SECOND + zlib.crc32(path.read_bytes())
    os.utime(path, ns=(time_ns, time_ns))


def replace(file: Path, _: Path, step: Step) -> None:
    draft = file.with_suffix(".draft")
    create(draft, step)
    os.replace(draft, file)


def edit_in_place(file: Path, _: Path, step: Step) -> None:
    with open(file, "r+b") as opened:
        opened.write(b"edit")
    set_time(file, step.seconds)


def move(file: Path, place: Path, _: Step) -> None:
    place.parent.mkdir(exist_ok=True)
    os.rename(file, place)


def change_case(file: Path, _: Path, __: Step) -> None:
    os.rename(file, file.with_name(file.name.swapcase()))


def move_by_copy(file: Path, place: Path, step: Step) -> None:
    if not place.exists():
        copy(file, place, step)
        file.unlink()


def copy(file: Path, place: Path, step: Step) -> None:
    if not (place.exists() and file.samefile(place)):
        place.parent.mkdir(exist_ok=True)
        shutil.copy2(file, place)
        if step.what != "copy with time":
            set_time(place, COPY_SECONDS)


def link(file: Path, place: Path, _: Step) -> None:
    place.parent.mkdir(exist_ok=True)
    if not place.exists():
        os.link(file, place)


def swap(file: Path, place: Path, _: Step) -> None:
    """Let two files, or two folders, exchange their names."""
    if place.exists() and file != place:
        aside = file.with_name("aside")
        os.rename(file, aside)
        os.rename(place, file)
        os.rename(aside, place)


def delete(file: Path, *_: object) -> None:
    file.unlink()


def put_aside(file: Path, _: Path, step: Step) -> None:
    """Move a file out of the root, where no scan sees it."""
    aside = file.parents[2] / "aside"
    if not aside.exists():
        os.rename(file, aside)
        (aside.parent / "was").write_text(os.path.join(file.parent.name, file.name))


def bring_back(root: Path) -> None:
    """Bring back what was put aside, to where it was."""
    if (root.parent / "aside").exists():
        place = root / (root.parent / "was").read_text()
        place.parent.mkdir(exist_ok=True)
        os.rename(root.parent / "aside", place)


def move_folder(file: Path, place: Path, _: Step) -> None:
    if not place.parent.exists():
        os.rename(file.parent, place.parent)


def swap_folders(file: Path, place: Path, step: Step) -> None:
    swap(file.parent, place.parent, step)


def copy_folder(file: Path, place: Path, step: Step) -> None:
    for path in sorted(file.parent.iterdir()):
        copy(path, place.parent / path.name, step)


def delete_folder(file: Path, *_: object) -> None:
    shutil.rmtree(file.parent)


DOES: dict[str, Callable[..., None]] = {
    "create": create, "replace": replace, "edit in place": edit_in_place, "move": move, "change case": change_case,
    "move by copy": move_by_copy, "copy": copy, "copy with time": copy, "link": link, "swap": swap, "delete": delete,
    "put aside": put_aside, "move folder": move_folder, "swap folders": swap_folders,
    "copy folder": copy_folder, "delete folder": delete_folder,
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
        self.scanned_alone = ""
        self.settled: set[int] = set()
        """Files of which a scan with fingerprints has said what they are."""

    async def scan(self, *, with_fingerprints: bool) -> None:
        """Scan, check what the scan decided, and work on the files that are new."""
        for stage in (Stage.WALK, Stage.FINGERPRINT)[: 1 + with_fingerprints]:
            summary = await self.engine.scan(self.root, only=stage, accept_missing=True)
            assert (summary.state, summary.unavailable) == ("completed", ""), summary
            if stage is Stage.WALK:
                self.engine.check_counts(summary.counters)
                await self.engine.library.writer.run(self._work_on_new)
        stamps, ids = stamps_below(self.root), await self.engine.ids()
        assert set(ids) == set(stamps)
        self._check_ids(stamps, ids)
        await self._check_work()
        if with_fingerprints:
            self.settled.update(ids.values())
        self.stamps, self.ids, self.missing = stamps, ids, await self._read_missing()
        self.scanned_alone = ""

    async def scan_alone(self, folder: str) -> None:
        """Scan one folder, if it is there: only what lies in it is decided."""
        self.scanned_alone = folder
        if (self.root / folder).is_dir():
            summary = await self.engine.scan(self.root / folder, only=Stage.WALK, accept_missing=True)
            assert (summary.state, summary.unavailable) == ("completed", ""), summary

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
                    assert self._is_one(self.ids[path], ids[path]), f"{path} stayed and has another id"
                    continue
            elif len(returned := self.missing.get((path, stamp), ())) == 1:
                assert ids[path] in returned, f"{path} came back and has another id"
                continue
            if before[stamp] == after[stamp] == 1:
                old = place_before[stamp]
                if os.path.dirname(old) == self.scanned_alone and old in stamps:
                    continue  # a scan that did not look elsewhere took what lies there now for the file, changed
                assert self._is_one(self.ids[old], ids[path]), f"{old} moved to {path} and has another id"

    def _is_one(self, before: int, after: int) -> bool:
        """Return whether an id was kept, or given up by a new row that turned out to be a file that was missing."""
        missing = {file_id for ids in self.missing.values() for file_id in ids}
        return after == before or (before not in self.settled and after in missing)

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
    "file.links > 1, "
    "file.metadata_state, file.fingerprint_state, file.quick_fingerprint, main.name, main_folder.path "
    "FROM file JOIN folder ON folder.id = file.folder_id LEFT JOIN file AS main ON main.id = file.companion_of "
    "LEFT JOIN folder AS main_folder ON main_folder.id = main.folder_id WHERE file.missing_since IS NULL ORDER BY 1, 2"
)
SIDECARS = (
    "SELECT folder.path, sidecar.name, sidecar.size, sidecar.mtime_ns, file.name FROM sidecar "
    "JOIN folder ON folder.id = sidecar.folder_id LEFT JOIN file ON file.id = sidecar.file_id ORDER BY 1, 2"
)


async def live(rounds: list[Round], place: Path) -> None:
    root = place / "root"
    root.mkdir()
    (place / "fresh").mkdir()
    async with Engine.open(place) as engine:
        history = History(engine, root)
        for number, name in enumerate(FIRST_FILES):
            happen(root, Step("create", 0, name, CONTENTS[number], number))
        await history.scan(with_fingerprints=True)
        for part in rounds:
            if part.bring_back:
                bring_back(root)
            for step in part.steps:
                happen(root, step)
            if part.alone:
                await history.scan_alone(part.alone)
            await history.scan(with_fingerprints=part.with_fingerprints)
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
@given(histories())
def test_any_history_ends_as_a_fresh_scan(history: list[Round]) -> None:
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(live(history, Path(place)))
