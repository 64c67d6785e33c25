"""Telling the user that the library could not be read: a notice, and the screen keeps what it shows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tui.display import display

if TYPE_CHECKING:
    from textual.app import App

    from tui.errors import YapmoError

logger = logging.getLogger("yapmo.app")

FAULT_S = 15.0
"""How long a notice of a fault stands: two lines, the second of which says what to do."""


def tell_fault(app: App[Any], error: YapmoError) -> None:
    """Say what happened and what to do.

    Says nothing while the same notice still stands there: what is read four times a second fails as often.
    """
    text = "\n".join(display(line) for line in (error.message, error.hint) if line)
    standing = app._notifications  # noqa: SLF001  # Textual has no public way to ask
    if any(notice.message == text for notice in standing):
        return
    logger.warning("%s", display(error.message))
    app.notify(text, severity="error", timeout=FAULT_S, markup=False)
