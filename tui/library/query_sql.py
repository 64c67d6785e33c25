"""From a query to SQL: parameterised statements that give ids in order, or count them.

A sorted query becomes one or two parts, read one after the other: the files that have a value to sort by, then those
that have none. So a file without a date comes last in either direction, and each part can walk an index
that holds only the files with a value. How the files are found is decided before (`query_plans`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tui.library.query_fields import FIELDS_BY_NAME
from tui.library.query_plans import GROUPED, PRESENT, Plan, leads
from tui.library.query_tree import AllOf, AnyOf, Condition, Node, Not, match_expression, with_words_together
from tui.library.words import WordsPlan

_MATCH = "SELECT rowid FROM search WHERE search MATCH ?"
_LISTED = "SELECT value FROM json_each(?)"
_WORDS = {
    WordsPlan.FIRST: "file.id IN ({})",
    # the plus keeps SQLite from beginning with the words
    WordsPlan.SET: "+file.id IN ({})",
    WordsPlan.EACH: "EXISTS (SELECT 1 FROM search WHERE search MATCH ? AND search.rowid = file.id)",
    WordsPlan.STREAM: "search MATCH ?",
}

_BY_WORDS = "search CROSS JOIN file ON file.id = search.rowid"
_BY_PATH = "folder CROSS JOIN file ON file.folder_id = folder.id"
_THEN_PATH = "file CROSS JOIN folder ON folder.id = file.folder_id"
"""For the order of paths: folder after folder, or some files and their folders."""

_GROUPED = ", ".join(sorted(column.removeprefix("file.") for column in GROUPED))
_BY_GROUPS = (
    f"(SELECT {_GROUPED}, NULL AS missing_since FROM file INDEXED BY file_groups "
    "WHERE missing_since IS NULL AND metadata_state <> 0 "
    f"UNION ALL SELECT {_GROUPED}, NULL FROM file INDEXED BY file_metadata_pending "
    "WHERE missing_since IS NULL AND metadata_state = 0) AS file"
)
"""The present files, read from an index that holds those whose metadata was read, and row by row the others."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One part of a compiled query.

    Attributes:
        source: what follows FROM.
        where: condition; never empty.
        order: what follows ORDER BY.
        reversed_order: the opposite order.
        values: what stands for the `?`.
    """

    source: str
    where: str
    order: str
    reversed_order: str
    values: tuple[Any, ...]

    def ids(self, *, backwards: bool = False) -> str:
        """Return SQL that gives the ids of files in order (or from the end)."""
        order = self.reversed_order if backwards else self.order
        return f"SELECT file.id FROM {self.source} WHERE {self.where} ORDER BY {order}"

    def count(self) -> str:
        """Return SQL that counts the files."""
        return f"SELECT count(*) FROM {self.source} WHERE {self.where}"


def compile_query(plan: Plan) -> tuple[Statement, ...]:
    """Return the parts of a query, in the order in which their files come."""
    query = plan.query
    field = FIELDS_BY_NAME.get(query.sort)
    if field is None:
        return (_statement(plan, ("file.id",)),)
    if field.always:
        return (_statement(plan, (*field.order, *_tie(field.order))),)
    key = field.order[0].removesuffix(" COLLATE NOCASE")
    if plan.reads_table and len(field.order) == 1:
        return (_in_one_reading(_statement(plan, (*field.order, "file.id")), key),)
    return (
        _statement(plan, (*field.order, "file.id"), f"{key} IS NOT NULL"),
        _statement(plan, ("file.id",), f"{key} IS NULL"),
    )


def _in_one_reading(statement: Statement, key: str) -> Statement:
    """Return a statement for both parts of a query: files without a value to sort by come last in either direction."""
    return replace(
        statement,
        order=f"{key} IS NULL, {statement.order}",
        reversed_order=f"{key} IS NULL DESC, {statement.reversed_order}",
    )


def _tie(order: tuple[str, ...]) -> tuple[str, ...]:
    return () if "file.id" in order else ("file.id",)


def compile_count(plan: Plan) -> Statement:
    """Return the statement that counts what a query finds; its order means nothing."""
    if plan.words is WordsPlan.EACH and not plan.begin:
        plan = replace(plan, words=WordsPlan.SET)
    return _statement(replace(plan, counts=True), ("file.id",))


def compile_word_count(plan: Plan, *, some_missing: bool = True) -> Statement | None:
    """Return the statement that counts what a query of words alone finds, without a look at files; None for another one.

    Where no file at all is missing, as `some_missing` says, the full-text index alone knows.
    """
    query = plan.query
    if not plan.match or query.with_missing or query.conditions:
        return None
    source, key, where = (
        ("json_each(?)", "value", "TRUE") if plan.listed else ("search", "rowid", "search MATCH ?")
    )
    if some_missing:
        where += f" AND {key} NOT IN (SELECT id FROM file WHERE missing_since IS NOT NULL)"
    return Statement(source, where, key, key, (plan.listed or plan.match,))


def _statement(plan: Plan, keys: tuple[str, ...], condition: str = "") -> Statement:
    query = plan.query
    by_path = any(key.startswith("folder.") for key in keys)
    where: list[str] = [] if query.with_missing else [PRESENT]
    values: list[Any] = []
    if condition:
        where.append(condition)
    for item in query.conditions:
        sql, bound = _top_condition(item, plan, by_path=by_path)
        where.append(sql)
        values.extend(bound)
    for few in plan.begin:
        where.append(f"file.id IN ({few.sql})")
        values.extend(few.values)
    if plan.match:
        where.append(_WORDS[plan.words].format(_LISTED if plan.listed else _MATCH))
        values.append(plan.listed or plan.match)
    falling = query.falling and bool(query.sort)
    if _streams(plan):
        keys = ("search.rowid",)
    return Statement(
        source=_source(plan, by_path=by_path),
        where=" AND ".join(where) or "TRUE",
        order=_order(keys, falling=falling),
        reversed_order=_order(keys, falling=not falling),
        values=tuple(values),
    )


def _streams(plan: Plan) -> bool:
    return bool(plan.match) and plan.words is WordsPlan.STREAM


def _source(plan: Plan, *, by_path: bool) -> str:
    if by_path:
        begins = plan.begin or (plan.match and plan.words is WordsPlan.FIRST)
        return _THEN_PATH if begins else _BY_PATH
    if _streams(plan):
        return _BY_WORDS
    if plan.by_groups:
        return _BY_GROUPS
    return "file NOT INDEXED" if plan.reads_table else "file"


def _top_condition(node: Node, plan: Plan, *, by_path: bool) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL of a condition that must hold, and what stands for its `?`."""
    if not isinstance(node, Condition):
        sql, values = _filter(node, plan.common)
        # the plus: SQLite would look up by rowid what each side of an "or" finds, a million rows where that is much
        return f"+({sql})", values
    if not node.folders:
        if _may_lead(node, plan):
            return f"({node.sql})", node.values
        return f"+({node.each or node.sql})", node.values
    column = "folder.id" if by_path else "file.folder_id"
    plus = "" if plan.folders_first and not plan.begin else "+"
    sql = f"{plus}{column} IN ({node.folders})"
    return f"{sql} AND {node.sql}" if node.sql else sql, (*node.folder_values, *node.values)


