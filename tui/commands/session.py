"""What commands open before they work: configuration, log, library and, for a scan, the engine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tui.config import Config, effective_library_path, load_config
from tui.display import display
from tui.errors import LibraryError, UsageError
from tui.log import LogFeed, set_up_logging

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tui.commands.shared_options import SharedOptions
    from tui.library.database import Library
    from tui.scan.service import ScanRequest, ScanService

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """The open library and what goes with it."""

    config: Config
    library: Library
    log_feed: LogFeed

    def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Return the answer of one short question to the library.

        Raises:
            LibraryError: the library is damaged or cannot be read.
        """
        from tui.library.connections import explained

        with explained(self.library.path), contextlib.closing(self.library.connect_read_only()) as db:
            return question(db)


@dataclass(frozen=True, slots=True)
class ScanSession(Session):
    """A session with the engine."""

    service: ScanService


def run_session(
    work: Callable[[Session], Awaitable[T]], shared: SharedOptions, *, read_only: bool = True
) -> T:
    """Return what `work` returns, given the library that is there already.

    Args:
        work: the command.
        shared: which library and which configuration.
        read_only: whether `work` only reads; the library may then lie where nothing can be written.

    Raises:
        UsageError: there is no library yet, or the configuration is wrong.
        LibraryError: the library cannot be used.
    """

    async def run() -> T:
        config, log_feed, path = _prepare(shared)
        if _is_new(path):
            raise UsageError(
                f"There is no library at {display(path)}.",
                hint="`yapmo scan PATH` makes one; --library FILE names another.",
            )
        from tui.library.database import open_configured_library

        async with await open_configured_library(config, path, create=False, read_only=read_only) as library:
            return await work(Session(config, library, log_feed))

    return asyncio.run(run())


@contextlib.asynccontextmanager
async def open_scan_session(request: ScanRequest, shared: SharedOptions) -> AsyncIterator[ScanSession]:
    """Open everything for a scan, and close it afterwards whatever happens.

    The library is made if there is none, but not for a request that cannot be served: a mistyped path leaves nothing behind.

    Raises:
        YapmoError: configuration, library or request cannot be used.
    """
    from tui.library.database import open_configured_library
    from tui.scan.service import ScanService, check_first_run

    config, log_feed, path = _prepare(shared)
    if _is_new(path):
        await check_first_run(config, request)
    async with await open_configured_library(config, path) as library:
        service = ScanService(library, config)
        try:
            yield ScanSession(config, library, log_feed, service)
        finally:
            await service.close()


def prepare_session(shared: SharedOptions) -> bytes:
    """Set up the log by the configuration, and return the path of the library, whatever state that is in."""
    return _prepare(shared)[2]


def _prepare(shared: SharedOptions) -> tuple[Config, LogFeed, bytes]:
    """Return the configuration, the log that was set up by it, and the path of the library."""
    config = load_config(shared.config or None)
    log_feed = set_up_logging(config.logging, terminal=sys.stderr)
    return config, log_feed, effective_library_path(config, shared.library)


def _is_new(path: bytes) -> bool:
    """Tell whether there is no library yet: nothing was catalogued, or the name is mistyped.

    Raises:
        LibraryError: that cannot be told, because a folder on the way may not be read.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as error:
        raise LibraryError(
            f"The library {display(path)} cannot be reached: {error.strerror}.",
            hint="Check the permissions of its folders, or choose another with --library FILE.",
        ) from None
    return False
