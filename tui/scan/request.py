"""What a front door asks of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.records import Stage
    from tui.scan.targets import ScanTarget


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """One scan to be made.

    Attributes:
        paths: absolute paths of folders or files; empty for all roots of the library.
        only: the one stage to run; None for all.
        rescan: which known files are read again (`changed`, `metadata`, `everything`); None as configured.
        accept_missing: whether any number of files may become missing without a question, except where the disk seems
            not to be mounted.
        accept_unmounted: whether they may there too.
        retry_failed: whether files that failed before are tried again although they did not change.
        workers: number of exiftool processes; None as configured.
    """

    paths: tuple[bytes, ...] = ()
    only: Stage | None = None
    rescan: Literal["changed", "metadata", "everything"] | None = None
    accept_missing: bool = False
    accept_unmounted: bool = False
    retry_failed: bool = False
    workers: int | None = None

    def believes(self, target: ScanTarget) -> bool:
        """Return whether what lies at the place of `target` is taken for its root: another disk may be mounted there."""
        return not target.is_elsewhere or self.accept_missing or self.accept_unmounted


class NothingToScanError(UsageError):
    """All roots are to be scanned, and the library has none yet."""
