"""The stages of each file: what is pending, and the outcomes that settle it."""

from __future__ import annotations

import json
import time
from array import array
from typing import TYPE_CHECKING, Any, TypeVar

from tui.library import files, search_index
from tui.library.companions.grouping import note_extracted
from tui.library.edits import edited_values
from tui.library.metadata_rows import save_metadata
from tui.library.problems import clear_problems, record_problem
from tui.library.values import join_path, stored_integer
from tui.records import METADATA_VERSION, FileJob, Kind, Problem, Stage, StageState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui.records import Extraction, Fingerprint, FoundFile

Outcome = TypeVar("Outcome", "Extraction", "Fingerprint")

_FEW = 20_000
_JOB = "file.id, root.path, folder.path, file.name, file.kind, file.size, file.mtime_ns, file.folder_id, file.fingerprint_state, file.inode"


def pending_metadata(
    db: sqlite3.Connection,
    root_id: int,
    under: bytes = b"",
    *,
    name: bytes | None = None,
    after_id: int = 0,
    limit: int = 512,
) -> list[FileJob]:
    """Return present files of a root whose metadata is pending, by id.

    Args:
        db: the library.
        root_id: the root.
        under: only files at or below this folder, relative to the root; `b""` for all.
        name: only the file of this name in the folder `under` itself.
        after_id: only files with higher ids.
        limit: at most so many.
    """
    return _pending(db, "metadata", _part(root_id, under, name), after_id, limit)


def pending_fingerprints(
    db: sqlite3.Connection,
    root_id: int,
    under: bytes = b"",
    *,
    name: bytes | None = None,
    after_id: int = 0,
    limit: int = 512,
) -> list[FileJob]:
    """Return present files of a root whose fingerprint is pending, by id; arguments as `pending_metadata`."""
    return _pending(db, "fingerprint", _part(root_id, under, name), after_id, limit)


def _part(root_id: int, under: bytes, name: bytes | None) -> tuple[str, dict[str, object]]:
    """Return the condition on `folder` and `file` for a part of a root, and its values."""
    values: dict[str, object] = {"root": root_id}
    if name is not None:
        condition = "folder.root_id = :root AND folder.path = :under AND file.name = :name"
        return condition, values | {"under": under, "name": name}
    if not under:
        return "folder.root_id = :root", values
    # "0" is the byte after "/", so the range holds exactly what lies below
    condition = "folder.root_id = :root AND (folder.path = :under OR (folder.path > :first AND folder.path < :beyond))"
    return condition, values | {"under": under, "first": under + b"/", "beyond": under + b"0"}


def _pending(
    db: sqlite3.Connection, stage: str, within: tuple[str, dict[str, object]], after_id: int, limit: int
) -> list[FileJob]:
    part, values = within[0], within[1] | {"after": after_id, "limit": limit}
    if "under" in values and _holds_few(db, part, values):
        source = "folder CROSS JOIN file ON file.folder_id = folder.id"
    else:
        source = f"file INDEXED BY file_{stage}_pending CROSS JOIN folder ON folder.id = file.folder_id"
    rows = db.execute(
        f"SELECT {_JOB} FROM {source} CROSS JOIN root ON root.id = folder.root_id "
        f"WHERE {part} AND file.{stage}_state = 0 AND file.missing_since IS NULL AND file.id > :after "
        "ORDER BY file.id LIMIT :limit",
        values,
    )
    return [_to_job(row) for row in rows]


def _holds_few(db: sqlite3.Connection, part: str, values: dict[str, object]) -> bool:
    """Return whether a part of a root holds so few files that looking at each is quicker than at all that is pending."""
    (number,) = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM folder CROSS JOIN file ON file.folder_id = folder.id "
        f"AND file.missing_since IS NULL WHERE {part} LIMIT {_FEW})",
        values,
    ).fetchone()
    return bool(number < _FEW)


