"""Command lines that only open the terminal application, understood without Typer, which takes a fifth of its start."""

from __future__ import annotations

from typing import NamedTuple


class Opening(NamedTuple):
    """What to open the application with; empty for what was not said."""

    path: str | None = None
    library: str = ""
    config: str = ""


def parse_plain_opening(arguments: list[str]) -> Opening | None:
    """Return what a command line without any command asks for, None if it is for Typer to say.

    Understood are `--library FILE`, `--config FILE`, and one word at the end that can be nothing but a path, since
    it begins with `/`, `.` or `~`.
    """
    said: dict[str, str] = {}
    words = list(arguments)
    while len(words) > 1 and words[0] in ("--library", "--config") and not words[1].startswith("-"):
        said[words[0][2:]] = words[1]
        words = words[2:]
    if len(words) > 1 or any(not word.startswith(("/", ".", "~")) for word in words):
        return None
    if "" in said.values():
        return None
    return Opening(words[0] if words else None, **said)
