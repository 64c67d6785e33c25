"""The metadata stage: one file in, one `Extraction` out, whatever happens.

Pictures and films go to the exiftool pool; songs go to mutagen, and to exiftool when mutagen cannot read them.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.records import Extraction, FileJob, Kind
from tui.scan.normalize_exiftool import metadata_from_exiftool
from tui.scan.normalize_mutagen import metadata_from_mutagen
from tui.scan.walk import describe, describe_type

if TYPE_CHECKING:
    from tui.workers.exiftool import ExiftoolAnswer
    from tui.workers.pool import WorkerPool
    from tui.workers.tags import TagAnswer


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What a worker said of one file, before it is normalised.

    Exactly one of `exiftool`, `tags` and `error` is set.
    """

    job: FileJob
    exiftool: ExiftoolAnswer | None = None
    tags: TagAnswer | None = None
    error: str = ""
