"""What the shell offers behind Tab, beyond commands and options. Nothing here may fail or be slow.

Where nothing is offered, the shell offers files.
"""

from __future__ import annotations

from typing import Any


def option_names(incomplete: str) -> list[str]:
    """Return the options of the configuration that begin with `incomplete`."""
    from tui.options import CHECKS

    return [name for name in CHECKS if name.startswith(incomplete)]


def option_values(ctx: Any, incomplete: str) -> list[str]:
    """Return what the option named before may be, where that is one of a few words."""
    from tui.options import CHECKS

    check = CHECKS.get(ctx.params.get("name") or "")
    return [word for word in check.choices if word.startswith(incomplete)] if check is not None else []


def fields(incomplete: str) -> list[str]:
    """Return the fields of the query language that begin with `incomplete`; `-` in front of them stays there."""
    from tui.library.query_fields import FIELDS

    sign = "-" if incomplete.startswith("-") else ""
    names = [f"{sign}{field.name}:" for field in FIELDS]
    return [name for name in names if name.startswith(incomplete)]
