"""Finding ExifTool: where it is, whether it is new enough, and how to get it on this system."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import UsageError
from tui.packages import install_command
from tui.workers.process import minimal_environment

if TYPE_CHECKING:
    from tui.config import ExiftoolConfig

logger = logging.getLogger("yapmo.workers")

OLDEST_VERSION = (12, 40)
"""Older ones lack options that the pool needs, or run code out of files (CVE-2021-22204, CVE-2022-23935)."""

DOUBTFUL_VERSIONS = ((12, 82), (13, 53))
"""First and last version of the range with known faults: they work, with a warning."""

VERSION_TIMEOUT_S = 30.0
"""How long the program may take to tell its version (a cold disk, a busy machine)."""

_INSTALL_PAGE = "https://exiftool.org/install.html"


class ExiftoolMissingError(UsageError):
    """ExifTool is not there, or does not run."""


class ExiftoolTooOldError(UsageError):
    """ExifTool is older than `OLDEST_VERSION`."""


@dataclass(frozen=True, slots=True)
class ExiftoolProgram:
    """An ExifTool that was found and asked for its version.

    Attributes:
        path: absolute path of the program.
        version: as it says itself, such as `12.57`.
        warning: a sentence for people when this version is known for faults; else empty.
    """

    path: bytes
    version: str
    warning: str = ""


def find_exiftool(config: ExiftoolConfig) -> ExiftoolProgram:
    """Find the configured ExifTool, or the first in PATH, and ask for its version.

    Takes about 0.1 s and blocks: call it in a thread where that matters.

    Raises:
        ExiftoolMissingError: there is none, or it does not run.
        ExiftoolTooOldError: it is too old.
    """
    path = _locate(config.path)
    version = _ask_version(path)
    numbers = _parse_version(version)
    oldest = _format_version(OLDEST_VERSION)
    if numbers < OLDEST_VERSION:
        raise ExiftoolTooOldError(
            f"ExifTool {version} at {display(path)} is too old: YAPMO needs {oldest} or newer.",
            hint=update_hint(),
        )
    warning = ""
    if DOUBTFUL_VERSIONS[0] <= numbers <= DOUBTFUL_VERSIONS[1]:
        first, last = (_format_version(edge) for edge in DOUBTFUL_VERSIONS)
        warning = f"ExifTool {version} is one of {first} to {last}, which have known faults: update it."
        logger.warning("%s", warning)
    return ExiftoolProgram(path, version, warning)


def install_hint() -> str:
    """Return one sentence on how to get ExifTool here."""
    command = install_command("exiftool")
    how = f"Install it with: {command}" if command else f"Install it from {_INSTALL_PAGE}"
    return f"{how}, or set exiftool.path in the configuration to where it is."


def update_hint() -> str:
    """Return one sentence on how to get a newer ExifTool; the packages of a system may have none."""
    command = install_command("exiftool")
    how = f"Update it with: {command}; where that has no newer one, get it" if command else "Get a newer one"
    return f"{how} from {_INSTALL_PAGE} and set exiftool.path in the configuration to it."


def _locate(configured: str) -> bytes:
    if not configured:
        found = shutil.which("exiftool")
        if found is None:
            raise ExiftoolMissingError("ExifTool is not installed.", hint=install_hint())
    else:
        found = shutil.which(os.path.expanduser(configured))
        if found is None:
            raise ExiftoolMissingError(
                f"exiftool.path in the configuration names {display(configured)}, which is no program.",
                hint=install_hint(),
            )
    return os.path.abspath(os.fsencode(found))


def _ask_version(path: bytes) -> str:
    try:
        done = subprocess.run(
            [path, b"-config", b"", b"-ver"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=VERSION_TIMEOUT_S,
            cwd="/",
            env=minimal_environment(),
            check=False,
        )
    except OSError as error:
        raise ExiftoolMissingError(
            f"{display(path)} does not run: {error.strerror}.", hint=install_hint()
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ExiftoolMissingError(
            f"{display(path)} did not tell its version within {VERSION_TIMEOUT_S:g} s.", hint=install_hint()
        ) from error
    version = done.stdout.decode("ascii", "replace").strip()
    if done.returncode or not _parse_version(version):
        said = display(done.stderr.decode("utf-8", "replace").strip()[:300] or version[:100] or "nothing")
        raise ExiftoolMissingError(
            f"{display(path)} is no working ExifTool; it said: {said}", hint=install_hint()
        )
    return version


def _parse_version(version: str) -> tuple[int, ...]:
    """Return the numbers of a version (`12.57` → (12, 57)), empty when it is none."""
    match = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", version)
    return tuple(int(number) for number in match.groups()) if match else ()


def _format_version(numbers: tuple[int, int]) -> str:
    return f"{numbers[0]}.{numbers[1]:02}"
