"""The configuration: the shipped `config.toml`, and the user's file that overrides single options.

The shipped file is the only place of the defaults. `Config` is frozen: a changed option is a new `Config`.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from tui.errors import UsageError
from tui.metadata import Kind
from tui.options import CHECKS, SECTIONS, flatten, similar
from tui.paths import absolute, config_dir, data_dir, make_private_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST_FILE = 1 << 20
_KEYS = "interface.keys."


@dataclass(frozen=True, slots=True)
class LibraryConfig:
    """Section `[library]`; `path` is "" for the default (see `effective_library_path`)."""

    path: str
    write_batch_size: int
    write_batch_ms: int


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """Section `[scan]`; `max_workers` 0 means one a core, `missing_limit` is a share from 0 to 1."""

    max_workers: int
    low_memory_mb: int
    extensions: Mapping[Kind, tuple[str, ...]]
    ignore: tuple[str, ...]
    hidden: bool
    follow_symlinks: bool
    one_file_system: bool
    fingerprint: str
    missing_limit: float
    rescan: str
    sidecars: tuple[str, ...]

    @property
    def kind_by_extension(self) -> dict[bytes, Kind]:
        """The kind of each extension: lower-case bytes without dot."""
        return {extension.encode(): kind for kind, listed in self.extensions.items() for extension in listed}


@dataclass(frozen=True, slots=True)
class ExiftoolConfig:
    """Section `[exiftool]`; `path` is "" for PATH, times are seconds, sizes MB of 1,000,000 bytes."""

    path: str
    timeout: float
    cpu_seconds: float
    recycle_mb: int
    memory_mb: int


@dataclass(frozen=True, slots=True)
class InterfaceConfig:
    """Section `[interface]`; `keys` maps the id of an action to a key, or several with commas between."""

    refresh_ms: int
    theme: str
    columns: tuple[str, ...]
    date_format: str
    notify: bool
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """Section `[logging]`; `path` is "" for `yapmo.log` in the state directory."""

    enabled: bool
    level: str
    terminal: bool
    file: bool
    path: str
    max_mb: int
    keep: int


@dataclass(frozen=True, slots=True)
class Config:
    """All options in force; `source` is the user's file that they were read from, "" where there is none."""

    library: LibraryConfig
    scan: ScanConfig
    exiftool: ExiftoolConfig
    interface: InterfaceConfig
    logging: LoggingConfig
    source: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One option as a list of options shows it.

    Attributes:
        name: dotted name, such as `scan.max_workers`.
        description: the comment above it in the shipped file, as one line.
        allowed: what it may be.
        default: the shipped value.
        value: the value in force.
        overridden: whether the user's file sets it.
    """

    name: str
    description: str
    allowed: str
    default: object
    value: object
    overridden: bool


def default_config_path() -> str:
    """Return the path of the shipped `config.toml`: inside an installed package, or at the top of a checkout."""
    here = os.path.dirname(os.path.abspath(__file__))
    installed = os.path.join(here, "config.toml")
    return installed if os.path.exists(installed) else os.path.join(os.path.dirname(here), "config.toml")


def user_config_path(path: str | None = None, *, environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of the user's file: `path` if given, else YAPMO_CONFIG, else the platform's own place."""
    chosen = path or environ.get("YAPMO_CONFIG") or os.path.join(config_dir(), "config.toml")
    return os.path.abspath(os.path.expanduser(chosen))


def default_config() -> Config:
    """Return the configuration of the shipped file alone."""
    return _build(_defaults(), source="")


