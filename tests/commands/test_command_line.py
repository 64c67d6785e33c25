"""The frame of the command line: help, options before and behind commands, exit codes, faults, closed pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import tui.__main__
import tui.cli
import tui.opening
from tests.commands.conftest import start
from tui import __version__
from tui.commands.frame import EXIT_CODES, QueryCommand
from tui.errors import LibraryError
from tui.operations import demo
from tui.operations.demo_photos import PHOTOS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Catalogue, Yapmo

COMMANDS = [
    "scan",
    "search",
    "show",
    "problems",
    "stats",
    "doctor",
    "demo",
    "roots",
    "config",
    "backup",
    "restore",
]
SUBCOMMANDS = ["roots label", "roots forget", "config get", "config set", "config unset", "config path"]


def test_help_names_every_command_and_the_exit_codes(yapmo: Yapmo) -> None:
    outcome = yapmo("--help")
    assert outcome.code == 0
    listed = {line.split()[0] for line in outcome.lines if line.startswith("  ") and line.split()}
    assert listed.issuperset(COMMANDS)
    assert "open" not in listed
    assert [line for line in outcome.lines if line.strip()[:1].isdigit()] == [
        f"    {code:<2}  {meaning}" for code, meaning in EXIT_CODES.items()
    ]
    assert not [line for line in outcome.lines if len(line) > 80 or line.endswith("...")]


@pytest.mark.parametrize(
    "command",
    [*COMMANDS, *SUBCOMMANDS],
)
def test_every_command_explains_itself_with_an_example(yapmo: Yapmo, command: str) -> None:
    outcome = yapmo(*command.split(), "--help")
    assert outcome.code == 0
    assert f"  yapmo {command}" in outcome.stdout.decode().partition("Example")[2]
    for option in ("--config FILE", "--library FILE", "--json"):
        assert option in outcome.stdout.decode()


def test_version(yapmo: Yapmo) -> None:
    assert yapmo("--version").lines == [f"yapmo {__version__}"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["serch"], "Did you mean `yapmo search`?"),
        (["no such thing"], "There is no command and no path no such thing"),
        (["search", "--colour"], "No such option: --colour"),
        (["--colour", "search"], "No such option: --colour"),
        (["show"], "Missing argument 'FILE...'"),
        (["scan", "--workers", "33"], "1<=x<=32"),
        (["scan", "--only", "everything"], "everything"),
        (["problems", "seven"], "'seven' is not a valid int"),
        (["search", "--library"], "--library"),
        (["esc\x1b[31m\u202e"], "esc\\x1b[31m\\u202e"),
        (["scan", "--only", "\x1b[31m"], "\\x1b"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_one_message(yapmo: Yapmo, arguments: list[str], says: str) -> None:
    outcome = yapmo(*arguments)
    assert (outcome.code, outcome.stdout) == (2, b"")
    assert says in outcome.stderr
    assert outcome.stderr.startswith("yapmo: ")
    assert "Traceback" not in outcome.stderr
    assert "\x1b" not in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["search"], 2, "There is no library at"),
        (["scan", "/no/such/folder"], 5, "There is no /no/such/folder."),
        (["search", "--library", "/etc/passwd"], 4, "/etc/passwd is no library"),
        (["config", "set", "scan.max_workers", "99"], 2, "must be a whole number"),
        (["show"], 2, "Missing argument 'FILE...'"),
        (["search", "--colour"], 2, "No such option: --colour"),
        (["serch"], 2, "There is no command and no path serch"),
        ([], 2, "--json goes with a command"),
    ],
)
def test_with_json_an_error_is_one_object_on_stderr(
    yapmo: Yapmo, arguments: list[str], code: int, says: str
) -> None:
    outcome = yapmo("--json", *arguments)
    assert (outcome.code, outcome.stdout) == (code, b"")
    [error] = [json.loads(line) for line in outcome.stderr.splitlines()]
    assert list(error) == ["event", "exit_code", "message", "hint"]
    assert (error["event"], error["exit_code"]) == ("error", code)
    assert says in error["message"]
    assert error["hint"]


@pytest.mark.parametrize(
    "command", [["search"], ["show", "1"], ["problems"], ["problems", "--retry"], ["stats"], ["roots"]]
)
def test_without_a_library_commands_say_how_to_make_one_and_make_none(
    yapmo: Yapmo, home: Path, command: list[str]
) -> None:
    outcome = yapmo(*command)
    assert (outcome.code, outcome.stdout) == (2, b"")
    assert "There is no library at" in outcome.stderr
    assert "`yapmo scan PATH`" in outcome.stderr
    assert not (home / "data").exists()


def test_a_file_that_is_no_library_is_exit_code_4(yapmo: Yapmo, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no library " * 100)
    outcome = yapmo("search", "--library", str(file))
    assert (outcome.code, outcome.stdout) == (4, b"")
    assert "is no library" in outcome.stderr
    assert file.read_text() == "no library " * 100


def test_a_library_behind_what_cannot_be_passed_is_exit_code_4(yapmo: Yapmo, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)  # a folder without permission, but for root too
    for command in (["search"], ["scan", str(tmp_path)]):
        outcome = yapmo(*command, "--library", str(loop / "library.yapmo"))
        assert (outcome.code, outcome.stdout) == (4, b"")
        assert "cannot be reached" in outcome.stderr


class Opened:
    """Stands for the terminal application: what it was asked to open."""

    def __init__(self) -> None:
        self.calls: list[tuple[str | None, str, str]] = []

    def __call__(self, path: str | None, *, library_path: str = "", config_path: str = "") -> int:
        self.calls.append((path, library_path, config_path))
        return 0


@pytest.mark.parametrize(
    ("arguments", "opens"),
    [
        ([], (None, "", "")),
        (["{folder}"], ("{folder}", "", "")),
        (["--library", "l", "{folder}"], ("{folder}", "l", "")),
        (["--library=l", "{folder}", "--config", "c"], ("{folder}", "l", "c")),
        (["--", "{folder}"], ("{folder}", "", "")),
        (["--config", "scan"], (None, "", "scan")),
    ],
)
def test_a_first_word_that_is_no_command_is_a_path_to_open(
    yapmo: Yapmo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    opens: tuple[str | None, str, str],
) -> None:
    opened = Opened()
    monkeypatch.setattr(tui.opening, "open_application", opened)
    outcome = yapmo(*(argument.format(folder=tmp_path) for argument in arguments))
    assert outcome.code == 0
    path = opens[0] and opens[0].format(folder=tmp_path)
    assert opened.calls == [(path, *opens[1:])]


def test_ctrl_c_is_exit_code_3(yapmo: Yapmo, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(tui.opening, "open_application", interrupt)
    outcome = yapmo()
    assert (outcome.code, outcome.stderr) == (3, "")


def test_an_error_for_people_is_message_and_hint(yapmo: Yapmo, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise LibraryError("The library \x1b[2J is newer", hint="Upgrade.")

    monkeypatch.setattr(tui.opening, "open_application", refuse)
    outcome = yapmo()
    assert outcome.code == 4
    assert outcome.stderr == "yapmo: The library \\x1b[2J is newer\n       Upgrade.\n"


def test_a_fault_is_one_line_and_its_traceback_goes_into_the_log(
    yapmo: Yapmo, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise ZeroDivisionError("by \x1b[31m zero")

    monkeypatch.setattr(tui.opening, "open_application", fail)
    outcome = yapmo()
    log = home / "state" / "yapmo" / "yapmo.log"
    assert outcome.code == 70
    assert outcome.stderr.splitlines() == [
        "yapmo: A fault of the program: ZeroDivisionError: by \\x1b[31m zero",
        f"       The details are in {log}.",
    ]
    lines = log.read_text().splitlines()
    assert all(" ERROR " in line for line in lines)
    assert any("in fail" in line for line in lines)
    assert "ZeroDivisionError: by \\x1b[31m zero" in lines[-1]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["beach", "-tag:draft", "--json"], ["--json", "--", "beach", "-tag:draft"]),
        (["-hasselblad"], ["--", "-hasselblad"]),
        (["-h"], ["-h"]),
        (["--limit", "3", "-nikon", "sort:taken-"], ["--limit", "3", "--", "-nikon", "sort:taken-"]),
        (["--limit=3", "x"], ["--limit=3", "--", "x"]),
        (["a", "--", "--json"], ["--", "a", "--json"]),
        ([], []),
        (["--limit"], ["--limit"]),
    ],
)
def test_a_dash_in_a_query_takes_out_and_is_no_option(
    monkeypatch: pytest.MonkeyPatch, yapmo: Yapmo, typed: list[str], meant: list[str]
) -> None:
    seen: list[list[str]] = []

    def parse_args(_command: object, _context: object, arguments: list[str]) -> list[str]:
        seen.append(list(arguments))
        return []

    monkeypatch.setattr(QueryCommand.__base__, "parse_args", parse_args)
    yapmo("search", *typed)
    assert meant in seen


def modules_after(*commands: list[str]) -> list[set[str]]:
    """Return the modules that one process has loaded after each of the commands."""
    code = (
        "import json, sys\n"
        "from tui.cli import run\n"
        "for command in json.loads(sys.argv[1]):\n"
        "    code = run(command)\n"
        "    sys.stderr.write('\\n' + json.dumps([code, list(sys.modules)]))\n"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-c", code, json.dumps(commands)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert [code for code, _ in told] == [0] * len(commands), done.stderr
    return [set(modules) for _, modules in told]


def test_help_loads_next_to_nothing() -> None:
    [loaded] = modules_after(["--help"])
    assert "typer" in loaded
    assert not loaded & {
        "textual",
        "rich",
        "asyncio",
        "sqlite3",
        "logging",
        "tui.config",
        "tui.records",
        "tomllib",
    }


def test_commands_load_no_screen_and_in_a_pipe_no_rich(catalogue: Catalogue) -> None:
    commands = [
        ["config"],
        ["search"],
        ["search", "--json"],
        ["show", "1"],
        ["problems"],
        ["stats"],
        ["roots"],
        ["doctor", "--json"],
    ]
    foreign = {"textual", "rich", "pydantic", "mutagen", "PIL", "xxhash", "tui.scan.run", "tui.app"}
    loaded = modules_after(
        *([*command, *catalogue.option] if command != ["config"] else command for command in commands)
    )
    guilty = [(command, modules & foreign) for command, modules in zip(commands, loaded, strict=True)]
    assert not [found for found in guilty if found[1]]


@pytest.mark.parametrize("command", [["config", "--json"], ["doctor"], ["stats"]], ids=" ".join)
def test_a_closed_pipe_ends_in_silence(catalogue: Catalogue, command: list[str]) -> None:
    process = start(*command, *([] if command[0] == "config" else catalogue.option))
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(timeout=20) == 0
    process.stderr.close()


@pytest.mark.parametrize("arguments", [[], ["{folder}"]], ids=["alone", "with a path"])
def test_the_application_needs_a_terminal(
    yapmo: Yapmo, home: Path, tmp_path: Path, arguments: list[str]
) -> None:
    outcome = yapmo(*(argument.format(folder=tmp_path) for argument in arguments))
    assert (outcome.code, outcome.stdout) == (2, b"")
    assert outcome.stderr.startswith("yapmo: The terminal application needs a terminal")
    assert not (home / "data").exists()


def test_a_full_disk_is_one_message(catalogue: Catalogue) -> None:
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(
            [sys.executable, "-m", "tui", "search", *catalogue.option],
            stdout=full,
            stderr=subprocess.PIPE,
        )
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 74
    assert errors.startswith(b"yapmo: The system says: [Errno 28] No space left on device")
    assert len(errors.splitlines()) == 2


def test_streams_may_be_closed(catalogue: Catalogue) -> None:
    command = [sys.executable, "-m", "tui", "search", *catalogue.option]
    shell = subprocess.run(["sh", "-c", '"$@" >&- 2>&-', "sh", *command], check=False, capture_output=True)
    assert (shell.returncode, shell.stdout, shell.stderr) == (0, b"", b"")


def test_the_locale_may_be_of_another_encoding(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
    target = tmp_path / "東京.toml"
    process = start("config", "--config", str(target), "path", env=environ)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, b"")
    assert output.decode("ascii").endswith("\\u6771\\u4eac.toml\n")


def test_ctrl_c_while_modules_are_loaded_is_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(tui.cli, "run", interrupt)
    monkeypatch.setattr(sys, "argv", ["yapmo", "stats"])
    with pytest.raises(SystemExit) as left:
        tui.__main__.main()
    assert left.value.code == 3


def test_doctor_is_told_which_library_and_configuration(
    yapmo: Yapmo, catalogue: Catalogue, tmp_path: Path
) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("[scan]\nhidden = true\n")
    outcome = yapmo("--json", "--config", str(config), "doctor", *catalogue.option)
    assert outcome.objects[-1]["event"] == "finished"
    found = outcome.stdout.decode()
    assert str(catalogue.library) in found
    assert str(config) in found


def test_demo_opens_in_a_library_of_its_own(
    yapmo: Yapmo, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened()
    monkeypatch.setattr(tui.opening, "open_application", opened)
    monkeypatch.setattr(demo, "PHOTOS", tuple(photo for photo in PHOTOS if photo.path == demo.DUPLICATE_OF))
    monkeypatch.setattr(demo, "SONGS", ())  # what is made is tests/operations' to show
    monkeypatch.setattr(demo, "FILMS", ())
    folder = str(tmp_path / "demo")
    assert yapmo("demo", folder, "--no-open").code == 0
    assert yapmo("demo", folder, "--json").objects[-1]["path"] == folder
    assert opened.calls == []
    assert yapmo("demo", folder).code == 0
    assert opened.calls == [(folder, str(home / "data" / "yapmo" / "demo.yapmo"), "")]
