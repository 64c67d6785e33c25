"""The set-up before anything is installed: which programs it gets, and how it makes and keeps the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.setup.conftest import System, add_uv
from tui import bootstrap, packages
from tui.bootstrap import (
    SetUp,
    SetUpError,
    configured_exiftool,
    needs_exiftool,
    prepare_environment,
    prepare_programs,
)


@pytest.fixture(autouse=True)
def surroundings(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(system.bin))
    monkeypatch.setattr(packages, "EXTRA_PLACES", ())
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def setup_of(checkout: Path, *arguments: str, name: str = "yapmo") -> SetUp:
    return SetUp(name, str(checkout), arguments)


# The whole


class Replaced(Exception):  # noqa: N818  # not an error: the process would have become another program
    """Raised where this process would have become `command`."""

    def __init__(self, command: list[str]) -> None:
        self.command = command


@pytest.fixture
def becoming(monkeypatch: pytest.MonkeyPatch) -> None:
    def execv(path: str, command: list[str]) -> None:
        assert path == command[0]
        raise Replaced(command)

    monkeypatch.setattr(os, "execv", execv)


@pytest.mark.usefixtures("becoming")
def test_the_process_becomes_the_program_or_nox(checkout: Path, system: System) -> None:
    add_uv(system)
    for name in ("exiftool", "ffmpeg"):
        system.add(name)
    python = str(checkout / ".venv" / "bin" / "python")
    with pytest.raises(Replaced) as caught:
        bootstrap.main(["yapmo", str(checkout), "scan", "--json", "a b"])
    assert caught.value.command == [python, "-P", "-m", "tui", "scan", "--json", "a b"]
    with pytest.raises(Replaced) as caught:
        bootstrap.main(["nox", str(checkout), "-s", "lint"])
    assert caught.value.command == [
        python,
        "-P",
        "-m",
        "nox",
        "--noxfile",
        f"{checkout}/noxfile.py",
        "-s",
        "lint",
    ]
    assert os.environ["PATH"].split(os.pathsep)[0] == os.path.dirname(python)


@pytest.mark.usefixtures("becoming")
def test_a_set_up_that_cannot_go_on_ends_with_2_and_what_to_do(
    checkout: Path, system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    system.add("apk", "echo no network; exit 1")
    with pytest.raises(SystemExit) as caught:
        bootstrap.main(["yapmo", str(checkout)])
    assert caught.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[1:] == [
        "yapmo: ExifTool is missing, and apk failed: no network.",
        "yapmo: Type this, then start again:  apk add exiftool",
    ]


@pytest.mark.usefixtures("becoming")
def test_an_interrupted_set_up_ends_with_3(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "prepare_programs", interrupt)
    with pytest.raises(SystemExit) as caught:
        bootstrap.main(["yapmo", str(checkout)])
    assert caught.value.code == 3
    assert capsys.readouterr().err.startswith("yapmo: interrupted")


# Programs


@pytest.mark.parametrize(
    "arguments",
    [[], ["/srv/photos"], ["scan", "/srv"], ["demo"], ["--library", "search", "scan"], ["open", "x"]],
)
def test_what_reads_media_needs_exiftool(arguments: list[str]) -> None:
    assert needs_exiftool(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["scan", "--help"],
        ["--version"],
        ["config"],
        ["doctor", "--json"],
        ["--library", "x", "search", "beach"],
        ["--config=x", "roots"],
    ],
)
def test_what_only_tells_something_does_not_need_exiftool(arguments: list[str]) -> None:
    assert not needs_exiftool(arguments)


def test_every_command_either_needs_exiftool_or_is_known_not_to() -> None:
    from typer.main import get_command

    from tui.cli import app

    commands = set(getattr(get_command(app), "commands", {}))
    assert commands == bootstrap.WITHOUT_EXIFTOOL | {"scan", "demo", "open"}


def test_missing_exiftool_is_installed_and_said(
    checkout: Path, system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    system.link("cp")
    system.add("dnf", f'cp "$0" "{system.bin}/exiftool"')
    assert prepare_programs(setup_of(checkout)) == ""
    assert system.called() == ["dnf install -y perl-Image-ExifTool"]
    said = capsys.readouterr()
    assert said.err == "yapmo: ExifTool is missing; installing it: dnf install -y perl-Image-ExifTool\n"
    assert said.out == ""


def test_exiftool_that_is_there_is_left_alone(
    checkout: Path, system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    system.add("exiftool")
    system.add("apt-get")
    assert prepare_programs(setup_of(checkout)) == ""
    assert (system.called(), capsys.readouterr().err) == ([], "")


def test_exiftool_is_not_missed_where_it_is_not_needed(checkout: Path, system: System) -> None:
    system.add("apt-get")
    assert prepare_programs(setup_of(checkout, "doctor")) == ""
    assert system.called() == []


def test_development_needs_exiftool_and_ffmpeg(checkout: Path, system: System) -> None:
    system.link("cp")
    system.add(
        "apt-get",
        f'for last; do :; done; cp "$0" "{system.bin}/${{last%-perl}}"; cp "$0" "{system.bin}/exiftool"',
    )
    prepare_programs(setup_of(checkout, "-s", "lint", name="nox"))
    assert [line.split()[-1] for line in system.called()] == ["libimage-exiftool-perl", "ffmpeg"]


def test_without_the_right_to_install_the_exact_command_is_told(
    checkout: Path, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    system.add("apt-get")
    system.add("sudo", "exit 1")
    with pytest.raises(SetUpError, match="ExifTool is missing, and this user may not install it") as caught:
        prepare_programs(setup_of(checkout))
    command = "sudo apt-get install -y --no-install-recommends libimage-exiftool-perl"
    assert caught.value.hint == f"Type this, then start again:  {command}"


def test_an_unknown_system_is_told_where_to_look(checkout: Path) -> None:
    with pytest.raises(SetUpError) as caught:
        prepare_programs(setup_of(checkout))
    assert "exiftool.org" in caught.value.hint


def test_a_manager_that_claims_success_is_not_believed(checkout: Path, system: System) -> None:
    system.add("apk")
    with pytest.raises(SetUpError, match="still no program exiftool"):
        prepare_programs(setup_of(checkout))


def test_exiftool_outside_path_is_put_into_it(
    checkout: Path, system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "vendor_perl"
    place.mkdir()
    system.add("exiftool").rename(place / "exiftool")
    monkeypatch.setattr(packages, "EXTRA_PLACES", (str(place),))
    prepare_programs(setup_of(checkout))
    assert os.environ["PATH"] == f"{system.bin}:{place}"


@pytest.mark.parametrize("how", ["option", "option with =", "variable", "default place"])
def test_exiftool_that_the_configuration_names_is_accepted(
    checkout: Path, system: System, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    program = system.add("exiftool").rename(tmp_path / "my-exiftool")
    path = home / "config" / "yapmo" / "config.toml" if how == "default place" else tmp_path / "own.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[exiftool]\npath = "{program}"\n', encoding="utf-8")
    if how == "variable":
        monkeypatch.setenv("YAPMO_CONFIG", str(path))
    arguments = {"option": ["--config", str(path)], "option with =": [f"--config={path}"]}.get(how, [])
    assert prepare_programs(setup_of(checkout, *arguments, "scan")) == "configured"


@pytest.mark.parametrize(
    "content", ["[exiftool", "exiftool = 3", '[exiftool]\npath = "/nowhere/exiftool"', "[exiftool]\npath = 3"]
)
def test_a_configuration_that_names_no_program_is_no_exiftool(tmp_path: Path, content: str) -> None:
    (tmp_path / "own.toml").write_text(content, encoding="utf-8")
    assert configured_exiftool(["--config", str(tmp_path / "own.toml")]) == ""


# The environment


def python_of(environment: str) -> str:
    return os.path.join(environment, "bin", "python")


def test_an_environment_is_made_beside_the_checkout_and_kept(
    checkout: Path, system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    add_uv(system)
    setup = setup_of(checkout)
    environment = prepare_environment(setup, "")
    assert environment == str(checkout / ".venv")
    assert [line.split()[:3] for line in system.called()] == [["uv", "pip", "install"]]
    assert capsys.readouterr().err.splitlines() == [
        f"yapmo: making a Python environment in {environment}",
        "yapmo: installing YAPMO and what it needs (uv)",
    ]
    assert prepare_environment(setup, "") == environment
    assert len(system.called()) == 1
    assert capsys.readouterr().err == ""
    done = subprocess.run(
        [python_of(environment), "-P", "-m", "tui", "--version"], capture_output=True, cwd="/", check=True
    )
    assert done.stdout.startswith(b"yapmo ")


def test_development_adds_its_tools_to_the_same_environment(checkout: Path, system: System) -> None:
    add_uv(system)
    prepare_environment(setup_of(checkout), "")
    environment = prepare_environment(setup_of(checkout, name="nox"), "")
    runtime, development = system.called()
    assert "ruff" not in runtime
    assert {"mypy>=1.18", "nox>=2025.5"} <= set(development.split())
    assert sorted(name for name in os.listdir(environment) if name.startswith("yapmo-")) == sorted(
        bootstrap.STAMPS.values()
    )
    prepare_environment(setup_of(checkout), "")
    assert len(system.called()) == 2


def test_changed_requirements_are_installed_into_the_environment(checkout: Path, system: System) -> None:
    add_uv(system)
    environment = prepare_environment(setup_of(checkout), "")
    kept = Path(environment, "kept")
    kept.touch()
    with open(checkout / "pyproject.toml", "a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    prepare_environment(setup_of(checkout), "")
    assert len(system.called()) == 2
    assert kept.exists()


def test_a_touched_but_equal_pyproject_installs_nothing(checkout: Path, system: System) -> None:
    add_uv(system)
    environment = prepare_environment(setup_of(checkout), "")
    os.utime(checkout / "pyproject.toml", (1, 1))
    prepare_environment(setup_of(checkout), "")
    assert len(system.called()) == 1
    assert os.stat(os.path.join(environment, "yapmo-ready")).st_mtime == 1


def test_an_interrupted_set_up_is_made_anew(
    checkout: Path, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> list[str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(bootstrap, "find_pip", interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepare_environment(setup_of(checkout), "")
    rest = checkout / ".venv" / "half"
    rest.touch()
    assert (checkout / ".venv" / bootstrap.UNFINISHED).exists()
    add_uv(system)
    environment = prepare_environment(setup_of(checkout), "")
    assert not rest.exists()
    assert not os.path.exists(os.path.join(environment, bootstrap.UNFINISHED))


def test_an_environment_whose_python_vanished_is_made_anew(checkout: Path, system: System) -> None:
    add_uv(system)
    python = Path(python_of(prepare_environment(setup_of(checkout), "")))
    python.unlink()
    python.symlink_to("/nowhere/python3.11")
    prepare_environment(setup_of(checkout), "")
    assert subprocess.run([python, "-c", ""], check=False).returncode == 0


def test_a_checkout_that_was_moved_is_set_up_again(checkout: Path, system: System) -> None:
    add_uv(system)
    prepare_environment(setup_of(checkout), "")
    moved = checkout.rename(checkout.parent / "moved")
    environment = prepare_environment(setup_of(moved), "")
    done = subprocess.run(
        [python_of(environment), "-P", "-c", "import tui; print(tui.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(moved / "tui" / "__init__.py")


def test_a_folder_that_is_no_environment_is_not_emptied(checkout: Path, system: System) -> None:
    add_uv(system)
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "thesis.txt").touch()
    with pytest.raises(SetUpError, match="is in the way"):
        prepare_environment(setup_of(checkout), "")
    assert (checkout / ".venv" / "thesis.txt").exists()


def test_a_checkout_that_cannot_be_written_is_set_up_in_the_cache(
    checkout: Path, system: System, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_uv(system)
    real = os.makedirs

    def makedirs(name: str, mode: int = 0o777, exist_ok: bool = False) -> None:
        if name.startswith(str(checkout)):
            raise PermissionError(13, "Permission denied", name)
        real(name, mode, exist_ok)

    monkeypatch.setattr(os, "makedirs", makedirs)  # root may write everywhere, so permissions cannot show it
    environment = prepare_environment(setup_of(checkout), "")
    assert environment == f"{home}/.cache/yapmo{checkout}/.venv"
    assert prepare_environment(setup_of(checkout), "") == environment
    assert len(system.called()) == 1


def test_no_place_at_all_is_said(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    (checkout / ".venv").touch()
    with pytest.raises(SetUpError, match="There is no place") as caught:
        prepare_environment(setup_of(checkout), "")
    assert "XDG_CACHE_HOME" in caught.value.hint


def test_a_second_set_up_waits_for_the_first(checkout: Path, system: System) -> None:
    system.link("sleep")
    add_uv(system, f'[ -e "{checkout}/go" ] || sleep 1')
    code = (
        "import sys; from tui.bootstrap import SetUp, prepare_environment\n"
        "print(prepare_environment(SetUp('yapmo', sys.argv[1]), ''))"
    )
    environ = os.environ | {"PYTHONPATH": str(checkout)}
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", code, checkout],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        )
        for _ in range(3)
    ]
    answers = [start.communicate(timeout=60) for start in starts]
    assert {answer[0] for answer in answers} == {f"{checkout}/.venv\n"}
    assert len(system.called()) == 1
    assert sum("waiting for another set-up" in answer[1] for answer in answers) >= 1


def test_foreign_variables_do_not_lead_the_installation_astray(
    checkout: Path, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PIP_TARGET", "/nowhere")
    add_uv(
        system, f'echo "PIP_TARGET=${{PIP_TARGET-none}} PYTHONHOME=${{PYTHONHOME-none}}" >>"{system.calls}"'
    )
    prepare_environment(setup_of(checkout), "")
    assert "PIP_TARGET=none PYTHONHOME=none" in system.called()


# Installers


def test_pip_installs_where_uv_fails(
    checkout: Path, system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    system.add("uv", "echo no index; exit 2")
    pip = system.add("pip")
    monkeypatch.setattr(bootstrap, "find_pip", lambda *_: [str(pip)])
    prepare_environment(setup_of(checkout), "")
    assert f"pip install --disable-pip-version-check --no-input --editable {checkout}" in system.called()
    assert "uv failed, trying pip: no index" in capsys.readouterr().err.replace("    ", "")


def test_a_failed_step_tells_the_end_of_its_output(
    checkout: Path, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = system.add("pip", "echo ERROR: no route to host; exit 1")
    monkeypatch.setattr(bootstrap, "find_pip", lambda *_: [str(pip)])
    with pytest.raises(SetUpError, match="ERROR: no route to host"):
        prepare_environment(setup_of(checkout), "")
    assert not (checkout / ".venv" / "yapmo-ready").exists()


def test_the_pip_that_came_with_python_is_added_once(
    checkout: Path, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "base_python", lambda: str(system.add("base", "exit 1")))
    body = f'case "$*" in *ensurepip*) : >"{system.bin}/added" ;; *) [ -e "{system.bin}/added" ] ;; esac'
    python = str(system.add("python", body))
    with open(os.devnull, "rb") as lock:
        for _ in range(2):
            assert bootstrap.find_pip(setup_of(checkout), python, lock.fileno()) == [
                python,
                "-I",
                "-m",
                "pip",
            ]
    assert system.called().count("python -I -m ensurepip --default-pip") == 1


def test_the_pip_of_the_running_python_is_used_before_one_is_unpacked(
    checkout: Path, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = str(system.add("python", "exit 1"))
    monkeypatch.setattr(bootstrap, "base_python", lambda: str(system.add("base")))
    with open(os.devnull, "rb") as lock:
        pip = bootstrap.find_pip(setup_of(checkout), python, lock.fileno())
    assert pip == [bootstrap.base_python(), "-m", "pip", "--python", python]
    assert not [call for call in system.called() if "ensurepip" in call]


def test_without_any_pip_debians_package_is_installed_or_named(
    checkout: Path, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = str(
        system.add(
            "python", f'case "$*" in *ensurepip*) [ -e "{system.bin}/installed" ] ;; *) exit 1 ;; esac'
        )
    )
    monkeypatch.setattr(bootstrap, "base_python", lambda: python)
    package = f"python3.{sys.version_info.minor}-venv"
    system.add("apt-get", f': >"{system.bin}/installed"')
    system.add("sudo", "exit 1")
    with monkeypatch.context() as patched:
        patched.setattr(os, "geteuid", lambda: 1000)
        with (
            open(os.devnull, "rb") as lock,
            pytest.raises(SetUpError, match=f"may not install {package}") as caught,
        ):
            bootstrap.find_pip(setup_of(checkout), python, lock.fileno())
    assert f"sudo apt-get install -y --no-install-recommends {package}" in caught.value.hint
    with open(os.devnull, "rb") as lock:
        assert bootstrap.find_pip(setup_of(checkout), python, lock.fileno()) == [python, "-I", "-m", "pip"]
    assert f"apt-get install -y --no-install-recommends {package}" in system.called()


def test_environments_are_made_from_a_python_of_fixed_version_outside_any_environment() -> None:
    python = bootstrap.base_python()
    version = f"3.{sys.version_info.minor}"
    code = "import sys; print(sys.prefix == sys.base_prefix, '%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", version]
    assert os.path.basename(python) in (f"python{version}", "python3", "python")
