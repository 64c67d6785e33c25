"""The walk stage: all roots walked side by side, then settled together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.library import scans, stages
from tui.library.identity.staging import clear_dead_staging
from tui.records import Stage
from tui.scan.closing import WalkedRoot, settle_walks
from tui.scan.companions import regroup_companions
from tui.scan.disk_reading import group_by_disk
from tui.scan.disks import PROFILES
from tui.scan.ignore import compile_patterns
from tui.scan.root_walk import RootWalk, WalkOutcome
from tui.scan.walk import WalkOptions

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence

    from tui.config import Config
    from tui.library.database import Library
    from tui.records import Doubt, Problem
    from tui.scan.absence import DiskPresence
    from tui.scan.cancel import CancelToken
    from tui.scan.daemon_thread import DaemonThread
    from tui.scan.lease import ScanLease
    from tui.scan.progress import StageMeter, Tally
    from tui.scan.request import ScanRequest
    from tui.scan.targets import ScanTarget


class WalkStage:
    """Walks the roots of one scan.

    Attributes:
        unavailable: why nothing was marked missing in some root, one sentence; empty when all is settled.
        doubts: where files would be if that were accepted.
        unreadable: whether some folder could not be read.
    """

    def __init__(
        self,
        library: Library,
        config: Config,
        request: ScanRequest,
        targets: Sequence[ScanTarget],
        lease: ScanLease,
        thread: DaemonThread,
        token: CancelToken,
        tally: Tally,
        meter: StageMeter,
        presences: Mapping[int, DiskPresence],
    ) -> None:
        """Prepare the stage.

        Args:
            library: where outcomes go.
            config: what is walked over, and how many files may become missing without a question.
            request: what is to be read again, and whether all that has gone may become missing.
            targets: the roots, or parts of them.
            lease: records the problems of the walk.
            thread: runs what may block on disks.
            token: stops and pauses the stage.
            tally: counts outcomes.
            meter: measures the stage.
            presences: what knows whether the disk of a target is there, by the id of its scan.
        """
        self._library = library
        self._config = config
        self._request = request
        self._targets = targets
        self._lease = lease
        self._thread = thread
        self._token = token
        self._tally = tally
        self._meter = meter
        self._presences = presences
        self._walks: list[RootWalk] = []
        self._preferred: bytes | None = None
        self._listing: dict[int, asyncio.Future[WalkOutcome]] = {}
        self.unavailable = ""
        self.doubts: tuple[Doubt, ...] = ()
        self.unreadable = False

    def prefer(self, folder: bytes | None) -> None:
        """Enter `folder` (absolute path) before all others, in the root where it lies."""
        self._preferred = folder
        for walk in self._walks:
            walk.prefer(folder)

    def has_listed(self, target: ScanTarget) -> bool:
        """Tell whether all folders of a target are listed, whatever is still to be settled."""
        listing = self._listing.get(target.key.scan_id)
        return listing is not None and listing.done()

    async def run(self) -> None:
        """Walk all roots, then settle what only whole walks can tell; after an abort, nothing is settled."""
        self._walks = [self._make_walk(target) for target in self._targets]
        self.prefer(self._preferred)
        walks = dict(zip(self._targets, self._walks, strict=True))
        await asyncio.gather(*(self._walk_disk(group, walks) for group in group_by_disk(self._targets)))
        outcomes = [self._listing[target.key.scan_id].result() for target in self._targets]
        await self._library.writer.flush()
        self._meter.finished = not self._token.aborted
        if not self._token.aborted:
            await self._settle([WalkedRoot(*pair) for pair in zip(self._targets, outcomes, strict=True)])
            await regroup_companions(self._library, self._token)

    async def _walk_disk(self, targets: Sequence[ScanTarget], walks: Mapping[ScanTarget, RootWalk]) -> None:
        """Walk what lies on one disk: side by side, or one after the other where its head would jump between them."""
        for target in targets:
            walk = walks[target]
            start = walk.start if self._request.believes(target) else walk.start_glance
            self._listing[target.key.scan_id] = listing = start()
            if PROFILES[target.disk].one_walk:
                await listing
        await asyncio.gather(*(self._listing[target.key.scan_id] for target in targets))

    async def prepare_library(self, stages_to_run: Collection[Stage]) -> None:
        """Forget what an aborted scan left undecided, and make pending what this scan is to read again.

        Args:
            stages_to_run: those of this scan; what it does not read it does not make pending.
        """
        again = self._request.rescan or self._config.scan.rescan
        reads_metadata, hashes = Stage.METADATA in stages_to_run, Stage.FINGERPRINT in stages_to_run

        def write(db: sqlite3.Connection) -> None:
            clear_dead_staging(db)
            stages.make_outdated_pending(db)
            stages.make_passing_pending(db)
            for target in filter(self._request.believes, self._targets):
                begins = again == "changed" or scans.note_rescan(db, target.key.scan_id, again)
                stages.make_pending(
                    db,
                    target.key.root_id,
                    target.start,
                    name=target.name,
                    metadata=begins and reads_metadata and again in ("metadata", "everything"),
                    fingerprint=begins and hashes and again == "everything",
                    failed=self._request.retry_failed,
                )

        await self._library.writer.run(write)

    def _make_walk(self, target: ScanTarget) -> RootWalk:
        scan = self._config.scan
        options = WalkOptions(
            kinds=scan.kind_by_extension,
            ignore=compile_patterns(scan.ignore),
            hidden=scan.hidden,
            follow_symlinks=scan.follow_symlinks,
            one_file_system=scan.one_file_system,
            sidecars=frozenset(extension.encode() for extension in scan.sidecars),
        )
        return RootWalk(
            self._library,
            target,
            options,
            self._token,
            self._tally,
            self._meter,
            self._note_problem,
            wait_for_disk=self._presences[target.key.scan_id].wait_in_thread,
        )

    async def _settle(self, walked: list[WalkedRoot]) -> None:
        closing = await settle_walks(
            self._library,
            walked,
            missing_limit=self._config.scan.missing_limit,
            accept_missing=self._request.accept_missing,
            accept_unmounted=self._request.accept_unmounted,
            thread=self._thread,
            on_problem=self._note_problem,
        )
        await self._lease.forget_mended()
        self.unavailable = closing.unavailable
        self.doubts = closing.doubts
        self.unreadable = any(root.outcome.unreadable for root in walked)
        settled = closing.settled
        for name in ("new", "changed", "moved", "returned", "missing", "unchanged"):
            self._tally.add(name, getattr(settled, name))

    def _note_problem(self, problem: Problem) -> None:
        """Record a problem of the walk in the library and in the progress."""
        self._tally.add_problem(problem)
        self._lease.note(problem)
