"""What the shell offers behind Tab, beyond commands and options. Nothing here may fail or be slow.

Where nothing is offered, the shell offers files.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.library.query_completion import Completion


def option_names(incomplete: str) -> list[str]:
    """Return the options of the configuration that begin with `incomplete`."""
    from tui.options import CHECKS

    return [name for name in CHECKS if name.startswith(incomplete)]


def option_values(ctx: Any, incomplete: str) -> list[str]:
    """Return what the option named before may be, where that is one of a few words."""
    from tui.options import CHECKS

    check = CHECKS.get(ctx.params.get("name") or "")
    return [word for word in check.choices if word.startswith(incomplete)] if check is not None else []


def query_words(ctx: Any, incomplete: str) -> list[str]:
    """Return how the word of a query that is being typed may go on: fields, and values from the library."""
    from tui.library.query_completion import asks_library, complete_query

    in_bash = os.environ.get("_YAPMO_COMPLETE") == "complete_bash"
    typed, cut = _whole_word(ctx.params.get("words") or (), incomplete) if in_bash else (incomplete, 0)
    found = complete_query(typed)
    if asks_library(typed):
        found = _ask_library(ctx, typed) or found
    words = [completion.applied(typed)[cut:] for completion in found]
    return [_Offer(_SPECIAL.sub(r"\\\g<0>", word) if in_bash else word) for word in words]


class _Offer(str):
    """What is offered; Typer leaves out what does not begin with what was typed.

    But `camera:eos` may go on as `camera:"Canon EOS R6"`, and bash puts what it gets behind the colon.
    """

    __slots__ = ()

    def startswith(self, *_prefix: object) -> bool:
        """Say that it fits."""
        return True


_SPECIAL = re.compile(r"[^\w@%+=:,./-]")
"""Characters that a shell has its own idea of."""

_PATIENCE_S = 0.3
"""How long the library may be asked for values."""


def _whole_word(before: Sequence[str], incomplete: str) -> tuple[str, int]:
    """Return the word that is typed, and how much of it bash leaves as it is: it takes `camera:can` for three words."""
    word, words = incomplete, list(before)
    while words and (word[:1] in (":", "=") or words[-1][-1:] in (":", "=", "@")):
        word = words.pop() + word
    return word, len(word) - (0 if incomplete in (":", "=", "@") else len(incomplete))


def _shared(ctx: Any) -> dict[str, Any]:
    """Return the options of the command line so far, given before the command or behind it."""
    before = ctx.parent.params if ctx.parent else {}
    return {**before, **{name: value for name, value in ctx.params.items() if value}}


def _ask_library(ctx: Any, typed: str) -> list[Completion]:
    """Return what the library that the command line names knows of; nothing where there is none, or it cannot be read."""
    import contextlib
    import sqlite3

    from tui.config import effective_library_path, load_config
    from tui.errors import YapmoError
    from tui.library.connections import connect_reading
    from tui.library.query_completion import complete_query

    given = _shared(ctx)
    with contextlib.suppress(YapmoError, OSError, sqlite3.Error):
        path = effective_library_path(load_config(given.get("config") or None), given.get("library") or "")
        immutable = not os.access(os.path.dirname(path), os.W_OK)
        with contextlib.closing(connect_reading(path, immutable=immutable)) as db:
            return complete_query(typed, db, budget_s=_PATIENCE_S)
    return []


def saved_names(ctx: Any, incomplete: str) -> list[str]:
    """Return the names of the saved queries that begin with `incomplete`."""
    names = [completion.label for completion in _ask_library(ctx, f'@"{incomplete}')]
    return [name for name in names if name.startswith(incomplete)]


def backups(ctx: Any, incomplete: str) -> list[str]:
    """Return the copies that lie beside the library, the newest first; where there are none the shell offers files."""
    import contextlib

    from tui.config import effective_library_path, load_config
    from tui.display import display
    from tui.errors import YapmoError
    from tui.library.backups import find_backups

    given = _shared(ctx)
    with contextlib.suppress(YapmoError, OSError):
        path = effective_library_path(load_config(given.get("config") or None), given.get("library") or "")
        found = [os.fsdecode(backup) for backup in find_backups(path)]
        return [name for name in found if name.startswith(incomplete) and name == display(name)]
    return []
