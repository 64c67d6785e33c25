"""Sums over the whole library: how much of what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.library.problems import count_problems

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

_SUMS = "count(*), coalesce(sum(size), 0), coalesce(sum(duration_ms), 0)"
_MOST_GROUPS = 100


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
        extensions: by extension, the most first, a hundred at most.
        cameras: by model of the camera, the most first, a hundred at most.
        years: by year of recording (of release for music), in order.
        problems: number of problems by stage, without those that are ignored.
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
    years: tuple[Group, ...]
    problems: Mapping[str, int]


def read_statistics(db: sqlite3.Connection) -> LibraryStatistics:
    """Return sums over the library as it is at one instant."""
    db.execute("BEGIN")
    try:
        files, size, duration_ms, with_position, with_date = db.execute(
            f"SELECT {_SUMS}, count(latitude), count(taken_local) FROM file WHERE missing_since IS NULL"
        ).fetchone()
        return LibraryStatistics(
            files=files,
            size=size,
            duration_ms=duration_ms,
            with_position=with_position,
            with_date=with_date,
            missing=_count(db, "file WHERE missing_since IS NOT NULL"),
            folders=_count(db, "folder"),
            pending_metadata=_count(db, "file WHERE metadata_state = 0 AND missing_since IS NULL"),
            pending_fingerprints=_count(db, "file WHERE fingerprint_state = 0 AND missing_since IS NULL"),
            kinds=_group(db, "kind"),
            extensions=_group(db, "extension"),
            cameras=_group(db, "model", condition="AND model IS NOT NULL"),
            years=_group(db, "coalesce(CAST(year AS TEXT), substr(taken_local, 1, 4))", order="1"),
            problems=count_problems(db),
        )
    finally:
        db.execute("COMMIT")


def _count(db: sqlite3.Connection, source: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {source}").fetchone()[0])


def _group(
    db: sqlite3.Connection, key: str, *, condition: str = "", order: str = "2 DESC, 1"
) -> tuple[Group, ...]:
    limit = _MOST_GROUPS if order != "1" else -1
    rows = db.execute(
        f"SELECT coalesce({key}, ''), {_SUMS} FROM file WHERE missing_since IS NULL {condition} "
        f"GROUP BY 1 ORDER BY {order} LIMIT {limit}"
    )
    return tuple(Group(*row) for row in rows)
