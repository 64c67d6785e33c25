"""What the outcome of one file means for a scan's progress, alike in every stage that reads files."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tui.display import display
from tui.records import Problem, Stage

if TYPE_CHECKING:
    from tui.records import FileJob
    from tui.scan.progress import StageMeter, Tally

logger = logging.getLogger("yapmo.scan")

_COUNTERS = {
    Stage.METADATA: ("metadata_done", "metadata_failed"),
    Stage.FINGERPRINT: ("fingerprints_done", "fingerprints_failed"),
}


def count_outcome(job: FileJob, error: str | None, meter: StageMeter, tally: Tally) -> None:
    """Count a committed outcome in the stage of `meter`; one with an `error` is logged and is a problem too."""
    done, failed = _COUNTERS[meter.stage]
    meter.count(size=job.size, failed=error is not None)
    tally.add(done if error is None else failed)
    if error is not None:
        logger.warning("%s: %s", display(job.path), display(error))
        tally.add_problem(Problem(job.path, meter.stage, error, job.file_id))
