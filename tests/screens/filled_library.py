"""Filling a library for tests of screens, through the library's own functions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tui.library import files, roots, stages
from tui.records import Extraction, FoundFile, Kind, Metadata

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from tui.library.database import Library

ROOT = b"/srv/media"


@dataclass(frozen=True)
class MadeFile:
    """A file to put into a library.

    Attributes:
        path: below `ROOT`.
        taken: when it was recorded; None for no metadata yet.
        kind: what it is.
        size: bytes.
        error: why its metadata could not be read; None when it could.
        all_tags: what the extractor said.
        metadata: more of its metadata.
    """

    path: bytes
    taken: str | None = "2019-07-03T18:22:11"
    kind: Kind = Kind.IMAGE
    size: int = 1_000_000
    error: str | None = None
    all_tags: dict[str, Any] = field(default_factory=lambda: {"EXIF:Make": "Canon"})
    metadata: dict[str, Any] = field(default_factory=dict)


def photos(number: int, folder: bytes = b"2019", first: int = 0) -> list[MadeFile]:
    """Return photos `IMG_0000.JPG` … of one day, a second after each other."""
    return [
        MadeFile(b"%s/IMG_%04d.JPG" % (folder, index), f"2019-07-03T18:{index // 60 % 60:02}:{index % 60:02}")
        for index in range(first, first + number)
    ]


async def fill(library: Library, made: Iterable[MadeFile]) -> None:
    """Add files to the library as a scan would."""
    await library.writer.run(lambda db: _insert(db, list(made)))


def _insert(db: sqlite3.Connection, made: list[MadeFile]) -> None:
    root = roots.find_root(db, ROOT) or roots.add_root(db, ROOT)
    for file in made:
        folder, _, name = file.path.rpartition(b"/")
        folder_id = files.add_folder(db, root.root_id, folder, None)
        found = FoundFile(name, file.kind, file.size, 1_562_178_131_000_000_000, 7)
        files.insert_files(db, folder_id, [found], 1_700_000_000_000_000_000)
        (file_id,) = db.execute(
            "SELECT id FROM file WHERE folder_id = ? AND name = ?", (folder_id, name)
        ).fetchone()
        if file.error is not None:
            outcome = Extraction(file_id, found.size, found.mtime_ns, "exiftool 12.57", error=file.error)
        elif file.taken is not None:
            metadata = Metadata(taken_local=file.taken, date_source="EXIF:DateTimeOriginal", **file.metadata)
            tags = json.dumps(file.all_tags).encode()
            outcome = Extraction(file_id, found.size, found.mtime_ns, "exiftool 12.57", metadata, tags)
        else:
            continue
        stages.save_extractions(db, [outcome])
