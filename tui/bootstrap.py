"""What `./yapmo` and `./nox` run before anything is installed: make the environment, get ExifTool, start the program.

Standard library only. Each step is one line on stderr, stdout stays with the program. How it decides, and why, is in
docs/decisions/launchers.md.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from tui import packages
from tui.paths import trust_only_absolute_programs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UNFINISHED = "yapmo-unfinished"
"""Stands in an environment while it is being made: what is found with it was interrupted, and is made anew."""

STAMPS = {"yapmo": "yapmo-ready", "nox": "yapmo-ready-for-development"}
"""The file in an environment that says for which checkout and requirements it is complete."""

COMPLETION = "_YAPMO_COMPLETE"
"""The variable by which a shell asks what it may offer behind Tab."""

WITHOUT_EXIFTOOL = frozenset(
    {"search", "show", "problems", "stats", "roots", "config", "doctor", "backup", "restore"}
)
"""Commands that work where ExifTool is missing; the others are not started without it."""

_SHOWS_AND_ENDS = frozenset({"--help", "-h", "--version", "--install-completion", "--show-completion"})
_FOREIGN = (
    "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "CONDA_PREFIX",
    "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_PYTHON", "UV_PYTHON",
)  # fmt: skip
"""Variables that would send an installation somewhere else than into the environment."""


class SetUpError(Exception):
    """The set-up cannot go on; `hint` is what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep what happened and what to do."""
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class SetUp:
    """What is to be set up.

    Attributes:
        name: the launcher, `yapmo` or `nox`.
        checkout: absolute path of the checkout.
        arguments: what the launcher was called with.
    """

    name: str
    checkout: str
    arguments: tuple[str, ...] = ()

    def say(self, message: str) -> None:
        """Print one line for the person who waits."""
        print(f"{self.name}: {message}", file=sys.stderr, flush=True)

    @property
    def project(self) -> str:
        """The file that names the requirements."""
        return os.path.join(self.checkout, "pyproject.toml")


def main(arguments: Sequence[str]) -> NoReturn:
    """Set up what is missing, then become the program; exit code 2 when that is not possible.

    Args:
        arguments: name of the launcher, path of the checkout, and the launcher's own arguments.
    """
    trust_only_absolute_programs()
    setup = SetUp(arguments[0], arguments[1], tuple(arguments[2:]))
    if os.environ.get(COMPLETION):
        sys.exit(0)  # a press of Tab installs nothing
    try:
        exiftool = prepare_programs(setup)
        environment = prepare_environment(setup, exiftool)
    except SetUpError as error:
        setup.say(str(error))
        if error.hint:
            setup.say(error.hint)
        sys.exit(2)
    except KeyboardInterrupt:
        setup.say("interrupted; the next start sets up what is missing.")
        sys.exit(3)
    start(setup, environment)


def start(setup: SetUp, environment: str) -> NoReturn:
    """Replace this process by YAPMO, or by nox with the development tools first in PATH."""
    python = os.path.join(environment, "bin", "python")
    if setup.name == "yapmo":
        os.execv(python, [python, "-P", "-m", "tui", *setup.arguments])  # noqa: S606  # becoming the program is the aim
    os.environ["PATH"] = os.pathsep.join((os.path.dirname(python), os.environ.get("PATH", os.defpath)))
    noxfile = os.path.join(setup.checkout, "noxfile.py")
    os.execv(python, [python, "-P", "-m", "nox", "--noxfile", noxfile, *setup.arguments])  # noqa: S606  # as above


# Programs of the system


def prepare_programs(setup: SetUp) -> str:
    """Install ExifTool (for ./nox also ffmpeg, which makes media for the tests) where it is missing and needed.

    Returns:
        "configured" when ExifTool is not in PATH but named in the user's configuration, else "".

    Raises:
        SetUpError: a program is needed, is missing, and could not be installed.
    """
    exiftool = ""
    if packages.find_program("exiftool") is None and setup.name == "yapmo":
        if configured_exiftool(setup.arguments):
            exiftool = "configured"
        elif needs_exiftool(setup.arguments):
            _install_program(setup, "exiftool", "ExifTool")
    elif setup.name == "nox":
        for program, title in (("exiftool", "ExifTool"), ("ffmpeg", "ffmpeg")):
            if packages.find_program(program) is None:
                _install_program(setup, program, title)
    _extend_path()
    return exiftool


def needs_exiftool(arguments: Sequence[str]) -> bool:
    """Return whether a command line reads media, rather than shows help or works on the library alone."""
    if _SHOWS_AND_ENDS.intersection(arguments):
        return False
    words = list(arguments)
    while words and words[0].startswith("-") and words[0] != "--":
        del words[: 2 if words[0] in ("--library", "--config") else 1]
    return not (words and words[0] in WITHOUT_EXIFTOOL)


def configured_exiftool(arguments: Sequence[str]) -> str:
    """Return `exiftool.path` of the user's configuration if it names a program, else ""."""
    for path in _config_paths(arguments):
        try:
            with open(path, "rb") as file:
                named = tomllib.load(file).get("exiftool", {}).get("path", "")
            return (named and shutil.which(os.path.expanduser(named))) or ""
        except (OSError, ValueError, AttributeError, TypeError):
            continue  # YAPMO itself says what is wrong with the file
    return ""


