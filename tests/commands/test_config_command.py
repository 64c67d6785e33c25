"""`yapmo config`: what is in force, from where, and how it is changed."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Yapmo


def test_every_option_is_listed_with_value_and_source(yapmo: Yapmo) -> None:
    outcome = yapmo("config")
    assert outcome.code == 0
    assert ["scan.max_workers", "0", "default", ""] in outcome.rows
    assert len(outcome.lines) == len(yapmo("config", "--json").objects) > 25


def test_json_tells_value_default_source_and_what_is_allowed(yapmo: Yapmo, home: Path) -> None:
    yapmo("config", "set", "scan.max_workers", "4")
    options = {option["option"]: option for option in yapmo("--json", "config").objects}
    workers = options["scan.max_workers"]
    assert (workers["value"], workers["default"]) == (4, 0)
    assert workers["source"] == str(home / "config" / "yapmo" / "config.toml")
    assert "0 to 32" in workers["allowed"]
    assert "core" in workers["description"]
    assert options["scan.hidden"]["source"] == "default"


def test_set_get_unset(yapmo: Yapmo, home: Path) -> None:
    changed = yapmo("config", "set", "interface.columns", "name,taken")
    assert (changed.code, changed.stdout) == (0, b"")
    assert "interface.columns" in changed.stderr
    assert yapmo("config", "get", "interface.columns").lines == ['["name", "taken"]']
    assert yapmo("config", "--changed").rows[0][0] == "interface.columns"
    file = home / "config" / "yapmo" / "config.toml"
    assert tomllib.loads(file.read_text()) == {"interface": {"columns": ["name", "taken"]}}
    assert yapmo("config", "unset", "interface.columns").code == 0
    assert tomllib.loads(file.read_text()) == {}
    assert yapmo("config", "--changed").lines == []


def test_get_prints_text_bare_and_the_rest_as_json(yapmo: Yapmo) -> None:
    assert yapmo("config", "get", "scan.fingerprint").lines == ["auto"]
    assert yapmo("config", "get", "scan.hidden").lines == ["false"]
    assert yapmo("config", "get", "scan.missing_limit").lines == ["0.2"]
    [option] = yapmo("config", "get", "scan.hidden", "--json").objects
    assert option["value"] is False


def test_get_of_a_section_lists_its_options(yapmo: Yapmo) -> None:
    rows = yapmo("config", "get", "scan.extensions").rows
    assert [row[0] for row in rows] == [
        f"scan.extensions.{kind}" for kind in ("image", "raw", "video", "audio")
    ]
    assert '"cr2"' in rows[1][1]
    assert len(yapmo("config", "get", "logging", "--json").objects) == 7


def test_get_of_a_key_of_an_action(yapmo: Yapmo) -> None:
    assert yapmo("config", "set", "interface.keys.app.quit", "x").code == 0
    assert yapmo("config", "get", "interface.keys.app.quit").lines == ["x"]


def test_path_is_where_the_file_lies_or_would_lie(yapmo: Yapmo, home: Path, tmp_path: Path) -> None:
    assert yapmo("config", "path").lines == [str(home / "config" / "yapmo" / "config.toml")]
    other = tmp_path / "other.toml"
    assert yapmo("--config", str(other), "config", "path").lines == [str(other)]


def test_a_config_named_before_the_command_is_the_one_changed(yapmo: Yapmo, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    assert yapmo("config", "--config", str(file), "set", "scan.hidden", "yes").code == 0
    assert tomllib.loads(file.read_text()) == {"scan": {"hidden": True}}


def test_mistakes_name_option_value_and_what_is_allowed(yapmo: Yapmo) -> None:
    unknown = yapmo("config", "get", "scan.max_worker")
    assert (unknown.code, unknown.stdout) == (2, b"")
    assert "scan.max_workers" in unknown.stderr
    value = yapmo("config", "set", "scan.max_workers", "99")
    assert value.code == 2
    assert "scan.max_workers = 99: must be a whole number from 0 to 32" in value.stderr
    assert yapmo("config", "get", "scan.max_workers").lines == ["0"]


def test_what_is_not_utf_8_is_refused(yapmo: Yapmo, home: Path) -> None:
    outcome = yapmo("config", "set", "library.path", "/srv/caf\udce9")
    assert (outcome.code, outcome.stdout) == (2, b"")
    assert outcome.stderr.startswith("yapmo: library.path = /srv/caf\\xe9: a configuration holds UTF-8 only.")
    assert not (home / "config").exists()


def test_a_broken_file_is_one_message(yapmo: Yapmo, tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("[scan\n")
    outcome = yapmo("config", "--config", str(file))
    assert (outcome.code, outcome.stdout) == (2, b"")
    assert "broken.toml is not valid TOML" in outcome.stderr


def test_changes_tell_their_outcome_as_json(yapmo: Yapmo, home: Path) -> None:
    file = str(home / "config" / "yapmo" / "config.toml")
    assert yapmo("config", "path", "--json").objects == [{"path": file, "exists": False}]
    changed = yapmo("config", "set", "scan.max_workers", "4", "--json")
    assert changed.objects == [{"event": "set", "option": "scan.max_workers", "value": 4, "source": file}]
    reset = yapmo("--json", "config", "unset", "scan.max_workers")
    assert reset.objects == [
        {"event": "unset", "option": "scan.max_workers", "value": 0, "source": "default"}
    ]
    assert changed.stderr == reset.stderr == ""
    assert yapmo("config", "--json", "path").objects[0]["exists"] is True
