"""Logging: every module to an asyncio queue, a rotating file, and the terminal of a command.

Records are handed over thread-safe and never block the one who logs: a full queue drops the line and counts
it. A line is one line: what it holds passed `display()`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections import deque
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, TextIO

from tui.display import display
from tui.paths import make_private_dir, state_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper

    from tui.config import LoggingConfig

ROOT_LOGGER = "yapmo"
"""Name above all loggers of the program (`yapmo.workers`, `yapmo.library` …)."""

KEPT_LINES = 2_000
"""Lines that a new subscriber is shown from before it subscribed."""

QUEUE_LINES = 10_000
"""Lines that wait for one slow subscriber before lines are dropped."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log.

    Attributes:
        time_s: seconds since the epoch.
        level: number of the level, as in `logging`.
        level_name: name of the level, as in `logging`.
        logger: which part of the program speaks, without the common prefix.
        text: what it says: one line, safe to show.
    """

    time_s: float
    level: int
    level_name: str
    logger: str
    text: str

    def format(self) -> str:
        """Return the line as the file has it."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.time_s))
        return f"{when} {self.level_name:<8} {self.logger}: {self.text}"


class LogSubscription:
    """The lines of the log as an asyncio queue, for one reader on one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, kept: list[LogLine]) -> None:
        """Start with the lines `kept` from before."""
        self._loop = loop
        self.queue: asyncio.Queue[LogLine] = asyncio.Queue(QUEUE_LINES)
        self.dropped = 0
        for line in kept:
            self.queue.put_nowait(line)

    def deliver(self, line: LogLine) -> None:
        """Hand over one line from any thread; a line that finds no room is dropped and counted."""
        with contextlib.suppress(RuntimeError):  # the loop has ended, so nobody reads any more
            self._loop.call_soon_threadsafe(self._put, line)

    def _put(self, line: LogLine) -> None:
        try:
            self.queue.put_nowait(line)
        except asyncio.QueueFull:
            self.dropped += 1


class LogFeed(logging.Handler):
    """Hands every record to all subscribers and keeps the latest lines for those to come."""

    def __init__(self) -> None:
        """Begin without subscribers."""
        super().__init__()
        self._kept: deque[LogLine] = deque(maxlen=KEPT_LINES)
        self._subscriptions: list[LogSubscription] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Turn a record into a line and deliver it."""
        line = to_line(record)
        self._kept.append(line)
        for subscription in tuple(self._subscriptions):
            subscription.deliver(line)

    @contextlib.contextmanager
    def subscribe(self) -> Iterator[LogSubscription]:
        """Subscribe for the length of a `with` block, on the running event loop."""
        subscription = LogSubscription(asyncio.get_running_loop(), list(self._kept))
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)


class _LineFormatter(logging.Formatter):
    """The format of file and terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return to_line(record).format()


class _PrivateRotatingFileHandler(RotatingFileHandler):
    """A rotating file that only its owner may read, and that gives up on a full disk without a word."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return open(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # name and shape of logging.Handler
        """Lose the line: a log that cannot be written must not stop a scan."""


def to_line(record: logging.LogRecord) -> LogLine:
    """Return a record as one safe line; an exception is named by its type and message, on that line."""
    try:
        text = record.getMessage()
    except (TypeError, ValueError):
        text = str(record.msg)
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        text = f"{text}: {type(error).__name__}: {error}"
    name = record.name.removeprefix(f"{ROOT_LOGGER}.")
    return LogLine(record.created, record.levelno, record.levelname, name, display(text))


def set_up_logging(config: LoggingConfig, *, terminal: TextIO | None = None) -> LogFeed:
    """Connect the program's loggers to the feed, the rotating file and, for commands, a terminal.

    Args:
        config: section `[logging]`.
        terminal: stream for lines a person should see at once; None in the terminal application.

    Returns:
        The feed to subscribe to. Calling again replaces what the last call connected.
    """
    logger = logging.getLogger(ROOT_LOGGER)
    for handler in tuple(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = False
    logging.raiseExceptions = False
    feed = LogFeed()
    logger.addHandler(feed)
    logger.setLevel(config.level.upper() if config.enabled else logging.CRITICAL + 1)
    if config.enabled and config.file:
        _add_file(logger, config)
    if config.enabled and config.terminal and terminal is not None:
        handler = logging.StreamHandler(terminal)
        handler.setFormatter(_LineFormatter())
        handler.setLevel(logging.WARNING if config.level.upper() == "INFO" else config.level.upper())
        logger.addHandler(handler)
    return feed


def log_path(config: LoggingConfig) -> str:
    """Return the path of the log file."""
    return os.path.expanduser(config.path) if config.path else os.path.join(state_dir(), "yapmo.log")


def _add_file(logger: logging.Logger, config: LoggingConfig) -> None:
    path = log_path(config)
    try:
        make_private_dir(os.path.dirname(os.path.abspath(path)))
        handler = _PrivateRotatingFileHandler(
            path, maxBytes=config.max_mb * 1_000_000, backupCount=config.keep
        )
    except OSError as error:
        print(
            f"yapmo: cannot write the log {display(path)}: {display(error.strerror or '')}; going on without",
            file=sys.stderr,
        )
        return
    handler.setFormatter(_LineFormatter())
    logger.addHandler(handler)
