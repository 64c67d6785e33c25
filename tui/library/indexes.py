"""The indexes of metadata columns, and what the planner of SQLite is told of all indexes."""

from __future__ import annotations

INDEXED_NUMBERS = (
    "iso",
    "f_number",
    "exposure",
    "focal_length",
    "width",
    "height",
    "altitude",
    "frame_rate",
    "year",
    "bpm",
)
INDEXED_TEXTS = ("lens", "genre", "musical_key", "codec")
"""Columns of metadata with an index of their own, of the present files that have a value: what is rare is found at once."""

INDEXES_BY_COLUMN = {
    "file.kind": "file_kind_taken",
    "file.display_name": "file_name",
    "file.size": "file_size",
    "file.taken_local": "file_taken",
    "file.model": "file_model_taken",
    "file.rating": "file_rating",
    "file.duration_ms": "file_duration",
    "file.artist": "file_artist",
    "file.album": "file_album",
    "file.latitude": "file_position",
    "file.inode": "file_inode",
    "file.quick_fingerprint": "file_quick_fingerprint",
    "folder.root_id": "sqlite_autoindex_folder_1",
    **{f"file.{column}": f"file_{column}" for column in (*INDEXED_NUMBERS, *INDEXED_TEXTS)},
}
"""Columns that queries sort by or compare, and the index that begins with each: all that the query language knows of indexes."""

PLANNER_FIGURES = {
    "sqlite_autoindex_folder_1": "20000 20000 1",
    "folder_parent": "20000 10",
    "file_path": "1000000 300 1",
    "file_missing": "10000 10 1",
    "file_inode": "1000000 1",
    "file_metadata_pending": "1000 1",
    "file_fingerprint_pending": "1000 1",
    "file_quick_fingerprint": "1000000 2 2 2 2 2 2",
    "file_fingerprint": "20000 2",
    "file_name": "1000000 2",
    "file_size": "1000000 3",
    "file_kind_taken": "1000000 250000 2",
    "file_taken": "800000 2",
    "file_model_taken": "800000 20000 2",
    "file_rating": "50000 10000",
    "file_duration": "150000 2",
    "file_artist": "100000 1000 12 4 1",
    "file_album": "100000 12 4 1",
    "file_position": "300000 2 1",
    "file_companion": "50000 1",
    "file_folder": "1000000 320 2 2",
    "shared_fingerprint": "20000 1",
    "file_groups": "1000000 100000 100000 20000 20000 1000 2 2",
    "file_iso": "800000 20000",
    "file_f_number": "800000 20000",
    "file_exposure": "800000 8000",
    "file_focal_length": "800000 8000",
    "file_width": "800000 20000",
    "file_height": "800000 20000",
    "file_altitude": "300000 2",
    "file_frame_rate": "50000 5000",
    "file_year": "100000 1000",
    "file_bpm": "100000 500",
    "file_lens": "800000 20000",
    "file_genre": "100000 5000",
    "file_musical_key": "100000 5000",
    "file_codec": "150000 20000",
}
"""What the planner is told of the indexes of `folder`, `file` and `shared_fingerprint` (SQLite documentation, "The sqlite_stat1 table").

Fixed figures of a big library instead of ANALYZE: the plans are then the same in every library, and those that were
measured. Without any, the planner takes a partial index for half as long as its table and looks up a million rows by it.
"""
