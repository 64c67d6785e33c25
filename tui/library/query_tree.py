"""What a query asks, as a tree: words and conditions, joined by and, or and not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui.library.words import any_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.library.words import Phrase


@dataclass(frozen=True, slots=True)
class Words:
    """Words for the full-text index: any of `phrases` must occur."""

    phrases: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in SQL.

    Attributes:
        sql: condition over `file`, with `?` for each of `values`; holds as well as `folders`.
        values: what stands for those.
        folders: SQL that gives the ids of the folders that the file must lie in, with `?` for each of `folder_values`.
        folder_values: what stands for those.
        indexed: an index of the library finds the files that it holds for.
        listed: the library names them: a tag, a collection, a list of problems.
        column: the column that it compares; empty where it is more than one, or none.
        known: SQL for the values of `column` among present files that it holds for, with `?` for each of `values`.
        members: SQL for the ids of files, all that it holds for among them, with `?` for each of `values`.
        each: the same as `sql`, quicker where it is asked of one file after the other.
        name_words: what the name of every such file has.
    """

    sql: str = ""
    values: tuple[str | int | float | bytes, ...] = ()
    folders: str = ""
    folder_values: tuple[str | bytes, ...] = ()
    indexed: bool = False
    listed: bool = False
    column: str = ""
    known: str = ""
    members: str = ""
    each: str = ""
    name_words: tuple[Phrase, ...] = ()

    def without_folders(self) -> Condition:
        """Return the same condition with `folders` written into `sql`."""
        if not self.folders:
            return self
        sql = f"file.folder_id IN ({self.folders})" + (f" AND {self.sql}" if self.sql else "")
        return replace(
            self, folders="", folder_values=(), sql=sql, values=(*self.folder_values, *self.values)
        )


@dataclass(frozen=True, slots=True)
class Not:
    """`part` must not hold; what is not known does not hold."""

    part: Node


@dataclass(frozen=True, slots=True)
class AllOf:
    """All `parts` must hold; none of them: every file."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of `parts` at least must hold."""

    parts: tuple[Node, ...]


Node = Words | Condition | Not | AllOf | AnyOf


def all_of(parts: Iterable[Node]) -> Node:
    """Return a node for all of `parts`, without an "and" inside an "and"."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, AllOf) else (part,)))
    return flat[0] if len(flat) == 1 else AllOf(flat)


def either(parts: Iterable[Node]) -> Node:
    """Return a node for any of `parts`, one at least, without an "or" inside an "or"."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, AnyOf) else (part,)))
    return flat[0] if len(flat) == 1 else AnyOf(flat)


def negation(part: Node) -> Node:
    """Return a node for the opposite of `part`."""
    return part.part if isinstance(part, Not) else Not(part)


def phrases_of(node: Node) -> Iterable[Phrase]:
    """Yield all phrases in a tree."""
    if isinstance(node, Words):
        yield from node.phrases
    elif isinstance(node, Not):
        yield from phrases_of(node.part)
    elif isinstance(node, AllOf | AnyOf):
        for part in node.parts:
            yield from phrases_of(part)


def match_expression(node: Node) -> str | None:
    """Return the FTS5 expression for a tree of words; None where it needs more than the full-text index.

    FTS5 knows "not" only as something taken off something else, so that a negation alone needs more.
    """
    if isinstance(node, Words):
        return any_of(node.phrases)
    if isinstance(node, AnyOf):
        parts = [match_expression(part) for part in node.parts]
        return None if None in parts else f"({' OR '.join(part for part in parts if part)})"
    if not isinstance(node, AllOf):
        return None
    wanted = [match_expression(part) for part in node.parts if not isinstance(part, Not)]
    unwanted = [match_expression(part.part) for part in node.parts if isinstance(part, Not)]
    if not wanted or None in wanted or None in unwanted:
        return None
    expression = " AND ".join(part for part in wanted if part)
    for part in unwanted:
        expression = f"({expression}) NOT {part}"
    return f"({expression})"


def with_words_together(node: AllOf | AnyOf) -> tuple[Node, ...]:
    """Return the parts of a node, those that the full-text index answers made into one."""
    kind = type(node)
    words = tuple(part for part in node.parts if match_expression(part) is not None)
    if len(words) < 2:
        return node.parts
    others = tuple(part for part in node.parts if match_expression(part) is None)
    return (kind(words), *others)
