"""The long texts of the metadata, which lie away from the hot table: read for many files at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tui.library.values import loaded_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_ROWS = (
    "SELECT file_id, description, keywords, people, place FROM extracted "
    "WHERE file_id IN (SELECT value FROM json_each(?))"
)


def read_long_fields(db: sqlite3.Connection, file_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return description, keywords, people and place by file id, for those files that an extractor has read."""
    return {
        file_id: {
            "description": description,
            "keywords": loaded_list(keywords),
            "people": loaded_list(people),
            "place": place,
        }
        for file_id, description, keywords, people, place in db.execute(_ROWS, (json.dumps(list(file_ids)),))
    }
