"""Rows for tables and everything about one file, read over any reading connection."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tui.library.values import join_path, loaded_list
from tui.paths import is_inside
from tui.records import HOT_FIELDS, FileRow, FileState, Kind, StageState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from tui.library.companions.grouping import Companion
    from tui.library.edits import Edit
    from tui.library.problems import ProblemRow

_HEAD = (
    "file.id, root.path, folder.path, file.name, file.kind, file.size, file.mtime_ns, file.missing_since, "
    "file.metadata_state"
)
_COLUMNS = f"{_HEAD}, {', '.join(f'file.{name}' for name in HOT_FIELDS)}"
_HEAD_LENGTH = 9
_ROWS = (
    f"SELECT {_COLUMNS} FROM json_each(?) AS wanted CROSS JOIN file ON file.id = wanted.value "
    "CROSS JOIN folder ON folder.id = file.folder_id CROSS JOIN root ON root.id = folder.root_id"
)


@dataclass(frozen=True, slots=True)
class FileDetails:
    """Everything that the library knows about one file; times are nanoseconds since the epoch.

    Attributes:
        row: what tables show.
        root: path of its root, absolute.
        root_offline_since: when its root was found to be away, None while that is there.
        root_seen_at: when its root was last seen, None before the first scan.
        first_seen: when it came into the library.
        missing_since: when it was found missing, None when it is present.
        last_seen_at: when it was last known present, None when it is present.
        fingerprint_state: pending, done or failed.
        quick_fingerprint: 16 bytes, None before it is known.
        fingerprint: of the whole content, None where that was not needed.
        extractor: program that its metadata came from, empty before.
        description: caption or comment.
        keywords: keywords and subjects.
        people: who is shown.
        place: names of the place.
        all_tags: everything that the extractor said, by tag name.
        tags: the user's tags.
        edits: the user's edits.
        problems: what could not be done, also what is ignored.
        companions: what belongs together with it: its main file, its companions and sidecars.
    """

    row: FileRow
    root: bytes
    first_seen: int
    missing_since: int | None = None
    last_seen_at: int | None = None
    root_offline_since: int | None = None
    root_seen_at: int | None = None
    fingerprint_state: StageState = StageState.PENDING
    quick_fingerprint: bytes | None = None
    fingerprint: bytes | None = None
    extractor: str = ""
    description: str | None = None
    keywords: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    place: str | None = None
    all_tags: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    problems: tuple[ProblemRow, ...] = ()
    companions: tuple[Companion, ...] = ()


def read_rows(db: sqlite3.Connection, file_ids: Sequence[int]) -> list[FileRow]:
    """Return the rows of these files in the given order; files that are gone from the library are left out."""
    return [_to_row(row) for row in db.execute(_ROWS, (json.dumps(list(file_ids)),))]


def _to_row(row: tuple[Any, ...]) -> FileRow:
    file_id, root, folder, name, kind, size, mtime_ns, missing_since, metadata_state = row[:_HEAD_LENGTH]
    return FileRow(
        file_id=file_id,
        path=join_path(root, folder, name),
        name=name,
        kind=Kind(kind),
        size=size,
        mtime_ns=mtime_ns,
        state=FileState.PRESENT if missing_since is None else FileState.MISSING,
        metadata_state=StageState(metadata_state),
        values={
            name: value
            for name, value in zip(HOT_FIELDS, row[_HEAD_LENGTH:], strict=True)
            if value is not None
        },
    )


def read_details(db: sqlite3.Connection, file_id: int) -> FileDetails | None:
    """Return everything known about a file, None when there is no such file."""
    # imported here: the first rows of a table do without
    from tui.library import all_tags
    from tui.library.companions.grouping import companions_of
    from tui.library.edits import edits_of
    from tui.library.problems import problems_of
    from tui.library.tags import tags_of

    rows = read_rows(db, [file_id])
    if not rows:
        return None
    root, offline_since, seen_at, first_seen, missing_since, last_seen_at, state, quick, full = db.execute(
        "SELECT root.path, root.offline_since, root.seen_at, first_seen, missing_since, last_seen_at, "
        "fingerprint_state, quick_fingerprint, fingerprint FROM file JOIN folder ON folder.id = file.folder_id "
        "JOIN root ON root.id = folder.root_id WHERE file.id = ?",
        (file_id,),
    ).fetchone()
    extractor, description, keywords, people, place, tags = db.execute(
        "SELECT extractor, description, keywords, people, place, all_tags FROM extracted WHERE file_id = ?",
        (file_id,),
    ).fetchone() or ("", None, None, None, None, None)
    return FileDetails(
        row=rows[0],
        root=root,
        root_offline_since=offline_since,
        root_seen_at=seen_at,
        first_seen=first_seen,
        missing_since=missing_since,
        last_seen_at=last_seen_at,
        fingerprint_state=StageState(state),
        quick_fingerprint=quick,
        fingerprint=full,
        extractor=extractor,
        description=description,
        keywords=loaded_list(keywords),
        people=loaded_list(people),
        place=place,
        all_tags=all_tags.load(tags),
        tags=tuple(tags_of(db, file_id)),
        edits=tuple(edits_of(db, file_id)),
        problems=tuple(problems_of(db, file_id)),
        companions=companions_of(db, file_id),
    )


def find_file(db: sqlite3.Connection, which: bytes | int) -> int | None:
    """Return the id of the file at an absolute path (a present one before a missing one) or with that id; None if none."""
    from tui.library.files import file_at

    if isinstance(which, int):
        row = db.execute("SELECT id FROM file WHERE id = ?", (which,)).fetchone()
        return None if row is None else int(row[0])
    folder, name = os.path.split(which)
    for root_id, root_path in db.execute("SELECT id, path FROM root").fetchall():
        if not is_inside(folder, root_path):
            continue
        inner = folder[len(root_path.rstrip(b"/")) + 1 :]
        row = db.execute("SELECT id FROM folder WHERE root_id = ? AND path = ?", (root_id, inner)).fetchone()
        return None if row is None else file_at(db, row[0], name)
    return None
