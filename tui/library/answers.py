"""The files that a query finds: a page of their ids, the ids of all, their number.

A page is looked for along the order of the query, where an index has it. That is quick unless what is asked for is rare
or lies far back in that order; so it is given up after a while, and all that may match is read and sorted instead.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.library.counts import count_present
from tui.library.query_plans import Plan, plan_count, plan_query, plan_whole_order, plan_without_order
from tui.library.query_sql import compile_count, compile_query, compile_word_count
from tui.library.words import WordsPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.library.query import Query

MOST_STEPS = {
    WordsPlan.FIRST: 1_800_000,
    WordsPlan.SET: 3_000_000,
    WordsPlan.EACH: 30_000,
    WordsPlan.STREAM: 1_800_000,
}
"""Steps of SQLite's machine after which a walk is given up, by how words are looked for in it.

About as much as it costs to read a table of a million files instead: a step may be one look-up in the table, one in a set,
or one in the full-text index.
"""

_STEPS_BETWEEN_LOOKS = 1_000
_SOME_MISSING = "SELECT 1 FROM file WHERE missing_since IS NOT NULL LIMIT 1"


class _GivenUpError(Exception):
    """A statement took longer than it may."""


def read_ids(
    db: sqlite3.Connection, plan: Plan, offset: int, limit: int, *, backwards: bool = False
) -> list[int]:
    """Return the ids of the files from `offset` on, `limit` at most, in the order of the query.

    With `backwards`, `offset` counts from the end: the last `limit` files before those, still in the order of the query.
    """
    if not plan.walks:
        return _ids(db, plan, offset, limit, backwards=backwards)
    try:
        with _patience(db, MOST_STEPS[plan.words]):
            return _ids(db, plan, offset, limit, backwards=backwards)
    except _GivenUpError:
        pass
    if plan.match and plan.words is WordsPlan.EACH:
        return read_ids(db, replace(plan, words=WordsPlan.SET), offset, limit, backwards=backwards)
    return _ids(db, plan_without_order(db, plan), offset, limit, backwards=backwards)


def _ids(db: sqlite3.Connection, plan: Plan, offset: int, limit: int, *, backwards: bool) -> list[int]:
    ids: list[int] = []
    parts = compile_query(plan)
    for part in reversed(parts) if backwards else parts:
        sql = f"{part.ids(backwards=backwards)} LIMIT ? OFFSET ?"
        rows = db.execute(sql, (*part.values, limit - len(ids), offset)).fetchall()
        ids.extend(file_id for (file_id,) in rows)
        if len(ids) == limit:
            break
        if not rows and offset:
            (number,) = db.execute(part.count(), part.values).fetchone()
            offset -= number
        else:
            offset = 0
    return ids[::-1] if backwards else ids


@contextmanager
def _patience(db: sqlite3.Connection, steps: int) -> Iterator[None]:
    """Let the block run statements for some steps of SQLite's machine; raises `_GivenUpError` when there were more."""
    looks = steps // _STEPS_BETWEEN_LOOKS
    given_up = False

    def look() -> bool:
        nonlocal looks, given_up
        looks -= 1
        given_up = looks < 0
        return given_up

    db.set_progress_handler(look, _STEPS_BETWEEN_LOOKS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if given_up:
            raise _GivenUpError from error
        raise
    finally:
        db.set_progress_handler(None, 0)


def read_order(db: sqlite3.Connection, query: Query) -> array[int]:
    """Return the ids of all files that a query finds, in its order.

    SQLite joins them into one text, so that the interpreter lock is free meanwhile: other threads, the event loop among
    them, run on.
    """
    plan = plan_whole_order(db, plan_query(db, query))
    order = array("q")
    for part in compile_query(plan):
        # group_concat keeps the order of the subquery: SQLite does not drop an ORDER BY beneath it
        (text,) = db.execute(f"SELECT group_concat(id) FROM ({part.ids()})", part.values).fetchone()
        _extend(order, text or "")
    return order


def _extend(order: array[int], text: str) -> None:
    """Append the numbers of a text with commas between, some thousand at a time, so that other threads get their turn.

    As JSON they take half the time that `int` takes.
    """
    start = 0
    while start < len(text):
        end = text.find(",", start + 16_384)
        end = len(text) if end < 0 else end
        order.fromlist(json.loads(f"[{text[start:end]}]"))
        start = end + 1


def count_files(db: sqlite3.Connection, query: Query, plan: Plan | None = None) -> int:
    """Return how many files a query finds; `plan` is what was found out about it before, if anything was."""
    plan = plan or plan_query(db, query)
    if not (plan.query.conditions or plan.match or plan.query.with_missing):
        return count_present(db)
    some_missing = db.execute(_SOME_MISSING).fetchone() is not None
    statement = compile_word_count(plan, some_missing=some_missing) or compile_count(plan_count(db, plan))
    return int(db.execute(statement.count(), statement.values).fetchone()[0])
