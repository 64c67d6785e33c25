"""Texts of a query compared with texts of the library: the case of letters, and how they are composed, count for nothing.

SQLite by itself knows the case of ASCII letters only. Its own comparison, which indexes serve, is used for a text of these; for
any other one both sides are folded by Python (`casefold`, which the connections know). Names of tags and collections are kept
folded beside the name, in a plain column whose unique index any program that opens the library can serve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import normalize

from tui.library.values import stored_text

if TYPE_CHECKING:
    import sqlite3


def fold(text: str) -> str:
    """Return what all texts have in common that differ in case or composition only (Unicode 3.13, "Caseless Matching")."""
    if text.isascii():
        return text.lower()
    return normalize("NFC", normalize("NFD", text).casefold())


def add_fold(db: sqlite3.Connection) -> None:
    """Let statements of a connection call `fold` as `casefold`; it takes bytes, which need not be text."""
    db.create_function("casefold", 1, _fold_bytes, deterministic=True)


def _fold_bytes(stored: bytes | None) -> str | None:
    return None if stored is None else fold(stored.decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Sought:
    """A text to look for.

    Attributes:
        text: as it is compared.
        folded: it has other letters than those of ASCII, so that what it is compared with must be folded too.
    """

    text: str
    folded: bool

    def like(self, expression: str) -> str:
        """Return the condition that an SQL expression fits the pattern that is handed over."""
        return f"{self._side(expression)} LIKE ? ESCAPE '\\'"

    @property
    def escaped(self) -> str:
        """The text as a pattern that means just itself."""
        return self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

    @property
    def inside(self) -> str:
        """The pattern for every text that it is a part of."""
        return f"%{self.escaped}%"

    def _side(self, expression: str) -> str:
        return f"casefold(CAST({expression} AS BLOB))" if self.folded else expression


def sought(text: str) -> Sought:
    """Return how a text that a person wrote is looked for."""
    text = stored_text(text)
    return Sought(text, folded=False) if text.isascii() else Sought(fold(text), folded=True)
