"""Telling the user of faults: a library that cannot be read is a notice, a mistake of the program its last words."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tui.display import display
from tui.log import log_path

if TYPE_CHECKING:
    from rich.text import Text
    from textual.app import App

    from tui.config import LoggingConfig
    from tui.errors import YapmoError

logger = logging.getLogger("yapmo.app")

FAULT_S = 15.0
"""How long a notice of a fault stands: two lines, the second of which says what to do."""

_told_at: WeakKeyDictionary[App[Any], dict[str, float]] = WeakKeyDictionary()
"""When each application last showed a notice, by its text. Textual's own list lags behind: it is filled by messages."""


def tell_fault(app: App[Any], error: YapmoError) -> None:
    """Say what happened and what to do.

    Says nothing while the same notice still stands there: what is read four times a second fails as often.
    """
    text = "\n".join(display(line) for line in (error.message, error.hint) if line)
    now, told = time.monotonic(), _told_at.setdefault(app, {})
    if now - told.get(text, -FAULT_S) < FAULT_S:
        return
    told[text] = now
    logger.warning("%s", display(error.message))
    app.notify(text, severity="error", timeout=FAULT_S, markup=False)


def log_mistake(error: BaseException | None, config: LoggingConfig) -> Text:
    """Write the traceback of a mistake of the program to the log, and return the two lines that the user is told."""
    import traceback

    from rich.text import Text

    for line in "".join(traceback.format_exception(error)).splitlines():
        logger.critical("%s", line)
    what = display("".join(traceback.format_exception_only(error)).strip())
    return Text(
        f"yapmo: stopped by a mistake of its own: {what}\n"
        f"       What was finished is kept. More is in the log: {display(log_path(config))}"
    )
