"""Companions are found anew where a scan changed what lies in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.library.companions.grouping import regroup

if TYPE_CHECKING:
    from tui.library.database import Library
    from tui.scan.cancel import CancelToken


async def regroup_companions(library: Library, token: CancelToken) -> None:
    """Find the companions of all folders that wait for it; after an abort the next scan does.

    Raises:
        LibraryError: the library cannot be written.
    """
    while not token.aborted and await library.writer.run(regroup):
        pass
