"""Opening the terminal application: what must be there first, and what is closed when it ends.

A path that is not there, or a place where nobody could see the application, is told before Textual is loaded.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING

from tui.display import PLAIN_TERMINALS, display
from tui.errors import FAULT_CODE, UsageError

if TYPE_CHECKING:
    from tui.config import Config
    from tui.screens.session import ScreenSession

SWITCH_INTERVAL_S = 0.001
"""How long a thread may keep the others from running, once they want to: a key waits for it."""


def open_application(path: str | None, *, library_path: str = "", config_path: str = "") -> int:
    """Open the terminal application and return the exit code of the process.

    Args:
        path: folder or file to begin with; None for none.
        library_path: the library to use instead of the configured one; empty for that.
        config_path: the configuration file to use instead of the user's; empty for that.

    Raises:
        YapmoError: the path is not there, there is no terminal, or configuration or library cannot be used.
    """
    from tui.config import load_config
    from tui.paths import absolute

    start_path = absolute(path) if path is not None else None
    if start_path is not None and not os.path.lexists(start_path):
        raise UsageError(f"There is no file or folder {display(start_path)}")
    if start_path is not None:
        start_path = os.path.realpath(start_path)  # as scans name it: roots lie where links lead
    config = load_config(config_path or None)
    _require_terminal()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    return asyncio.run(_run(config, start_path, library_path))


def _require_terminal() -> None:
    """Raise UsageError where nobody could see the application or type: in a pipe, on a dumb terminal, without UTF-8."""
    hint = "`yapmo scan PATH`, `yapmo search` and the other commands work everywhere; see `yapmo --help`."
    seen = sys.__stderr__ is not None and sys.__stderr__.isatty()  # where Textual draws
    typed = sys.__stdin__ is not None and sys.__stdin__.isatty()
    if not (seen and typed):
        raise UsageError("The terminal application needs a terminal, and this is none.", hint=hint)
    term = os.environ.get("TERM", "")
    if term in PLAIN_TERMINALS:
        raise UsageError(
            f"The terminal application cannot be drawn: TERM is {term or 'not set'}.",
            hint=f"Set it to what your terminal is, such as: export TERM=xterm-256color. {hint}",
        )
    encoding = sys.__stderr__.encoding if sys.__stderr__ is not None else ""
    if encoding.lower().replace("-", "") != "utf8":
        raise UsageError(
            f"The terminal application cannot be drawn in {encoding}: frames and names need UTF-8.",
            hint=f"Where the terminal shows UTF-8: export LC_ALL=C.UTF-8. {hint}",
        )


async def _run(config: Config, start_path: bytes | None, library_path: str) -> int:
    """Run the application until it ends, and close what it opened."""
    from tui.app import YapmoApp

    async with contextlib.AsyncExitStack() as resources:

        async def open_session() -> ScreenSession:
            from tui.config import effective_library_path
            from tui.library.database import open_configured_library
            from tui.log import set_up_logging
            from tui.scan.service import ScanService
            from tui.screens.session import ScreenSession

            feed = set_up_logging(config.logging)
            library = await open_configured_library(config, effective_library_path(config, library_path))
            await resources.enter_async_context(library)
            service = ScanService(library, config)
            resources.push_async_callback(service.close)
            return ScreenSession(config, library, service, feed, keymap=dict(config.interface.keys))

        app = YapmoApp(config, open_session, start_path)
        code = await app.run_async()
    if app.failure is not None:
        raise app.failure
    # Textual's own code is 1 after a fault
    return code if code is not None else FAULT_CODE if app.return_code else 0