def load_config(path: str | None = None, *, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration in force.

    Args:
        path: the user's file as `--config` names it; None or "" for YAPMO_CONFIG or the platform's own place.
        environ: the environment.

    Raises:
        UsageError: a named file is not there or cannot be read, or holds an option or value that is not allowed.
    """
    source = user_config_path(path, environ=environ)
    if not os.path.lexists(source) and not path and not environ.get("YAPMO_CONFIG"):
        return default_config()
    overrides = _read(source)
    return _combine(overrides, source)


def set_option(path: str | None, name: str, text: str) -> Config:
    """Change one option in the user's file, which is made if it is not there.

    The file holds only the options that the user has set. It is replaced as a whole, mode 0600.

    Args:
        path: the user's file, as for `load_config`.
        name: dotted name of the option.
        text: the value as a person types it; lists in TOML or with commas between.

    Returns:
        The configuration in force afterwards.

    Raises:
        UsageError: option or value is not allowed (nothing is written), or the file cannot be written.
    """
    source = user_config_path(path)
    _refuse_what_toml_cannot_hold(name, text)
    overrides = _read(source) if os.path.lexists(source) else {}
    _assign(overrides, _known(name, source), _parse(name, text, source))
    return _save(overrides, source)


def _refuse_what_toml_cannot_hold(name: str, text: str) -> None:
    try:
        f"{name}{text}".encode()
    except UnicodeEncodeError as error:  # bytes of the command line that are no UTF-8, as paths may have
        raise UsageError(
            f"{name} = {text}: a configuration holds UTF-8 only.",
            hint="A library whose path is not UTF-8 can be named with --library FILE.",
        ) from error


def unset_option(path: str | None, name: str) -> Config:
    """Take one option out of the user's file, so that the default holds; as `set_option` otherwise."""
    source = user_config_path(path)
    overrides = _read(source) if os.path.lexists(source) else {}
    if name not in dict(flatten(overrides)):  # an unknown option that is in the file can be taken out of it
        _known(name, source)
    _remove(overrides, name.split("."))
    return _save(overrides, source) if os.path.lexists(source) else default_config()


def list_options(config: Config) -> tuple[Option, ...]:
    """Return every option with its description, default and value in force, in the order of the shipped file."""
    defaults, values = option_values(default_config()), option_values(config)
    overridden = {name for name, _ in flatten(_read(config.source))} if config.source else set()
    comments = _comments()
    return tuple(
        Option(name, comments.get(name, ""), check.allowed, defaults[name], values[name], name in overridden)
        for name, check in CHECKS.items()
    )


def option_values(config: Config) -> dict[str, object]:
    """Return the values in force by dotted name, lists as lists: what JSON and TOML can hold."""
    values: dict[str, object] = {}
    for name in CHECKS:
        value: Any = config
        for part in name.split("."):
            value = value[part] if isinstance(value, dict) else getattr(value, part)
        values[name] = list(value) if isinstance(value, tuple) else value
    return values


def effective_library_path(config: Config, library: str = "") -> bytes:
    """Return the library to use as an absolute path: `library` (`--library`), else as configured, else the default."""
    return absolute(library or config.library.path or os.path.join(data_dir(), "library.yapmo"))


def _read(path: str) -> dict[str, Any]:
    """Return the parsed file; raise UsageError when it cannot be read or is no TOML."""
    try:
        # a FIFO or a device instead of a file must not block the start
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UsageError(
                    f"{path} is not a file.", hint="Name a configuration file with --config FILE."
                )
            content = file.read(_LARGEST_FILE + 1)
        if len(content) > _LARGEST_FILE:
            raise UsageError(f"{path} is too large for a configuration (more than 1 MiB).")
        return tomllib.loads(content.decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no configuration file {path}.",
            hint="Name another with --config, or unset YAPMO_CONFIG.",
        ) from error
    except OSError as error:
        raise UsageError(
            f"Cannot read the configuration {path}: {error.strerror}.",
            hint="Check its permissions, or name another with --config FILE.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"{path} is not valid TOML: {error}.", hint="Correct the line, or remove the file."
        ) from error


@cache
def _defaults() -> dict[str, object]:
    with open(default_config_path(), "rb") as file:
        return dict(flatten(tomllib.load(file)))


def _combine(overrides: Mapping[str, Any], source: str) -> Config:
    """Return the shipped options with those of the user's file on top."""
    values = _defaults() | dict(flatten(overrides))
    return _build(values, source)


def _build(values: Mapping[str, object], source: str) -> Config:
    """Check every value and put them into the records."""
    accepted = {name: _accept(name, value, source) for name, value in values.items()}
    _refuse_shared_extensions(accepted, source)
    sections: dict[str, dict[str, Any]] = {}
    for name, value in accepted.items():
        section, _, key = name.partition(".")
        sections.setdefault(section, {})[key] = value
    scan = sections["scan"]
    scan["extensions"] = {kind: scan.pop(f"extensions.{kind}") for kind in Kind}
    return Config(
        library=LibraryConfig(**sections["library"]),
        scan=ScanConfig(**scan),
        exiftool=ExiftoolConfig(**sections["exiftool"]),
        interface=InterfaceConfig(**sections["interface"]),
        logging=LoggingConfig(**sections["logging"]),
        source=source,
    )


def _accept(name: str, value: object, source: str) -> object:
    """Return the value in force; raise UsageError naming file, option, value and what is allowed."""
    if name in SECTIONS:
        raise UsageError(f"{source}: {name} must be a table: [{name}] on a line of its own.")
    try:
        return CHECKS[_known(name, source)].accept(value)
    except (ValueError, TypeError) as error:
        raise _not_allowed(name, value, source) from error


def _not_allowed(name: str, value: object, source: str) -> UsageError:
    shown = repr(value)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}…"
    return UsageError(
        f"{source}: {name} = {shown}: must be {CHECKS[name].allowed}.",
        hint=f"`yapmo config set {name} VALUE` sets it, `yapmo config unset {name}` takes it out.",
    )


