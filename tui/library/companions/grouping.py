"""The companions of the folders in which something came, went or moved, found anew.

Triggers and `insert_files` note such folders in table `regrouping`. It outlives the program, so that a scan that was
killed leaves no folder out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.library import all_tags
from tui.library.companions.names import LIVE_FILM, STILLS, Member, Owners, find_main_files, group_by_stem
from tui.library.values import join_path
from tui.records import Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui.records import Extraction

_FILES_AT_ONCE = 20_000
"""Files whose folders are grouped in one transaction: a tenth of a second."""

_KINDS = {str(kind): kind for kind in Kind}

_IDENTIFIERS = ("ContentIdentifier", "MediaGroupUUID")
"""What ExifTool calls the identifier that the parts of a Live Photo share; the second is its name before 12.20."""

_MAY_HOLD_COMPANIONS = (
    "SELECT EXISTS (SELECT 1 FROM file WHERE folder_id = ?1 AND missing_since IS NULL AND (kind = 'raw' "
    f"OR extension = '{LIVE_FILM}' OR companion_of IS NOT NULL OR display_name LIKE 'IMG!_E%' ESCAPE '!')) "
    "OR EXISTS (SELECT 1 FROM sidecar WHERE folder_id = ?1)"
)


@dataclass(frozen=True, slots=True)
class Companion:
    """Something that belongs together with a file.

    Attributes:
        path: absolute path.
        kind: `sidecar`, or the kind of the media file: a JPEG has its `raw`, a Live Photo its `video`.
    """

    path: bytes
    kind: str


def regroup(db: sqlite3.Connection) -> bool:
    """Find the companions of some of the folders that wait for it; return whether more are waiting."""
    folders = db.execute(
        "SELECT folder_id, (SELECT count(*) FROM file WHERE file.folder_id = regrouping.folder_id "
        "AND missing_since IS NULL) FROM regrouping ORDER BY 1"
    )
    left, taken = _FILES_AT_ONCE, []
    for folder_id, number in folders:
        taken.append((folder_id,))
        left -= number
        if left <= 0:
            break
    folders.close()
    for (folder_id,) in taken:
        (worthwhile,) = db.execute(_MAY_HOLD_COMPANIONS, (folder_id,)).fetchone()
        if worthwhile:
            _regroup_folder(db, folder_id)
    db.executemany("DELETE FROM regrouping WHERE folder_id = ?", taken)
    return left <= 0


def _regroup_folder(db: sqlite3.Connection, folder_id: int) -> None:
    """Write which files of a folder belong to which, where that differs from what is known."""
    rows = db.execute(
        "SELECT companion_of, id, name, kind, extension, duration_ms FROM file WHERE folder_id = ? AND missing_since IS NULL",
        (folder_id,),
    ).fetchall()
    groups = group_by_stem(
        Member(file_id, name, _KINDS[kind], *rest) for _, file_id, name, kind, *rest in rows
    )
    main_of = find_main_files(groups, lambda file_id: _content_identifier(db, file_id))
    db.executemany(
        "UPDATE file SET companion_of = ? WHERE id = ?",
        ((main_of.get(file_id), file_id) for known, file_id, *_ in rows if main_of.get(file_id) != known),
    )
    sidecars = db.execute("SELECT name, file_id FROM sidecar WHERE folder_id = ?", (folder_id,)).fetchall()
    if not sidecars:
        return
    owners = Owners(groups, main_of)
    found = ((owners.owner_of(name), name, known) for name, known in sidecars)
    db.executemany(
        "UPDATE sidecar SET file_id = ? WHERE folder_id = ? AND name = ?",
        ((owner, folder_id, name) for owner, name, known in found if owner != known),
    )


def _content_identifier(db: sqlite3.Connection, file_id: int) -> str | None:
    """Return the identifier that a part of a Live Photo carries, None when it is not known."""
    row = db.execute("SELECT all_tags FROM extracted WHERE file_id = ?", (file_id,)).fetchone()
    for name, value in all_tags.load(row[0]).items() if row else ():
        if name.rpartition(":")[2] in _IDENTIFIERS and isinstance(value, str):
            return value
    return None


def note_extracted(db: sqlite3.Connection, extractions: Sequence[Extraction]) -> None:
    """Note the folders of films and pictures whose content now tells whether they are parts of a Live Photo."""
    telling = [item.file_id for item in extractions if _tells_of_live_photo(item)]
    if telling:
        db.execute(
            "INSERT OR IGNORE INTO regrouping SELECT folder_id FROM file WHERE id IN (SELECT value FROM json_each(?)) "
            f"AND extension IN ({','.join('?' * (len(STILLS) + 1))})",
            (json.dumps(telling), LIVE_FILM, *STILLS),
        )


def _tells_of_live_photo(item: Extraction) -> bool:
    if item.metadata is not None and item.metadata.duration_ms is not None:
        return True
    tags = item.all_tags or b""
    return any(name.encode() in tags for name in _IDENTIFIERS)


def companions_of(db: sqlite3.Connection, file_id: int) -> tuple[Companion, ...]:
    """Return what belongs together with a file: its main file, then its companions and sidecars by name."""
    rows = db.execute(
        "SELECT root.path, folder.path, found.name, found.kind FROM ("
        "SELECT 0 AS place, main.folder_id, main.name, main.kind FROM file "
        "JOIN file AS main ON main.id = file.companion_of WHERE file.id = ?1 AND main.missing_since IS NULL "
        "UNION ALL SELECT 1, folder_id, name, kind FROM file WHERE companion_of = ?1 AND missing_since IS NULL "
        "UNION ALL SELECT 1, folder_id, name, 'sidecar' FROM sidecar WHERE file_id = ?1"
        ") AS found JOIN folder ON folder.id = found.folder_id JOIN root ON root.id = folder.root_id "
        "ORDER BY found.place, found.name",
        (file_id,),
    )
    return tuple(Companion(join_path(*place), kind) for *place, kind in rows)
