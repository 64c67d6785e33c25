"""How this system installs a program: the package manager that PATH holds, and the exact command for a person.

Standard library only: the set-up runs this before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EXTRA_PLACES = ("/opt/homebrew/bin", "/usr/bin/vendor_perl")
"""Where package managers put programs that PATH may not hold before the next login."""

_INSTALL_TIMEOUT_S = 1800.0


@dataclass(frozen=True, slots=True)
class PackageManager:
    """One package manager.

    Attributes:
        program: its command.
        install: arguments before the names of packages; it must ask nothing.
        refresh: arguments that bring its lists up to date, empty where it does so itself.
        packages: the package of each program that is called otherwise here.
        needs_root: False for one that refuses to run as root.
        environment: variables that keep it from asking.
    """

    program: str
    install: tuple[str, ...]
    refresh: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    needs_root: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, program: str) -> list[str]:
        """Return the command that installs `program`, without what makes it root."""
        return [self.program, *self.install, self.packages.get(program, program)]


MANAGERS = (
    PackageManager(
        "apt-get",
        ("install", "-y", "--no-install-recommends"),
        ("update",),
        {"exiftool": "libimage-exiftool-perl"},
        environment={"DEBIAN_FRONTEND": "noninteractive"},
    ),
    PackageManager(
        "dnf", ("install", "-y"), (), {"exiftool": "perl-Image-ExifTool", "ffmpeg": "ffmpeg-free"}
    ),
    PackageManager("zypper", ("--non-interactive", "install")),
    PackageManager("pacman", ("-S", "--noconfirm", "--needed"), (), {"exiftool": "perl-image-exiftool"}),
    PackageManager("apk", ("add",)),
    PackageManager("xbps-install", ("-y",), ("-S",)),
    PackageManager(
        "emerge", ("--ask=n",), (), {"exiftool": "media-libs/exiftool", "ffmpeg": "media-video/ffmpeg"}
    ),
    PackageManager(
        "brew",
        ("install",),
        needs_root=False,
        environment={"HOMEBREW_NO_AUTO_UPDATE": "1", "HOMEBREW_NO_ENV_HINTS": "1"},
    ),
)
"""In the order in which they are looked for: the system's own before Homebrew."""


class InstallError(Exception):
    """A program could not be installed; `command` is what a person can type instead, "" where none is known."""

    def __init__(self, message: str, command: str = "") -> None:
        """Keep what happened and the command."""
        super().__init__(message)
        self.command = command


def find_program(name: str) -> str | None:
    """Return the absolute path of a program in PATH or `EXTRA_PLACES`, None where there is none."""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(EXTRA_PLACES))


def find_manager() -> PackageManager | None:
    """Return the package manager of this system, None when it has none that is known."""
    return next((manager for manager in MANAGERS if find_program(manager.program)), None)


def install_command(program: str) -> str:
    """Return the exact command that a person types to install `program`, "" where none is known."""
    manager = find_manager()
    if manager is None:
        return ""
    command = " ".join(manager.command(program))
    if not manager.needs_root or os.geteuid() == 0:
        return command
    return f"sudo {command}" if find_program("sudo") else f"su -c '{command}'"


def may_install() -> bool:
    """Return whether this user can install packages without being asked anything."""
    manager = find_manager()
    return manager is not None and _prefix(manager) is not None


def install(program: str) -> None:
    """Install `program` with the system's package manager, without a question.

    Raises:
        InstallError: there is no package manager or no right to use it, or it failed.
    """
    manager = find_manager()
    prefix = _prefix(manager) if manager else None
    if manager is None or prefix is None:
        raise InstallError("this user may not install it", install_command(program))
    said = _run(manager, [*prefix, *manager.command(program)])
    if said and manager.refresh:  # the lists of a fresh system are empty or old
        _run(manager, [*prefix, manager.program, *manager.refresh])
        said = _run(manager, [*prefix, *manager.command(program)])
    if said:
        raise InstallError(f"{manager.program} failed: {said}", install_command(program))


def _prefix(manager: PackageManager) -> list[str] | None:
    """Return what stands before the command to have the right to run it, None when nothing gives that right."""
    if not manager.needs_root:
        return None if os.geteuid() == 0 else []
    if os.geteuid() == 0:
        return []
    sudo = find_program("sudo")
    if sudo is None:
        return None
    asked = subprocess.run([sudo, "-n", "true"], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    return [sudo, "-n"] if asked.returncode == 0 else None


def _run(manager: PackageManager, command: list[str]) -> str:
    """Run a package manager; return "" when it did what it should, else the last line that it said."""
    command = [find_program(command[0]) or command[0], *command[1:]]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_INSTALL_TIMEOUT_S,
            env=os.environ | manager.environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else f"exit code {done.returncode}"