def _known(name: str, source: str) -> str:
    """Return `name` if there is such an option (or an action's key below `interface.keys`)."""
    if name in CHECKS or (name.startswith(_KEYS) and name != _KEYS):
        return name
    near = similar(name)
    hint = f"Did you mean {near}?" if near else "`yapmo config` lists the options."
    raise UsageError(f"{source}: there is no option {name}.", hint=hint)


def _refuse_shared_extensions(values: Mapping[str, object], source: str) -> None:
    """Raise UsageError when an extension stands in two lists: a file is of one kind."""
    seen: dict[str, Kind] = {}
    for kind in Kind:
        extensions = values[f"scan.extensions.{kind}"]
        for extension in extensions if isinstance(extensions, tuple) else ():
            if extension in seen:
                raise UsageError(
                    f'{source}: scan.extensions.{kind}: "{extension}" is in scan.extensions.{seen[extension]} too.',
                    hint="An extension may stand in one list only; override both lists.",
                )
            seen[extension] = kind


def _parse(name: str, text: str, source: str) -> object:
    """Return the value for the file from text that a person typed."""
    if name.startswith(_KEYS):
        return text
    try:
        return CHECKS[name].parse(text)
    except (ValueError, TypeError) as error:  # tomllib.TOMLDecodeError is a ValueError
        raise _not_allowed(name, text, source) from error


def _assign(table: dict[str, Any], name: str, value: object) -> None:
    """Put `value` under the dotted `name`; ids of actions hold dots themselves and stay one key."""
    *sections, key = (
        ["interface", "keys", name.removeprefix(_KEYS)] if name.startswith(_KEYS) else name.split(".")
    )
    for section in sections:
        inner = table.setdefault(section, {})
        if not isinstance(inner, dict):
            return  # a scalar where a table belongs: the check of the whole file says so
        table = inner
    table[key] = value


def _remove(table: dict[str, Any], parts: list[str]) -> None:
    """Take the option out, and every table that is empty then."""
    if parts[:2] == ["interface", "keys"] and len(parts) > 2:
        parts = ["interface", "keys", ".".join(parts[2:])]
    inner = table
    tables = [table]
    for part in parts[:-1]:
        inner = inner.get(part, {})
        if not isinstance(inner, dict):
            return
        tables.append(inner)
    inner.pop(parts[-1], None)
    for depth in range(len(parts) - 2, -1, -1):
        if tables[depth].get(parts[depth]) == {}:
            del tables[depth][parts[depth]]


def _save(overrides: Mapping[str, Any], source: str) -> Config:
    """Check the options, then replace the user's file by them in one step."""
    import tomli_w

    config = _combine(overrides, source)
    target = os.path.realpath(source)  # a link to a file elsewhere (dotfiles) stays a link
    folder = os.path.dirname(target)
    temporary = ""
    try:
        make_private_dir(folder)
        import tempfile

        descriptor, temporary = tempfile.mkstemp(prefix=".config-", suffix=".toml", dir=folder)  # mode 0600
        with open(descriptor, "wb") as file:
            tomli_w.dump(overrides, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise UsageError(
            f"Cannot write the configuration {target}: {error.strerror}.",
            hint="Check the permissions of the file and its folder, or name another with --config FILE.",
        ) from error
    return config


def _comments() -> dict[str, str]:
    """Return the comment above each option of the shipped file, as one line."""
    comments: dict[str, str] = {}
    section, lines = "", []
    with open(default_config_path(), encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                lines.append(line[1:].strip())
            elif table := re.match(r"\[([a-z.]+)\]", line):
                section = table.group(1)
                if section in CHECKS:
                    comments[section] = " ".join(lines)
                lines = []
            elif option := re.match(r"([a-z_]+) = ", line):
                comments[f"{section}.{option.group(1)}"] = " ".join(lines)
                lines = []
            elif not line.strip():
                lines = []
    return comments
