"""The query language: one text for the search box, the commands and saved queries.

    beach kind:image camera:"canon eos" iso>800 (taken:2019..2021-06 or rating>=4) -tag:draft sort:taken-

Terms with a blank between must all hold; `or` is weaker than that, parentheses are stronger. A bare word is looked for
by its beginning wherever words are indexed; quotes keep words together; `-` before a term or a parenthesis excludes; a
comma between values means any of them; `@name` stands for a saved query. `parse_query` checks everything, so that what
it returns always compiles (`query_sql`).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tui.library.patterns import fold
from tui.library.query_conditions import term_condition
from tui.library.query_fields import FIELDS_BY_NAME, SORTABLE, FieldType
from tui.library.query_terms import QueryError, Sign, read_tokens
from tui.library.query_tree import AllOf, Node, all_of, either, negation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tui.library.query_terms import Token, Value

__all__ = ["LONGEST_QUERY", "Query", "QueryError", "parse_query"]

LONGEST_QUERY = 4_096
"""Characters that a query may have."""

_MOST_TERMS = 100
_DEEPEST = 10


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood.

    Attributes:
        text: as it was written.
        conditions: what must hold, all of it.
        sort: name of the field to sort by; empty for the order in which files were found.
        falling: the highest first.
        with_missing: missing files are not left out (some condition speaks of them).
        folder: only files at or below this absolute path; None for all.
    """

    text: str = ""
    conditions: tuple[Node, ...] = ()
    sort: str = ""
    falling: bool = False
    with_missing: bool = False
    folder: bytes | None = None

    def sorted_by(self, field: str, *, falling: bool = False) -> Query:
        """Return the same query in another order.

        Raises:
            QueryError: nothing can be sorted by that field.
        """
        known = FIELDS_BY_NAME.get(field.lower())
        if known is None or not known.order:
            raise QueryError(field, 0, f"Nothing can be sorted by {field!r}", ", ".join(SORTABLE))
        return replace(self, sort=known.name, falling=falling)

    def within(self, folder: bytes | None) -> Query:
        """Return the same query for the files at or below `folder` (absolute path); None for all."""
        return replace(self, folder=folder)


def parse_query(text: str, collections: Mapping[str, str | None] | None = None) -> Query:
    """Return what a query means.

    Args:
        text: the query.
        collections: what `@name` and `collection:name` may name (`saved_queries.collection_queries`): folded name
            to the text of a saved query, None for a collection of files. None when there are none.

    Raises:
        QueryError: it has a mistake; the error says where and what was expected.
    """
    return _Parser(text, _Shared(collections or {})).parse()


@dataclass(slots=True)
class _Shared:
    """What a query and the saved queries in it have in common.

    Attributes:
        collections: saved queries and collections by name, folded.
        terms: how many terms were read so far.
        depth: how many parentheses and saved queries are open.
        open: names of the saved queries that are being read, the outermost first.
        with_missing: some term speaks of missing files.
    """

    collections: Mapping[str, str | None]
    terms: int = 0
    depth: int = 0
    open: list[str] = field(default_factory=list)
    with_missing: bool = False

    @contextmanager
    def deeper(self, token: Token, name: str = "") -> Iterator[None]:
        """Be inside a parenthesis, or inside the saved query `name`, that begins with `token`."""
        if self.depth == _DEEPEST:
            raise token.mistake("The query is too deep", f"at most {_DEEPEST} parentheses in each other")
        self.depth += 1
        self.open += [name] if name else []
        try:
            yield
        finally:
            self.depth -= 1
            del self.open[len(self.open) - bool(name) :]


