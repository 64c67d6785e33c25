"""Columns: what they say of a file, how they share a width, and how text is cut."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.screens.file_views import make_row
from tui.config import default_config
from tui.display import display
from tui.field_text import (
    camera_name,
    format_exposure,
    format_local,
    format_offset,
    format_position,
    format_rating,
    format_scaled,
    short_path,
)
from tui.library.query_fields import SORTABLE
from tui.records import HOT_FIELDS, FileState, StageState
from tui.widgets.file_columns import COLUMNS, GAP, Column, columns_by_name, fit_columns, fit_text, state_sign

DATES = "%Y-%m-%d %H:%M"


@given(st.text(max_size=60), st.integers(0, 50), st.sampled_from(["end", "middle", "start"]))
def test_text_is_cut_to_exactly_the_width_whatever_it_is(text: str, width: int, cut: str) -> None:
    fitted = fit_text(display(text), width, cut=cut)  # type: ignore[arg-type]  # sampled_from knows no Literal
    assert cell_len(fitted) == width


def test_a_name_loses_its_middle_and_a_path_its_start() -> None:
    assert fit_text("IMG_20190703_182211.CR2", 15, cut="middle") == "IMG_201…211.CR2"
    assert fit_text("/srv/photos/2019/07 Lisbon", 12, cut="start") == "…9/07 Lisbon"
    assert fit_text("a long title", 7) == "a long…"
    assert fit_text("7", 4, align="right") == "   7"


def test_a_wide_character_is_never_halved() -> None:
    assert fit_text("日本語の写真", 5) == "日本…"
    assert fit_text("日本語の写真", 6) == "日本 …"
    assert fit_text("日本語の写真.jpg", 10, cut="middle") == "日本 ….jpg"


def test_the_default_columns_fit_80_and_120_cells() -> None:
    columns = columns_by_name(default_config().interface.columns)
    for width in (76, 116):
        fitted = fit_columns(columns, width)
        assert [shown.column for shown in fitted] == list(columns)
        assert fitted[-1].x + fitted[-1].width <= width


@given(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, unique=True), st.integers(1, 250))
def test_columns_never_overlap_nor_run_over(names: list[str], width: int) -> None:
    fitted = fit_columns(columns_by_name(names), width)
    end = -GAP
    for shown in fitted:
        assert shown.x == end + GAP
        assert shown.width >= min(shown.column.least, width)
        end = shown.x + shown.width
    assert end <= width


def test_the_least_important_columns_give_way_and_the_name_stays() -> None:
    columns = columns_by_name(["rating", "name", "taken", "size", "codec"])
    assert [shown.column.name for shown in fit_columns(columns, 56)] == ["rating", "name", "taken", "size"]
    assert [shown.column.name for shown in fit_columns(columns, 40)] == ["name", "taken"]
    assert [(shown.column.name, shown.width) for shown in fit_columns(columns, 5)] == [("name", 5)]


def test_every_field_of_the_metadata_has_a_column() -> None:
    assert set(HOT_FIELDS) <= set(COLUMNS)
    assert {
        "name",
        "folder",
        "path",
        "extension",
        "kind",
        "size",
        "modified",
        "state",
        "camera",
        "dimensions",
    } <= set(COLUMNS)


@pytest.mark.parametrize(
    "column", [column for column in COLUMNS.values() if column.sort], ids=lambda c: c.name
)
def test_a_title_has_room_for_the_sign_of_the_order(column: Column) -> None:
    assert column.least >= cell_len(column.title) + 2


def test_columns_sort_by_fields_of_the_query_language() -> None:
    assert {column.sort for column in COLUMNS.values()} <= set(SORTABLE)
    assert COLUMNS["position"].sort == "lat"


def test_unknown_columns_are_left_out_and_one_is_always_there() -> None:
    assert [column.name for column in columns_by_name(["size", "nonsense", "size"])] == ["size"]
    assert [column.name for column in columns_by_name([])] == ["name"]


def test_cells_say_what_people_read() -> None:
    row = make_row(
        7,
        duration_ms=3_723_000, width=6720, height=4480, rating=4, latitude=38.7223, longitude=-9.1393,
        exposure=0.004, f_number=2.8, bit_rate=320_000, sample_rate=44_100, utc_offset=-210, focal_length=50.0,
    )  # fmt: skip
    said = {name: COLUMNS[name].text(row, DATES) for name in COLUMNS}
    assert said["name"] == "IMG_0000007.CR2"
    assert said["folder"] == "/srv/photos/2019"
    assert said["extension"] == "cr2"
    assert said["taken"] == "2019-07-03 18:22"
    assert said["camera"] == "Canon EOS 5D Mark IV"
    assert said["size"] == "30.0 MB"
    assert said["duration"] == "1:02:03"
    assert said["dimensions"] == "6720×4480"
    assert said["rating"] == "★★★★"
    assert said["position"] == "38.7223° N 9.1393° W"
    assert said["exposure"] == "1/250 s"
    assert said["f_number"] == "f/2.8"
    assert said["focal_length"] == "50 mm"
    assert said["bit_rate"] == "320 kb/s"
    assert said["sample_rate"] == "44.1 kHz"
    assert said["utc_offset"] == "-03:30"
    assert said["lens"] == ""
    assert said["modified"] == "2019-07-03 18:22"


@pytest.mark.parametrize("exposure", [1e-320, float("nan"), "half a second", float("inf")])
def test_a_value_that_makes_no_sense_does_not_stop_the_table(exposure: object) -> None:
    assert COLUMNS["exposure"].text(make_row(1, exposure=exposure), DATES) in {
        "?",
        "nan s",
        "inf s",
        "9.99989e-321 s",
    }


def test_a_date_that_is_only_the_time_of_the_file_is_marked() -> None:
    assert COLUMNS["taken"].text(make_row(1, date_source="File:FileModifyDate"), DATES) == "~2019-07-03 18:22"
    assert COLUMNS["taken"].text(make_row(1, date_source="File:FileName"), DATES) == "2019-07-03 18:22"
    assert COLUMNS["taken"].least >= len("~2019-07-03 18:22")


def test_columns_of_dates_are_as_wide_as_their_pattern() -> None:
    (taken, modified) = columns_by_name(["taken", "modified"], "%A, %d %B %Y %H:%M")
    assert taken.least == modified.least == len("~Wednesday, 26 September 2029 22:58")
    (taken,) = columns_by_name(["taken"], "%y")
    assert taken.least == len("Taken ▼")


def test_hostile_names_are_shown_escaped() -> None:
    row = make_row(1, b"a\x1b]52;c;eA==\x07\n\xff[/]\xe2\x80\xae.jpg", title="x\x9b31my")
    assert COLUMNS["name"].text(row, DATES) == r"a\x1b]52;c;eA==\x07\n\xff[/]\u202e.jpg"
    assert COLUMNS["title"].text(row, DATES) == r"x\x9b31my"


def test_the_state_of_a_file_is_a_sign() -> None:
    row = make_row(1)
    assert state_sign(row) == " "
    assert state_sign(replace(row, metadata_state=StageState.PENDING)) == "…"
    assert state_sign(replace(row, metadata_state=StageState.FAILED)) == "!"
    assert state_sign(replace(row, metadata_state=StageState.FAILED, state=FileState.MISSING)) == "×"


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("EASTMAN KODAK COMPANY", "KODAK DX6490", "KODAK DX6490"),
        ("SONY", "ILCE-7M3", "SONY ILCE-7M3"),
        ("OLYMPUS IMAGING CORP.", "E-M1", "OLYMPUS E-M1"),
        (None, "X100", "X100"),
        ("Leica", None, "Leica"),
        ("  ", "M9", "M9"),
        ("Apple", " ", "Apple  "),
        (None, None, None),
    ],
)
def test_cameras_are_named_once(make: str | None, model: str | None, name: str | None) -> None:
    assert camera_name(make, model) == name


def test_values_that_are_not_known_stay_so() -> None:
    assert [
        form(None) for form in (format_exposure, format_offset, format_rating)
    ] == [None, None, None]  # fmt: skip
    assert format_position(1.0, None) is None
    assert format_scaled(None, "mm") is None


def test_single_values() -> None:
    assert format_local("2019-07-03T18:22:11.250", "%d.%m.%Y") == "03.07.2019"
    assert format_local("about 1950", DATES) == "about 1950"
    assert [format_exposure(seconds) for seconds in (0.8, 30, 0)] == ["0.8 s", "30 s", "0 s"]
    assert [format_rating(rating) for rating in (0, 5, 9)] == ["-", "★★★★★", "★★★★★"]
    assert format_offset(120) == "+02:00"
    assert format_scaled(12_345_000, "kb/s", 1000) == "12345 kb/s"
    assert short_path(os.fsencode(os.environ["HOME"]) + b"/x") == "~/x"
    assert short_path(os.fsencode(os.environ["HOME"]) + b"x/y") == os.environ["HOME"] + "x/y"
