"""Telling the user that the library could not be read: a notice, and the screen keeps what it shows."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tui.display import display

if TYPE_CHECKING:
    from textual.app import App

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
