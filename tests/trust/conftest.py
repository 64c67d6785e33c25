"""Fixtures of the trust suite; TRUST.md's cases by number. `./nox -s trust -- --all` runs the long sweeps whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.process_tree import adopt_orphans
from tests.trust.ground import Ground

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
    if request.session.testsfailed == failed_before:
        ground.end()
    else:
        ground.give_up()
