"""From one foreign value to one of ours: numbers within a range, bounded text, lists of words, stars.

Values are what JSON can hold, and hostile: every function takes anything, raises nothing, and says None for what it
cannot use. The numbers that ExifTool prints may come as numbers or, so that nothing is lost on the way, as text.
"""

from __future__ import annotations

import re
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SHORT_TEXT = 1_000
"""Most characters of a title or name."""

LONG_TEXT = 65_536
"""Most characters of a description."""

MOST_WORDS = 1_000
"""Most keywords, or people, of one file."""

_LARGEST = 1 << 63
_NUMBER_LENGTH = 40
_SAFE_DIGITS = 15  # of an integer that a float holds exactly
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_PLACEHOLDERS = ("(Binary data ", "(binary, ")  # what exiftool and the tag worker say instead of bytes
_NUMBER_FIRST = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]+)?(?=[\s/,;])")
_YEAR = re.compile(r"(?<![0-9])([0-9]{4})(?:[0-9]{4})?(?![0-9])")


def read_number(value: object) -> float | None:
    """Return `value` as a finite number; of a list, or of text such as `100 200` or `3/12`, the first number."""
    if isinstance(value, str):
        try:
            number = float(value) if len(value) <= _NUMBER_LENGTH else None
        except ValueError:
            number = None
        if number is None:
            match = _NUMBER_FIRST.match(value[:_NUMBER_LENGTH].lstrip())
            number = float(match.group()) if match else None
        return number if number is not None and -_LARGEST < number < _LARGEST else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if -_LARGEST < value < _LARGEST else None
    if isinstance(value, list) and value and not isinstance(value[0], list):
        return read_number(value[0])
    return None


def read_positive(value: object, highest: float, digits: int = 9) -> float | None:
    """Return the number in `value` rounded to `digits` decimals if it lies above 0 and not above `highest`."""
    number = read_number(value)
    if number is None or not 0 < number <= highest:
        return None
    return round(float(number), digits) or None


def read_integer(value: object, lowest: int, highest: int) -> int | None:
    """Return the number in `value` rounded to an integer if it lies from `lowest` to `highest`."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) <= _SAFE_DIGITS:
        plain = int(value)
        return plain if lowest <= plain <= highest else None
    number = read_number(value)
    if number is None or not lowest <= number <= highest:
        return None
    whole = int(number)
    return whole if whole == number else min(floor(number + 0.5), highest)


def first_positive(
    tags: Mapping[str, object], names: Sequence[str], highest: float, digits: int = 9
) -> float | None:
    """Return the first usable number above 0 among the tags of `names`, in that order."""
    for name in names:
        if name in tags and (number := read_positive(tags[name], highest, digits)) is not None:
            return number
    return None


def first_integer(tags: Mapping[str, object], names: Sequence[str], lowest: int, highest: int) -> int | None:
    """Return the first usable integer from `lowest` to `highest` among the tags of `names`, in that order."""
    for name in names:
        if name in tags and (number := read_integer(tags[name], lowest, highest)) is not None:
            return number
    return None


def read_text(value: object, limit: int = SHORT_TEXT) -> str | None:
    """Return `value` as text without white space around it, `limit` characters at most; None if nothing is left.

    NUL goes, lone surrogates become the replacement character, everything else stays: control characters are the
    business of `display`. Of a list the first usable text counts.
    """
    if isinstance(value, str):
        text = value.strip() if len(value) <= limit else value[: 2 * limit].strip()[:limit].rstrip()
        if not text.isprintable():
            text = _NOT_TEXT.sub(_replace, text).strip()
        return None if not text or (text[0] == "(" and text.startswith(_PLACEHOLDERS)) else text
    if isinstance(value, list):
        return next((found for item in value[:MOST_WORDS] if (found := _plain_text(item, limit))), None)
    return _plain_text(value, limit)


def _plain_text(value: object, limit: int) -> str | None:
    """Return the text of a value that is no list; numbers as JSON writes them."""
    if isinstance(value, str):
        return read_text(value, limit)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and -_LARGEST < value < _LARGEST:
        return str(value)
    return None


def _replace(match: re.Match[str]) -> str:
    return "" if match.group() == "\x00" else "\ufffd"


def first_text(tags: Mapping[str, object], names: Sequence[str], limit: int = SHORT_TEXT) -> str | None:
    """Return the first usable text among the tags of `names`, in that order."""
    for name in names:
        if name in tags and (text := read_text(tags[name], limit)) is not None:
            return text
    return None


def read_texts(value: object, limit: int = SHORT_TEXT) -> list[str]:
    """Return every usable text in `value`, a list or a single value, `limit` characters of each at most."""
    items = value[:MOST_WORDS] if isinstance(value, list) else (value,)
    return [text for item in items if (text := _plain_text(item, limit)) is not None]


def join_texts(value: object) -> str | None:
    """Return the texts in `value` joined with `; `, each once; None when there is none."""
    return "; ".join(unique(read_texts(value)))[:SHORT_TEXT].strip() or None


def first_joined(tags: Mapping[str, object], names: Sequence[str]) -> str | None:
    """Return the texts of the first tag of `names` that has any, joined with `; `."""
    for name in names:
        if name in tags and (text := join_texts(tags[name])) is not None:
            return text
    return None


def unique(texts: Iterable[str]) -> tuple[str, ...]:
    """Return `texts` without repetitions, whatever their case; the first way of writing stays."""
    seen: dict[str, str] = {}
    for text in texts:
        seen.setdefault(text.casefold(), text)
    return tuple(seen.values())[:MOST_WORDS]


def read_year(value: object) -> int | None:
    """Return the year in a date of any form (`2019-07-03`, `Oct 3, 1995`, `20190703`)."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, str):
        match = _YEAR.search(value[:_NUMBER_LENGTH])
        return int(match[1]) or None if match else None
    return read_integer(value, 1, 9999)


def stars_from_percent(value: object) -> int | None:
    """Return 0 to 5 stars for a rating of 0 to 100.

    The steps are those of Windows (1, 25, 50, 75, 99) with the middle between them as the border. Source: Microsoft,
    "System.Rating".
    """
    percent = read_number(value)
    if percent is None or not 0 <= percent <= 100:
        return None
    return 0 if percent == 0 else 1 + sum(percent >= border for border in (13, 38, 63, 87))


def stars_from_popularimeter(value: object) -> int | None:
    """Return 1 to 5 stars for a rating of 1 to 255; 0 means unknown.

    The steps are those of Windows Media Player (1, 64, 128, 196, 255) with the middle between them as the border.
    Source: ID3v2.4.0, "Popularimeter".
    """
    points = read_number(value)
    if points is None or not 1 <= points <= 255:
        return None
    return 1 + sum(points >= border for border in (32, 96, 162, 226))
