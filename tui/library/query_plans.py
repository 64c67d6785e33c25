"""How the files of a query are found: what is looked up first, and which order is walked.

What can be known cheaply decides: how many files a condition with an index, the words or the folders leave, counted up to
a limit. The few files that one condition leaves are begun with; else the order of the query is walked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tui.library.query_conditions import FOLDERS_BELOW, IS_EXTENSION
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
    from collections.abc import Iterator, Sequence

    from tui.library.query import Query

PRESENT = "file.missing_since IS NULL"

BEGUN_WITH = 5
"""So many times `FEW` files that an index or the words leave are looked up and sorted rather than an order walked."""

LOOKED_UP = 50
"""So many times `FEW` files are looked up one by one rather than that the whole table is read."""

IN_FOLDERS = 25
"""So many times `FEW` files in the folders that a query names are looked up rather than that an order is walked."""

_MOST_VALUES = 500
_HELD_TOGETHER = (
    {"file.kind", "file.taken_local"},
    {"file.model", "file.taken_local"},
    {"file.latitude", "file.longitude"},
)
"""Columns that one index holds."""

GROUPED = {"file.extension", "file.kind", "file.model", "file.lens", "file.size", "file.duration_ms"}
"""Columns that the index of the sums holds."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """SQL for the ids of some files, what stands for its `?`, and how many there are."""

    sql: str
    values: tuple[Any, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A query with what was found out about it.

    Attributes:
        query: the query, without what `match` answers, its other phrases expanded.
        match: FTS5 expression for the words that must and must not occur; empty when none must.
        words: how the files that have them are found.
        folders_first: begin with the folders that the query names; else walk the order, and keep what lies in them.
        begin: the files to begin with, if they are few; empty where there are many, or none can be told.
        listed: the ids of the files that have the words, as JSON; empty where the full-text index is asked each time.
        reads_table: the whole table is read, whatever indexes there are.
        counts: the order means nothing, and any index may be used.
        by_groups: the index of the sums, which begins with the extension, holds all that is asked.
        common: FTS5 expressions inside conditions that so many files have that each file is looked up in the index:
            collecting all of them would take longer than the page.
    """

    query: Query
    match: str = ""
    words: WordsPlan = WordsPlan.FIRST
    folders_first: bool = True
    begin: tuple[Candidates, ...] = ()
    listed: str = ""
    reads_table: bool = False
    counts: bool = False
    by_groups: bool = False
    common: frozenset[str] = frozenset()

    @property
    def walks(self) -> bool:
        """Whether an order is walked until a page is full, however far that is."""
        in_folders = self.folders_first and has_folders(self.query)
        begins_with_words = self.match and self.words is WordsPlan.FIRST
        if self.begin or in_folders or begins_with_words or self.reads_table:
            return False
        if self.query.with_missing and any(
            isinstance(item, Condition) and item.listed for item in self.query.conditions
        ):
            return False
        return bool(self.query.conditions) or bool(self.match and self.words is not WordsPlan.STREAM)


def has_folders(query: Query) -> bool:
    """Return whether a query names folders that its files must lie in."""
    return any(isinstance(item, Condition) and item.folders for item in query.conditions)


def plan_query(db: sqlite3.Connection, query: Query) -> Plan:
    """Look up the words, folders and values of a query and decide how to find the files that have them."""
    conditions = tuple(_looked_up(db, item, query) for item in query.conditions)
    if query.folder is not None:
        below = Condition(folders=FOLDERS_BELOW, folder_values=(query.folder.rstrip(b"/"),))
        conditions = (below, *conditions)
    wanted, others = _part_words(conditions)
    plan = Plan(replace(query, conditions=others, folder=None), match_expression(AllOf(wanted)) or "")
    limit = FEW * (BEGUN_WITH if _has_order(query) else LOOKED_UP)
    begin = () if query.with_missing else _fewest(db, _unordered(plan.query), limit)
    in_folders = _count_in_folders(db, plan.query)
    if begin and in_folders is not None and in_folders < begin[0].number:
        begin = ()
    plan = replace(
        plan,
        begin=begin,
        folders_first=in_folders is None or in_folders < FEW * IN_FOLDERS,
        common=frozenset(_common_words(db, AllOf(others))),
    )
    if plan.match:
        return _plan_words(db, plan, wanted)
    return plan if begin or _has_order(query) else plan_without_order(db, plan)


def _common_words(db: sqlite3.Connection, node: Node) -> Iterator[str]:
    """Yield the expressions in a tree that the full-text index answers, those that `MANY` files have or more."""
    match = match_expression(node)
    if match is not None:
        quick = sum(phrase.parts for phrase in phrases_of(node)) <= MOST_LOOKED_UP
        if quick and count_up_to(db, match, MANY) >= MANY:
            yield match
    elif isinstance(node, Not):
        yield from _common_words(db, node.part)
    elif isinstance(node, AllOf | AnyOf):
        for part in with_words_together(node):
            yield from _common_words(db, part)


def _has_order(query: Query) -> bool:
    field = FIELDS_BY_NAME.get(query.sort)
    return field is None or field.indexed


