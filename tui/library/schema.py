"""The tables of the library, and the numbered steps that lead an older library here.

Units: `size` is bytes; `mtime_ns`, `first_seen`, `missing_since`, `last_seen_at` and every other `…_at` are
integer nanoseconds since the epoch; `taken_utc` is milliseconds since the epoch. Paths and names are BLOBs
(bytes as the file system has them); `display_…` is the same as text that is safe to show. Why some things are
as they are stands in docs/decisions/library.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.library.indexes import INDEXED_NUMBERS, INDEXED_TEXTS, PLANNER_FIGURES
from tui.records import HOT_FIELDS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

APPLICATION_ID = 0x5941504D
"""`YAPM` in the header of the file: what tells a library from any other SQLite database."""

SEARCH_COLUMNS = (
    "name",
    "folder",
    "title",
    "description",
    "keywords",
    "people",
    "place",
    "camera",
    "lens",
    "artist",
    "album",
)
"""Columns of the full-text index `search`, and of the view `searchable` that it indexes."""

_INTEGERS = frozenset(
    {
        "width",
        "height",
        "orientation",
        "duration_ms",
        "utc_offset",
        "taken_utc",
        "iso",
        "rating",
        "track",
        "disc",
        "year",
        "bit_rate",
        "sample_rate",
        "channels",
    }
)
_REALS = frozenset(
    {"f_number", "exposure", "focal_length", "latitude", "longitude", "altitude", "frame_rate", "bpm"}
)


def field_type(name: str) -> str:
    """Return the SQL type of a metadata column: `INTEGER`, `REAL` or `TEXT`."""
    return "INTEGER" if name in _INTEGERS else "REAL" if name in _REALS else "TEXT"


YEAR = "coalesce(year, CAST(substr(taken_local, 1, 4) AS INTEGER))"
"""SQL for the year that a file counts for: of release where that is known, else of recording; NULL for neither."""


def _value_indexes() -> str:
    """Return SQL for the indexes of `INDEXED_NUMBERS` and `INDEXED_TEXTS`; a walk of new files writes to none of them."""
    columns = (*INDEXED_NUMBERS, *(f"{column} COLLATE NOCASE" for column in INDEXED_TEXTS))
    return "".join(
        f"CREATE INDEX file_{column.split()[0]} ON file ({column}) "
        f"WHERE {column.split()[0]} IS NOT NULL AND missing_since IS NULL;\n"
        for column in columns
    )


_CATALOGUE = f"""
CREATE TABLE setting (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE root (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    path BLOB NOT NULL UNIQUE,
    label TEXT NOT NULL,
    file_system TEXT,
    path_in_file_system BLOB,
    disk TEXT,
    guessed_disk TEXT,
    options TEXT,
    last_scan_id INTEGER,
    settled_at INTEGER,
    seen_at INTEGER,
    offline_since INTEGER
);

CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    root_id INTEGER NOT NULL REFERENCES root ON DELETE CASCADE,
    parent_id INTEGER REFERENCES folder,
    path BLOB NOT NULL,
    display_path TEXT NOT NULL,
    file_system TEXT,
    UNIQUE (root_id, path)
);
CREATE INDEX folder_parent ON folder (parent_id);
CREATE TABLE folder_listing (
    folder_id INTEGER PRIMARY KEY REFERENCES folder ON DELETE CASCADE,
    version INTEGER NOT NULL,
    digest BLOB
);

