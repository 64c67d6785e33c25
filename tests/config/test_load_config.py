"""Reading the configuration: the defaults, what overrides them, and what a mistake is told."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tui.config import (
    Config,
    default_config,
    default_config_path,
    effective_library_path,
    list_options,
    load_config,
    option_values,
)
from tui.errors import UsageError
from tui.options import CHECKS, similar
from tui.records import Kind


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def load(path: Path, text: str) -> Config:
    return load_config(write(path, text))


def refused(path: Path, text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(path, text)
    assert caught.value.exit_code == 2
    return caught.value


def test_shipped_file_holds_exactly_the_options_that_are_checked() -> None:
    assert list(option_values(default_config())) == list(CHECKS)


def test_every_option_is_documented() -> None:
    undocumented = [option.name for option in list_options(default_config()) if len(option.description) < 20]
    assert undocumented == []


def test_shipped_extensions_cover_every_kind_once() -> None:
    config = default_config()
    kinds = config.scan.kind_by_extension
    assert 110 <= len(kinds) <= 140
    assert len(kinds) == sum(len(listed) for listed in config.scan.extensions.values())
    assert kinds[b"jpg"] is Kind.IMAGE
    assert kinds[b"cr3"] is Kind.RAW
    assert kinds[b"mov"] is Kind.VIDEO
    assert kinds[b"flac"] is Kind.AUDIO
    assert not {b"xmp", b"aae", b"thm", b"lrv", b"txt", b"zip"} & kinds.keys()


def test_no_file_in_the_default_place_means_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load_config(environ={}) == default_config()


def test_a_file_in_the_default_place_overrides_single_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "yapmo").mkdir()
    source = write(
        tmp_path / "yapmo" / "config.toml", '[scan]\nmax_workers = 3\n[interface.keys]\n"scan.start" = "S"\n'
    )
    config = load_config(environ={})
    assert (config.source, config.scan.max_workers) == (source, 3)
    assert config.interface.keys == {"scan.start": "S"}
    assert config.scan.ignore == default_config().scan.ignore


def test_option_comes_before_environment_before_default_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "yapmo").mkdir()
    write(tmp_path / "yapmo" / "config.toml", "[scan]\nmax_workers = 1\n")
    named = write(tmp_path / "named.toml", "[scan]\nmax_workers = 2\n")
    given = write(tmp_path / "given.toml", "[scan]\nmax_workers = 3\n")
    assert load_config(given, environ={"YAPMO_CONFIG": named}).scan.max_workers == 3
    assert load_config(environ={"YAPMO_CONFIG": named}).scan.max_workers == 2
    assert load_config(environ={}).scan.max_workers == 1


@pytest.mark.parametrize("by_option", [True, False])
def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path, by_option: bool) -> None:
    path = str(tmp_path / "absent.toml")
    with pytest.raises(UsageError, match=r"no configuration file .*absent\.toml"):
        load_config(path) if by_option else load_config(environ={"YAPMO_CONFIG": path})


@pytest.mark.parametrize(
    ("text", "name", "allowed"),
    [
        ("[scan]\nmax_workers = 33", "scan.max_workers = 33", "from 0 to 32"),
        ("[scan]\nmax_workers = true", "scan.max_workers = True", "from 0 to 32"),
        ("[scan]\nmax_workers = 2.0", "scan.max_workers = 2.0", "a whole number"),
        ('[scan]\nhidden = "no"', "scan.hidden = 'no'", "true or false"),
        ('[scan]\nfingerprint = "sha"', "scan.fingerprint = 'sha'", "auto, full, off"),
        ("[scan]\nmissing_limit = 1.5", "scan.missing_limit = 1.5", "from 0 to 1"),
        ("[scan]\nmissing_limit = nan", "scan.missing_limit = nan", "from 0 to 1"),
        ("[exiftool]\ntimeout = inf", "exiftool.timeout = inf", "from 1 to 86400"),
        ('[scan]\nignore = "*.tmp"', "scan.ignore = '*.tmp'", "a list of patterns"),
        ("[scan]\nignore = [1]", "scan.ignore = [1]", "a list of patterns"),
        ('[scan.extensions]\nimage = ["j p g"]', "scan.extensions.image", "without dot"),
        ('[exiftool]\npath = "bin/exiftool"', "exiftool.path = 'bin/exiftool'", "an absolute path"),
        ('[library]\npath = "/a\\u0000b"', "library.path", "an absolute path"),
        ("[interface]\nrefresh_ms = 60", "interface.refresh_ms = 60", "from 250 to 60000"),
        ('[interface]\ncolumns = ["name", "colour"]', "interface.columns", "fields of the metadata"),
        ('[interface]\ndate_format = "today"', "interface.date_format = 'today'", "strftime"),
        ("[interface.keys]\nscan = 1", "interface.keys", "actions and keys"),
        ('[logging]\nlevel = "loud"', "logging.level = 'loud'", "debug, info, warning, error"),
        ("scan = 3", "scan must be a table", "[scan]"),
    ],
)
def test_a_value_that_is_not_allowed_names_file_option_value_and_rule(
    tmp_path: Path, text: str, name: str, allowed: str
) -> None:
    path = tmp_path / "config.toml"
    message = refused(path, text).message
    assert message.startswith(f"{path}: ")
    assert name in message
    assert allowed in message


@pytest.mark.parametrize(
    ("text", "unknown", "near"),
    [
        ("[scan]\nmax_worker = 2", "scan.max_worker", "scan.max_workers"),
        ("[scam]\nmax_workers = 2", "scam.max_workers", "scan.max_workers"),
        ("max_workers = 2", "max_workers", "scan.max_workers"),
        ("[interface]\ncolour = 2", "interface.colour", ""),
        ("[nothing]", "nothing", ""),
        ('"scan.hidden" = true', '"scan.hidden"', "scan.hidden"),
    ],
)
def test_an_unknown_option_is_an_error_that_names_a_near_one(
    tmp_path: Path, text: str, unknown: str, near: str
) -> None:
    error = refused(tmp_path / "config.toml", text)
    assert f"there is no option {unknown}." in error.message
    assert (f"Did you mean {near}?" in error.hint) == bool(near)


def test_an_extension_in_two_lists_is_an_error(tmp_path: Path) -> None:
    message = refused(tmp_path / "config.toml", '[scan.extensions]\nraw = ["dng", "TIF"]').message
    assert 'scan.extensions.raw: "tif" is in scan.extensions.image too' in message


def test_extensions_are_lower_case_without_dot_and_listed_once(tmp_path: Path) -> None:
    config = load(tmp_path / "config.toml", '[scan.extensions]\nimage = [".JPG", "jpg", "PNG"]')
    assert config.scan.extensions[Kind.IMAGE] == ("jpg", "png")
    assert b"heic" not in config.scan.kind_by_extension


@pytest.mark.parametrize(
    "content",
    [b"[scan\n", b"a = \xff", b"a = 1\na = 2", b"x = " + b"[" * 5000, b"#" * ((1 << 20) + 1)],
    ids=["open bracket", "no UTF-8", "twice", "too deep", "too large"],
)
def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"config\.toml is (not valid TOML|too large)"):
        load_config(str(path))


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xef\xbb\xbf[scan]\nhidden = true\n")
    assert load_config(str(tmp_path / "config.toml")).scan.hidden


def test_a_folder_or_a_fifo_instead_of_a_file_is_an_error_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UsageError, match="is not a file"):
        load_config(str(tmp_path / "fifo"))
    with pytest.raises(UsageError, match="Cannot read the configuration"):
        load_config(str(tmp_path))


def test_paths_may_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    config = load(tmp_path / "config.toml", '[library]\npath = "~/media.yapmo"')
    assert config.library.path == "/home/someone/media.yapmo"
    assert effective_library_path(config) == b"/home/someone/media.yapmo"


def test_library_path_is_the_option_then_the_configured_then_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    configured = load(tmp_path / "config.toml", '[library]\npath = "/srv/all.yapmo"')
    assert effective_library_path(default_config()) == os.fsencode(tmp_path / "yapmo" / "library.yapmo")
    assert effective_library_path(configured) == b"/srv/all.yapmo"
    assert effective_library_path(configured, "my.yapmo") == os.fsencode(tmp_path / "my.yapmo")


@pytest.mark.parametrize(
    ("name", "near"), [("workers", "scan.max_workers"), ("hidden", "scan.hidden"), ("zzz", "")]
)
def test_similar_names(name: str, near: str) -> None:
    assert similar(name) == near


def test_the_shipped_file_of_a_checkout_is_the_one_at_its_top() -> None:
    top = Path(__file__).parents[2] / "config.toml"
    assert default_config_path() == str(top)
    assert tomllib.loads(top.read_text(encoding="utf-8"))["scan"]["max_workers"] == 0


def test_reading_the_defaults_needs_no_screen_and_no_writer() -> None:
    code = "import sys; from tui.config import default_config; default_config(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"textual", "rich", "typer", "tomli_w", "platformdirs"} & set(done.stdout.split())
