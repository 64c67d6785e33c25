"""Commands in this process, and a small catalogued library that real scans made."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.media import make_encoded, make_jpeg, write_file
from tui.cli import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LATIN_1 = b"caf\xe9.jpg"
HOSTILE = "[/] \x1b]52;c;QUJD\x07 \u202e [@click=app.quit]x"


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it wrote."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.stdout.decode().splitlines()

    @property
    def rows(self) -> list[list[str]]:
        """The lines of stdout as columns."""
        return [line.split("\t") for line in self.lines]

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The lines of stdout as JSON objects; a constant that JSON does not know is an error."""
        return [json.loads(line, parse_constant=_refuse) for line in self.stdout.split(b"\n") if line]


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


class Yapmo(Protocol):
    """Runs one command line."""

    def __call__(self, *arguments: str) -> Outcome: ...


@pytest.fixture
def yapmo(capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Yapmo]:
    """Run commands in this process: what `python -m tui` does, without the start of a process."""

    def call(*arguments: str) -> Outcome:
        capfdbinary.readouterr()
        code = run(list(arguments))
        sys.stdout.flush()
        captured = capfdbinary.readouterr()
        return Outcome(code, captured.out, captured.err.decode())

    yield call
    logger = logging.getLogger("yapmo")
    for handler in tuple(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def start(*arguments: str, **how: Any) -> subprocess.Popen[bytes]:
    """Start the real program in a process of its own."""
    command = [sys.executable, "-m", "tui", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


@dataclass(frozen=True)
class Catalogue:
    """Media in a folder, and the library that catalogues them."""

    media: Path
    library: Path

    @property
    def option(self) -> tuple[str, str]:
        """What names the library on a command line."""
        return "--library", str(self.library)

    def path(self, name: str) -> str:
        """Return the absolute path of a file."""
        return str(self.media / name)


@pytest.fixture(scope="session")
def first_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """Make media, hostile ones among them, and let the real program scan them."""
    folder = tmp_path_factory.mktemp("catalogue")
    media = folder / "media"
    make_jpeg(media / "2019" / "beach.jpg", 1, gps=(38.5, -9.25))
    make_jpeg(
        media / "2019" / "forest 東京.jpg", 2, taken="2020:01:02 03:04:05", model="NIKON D750", make="NIKON"
    )
    make_jpeg(os.fsencode(media) + b"/" + LATIN_1, 3)
    make_jpeg(os.fsencode(media) + b"/esc\x1b[31m\xc2\x9b\xe2\x80\xae.jpg", 4)
    make_jpeg(media / "two\nlines.jpg", 5)
    make_encoded(media / "song.mp3", title=HOSTILE, artist="Björk")
    write_file(media / "damaged.jpg", b"\x00\x01" * 700)
    catalogue = Catalogue(media, folder / "library.yapmo")
    environ = {**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    command = [sys.executable, "-m", "tui", "scan", "--json", *catalogue.option, str(media)]
    done = subprocess.run(command, check=True, capture_output=True, env=environ)
    assert json.loads(done.stdout.splitlines()[-1])["files"] == 7
    return catalogue


@pytest.fixture
def catalogue(first_catalogue: Catalogue, tmp_path: Path) -> Catalogue:
    """Return a library of the test's own; the media are shared, so leave them as they are."""
    library = tmp_path / "library.yapmo"
    shutil.copy(first_catalogue.library, library)
    return Catalogue(first_catalogue.media, library)
