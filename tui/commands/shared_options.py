"""The options that every command takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SharedOptions:
    """What stands before or behind any command.

    Attributes:
        library: value of `--library`; empty for the configured library.
        config: value of `--config`; empty for the user's own file.
        as_json: whether the result is one JSON object per line.
    """

    library: str = ""
    config: str = ""
    as_json: bool = False
