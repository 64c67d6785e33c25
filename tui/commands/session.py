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
from tui.errors import UsageError
from tui.log import LogFeed, set_up_logging

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tui.commands.shared_options import SharedOptions
    from tui.library.database import Library
    from tui.scan.service import ScanService

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
        async with _open(shared, create=False, read_only=read_only) as session:
            return await work(session)

    return asyncio.run(run())


@contextlib.asynccontextmanager
async def open_scan_session(shared: SharedOptions) -> AsyncIterator[ScanSession]:
    """Open everything for a scan, the library made if there is none; close it afterwards whatever happens.

    Raises:
        YapmoError: configuration or library cannot be used.
    """
    from tui.scan.service import ScanService

    async with _open(shared, create=True, read_only=False) as session:
        service = ScanService(session.library, session.config)
        try:
            yield ScanSession(session.config, session.library, session.log_feed, service)
        finally:
            await service.close()


@contextlib.asynccontextmanager
async def _open(shared: SharedOptions, *, create: bool, read_only: bool) -> AsyncIterator[Session]:
    config = load_config(shared.config or None)
    log_feed = set_up_logging(config.logging, terminal=sys.stderr)
    path = effective_library_path(config, shared.library)
    if not create:
        _require_library(path)
    from tui.library.database import Library

    library = await Library.open(
        path,
        create=create,
        read_only=read_only,
        write_batch_size=config.library.write_batch_size,
        write_batch_ms=config.library.write_batch_ms,
    )
    async with library:
        yield Session(config, library, log_feed)


def _require_library(path: bytes) -> None:
    """Raise UsageError when there is no library: nothing was catalogued yet, or the name is mistyped."""
    if not os.path.lexists(path):
        raise UsageError(
            f"There is no library at {display(path)}.",
            hint="`yapmo scan PATH` makes one; --library FILE names another.",
        )