def _config_paths(arguments: Sequence[str]) -> Iterator[str]:
    """Yield where the configuration may be: the first that can be read holds (as in tui/config.py)."""
    for index, argument in enumerate(arguments):
        if argument.startswith("--config="):
            yield argument.removeprefix("--config=")
        elif argument == "--config" and index + 1 < len(arguments):
            yield arguments[index + 1]
    if os.environ.get("YAPMO_CONFIG"):
        yield os.environ["YAPMO_CONFIG"]
    for folder in (os.environ.get("XDG_CONFIG_HOME") or "~/.config", "~/Library/Application Support"):
        yield os.path.join(os.path.expanduser(folder), "yapmo", "config.toml")


def _install_program(setup: SetUp, program: str, title: str) -> None:
    command = packages.install_command(program)
    if packages.may_install():
        setup.say(f"{title} is missing; installing it: {command}")
    try:
        packages.install(program)
    except packages.InstallError as error:
        hint = (
            f"Type this, then start again:  {command}" if command else "See https://exiftool.org/install.html"
        )
        raise SetUpError(f"{title} is missing, and {error}.", hint) from error
    if packages.find_program(program) is None:
        raise SetUpError(f"{title} was installed, but there is still no program {program} in PATH.")


def _extend_path() -> None:
    """Put the folder of an ExifTool that only the next login would find into this PATH."""
    found = packages.find_program("exiftool")
    if found and shutil.which("exiftool") is None:
        os.environ["PATH"] = os.pathsep.join((os.environ.get("PATH", os.defpath), os.path.dirname(found)))


# The environment


def prepare_environment(setup: SetUp, exiftool: str) -> str:
    """Make or complete the environment of the checkout.

    Args:
        setup: what is to be set up.
        exiftool: what `prepare_programs` returned.

    Returns:
        Path of the environment, complete for this checkout and its requirements.

    Raises:
        SetUpError: there is no place for it, or its parts could not be installed.
    """
    name, content = STAMPS[setup.name], stamp(setup, exiftool)
    places = environment_places(setup)
    environment = next((place for place in places if is_complete(place, name, content)), "")
    if environment:
        with suppress(OSError):  # another user's, and complete: its stamp only saves the look at it
            _write_stamps(setup, environment, content)
        return environment
    environment = make_place(places)
    with _locked(setup, os.path.dirname(environment)) as lock:
        if not is_complete(environment, name, content):
            _make(setup, environment, lock)
        _write_stamps(setup, environment, content)
    return environment


