"""Section E of the threats, as far as anything is written: the configuration, the library, the demo's media.

Renaming and exports do not exist yet; their cases (41, 42, 44, 46, 47) come with them.
"""

from __future__ import annotations

import os
import resource
import stat
from typing import TYPE_CHECKING

import pytest

from tests.media import make_jpeg, write_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.trust.ground import Ground

OLD = b"# mine\n[scan]\nmax_workers = 3\n"


def with_full_disk(free_bytes: int = 0) -> Callable[[], None]:
    """Return what makes every write beyond `free_bytes` of a file fail, as on a full disk (EFBIG)."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, free_bytes))


def config_of(ground: Ground) -> Path:
    path = ground.home / "config" / "yapmo" / "config.toml"
    write_file(path, OLD)
    path.chmod(0o600)
    return path


@pytest.fixture
def apart(ground: Ground) -> Ground:
    """Return a ground without a library to compare."""
    ground.library_stays_apart = True
    ground.begin()
    return ground


def test_48_a_configuration_that_cannot_be_written_stays_as_it_was(apart: Ground) -> None:
    path = config_of(apart)
    outcome = apart.run("config", "set", "scan.max_workers", "5", preexec_fn=with_full_disk())
    assert outcome.code == 2
    assert str(path) in outcome.said
    assert path.read_bytes() == OLD
    assert os.listdir(path.parent) == ["config.toml"]


def test_48_a_configuration_that_is_a_link_stays_one(apart: Ground) -> None:
    path = config_of(apart)
    kept = apart.folder / "dotfiles" / "yapmo.toml"
    write_file(kept, OLD)
    path.unlink()
    path.symlink_to(kept)
    assert apart.run("config", "set", "scan.max_workers", "5").code == 0
    assert path.is_symlink()
    assert b"max_workers = 5" in kept.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_48_a_library_that_does_not_fit_is_not_half_made(apart: Ground) -> None:
    make_jpeg(apart.media / "a.jpg", 1)
    apart.begin()
    outcome = apart.scan(preexec_fn=with_full_disk(60_000))
    assert outcome.code == 4
    assert str(apart.library) in outcome.said
    assert [name for name in os.listdir(apart.library.parent) if name.startswith("library.yapmo.new")] == []
    assert not apart.library.exists()


@pytest.mark.parametrize("what", ["link", "folder"])
def test_48_what_stands_in_the_place_of_a_new_library_is_not_written_through(
    apart: Ground, what: str
) -> None:
    """A link that somebody put where the library will be, or a folder."""
    victim = apart.folder / "victim"
    write_file(victim, b"precious")
    if what == "link":
        apart.library.symlink_to(victim)
    else:
        apart.library.mkdir()
    assert apart.scan().code == 4
    assert victim.read_bytes() == b"precious"


def test_40_the_demo_overwrites_nothing(apart: Ground) -> None:
    """A folder with other things in it is refused (tests/operations has what is in a folder of the demo already)."""
    write_file(apart.media / "mine.txt", b"precious")
    apart.begin()
    outcome = apart.run("demo", "--no-open", str(apart.media))
    assert outcome.code == 2
    assert str(apart.media) in outcome.said


def test_45_a_demo_that_may_not_be_written_or_does_not_fit_says_so(apart: Ground) -> None:
    place = apart.folder / "closed" / "demo"
    place.parent.mkdir(mode=0o755)
    apart.folder.chmod(0o755)
    outcome = apart.run("demo", "--no-open", str(place), preexec_fn=with_full_disk())
    assert outcome.code == 2
    assert str(place) in outcome.said
    left = [
        name
        for _, folders, names in os.walk(place)
        for name in (*folders, *names)
        if name.startswith(".making")
    ]
    assert left == []
