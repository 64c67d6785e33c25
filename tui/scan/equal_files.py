"""Files that are equal by fingerprint: told apart by their whole content, and recognised as moved."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui.library import stages
from tui.library.identity.fingerprints import match_fingerprints

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui.library.database import Library
    from tui.library.identity.fingerprints import Matched
    from tui.scan.cancel import CancelToken
    from tui.scan.daemon_thread import DaemonThread
    from tui.scan.fingerprint_stage import FingerprintStage
    from tui.scan.targets import ScanTarget

_FULL_PAGE = 200


class EqualFiles:
    """The files of one scan's roots that are alike in size and quick fingerprint.

    Attributes:
        left: how many are still to be hashed wholly.
    """

    def __init__(
        self,
        library: Library,
        thread: DaemonThread,
        connection: sqlite3.Connection,
        token: CancelToken,
        targets: Sequence[ScanTarget],
    ) -> None:
        """Read with `connection`, which belongs to `thread` alone; `token` stops the hashing."""
        self._library = library
        self._thread = thread
        self._connection = connection
        self._token = token
        self._root_ids = [target.key.root_id for target in targets]
        self._since_ns = min(target.key.started_ns for target in targets)
        self.left = 0

    async def hash_wholly(self, stage: FingerprintStage) -> None:
        """Hash wholly what only whole contents can tell apart, some files at a time."""
        db = self._connection
        ids = await self._thread.run(lambda: stages.alike_without_full_fingerprint(db, self._root_ids))
        for start in range(0, len(ids), _FULL_PAGE):
            self.left = len(ids) - start
            page = ids[start : start + _FULL_PAGE]
            jobs = await self._thread.run(partial(stages.pending_full_fingerprints, db, page))
            if self._token.aborted:
                return
            await stage.run_full(jobs)
        self.left = 0

    async def recognise_moved(self) -> Matched:
        """Let missing files take over the rows that are their only equals; return how many, as this scan counts them.

        Raises:
            LibraryError: the library cannot be written.
        """
        return await self._library.writer.run(
            lambda db: match_fingerprints(db, self._root_ids, since_ns=self._since_ns)
        )