def _in_order_of_ids(query: Query) -> bool:
    field = FIELDS_BY_NAME.get(query.sort)
    return field is None or field.order == ("file.id",)


def leads(item: Condition, query: Query) -> bool:
    """Return whether an index has the files that a condition holds for together, in the order of the query."""
    field = FIELDS_BY_NAME.get(query.sort)
    if field is None or " LIKE " in item.sql or " IN (" in item.sql:
        return False
    key = field.order[0].removesuffix(" COLLATE NOCASE")
    if key == "file.taken_local" and item.column in ("file.kind", "file.model"):
        return " = " in item.sql
    return bool(item.column) and item.column == key


def _unordered(query: Query) -> list[Node]:
    """Return the conditions that an index in the order of the query does not answer at once."""
    return [
        item
        for item in query.conditions
        if not (isinstance(item, Condition) and (item.folders or leads(item, query)))
    ]


def _plan_words(db: sqlite3.Connection, plan: Plan, wanted: Sequence[Node]) -> Plan:
    """Decide how the files with the words are found."""
    phrases = [phrase for item in wanted for phrase in phrases_of(item)]
    parts = sum(phrase.parts for phrase in phrases)
    quick = parts <= MOST_LOOKED_UP
    if plan.begin:
        number = count_up_to(db, plan.match, plan.begin[0].number)
        if number < plan.begin[0].number:
            return replace(plan, words=WordsPlan.FIRST, begin=())
        return replace(plan, words=WordsPlan.EACH if quick else WordsPlan.SET)
    if _in_order_of_ids(plan.query) and not has_folders(plan.query):
        return replace(plan, words=WordsPlan.STREAM)
    if any(phrase.is_collected for phrase in phrases):
        number, listed = db.execute(
            "SELECT count(*), json_group_array(rowid) FROM search WHERE search MATCH ?", (plan.match,)
        ).fetchone()
        plan = replace(plan, listed=listed)
    else:
        number = count_up_to(db, plan.match, MANY)
    if number < FEW * BEGUN_WITH or not _has_order(plan.query):
        return replace(plan, words=WordsPlan.FIRST)
    return replace(plan, words=WordsPlan.EACH if number >= MANY and quick else WordsPlan.SET)


def plan_without_order(db: sqlite3.Connection, plan: Plan) -> Plan:
    """Return a plan that reads all that may match and sorts it: where that is rare in the order that was asked for."""
    plan = replace(plan, folders_first=True, common=frozenset())
    if plan.words in (WordsPlan.STREAM, WordsPlan.EACH):
        plan = replace(plan, words=WordsPlan.SET)
    narrow = find_narrow(db, plan)
    if narrow:
        return replace(plan, begin=narrow)
    if plan.match and count_up_to(db, plan.match, FEW * LOOKED_UP) < FEW * LOOKED_UP:
        return replace(plan, words=WordsPlan.FIRST)
    return plan if plan.query.sort == "path" else replace(plan, reads_table=True)


def plan_whole_order(db: sqlite3.Connection, plan: Plan) -> Plan:
    """Return the plan by which all files are read in order: no walk that would look up each of a million rows."""
    if plan.match and plan.words is WordsPlan.STREAM:
        return plan
    from_index = not plan.match and all(
        isinstance(item, Condition) and leads(item, plan.query) for item in plan.query.conditions
    )
    if plan.walks and not from_index:
        return plan_without_order(db, plan)
    return replace(plan, words=WordsPlan.SET) if plan.words is WordsPlan.EACH else plan


def plan_count(db: sqlite3.Connection, plan: Plan) -> Plan:
    """Return the plan by which the files of a query are counted; its order means nothing."""
    begin, conditions = plan.begin, plan.query.conditions
    lie_few = plan.folders_first and has_folders(plan.query)
    plan = replace(plan, folders_first=True, counts=True)
    if not begin:
        plan = replace(plan, common=frozenset())
    if plan.match:
        if begin and plan.words is not WordsPlan.FIRST:
            return plan
        return replace(plan, begin=(), words=WordsPlan.FIRST if plan.listed else WordsPlan.STREAM)
    plan = replace(plan, begin=(), reads_table=False)
    known = all(_is_known(item) for item in conditions)
    if known and (plan.query.with_missing or _is_one_index(conditions)):
        return plan
    if not begin and not plan.query.with_missing and _is_held_by_groups(conditions):
        return replace(plan, by_groups=True)
    narrow = begin or (() if lie_few else find_narrow(db, plan))
    if narrow or has_folders(plan.query):
        return replace(plan, begin=narrow)
    return replace(plan, reads_table=True)


def _is_held_by_groups(conditions: Sequence[Node]) -> bool:
    columns = {item.column if isinstance(item, Condition) and not item.folders else "" for item in conditions}
    has_extension = any(isinstance(item, Condition) and item.sql == IS_EXTENSION for item in conditions)
    return has_extension and columns <= GROUPED


def _is_known(item: Node) -> bool:
    if not isinstance(item, Condition):
        return False
    return bool(item.indexed or item.folders) or item.column == "file.longitude"


