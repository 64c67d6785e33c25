"""`yapmo roots`: list, name, forget."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.commands.conftest import Catalogue, Yapmo


def test_roots_are_listed_with_their_counts_and_last_scan(yapmo: Yapmo, catalogue: Catalogue) -> None:
    [root] = yapmo("roots", "--json", *catalogue.option).objects
    assert (root["path"], root["label"], root["files"], root["missing"]) == (
        str(catalogue.media),
        "media",
        7,
        0,
    )
    assert root["last_scan"]["state"] == "completed"
    started, finished = (
        datetime.fromisoformat(root["last_scan"][name]) for name in ("started_at", "finished_at")
    )
    assert started < finished
    [row] = yapmo("roots", *catalogue.option).rows
    assert (row[1], row[2], row[-1]) == ("media", "7", str(catalogue.media))
    assert row[6].endswith("completed")


@pytest.mark.parametrize("which", ["{path}", "{path}/", "media", "1"])
def test_a_root_is_named_by_path_label_or_id(yapmo: Yapmo, catalogue: Catalogue, which: str) -> None:
    chosen = which.format(path=catalogue.media)
    outcome = yapmo("roots", "label", *catalogue.option, chosen, " Family\x1b[2J ")
    assert outcome.code == 0
    assert "\x1b" not in outcome.stdout.decode()
    assert yapmo("roots", "--json", *catalogue.option).objects[0]["label"] == "Family\x1b[2J"
    assert len(yapmo("search", *catalogue.option, "family").lines) == 7


def test_an_unknown_root_and_an_empty_label_are_refused(yapmo: Yapmo, catalogue: Catalogue) -> None:
    unknown = yapmo("roots", "label", *catalogue.option, "/nowhere", "x")
    assert unknown.code == 2
    assert "`yapmo roots` lists" in unknown.stderr
    assert yapmo("roots", "label", *catalogue.option, "media", "  ").code == 2
    assert yapmo("roots", "--json", *catalogue.option).objects[0]["label"] == "media"


def test_forgetting_takes_the_files_out_of_the_library_and_leaves_the_disk(
    yapmo: Yapmo, catalogue: Catalogue
) -> None:
    before = sorted(os.listdir(catalogue.media))
    outcome = yapmo("roots", "--library", str(catalogue.library), "forget", "media", "--yes")
    assert outcome.code == 0
    assert "7 files" in outcome.stdout.decode()
    assert yapmo("search", "--count", *catalogue.option).lines == ["0"]
    empty = yapmo("roots", *catalogue.option)
    assert (empty.code, empty.stdout) == (0, b"")
    assert "yapmo scan PATH" in empty.stderr
    assert sorted(os.listdir(catalogue.media)) == before


def test_changes_tell_their_outcome_as_json(yapmo: Yapmo, catalogue: Catalogue) -> None:
    path = str(catalogue.media)
    labelled = yapmo("roots", "label", "--json", *catalogue.option, "media", "Family")
    assert labelled.objects == [{"event": "labelled", "id": 1, "path": path, "label": "Family"}]
    forgotten = yapmo("--json", *catalogue.option, "roots", "forget", "Family", "--yes")
    assert forgotten.objects == [{"event": "forgotten", "id": 1, "path": path, "files": 7}]


def test_nothing_is_forgotten_when_nobody_can_be_asked(
    yapmo: Yapmo, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull, encoding="utf-8") as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        outcome = yapmo("roots", "forget", *catalogue.option, "media")
    assert outcome.code == 2
    assert "--yes" in outcome.stderr
    assert yapmo("search", "--count", *catalogue.option).lines == ["7"]


def test_the_disk_of_a_root_is_set_and_guessed_again(yapmo: Yapmo, catalogue: Catalogue) -> None:
    [root] = yapmo("roots", "--json", *catalogue.option).objects
    assert (root["disk"] in {"ssd", "hdd", "network"}, root["disk_is_guessed"]) == (True, True)
    guess = root["disk"]
    other = "hdd" if guess != "hdd" else "network"
    outcome = yapmo("roots", "set", *catalogue.option, "media", "--disk", other, "--label", "Old photos")
    assert outcome.stdout.decode() == f"{catalogue.media}: Old photos, disk {other}\n"
    [root] = yapmo("roots", "--json", *catalogue.option).objects
    assert (root["disk"], root["disk_is_guessed"], root["label"]) == (other, False, "Old photos")
    [row] = yapmo("roots", *catalogue.option).rows
    assert row[5] == other
    [event] = yapmo("roots", "set", "--json", *catalogue.option, "1", "--disk", "auto").objects
    assert (event["event"], event["disk"], event["disk_is_guessed"]) == ("set", guess, True)


def test_what_cannot_be_set_is_refused(yapmo: Yapmo, catalogue: Catalogue) -> None:
    for arguments in (("--disk", "floppy"), (), ("--label", " ")):
        assert yapmo("roots", "set", *catalogue.option, "media", *arguments).code == 2
    assert yapmo("roots", "--json", *catalogue.option).objects[0]["label"] == "media"


def test_a_root_that_is_away_is_offline_and_its_files_stay(yapmo: Yapmo, catalogue: Catalogue) -> None:
    beach = catalogue.path("2019/beach.jpg")
    assert yapmo("search", "--count", *catalogue.option, "offline:yes").lines == ["0"]
    away = catalogue.media.with_name("unplugged")
    catalogue.media.rename(away)
    try:
        [root] = yapmo("roots", "--json", *catalogue.option).objects
        assert root["offline_since"] > root["seen_at"]
        assert (root["files"], root["missing"]) == (7, 0)
        [row] = yapmo("roots", *catalogue.option).rows
        assert row[6].startswith("offline since ")
        assert ", last seen " in row[6]
        assert yapmo("search", "--count", *catalogue.option, "offline:yes").lines == ["7"]
        assert yapmo("search", "--count", *catalogue.option, "offline:no").lines == ["0"]
        assert yapmo("search", *catalogue.option, "beach", "root:media").lines == [beach]
        assert "Offline" in yapmo("show", *catalogue.option, beach).stdout.decode()
        assert yapmo("show", "--json", *catalogue.option, beach).objects[0]["offline_since"]
        [sums] = yapmo("stats", "--json", *catalogue.option).objects
        assert (sums["files"], [item["path"] for item in sums["offline"]]) == (7, [str(catalogue.media)])
        assert "Offline" in yapmo("stats", *catalogue.option).stdout.decode()
        scan = yapmo("scan", "--json", *catalogue.option)
        assert scan.code == 5
        [root] = yapmo("roots", "--json", *catalogue.option).objects
        assert (root["files"], root["missing"]) == (7, 0)
    finally:
        away.rename(catalogue.media)
    [root] = yapmo("roots", "--json", *catalogue.option).objects
    assert root["offline_since"] is None
    assert "Offline" not in yapmo("show", *catalogue.option, beach).stdout.decode()


def test_roots_are_listed_from_a_library_that_cannot_be_written(yapmo: Yapmo, catalogue: Catalogue) -> None:
    os.chmod(catalogue.library, 0o400)
    os.chmod(catalogue.library.parent, 0o500)
    try:
        assert [row[1] for row in yapmo("roots", *catalogue.option).rows] == ["media"]
    finally:
        os.chmod(catalogue.library.parent, 0o700)