CREATE TABLE file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder_id INTEGER NOT NULL REFERENCES folder,
    name BLOB NOT NULL,
    display_name TEXT NOT NULL,
    extension TEXT NOT NULL,
    kind TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    links INTEGER NOT NULL DEFAULT 1,
    first_seen INTEGER NOT NULL,
    missing_since INTEGER,
    last_seen_at INTEGER,
    state TEXT GENERATED ALWAYS AS (iif(missing_since IS NULL, 'present', 'missing')) VIRTUAL,
    companion_of INTEGER,
    metadata_state INTEGER NOT NULL DEFAULT 0,
    fingerprint_state INTEGER NOT NULL DEFAULT 0,
    analysis_state INTEGER NOT NULL DEFAULT 0,
    quick_fingerprint BLOB,
    fingerprint BLOB,
    {", ".join(f"{name} {field_type(name)}" for name in HOT_FIELDS)}
);
CREATE TRIGGER listing_changed AFTER UPDATE OF folder_id, name, size, mtime_ns, inode, missing_since ON file
    BEGIN INSERT INTO folder_listing (folder_id, version) VALUES (old.folder_id, 1), (new.folder_id, 1)
        ON CONFLICT DO UPDATE SET version = version + 1, digest = NULL; END;
CREATE TRIGGER listing_shortened AFTER DELETE ON file
    BEGIN INSERT INTO folder_listing (folder_id, version) VALUES (old.folder_id, 1)
        ON CONFLICT DO UPDATE SET version = version + 1, digest = NULL; END;
CREATE UNIQUE INDEX file_path ON file (folder_id, name) WHERE missing_since IS NULL;
CREATE INDEX file_missing ON file (folder_id, name) WHERE missing_since IS NOT NULL;
CREATE INDEX file_inode ON file (inode);
CREATE INDEX file_metadata_pending ON file (id) WHERE metadata_state = 0 AND missing_since IS NULL;
CREATE INDEX file_fingerprint_pending ON file (id) WHERE fingerprint_state = 0 AND missing_since IS NULL;
CREATE INDEX file_quick_fingerprint ON file (quick_fingerprint, size, missing_since, fingerprint, links, inode)
    WHERE quick_fingerprint IS NOT NULL;