def environment_places(setup: SetUp) -> tuple[str, str]:
    """Return where the environment may lie: beside the checkout, or in the user's cache (as in ./yapmo)."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", ""), ".cache")
    return os.path.join(setup.checkout, ".venv"), os.path.join(f"{cache}/yapmo{setup.checkout}", ".venv")


def make_place(places: Sequence[str]) -> str:
    """Make the folder of the environment at the first place that can be written, and return its path.

    Raises:
        SetUpError: none can be written.
    """
    for environment in places:
        try:
            os.makedirs(environment, exist_ok=True)
        except OSError:
            continue
        if os.access(environment, os.W_OK | os.X_OK) and os.access(os.path.dirname(environment), os.R_OK):
            return environment
    raise SetUpError(
        f"There is no place for the Python environment: neither {' nor '.join(places)} can be written.",
        "Set XDG_CACHE_HOME to a folder of yours.",
    )


def stamp(setup: SetUp, exiftool: str) -> str:
    """Return what the stamp of a complete environment says: checkout, ExifTool, and a hash of the requirements."""
    digest = hashlib.sha256(_read(setup.project)).hexdigest()
    return f"{setup.checkout}\n{exiftool}\n{digest}\n"


def is_complete(environment: str, name: str, content: str) -> bool:
    """Return whether the environment works and was made for this checkout and these requirements."""
    try:
        with open(os.path.join(environment, name), encoding="utf-8") as file:
            made_for = file.read()
    except (OSError, UnicodeDecodeError):
        return False
    lines, wanted = made_for.splitlines(), content.splitlines()
    same = len(lines) == 3 and (lines[0], lines[2]) == (wanted[0], wanted[2])
    return same and not os.path.exists(os.path.join(environment, UNFINISHED)) and _works(environment)


def _works(environment: str) -> bool:
    """Return whether the environment's Python starts and is new enough."""
    python = os.path.join(environment, "bin", "python")
    test = "import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
    return _answers([python, "-I", "-c", test])


def _write_stamps(setup: SetUp, environment: str, content: str) -> None:
    """Write the stamps, with the time of pyproject.toml: ./yapmo compares the two times and does not read the hash."""
    mtime_ns = os.stat(setup.project).st_mtime_ns
    if hashlib.sha256(_read(setup.project)).hexdigest() != content.splitlines()[2]:
        return  # changed meanwhile: the next start sets up again
    for name in STAMPS.values() if setup.name == "nox" else [STAMPS[setup.name]]:
        path = os.path.join(environment, name)
        temporary = f"{path}.{os.getpid()}"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(content)
        os.utime(temporary, ns=(mtime_ns, mtime_ns))
        os.replace(temporary, path)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


