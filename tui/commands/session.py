"""What every command opens before it works: configuration, log, library and engine."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.config import Config, effective_library_path, load_config
from tui.library.database import Library
from tui.log import LogFeed, set_up_logging
from tui.paths import absolute
from tui.scan.service import ScanService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True, slots=True)
class Session:
    """The open library and what goes with it."""

    config: Config
    library: Library
    service: ScanService
    log_feed: LogFeed


def library_path_of(library_path: str, config: Config) -> bytes:
    """Return the path of the library: the option's if given, else the configured one."""
    return absolute(library_path) if library_path else effective_library_path(config)


@contextlib.asynccontextmanager
async def open_session(
    library_path: str, config_path: str, *, create: bool = True, terminal: bool = True
) -> AsyncIterator[Session]:
    """Open everything for one command, and close it afterwards whatever happens.

    Args:
        library_path: value of `--library`, empty for the configured library.
        config_path: value of `--config`, empty for the user's own.
        create: whether a library that is not there is made.
        terminal: whether warnings go to stderr as well.

    Raises:
        YapmoError: configuration or library cannot be used.
    """
    config = load_config(config_path or None)
    log_feed = set_up_logging(config.logging, terminal=sys.stderr if terminal else None)
    path = library_path_of(library_path, config)
    library = await Library.open(
        path,
        create=create,
        write_batch_size=config.library.write_batch_size,
        write_batch_ms=config.library.write_batch_ms,
    )
    try:
        service = ScanService(library, config)
        try:
            yield Session(config, library, service, log_feed)
        finally:
            await service.close()
    finally:
        await library.close()


def exists(path: bytes) -> bool:
    """Tell whether a library lies at `path`."""
    return os.path.exists(path)