CREATE INDEX file_fingerprint ON file (fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX file_name ON file (display_name COLLATE NOCASE) WHERE missing_since IS NULL;
CREATE INDEX file_size ON file (size) WHERE missing_since IS NULL;
CREATE INDEX file_kind_taken ON file (kind, taken_local) WHERE missing_since IS NULL;
CREATE INDEX file_taken ON file (taken_local) WHERE taken_local IS NOT NULL AND missing_since IS NULL;
CREATE INDEX file_model_taken ON file (model, taken_local) WHERE model IS NOT NULL AND missing_since IS NULL;
CREATE INDEX file_rating ON file (rating) WHERE rating IS NOT NULL AND missing_since IS NULL;
CREATE INDEX file_duration ON file (duration_ms) WHERE duration_ms IS NOT NULL AND missing_since IS NULL;
CREATE INDEX file_artist ON file (artist COLLATE NOCASE, album COLLATE NOCASE, disc, track)
    WHERE artist IS NOT NULL AND missing_since IS NULL;
CREATE INDEX file_album ON file (album COLLATE NOCASE, disc, track)
    WHERE album IS NOT NULL AND missing_since IS NULL;
CREATE INDEX file_position ON file (latitude, longitude) WHERE latitude IS NOT NULL AND missing_since IS NULL;
CREATE INDEX file_folder ON file (folder_id, size, duration_ms) WHERE missing_since IS NULL;
CREATE INDEX file_groups ON file (extension, kind, model, lens, {YEAR}, size, duration_ms)
    WHERE missing_since IS NULL AND metadata_state <> 0;
{_value_indexes()}
CREATE TABLE shared_fingerprint (quick_fingerprint BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TRIGGER file_shares_fingerprint AFTER UPDATE OF quick_fingerprint ON file
    WHEN new.quick_fingerprint IS NOT NULL AND EXISTS (
        SELECT 1 FROM file WHERE quick_fingerprint = new.quick_fingerprint AND id <> new.id)
    BEGIN INSERT OR IGNORE INTO shared_fingerprint VALUES (new.quick_fingerprint); END;

CREATE INDEX file_companion ON file (companion_of) WHERE companion_of IS NOT NULL;

CREATE TABLE sidecar (
    folder_id INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
    name BLOB NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    file_id INTEGER REFERENCES file ON DELETE SET NULL,
    PRIMARY KEY (folder_id, name)
) WITHOUT ROWID;
CREATE INDEX sidecar_file ON sidecar (file_id) WHERE file_id IS NOT NULL;

CREATE TABLE regrouping (folder_id INTEGER PRIMARY KEY REFERENCES folder ON DELETE CASCADE);
CREATE TRIGGER file_deleted AFTER DELETE ON file
    BEGIN UPDATE file SET companion_of = NULL WHERE companion_of = old.id; INSERT OR IGNORE INTO regrouping VALUES (old.folder_id); END;
CREATE TRIGGER file_moved AFTER UPDATE OF folder_id, name, missing_since ON file
    WHEN old.folder_id <> new.folder_id OR old.name <> new.name
        OR (old.missing_since IS NULL) <> (new.missing_since IS NULL)
    BEGIN INSERT OR IGNORE INTO regrouping VALUES (old.folder_id), (new.folder_id); END;

CREATE TABLE extracted (
    file_id INTEGER PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    extractor TEXT NOT NULL,
    version INTEGER NOT NULL,
    description TEXT,
    keywords TEXT,
    people TEXT,
    place TEXT,
    all_tags BLOB
);

CREATE VIEW searchable AS
SELECT file.id AS id, file.display_name AS name, root.label || ' ' || folder.display_path AS folder,
    file.title AS title, extracted.description AS description, extracted.keywords AS keywords,
    extracted.people AS people, extracted.place AS place,
    coalesce(file.make || ' ', '') || coalesce(file.model, '') AS camera, file.lens AS lens,
    coalesce(file.artist, '') || coalesce(' / ' || file.album_artist, '') AS artist, file.album AS album
FROM file
JOIN folder ON folder.id = file.folder_id
JOIN root ON root.id = folder.root_id
LEFT JOIN extracted ON extracted.file_id = file.id;

CREATE VIRTUAL TABLE search USING fts5 (
    {", ".join(SEARCH_COLUMNS)},
    content = 'searchable', content_rowid = 'id', columnsize = 0, tokenize = "unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE search_word USING fts5vocab (search, instance);
"""

_WORK_OF_PEOPLE = """
CREATE TABLE edit (
    file_id INTEGER NOT NULL REFERENCES file ON DELETE CASCADE,
    field TEXT NOT NULL,
    value,
    extracted,
    edited_at INTEGER NOT NULL,
    PRIMARY KEY (file_id, field)
) WITHOUT ROWID;

CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE);

CREATE TABLE file_tag (
    file_id INTEGER NOT NULL REFERENCES file ON DELETE CASCADE,
    tag_id INTEGER NOT NULL REFERENCES tag ON DELETE CASCADE,
    PRIMARY KEY (file_id, tag_id)
) WITHOUT ROWID;
CREATE INDEX file_tag_tag ON file_tag (tag_id);

CREATE TABLE collection (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    query TEXT,
    created_at INTEGER NOT NULL
);

CREATE TABLE collection_file (
    collection_id INTEGER NOT NULL REFERENCES collection ON DELETE CASCADE,
    file_id INTEGER NOT NULL REFERENCES file ON DELETE CASCADE,
    position INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (collection_id, file_id)
) WITHOUT ROWID;
CREATE INDEX collection_file_file ON collection_file (file_id);

CREATE TABLE operation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    detail TEXT
);

CREATE TABLE operation_step (
    operation_id INTEGER NOT NULL REFERENCES operation ON DELETE CASCADE,
    number INTEGER NOT NULL,
    file_id INTEGER,
    state TEXT NOT NULL,
    before BLOB,
    after BLOB,
    detail TEXT,
    PRIMARY KEY (operation_id, number)
) WITHOUT ROWID;
"""

_WORK_OF_SCANS = """
CREATE TABLE scan (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    root_id INTEGER NOT NULL REFERENCES root ON DELETE CASCADE,
    path BLOB NOT NULL,
    state TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    counters TEXT NOT NULL DEFAULT '{}',
    error TEXT NOT NULL DEFAULT '',
    heartbeat INTEGER NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    process TEXT NOT NULL,
    abort_requested INTEGER NOT NULL DEFAULT 0,
    settled INTEGER NOT NULL DEFAULT 0,
    rescan TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX scan_lease ON scan (root_id) WHERE state IN ('running', 'paused', 'aborting');
CREATE INDEX scan_root ON scan (root_id, started_at);

CREATE TABLE problem (
    id INTEGER PRIMARY KEY,
    file_id INTEGER REFERENCES file ON DELETE CASCADE,
    path BLOB,
    stage TEXT NOT NULL,
    message TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 1,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    ignored INTEGER NOT NULL DEFAULT 0,
    passing INTEGER NOT NULL DEFAULT 0,
    CHECK ((file_id IS NULL) <> (path IS NULL))
);
CREATE UNIQUE INDEX problem_file ON problem (file_id, stage) WHERE file_id IS NOT NULL;
CREATE UNIQUE INDEX problem_path ON problem (path, stage) WHERE file_id IS NULL;

CREATE TABLE arrival (
    id INTEGER PRIMARY KEY,
    scan_id INTEGER NOT NULL REFERENCES scan ON DELETE CASCADE,
    folder_id INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
    name BLOB NOT NULL,
    kind TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    links INTEGER NOT NULL,
    file_id INTEGER REFERENCES file ON DELETE CASCADE
);
CREATE INDEX arrival_scan ON arrival (scan_id, inode);

CREATE TABLE departure (
    scan_id INTEGER NOT NULL REFERENCES scan ON DELETE CASCADE,
    file_id INTEGER NOT NULL REFERENCES file ON DELETE CASCADE,
    replaced INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (scan_id, file_id)
) WITHOUT ROWID;
CREATE INDEX departure_file ON departure (file_id);

CREATE TABLE unmatched (file_id INTEGER PRIMARY KEY REFERENCES file ON DELETE CASCADE);

CREATE TABLE sidecar_departure (
    scan_id INTEGER NOT NULL REFERENCES scan ON DELETE CASCADE,
    folder_id INTEGER NOT NULL REFERENCES folder ON DELETE CASCADE,
    name BLOB NOT NULL,
    PRIMARY KEY (scan_id, folder_id, name)
) WITHOUT ROWID;
CREATE INDEX sidecar_departure_folder ON sidecar_departure (folder_id);
CREATE INDEX arrival_file ON arrival (file_id) WHERE file_id IS NOT NULL;
CREATE INDEX arrival_folder ON arrival (folder_id);
"""

REQUIRED_TABLES = frozenset(
    {"setting", "root", "folder", "file", "extracted", "search", "edit", "tag", "file_tag", "scan", "problem"}
)
"""Tables without which a database is no library, whatever its header says."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema; the library's `user_version` is the number of the last one applied.

    Attributes:
        number: 1 for the first.
        title: what it does, for the log.
        apply: does it, inside a transaction that the caller opens and commits.
    """

    number: int
    title: str
    apply: Callable[[sqlite3.Connection], None]


def _create(db: sqlite3.Connection) -> None:
    for script in (_CATALOGUE, _WORK_OF_PEOPLE, _WORK_OF_SCANS):
        for statement in script.split(";\n"):
            if statement.strip():
                db.execute(statement)
    db.execute("ANALYZE sqlite_schema")
    db.execute("DELETE FROM sqlite_stat1")
    db.executemany(
        "INSERT INTO sqlite_stat1 (tbl, idx, stat) SELECT tbl_name, name, ?2 FROM sqlite_schema WHERE name = ?1",
        PLANNER_FIGURES.items(),
    )


MIGRATIONS: tuple[Migration, ...] = (Migration(1, "create the library", _create),)
"""All steps in order. A released step is never changed; a new one is added."""

SCHEMA_VERSION = len(MIGRATIONS)
"""The `user_version` of a library that this program reads and writes."""
