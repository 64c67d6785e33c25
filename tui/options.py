"""What each option of `config.toml` may be, and how a value is read from text.

The defaults are not here: they stand in `config.toml` alone. A `Check` knows the type and the range of one option.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tui.metadata import HOT_FIELDS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FILE_COLUMNS = (
    "name", "folder", "path", "extension", "kind", "size", "modified", "state",
    "taken", "camera", "duration", "dimensions", "position",
)  # fmt: skip
"""Columns of the library's table that are no field of the metadata, or are made of several."""

LEVELS = ("debug", "info", "warning", "error")
"""What `logging.level` may be."""

_EXTENSION = re.compile(r"[a-z0-9][a-z0-9_+-]*")
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Check:
    """What one option may be.

    Attributes:
        allowed: the rule, for a person, behind "must be".
        accept: from a value of the file to the value in force; ValueError or TypeError when it is not allowed.
        parse: from text that a person typed to a value for the file; ValueError when it is none.
        choices: the values as a person types them, where there are only a few; empty where there are many.
    """

    allowed: str
    accept: Callable[[object], object]
    parse: Callable[[str], object]
    choices: tuple[str, ...] = ()


def _refuse_unless(fits: bool) -> None:
    if not fits:
        raise ValueError


def _integer(low: int, high: int) -> Check:
    def accept(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError
        return value

    return Check(f"a whole number from {low} to {high}", accept, int)


def _number(low: float, high: float) -> Check:
    def accept(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError
        return float(value)

    return Check(f"a number from {low:g} to {high:g}", accept, float)


def _boolean() -> Check:
    def accept(value: object) -> bool:
        if not isinstance(value, bool):
            raise TypeError
        return value

    def parse(text: str) -> bool:
        word = text.strip().lower()
        _refuse_unless(word in _YES + _NO)
        return word in _YES

    return Check("true or false", accept, parse, ("true", "false"))


def _choice(*choices: str) -> Check:
    def accept(value: object) -> str:
        _refuse_unless(isinstance(value, str) and value.lower() in choices)
        return str(value).lower()

    return Check("one of " + ", ".join(choices), accept, str, choices)


def _text(allowed: str, fits: Callable[[str], bool]) -> Check:
    def accept(value: object) -> str:
        if not isinstance(value, str) or not fits(value):
            raise ValueError
        return value

    return Check(allowed, accept, str)


def _path() -> Check:
    def accept(value: object) -> str:
        if not isinstance(value, str) or "\0" in value:
            raise ValueError
        path = os.path.expanduser(value)
        _refuse_unless(path == "" or os.path.isabs(path))
        return path

    return Check('an absolute path, or "" for the default', accept, str)


def _parse_texts(text: str) -> list[object]:
    """Return a list written in TOML (`["a", "b"]`), or words with commas between (`a, b`)."""
    if text.lstrip().startswith("["):
        return list(tomllib.loads(f"value = {text}")["value"])
    return [word.strip() for word in text.split(",") if word.strip()]


def _texts(allowed: str, fits: Callable[[str], bool], change: Callable[[str], str] = str) -> Check:
    def accept(value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise TypeError
        texts = tuple(change(text) for text in value if isinstance(text, str))
        _refuse_unless(len(texts) == len(value) and all(fits(text) for text in texts))
        return tuple(dict.fromkeys(texts))

    return Check(allowed, accept, _parse_texts)


def _extensions(*examples: str) -> Check:
    shown = ", ".join(f'"{example}"' for example in examples)
    return _texts(
        f"a list of extensions without dot, such as [{shown}]",
        lambda text: _EXTENSION.fullmatch(text) is not None,
        lambda text: text.lower().removeprefix("."),
    )


def _keys() -> Check:
    def accept(value: object) -> dict[str, str]:
        if not isinstance(value, dict):
            raise TypeError
        _refuse_unless(all(isinstance(key, str) and key.strip() for key in value.values()))
        return dict(value)

    def parse(text: str) -> dict[str, object]:
        return dict(tomllib.loads(f"value = {text}")["value"])

    return Check('a table of actions and keys, such as { "library.search" = "f" }', accept, parse)


def _is_date_format(text: str) -> bool:
    try:
        return "%" in text and len(datetime(2000, 12, 31, 23, 59).strftime(text)) <= 40  # noqa: DTZ001  # only its length counts
    except ValueError:
        return False


CHECKS: Mapping[str, Check] = {
    "library.path": _path(),
    "library.write_batch_size": _integer(1, 10_000),
    "library.write_batch_ms": _integer(10, 10_000),
    "scan.max_workers": _integer(0, 32),
    "scan.low_memory_mb": _integer(0, 1_000_000),
    "scan.ignore": _texts(
        "a list of patterns as in .gitignore", lambda text: text.strip() != "" and "\n" not in text
    ),
    "scan.hidden": _boolean(),
    "scan.follow_symlinks": _boolean(),
    "scan.one_file_system": _boolean(),
    "scan.fingerprint": _choice("auto", "full", "off"),
    "scan.missing_limit": _number(0, 1),
    "scan.rescan": _choice("changed", "metadata", "everything"),
    "scan.sidecars": _extensions("xmp", "aae"),
    **{f"scan.extensions.{kind}": _extensions("jpg", "png") for kind in Kind},
    "exiftool.path": _path(),
    "exiftool.timeout": _number(1, 86_400),
    "exiftool.cpu_seconds": _number(1, 3_600),
    "exiftool.recycle_mb": _integer(50, 100_000),
    "exiftool.memory_mb": _integer(200, 100_000),
    "interface.refresh_ms": _integer(250, 60_000),
    "interface.theme": _text("the name of a theme", lambda text: text.strip() != ""),
    "interface.columns": _texts(
        "a list of " + ", ".join(FILE_COLUMNS) + " or fields of the metadata",
        lambda text: text in FILE_COLUMNS or text in HOT_FIELDS,
    ),
    "interface.date_format": _text("a pattern as of strftime(3), such as %Y-%m-%d %H:%M", _is_date_format),
    "interface.notify": _boolean(),
    "interface.keys": _keys(),
    "logging.enabled": _boolean(),
    "logging.level": _choice(*LEVELS),
    "logging.terminal": _boolean(),
    "logging.file": _boolean(),
    "logging.path": _path(),
    "logging.max_mb": _integer(1, 10_000),
    "logging.keep": _integer(0, 100),
}
"""Every option by its dotted name, in the order of `config.toml`."""

SECTIONS = frozenset(name.rpartition(".")[0] for name in CHECKS)
"""The tables of the file: `scan`, `scan.extensions` …"""


def flatten(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the dotted name and the value of every option in a parsed file, known or not."""
    for key, value in table.items():
        name = prefix + (f'"{key}"' if "." in key else key)
        if isinstance(value, dict) and value and name not in CHECKS:
            yield from flatten(value, f"{name}.")
        elif not (value == {} and name in SECTIONS):
            yield name, value


def similar(name: str) -> str:
    """Return the option whose name is nearest to `name`, or "" when none is near."""
    short = {option.rpartition(".")[2]: option for option in CHECKS}
    if name in short:
        return short[name]
    near = get_close_matches(name, CHECKS, n=1, cutoff=0.7)
    if near:
        return near[0]
    near = get_close_matches(name.rpartition(".")[2], short, n=1, cutoff=0.75)
    return short[near[0]] if near else ""
