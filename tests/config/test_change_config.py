"""Changing the configuration: what is written, what is kept, and what a refused change leaves alone."""

from __future__ import annotations

import os
import stat
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tui.config import list_options, load_config, option_values, set_option, unset_option
from tui.errors import UsageError
from tui.options import CHECKS

if TYPE_CHECKING:
    from pathlib import Path


def content(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "config.toml"


def test_setting_writes_only_what_was_set(path: Path) -> None:
    config = set_option(str(path), "scan.max_workers", "4")
    assert config.scan.max_workers == 4
    assert content(path) == {"scan": {"max_workers": 4}}
    assert load_config(str(path)) == config


def test_the_file_is_private_and_nothing_else_is_left(path: Path) -> None:
    set_option(str(path), "scan.hidden", "yes")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["config.toml"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("scan.hidden", "on", True),
        ("scan.hidden", "False", False),
        ("scan.missing_limit", "0.5", 0.5),
        ("exiftool.timeout", "30", 30.0),
        ("scan.fingerprint", "FULL", "full"),
        ("scan.ignore", "*.tmp, cache/", ["*.tmp", "cache/"]),
        ("scan.ignore", '["a, b", "c"]', ["a, b", "c"]),
        ("scan.ignore", "[]", []),
        ("scan.extensions.raw", "DNG, .nef", ["dng", "nef"]),
        ("interface.columns", "name,size", ["name", "size"]),
        ("interface.theme", "nord", "nord"),
        ("interface.keys", '{ "app.quit" = "Q" }', {"app.quit": "Q"}),
    ],
)
def test_text_becomes_the_value_of_its_option(path: Path, name: str, text: str, value: object) -> None:
    assert option_values(set_option(str(path), name, text))[name] == value
    assert option_values(load_config(str(path)))[name] == value


def test_the_key_of_one_action_is_set_and_taken_back(path: Path) -> None:
    config = set_option(str(path), "interface.keys.scan.start", "S,f5")
    assert config.interface.keys == {"scan.start": "S,f5"}
    assert set_option(str(path), "interface.keys.help", "h").interface.keys == {
        "scan.start": "S,f5",
        "help": "h",
    }
    unset_option(str(path), "interface.keys.scan.start")
    assert content(path) == {"interface": {"keys": {"help": "h"}}}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("scan.max_workers", "many", "scan.max_workers = 'many': must be a whole number from 0 to 32"),
        ("scan.max_workers", "99", "scan.max_workers = 99: must be"),
        ("scan.hidden", "perhaps", "must be true or false"),
        ("scan.ignore", "[1, 2]", "must be a list of patterns"),
        ("scan.ignore", '["a"', "must be a list of patterns"),
        ("scan.worker", "1", "there is no option scan.worker"),
        ("scan", "1", "there is no option scan"),
        ("interface.keys", "Q", "must be a table of actions"),
        ("interface.keys.", "Q", "there is no option"),
    ],
)
def test_a_refused_change_leaves_the_file_as_it_was(path: Path, name: str, text: str, told: str) -> None:
    set_option(str(path), "scan.hidden", "true")
    before = (path.read_bytes(), path.stat().st_ino)
    with pytest.raises(UsageError) as caught:
        set_option(str(path), name, text)
    assert told in caught.value.message
    assert (path.read_bytes(), path.stat().st_ino) == before


def test_unsetting_restores_the_default_and_removes_empty_tables(path: Path) -> None:
    set_option(str(path), "scan.extensions.raw", "dng")
    set_option(str(path), "scan.hidden", "true")
    assert b"nef" in unset_option(str(path), "scan.extensions.raw").scan.kind_by_extension
    assert content(path) == {"scan": {"hidden": True}}
    unset_option(str(path), "scan.hidden")
    assert content(path) == {}
    assert unset_option(str(path), "scan.hidden") == load_config(str(path))


def test_unsetting_without_a_file_makes_none(path: Path) -> None:
    unset_option(str(path), "scan.hidden")
    assert not path.exists()


def test_a_wrong_option_in_the_file_can_be_mended_by_command(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("[scan]\nmax_workers = 99\n[scam]\nhidden = true\n", encoding="utf-8")
    with pytest.raises(UsageError):
        set_option(str(path), "scan.hidden", "true")
    path.write_text("[scan]\nmax_workers = 99\n", encoding="utf-8")
    assert set_option(str(path), "scan.max_workers", "9").scan.max_workers == 9
    path.write_text("[scam]\nhidden = true\n", encoding="utf-8")
    unset_option(str(path), "scam.hidden")
    assert content(path) == {}


def test_a_link_to_a_file_elsewhere_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "yapmo.toml").write_text("[scan]\nhidden = true\n", encoding="utf-8")
    (tmp_path / "config.toml").symlink_to("dotfiles/yapmo.toml")
    set_option(str(tmp_path / "config.toml"), "scan.max_workers", "2")
    assert (tmp_path / "config.toml").is_symlink()
    assert content(tmp_path / "dotfiles" / "yapmo.toml") == {"scan": {"hidden": True, "max_workers": 2}}


def test_a_file_that_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="Cannot write the configuration"):
        set_option(str(tmp_path / "file" / "config.toml"), "scan.hidden", "true")
    assert os.listdir(tmp_path) == ["file"]


def test_options_say_what_is_overridden(path: Path) -> None:
    options = {option.name: option for option in list_options(set_option(str(path), "scan.max_workers", "4"))}
    assert list(options) == list(CHECKS)
    assert (options["scan.max_workers"].value, options["scan.max_workers"].default) == (4, 0)
    assert [option.name for option in options.values() if option.overridden] == ["scan.max_workers"]
