"""Errors that a person can do something about; each carries the exit code of the command line."""

from __future__ import annotations

FAULT_CODE = 70
"""Exit code after a fault of the program itself (EX_SOFTWARE of sysexits(3))."""

SYSTEM_ERROR_CODE = 74
"""Exit code when the system refused to read or write what no other code is for (EX_IOERR of sysexits(3))."""


class YapmoError(Exception):
    """An error that a person can do something about: the message says what happened and what to do.

    Attributes:
        exit_code: what the command line ends with.
        place: a line that was typed, and the 0-based index of the character in it that the message speaks of; None
            where there is no such line.
    """

    exit_code = FAULT_CODE
    place: tuple[str, int] | None = None

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep what happened (`message`) and what to do about it (`hint`)."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(YapmoError):
    """Wrong usage or configuration (exit code 2)."""

    exit_code = 2


class LibraryError(YapmoError):
    """The library is locked, damaged, newer than this program, or cannot be written (exit code 4)."""

    exit_code = 4


class RootUnavailableError(YapmoError):
    """A root cannot be reached, or the missing-files brake held (exit code 5)."""

    exit_code = 5