def _is_one_index(conditions: Sequence[Node]) -> bool:
    """Return whether one index alone answers conditions, or a list is the only way to come by them."""
    found = [item for item in conditions if isinstance(item, Condition)]
    if len(found) < 2 or any(item.listed for item in found):
        return True
    columns = {item.column for item in found}
    return any(columns <= held for held in _HELD_TOGETHER)


def find_narrow(db: sqlite3.Connection, plan: Plan) -> tuple[Candidates, ...]:
    """Return the files that an index finds for one condition, if they are less than is worth reading the table for."""
    if plan.query.with_missing:
        return ()  # the indexes hold present files
    return _fewest(db, plan.query.conditions, FEW * LOOKED_UP)


def _looked_up(db: sqlite3.Connection, node: Node, query: Query) -> Node:
    """Return a tree with the complete words that its phrases stand for, and the values that its patterns stand for."""
    if isinstance(node, Words):
        return Words(tuple(expand(db, phrase) for phrase in node.phrases))
    if isinstance(node, Not):
        return Not(_looked_up(db, node.part, query))
    if isinstance(node, AllOf | AnyOf):
        return type(node)(tuple(_looked_up(db, part, query) for part in node.parts))
    return node if query.with_missing or not node.known else _with_known_values(db, node)


def _with_known_values(db: sqlite3.Connection, item: Condition) -> Condition:
    """Return a condition on the values that present files have, in place of a pattern."""
    found = [value for (value,) in db.execute(f"{item.known} LIMIT {_MOST_VALUES + 1}", item.values)]
    if len(found) > _MOST_VALUES:
        return replace(item, indexed=False, column="", known="")
    if not found:
        return Condition("FALSE", indexed=True, members="SELECT 0 WHERE FALSE")
    column = item.column if item.column == "file.model" else f"{item.column} COLLATE NOCASE"
    sql = f"{column} = ?" if len(found) == 1 else f"{column} IN ({', '.join('?' * len(found))})"
    return replace(item, sql=sql, values=tuple(found), known="")


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


def _fewest(db: sqlite3.Connection, nodes: Sequence[Node], limit: int) -> tuple[Candidates, ...]:
    """Return the candidates of the node that leaves the fewest files, if those are less than `limit`."""
    best: tuple[Candidates, ...] = ()
    for node in nodes:
        found = few_candidates(db, node, best[0].number if best else limit)
        if found is not None:
            best = (found,)
    return best


def few_candidates(db: sqlite3.Connection, node: Node, limit: int) -> Candidates | None:
    """Return the files that a tree may hold for; None where these are `limit` or more, or no index finds them."""
    match = match_expression(node)
    if match is not None:
        return _with_words(db, match, limit)
    if isinstance(node, AllOf):
        return next(iter(_fewest(db, with_words_together(node), limit)), None)
    if isinstance(node, AnyOf):
        return _in_any(db, with_words_together(node), limit)
    if not isinstance(node, Condition):
        return None
    if node.name_words:
        return _with_words(
            db, match_expression(AllOf(tuple(Words((word,)) for word in node.name_words))) or "", limit
        )
    if node.members:
        return _counted(db, node.members, node.values, limit)
    if not (node.indexed or node.folders):
        return None
    whole = node.without_folders()
    return _counted(db, f"SELECT file.id FROM file WHERE {PRESENT} AND ({whole.sql})", whole.values, limit)


def _with_words(db: sqlite3.Connection, match: str, limit: int) -> Candidates | None:
    number = count_up_to(db, match, limit)
    if number >= limit:
        return None
    return Candidates("SELECT rowid FROM search WHERE search MATCH ?", (match,), number)


def _counted(db: sqlite3.Connection, sql: str, values: tuple[Any, ...], limit: int) -> Candidates | None:
    (number,) = db.execute(f"SELECT count(*) FROM ({sql} LIMIT {limit})", values).fetchone()
    return Candidates(sql, values, number) if number < limit else None


def _in_any(db: sqlite3.Connection, parts: Sequence[Node], limit: int) -> Candidates | None:
    """Return the files that any of some trees may hold for; None where one of them leaves too many."""
    few: list[Candidates] = []
    for part in parts:
        found = few_candidates(db, part, limit)
        if found is None:
            return None
        few.append(found)
    values = tuple(value for found in few for value in found.values)
    return Candidates(
        " UNION ALL ".join(found.sql for found in few), values, sum(found.number for found in few)
    )


def _count_in_folders(db: sqlite3.Connection, query: Query) -> int | None:
    """Return how many files lie in the folders that a query names, the most of them; None when it names none."""
    numbers = []
    for item in query.conditions:
        if isinstance(item, Condition) and item.folders:
            (number,) = db.execute(
                "SELECT count(*) FROM (SELECT 1 FROM file WHERE missing_since IS NULL "
                f"AND folder_id IN ({item.folders}) LIMIT {FEW * IN_FOLDERS})",
                item.folder_values,
            ).fetchone()
            numbers.append(int(number))
    return max(numbers, default=None)
