"""The metadata stage, as far as it needs no workers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from tests.media import make_jpeg
from tui.records import FileJob, Kind
from tui.scan.metadata import RawAnswer, settle_answers
from tui.workers.errors import FILE_GONE
from tui.workers.exiftool import ExiftoolAnswer

if TYPE_CHECKING:
    from pathlib import Path


def job_of(path: Path, file_id: int) -> FileJob:
    status = path.stat()
    return FileJob(
        file_id, os.fsencode(path), Kind.IMAGE, status.st_size, status.st_mtime_ns, 1, False, status.st_ino
    )


def test_an_answer_that_nobody_foresaw_costs_its_own_file_only(tmp_path: Path) -> None:
    jobs = []
    for number in (1, 2):
        make_jpeg(tmp_path / f"{number}.jpg", number)
        jobs.append(job_of(tmp_path / f"{number}.jpg", number))
    tags = {"EXIF:Make": "Canon"}
    answers = [
        RawAnswer(jobs[0], exiftool=ExiftoolAnswer(cast("Any", 7), b"7", "exiftool 12.57")),
        RawAnswer(
            jobs[1], exiftool=ExiftoolAnswer(tags, b"{}", "exiftool 12.57"), extractor="exiftool 12.57"
        ),
    ]
    first, second = settle_answers(answers).extractions
    assert first.metadata is None
    assert first.error is not None
    assert "cannot be normalised" in first.error
    assert second.metadata is not None
    assert second.metadata.make == "Canon"


def test_a_file_that_was_away_for_a_moment_is_read_again(tmp_path: Path) -> None:
    make_jpeg(tmp_path / "1.jpg", 1)
    job = job_of(tmp_path / "1.jpg", 1)
    said = ExiftoolAnswer({}, b"{}", "exiftool 12.57", error=FILE_GONE)
    for answer in (RawAnswer(job, error=FILE_GONE), RawAnswer(job, exiftool=said)):
        batch = settle_answers([answer])
        assert ([again for again, _ in batch.unstable], batch.extractions) == ([job], ())
        (failure,) = settle_answers([answer], lambda _: False).extractions
        assert failure.passing


def test_a_file_that_is_away_is_tried_again_by_the_next_scan(tmp_path: Path) -> None:
    make_jpeg(tmp_path / "1.jpg", 1)
    make_jpeg(tmp_path / "2.jpg", 2)
    jobs = [job_of(tmp_path / "1.jpg", 1), job_of(tmp_path / "2.jpg", 2)]
    (tmp_path / "1.jpg").unlink()
    gone, damaged = settle_answers(
        [RawAnswer(jobs[0], error=FILE_GONE), RawAnswer(jobs[1], error="It is damaged.")]
    ).extractions
    assert (gone.passing, damaged.passing) == (True, False)