def _may_lead(item: Condition, plan: Plan) -> bool:
    """Return whether SQLite may begin with the index of a condition: not where that would leave the order of the walk."""
    if plan.query.with_missing or (plan.counts and not plan.begin):
        return True
    return not plan.begin and leads(item, plan.query)


def _filter(node: Node, common: frozenset[str]) -> tuple[str, tuple[Any, ...]]:
    """Return SQL that tells of one file whether a tree holds for it, and what stands for its `?`.

    Words are kept as a set, those of `Plan.common` looked up file by file.
    """
    match = match_expression(node)
    if match is not None:
        words = WordsPlan.EACH if match in common else WordsPlan.SET
        return _WORDS[words].format(_MATCH), (match,)
    if isinstance(node, Condition):
        whole = node.without_folders()
        return whole.sql, whole.values
    if isinstance(node, Not):
        sql, values = _filter(node.part, common)
        return f"({sql}) IS NOT TRUE", values
    if isinstance(node, AllOf | AnyOf) and node.parts:
        parts = [_filter(part, common) for part in with_words_together(node)]
        sign = " AND " if isinstance(node, AllOf) else " OR "
        return sign.join(f"({sql})" for sql, _ in parts), tuple(
            value for _, bound in parts for value in bound
        )
    return "TRUE", ()


def _order(keys: tuple[str, ...], *, falling: bool) -> str:
    return ", ".join(f"{key} DESC" if falling else key for key in keys)
