"""`./yapmo` and `./nox` for real, each in a copy of the checkout with a PATH of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.setup.conftest import TOP, System, add_uv, base_python, copy_checkout
from tests.setup.wheels import pack_requirements
from tui import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534
FAST_START_S = 0.020
"""What `./yapmo` may add to the start of the program once everything is set up."""


def run(
    system: System, *command: str | Path, user: int | None = None, stdin: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        cwd="/",
        env=environ | {"PATH": str(system.bin)} | variables,
        user=user,
        timeout=300,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def ready(checkout: Path, system: System) -> Path:
    """A checkout that is set up, whose Python is a stand-in that tells how it was called."""
    system.add("exiftool")
    add_uv(system)
    assert run(system, checkout / "yapmo", "--version").returncode == 0
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done\n", encoding="utf-8")
    python.chmod(0o755)
    return checkout


def test_a_first_start_sets_up_and_says_so_and_a_second_does_nothing(checkout: Path, system: System) -> None:
    system.add("exiftool")
    add_uv(system)
    first = run(system, checkout / "yapmo", "--version")
    assert (first.returncode, first.stdout) == (0, f"yapmo {__version__}\n")
    assert [line.split()[:2] for line in first.stderr.splitlines()] == [
        ["yapmo:", "making"],
        ["yapmo:", "installing"],
    ]
    calls = system.called()
    second = run(system, checkout / "yapmo", "--version")
    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")
    assert system.called() == calls
    assert not list(checkout.glob("**/__pycache__/bootstrap*"))


def test_tab_before_the_first_start_sets_up_nothing(checkout: Path, system: System) -> None:
    system.add("apt-get")
    done = run(
        system, checkout / "yapmo", _YAPMO_COMPLETE="complete_bash", COMP_WORDS="yapmo sc", COMP_CWORD="1"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert system.called() == []
    assert not (checkout / ".venv").exists()


def test_the_fast_start_runs_no_python_but_the_programs(ready: Path, system: System) -> None:
    system.add("python3", "exit 9")
    assert run(system, ready / "yapmo").stdout == "-P\0-m\0tui\0"
    assert not [line for line in system.called() if line.startswith("python3")]


def test_the_fast_start_costs_no_visible_time(ready: Path, system: System) -> None:
    program = ready / ".venv" / "bin" / "python"
    program.unlink()
    program.symlink_to(shutil.which("true") or "/bin/true")

    def fastest(*command: str | Path) -> float:
        times = []
        for _ in range(25):
            start = time.perf_counter()
            subprocess.run(command, env={"PATH": str(system.bin)}, check=True)
            times.append(time.perf_counter() - start)
        return min(times)

    assert fastest(ready / "yapmo") - fastest(program) < FAST_START_S


def test_arguments_and_input_reach_the_program_unchanged(ready: Path, system: System) -> None:
    words = ["", "two words", "$HOME", 'a"b', "line\nbreak", "--", "*", "-x"]
    assert run(system, ready / "yapmo", *words).stdout.split("\0")[3:-1] == words
    (ready / ".venv" / "bin" / "python").write_text(
        '#!/bin/sh\nread line; echo "$line"; exit 5\n', encoding="utf-8"
    )
    done = run(system, ready / "yapmo", stdin=b"hello\n")
    assert (done.stdout, done.returncode) == ("hello\n", 5)


@pytest.mark.parametrize("target", ["absolute", "relative", "chain"])
def test_a_link_to_the_launcher_works(ready: Path, system: System, tmp_path: Path, target: str) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    link = folder / "yapmo-link"
    link.symlink_to(ready / "yapmo" if target == "absolute" else Path("..") / ready.name / "yapmo")
    if target == "chain":
        (folder / "second").symlink_to("yapmo-link")
        link = folder / "second"
    assert run(system, link, "x").stdout == "-P\0-m\0tui\0x\0"


def test_the_launcher_is_found_through_path_and_by_its_bare_name(ready: Path, system: System) -> None:
    system.link("env")
    path = f"{ready}:{system.bin}"
    assert run(system, shutil.which("env") or "env", "yapmo", "x", PATH=path).stdout == "-P\0-m\0tui\0x\0"
    done = subprocess.run(
        ["/bin/sh", "yapmo", "x"], cwd=ready, capture_output=True, env={"PATH": str(system.bin)}, check=False
    )
    assert done.stdout == b"-P\0-m\0tui\0x\0"


def test_a_changed_pyproject_is_noticed(ready: Path, system: System) -> None:
    before = len(system.called())
    (ready / "pyproject.toml").write_text(
        (ready / "pyproject.toml").read_text() + "\n# changed\n", encoding="utf-8"
    )
    done = run(system, ready / "yapmo", "x")
    assert done.stdout == "-P\0-m\0tui\0x\0"
    assert done.stderr == "yapmo: installing YAPMO and what it needs (uv)\n"
    assert len([line for line in system.called()[before:] if line.startswith("uv ")]) == 1


def test_exiftool_that_went_away_is_noticed(ready: Path, system: System) -> None:
    (system.bin / "exiftool").unlink()
    done = run(system, ready / "yapmo", "scan", "/srv")
    assert done.returncode == 2
    assert "ExifTool is missing" in done.stderr
    assert done.stdout == ""


def test_without_exiftool_help_and_doctor_work(checkout: Path, system: System) -> None:
    add_uv(system)
    helped = run(system, checkout / "yapmo", "--help")
    assert (helped.returncode, "Usage" in helped.stdout) == (0, True)
    examined = run(system, checkout / "yapmo", "doctor")
    assert examined.returncode == 2
    assert "ExifTool" in examined.stdout


def test_a_user_without_rights_is_told_the_exact_command(system: System, open_folder: Path) -> None:
    user, python = find_other_user()
    system.link("python3", python)
    places = System(open_folder / "bin", open_folder / "calls")
    shutil.copytree(system.bin, places.bin, symlinks=True)
    (places.bin / "apt-get").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (places.bin / "apt-get").chmod(0o755)
    checkout = copy_checkout(open_folder / "check out")
    done = run(places, checkout / "yapmo", "/srv/photos", user=user, HOME="/nonexistent")
    assert done.returncode == 2
    assert "ExifTool is missing" in done.stderr
    assert "apt-get install -y --no-install-recommends libimage-exiftool-perl" in done.stderr
    assert done.stdout == ""
    assert not (checkout / ".venv").exists()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may look into (those of pytest are private)."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def find_other_user() -> tuple[int | None, str]:
    """Return a user without rights and a Python that it may run; None for oneself, who is none but root's."""
    for python in (base_python(), "/usr/bin/python3", "/usr/local/bin/python3"):
        test = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            if (
                os.geteuid() == 0
                and subprocess.run(test, user=NOBODY, capture_output=True, check=False).returncode == 0
            ):
                return NOBODY, python
        except OSError:
            continue
    return None, base_python()


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", "sudo apt-get install -y python3 python3-venv"),
        ("dnf", "sudo dnf install -y python3.12"),
        ("zypper", "sudo zypper install python312"),
        ("pacman", "sudo pacman -S python"),
        ("apk", "sudo apk add python3"),
        ("brew", "brew install python"),
        ("", "https://www.python.org/downloads/"),
    ],
)
def test_without_a_python_the_exact_command_is_told(
    checkout: Path, system: System, manager: str, command: str
) -> None:
    (system.bin / "python3").unlink()
    if manager:
        system.add(manager)
    done = run(system, checkout / "yapmo")
    assert done.returncode == 2
    assert "Python 3.11 or newer is needed" in done.stderr
    assert command in done.stderr
    assert done.stdout == ""
    assert system.called() == []


