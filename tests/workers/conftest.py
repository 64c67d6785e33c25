"""Fixtures for the workers: after every test no child may be left, by process id and start time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.media import jpeg_bytes
from tests.workers.fake_exiftool import write_fake_exiftool
from tui.workers.exiftool import ExiftoolKind, ExiftoolProgram, find_exiftool
from tui.workers.kind import WorkerLimits
from tui.workers.usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def list_children() -> set[tuple[int, str]]:
    """Return process id and start time of every child of this process, collected or not."""
    found = set()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue
        usage = read_usage(int(name))
        if parent == os.getpid() and usage is not None:
            found.add((int(name), usage.started))
    return found


@pytest.fixture(autouse=True)
def no_child_left() -> Iterator[None]:
    """Fail the test that leaves a child behind, dead or alive."""
    before = list_children()
    yield
    left = list_children() - before
    assert not left, f"left behind: {left}"


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """Return an empty folder for the files to read."""
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


@pytest.fixture
def write(media: Path) -> Callable[[str | bytes], bytes]:
    """Return a function that writes a small JPEG of the given name and returns its path."""
    content = jpeg_bytes(1)

    def write(name: str | bytes) -> bytes:
        path = os.path.join(os.fsencode(media), os.fsencode(name))
        with open(path, "wb") as file:
            file.write(content)
        return path

    return write


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., ExiftoolKind]:
    """Return a function that makes a kind of fake ExifTools; keywords are limits, and `start`, `version`."""

    def make(*, start: str = "good", version: str = "12.57", **limits: float) -> ExiftoolKind:
        program = write_fake_exiftool(tmp_path, start=start, version=version)
        return ExiftoolKind(program, make_limits(**limits))

    return make


def make_limits(**limits: float) -> WorkerLimits:
    """Return limits that let a test end soon."""
    return WorkerLimits(**{"timeout_s": 20.0, "cpu_s": 10.0, "start_s": 20.0, **limits})  # type: ignore[arg-type]  # ints and floats by name


@pytest.fixture(scope="session")
def real_program() -> ExiftoolProgram:
    """Return the ExifTool of this machine."""
    from tui.config import default_config

    return find_exiftool(default_config().exiftool)


@pytest.fixture
def real(real_program: ExiftoolProgram) -> Callable[..., ExiftoolKind]:
    """Return a function that makes a kind of real ExifTools under the given limits."""
    return lambda **limits: ExiftoolKind(real_program, make_limits(**limits))
