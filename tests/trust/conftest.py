"""Fixtures of the trust suite; TRUST.md's cases by number. `./nox -s trust -- --all` runs the long sweeps whole."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.process_tree import adopt_orphans
from tests.trust.ground import Ground
from tests.trust.mounts import enter_own_namespace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHOLE = os.environ.get("YAPMO_TRUST") == "all"
"""True when the sweeps run whole instead of a sample."""


@pytest.fixture
def ground(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ground]:
    """Return a ground; when the test has passed so far, everything that must hold after each case is checked."""
    adopt_orphans()
    ground = Ground(tmp_path)
    failed_before = request.session.testsfailed
    yield ground
    with ground.at_the_end:
        if request.session.testsfailed == failed_before:
            ground.end()
        else:
            ground.give_up()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that mounts disks (marked `mounts`) where that is allowed: for root, else in a user namespace of its own."""
    if pyfuncitem.get_closest_marker("mounts") is None:
        return None
    if os.geteuid() != 0:
        _run_as_root_of_a_namespace(pyfuncitem)
        return True
    try:
        enter_own_namespace()
    except OSError as error:
        pytest.skip(f"nothing may be mounted here: {error.strerror}")
    return None


def _run_as_root_of_a_namespace(item: pytest.Function) -> None:
    """Run one test by a pytest of its own below `unshare`."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("nothing may be mounted here: no user namespaces")
    command = [
        "unshare",
        "-rm",
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, item.nodeid], cwd=item.config.rootpath, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    ground = item.funcargs["ground"]
    assert isinstance(ground, Ground)
    ground.library_stays_apart = True  # nothing was done on this one
