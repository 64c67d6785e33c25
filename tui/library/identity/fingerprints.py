"""Moves by content: a missing file and the only one that equals it by fingerprint are one (rule 2 of `docs/identity.md`)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tui.library.merging import merge_file

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence


_Alike = tuple[int, int, bytes | None]
"""A file among those that share size and quick fingerprint: when it was last seen, or came (negative, so that the
latest is first), its id, and its full fingerprint where that is known."""


@dataclass(frozen=True, slots=True)
class Matched:
    """How many files `match_fingerprints` recognised as moved, and what a scan had counted them as before.

    Attributes:
        moved: those that are in a root that was scanned.
        new: those whose new path the scan had found to be new.
        missing: those that the scan had found to be missing.
    """

    moved: int = 0
    new: int = 0
    missing: int = 0


class _Compared(NamedTuple):
    """How far comparisons have come: no file of a higher id, and none that has been missing for less, was in one."""

    file_id: int
    missing_since: int


def match_fingerprints(db: sqlite3.Connection, root_ids: Sequence[int], *, since_ns: int = 0) -> Matched:
    """Let missing files take over the rows that are their only equals by fingerprint (rule 2).

    Time grows with the number of files that are alike, memory only with that of the moves. A pair is judged once: when
    one of the two is new to this comparison. A file that was found to be one of its own, among several that were alike,
    stays that when the others are deleted later.

    Args:
        db: the library, in a transaction.
        root_ids: the roots that were scanned; the file may have come to another, which was scanned before.
        since_ns: when the scan began that counts what is recognised.
    """
    alike = db.execute(
        "SELECT DISTINCT quick_fingerprint, size FROM file AS m INDEXED BY file_missing "
        "WHERE missing_since IS NOT NULL AND quick_fingerprint IS NOT NULL AND size > 0 AND EXISTS ("
        "SELECT 1 FROM file AS n INDEXED BY file_quick_fingerprint WHERE n.quick_fingerprint = m.quick_fingerprint "
        "AND n.size = m.size AND n.missing_since IS NULL)"
    )
    compared = _read_compared(db)
    pairs = [pair for quick, size in alike for pair in _only_equals(db, quick, size)]
    moves = [pair for pair in pairs if _is_new_to_comparison(db, compared, *pair)]
    counted = Counter[str]()
    for missing_id, new_id in moves:
        counted["missing"] += _holds(db, "missing_since >= ?", since_ns, missing_id)
        counted["new"] += _holds(db, "first_seen >= ?", since_ns, new_id)
        counted["moved"] += _lies_in(db, root_ids, new_id)
        merge_file(db, new_id, missing_id)
    _note_compared(db, compared)
    return Matched(counted["moved"], new=counted["new"], missing=counted["missing"])


def _read_compared(db: sqlite3.Connection) -> _Compared:
    row = db.execute(
        "SELECT (SELECT value FROM setting WHERE name = 'compared_id'), (SELECT value FROM setting WHERE name = 'compared_at')"
    ).fetchone()
    return _Compared(row[0] or 0, row[1] or 0)


def _is_new_to_comparison(db: sqlite3.Connection, compared: _Compared, missing_id: int, new_id: int) -> bool:
    (is_new,) = db.execute(
        "SELECT ?1 > ?2 OR EXISTS (SELECT 1 FROM unmatched WHERE file_id = ?1) "
        "OR EXISTS (SELECT 1 FROM file WHERE id = ?3 AND missing_since > ?4)",
        (new_id, compared.file_id, missing_id, compared.missing_since),
    ).fetchone()
    return bool(is_new)


def _note_compared(db: sqlite3.Connection, before: _Compared) -> None:
    """Note what has been compared now; new files whose fingerprint is not known yet are left for later."""
    db.execute(
        "DELETE FROM unmatched WHERE file_id IN "
        "(SELECT file_id FROM unmatched JOIN file ON file.id = file_id WHERE fingerprint_state <> 0)"
    )
    (last_id,) = db.execute("SELECT coalesce(max(id), 0) FROM file").fetchone()
    (last_missing,) = db.execute(
        "SELECT coalesce(max(missing_since), 0) FROM file INDEXED BY file_missing WHERE missing_since IS NOT NULL"
    ).fetchone()
    now = _Compared(max(last_id, before.file_id), max(last_missing, before.missing_since))
    if now == before:
        return
    db.execute(
        "INSERT OR IGNORE INTO unmatched SELECT id FROM file INDEXED BY file_fingerprint_pending "
        "WHERE fingerprint_state = 0 AND missing_since IS NULL AND id > ?",
        (before.file_id,),
    )
    db.executemany(
        "INSERT OR REPLACE INTO setting VALUES (?, ?)",
        (("compared_id", now.file_id), ("compared_at", now.missing_since)),
    )


def _only_equals(db: sqlite3.Connection, quick: bytes, size: int) -> list[tuple[int, int]]:
    """Return (missing, new) for the files of one size and quick fingerprint that are each other's only equal.

    A new file equals a missing one that was last seen before it came, unless both were hashed wholly and differ.
    """
    # the second of each list only tells whether the first is alone, so two of each content are all that is kept
    missing: dict[bytes | None, list[_Alike]] = defaultdict(list)
    came: dict[bytes | None, list[_Alike]] = defaultdict(list)
    rows = db.execute(
        "SELECT f.missing_since IS NOT NULL, f.first_seen, coalesce(f.last_seen_at, 0), f.id, f.fingerprint "
        "FROM file AS f INDEXED BY file_quick_fingerprint WHERE f.quick_fingerprint = ? AND f.size = ?",
        (quick, size),
    )
    for is_missing, first_seen, last_seen, file_id, full in rows:
        if is_missing:
            missing[full] = sorted([*missing[full], (last_seen, file_id, full)])[:2]
        else:
            came[full] = sorted([*came[full], (-first_seen, file_id, full)])[:2]
    new_of: dict[int, _Alike | None] = {}
    moves = []
    for new, *_ in came.values():
        old = _sole(item for item in _alike(missing, new[2]) if item[0] < -new[0])
        if old is None:
            continue
        if old[1] not in new_of:
            new_of[old[1]] = _sole(item for item in _alike(came, old[2]) if -item[0] > old[0])
        if new_of[old[1]] == new:
            moves.append((old[1], new[1]))
    return moves


def _alike(by_full: dict[bytes | None, list[_Alike]], full: bytes | None) -> list[_Alike]:
    """Return what may have this full fingerprint; None is not known, and may be any."""
    if full is None:
        return [item for items in by_full.values() for item in items]
    return by_full.get(full, []) + by_full.get(None, [])


def _sole(items: Iterable[_Alike]) -> _Alike | None:
    first_two = list(islice(items, 2))
    return first_two[0] if len(first_two) == 1 else None


def _lies_in(db: sqlite3.Connection, root_ids: Sequence[int], file_id: int) -> bool:
    (root_id,) = db.execute(
        "SELECT root_id FROM file JOIN folder ON folder.id = file.folder_id WHERE file.id = ?", (file_id,)
    ).fetchone()
    return root_id in root_ids


def _holds(db: sqlite3.Connection, condition: str, value: int, file_id: int) -> bool:
    (holds,) = db.execute(f"SELECT {condition} FROM file WHERE id = ?", (value, file_id)).fetchone()
    return bool(holds)
