"""Words for the full-text index: phrases, what they begin, and how many files have them.

FTS5 answers a prefix by collecting all its files first, a complete word one file at a time. So a prefix is replaced
by the words that begin with it, as long as they are few; the index knows its words (`search_word`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_MOST_WORDS = 24
_LAST_WORD = re.compile(r"((?:.*[\x00-/:-@\[-`{-\x7f])?)([0-9A-Za-z]+)", re.DOTALL)
"""What comes before the last word of a phrase, and that word, of ASCII signs."""

FEW = 2_000
"""Files with the words of a query up to which these are found first and then sorted."""

MANY = 50_000
"""Files from which on it is quicker to walk the order and to look at each whether it has the words."""


MOST_LOOKED_UP = 2
"""Words up to which looking up each file is quick."""


class WordsPlan(Enum):
    """How the files with the words of a query are found."""

    FIRST = 1
    """They are found first, then filtered and sorted: best for few."""
    SET = 2
    """They are found first, as a set; then the order is walked, and what is in the set is kept."""
    EACH = 3
    """The order is walked, and each file is looked up in the index: best for very many."""
    STREAM = 4
    """They are met one by one in the order of their ids, as the index has them: best for that order."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that must occur one after the other.

    Attributes:
        text: the words as written.
        column: only in this column of the index; empty for all.
        prefix: the last word counts by its beginning.
        words: the phrase with each complete word that its last one begins; empty before `expand`, and where they are too many.
    """

    text: str
    column: str = ""
    prefix: bool = False
    words: tuple[str, ...] = ()

    @property
    def expression(self) -> str:
        """The phrase in the language of FTS5."""
        if self.words:
            alternatives = " OR ".join(f'"{word}"' for word in self.words)
            found = f"({alternatives})" if len(self.words) > 1 else alternatives
        else:
            quoted = self.text.replace('"', '""')
            found = f'"{quoted}" *' if self.prefix else f'"{quoted}"'
        return f"{{{self.column}}} : {found}" if self.column else found

    @property
    def is_collected(self) -> bool:
        """Whether FTS5 collects the files of all words with a beginning before it tells the first: slow if they are many."""
        return self.prefix and not self.words

    @property
    def parts(self) -> int:
        """How many complete words FTS5 has to look at for each file; more than there are where it must collect first."""
        return len(self.words) or (_MOST_WORDS + 1 if self.prefix else 1)


def any_of(phrases: Sequence[Phrase]) -> str:
    """Return the FTS5 expression for any of some phrases."""
    found = " OR ".join(phrase.expression for phrase in phrases)
    return f"({found})" if len(phrases) > 1 else found


def expand(db: sqlite3.Connection, phrase: Phrase) -> Phrase:
    """Return a phrase with the complete words that its last one is the beginning of, if they are few.

    Only words of ASCII letters and digits: how the index folds others is its own affair.
    """
    last = _LAST_WORD.fullmatch(phrase.text) if phrase.prefix else None
    if last is None:
        return phrase
    before, beginning = last[1].replace('"', '""'), last[2].lower()
    beyond = beginning[:-1] + chr(ord(beginning[-1]) + 1)
    words: list[str] = []
    start = beginning
    while len(words) <= _MOST_WORDS:
        row = db.execute(
            "SELECT term FROM search_word WHERE term >= ? AND term < ? LIMIT 1", (start, beyond)
        ).fetchone()
        if row is None:
            return replace(phrase, words=tuple(before + word for word in words))
        words.append(row[0])
        start = row[0] + "\x01"
    return phrase


def count_up_to(db: sqlite3.Connection, expression: str, limit: int) -> int:
    """Return in how many files an expression occurs, `limit` at most."""
    (number,) = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH ? LIMIT ?)", (expression, limit)
    ).fetchone()
    return int(number)
