"""Checkouts to set up, and stand-ins for the programs of a system: package managers, uv, exiftool."""

from __future__ import annotations

import os
import shutil
import site
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
LAUNCHED = ("yapmo", "nox", "pyproject.toml", "config.toml", "README.md", "LICENSE", "noxfile.py")


@dataclass(frozen=True)
class System:
    """A PATH that holds nothing but stand-ins, each of which writes its arguments into `calls`."""

    bin: Path
    calls: Path

    def add(self, name: str, body: str = "") -> Path:
        """Put a program into PATH: a shell script that records how it was called, then runs `body`."""
        program = self.bin / name
        program.unlink(missing_ok=True)  # never write through a link into the real system
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.calls}"\n{body}\n', encoding="utf-8")
        program.chmod(0o755)
        return program

    def link(self, name: str, target: str | None = None) -> None:
        """Put a program of the real system into PATH."""
        found = target or shutil.which(name, path=os.defpath)
        assert found, name
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).symlink_to(found)

    def called(self) -> list[str]:
        """Return the command lines so far."""
        return self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []


@pytest.fixture
def system(tmp_path: Path) -> System:
    (tmp_path / "bin").mkdir()
    made = System(tmp_path / "bin", tmp_path / "calls")
    made.link("readlink")
    made.link("python3", base_python())
    return made


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the launchers need, in a folder with spaces."""
    return copy_checkout(tmp_path / "my check out")


def copy_checkout(folder: Path) -> Path:
    folder.mkdir()
    for name in LAUNCHED:
        shutil.copy2(TOP / name, folder / name)
    shutil.copytree(TOP / "tui", folder / "tui", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def base_python() -> str:
    """The Python outside the environment that the tests run in."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def add_uv(system: System, before: str = "") -> Path:
    """Put a uv into PATH that installs by pointing into the checkout and into this environment."""
    script = system.bin / "uv.py"
    script.write_text(
        "import glob, os, sys\n"
        "words = sys.argv[1:]\n"
        "environment = os.path.dirname(os.path.dirname(words[words.index('--python') + 1]))\n"
        "checkout = words[words.index('--editable') + 1]\n"
        "[folder] = glob.glob(os.path.join(environment, 'lib', 'python3*', 'site-packages'))\n"
        f"paths = [checkout, *{[*site.getsitepackages()]!r}]\n"
        "open(os.path.join(folder, 'fake.pth'), 'w').write('\\n'.join(paths))\n",
        encoding="utf-8",
    )
    return system.add("uv", f'{before}\nexec "{base_python()}" "{script}" "$@"')
