"""Paths are bytes from end to end; here are the conversions, and where YAPMO keeps its own files."""

from __future__ import annotations

import os
from base64 import b64encode


def absolute(path: str | bytes | os.PathLike[str]) -> bytes:
    """Return `path` as an absolute, normalised byte path with `~` expanded; links are not followed."""
    return os.path.abspath(os.path.expanduser(os.fsencode(path)))


def is_inside(path: bytes, folder: bytes) -> bool:
    """Tell whether `path` is `folder` or lies below it.

    Both are absolute, or both relative to the same root, which is `b""`.
    """
    return not folder or path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def json_path(path: bytes) -> dict[str, str]:
    """Return the JSON members for a path: `path` as text, and `path_b64` too where that text is not exact.

    Bytes that are not UTF-8 appear in `path` as the replacement character.
    """
    try:
        return {"path": path.decode("utf-8")}
    except UnicodeDecodeError:
        return {"path": path.decode("utf-8", "replace"), "path_b64": b64encode(path).decode("ascii")}


def data_dir() -> str:
    """Return the directory for libraries: `$XDG_DATA_HOME/yapmo` on Linux, the platform's own on macOS."""
    from platformdirs import user_data_dir

    return user_data_dir("yapmo", appauthor=False)


def config_dir() -> str:
    """Return the directory of the user's `config.toml`."""
    from platformdirs import user_config_dir

    return user_config_dir("yapmo", appauthor=False)


def state_dir() -> str:
    """Return the directory for the log and for records of running children."""
    from platformdirs import user_state_dir

    return user_state_dir("yapmo", appauthor=False)


def make_private_dir(path: str | bytes) -> None:
    """Make `path` and what lacks above it, each mode 0700; an existing directory keeps its mode."""
    above = os.path.dirname(path)
    if above and not os.path.isdir(above):
        make_private_dir(above)  # os.makedirs gives what lies above the mode that the umask leaves
    os.makedirs(path, mode=0o700, exist_ok=True)


def trust_only_absolute_programs() -> None:
    """Take relative entries out of PATH, for this process and all that it starts.

    With one, a program that lies in a folder of media would run in place of another when that folder is the working
    directory: `exiftool`, or `uname`, which Python's own `platform` asks.
    """
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    # an empty PATH would mean the working directory
    os.environ["PATH"] = os.pathsep.join(filter(os.path.isabs, entries)) or os.defpath
