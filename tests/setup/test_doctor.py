"""`yapmo doctor`: what it finds where all is well, and where something is broken."""

from __future__ import annotations

import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tui import __version__
from tui.commands import doctor_checks
from tui.commands.doctor import examine, run_doctor
from tui.commands.doctor_checks import Finding, Verdict, check_files, try_stay_open
from tui.library.database import create_library
from tui.library.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.setup.conftest import System


def find(name: str, config: str = "", library: str = "") -> Finding:
    about_files = name in ("Configuration", "Library", "Disk", "Log", "State")
    findings = check_files(config, library) if about_files else examine(config, library)
    return next(finding for finding in findings if finding.name == name)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "library.yapmo"
    create_library(os.fsencode(path))
    return path


def test_a_sound_installation_is_found_sound(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_doctor("", str(library), as_json=True) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {line["name"]: line for line in lines[:-1]}
    assert lines[-1]["event"] == "finished"
    assert (lines[-1]["exit_code"], lines[-1]["error"]) == (0, 0)
    assert found["YAPMO"]["version"] == __version__
    assert found["SQLite"]["version"] == sqlite3.sqlite_version
    assert found["Python"]["path"] == sys.executable
    assert float(found["ExifTool"]["version"]) > 12
    assert found["ExifTool service"]["verdict"] == "ok"
    assert found["textual"]["version"].startswith("8.")
    assert found["Library"]["path"] == str(library)
    assert found["Library"]["schema"] == SCHEMA_VERSION
    assert found["Disk"]["free"] > 0
    assert {"Configuration", "Log", "State", "Size", "Type", "Colours", "Encoding", "Mouse"} <= found.keys()


def test_for_people_groups_findings_and_a_summary_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_doctor("", "", as_json=False) == 0
    said = capsys.readouterr()
    assert [line for line in said.out.splitlines() if line and line[0] != " "][:3] == [
        "Programs",
        "Terminal",
        "Files",
    ]
    assert f"ok       YAPMO             {__version__}" in said.out
    assert "\x1b" not in said.out
    assert said.err == ""


def test_missing_exiftool_is_an_error_with_a_remedy(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(system.bin))
    finding = find("ExifTool")
    assert (finding.verdict, finding.exit_code) == (Verdict.ERROR, 2)
    assert "not installed" in finding.found
    assert "nstall it" in finding.remedy
    assert run_doctor("", "", as_json=False) == 2
    said = capsys.readouterr().out
    assert "error    ExifTool" in said
    assert "1 error" in said


def lives(pid: int) -> bool:
    """Return whether a process runs; one that only waits to be buried does not."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()[:1] not in ("", "Z")


def test_an_exiftool_that_hangs_is_given_up_and_leaves_no_process(system: System, tmp_path: Path) -> None:
    sleep = shutil.which("sleep")
    program = system.add("exiftool", f'trap "" TERM; echo $$ >"{tmp_path}/pid"; "{sleep}" 60')
    assert try_stay_open(str(program), timeout_s=3) == "did not answer within 3 s"
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not lives(pid)


def test_an_exiftool_that_dies_or_is_not_there_is_told(system: System) -> None:
    assert "answer" in try_stay_open(str(system.add("exiftool", "exit 1")), timeout_s=3)
    assert "does not answer: FileNotFoundError" in try_stay_open("/nowhere/exiftool")


def test_a_missing_ffmpeg_is_only_noted(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.link("exiftool")
    system.link("perl")
    system.add("apk")
    monkeypatch.setenv("PATH", str(system.bin))
    finding = find("ffmpeg")
    assert finding.verdict is Verdict.NOTE
    assert "apk add ffmpeg" in finding.remedy


def test_a_missing_package_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_checks, "_PACKAGES", ("rich", "no-such-package"))
    assert find("rich").verdict is Verdict.OK
    assert find("no-such-package").exit_code == 2


# Files


def test_a_broken_configuration_is_an_error_and_the_rest_is_still_examined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[scan]\nmax_worker = 3\n", encoding="utf-8")
    assert run_doctor(str(path), "", as_json=True) == 2
    found = {line["name"]: line for line in map(json.loads, capsys.readouterr().out.splitlines()[:-1])}
    assert "max_worker" in found["Configuration"]["found"]
    assert found["Configuration"]["remedy"] == "Did you mean scan.max_workers?"
    assert found["Library"]["verdict"] == "ok"


def test_a_configuration_that_others_may_change_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    path.chmod(0o600)
    assert find("Configuration", str(path)).verdict is Verdict.OK
    path.chmod(0o622)
    finding = find("Configuration", str(path))
    assert (finding.verdict, finding.remedy) == (Verdict.WARNING, f"chmod go-w {path}")


def damage(path: Path, how: str) -> None:
    if how == "empty":
        path.write_bytes(b"")
    elif how == "foreign":
        path.unlink()
        sqlite3.connect(path).execute("CREATE TABLE other (id)").connection.close()
    elif how == "newer":
        with sqlite3.connect(path) as db:
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        db.close()
    elif how == "damaged inside":
        content = path.read_bytes()
        path.write_bytes(content[: 3 * 4096] + b"\xff" * 4096 + content[4 * 4096 :])
    else:
        path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])


@pytest.mark.parametrize("how", ["empty", "foreign", "newer", "damaged", "damaged inside"])
def test_a_library_that_cannot_be_used_is_an_error_and_left_as_it_is(library: Path, how: str) -> None:
    damage(library, how)
    before = library.read_bytes()
    finding = find("Library", library=str(library))
    assert (finding.verdict, finding.exit_code) == (Verdict.ERROR, 4)
    assert finding.remedy
    assert library.read_bytes() == before
    assert run_doctor("", str(library), as_json=True) == 4


def test_a_library_that_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    finding = find("Library", library=str(tmp_path / "new" / "library.yapmo"))
    assert finding.verdict is Verdict.OK
    assert "first scan makes it" in finding.found
    assert not (tmp_path / "new").exists()


def test_a_library_that_others_may_read_is_a_warning(library: Path) -> None:
    library.chmod(0o644)
    assert find("Library", library=str(library)).remedy == f"chmod 600 {library}"


def test_places_that_may_not_be_written_are_told(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.access

    def access(path: bytes | str, mode: int) -> bool:
        return not mode & os.W_OK and real(path, mode)

    monkeypatch.setattr(os, "access", access)  # root may write everywhere, so permissions cannot show it
    existing = find("Library", library=str(library))
    assert (existing.verdict, existing.exit_code) == (Verdict.ERROR, 4)
    assert "may not be written" in existing.found
    absent = find("Library", library=str(tmp_path / "new.yapmo"))
    assert (absent.verdict, absent.exit_code) == (Verdict.ERROR, 4)
    assert find("Log").verdict is Verdict.WARNING


def test_little_space_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_checks, "ENOUGH_SPACE_BYTES", 1 << 62)
    assert find("Disk").verdict is Verdict.WARNING


def test_a_log_that_is_switched_off_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[logging]\nfile = false\n", encoding="utf-8")
    path.chmod(0o600)
    assert find("Log", str(path)).verdict is Verdict.NOTE


def test_hostile_names_reach_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\x1b]52;c;x\x07\xff.yapmo")
    run_doctor("", name, as_json=False)
    run_doctor("", name, as_json=True)
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "\\xff.yapmo" in said


# The terminal


@pytest.fixture
def examine_terminal(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A function that returns what is found in a pseudo-terminal with nothing but the given variables around it."""
    answer = tmp_path / "answer"
    code = (
        "import json, sys\nfrom tui.commands.doctor_terminal import check_terminal\n"
        "findings = {f.name: [f.verdict, f.found, f.remedy] for f in check_terminal()}\n"
        "json.dump(findings, open(sys.argv[1], 'w'))"
    )

    def examine_one(columns: int = 120, lines: int = 40, **environ: str) -> dict[str, Any]:
        ours, theirs = pty.openpty()
        try:
            termios.tcsetwinsize(theirs, (lines, columns))
            kept = {name: value for name, value in os.environ.items() if name.startswith(("COV", "PATH"))}
            subprocess.run(
                [sys.executable, "-c", code, answer],
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                env=kept | environ,
                cwd=Path(__file__).parents[2],
                check=True,
            )
        finally:
            os.close(ours)
            os.close(theirs)
        return dict(json.loads(answer.read_bytes()))

    return examine_one


def test_a_good_terminal(examine_terminal: Callable[..., dict[str, Any]]) -> None:
    found = examine_terminal(TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8")
    assert found["Size"][:2] == ["ok", "120×40"]
    assert found["Type"][:2] == ["ok", "xterm-256color"]
    assert found["Colours"][:2] == ["ok", "16 million"]
    assert found["Encoding"][:2] == ["ok", "UTF-8"]
    assert "understood" in found["Mouse"][1]
    assert "Connection" not in found


def test_a_poor_terminal_over_a_line(examine_terminal: Callable[..., dict[str, Any]]) -> None:
    found = examine_terminal(
        70,
        20,
        TERM="vt100",
        LC_ALL="en_US.ISO-8859-1",
        PYTHONCOERCECLOCALE="0",
        PYTHONUTF8="0",
        SSH_TTY="/dev/pts/1",
    )
    assert found["Size"][0] == "warning"
    assert "80×24" in found["Size"][2]
    assert found["Colours"][0] == "warning"
    assert "none" in found["Mouse"][1]
    assert found["Connection"][1] == "over SSH"


def test_latin_1_is_a_warning(examine_terminal: Callable[..., dict[str, Any]]) -> None:
    found = examine_terminal(TERM="xterm", PYTHONIOENCODING="latin-1")
    assert found["Encoding"][0] == "warning"
    assert "C.UTF-8" in found["Encoding"][2]


def test_an_unknown_or_missing_type_is_a_warning(examine_terminal: Callable[..., dict[str, Any]]) -> None:
    assert examine_terminal(TERM="xterm-of-mars")["Type"][0] == "warning"
    assert examine_terminal()["Type"][:2] == ["warning", "TERM is not set"]


def test_no_color_is_noted(examine_terminal: Callable[..., dict[str, Any]]) -> None:
    assert examine_terminal(TERM="xterm-256color", NO_COLOR="1")["Colours"][0] == "note"


@pytest.mark.parametrize(
    ("environ", "name"),
    [({"TERM": "tmux-256color", "TMUX": "/tmp/t,1,0"}, "tmux"), ({"TERM": "screen"}, "screen")],
)
def test_multiplexers_are_known(
    examine_terminal: Callable[..., dict[str, Any]], environ: dict[str, str], name: str
) -> None:
    assert examine_terminal(**environ)["Multiplexer"][:2] == ["note", name]


def test_without_a_terminal_its_faults_are_only_noted() -> None:
    code = "import json\nfrom tui.commands.doctor_terminal import check_terminal\nprint(*[f.verdict for f in check_terminal()])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={name: value for name, value in os.environ.items() if name != "TERM"},
        check=True,
    )
    assert "warning" not in done.stdout.split()
