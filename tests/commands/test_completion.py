"""What the shell offers behind Tab, asked as a shell asks."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tui.commands.completion import option_names, option_values, query_words

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Catalogue, Yapmo


def offered(line: str) -> list[str]:
    """Return what bash would be offered for the last word of `line`."""
    words = line.split(" ")
    environ = {
        **os.environ,
        "_YAPMO_COMPLETE": "complete_bash",
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tui"], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("yapmo sc", {"scan"}),
        ("yapmo problems --st", {"--stage"}),
        ("yapmo problems --stage m", {"metadata"}),
        ("yapmo config get scan.m", {"scan.max_workers", "scan.missing_limit"}),
        ("yapmo config set scan.fingerprint ", {"auto", "full", "off"}),
        ("yapmo search kin", {"kind:"}),
        ("yapmo search beach -kin", {"-kind:"}),
        ("yapmo search (cam", {"\\(camera:"}),
        ("yapmo search --library /nowhere/x.yapmo camera:", set()),
        ("yapmo search --library /etc/passwd camera:", set()),
    ],
)
def test_the_shell_is_offered(line: str, expected: set[str]) -> None:
    assert set(offered(line)) == expected


def test_values_come_from_the_library(
    yapmo: Yapmo, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert yapmo("search", *catalogue.option, "--save", "best of", "rating:5").code == 0
    search = f"yapmo search --library {catalogue.library}"
    assert offered(f"{search} camera:d75") == [r"camera:\"NIKON\ D750\""]
    assert offered(f"{search} camera : d75") == [r"\"NIKON\ D750\""], "bash takes it for three words"
    assert offered(f"{search} --forget be") == ["best of"]
    parent = SimpleNamespace(params={"library": str(catalogue.library)})

    def words(*typed: str) -> list[str]:
        *before, last = typed
        return list(query_words(SimpleNamespace(params={"words": before}, parent=parent), last))

    canon, nikon = '"Canon EOS 5D Mark IV"', '"NIKON D750"'
    assert words("camera:") == [f"camera:{canon}", f"camera:{nikon}"]
    assert words("-artist:bj") == ["-artist:Björk"]
    assert words("beach", "@b") == ['@"best of"']
    monkeypatch.setenv("_YAPMO_COMPLETE", "complete_bash")
    assert words("beach", "camera", ":") == [
        r"\"Canon\ EOS\ 5D\ Mark\ IV\"",
        r"\"NIKON\ D750\"",
    ]
    assert words("beach", "-artist", ":", "bj") == ["Björk"]
    assert words("beach", "@", "b") == [r"\"best\ of\""]
    assert words("kind", ":", "image", "@") == [r"\"best\ of\""]


@pytest.mark.parametrize(
    "asks",
    [
        {"_YAPMO_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "yapmo sc"},
        {
            "_YAPMO_COMPLETE": "complete_fish",
            "_TYPER_COMPLETE_ARGS": "yapmo sc",
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        },
    ],
    ids=["zsh", "fish"],
)
def test_other_shells_are_offered_the_same(asks: dict[str, str]) -> None:
    command = [sys.executable, "-m", "tui"]
    done = subprocess.run(command, env=os.environ | asks, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "scan" in done.stdout
    assert "search" not in done.stdout


def test_values_are_offered_where_there_are_few() -> None:
    def values(name: str, incomplete: str = "") -> list[str]:
        return option_values(SimpleNamespace(params={"name": name}), incomplete)

    assert values("scan.hidden") == ["true", "false"]
    assert values("logging.level", "w") == ["warning"]
    assert values("scan.rescan") == ["changed", "metadata", "everything"]
    assert values("scan.max_workers") == []
    assert values("no.such.option") == []
    assert option_values(SimpleNamespace(params={}), "") == []


def test_names_are_offered_by_their_beginning() -> None:
    assert option_names("exiftool.t") == ["exiftool.timeout"]


def test_completion_can_be_installed(home: Path) -> None:
    environ = {**os.environ, "SHELL": "/bin/bash", "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [sys.executable, "-m", "tui", "--install-completion=bash"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "_YAPMO_COMPLETE=complete_bash" in (home / ".bash_completions" / "yapmo.sh").read_text()
