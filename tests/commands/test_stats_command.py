"""`yapmo stats`: sums over the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.commands.conftest import Catalogue, Yapmo


def test_json_counts_files_by_kind_year_camera_and_extension(yapmo: Yapmo, catalogue: Catalogue) -> None:
    [stats] = yapmo("stats", "--json", *catalogue.option).objects
    assert (stats["files"], stats["missing"], stats["folders"], stats["with_position"]) == (7, 0, 2, 1)
    assert {name: group["files"] for name, group in stats["by_kind"].items()} == {"image": 6, "audio": 1}
    assert {name: group["files"] for name, group in stats["by_extension"].items()} == {"jpg": 6, "mp3": 1}
    assert stats["by_camera"]["NIKON D750"]["files"] == 1
    assert (stats["by_year"]["2019"]["files"], stats["by_year"]["2020"]["files"]) == (4, 1)
    assert sum(group["bytes"] for group in stats["by_kind"].values()) == stats["bytes"]
    assert stats["by_kind"]["audio"]["duration_ms"] == stats["duration_ms"] > 400
    assert stats["problems"] == {"metadata": 1}


def test_people_get_the_same_in_groups(yapmo: Yapmo, catalogue: Catalogue) -> None:
    outcome = yapmo("stats", *catalogue.option)
    assert outcome.code == 0
    assert {"Library", "Kinds", "Years", "Cameras", "Extensions"} <= set(outcome.lines)
    assert any(line.split() == ["Problems", "1", "metadata"] for line in outcome.lines)


def test_an_empty_library_is_all_zeros(yapmo: Yapmo, catalogue: Catalogue) -> None:
    assert yapmo("roots", "forget", "--yes", *catalogue.option, str(catalogue.media)).code == 0
    [stats] = yapmo("stats", "--json", *catalogue.option).objects
    assert (stats["files"], stats["bytes"], stats["by_kind"]) == (0, 0, {})
    assert yapmo("stats", *catalogue.option).lines[0] == "Library"
