"""What becomes of a fault of the program itself: the traceback into the log, a hint to the person."""

from __future__ import annotations

import logging
import traceback


def log_fault(error: BaseException) -> str:
    """Write the traceback of `error` into the log, a line a line of it, and return where to find it."""
    from tui.config import default_config
    from tui.log import ROOT_LOGGER, log_path, set_up_logging

    root = logging.getLogger(ROOT_LOGGER)
    if not root.handlers:  # it happened before the command had read its configuration
        set_up_logging(default_config().logging)
    logger = logging.getLogger(f"{ROOT_LOGGER}.commands")
    for part in traceback.format_exception(error):
        for line in part.rstrip("\n").split("\n"):
            logger.error("%s", line)
    paths = [getattr(handler, "baseFilename", None) for handler in root.handlers]
    written = next((path for path in paths if path), None)
    return (
        f"The details are in {written}."
        if written
        else f"No log is kept; see {log_path(default_config().logging)}."
    )