def alike_without_full_fingerprint(db: sqlite3.Connection, root_ids: Sequence[int]) -> array[int]:
    """Return the ids of present files, ascending, that only their whole content tells apart and that lack its hash.

    Those are files that share size and quick fingerprint with another file, in whatever root; eight bytes of memory for
    each.
    """
    rows = db.execute(
        """
        WITH alike AS (
            SELECT shared.quick_fingerprint AS quick, file.size AS bytes FROM shared_fingerprint AS shared
            CROSS JOIN file ON file.quick_fingerprint = shared.quick_fingerprint GROUP BY 1, 2 HAVING count(*) > 1
        )
        SELECT file.id FROM alike
        CROSS JOIN file ON file.quick_fingerprint = alike.quick AND file.size = alike.bytes
        CROSS JOIN folder ON folder.id = file.folder_id
        WHERE file.quick_fingerprint IS NOT NULL AND file.fingerprint IS NULL AND file.fingerprint_state = 1
            AND file.missing_since IS NULL AND folder.root_id IN (SELECT value FROM json_each(?))
        ORDER BY file.id
        """,
        (json.dumps(list(root_ids)),),
    )
    return array("q", (file_id for (file_id,) in rows))


def pending_full_fingerprints(db: sqlite3.Connection, file_ids: Sequence[int]) -> list[FileJob]:
    """Return those of some files, by id, that are present and still lack the hash of their whole content."""
    rows = db.execute(
        f"SELECT {_JOB} FROM file CROSS JOIN folder ON folder.id = file.folder_id "
        "CROSS JOIN root ON root.id = folder.root_id WHERE file.id IN (SELECT value FROM json_each(?)) "
        "AND file.fingerprint IS NULL AND file.fingerprint_state = 1 AND file.missing_since IS NULL ORDER BY file.id",
        (json.dumps(list(file_ids)),),
    )
    return [_to_job(row) for row in rows]


def _to_job(row: tuple[Any, ...]) -> FileJob:
    file_id, root, folder, name, kind, size, mtime_ns, folder_id, fingerprint_state, inode = row
    pending = fingerprint_state == StageState.PENDING
    return FileJob(
        file_id, join_path(root, folder, name), Kind(kind), size, mtime_ns, folder_id, pending, inode
    )


def make_pending(
    db: sqlite3.Connection,
    root_id: int,
    under: bytes = b"",
    *,
    name: bytes | None = None,
    metadata: bool = False,
    fingerprint: bool = False,
    failed: bool = False,
) -> None:
    """Make stages of present files pending again.

    Args:
        db: the library.
        root_id: the root.
        under: only files at or below this folder, relative to the root; `b""` for all.
        name: only the file of this name in the folder `under` itself.
        metadata: the metadata of all.
        fingerprint: the fingerprint of all.
        failed: both stages of the files where they failed, unless the user ignores the problem.
    """
    part, values = _part(root_id, under, name)
    for stage, every in (("metadata", metadata), ("fingerprint", fingerprint)):
        if every:
            which = f"{stage}_state <> 0"
        elif failed:
            which = f"{stage}_state = 2 AND id IN (SELECT file_id FROM problem WHERE stage = '{stage}' AND ignored = 0)"
        else:
            continue
        db.execute(
            f"UPDATE file SET {stage}_state = 0 WHERE missing_since IS NULL AND {which} "
            "AND id IN (SELECT file.id FROM folder CROSS JOIN file ON file.folder_id = folder.id "
            f"AND file.missing_since IS NULL WHERE {part})",
            values,
        )


def make_passing_pending(db: sqlite3.Connection) -> None:
    """Make pending again what failed for a reason that says nothing of the file: it was away, or kept changing."""
    for stage in ("metadata", "fingerprint"):
        db.execute(
            f"UPDATE file SET {stage}_state = 0 WHERE {stage}_state = 2 "
            f"AND id IN (SELECT file_id FROM problem WHERE stage = '{stage}' AND passing)"
        )


def make_outdated_pending(db: sqlite3.Connection) -> None:
    """Make the metadata pending that an older `METADATA_VERSION` extracted or failed to; costs nothing when done before."""
    row = db.execute("SELECT value FROM setting WHERE name = 'metadata_version'").fetchone()
    if row is not None and row[0] == METADATA_VERSION:
        return
    db.execute(
        "UPDATE file SET metadata_state = 0 WHERE missing_since IS NULL AND metadata_state <> 0 "
        "AND (metadata_state = 2 OR id IN (SELECT file_id FROM extracted WHERE version < ?))",
        (METADATA_VERSION,),
    )
    db.execute("INSERT OR REPLACE INTO setting VALUES ('metadata_version', ?)", (METADATA_VERSION,))


