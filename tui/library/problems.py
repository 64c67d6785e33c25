"""What could not be done: one row for each file and stage, or for each other path and stage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.library.values import join_path, stored_text
from tui.paths import is_inside
from tui.records import Problem, Stage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_STATE_OF_STAGE = {Stage.METADATA: "metadata_state", Stage.FINGERPRINT: "fingerprint_state"}


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One problem as the library keeps it.

    Attributes:
        problem_id: id in table `problem`.
        problem: path, stage, message and file.
        attempts: how often it came up in a row.
        first_at: when it came up first, nanoseconds since the epoch.
        last_at: when it came up last.
        ignored: the user wants to see it no more.
    """

    problem_id: int
    problem: Problem
    attempts: int
    first_at: int
    last_at: int
    ignored: bool


def record_problem(db: sqlite3.Connection, problem: Problem, *, now_ns: int) -> None:
    """Record a problem, or one attempt more of a known one; an ignored one stays ignored."""
    by_file = problem.file_id is not None
    if by_file and db.execute("SELECT 1 FROM file WHERE id = ?", (problem.file_id,)).fetchone() is None:
        return  # the file was removed meanwhile, and its problems with it
    target = (
        "(file_id, stage) WHERE file_id IS NOT NULL" if by_file else "(path, stage) WHERE file_id IS NULL"
    )
    db.execute(
        "INSERT INTO problem (file_id, path, stage, message, first_at, last_at, passing) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) "
        f"ON CONFLICT {target} DO UPDATE SET message = excluded.message, attempts = attempts + 1, "
        "last_at = excluded.last_at, passing = excluded.passing",
        (
            problem.file_id,
            None if by_file else problem.path,
            str(problem.stage),
            stored_text(problem.message),
            now_ns,
            problem.passing,
        ),
    )


def clear_problems(db: sqlite3.Connection, file_ids: Sequence[int], stage: Stage) -> None:
    """Forget the problems of a stage for files that passed it."""
    db.execute(
        "DELETE FROM problem WHERE stage = ? AND file_id IN (SELECT value FROM json_each(?))",
        (str(stage), json.dumps(list(file_ids))),
    )


def clear_path_problems(db: sqlite3.Connection, under: bytes, stage: Stage, *, before_ns: int) -> int:
    """Forget problems of paths at or below `under` (absolute) that did not come up since; return how many."""
    prefix = under.rstrip(b"/")
    return db.execute(
        "DELETE FROM problem WHERE file_id IS NULL AND stage = ?1 AND last_at < ?2 "
        "AND (path = ?3 OR (path > ?4 AND path < ?5))",
        (str(stage), before_ns, under, prefix + b"/", prefix + b"0"),
    ).rowcount


_NOT_MISSING = "NOT EXISTS (SELECT 1 FROM file AS away WHERE away.id = problem.file_id AND away.missing_since IS NOT NULL)"
_SELECT = (
    "SELECT problem.id, problem.file_id, root.path, folder.path, file.name, problem.path, stage, message, attempts, "
    "first_at, last_at, ignored FROM problem "
    "LEFT JOIN file ON file.id = problem.file_id LEFT JOIN folder ON folder.id = file.folder_id "
    "LEFT JOIN root ON root.id = folder.root_id "
)


def problems_of(db: sqlite3.Connection, file_id: int) -> list[ProblemRow]:
    """Return all problems of a file, also those that are ignored."""
    rows = db.execute(f"{_SELECT} WHERE problem.file_id = ? ORDER BY stage", (file_id,))
    return [_to_row(row) for row in rows]


def list_problems(
    db: sqlite3.Connection,
    *,
    stage: Stage | None = None,
    under: bytes | None = None,
    ignored: bool = False,
    limit: int = -1,
) -> list[ProblemRow]:
    """Return problems, the latest first; those of missing files come back with their file.

    Args:
        db: the library.
        stage: only of this stage.
        under: only of paths at or below this absolute path.
        ignored: those that are ignored instead of those that are not.
        limit: at most so many; negative for all.
    """
    rows = db.execute(
        f"{_SELECT} WHERE ignored = ?1 AND {_NOT_MISSING} AND (?2 IS NULL OR stage = ?2) ORDER BY last_at DESC, problem.id DESC",
        (int(ignored), None if stage is None else str(stage)),
    )
    found: list[ProblemRow] = []
    for row in rows:
        problem = _to_row(row)
        if under is None or is_inside(problem.problem.path, under):
            found.append(problem)
        if len(found) == limit:
            break
    return found


def _to_row(row: tuple[Any, ...]) -> ProblemRow:
    problem_id, file_id, root, folder, name, path, stage, message, attempts, first_at, last_at, ignored = row
    where = path if file_id is None else join_path(root, folder, name)
    problem = Problem(where, Stage(stage), message, file_id)
    return ProblemRow(problem_id, problem, attempts, first_at, last_at, bool(ignored))


def count_problems(db: sqlite3.Connection) -> dict[str, int]:
    """Return the number of problems by stage, without those that are ignored and those of missing files."""
    return dict(
        db.execute(
            f"SELECT stage, count(*) FROM problem WHERE ignored = 0 AND {_NOT_MISSING} GROUP BY stage"
        ).fetchall()
    )


def ignore_problems(db: sqlite3.Connection, problem_ids: Sequence[int], *, ignored: bool = True) -> int:
    """Let the user see these problems no more, or again; return how many there were."""
    return db.execute(
        "UPDATE problem SET ignored = ? WHERE id IN (SELECT value FROM json_each(?))",
        (int(ignored), json.dumps(list(problem_ids))),
    ).rowcount


def retry_problems(db: sqlite3.Connection, problem_ids: Sequence[int] | None = None) -> int:
    """Make the stages that failed pending again; the next scan tries them. Return the number of files.

    Args:
        db: the library.
        problem_ids: which; None for all that are not ignored.
    """
    wanted = "ignored = 0" if problem_ids is None else "id IN (SELECT value FROM json_each(?))"
    values = () if problem_ids is None else (json.dumps(list(problem_ids)),)
    number = 0
    for stage, column in _STATE_OF_STAGE.items():
        number += db.execute(
            f"UPDATE file SET {column} = 0 WHERE id IN (SELECT file_id FROM problem WHERE stage = '{stage}' AND {wanted})",
            values,
        ).rowcount
    if problem_ids is not None:
        ignore_problems(db, problem_ids, ignored=False)
    return number
