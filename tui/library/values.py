"""What SQLite cannot hold, brought into what it can: the last check before a foreign value is stored."""

from __future__ import annotations

import math
import re
from typing import Any

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

LARGEST_INTEGER = 2**63 - 1
"""SQLite's integers are signed and have 64 bits."""

LONGEST_TEXT = 65_536
"""Characters that a text column keeps; what is cut off stays in `all_tags`."""


def stored_integer(value: int) -> int:
    """Return `value`, or the nearest integer that SQLite can hold."""
    if -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return value
    return max(-LARGEST_INTEGER - 1, min(LARGEST_INTEGER, value))


def stored_text(text: str) -> str:
    """Return `text` as SQLite can hold it: without NUL, lone surrogates as U+FFFD, at most 65,536 characters."""
    text = text[:LONGEST_TEXT]
    if text.isascii() and "\0" not in text:
        return text
    return _UNSTORABLE.sub(lambda match: "" if match.group() == "\0" else "\ufffd", text)


def stored_value(value: Any) -> str | int | float | None:
    """Return a metadata value as SQLite can hold it; text that is empty and numbers that are none become None."""
    if isinstance(value, str):
        return stored_text(value) or None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return stored_integer(int(value))
    return None if value is None else stored_text(str(value)) or None


def stored_list(items: tuple[str, ...]) -> str | None:
    """Return a list of words as one text, an item a line; None for an empty list."""
    if not items:
        return None
    lines = (" ".join(item.split()) for item in items)
    return stored_text("\n".join(line for line in lines if line)) or None


def loaded_list(text: str | None) -> tuple[str, ...]:
    """Return the items of a text that `stored_list` made."""
    return tuple(text.split("\n")) if text else ()


def join_path(root: bytes, folder: bytes, name: bytes = b"") -> bytes:
    """Return the absolute path of a file, or of a folder when `name` is empty."""
    return b"/".join((root.rstrip(b"/"), *(part for part in (folder, name) if part))) or b"/"
