"""What commands write: JSON that is valid and cannot be obeyed by a terminal, columns for pipes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.commands.output import Column, TableWriter, counted, to_json, write_facts, write_json, write_table

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_json_is_one_printable_line_that_reads_back_the_same(value: object) -> None:
    text = to_json(value)
    assert json.loads(text) == value
    assert text.isprintable()


def test_json_keeps_letters_and_escapes_what_a_terminal_obeys() -> None:
    assert to_json("Björk 東京 \x1b\x9b\x7f\u202e\u2028\U000e0041") == (
        '"Björk 東京 \\u001b\\u009b\\u007f\\u202e\\u2028\\udb40\\udc41"'
    )
    assert to_json("\udce9") == '"\\udce9"'


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_json_writes_numbers_that_it_does_not_know_as_text(number: float) -> None:
    assert json.loads(to_json({"a": [number, {"b": number}], "c": 1.5})) == {
        "a": [str(number), {"b": str(number)}],
        "c": 1.5,
    }


def test_json_lines_are_utf_8_whatever_the_locale(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_json({"name": "東京"}, flush=True)
    assert capfdbinary.readouterr().out == '{"name": "東京"}\n'.encode()


def test_in_a_pipe_columns_are_separated_by_tabs_without_header(capsys: pytest.CaptureFixture[str]) -> None:
    write_table([Column("Id", right=True), Column("Path")], [("1", b"/a\tb\n\xff"), ("1,000", "\x1b[31m")])
    assert capsys.readouterr().out == "1\t/a\\tb\\n\\xff\n1,000\t\\x1b[31m\n"


def test_rows_are_written_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    with TableWriter(Column("Path")) as table:
        table.add(["/a"])
        assert capsys.readouterr().out == "/a\n"


def test_facts_are_aligned_and_empty_groups_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    write_facts("Camera", [("Lens", "50 mm"), ("Keywords", "sea\nsand \x1b")])
    write_facts("Nothing", [])
    assert capsys.readouterr().out == "Camera\n  Lens      50 mm\n  Keywords  sea\n            sand \\x1b\n"


def test_counted() -> None:
    assert [counted(number, "file") for number in (0, 1, 1204)] == ["0 files", "1 file", "1,204 files"]
