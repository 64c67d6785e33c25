"""What `yapmo doctor` looks at: programs and packages, and where YAPMO keeps its own files.

Each check is a function that returns findings and raises nothing; the terminal's are in `doctor_terminal`.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from tui import __version__
from tui.config import Config, default_config, effective_library_path, load_config, user_config_path
from tui.display import display, format_size
from tui.errors import LibraryError, YapmoError
from tui.library.connections import connect_reading, explained
from tui.library.inspection import inspect_content, inspect_header, refuse_network_disk
from tui.log import log_path
from tui.packages import install_command
from tui.paths import json_path, state_dir
from tui.scan.file_systems import file_system_of
from tui.workers.exiftool_program import find_exiftool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tui.config import ExiftoolConfig

OLDEST_SQLITE = (3, 35, 0)
"""Below it, statements of the library are not understood."""

ENOUGH_SPACE_BYTES = 1_000_000_000
"""Less free space beside the library is worth a warning: a million files take about this much."""

_ANSWER_TIMEOUT_S = 20.0
_PACKAGES = ("textual", "rich", "typer", "aiosqlite", "mutagen", "pyexiftool", "pillow", "xxhash", "pathspec")


class Verdict(StrEnum):
    """How grave a finding is: nothing, good to know, works with limits, does not work."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        group: `programs`, `terminal` or `files`.
        name: what was looked at.
        verdict: how grave it is.
        found: what is there; may hold foreign text, so show it through `display()`.
        remedy: how to mend it, "" where there is nothing to mend.
        exit_code: what `doctor` ends with when the verdict is an error.
        facts: the same for programs: versions, paths, numbers by name.
    """

    group: str
    name: str
    verdict: Verdict
    found: str
    remedy: str = ""
    exit_code: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)


def check_programs(config: Config) -> Iterator[Finding]:
    """Yield the versions of YAPMO, Python, SQLite, ExifTool, ffmpeg and the packages."""
    yield Finding("programs", "YAPMO", Verdict.OK, __version__, facts={"version": __version__})
    yield _check_python()
    yield _check_sqlite()
    yield from _check_exiftool(config.exiftool)
    yield _check_ffmpeg()
    yield from _check_packages()


def check_files(config_path: str, library_path: str) -> Iterator[Finding]:
    """Yield where configuration, library and log lie, and whether they can be used.

    Args:
        config_path: value of `--config`, "" for the user's own.
        library_path: value of `--library`, "" for the configured one.
    """
    config, finding = load_or_explain(config_path)
    yield finding
    path = effective_library_path(config, library_path)
    yield _check_library(path)
    yield _check_disk(path)
    yield _check_log(config)
    yield _check_folder("State", os.fsencode(state_dir()), "records of running programs")


def load_or_explain(config_path: str) -> tuple[Config, Finding]:
    """Return the configuration, or the defaults where it cannot be used, and what was found."""
    path = user_config_path(config_path)
    facts = {"path": path}
    try:
        config = load_config(config_path)
    except YapmoError as error:
        remedy = error.hint or "Correct it there, or with `yapmo config set` and `yapmo config unset`."
        broken = Finding(
            "files", "Configuration", Verdict.ERROR, error.message, remedy, error.exit_code, facts
        )
        return default_config(), broken
    if not config.source:
        return config, Finding(
            "files", "Configuration", Verdict.OK, f"{path} (not there: the defaults hold)", facts=facts
        )
    if stat.S_IMODE(os.stat(path).st_mode) & 0o022:
        remedy = f"chmod go-w {path}"
        found = f"{path}: others may change it"
        return config, Finding("files", "Configuration", Verdict.WARNING, found, remedy, facts=facts)
    return config, Finding("files", "Configuration", Verdict.OK, path, facts=facts)


def _check_python() -> Finding:
    found = f"{platform.python_version()} ({sys.executable})"
    facts = {"version": platform.python_version(), "path": sys.executable, "system": platform.platform()}
    return Finding("programs", "Python", Verdict.OK, found, facts=facts)


def _check_sqlite() -> Finding:
    facts: dict[str, object] = {"version": sqlite3.sqlite_version}
    db = sqlite3.connect(":memory:")
    try:
        db.execute("CREATE VIRTUAL TABLE search USING fts5(text, prefix='2 3')")
        db.execute("SELECT json_each.value FROM json_each('[1]')")
    except sqlite3.OperationalError as error:
        remedy = "Use a Python whose SQLite has FTS5 and JSON, such as your system's own."
        return Finding(
            "programs", "SQLite", Verdict.ERROR, f"{sqlite3.sqlite_version}: {error}", remedy, 2, facts
        )
    finally:
        db.close()
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        found = f"{sqlite3.sqlite_version}: too old, {needed} is needed"
        return Finding("programs", "SQLite", Verdict.ERROR, found, "Use a newer Python or system.", 2, facts)
    return Finding(
        "programs", "SQLite", Verdict.OK, f"{sqlite3.sqlite_version}, with full-text search", facts=facts
    )


def _check_exiftool(config: ExiftoolConfig) -> Iterator[Finding]:
    try:
        program = find_exiftool(config)
    except YapmoError as error:
        yield Finding("programs", "ExifTool", Verdict.ERROR, error.message, error.hint, error.exit_code)
        return
    path = os.fsdecode(program.path)
    facts = {"version": program.version, "path": path}
    verdict = Verdict.WARNING if program.warning else Verdict.OK
    yield Finding(
        "programs", "ExifTool", verdict, f"{program.version} ({path})", program.warning, facts=facts
    )
    fault = try_stay_open(path)
    if fault:
        remedy = "Run it by hand: exiftool -ver; then reinstall it."
        yield Finding("programs", "ExifTool service", Verdict.ERROR, fault, remedy, 2)
    else:
        yield Finding(
            "programs", "ExifTool service", Verdict.OK, "answers in stay_open mode (asked through pyexiftool)"
        )


def try_stay_open(path: str, timeout_s: float = _ANSWER_TIMEOUT_S) -> str:
    """Ask ExifTool for its version in the mode that scans use; return "" if it answers, else what went wrong.

    pyexiftool knows no timeout, so it runs in a child of its own that is killed with all that it started.
    """
    code = "import sys, exiftool\nwith exiftool.ExifTool(sys.argv[1], config_file='') as tool: print(tool.version)"
    child = subprocess.Popen(
        [sys.executable, "-I", "-c", code, path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        said, complaint = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        return f"did not answer within {timeout_s:g} s"
    if child.returncode == 0 and said.strip():
        return ""
    lines = complaint.decode("utf-8", "replace").strip().splitlines()
    return f"does not answer: {lines[-1] if lines else 'no reason given'}"


def _check_ffmpeg() -> Finding:
    path = shutil.which("ffmpeg")
    if path is None:
        command = install_command("ffmpeg")
        remedy = f"Only `yapmo demo` uses it, for its videos. To have it: {command}" if command else ""
        return Finding("programs", "ffmpeg", Verdict.NOTE, "not installed (optional)", remedy)
    return Finding("programs", "ffmpeg", Verdict.OK, f"{path} (optional)", facts={"path": path})


def _check_packages() -> Iterator[Finding]:
    for name in _PACKAGES:
        try:
            found = version(name)
        except PackageNotFoundError:
            remedy = "Install YAPMO anew; ./yapmo does so by itself when its .venv is removed."
            yield Finding("programs", name, Verdict.ERROR, "not installed", remedy, 2)
        else:
            yield Finding("programs", name, Verdict.OK, found, facts={"version": found})


def _check_library(path: bytes) -> Finding:
    facts: dict[str, object] = {**json_path(path)}
    try:
        refuse_network_disk(path)
        if not os.path.lexists(path):
            return _check_folder("Library", path, "not there yet: the first scan makes it", facts)
        schema = inspect_header(path)
        may_write = os.access(path, os.W_OK) and os.access(os.path.dirname(path), os.W_OK)
        immutable = not may_write and not os.path.exists(path + b"-wal")
        inspect_content(path, immutable=immutable)
        _look_at_pages(path, immutable=immutable)
        size, mode = os.stat(path).st_size, stat.S_IMODE(os.stat(path).st_mode)
    except YapmoError as error:
        return Finding("files", "Library", Verdict.ERROR, error.message, error.hint, error.exit_code, facts)
    except OSError as error:
        found = f"{os.fsdecode(path)}: {error.strerror}"
        return Finding("files", "Library", Verdict.ERROR, found, "Check its permissions.", 4, facts)
    facts |= {"size": size, "schema": schema}
    found = f"{os.fsdecode(path)} ({format_size(size)})"
    if not may_write:
        remedy = "Check the permissions of the file and its folder, or choose another with --library."
        return Finding("files", "Library", Verdict.ERROR, f"{found}: may not be written", remedy, 4, facts)
    if mode & 0o077:
        remedy = f"chmod 600 {os.fsdecode(path)}"
        return Finding(
            "files", "Library", Verdict.WARNING, f"{found}: others may read it", remedy, facts=facts
        )
    return Finding("files", "Library", Verdict.OK, found, facts=facts)


def _look_at_pages(path: bytes, *, immutable: bool) -> None:
    """Raise LibraryError when a page of the library is damaged; reads all of it, about four seconds for a million files."""
    with explained(path), closing(connect_reading(path, immutable=immutable)) as db:
        (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise LibraryError(
                f"The library {display(path)} is damaged: {said}",
                hint="Put it aside (keep it), then bring back a copy if you have one, or scan anew.",
            )


def _check_disk(path: bytes) -> Finding:
    """Look at the free space and the kind of the file system that the library lies on, or will."""
    folder = _existing_folder(path)
    try:
        free = shutil.disk_usage(folder).free
        kind = file_system_of(folder).type
    except OSError as error:
        return Finding("files", "Disk", Verdict.WARNING, f"{os.fsdecode(folder)}: {error.strerror}")
    facts = {"free": free, "file_system": kind}
    found = f"{format_size(free)} free" + (f", {kind}" if kind else "")
    if free < ENOUGH_SPACE_BYTES:
        remedy = "A million files take about 1 GB. Make room, or move the library: yapmo config set library.path FILE"
        return Finding("files", "Disk", Verdict.WARNING, found, remedy, facts=facts)
    return Finding("files", "Disk", Verdict.OK, found, facts=facts)


def _check_log(config: Config) -> Finding:
    path = os.fsencode(log_path(config.logging))
    if not (config.logging.enabled and config.logging.file):
        return Finding("files", "Log", Verdict.NOTE, "no log file is kept (logging.enabled, logging.file)")
    if os.path.exists(path) and not os.access(path, os.W_OK):
        found = f"{os.fsdecode(path)}: may not be written"
        return Finding("files", "Log", Verdict.WARNING, found, f"Check who owns it: ls -l {display(path)}")
    return _check_folder("Log", path, "")


def _check_folder(name: str, path: bytes, remark: str, facts: Mapping[str, object] | None = None) -> Finding:
    """Tell whether `path` could be written: its folder, or the nearest above that is there."""
    folder = _existing_folder(path)
    facts = facts or json_path(path)
    found = os.fsdecode(path) + (f" ({remark})" if remark else "")
    if os.access(folder, os.W_OK | os.X_OK):
        return Finding("files", name, Verdict.OK, found, facts=facts)
    remedy = (
        f"The folder {display(folder)} may not be written: change its permissions or choose another place."
    )
    grave = name == "Library"
    verdict = Verdict.ERROR if grave else Verdict.WARNING
    return Finding("files", name, verdict, found, remedy, 4 if grave else 0, facts)


def _existing_folder(path: bytes) -> bytes:
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    while not os.path.isdir(folder) and folder not in (b"/", b""):
        folder = os.path.dirname(folder)
    return folder
