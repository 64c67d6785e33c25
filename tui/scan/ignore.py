"""Ignore rules: patterns of the configuration and `.yapmoignore` files, in gitignore syntax.

Patterns that name one entry (`@eaDir`, `.Trash*`) are most of them and are tested a million times, so those
of the configuration become sets of names and one regular expression; everything else goes through `pathspec`.
"""

from __future__ import annotations

import codecs
import errno
import os
import re
import stat
from dataclasses import dataclass
from fnmatch import translate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from pathspec import GitIgnoreSpec

_MAX_IGNORE_FILE = 1 << 20
_NESTED_BRACKET = re.compile(r"\[[^\]]*\[")
_PLAIN = r"!-.0-9;-\[\]_-~"  # ASCII without what gitignore and fnmatch read differently: space / : \ ^
_WILD = re.compile(r"[*?\[]")
_SIMPLE = re.compile(rf"(?![!#])[{_PLAIN}](?:[ {_PLAIN}]*[{_PLAIN}])?/?")


@dataclass(frozen=True, slots=True)
class FolderSpec:
    """Patterns, and the folder (relative to the root) that they hold in; perhaps they all speak of folders alone."""

    folder: bytes
    spec: GitIgnoreSpec
    folders_only: bool = False

    def decide(self, path: bytes, *, is_folder: bool) -> bool | None:
        """Return True for ignored, False for kept by a `!` pattern, None when no pattern speaks of `path`."""
        below = path[len(self.folder) + 1 :] if self.folder else path
        return self.spec.check_file(os.fsdecode(below) + ("/" if is_folder else "")).include


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """What became of reading one `.yapmoignore`: the patterns that can be used, and an error to report; or neither."""

    spec: FolderSpec | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class NamePatterns:
    """Patterns over the name of one entry.

    Attributes:
        exact: names without wildcards.
        globs: the others.
        expression: `globs` as one regular expression; None when there is none.
    """

    exact: frozenset[bytes] = frozenset()
    globs: tuple[str, ...] = ()
    expression: re.Pattern[bytes] | None = None

    @classmethod
    def compile(cls, patterns: Iterable[str]) -> NamePatterns:
        """Compile patterns of ASCII characters without slash and backslash."""
        patterns = tuple(patterns)
        globs = tuple(pattern for pattern in patterns if _WILD.search(pattern))
        joined = "|".join(translate(pattern) for pattern in globs).encode("ascii")
        exact = frozenset(pattern.encode("ascii") for pattern in patterns if pattern not in globs)
        return cls(exact, globs, re.compile(joined, re.DOTALL) if globs else None)

    def match(self, name: bytes) -> bool:
        """Tell whether a pattern fits the name."""
        return name in self.exact or (self.expression is not None and self.expression.match(name) is not None)

    def for_files(self, extensions: Container[bytes], *, hidden: bool) -> NamePatterns:
        """Return those that can fit the name of a file with one of these extensions (lower case, without dot).

        Args:
            extensions: those of media files.
            hidden: whether names with a leading dot count.
        """
        exact = (name.decode() for name in self.exact if name.rpartition(b".")[2].lower() in extensions)
        fitting = (pattern for pattern in (*exact, *self.globs) if hidden or pattern[0] != ".")
        return NamePatterns.compile(fitting)


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules that hold in one folder.

    Attributes:
        names: patterns over the names of files and folders.
        folder_names: patterns over the names of folders alone.
        specs: patterns that need the path, those of the deepest folder last.
    """

    names: NamePatterns = NamePatterns()
    folder_names: NamePatterns = NamePatterns()
    specs: tuple[FolderSpec, ...] = ()

    @property
    def judge_paths_of_files(self) -> bool:
        """True when a pattern that needs the path may speak of a file."""
        return any(not spec.folders_only for spec in self.specs)

    def test_for_files(self, extensions: Container[bytes], *, hidden: bool) -> Callable[[bytes], bool] | None:
        """Return what tells by its name alone whether a media file is ignored; None when none can be.

        Args:
            extensions: those of media files, in lower case and without dot.
            hidden: whether names with a leading dot count; the test is then not asked for others.
        """
        names = self.names.for_files(extensions, hidden=hidden)
        return names.match if names.exact or names.globs else None

    def with_file(self, spec: FolderSpec) -> IgnoreRules:
        """Return these rules with those of an ignore file below them added."""
        return IgnoreRules(self.names, self.folder_names, (*self.specs, spec))

    def match(self, folder: bytes, name: bytes, *, is_folder: bool) -> bool:
        """Tell whether the entry `name` of `folder` (relative to the root) is ignored. The deepest rule that speaks wins."""
        for spec in reversed(self.specs):
            if spec.folders_only and not is_folder:
                continue
            decision = spec.decide(folder + b"/" + name if folder else name, is_folder=is_folder)
            if decision is not None:
                return decision
        return self.names.match(name) or (is_folder and self.folder_names.match(name))


def compile_patterns(patterns: Sequence[str]) -> IgnoreRules:
    """Compile the patterns of the configuration; one that cannot be understood matches nothing.

    Args:
        patterns: gitignore patterns; they hold in the root and below.
    """
    lines = [line for line in patterns if line.strip() and not line.startswith("#")]
    if any(line.startswith("!") for line in lines):
        return IgnoreRules(specs=(FolderSpec(b"", _spec(lines)),))
    simple = [line for line in lines if _SIMPLE.fullmatch(line) and "**" not in line]
    for_folders = [line for line in lines if line not in simple and line.endswith("/")]
    others = [line for line in lines if line not in simple and not line.endswith("/")]
    specs = []
    if for_folders:
        specs.append(FolderSpec(b"", _spec(for_folders), folders_only=True))
    if others:
        specs.append(FolderSpec(b"", _spec(others)))
    return IgnoreRules(
        names=NamePatterns.compile(line for line in simple if not line.endswith("/")),
        folder_names=NamePatterns.compile(line[:-1] for line in simple if line.endswith("/")),
        specs=tuple(specs),
    )


def read_ignore_file(path: bytes, folder: bytes) -> IgnoreFile:
    """Read the `.yapmoignore` at `path`; it holds in `folder` (relative to the root). No file is no error."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return IgnoreFile()
        return IgnoreFile(error=f"cannot read the ignore file: {(error.strerror or '').lower()}")
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return IgnoreFile(error="the ignore file is not a regular file; not used")
        try:
            content = file.read(_MAX_IGNORE_FILE + 1)
        except OSError as error:
            return IgnoreFile(error=f"cannot read the ignore file: {(error.strerror or '').lower()}")
    if len(content) > _MAX_IGNORE_FILE:
        return IgnoreFile(error="the ignore file is larger than 1 MiB; not used")
    lines = _lines_of(content)
    bad = [line for line in lines if not _is_understood(line)]
    reason = f"the ignore file has a pattern that cannot be understood: {bad[0]}" if bad else ""
    return IgnoreFile(FolderSpec(folder, _spec(lines)), reason)


def _lines_of(content: bytes) -> list[str]:
    """Return the lines as Git counts them: a newline alone ends one, CR before it and a byte order mark are dropped."""
    text = os.fsdecode(content.removeprefix(codecs.BOM_UTF8))
    return [line.removesuffix("\r") for line in text.split("\n")]


def _is_understood(line: str) -> bool:
    """Tell whether `pathspec` can compile a line; it knows no bracket within brackets, as in `[[:alpha:]]`."""
    from pathspec import GitIgnoreSpec

    if _NESTED_BRACKET.search(line) and not line.startswith("#"):
        return False
    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return True


def _spec(lines: Sequence[str]) -> GitIgnoreSpec:
    """Compile the lines that can be understood."""
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(line for line in lines if _is_understood(line))
