"""From a query to SQL: parameterised statements that give ids in order, or count them.

A sorted query becomes one or two parts, read one after the other: the files that have a value to sort by, then those
that have none. So a file without a date comes last in either direction, and each part can walk an index
that holds only the files with a value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tui.library.query_conditions import FOLDERS_BELOW
from tui.library.query_fields import FIELDS_BY_NAME
from tui.library.query_tree import (
    AllOf,
    AnyOf,
    Condition,
    Node,
    Not,
    Words,
    match_expression,
    phrases_of,
    with_words_together,
)
from tui.library.words import FEW, MANY, MOST_LOOKED_UP, WordsPlan, count_up_to, expand

if TYPE_CHECKING:
    import sqlite3

    from tui.library.query import Query

_PRESENT = "file.missing_since IS NULL"
_WORDS = {
    WordsPlan.FIRST: "file.id IN (SELECT rowid FROM search WHERE search MATCH ?)",
    # the plus keeps SQLite from beginning with the words
    WordsPlan.SET: "+file.id IN (SELECT rowid FROM search WHERE search MATCH ?)",
    WordsPlan.EACH: "EXISTS (SELECT 1 FROM search WHERE search MATCH ? AND search.rowid = file.id)",
}
MORE_FOR_OR = 5
"""How many times `FEW` one side of an "or" may find to be begun with: no index has the order of both sides."""

_BY_PATH = "folder CROSS JOIN file ON file.folder_id = folder.id"

LOOKED_UP = 75
"""So many times `FEW` files are looked up one by one rather than that the whole table is read."""

IN_FOLDERS = 25
"""So many times `FEW` files in the folders that a query names are looked up rather than that an order is walked."""


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


@dataclass(frozen=True, slots=True)
class Plan:
    """A query with what was found out about its words.

    Attributes:
        query: the query, without what `match` answers, its other phrases expanded.
        match: FTS5 expression for the words that must and must not occur; empty when none must.
        words: how the files that have them are found.
        folders_first: begin with the folders that the query names; else walk the order, and keep what lies in them.
        begin: the few files to begin with, that an "or" allows; empty where there are many, or none can be told.
        reads_table: the whole table is read, whatever indexes there are.
    """

    query: Query
    match: str = ""
    words: WordsPlan = WordsPlan.FIRST
    folders_first: bool = True
    begin: tuple[Candidates, ...] = ()
    reads_table: bool = False

    @property
    def walks(self) -> bool:
        """Whether an order is walked until a page is full, however far that is."""
        begins_elsewhere = any(
            isinstance(item, Condition) and (item.listed or (item.folders and self.folders_first))
            for item in self.query.conditions
        )
        begins_with_words = self.match and self.words is WordsPlan.FIRST
        if self.begin or begins_elsewhere or begins_with_words or self.reads_table:
            return False
        return bool(self.query.conditions or self.match)


@dataclass(frozen=True, slots=True)
class Candidates:
    """SQL for the ids of some files, few of them, and what stands for its `?`."""

    sql: str
    values: tuple[Any, ...]


def plan_query(db: sqlite3.Connection, query: Query) -> Plan:
    """Look up the words and folders of a query and decide how to find the files that have them."""
    conditions = tuple(_expanded(db, item) for item in query.conditions)
    if query.folder is not None:
        below = Condition(folders=FOLDERS_BELOW, folder_values=(query.folder.rstrip(b"/"),))
        conditions = (below, *conditions)
    folders_first = all(
        _lie_few(db, item) for item in conditions if isinstance(item, Condition) and item.folders
    )
    wanted, others = _part_words(conditions)
    query = replace(query, conditions=others, folder=None)
    match = match_expression(AllOf(wanted))
    begin = _find_beginning(db, query)
    if match is None:
        return Plan(query, folders_first=folders_first, begin=begin)
    number = count_up_to(db, match, MANY)
    parts = sum(phrase.parts for item in wanted for phrase in phrases_of(item))
    field = FIELDS_BY_NAME.get(query.sort)
    words = WordsPlan.SET
    if number < FEW or (field is not None and not field.indexed):
        words = WordsPlan.FIRST
    elif number >= MANY and parts <= MOST_LOOKED_UP:
        words = WordsPlan.EACH
    return Plan(query, match, words, folders_first, () if words is WordsPlan.FIRST else begin)


def plan_without_order(db: sqlite3.Connection, plan: Plan) -> Plan:
    """Return a plan that reads all that may match and sorts it: where that is rare in the order that was asked for."""
    plan = replace(plan, folders_first=True)
    if plan.query.sort == "path":
        return plan
    narrow = () if plan.query.with_missing else _narrow(db, plan.query)
    return replace(plan, begin=narrow) if narrow else replace(plan, reads_table=True)


def plan_count(db: sqlite3.Connection, plan: Plan) -> Plan:
    """Return the plan by which the files of a query are counted; its order means nothing."""
    plan = replace(plan, folders_first=True)
    if plan.match:
        return replace(plan, words=WordsPlan.FIRST)
    conditions = plan.query.conditions
    known = all(isinstance(item, Condition) and (item.indexed or item.folders) for item in conditions)
    if plan.begin or known or _narrow(db, plan.query):
        return plan
    return replace(plan, reads_table=True)


def _narrow(db: sqlite3.Connection, query: Query) -> tuple[Candidates, ...]:
    """Return the files that an index finds for one condition, if they are less than is worth reading the table for."""
    for node in query.conditions:
        found = _few_candidates(db, node, FEW * LOOKED_UP) if isinstance(node, Condition) else None
        if found is not None:
            return (found,)
    return ()


def _expanded(db: sqlite3.Connection, node: Node) -> Node:
    """Return a tree with the complete words that its phrases stand for."""
    if isinstance(node, Words):
        return Words(tuple(expand(db, phrase) for phrase in node.phrases))
    if isinstance(node, Not):
        return Not(_expanded(db, node.part))
    if isinstance(node, AllOf | AnyOf):
        return type(node)(tuple(_expanded(db, part) for part in node.parts))
    return node


def _part_words(conditions: tuple[Node, ...]) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """Return what the full-text index can answer at once, negations among it, and what remains."""
    wanted = tuple(item for item in conditions if match_expression(item) is not None)
    if not wanted:
        return (), conditions
    unwanted = tuple(
        item for item in conditions if isinstance(item, Not) and match_expression(item.part) is not None
    )
    answered = {id(item) for item in (*wanted, *unwanted)}
    return (*wanted, *unwanted), tuple(item for item in conditions if id(item) not in answered)


def _find_beginning(db: sqlite3.Connection, query: Query) -> tuple[Candidates, ...]:
    """Return the files that one "or" of the query allows, if they are few and an index finds them."""
    if query.with_missing:
        return ()  # the indexes hold present files
    for node in query.conditions:
        found = _few_candidates(db, node, FEW * MORE_FOR_OR) if isinstance(node, AnyOf) else None
        if found is not None:
            return (found,)
    return ()


def _few_candidates(db: sqlite3.Connection, node: Node, limit: int) -> Candidates | None:
    """Return the files that a tree may hold for; None where these are `limit` or more, or no index finds them."""
    match = match_expression(node)
    if match is not None:
        number = count_up_to(db, match, limit)
        return (
            Candidates("SELECT rowid FROM search WHERE search MATCH ?", (match,)) if number < limit else None
        )
    if isinstance(node, AllOf):
        found = (_few_candidates(db, part, limit) for part in with_words_together(node))
        return next((few for few in found if few is not None), None)
    if isinstance(node, AnyOf):
        parts = [_few_candidates(db, part, limit) for part in with_words_together(node)]
        few = [part for part in parts if part is not None]
        if len(few) < len(parts):
            return None
        values = tuple(value for part in few for value in part.values)
        return Candidates(" UNION ALL ".join(part.sql for part in few), values)
    if not isinstance(node, Condition) or not (node.indexed or node.folders):
        return None
    whole = node.without_folders()
    sql = f"SELECT file.id FROM file WHERE {_PRESENT} AND ({whole.sql})"
    (number,) = db.execute(f"SELECT count(*) FROM ({sql} LIMIT {limit})", whole.values).fetchone()
    return Candidates(sql, whole.values) if number < limit else None


def _lie_few(db: sqlite3.Connection, item: Condition) -> bool:
    """Return whether so few files lie in the folders of a condition that it is best to begin with them."""
    (number,) = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM file WHERE missing_since IS NULL "
        f"AND folder_id IN ({item.folders}) LIMIT {FEW * IN_FOLDERS})",
        item.folder_values,
    ).fetchone()
    return bool(number < FEW * IN_FOLDERS)


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
    if plan.words is WordsPlan.EACH:
        plan = replace(plan, words=WordsPlan.SET)
    statement = _statement(plan, ("file.id",))
    if statement.where == _PRESENT:
        # the planner does not know that this index alone answers, and would read the whole table
        return replace(statement, source="file INDEXED BY file_size")
    return statement


def compile_word_counts(plan: Plan) -> tuple[Statement, Statement] | None:
    """Return two statements, the difference of which counts what a query of words alone finds; None for another query.

    All files that have the words, and those of them that are missing: neither looks at a million rows.
    """
    query = plan.query
    if not plan.match or query.with_missing or query.conditions:
        return None
    return (
        Statement("search", "search MATCH ?", "rowid", "rowid", (plan.match,)),
        Statement(
            "file", "file.missing_since IS NOT NULL AND +file.id IN (SELECT rowid FROM search WHERE search MATCH ?)",
            "id", "id", (plan.match,),
        ),
    )  # fmt: skip


def _statement(plan: Plan, keys: tuple[str, ...], condition: str = "") -> Statement:
    query = plan.query
    by_path = any(key.startswith("folder.") for key in keys)
    where: list[str] = [] if query.with_missing else [_PRESENT]
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
        where.append(_WORDS[plan.words])
        values.append(plan.match)
    falling = query.falling and bool(query.sort)
    return Statement(
        source=_BY_PATH if by_path else "file NOT INDEXED" if plan.reads_table else "file",
        where=" AND ".join(where) or "TRUE",
        order=_order(keys, falling=falling),
        reversed_order=_order(keys, falling=not falling),
        values=tuple(values),
    )


def _top_condition(node: Node, plan: Plan, *, by_path: bool) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL of a condition that must hold, and what stands for its `?`."""
    if not isinstance(node, Condition):
        sql, values = _filter(node)
        # the plus: SQLite would look up by rowid what each side of an "or" finds, a million rows where that is much
        return f"+({sql})", values
    if not node.folders:
        return f"({node.sql})", node.values
    column = "folder.id" if by_path else "file.folder_id"
    sql = f"{'' if plan.folders_first else '+'}{column} IN ({node.folders})"
    return f"{sql} AND {node.sql}" if node.sql else sql, (*node.folder_values, *node.values)


def _filter(node: Node) -> tuple[str, tuple[Any, ...]]:
    """Return SQL that tells of one file whether a tree holds for it, and what stands for its `?`."""
    match = match_expression(node)
    if match is not None:
        return _WORDS[WordsPlan.SET], (match,)
    if isinstance(node, Condition):
        whole = node.without_folders()
        return whole.sql, whole.values
    if isinstance(node, Not):
        sql, values = _filter(node.part)
        return f"({sql}) IS NOT TRUE", values
    if isinstance(node, AllOf | AnyOf) and node.parts:
        parts = [_filter(part) for part in with_words_together(node)]
        sign = " AND " if isinstance(node, AllOf) else " OR "
        return sign.join(f"({sql})" for sql, _ in parts), tuple(
            value for _, bound in parts for value in bound
        )
    return "TRUE", ()


def _order(keys: tuple[str, ...], *, falling: bool) -> str:
    return ", ".join(f"{key} DESC" if falling else key for key in keys)
