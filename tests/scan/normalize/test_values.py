"""Single values: what counts as a number, a text, a year, stars."""

from __future__ import annotations

import pytest

from tui.scan.normalize.values import (
    MOST_WORDS,
    SHORT_TEXT,
    join_texts,
    read_integer,
    read_number,
    read_positive,
    read_text,
    read_texts,
    read_year,
    stars_from_percent,
    stars_from_popularimeter,
    unique,
)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5.6, 5.6),
        (400, 400),
        ("400", 400),
        ("0.004", 0.004),
        ("3.1e-05", 0.000031),
        ("100 200", 100),
        ("3/12", 3),
        ("3 of 12", 3),
        ([800, 1600], 800),
        (["800"], 800),
        ("-5 -5", -5),
        (" 7 ", 7),
        ("007", 7),
        ("", None),
        ("undef", None),
        ("inf", None),
        ("nan", None),
        ("1e999", None),
        (float("inf"), None),
        (float("nan"), None),
        pytest.param(10**400, None, id="huge"),
        (True, None),
        (None, None),
        ([], None),
        ([[1]], None),
        ({"a": 1}, None),
        ("2019:07:03", None),
        ("12abc", None),
        ("9" * 60 + " 1", None),
        ("٣", 3),
    ],
)
def test_number(value: object, number: float | None) -> None:
    assert read_number(value) == number


def test_positive_numbers_lie_above_0_and_are_rounded() -> None:
    assert read_positive("5.59591869015324", 100, digits=2) == 5.6
    assert read_positive("0", 100) is None
    assert read_positive("-1", 100) is None
    assert read_positive("101", 100) is None
    assert read_positive("0.0001", 100, digits=2) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("3.9", 4),
        ("2.5", 3),
        (-5, -5),
        ("-4.8", -5),
        ("-5.2", None),
        (6, None),
        (-6, None),
        ("5.4", None),
        (5.0, 5),
    ],
)
def test_integer_is_rounded_and_within_its_range(value: object, number: int | None) -> None:
    assert read_integer(value, -5, 5) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  Lisbon \n", "Lisbon"),
        ("a\x00b\x00", "ab"),
        ("\x00 \x00", None),
        ("a\ud800b", "a\ufffdb"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("two\nlines", "two\nlines"),
        ("   ", None),
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        (float("inf"), None),
        pytest.param(10**5000, None, id="huge"),
        (["", "second"], "second"),
        ([], None),
        ({"en": "x"}, None),
        (None, None),
        ("(Binary data 114 bytes, use -b option to extract)", None),
        ("(binary, 12 bytes)", None),
        ("(sic)", "(sic)"),
    ],
)
def test_text(value: object, text: str | None) -> None:
    assert read_text(value) == text


def test_text_is_bounded() -> None:
    assert read_text("x" * 50_000_000) == "x" * SHORT_TEXT
    assert read_text("x" * 20 + " tail", 21) == "x" * 20
    assert join_texts(["x" * 900, "y" * 900]) == "x" * 900 + "; " + "y" * 98
    assert len(read_texts(["x"] * 100_000)) == MOST_WORDS


def test_words_are_unique_whatever_their_case() -> None:
    assert unique(["Beach", "beach", "BEACH", "sea"]) == ("Beach", "sea")
    assert join_texts(["A", "B", "a"]) == "A; B"


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ("2019-07-03", 2019),
        ("20190703", 2019),
        ("Oct 3, 1995", 1995),
        ("03/07/2019", 2019),
        (2001, 2001),
        ("2001", 2001),
        (["1987", "1990"], 1987),
        ("0000", None),
        ("0211", 211),
        ("", None),
        ("12345", None),
        ([], None),
        (-1, None),
        ("x" * 100 + " 2019", None),
    ],
)
def test_year(value: object, year: int | None) -> None:
    assert read_year(value) == year


@pytest.mark.parametrize(
    ("percent", "stars"),
    [
        (0, 0),
        (1, 1),
        (20, 2),
        (25, 2),
        (40, 3),
        (50, 3),
        (75, 4),
        (80, 4),
        (99, 5),
        (100, 5),
        (101, None),
        (-1, None),
    ],
)
def test_stars_from_percent(percent: int, stars: int | None) -> None:
    assert stars_from_percent(percent) == stars


@pytest.mark.parametrize(
    ("points", "stars"),
    [(0, None), (1, 1), (64, 2), (128, 3), (196, 4), (255, 5), (256, None), ("x", None)],
)
def test_stars_from_popularimeter(points: object, stars: int | None) -> None:
    assert stars_from_popularimeter(points) == stars
