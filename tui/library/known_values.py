"""Values that the library has of a field, for completion: found through an index, or read until the time is over."""

from __future__ import annotations

import sqlite3
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from tui.library.patterns import Sought, fold, sought
from tui.library.values import stored_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Read = Callable[["KnownValues", str], list[str]]

MOST_VALUES = 200
"""Values that are read of a field."""

_STEPS_BETWEEN_LOOKS = 2_000


class KnownValues:
    """Reads values within a limit of time, all questions together; what was found until then counts."""

    def __init__(self, db: sqlite3.Connection, budget_s: float) -> None:
        """Read from `db` for `budget_s` seconds at most."""
        self._db = db
        self._end = time.monotonic() + budget_s

    def read(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield rows until there are no more or the time is over.

        Raises:
            sqlite3.Error: the library is damaged or locked, or somebody else interrupted the question.
        """
        self._db.set_progress_handler(lambda: time.monotonic() > self._end, _STEPS_BETWEEN_LOOKS)
        try:
            yield from self._db.execute(sql, values)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT or time.monotonic() <= self._end:
                raise
        finally:
            self._db.set_progress_handler(None, 0)

    def step_through(self, first_sql: str, next_sql: str, start: str) -> Iterator[str]:
        """Yield values in the order of an index, which is asked once for each value there is, not once for each file.

        Args:
            first_sql: gives the first value from `?1` on.
            next_sql: gives the first value beyond `?1`.
            start: where to begin.
        """
        found = next(self.read(first_sql, (start,)), None)
        while found is not None and time.monotonic() <= self._end:
            yield found[0]
            found = next(self.read(next_sql, (found[0],)), None)


def _next_of(column: str, sign: str, order: str = "") -> str:
    return (
        f"SELECT {column} FROM file WHERE {column} IS NOT NULL AND missing_since IS NULL AND {column} {sign} ?1 {order} "
        f"ORDER BY {column} {order} LIMIT 1"
    )


def _by_index(column: str) -> Read:
    """Return a reader for a column that has an index in the order of its text, case aside."""
    first, beyond = (_next_of(column, sign, "COLLATE NOCASE") for sign in (">=", ">"))

    def read(known: KnownValues, prefix: str) -> list[str]:
        values: list[str] = []
        for value in known.step_through(first, beyond, stored_text(prefix)):
            if not value.lower().startswith(prefix.lower()) or len(values) == MOST_VALUES:
                break
            values.append(value)
        return values

    return read


def _models(known: KnownValues, _prefix: str) -> list[str]:
    return list(islice(known.step_through(_next_of("model", ">="), _next_of("model", ">"), ""), MOST_VALUES))


def _by_reading(source: str, column: str) -> Read:
    """Return a reader for a column without an index, or of a small table: files are read until there are enough."""

    def read(known: KnownValues, prefix: str) -> list[str]:
        asked = sought(prefix)
        sql = f"SELECT DISTINCT {column} FROM {source} {asked.like(column)} LIMIT {MOST_VALUES}"
        return sorted((value for (value,) in known.read(sql, (asked.inside,))), key=str.casefold)

    return read


def _by_name(table: str) -> Read:
    """Return a reader for tags or collections, whose names are kept folded too."""

    def read(known: KnownValues, prefix: str) -> list[str]:
        asked = Sought(fold(stored_text(prefix)), folded=False)
        sql = f"SELECT name FROM {table} WHERE {asked.like('folded')} ORDER BY folded LIMIT {MOST_VALUES}"
        return [name for (name,) in known.read(sql, (asked.inside,))]

    return read


def _words_of(column: str) -> Read:
    """Return a reader for the words that one column of the full-text index has."""
    sql = "SELECT term FROM search_word WHERE term >= ?1 LIMIT 1"
    beyond = sql.replace("?1", "?1 || char(1)")  # `>` would pass every place of the word

    def read(known: KnownValues, prefix: str) -> list[str]:
        beginning = stored_text(prefix).lower()
        values: list[str] = []
        if not beginning:
            return values
        for term in known.step_through(sql, beyond, beginning):
            if not term.startswith(beginning) or len(values) == MOST_VALUES:
                break
            question = "SELECT 1 FROM search WHERE search MATCH ? LIMIT 1"
            quoted = term.replace('"', '""')
            if next(known.read(question, (f'{{{column}}} : "{quoted}"',)), None):
                values.append(term)
        return values

    return read


def _folders(known: KnownValues, prefix: str) -> list[str]:
    """Return parts of paths that begin with `prefix`, up to the next slash."""
    asked = sought(prefix)
    if prefix.startswith("/"):
        rows = known.read(
            "SELECT DISTINCT CAST(root.path AS TEXT) || '/' || display_path AS whole FROM folder "
            f"JOIN root ON root.id = folder.root_id WHERE {asked.like('whole')}",
            (f"{asked.escaped}%",),
        )
        marked = prefix.lower()
    else:
        rows = known.read(
            f"SELECT '/' || display_path AS whole FROM folder WHERE {asked.like('whole')}",
            (f"%/{asked.escaped}%",),
        )
        marked = f"/{prefix.lower()}"
    parts: dict[str, None] = {}
    for (path,) in rows:
        start = path.lower().find(marked)
        end = path.find("/", start + max(1, len(marked)))
        part = path[start : len(path) if end < 0 else end]
        if start >= 0 and not part.endswith("/"):
            parts[f"{part if prefix.startswith('/') else part[1:]}/"] = None
        if len(parts) == MOST_VALUES:
            break
    return sorted(parts)


_OF_FILES = "file WHERE missing_since IS NULL AND"

VALUES: Mapping[str, Read] = {
    "camera": _models,
    "model": _models,
    "artist": _by_index("artist"),
    "album": _by_index("album"),
    "path": _folders,
    "root": _by_reading("root WHERE", "label"),
    "tag": _by_name("tag"),
    "collection": _by_name("collection"),
    "ext": _by_reading(_OF_FILES, "extension"),
    "make": _by_reading(_OF_FILES, "make"),
    "lens": _by_reading(_OF_FILES, "lens"),
    "albumartist": _by_reading(_OF_FILES, "album_artist"),
    "genre": _by_reading(_OF_FILES, "genre"),
    "key": _by_reading(_OF_FILES, "musical_key"),
    "codec": _by_reading(_OF_FILES, "codec"),
    "container": _by_reading(_OF_FILES, "container"),
    "mime": _by_reading(_OF_FILES, "mime"),
    "datesource": _by_reading(_OF_FILES, "date_source"),
    **{name: _words_of(name) for name in ("title", "description", "people", "place")},
    "keyword": _words_of("keywords"),
}
"""How the values of a field are found, by the name of the field."""