def count_pending(
    db: sqlite3.Connection, stage: Stage, root_id: int, under: bytes = b"", *, name: bytes | None = None
) -> int:
    """Return how many present files of a part of a root have `stage` (metadata or fingerprint) pending.

    The part is chosen as in `pending_metadata`.
    """
    part, values = _part(root_id, under, name)
    column = "metadata" if stage is Stage.METADATA else "fingerprint"
    number: int = db.execute(
        f"SELECT count(*) FROM file INDEXED BY file_{column}_pending CROSS JOIN folder ON folder.id = file.folder_id "
        f"WHERE {part} AND file.{column}_state = 0 AND file.missing_since IS NULL",
        values,
    ).fetchone()[0]
    return number


def note_changed_content(db: sqlite3.Connection, job: FileJob, found: FoundFile) -> None:
    """Note that the file of `job` has changed to `found`, unless it lies elsewhere or has become another file by now."""
    here = db.execute(
        "SELECT 1 FROM file WHERE id = ? AND folder_id = ? AND name = ? AND inode = ? AND missing_since IS NULL",
        (job.file_id, job.folder_id, found.name, found.inode),
    ).fetchone()
    if here is not None:
        files.update_changed(db, job.file_id, found)


def save_extractions(
    db: sqlite3.Connection, extractions: Sequence[Extraction], *, now_ns: int | None = None
) -> int:
    """Settle the metadata stage of files; return how many were settled.

    An outcome is void when the library has another size or time for the file by now, and a failure also when it has the
    file at another path. A failure is a problem and leaves what is known; a success ends the stage's problem. Edited fields keep their value.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    valid = _still_true(db, extractions)
    failed = [item for item in valid if item.metadata is None]
    for item in failed:
        db.execute("UPDATE file SET metadata_state = 2 WHERE id = ?", (item.file_id,))
        message = item.error or "no metadata"
        problem = Problem(b"", Stage.METADATA, message, item.file_id, passing=item.passing)
        record_problem(db, problem, now_ns=now_ns)
    done = [item for item in valid if item.metadata is not None]
    ids = [item.file_id for item in done]
    with search_index.reindexing(db, ids):
        save_metadata(db, done, edited_values(db, ids), _ids_extracted(db, ids))
    note_extracted(db, done)
    clear_problems(db, ids, Stage.METADATA)
    return len(valid)


def _still_true(db: sqlite3.Connection, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes whose file has the size and time that were read; the last one of each file.

    A failure at a path where the library no longer has the file says nothing of it: it moved while it was read.
    """
    by_id = {item.file_id: item for item in outcomes}
    known = db.execute(
        "SELECT file.id, root.path, folder.path, name, size, mtime_ns FROM file JOIN folder ON folder.id = folder_id "
        "JOIN root ON root.id = root_id WHERE file.id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(by_id)),),
    ).fetchall()
    return [
        item
        for file_id, root, folder, name, *stamp in known
        if _stamp(item := by_id[file_id]) == stamp and item.path in {None, join_path(root, folder, name)}
    ]


def _stamp(outcome: Outcome) -> list[int]:
    """Return size and time that were read, as the library stores them."""
    return [stored_integer(outcome.size), stored_integer(outcome.mtime_ns)]


def _ids_extracted(db: sqlite3.Connection, file_ids: Sequence[int]) -> set[int]:
    """Return which of some files have a row of extracted values."""
    rows = db.execute(
        "SELECT file_id FROM extracted WHERE file_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(file_ids)),),
    )
    return {file_id for (file_id,) in rows}


def save_fingerprints(
    db: sqlite3.Connection, fingerprints: Sequence[Fingerprint], *, now_ns: int | None = None
) -> int:
    """Settle the fingerprint stage of files; return how many were settled.

    An outcome is void as in `save_extractions`. A failure is a problem and leaves the fingerprints that are known.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    valid = _still_true(db, fingerprints)
    for item in valid:
        state = StageState.DONE if item.error is None else StageState.FAILED
        db.execute(
            "UPDATE file SET fingerprint_state = ?, quick_fingerprint = coalesce(?, quick_fingerprint), "
            "fingerprint = coalesce(?, fingerprint) WHERE id = ?",
            (int(state), item.quick, item.full, item.file_id),
        )
        if item.error is not None:
            problem = Problem(b"", Stage.FINGERPRINT, item.error, item.file_id, passing=item.elsewhere)
            record_problem(db, problem, now_ns=now_ns)
    clear_problems(db, [item.file_id for item in valid if item.error is None], Stage.FINGERPRINT)
    return len(valid)