@contextmanager
def _locked(setup: SetUp, folder: str) -> Iterator[int]:
    """Hold the lock of the set-up; a second start waits. The installers inherit it and so outlive no lock."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            setup.say("waiting for another set-up to end …")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            # a network file system without locks on folders: two first starts at once remain possible
            setup.say("this file system has no locks; start only one set-up at a time.")
        yield descriptor
    finally:
        os.close(descriptor)


def _make(setup: SetUp, environment: str, lock: int) -> None:
    """Make the environment, or bring one that works up to date."""
    unfinished = os.path.join(environment, UNFINISHED)
    if os.path.exists(unfinished) or not _works(environment):
        _clear(environment)
        setup.say(f"making a Python environment in {environment}")
        _mark(unfinished)
        _run([base_python(), "-m", "venv", "--without-pip", environment], lock)
    else:
        _mark(unfinished)
    _install_requirements(setup, environment, lock)
    os.unlink(unfinished)


def _mark(path: str) -> None:
    with open(path, "w", encoding="utf-8"):
        pass


def _clear(environment: str) -> None:
    """Empty the folder of a broken environment; refuse a folder that is none."""
    entries = os.listdir(environment)
    if entries and not {"pyvenv.cfg", UNFINISHED}.intersection(entries):
        raise SetUpError(f"{environment} is in the way: it is not a Python environment.", "Move it away.")
    for entry in entries:
        path = os.path.join(environment, entry)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def base_python() -> str:
    """Return the Python that environments are made from: outside any environment, and by its version's own name.

    `python3` may become another version with an update of the system; `python3.11` then vanishes, which is noticed.
    """
    python = getattr(sys, "_base_executable", "") or sys.executable
    versioned = os.path.join(os.path.dirname(python), f"python3.{sys.version_info.minor}")
    return versioned if os.path.exists(versioned) and os.path.samefile(versioned, python) else python


# Installing into the environment


def requirements(setup: SetUp) -> list[str]:
    """Return what is installed besides YAPMO with its dependencies: for ./nox the development tools."""
    if setup.name != "nox":
        return []
    return list(tomllib.loads(_read(setup.project).decode())["dependency-groups"]["dev"])


def _install_requirements(setup: SetUp, environment: str, lock: int) -> None:
    """Install YAPMO (its code stays in the checkout) and its requirements, with uv where present, else with pip."""
    what = "YAPMO and the development tools" if setup.name == "nox" else "YAPMO and what it needs"
    wanted = ["--editable", setup.checkout, *requirements(setup)]
    python = os.path.join(environment, "bin", "python")
    uv = shutil.which("uv")
    if uv:
        setup.say(f"installing {what} (uv)")
        try:
            _run([uv, "pip", "install", "--python", python, *wanted], lock)
        except SetUpError as error:
            setup.say(f"uv failed, trying pip: {str(error).splitlines()[-1]}")
        else:
            return
    pip = find_pip(setup, python, lock)
    setup.say(f"installing {what} (pip; the first time this takes about a minute)")
    _run([*pip, "install", "--disable-pip-version-check", "--no-input", *wanted], lock)


def find_pip(setup: SetUp, python: str, lock: int) -> list[str]:
    """Return the command of a pip that installs into the environment of `python`.

    In this order: the pip that is in the environment; the pip of the Python that runs this, which costs nothing to get (22.3
    or newer: `--python`); the one that came with Python, which is unpacked (Debian puts it into a package of its own, which is
    installed if this user may).

    Raises:
        SetUpError: there is none and none can be installed.
    """
    own = [python, "-I", "-m", "pip"]
    if _answers([*own, "--version"]):
        return own
    base = [base_python(), "-m", "pip", "--python", python]
    if _answers([*base, "--version"]):
        return base
    if _add_pip(python, lock):
        return own
    package = f"python3.{sys.version_info.minor}-venv"
    command = packages.install_command(package)
    hint = f"Type this, then start again:  {command}"
    if not packages.may_install():
        raise SetUpError(f"This Python came without pip, and this user may not install {package}.", hint)
    setup.say(f"this Python came without pip; installing it: {command}")
    try:
        packages.install(package)
    except packages.InstallError as error:
        raise SetUpError(f"This Python came without pip, and {error}.", hint) from error
    if not _add_pip(python, lock):
        raise SetUpError(f"{package} was installed, but this Python still has no pip.")
    return own


def _add_pip(python: str, lock: int) -> bool:
    """Put the pip that came with Python into the environment; return False where Python came without."""
    try:
        _run([python, "-I", "-m", "ensurepip", "--default-pip"], lock)
    except SetUpError:
        return False
    return True


def _answers(command: Sequence[str]) -> bool:
    """Return whether a program runs and says that all is well."""
    try:
        return (
            subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0
        )  # no foreign modules
    except OSError:
        return False


def _run(command: Sequence[str], lock: int) -> None:
    """Run one step, which inherits the lock; raise SetUpError with the end of its output when it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment,
            pass_fds=(lock,),
            check=False,
        )
    except OSError as error:
        raise SetUpError(f"{command[0]} does not run: {error.strerror}.") from error
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace").strip().splitlines()[-12:]
        raise SetUpError(
            "\n    ".join([f"this step failed: {' '.join(command)}", *said]), "Mend that, then start again."
        )
