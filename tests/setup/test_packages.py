"""Installing a program: every package manager, with and without the right to use it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tui import packages

if TYPE_CHECKING:
    from tests.setup.conftest import System


@pytest.fixture(autouse=True)
def path(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(system.bin))
    monkeypatch.setattr(packages, "EXTRA_PLACES", ())


def become(user: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", "apt-get install -y --no-install-recommends libimage-exiftool-perl"),
        ("dnf", "dnf install -y perl-Image-ExifTool"),
        ("zypper", "zypper --non-interactive install exiftool"),
        ("pacman", "pacman -S --noconfirm --needed perl-image-exiftool"),
        ("apk", "apk add exiftool"),
        ("xbps-install", "xbps-install -y exiftool"),
        ("emerge", "emerge --ask=n media-libs/exiftool"),
    ],
)
def test_root_installs_with_the_manager_of_the_system(
    system: System, monkeypatch: pytest.MonkeyPatch, manager: str, command: str
) -> None:
    become(0, monkeypatch)
    system.add(manager)
    assert packages.may_install()
    assert packages.install_command("exiftool") == command
    packages.install("exiftool")
    assert system.called() == [command]


def test_homebrew_installs_for_a_user_and_refuses_root(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.add("brew")
    become(0, monkeypatch)
    assert not packages.may_install()
    become(501, monkeypatch)
    packages.install("exiftool")
    assert system.called() == ["brew install exiftool"]


def test_the_manager_of_the_system_comes_before_homebrew(system: System) -> None:
    system.add("brew")
    system.add("dnf")
    manager = packages.find_manager()
    assert manager is not None
    assert manager.program == "dnf"


def test_empty_package_lists_are_brought_up_to_date(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    become(0, monkeypatch)
    fresh = system.bin / "lists"
    system.add(
        "apt-get",
        f'case $1 in update) : >"{fresh}" ;; *) [ -e "{fresh}" ] || {{ echo "E: unknown"; exit 100; }} ;; esac',
    )
    packages.install("exiftool")
    verbs = [line.split()[1] for line in system.called()]
    assert verbs == ["install", "update", "install"]


def test_a_user_with_sudo_installs_without_a_question(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(1000, monkeypatch)
    system.add("apt-get")
    system.add("sudo", '[ "$1" = -n ] && shift && [ "$1" != true ] && exec "$@"; exit 0')
    assert packages.install_command("exiftool").startswith("sudo apt-get install")
    packages.install("exiftool")
    assert system.called()[:2] == [
        "sudo -n true",
        "sudo -n apt-get install -y --no-install-recommends libimage-exiftool-perl",
    ]
    assert system.called()[2].startswith("apt-get install")


@pytest.mark.parametrize("with_sudo", [True, False])
def test_without_the_right_nothing_is_installed_and_the_command_is_told(
    system: System, monkeypatch: pytest.MonkeyPatch, with_sudo: bool
) -> None:
    become(1000, monkeypatch)
    system.add("dnf")
    if with_sudo:
        system.add("sudo", "exit 1")
    with pytest.raises(packages.InstallError) as caught:
        packages.install("exiftool")
    wanted = "dnf install -y perl-Image-ExifTool"
    assert caught.value.command == (f"sudo {wanted}" if with_sudo else f"su -c '{wanted}'")
    assert not packages.may_install()
    assert not [line for line in system.called() if line.startswith("dnf")]


def test_a_failure_tells_the_last_line(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    become(0, monkeypatch)
    system.add("apk", "echo reading; echo ERROR: no network; exit 1")
    with pytest.raises(packages.InstallError, match="apk failed: ERROR: no network"):
        packages.install("exiftool")


def test_a_silent_failure_tells_the_exit_code(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    become(0, monkeypatch)
    system.add("apk", "exit 7")
    with pytest.raises(packages.InstallError, match="apk failed: exit code 7"):
        packages.install("exiftool")


def test_an_unknown_system_has_no_command() -> None:
    assert packages.find_manager() is None
    assert packages.install_command("exiftool") == ""
    with pytest.raises(packages.InstallError):
        packages.install("exiftool")
