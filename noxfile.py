"""Everything that is checked before a change counts: `./nox` runs it all, `./nox -s tests -- tests/scan` a part.

The sessions share the environment that ./nox made (docs/decisions/one-environment.md), so none installs anything.
"""

from __future__ import annotations

import os
import sys

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "contracts", "tests"]
nox.options.error_on_missing_interpreters = True

PARALLEL = "4"
"""Test processes: twice as many as continuous integration has cores, since most tests wait for other processes."""

_ALL_TESTS = ("-q", "-n", PARALLEL, "--dist", "worksteal")


def _tool(name: str) -> str:
    """Return the path of a development tool that lies beside the running Python."""
    return os.path.join(os.path.dirname(sys.executable), name)


@nox.session
def lint(session: nox.Session) -> None:
    """Style: rules and format (ruff)."""
    session.run(_tool("ruff"), "check", ".")
    session.run(_tool("ruff"), "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types: mypy --strict over the program and the tests."""
    session.run(_tool("mypy"))


@nox.session
def contracts(session: nox.Session) -> None:
    """Architecture: who may import whom (import-linter)."""
    session.run(_tool("lint-imports"))


@nox.session
def tests(session: nox.Session) -> None:
    """Tests; with arguments, pytest gets them."""
    session.run(_tool("pytest"), *(session.posargs or _ALL_TESTS))


@nox.session
def trust(session: nox.Session) -> None:
    """The attacks of tests/trust alone, a sample of the long sweeps; `-- --all` runs those whole."""
    rest = [word for word in session.posargs if word != "--all"]
    whole = {"YAPMO_TRUST": "all"} if "--all" in session.posargs else {}
    session.run(_tool("pytest"), *_ALL_TESTS, "tests/trust", *rest, env=whole)


@nox.session
def soak(session: nox.Session) -> None:
    """Not part of the gate: half an hour of scanning, changing, searching and aborting (`-- --minutes 5`)."""
    session.run(
        os.path.join(os.path.dirname(sys.executable), "python"), "-m", "tests.trust.soak", *session.posargs
    )


@nox.session
def coverage(session: nox.Session) -> None:
    """Not part of the gate, because it takes twice as long: all tests with coverage, also of the processes that they start."""
    program = _tool("coverage")
    session.run(program, "erase")
    session.run(program, "run", "-m", "pytest", *_ALL_TESTS)
    session.run(program, "combine", "--quiet")
    session.run(program, "report")


@nox.session
def fix(session: nox.Session) -> None:
    """Not part of the gate: let ruff mend and format what it can."""
    session.run(_tool("ruff"), "check", "--fix", ".")
    session.run(_tool("ruff"), "format", ".")
