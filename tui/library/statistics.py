"""Sums over the whole library: how much of what there is.

A million files are summed up in two walks of covering indexes, whose groups come in their order: SQLite need not sort,
and what the groups have in common is summed up here. The parts may be read side by side, by one connection each.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from tui.library.counts import count_present
from tui.library.problems import count_problems
from tui.library.query_fields import space_of
from tui.library.scans import recent_scans
from tui.library.schema import YEAR
from tui.library.values import join_path
from tui.records import Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from tui.library.scans import ScanRecord

MOST_GROUPS = 100
"""Groups of one sort that are kept, the largest; years are all kept."""

MOST_FOLDERS = (20, 5)
"""Folders that are kept in each root, and in each of those, the largest."""

MOST_SCANS = 50
"""Scans that are kept, the latest."""

_KEYS = f"extension, kind, model, lens, {YEAR}"
_KEY_COUNT = 5
_SUMS = "count(*), sum(size), coalesce(sum(duration_ms), 0)"

# the index holds what was read already: a walk of new files need not write to it
_READ = (
    f"SELECT {_KEYS}, {_SUMS} FROM file INDEXED BY file_groups "
    f"WHERE missing_since IS NULL AND metadata_state <> 0 GROUP BY {_KEYS}"
)
_PENDING = (
    f"SELECT {_KEYS}, size, coalesce(duration_ms, 0) FROM file INDEXED BY file_metadata_pending "
    "WHERE missing_since IS NULL AND metadata_state = 0"
)

# through the index by kind, because what has no date is less
_WITHOUT_DATE = f"kind IN ({', '.join(repr(str(kind)) for kind in Kind)}) AND taken_local IS NULL"

# several names of one inode take its space once
_ALIKE = f"""
SELECT shared.quick_fingerprint, size, {space_of("file")}, fingerprint
FROM shared_fingerprint AS shared
CROSS JOIN file INDEXED BY file_quick_fingerprint ON file.quick_fingerprint = shared.quick_fingerprint
WHERE file.missing_since IS NULL ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Group:
    """The present files that have one thing in common.

    Attributes:
        name: what they have in common; empty when it is not known of them.
        files: how many.
        size: bytes.
        duration_ms: playing time, milliseconds.
    """

    name: str
    files: int
    size: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class FolderSums:
    """The present files at or below a folder.

    Attributes:
        path: absolute path.
        depth: 0 for a root, 1 for a folder in it, 2 for one in that.
        files: how many.
        size: bytes.
        duration_ms: playing time, milliseconds.
    """

    path: bytes
    depth: int
    files: int
    size: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Present files with the same content as another; several names of one inode count as one file.

    Attributes:
        sets: different contents that occur more than once.
        files: files that could go, so that each content is there once.
        size: bytes that would be free then.
    """

    sets: int
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class LibraryStatistics:
    """Sums over the present files of a library.

    Attributes:
        files: present files.
        missing: missing files.
        folders: folders.
        size: bytes.
        duration_ms: playing time, milliseconds.
        with_position: files with a GPS position.
        with_date: files with a date of recording.
        pending_metadata: files whose metadata is still to be read.
        pending_fingerprints: files whose fingerprint is still to be made.
        kinds: by kind, the most first.
        extensions: by extension, the most first, `MOST_GROUPS` at most.
        cameras: by model of the camera, the most first, `MOST_GROUPS` at most.
        lenses: by lens, the most first, `MOST_GROUPS` at most.
        years: by year of release, else of recording, in order; the empty name for neither.
        top_folders: the roots, each followed by its largest folders (`MOST_FOLDERS`), each of them by its own.
        duplicates: what is there more than once.
        problems: number of problems by stage, without those that are ignored.
        scans: the latest first, `MOST_SCANS` at most.
    """

    files: int
    missing: int
    folders: int
    size: int
    duration_ms: int
    with_position: int
    with_date: int
    pending_metadata: int
    pending_fingerprints: int
    kinds: tuple[Group, ...]
    extensions: tuple[Group, ...]
    cameras: tuple[Group, ...]
    lenses: tuple[Group, ...]
    years: tuple[Group, ...]
    top_folders: tuple[FolderSums, ...]
    duplicates: Duplicates
    problems: Mapping[str, int]
    scans: tuple[ScanRecord, ...]


class _Sums:
    """Running sums of files, bytes and milliseconds for each value of one thing."""

    def __init__(self) -> None:
        self._sums: defaultdict[object, list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(self, value: object, sums: Sequence[int]) -> None:
        """Add to the sums of `value`; None and the empty text are what is not known."""
        known = self._sums[value or ""]
        for index, number in enumerate(sums):
            known[index] += number

    def most(self, *, unknown: bool = True) -> tuple[Group, ...]:
        """Return the groups of the most files, those first, with or without what is not known."""
        groups = [group for group in self._groups() if unknown or group.name]
        groups.sort(key=lambda group: (-group.files, group.name))
        return tuple(groups[:MOST_GROUPS])

    def in_order(self) -> tuple[Group, ...]:
        """Return all groups by the number that their name is, what is not known first."""
        return tuple(sorted(self._groups(), key=lambda group: int(group.name or -1)))

    def _groups(self) -> Iterator[Group]:
        return (Group(str(value), *sums) for value, sums in self._sums.items())


def read_groups(db: sqlite3.Connection) -> dict[str, Any]:
    """Return the sums by what files are, and of all of them: fields of `LibraryStatistics` by name."""
    extensions, kinds, cameras, lenses, years = by_key = [_Sums() for _ in range(5)]
    total = [0, 0, 0]
    for keys, sums in (*_sums_of_read(db), *_sums_of_pending(db)):
        total = [known + number for known, number in zip(total, sums, strict=True)]
        for groups, value in zip(by_key, keys, strict=True):
            groups.add(value, sums)
    return {
        "files": total[0],
        "size": total[1],
        "duration_ms": total[2],
        "extensions": extensions.most(),
        "kinds": kinds.most(),
        "cameras": cameras.most(unknown=False),
        "lenses": lenses.most(unknown=False),
        "years": years.in_order(),
    }


def _sums_of_read(db: sqlite3.Connection) -> Iterator[tuple[Sequence[object], Sequence[int]]]:
    return ((row[:_KEY_COUNT], row[_KEY_COUNT:]) for row in db.execute(_READ))


def _sums_of_pending(db: sqlite3.Connection) -> Iterator[tuple[Sequence[object], Sequence[int]]]:
    """Return the sums of the files whose metadata is pending: summed here, because SQLite would sort them first."""
    sums: defaultdict[Sequence[object], list[int]] = defaultdict(lambda: [0, 0, 0])
    for *keys, size, duration_ms in db.execute(_PENDING):
        known = sums[tuple(keys)]
        known[0] += 1
        known[1] += size
        known[2] += duration_ms
    yield from sums.items()


def read_places(db: sqlite3.Connection) -> dict[str, Any]:
    """Return the sums by where files lie, duplicates, states and history: the other fields of `LibraryStatistics`."""
    return {
        "missing": _count(db, "file WHERE missing_since IS NOT NULL"),
        "folders": _count(db, "folder"),
        "with_position": _count_present(db, "file_position", "latitude IS NOT NULL"),
        "with_date": count_present(db) - _count_present(db, "file_kind_taken", _WITHOUT_DATE),
        "pending_metadata": _count_present(db, "file_metadata_pending", "metadata_state = 0"),
        "pending_fingerprints": _count_present(db, "file_fingerprint_pending", "fingerprint_state = 0"),
        "top_folders": _top_folders(db),
        "duplicates": _duplicates(db),
        "problems": count_problems(db),
        "scans": tuple(recent_scans(db, limit=MOST_SCANS)),
    }


PARTS = (read_groups, read_places)
"""What together gives all fields of `LibraryStatistics`; each takes about as long as the other."""


def _count(db: sqlite3.Connection, source: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {source}").fetchone()[0])


def _count_present(db: sqlite3.Connection, index: str, condition: str) -> int:
    return _count(db, f"file INDEXED BY {index} WHERE {condition} AND missing_since IS NULL")


def _duplicates(db: sqlite3.Connection) -> Duplicates:
    """Return what is there more than once; where the whole content was not read, its beginning and end decide."""
    sets = files = freed = 0
    for _, alike in groupby(db.execute(_ALIKE), key=itemgetter(0)):
        _, sizes, inodes, contents = zip(*alike, strict=True)
        spare = len(set(inodes)) - max(1, len(set(contents) - {None}))
        if spare > 0:
            sets += 1
            files += spare
            freed += spare * sizes[0]
    return Duplicates(sets, files, freed)


def _top_folders(db: sqlite3.Connection) -> tuple[FolderSums, ...]:
    """Return the roots, each with its largest folders."""
    sums: defaultdict[tuple[int, bytes], list[int]] = defaultdict(lambda: [0, 0, 0])
    folders = {
        folder_id: (root_id, path)
        for folder_id, root_id, path in db.execute("SELECT id, root_id, path FROM folder")
    }
    for folder_id, *numbers in db.execute(
        f"SELECT folder_id, {_SUMS} FROM file INDEXED BY file_folder WHERE missing_since IS NULL GROUP BY folder_id"
    ):
        root_id, path = folders[folder_id]
        for above in _at_the_top(path):
            known = sums[root_id, above]
            for index, number in enumerate(numbers):
                known[index] += number
    found: list[FolderSums] = []
    for root_id, root_path in db.execute("SELECT id, path FROM root ORDER BY path"):
        inside = {path: numbers for (of_root, path), numbers in sums.items() if of_root == root_id}
        found.append(FolderSums(root_path, 0, *inside.get(b"", (0, 0, 0))))
        for path in _largest(inside, b"", MOST_FOLDERS[0]):
            found.append(FolderSums(join_path(root_path, path), 1, *inside[path]))
            found += [
                FolderSums(join_path(root_path, below), 2, *inside[below])
                for below in _largest(inside, path, MOST_FOLDERS[1])
            ]
    return tuple(found)


def _at_the_top(path: bytes) -> tuple[bytes, ...]:
    """Return the root, and the first and second folder on the way to a folder, as paths relative to the root."""
    if not path:
        return (b"",)
    first, _, rest = path.partition(b"/")
    return (b"", first, first + b"/" + rest.partition(b"/")[0]) if rest else (b"", first)


def _largest(sums: Mapping[bytes, Sequence[int]], parent: bytes, limit: int) -> list[bytes]:
    """Return the folders directly in `parent` that hold the most bytes, those first."""
    inside = [path for path in sums if path and path.rpartition(b"/")[0] == parent]
    return sorted(inside, key=lambda path: (-sums[path][1], path))[:limit]
