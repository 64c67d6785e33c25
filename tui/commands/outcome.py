"""How a command line ends: its exit code, and one or two lines on stderr when it came to nothing.

Typer is not needed for that, and the terminal application starts without it.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.display import display
from tui.errors import FAULT_CODE, SYSTEM_ERROR_CODE, YapmoError

if TYPE_CHECKING:
    from collections.abc import Callable

ABORTED = 3
"""Exit code after Ctrl-C."""

_SHOWN_AROUND = 50
"""Characters on either side of a mistake that are shown of a typed line."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a command came to nothing: what happened, and what to do about it ("" where nothing can be said).

    `place` is a line that was typed, and the index of the character in it where the mistake is.
    """

    exit_code: int
    message: str
    hint: str = ""
    place: tuple[str, int] | None = None


def run_to_exit_code(command: Callable[[], int], *, as_json: bool = False) -> int:
    """Run `command` and return the exit code of the process: what it returned, or that of its failure.

    Errors that a person can mend are said in one or two lines on stderr, with `as_json` as one object; there is no traceback.
    The traceback of a fault of the program itself goes into the log.
    """
    prepare_streams()
    try:
        return command()
    except YapmoError as error:
        failure = Failure(error.exit_code, error.message, error.hint, error.place)
    except KeyboardInterrupt:
        return ABORTED
    except Exception as error:  # noqa: BLE001  # the last place where a fault can become one line instead of a traceback
        failure = _explain_fault(error)
    with contextlib.suppress(OSError):  # a full disk behind stderr as well
        complain(failure, as_json=as_json)
    return failure.exit_code


def _explain_fault(error: Exception) -> Failure:
    from tui.commands.faults import log_fault

    hint = log_fault(error)
    if isinstance(error, OSError):
        return Failure(SYSTEM_ERROR_CODE, f"The system says: {error}", hint)
    return Failure(FAULT_CODE, f"A fault of the program: {type(error).__name__}: {error}", hint)


def complain(failure: Failure, *, as_json: bool) -> None:
    """Say on stderr why a command came to nothing: in one or two lines, or as one JSON object with the event `error`."""
    if not as_json:
        print(f"yapmo: {display(failure.message)}", file=sys.stderr)
        for line in _show_place(*failure.place) if failure.place else ():
            print(f"       {line}", file=sys.stderr)
        if failure.hint:
            print(f"       {display(failure.hint)}", file=sys.stderr)
        return
    from tui.commands.output import to_json

    event: dict[str, object] = {"event": "error", "exit_code": failure.exit_code}
    if failure.place:
        event["position"] = failure.place[1]
    print(to_json({**event, "message": failure.message, "hint": failure.hint}), file=sys.stderr)


def _show_place(text: str, position: int) -> tuple[str, str]:
    """Return a typed line, or what of it is near a place, and below it a caret under the place."""
    from rich.cells import cell_len

    start = max(0, position - _SHOWN_AROUND)
    before, behind = display(text[start:position]), display(text[position : position + _SHOWN_AROUND])
    before = f"…{before}" if start else before
    more = "…" if len(text) > position + _SHOWN_AROUND else ""
    return f"{before}{behind}{more}", f"{' ' * cell_len(before)}^"


def forget_lost_terminal() -> None:
    """Let stdout and stderr lead nowhere where their terminal has gone, so that writing to them is no failure.

    A terminal whose line dropped is still a device, but answers no question any more (tty_ioctl(4): EIO).
    """
    for number in (1, 2):
        with contextlib.suppress(OSError):
            if stat.S_ISCHR(os.fstat(number).st_mode) and not os.isatty(number):
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, number)
                os.close(nothing)


def prepare_streams() -> None:
    """Make stdout and stderr fit for whatever comes.

    Characters that the encoding of a stream does not have appear as escapes; a stream that the caller has closed leads
    nowhere. Neither ends the program.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # until the process ends
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