class _Parser:
    """Reads one text: alternatives of conjunctions of terms and groups."""

    def __init__(self, text: str, shared: _Shared) -> None:
        if len(text) > LONGEST_QUERY:
            raise QueryError(
                text, LONGEST_QUERY, "The query is too long", f"at most {LONGEST_QUERY:,} characters"
            )
        self._text = text
        self._shared = shared
        self._tokens = read_tokens(text)
        self._token = next(self._tokens)
        self._sort = ""
        self._falling = False
        self._inherited: Query | None = None
        self._groups = 0

    def parse(self) -> Query:
        """Return what the whole text means."""
        node = self._read_alternatives()
        if self._token.sign is Sign.CLOSE:
            raise self._token.mistake("This ) closes nothing", 'a ( before it; or quotes, ")", for the sign')
        sort, falling = self._sort, self._falling
        if not sort and self._inherited is not None:
            sort, falling = self._inherited.sort, self._inherited.falling
        conditions = node.parts if isinstance(node, AllOf) else (node,)
        return Query(self._text, conditions, sort, falling, self._shared.with_missing)

    def _advance(self) -> Token:
        """Return the present token and go on to the next."""
        token = self._token
        if token.sign is not Sign.END:
            self._token = next(self._tokens)
        return token

    def _read_alternatives(self) -> Node:
        """Read up to the end of the text or of the parentheses: what stands between `or`s."""
        start = self._token
        parts = [self._read_conjunction()]
        while self._token.sign is Sign.OR:
            sign = self._advance()
            if parts[-1] is None:
                raise sign.mistake("There is nothing before or", _EXPECTED_BESIDE_OR)
            parts.append(self._read_conjunction())
            if parts[-1] is None:
                raise sign.mistake("There is nothing after or", _EXPECTED_BESIDE_OR)
        if parts == [None] and self._groups:
            raise start.mistake("There is nothing in the parentheses", "a term between ( and )")
        return either(part if part is not None else AllOf(()) for part in parts)

    def _read_conjunction(self) -> Node | None:
        """Read terms and groups up to an `or`, a `)` or the end; None when there are none."""
        parts: list[Node] = []
        while self._token.sign in (Sign.TERM, Sign.OPEN):
            token = self._advance()
            if token.field is not None and token.field.type is FieldType.SORT:
                self._take_order(token)
            else:
                node = self._read_group(token) if token.sign is Sign.OPEN else self._read_term(token)
                parts.append(negation(node) if token.negated else node)
        return all_of(parts) if parts else None

    def _read_group(self, opening: Token) -> Node:
        with self._shared.deeper(opening):
            self._groups += 1
            node = self._read_alternatives()
            self._groups -= 1
        if self._token.sign is not Sign.CLOSE:
            raise opening.mistake("The parenthesis is not closed", "a closing )")
        self._advance()
        return node

    def _read_term(self, term: Token) -> Node:
        self._shared.terms += 1
        if self._shared.terms > _MOST_TERMS:
            raise term.mistake("The query has too many terms", f"at most {_MOST_TERMS}")
        if term.field is None:
            return term_condition(term)
        if term.field.name in ("missing", "state", "lost"):
            self._shared.with_missing = True
        if term.field.type is FieldType.COLLECTION:
            return either(self._read_collection(term, value) for value in term.values)
        return term_condition(term)

    def _take_order(self, term: Token) -> None:
        (value, *others) = term.values
        if term.operator not in (":", "="):
            raise term.mistake(f"sort cannot be compared by {term.operator}", "sort:FIELD")
        if self._sort or others:
            raise term.mistake("The order is given twice", "one sort:FIELD")
        if self._groups:
            raise term.mistake("The order stands inside parentheses", "sort:FIELD outside of them")
        known = FIELDS_BY_NAME.get(value.text.strip("+-").lower())
        if known is None or not known.order or term.negated:
            raise term.mistake(
                f"Nothing can be sorted by {value.text!r}", ", ".join(SORTABLE), value.position
            )
        self._sort = known.name
        self._falling = value.text.endswith("-") or value.text.startswith("-")

    def _read_collection(self, term: Token, value: Value) -> Node:
        """Return what a saved query asks, or membership in a collection of files."""
        name = fold(value.text)
        if name not in self._shared.collections:
            known = ", ".join(sorted(self._shared.collections)[:10])
            raise term.mistake(
                f"There is no collection or saved query {value.text!r}",
                f"one of {known}" if known else "the name of one; there are none yet",
                value.position,
            )
        text = self._shared.collections[name]
        if text is None:
            return term_condition(replace(term, values=(value,)))
        return self._read_saved(term, value, text)

    def _read_saved(self, term: Token, value: Value, text: str) -> Node:
        name, opened = fold(value.text), self._shared.open
        if name in opened:
            circle = " → ".join([*opened[opened.index(name) :], name])
            raise term.mistake(
                f"The saved query {name!r} asks for itself ({circle})", "another query", value.position
            )
        try:
            with self._shared.deeper(term, name):
                query = _Parser(text, self._shared).parse()
        except QueryError as error:
            inner = (
                error.problem
                if error.problem.startswith(_IN_SAVED)
                else f"{_IN_SAVED} {name!r}: {error.problem}"
            )
            raise term.mistake(inner, error.expected, value.position) from None
        if query.sort and self._inherited is None and not (self._groups or term.negated):
            self._inherited = query
        return all_of(query.conditions)


_IN_SAVED = "In the saved query"
_EXPECTED_BESIDE_OR = 'a term on both sides; or quotes, "or", for the word'
