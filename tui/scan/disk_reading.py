"""Reading the files of one disk: metadata and fingerprints, with processes and threads of the disk's own.

Nothing here is shared with another disk but the library, so a disk that is slow or does not answer holds up no
other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from tui.library import stages
from tui.records import Stage
from tui.scan.backlog import Backlog
from tui.scan.daemon_thread import DaemonThread
from tui.scan.disks import PROFILES
from tui.scan.equal_files import EqualFiles
from tui.scan.fingerprint_stage import FingerprintStage
from tui.scan.metadata import MetadataStage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Mapping, Sequence

    from tui.config import Config
    from tui.library.database import Library
    from tui.scan.absence import DiskPresence
    from tui.scan.cancel import CancelToken
    from tui.scan.extractors import Extractors
    from tui.scan.progress import StageMeter, Tally
    from tui.scan.targets import ScanTarget


@dataclass(frozen=True, slots=True)
class SharedParts:
    """What all disks of one scan share.

    Attributes:
        library: where outcomes go.
        config: how files are read.
        thread: reads the library with `connection`; it never touches a disk with media.
        connection: belongs to `thread` alone.
        token: stops and pauses everything.
        tally: counts outcomes.
        meters: measure the stages.
        stages: those that this scan runs.
        presences: what knows whether the disk of a target is there, by the id of its scan.
    """

    library: Library
    config: Config
    thread: DaemonThread
    connection: sqlite3.Connection
    token: CancelToken
    tally: Tally
    meters: Mapping[Stage, StageMeter]
    stages: Collection[Stage]
    presences: Mapping[int, DiskPresence]


def group_by_disk(targets: Sequence[ScanTarget]) -> list[list[ScanTarget]]:
    """Return the targets that lie on the same file system together: what one head reads, or one line."""

    def disk(target: ScanTarget) -> tuple[str, str]:
        return target.place_identity, target.disk

    return [list(group) for _, group in groupby(sorted(targets, key=disk), key=disk)]


class DiskReading:
    """Reads what is pending on one disk.

    Attributes:
        pools: the processes that read metadata, None where none is read.
        profile: how this kind of disk is read.
        is_extracting: whether metadata is still to be read.
    """

    def __init__(
        self,
        shared: SharedParts,
        targets: Sequence[ScanTarget],
        extractors: Extractors | None,
        *,
        is_walking: Callable[[], bool],
        is_walked: Callable[[], bool],
    ) -> None:
        """Prepare the reading of `targets`, which lie on one disk.

        Args:
            shared: what it shares with other disks.
            targets: what is read.
            extractors: what metadata is read with; None where none is read.
            is_walking: tells whether the walk of any disk may still make files pending.
            is_walked: tells whether this disk's own folders are all listed.
        """
        self._shared = shared
        self.profile = PROFILES[targets[0].disk]
        self._presence = shared.presences[targets[0].key.scan_id]
        self._backlog = Backlog(
            shared.thread, shared.connection, targets, in_path_order=self.profile.in_path_order
        )
        self._equals = EqualFiles(shared.library, shared.thread, shared.connection, shared.token, targets)
        self._is_walking = is_walking
        self._is_walked = is_walked
        self.is_extracting = extractors is not None
        self.pools = extractors.make_pools() if extractors is not None else None
        self._fingerprint = self._make_fingerprint_stage() if Stage.FINGERPRINT in shared.stages else None
        self._metadata = self._make_metadata_stage(extractors.version) if extractors is not None else None

    @property
    def is_busy(self) -> bool:
        """Whether there is metadata to be read right now."""
        return self.is_extracting and self._metadata is not None and not self._metadata.is_idle

    def prefer(self, folder: bytes | None) -> None:
        """Read what lies at or below `folder` (absolute path) before all else."""
        self._backlog.prefer(folder)

    async def count_pending(self, stage: Stage) -> int:
        """Return how much is left to do in a stage, as far as the library knows by now."""
        pending = await self._backlog.count(stage)
        return pending + self._equals.left if stage is Stage.FINGERPRINT else pending

    async def read_metadata(self) -> None:
        """Read the metadata of all that is pending; after an abort, return once what was read is committed."""
        if self._metadata is None or self.pools is None:
            return
        looking = DaemonThread("look at files")
        try:
            await self._metadata.run(looking)
        finally:
            self.is_extracting = False
            looking.stop()
        await self.pools.close(0.0)

    async def take_fingerprints(self) -> None:
        """Hash what is pending, then wholly what only whole contents can tell apart."""
        if self._fingerprint is not None:
            await self._fingerprint.run()
            await self.hash_equals_wholly()

    async def hash_equals_wholly(self) -> None:
        """Hash the whole content of files that are like another, on this disk or on one that was read before."""
        shared = self._shared
        if self._fingerprint is None or shared.config.scan.fingerprint != "auto" or shared.token.aborted:
            return
        await self._equals.hash_wholly(self._fingerprint)

    def _make_fingerprint_stage(self) -> FingerprintStage:
        shared, scan = self._shared, self._shared.config.scan
        return FingerprintStage(
            shared.library,
            self._backlog.feeder(stages.pending_fingerprints),
            shared.token,
            shared.tally,
            shared.meters[Stage.FINGERPRINT],
            threads=self.profile.hashing,
            full=scan.fingerprint == "full",
            follow_links=scan.follow_symlinks,
            timeout_s=shared.config.exiftool.timeout,
            presence=self._presence,
            more_to_come=lambda: self._is_walking() or self.is_extracting,
            may_begin=lambda: self._is_walked() and not self.is_busy,
        )

    def _make_metadata_stage(self, extractor: str) -> MetadataStage:
        assert self.pools is not None
        shared, fingerprint = self._shared, self._fingerprint
        return MetadataStage(
            shared.library,
            self._backlog.feeder(stages.pending_metadata),
            self.pools.exiftool,
            self.pools.tags,
            shared.token,
            shared.tally,
            shared.meters[Stage.METADATA],
            extractor=extractor,
            presence=self._presence,
            more_to_come=self._is_walking,
            on_settled=fingerprint.offer if fingerprint is not None else lambda _: None,
        )