def test_a_newer_python_beside_an_old_one_is_taken(checkout: Path, system: System) -> None:
    (system.bin / "python3").unlink()
    system.add("python3", "exit 1")
    system.link("python3.12", base_python())
    system.add("exiftool")
    add_uv(system)
    assert run(system, checkout / "yapmo", "--version").stdout == f"yapmo {__version__}\n"


def test_nox_sets_up_and_knows_its_sessions(checkout: Path, system: System) -> None:
    for program in ("exiftool", "ffmpeg"):
        system.add(program)
    add_uv(system)
    shutil.copytree(TOP / ".ci", checkout / ".ci")
    system.link("dirname")
    done = run(system, checkout / ".ci" / "run", "--list")
    assert done.returncode == 0, done.stderr
    for session in ("lint", "types", "contracts", "tests"):
        assert f"* {session} ->" in done.stdout
    assert "nox: installing YAPMO and the development tools (uv)" in done.stderr


def test_set_up_with_the_real_installer(checkout: Path, system: System, tmp_path: Path) -> None:
    """The slow test: nothing but Python and ExifTool is there, and pip resolves, builds and installs everything.

    The wheels are those that this environment was installed from, so that neither an index nor a network decides.
    """
    for program in ("perl", "exiftool"):
        system.link(program)
    pack_requirements(tmp_path / "wheels")
    first = run(
        system,
        checkout / "yapmo",
        "--version",
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(tmp_path / "wheels"),
        PIP_NO_COMPILE="1",
    )
    assert (first.returncode, first.stdout) == (0, f"yapmo {__version__}\n"), first.stderr
    doctor = run(system, checkout / "yapmo", "doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout
    assert '"name": "textual", "verdict": "ok"' in doctor.stdout
    assert doctor.stderr == ""


def test_the_wheel_is_complete(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=TOP,
        capture_output=True,
        check=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "installed", "zip")
    package = tmp_path / "installed" / "tui"
    assert not list(package.glob("bootstrap*"))
    assert (package / "config.toml").read_bytes() == (TOP / "config.toml").read_bytes()
    code = "from tui.config import default_config, default_config_path; default_config(); print(default_config_path())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "installed", capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{package / 'config.toml'}\n"
