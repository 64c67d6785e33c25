"""The stages of files: what is pending, what outcomes do, what an edit keeps."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from tests.library.found import NOW, found
from tui.errors import UsageError
from tui.library import all_tags, edits, files, problems, stages
from tui.records import HOT_FIELDS, Extraction, Fingerprint, Metadata, Problem, Stage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from typing import Any

    Add = Callable[..., list[int]]
    Check = Callable[[], None]


def _row(db: sqlite3.Connection, file_id: int, *columns: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] = db.execute(
        f"SELECT {', '.join(columns)} FROM file LEFT JOIN extracted ON file_id = id WHERE id = ?", (file_id,)
    ).fetchone()
    return row


def _done(file_id: int, metadata: Metadata, **more: Any) -> Extraction:
    return Extraction(file_id, 1_000, NOW, "exiftool 12.57", metadata, b'{"a":1}', **more)


FULL = Metadata(
    mime="image/jpeg", width=6000, height=4000, orientation=6, duration_ms=1500, taken_local="2019-07-03T18:22:11.120",
    utc_offset=60, taken_utc=1_562_174_531_120, date_source="EXIF:DateTimeOriginal", make="Canon", model="EOS R6",
    lens="RF50", iso=800, f_number=1.8, exposure=0.004, focal_length=50.0, latitude=-38.7, longitude=9.1, altitude=-3.5,
    rating=4, title="Títle", artist="Ana", album="A", album_artist="B", track=3, disc=1, genre="Fado", year=2019,
    codec="hevc", container="MP4", bit_rate=900_000, frame_rate=29.97, sample_rate=44_100, channels=2, bpm=120.5,
    musical_key="8A", description="long\nwords", keywords=("beach", "new year", "a\nb"), people=("Ana", "Zoë"),
    place="Alfama, Lisboa",
)  # fmt: skip


def test_every_field_is_kept(db: sqlite3.Connection, add: Add, check_index: Check) -> None:
    (file_id,) = add(b"a.jpg")
    assert stages.save_extractions(db, [_done(file_id, FULL)]) == 1
    assert _row(db, file_id, *HOT_FIELDS) == tuple(getattr(FULL, name) for name in HOT_FIELDS)
    assert _row(db, file_id, "metadata_state", "extractor", "version", "description", "keywords", "people", "place") == (
        1, "exiftool 12.57", 1, "long\nwords", "beach\nnew year\na b", "Ana\nZoë", "Alfama, Lisboa",
    )  # fmt: skip
    for words in ("titulo OR title", "zoe", "alfama", "fado OR eos", '"new year"', "canon r6 rf50"):
        assert db.execute("SELECT rowid FROM search WHERE search MATCH ?", (words,)).fetchall() == [
            (file_id,)
        ], words
    check_index()


SPARE = Metadata(mime="image/png", width=8, title="plain", people=("Ana",))


@pytest.mark.parametrize(
    "before", [(), ("extract",), ("edit",), ("edit", "undo"), ("extract", "edit"), ("fail",)]
)
def test_what_is_read_again_leaves_nothing_of_what_was(
    db: sqlite3.Connection, add: Add, check_index: Check, before: tuple[str, ...]
) -> None:
    (file_id,) = add(b"a.jpg")
    for step in before:
        if step == "extract":
            stages.save_extractions(db, [_done(file_id, FULL)])
        elif step == "fail":
            stages.save_extractions(db, [Extraction(file_id, 1_000, NOW, "", error="broken")])
        elif step == "edit":
            edits.set_edit(db, file_id, "iso", 3200, NOW)
            edits.set_edit(db, file_id, "place", "Porto", NOW)
        else:
            assert edits.undo_edit(db, file_id, "iso")
            assert edits.undo_edit(db, file_id, "place")
    stages.save_extractions(db, [_done(file_id, SPARE)])
    edited = "edit" in before and "undo" not in before
    expected = SPARE._asdict() | ({"iso": 3200} if edited else {})
    assert _row(db, file_id, *HOT_FIELDS) == tuple(expected[name] for name in HOT_FIELDS)
    long = ("description", "keywords", "people", "place")
    assert _row(db, file_id, *long) == (None, None, "Ana", "Porto" if edited else None)
    check_index()


HOSTILE = Metadata(
    title="x\ud800y\0z", artist="", iso=2**80, f_number=math.inf, exposure=math.nan, year=-(2**80), album="é" * 100_000,
    keywords=("", "\ud800", "ok"), description="\0",
)  # fmt: skip


def test_values_that_sqlite_cannot_hold(db: sqlite3.Connection, add: Add, check_index: Check) -> None:
    (file_id,) = add(b"a.jpg")
    stages.save_extractions(db, [_done(file_id, HOSTILE)])
    row = _row(
        db, file_id, "title", "artist", "iso", "f_number", "exposure", "year", "length(album)", "keywords"
    )
    assert row == ("x\ufffdyz", None, 2**63 - 1, None, None, -(2**63), 65_536, "\ufffd\nok")
    check_index()


def test_an_outcome_for_another_content_is_void(db: sqlite3.Connection, add: Add) -> None:
    (file_id,) = add(b"a.jpg")
    files.update_changed(db, file_id, found(b"a.jpg", size=2_000))
    assert stages.save_extractions(db, [_done(file_id, FULL), _done(999, FULL)]) == 0
    assert stages.save_fingerprints(db, [Fingerprint(file_id, 1_000, NOW, b"q" * 16)]) == 0
    assert _row(db, file_id, "metadata_state", "fingerprint_state", "title") == (0, 0, None)


def test_a_failure_at_a_former_path_is_void(db: sqlite3.Connection, add: Add) -> None:
    """The file moved while it was read: that nothing lies at its old path says nothing of it."""
    (file_id,) = add(b"a.jpg")
    for path, settled in ((b"/srv/photos/old.jpg", 0), (b"/srv/photos/a.jpg", 1)):
        assert (
            stages.save_extractions(db, [Extraction(file_id, 1_000, NOW, "", error="gone", path=path)])
            == settled
        )
        assert (
            stages.save_fingerprints(db, [Fingerprint(file_id, 1_000, NOW, error="gone", path=path)])
            == settled
        )
        assert _row(db, file_id, "metadata_state", "fingerprint_state") == (2 * settled, 2 * settled)


def test_a_failure_keeps_what_is_known_and_is_a_problem(
    db: sqlite3.Connection, add: Add, check_index: Check
) -> None:
    (file_id,) = add(b"a.jpg")
    stages.save_extractions(db, [_done(file_id, FULL)])
    failure = Extraction(file_id, 1_000, NOW, "", error="it is broken")
    stages.save_extractions(db, [failure], now_ns=NOW)
    stages.save_extractions(db, [failure], now_ns=NOW + 1)
    assert _row(db, file_id, "metadata_state", "title") == (2, "Títle")
    (problem,) = problems.list_problems(db)
    assert (problem.problem.message, problem.attempts, problem.last_at) == ("it is broken", 2, NOW + 1)
    assert problem.problem.path == b"/srv/photos/a.jpg"
    stages.save_extractions(db, [_done(file_id, FULL)])
    assert problems.list_problems(db) == []
    check_index()


def test_fingerprints(db: sqlite3.Connection, add: Add) -> None:
    a, b, c = add(b"a.jpg", b"b.jpg", b"c.jpg")
    stages.save_fingerprints(db, [Fingerprint(item, 1_000, NOW, b"q" * 16) for item in (a, b)])
    stages.save_fingerprints(db, [Fingerprint(c, 1_000, NOW, error="unreadable")])
    assert _row(db, c, "fingerprint_state", "quick_fingerprint") == (2, None)
    assert [row.problem.stage for row in problems.list_problems(db)] == [Stage.FINGERPRINT]
    (root_id,) = db.execute("SELECT id FROM root").fetchone()
    assert list(stages.alike_without_full_fingerprint(db, [root_id])) == [a, b]
    assert [job.file_id for job in stages.pending_full_fingerprints(db, [c, b, a])] == [a, b]
    stages.save_fingerprints(db, [Fingerprint(a, 1_000, NOW, full=b"f" * 16)])
    assert _row(db, a, "quick_fingerprint", "fingerprint") == (b"q" * 16, b"f" * 16)
    assert list(stages.alike_without_full_fingerprint(db, [root_id])) == [b]
    assert [job.file_id for job in stages.pending_full_fingerprints(db, [a, b])] == [b]
    assert list(stages.alike_without_full_fingerprint(db, [root_id + 1])) == []


def test_files_that_are_alike_are_found_in_one_pass(db: sqlite3.Connection, root_id: int) -> None:
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    stages.alike_without_full_fingerprint(db, [root_id])
    stages.pending_full_fingerprints(db, [1, 2])
    db.set_trace_callback(None)
    grouping, page = (
        [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")] for statement in statements
    )
    assert "COVERING INDEX file_quick_fingerprint" in " ".join(grouping)
    assert not any("GROUP BY" in step for step in grouping)
    assert all(step.startswith("SEARCH file USING INTEGER PRIMARY KEY") for step in page if " file " in step)


def test_pending_files_by_id_and_folder(
    db: sqlite3.Connection, add: Add, root_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add(b"a/1.jpg", b"a/b/2.jpg", b"ab/3.jpg", b"4.jpg", b"a/5.jpg", b"a/6.jpg")
    stages.save_extractions(db, [_done(ids[4], FULL)])
    files.set_missing(db, [ids[5]], NOW)
    assert [job.file_id for job in stages.pending_metadata(db, root_id)] == ids[:4]
    assert [job.file_id for job in stages.pending_metadata(db, root_id, after_id=ids[0], limit=2)] == ids[1:3]
    assert [job.file_id for job in stages.pending_fingerprints(db, root_id)] == ids[:5]
    assert stages.pending_metadata(db, root_id + 1) == []
    (job, *_) = stages.pending_metadata(db, root_id)
    assert (job.path, job.size, job.mtime_ns) == (b"/srv/photos/a/1.jpg", 1_000, NOW)
    # both ways of finding what is pending in a part: by its folders, and by the index of all that is pending
    for few in (20_000, 0):
        monkeypatch.setattr(stages, "_FEW", few)
        assert [job.file_id for job in stages.pending_metadata(db, root_id, b"a")] == ids[:2]
        assert [job.file_id for job in stages.pending_metadata(db, root_id, b"a", after_id=ids[0])] == ids[
            1:2
        ]


def test_pending_files_are_found_by_the_index_of_pending_files(db: sqlite3.Connection, root_id: int) -> None:
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    stages.pending_metadata(db, root_id)
    db.set_trace_callback(None)
    plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statements[-1]}"))
    assert "file_metadata_pending" in plan
    assert "TEMP B-TREE" not in plan


def test_make_pending(db: sqlite3.Connection, add: Add, root_id: int) -> None:
    a, b, c, d = add(b"a/1.jpg", b"a/2.jpg", b"3.jpg", b"a/4.jpg")
    stages.save_extractions(db, [_done(item, FULL) for item in (a, c)])
    failures = [Extraction(item, 1_000, NOW, "", error="broken") for item in (b, d)]
    stages.save_extractions(db, failures)
    ignored = [row.problem_id for row in problems.list_problems(db) if row.problem.file_id == d]
    problems.ignore_problems(db, ignored)

    def pending() -> list[int]:
        return [job.file_id for job in stages.pending_metadata(db, root_id)]

    stages.make_pending(db, root_id)
    assert pending() == []
    stages.make_pending(db, root_id, failed=True)
    assert pending() == [b]
    stages.make_pending(db, root_id, b"a", metadata=True)
    assert pending() == [a, b, d]
    stages.make_pending(db, root_id, metadata=True, fingerprint=True)
    assert pending() == [a, b, c, d]


def test_a_newer_version_of_the_rules_reads_everything_again(
    db: sqlite3.Connection, add: Add, root_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, failed, gone = add(b"a.jpg", b"b.jpg", b"c.jpg")
    stages.save_extractions(db, [_done(done, FULL), _done(gone, FULL)])
    stages.save_extractions(db, [Extraction(failed, 1_000, NOW, "", error="broken")])
    files.set_missing(db, [gone], NOW)
    stages.make_outdated_pending(db)
    stages.save_extractions(db, [Extraction(failed, 1_000, NOW, "", error="broken")])
    stages.make_outdated_pending(db)
    assert stages.pending_metadata(db, root_id) == []
    monkeypatch.setattr(stages, "METADATA_VERSION", 2)
    stages.make_outdated_pending(db)
    assert [job.file_id for job in stages.pending_metadata(db, root_id)] == [done, failed]


def test_counting_what_is_pending(db: sqlite3.Connection, add: Add, root_id: int) -> None:
    add(b"a/1.jpg", b"a/b/2.jpg", b"3.jpg")
    assert stages.count_pending(db, Stage.METADATA, root_id) == 3
    assert stages.count_pending(db, Stage.FINGERPRINT, root_id, b"a") == 2


# Edits


def test_an_edit_outlives_every_extraction(db: sqlite3.Connection, add: Add, check_index: Check) -> None:
    (file_id,) = add(b"a.jpg")
    edits.set_edit(db, file_id, "title", "mine", NOW)
    edits.set_edit(db, file_id, "keywords", "one\ntwo", NOW)
    stages.save_extractions(db, [_done(file_id, FULL)])
    assert _row(db, file_id, "title", "keywords", "artist") == ("mine", "one\ntwo", "Ana")
    edits.set_edit(db, file_id, "title", "mine again", NOW + 1)
    assert [(item.field, item.value, item.extracted) for item in edits.edits_of(db, file_id)] == [
        ("keywords", "one\ntwo", "beach\nnew year\na b"),
        ("title", "mine again", "Títle"),
    ]
    assert db.execute("SELECT rowid FROM search WHERE search MATCH '{title} : mine'").fetchall() == [
        (file_id,)
    ]
    assert db.execute("SELECT rowid FROM search WHERE search MATCH '{keywords} : beach'").fetchall() == []
    assert edits.undo_edit(db, file_id, "title")
    assert edits.undo_edit(db, file_id, "keywords")
    assert not edits.undo_edit(db, file_id, "title")
    assert _row(db, file_id, "title", "keywords") == ("Títle", "beach\nnew year\na b")
    check_index()


def test_an_edit_may_empty_a_field(db: sqlite3.Connection, add: Add) -> None:
    (file_id,) = add(b"a.jpg")
    stages.save_extractions(db, [_done(file_id, FULL)])
    edits.set_edit(db, file_id, "rating", None, NOW)
    assert _row(db, file_id, "rating") == (None,)
    stages.save_extractions(db, [_done(file_id, FULL)])
    assert _row(db, file_id, "rating") == (None,)
    edits.undo_edit(db, file_id, "rating")
    assert _row(db, file_id, "rating") == (4,)


@pytest.mark.parametrize("field", ["size", "mime", "name", "x; DROP TABLE file"])
def test_only_metadata_can_be_edited(db: sqlite3.Connection, add: Add, field: str) -> None:
    (file_id,) = add(b"a.jpg")
    with pytest.raises(UsageError, match="no field"):
        edits.set_edit(db, file_id, field, "x", NOW)


def test_an_unknown_file_cannot_be_edited(db: sqlite3.Connection) -> None:
    with pytest.raises(UsageError, match="no file"):
        edits.set_edit(db, 42, "title", "x", NOW)


# All tags


def test_all_tags_come_out_as_they_went_in() -> None:
    for text in (
        b"{}",
        b'{"EXIF:Make": "Canon"}',
        json.dumps({f"EXIF:T{n}": n for n in range(500)}).encode(),
        b"\xff" * 99,
    ):
        assert all_tags.unpack(all_tags.pack(text)) == text
    assert all_tags.load(all_tags.pack(b'{"a": [1, {"b": "\xc3\xa9"}]}')) == {"a": [1, {"b": "é"}]}


def test_typical_tags_take_a_quarter() -> None:
    tags = {"SourceFile": "/x/IMG_0001.JPG", "EXIF:Make": "Canon", "EXIF:Model": "Canon EOS 5D", "EXIF:Orientation": 1,
            "EXIF:XResolution": 72, "EXIF:YResolution": 72, "EXIF:ExposureTime": 0.008, "EXIF:FNumber": 5.6,
            "EXIF:ISO": 400, "EXIF:DateTimeOriginal": "2019:07:03 18:22:11", "EXIF:FocalLength": 50}  # fmt: skip
    text = json.dumps(tags, indent=2).encode()
    assert len(all_tags.pack(text)) < len(text) / 2.5


@pytest.mark.parametrize("stored", [b"", b"\x01damaged", b"\x07future", b"\x00not json", b"\x00[1]", None])
def test_damaged_tags_are_no_tags(stored: bytes | None) -> None:
    assert all_tags.load(stored) == {}


# Problems


def test_problems_of_paths(db: sqlite3.Connection, add: Add) -> None:
    (file_id,) = add(b"a/1.jpg")

    def note(path: bytes, message: str, now_ns: int) -> None:
        problems.record_problem(db, Problem(path, Stage.WALK, message), now_ns=now_ns)

    note(b"/srv/photos/locked", "no permission", NOW)
    note(b"/srv/photos/locked", "still no permission", NOW + 1)
    note(b"/srv/other\xff", "gone", NOW + 2)
    problems.record_problem(db, Problem(b"", Stage.METADATA, "bad", file_id), now_ns=NOW + 3)
    problems.record_problem(db, Problem(b"", Stage.METADATA, "bad", 999), now_ns=NOW + 3)
    listed = problems.list_problems(db)
    assert [(row.problem.path, row.attempts) for row in listed] == [
        (b"/srv/photos/a/1.jpg", 1),
        (b"/srv/other\xff", 1),
        (b"/srv/photos/locked", 2),
    ]
    assert [row.problem.message for row in problems.list_problems(db, under=b"/srv/photos", limit=1)] == [
        "bad"
    ]
    assert len(problems.list_problems(db, stage=Stage.WALK)) == 2
    assert problems.count_problems(db) == {"walk": 2, "metadata": 1}
    assert problems.clear_path_problems(db, b"/srv/photos", Stage.WALK, before_ns=NOW + 1) == 0
    assert problems.clear_path_problems(db, b"/srv/photos", Stage.WALK, before_ns=NOW + 2) == 1
    assert problems.clear_path_problems(db, b"/srv", Stage.WALK, before_ns=NOW + 9) == 1


def test_problems_are_retried_and_ignored(db: sqlite3.Connection, add: Add, root_id: int) -> None:
    a, b = add(b"a.jpg", b"b.jpg")
    stages.save_extractions(db, [Extraction(item, 1_000, NOW, "", error="broken") for item in (a, b)])
    by_file = {row.problem.file_id: row.problem_id for row in problems.list_problems(db)}
    assert problems.ignore_problems(db, [by_file[b]]) == 1
    assert [row.problem.file_id for row in problems.list_problems(db)] == [a]
    assert [row.problem.file_id for row in problems.list_problems(db, ignored=True)] == [b]
    assert [row.ignored for row in problems.problems_of(db, b)] == [True]
    assert problems.retry_problems(db) == 1
    assert [job.file_id for job in stages.pending_metadata(db, root_id)] == [a]
    assert problems.retry_problems(db, [by_file[b]]) == 1
    assert [job.file_id for job in stages.pending_metadata(db, root_id)] == [a, b]
    assert len(problems.list_problems(db)) == 2


def test_problems_of_missing_files_wait_for_their_file(db: sqlite3.Connection, add: Add) -> None:
    (file_id,) = add(b"a.jpg")
    problems.record_problem(db, Problem(b"", Stage.METADATA, "damaged", file_id), now_ns=1)
    assert (len(problems.list_problems(db)), problems.count_problems(db)) == (1, {"metadata": 1})
    files.set_missing(db, [file_id], 2)
    assert (problems.list_problems(db), problems.count_problems(db)) == ([], {})


def test_what_says_nothing_of_a_file_is_tried_again_by_the_next_scan(
    db: sqlite3.Connection, add: Add, root_id: int
) -> None:
    away, damaged = add(b"away.jpg", b"damaged.jpg")
    for file_id, passing in ((away, True), (damaged, False)):
        failure = Extraction(file_id, 1_000, NOW, "", error="The file is gone.", passing=passing)
        assert stages.save_extractions(db, [failure]) == 1
        nothing_there = Fingerprint(file_id, 1_000, NOW, error="cannot be opened", elsewhere=passing)
        assert stages.save_fingerprints(db, [nothing_there]) == 1
    assert not stages.pending_metadata(db, root_id)
    stages.make_passing_pending(db)
    for pending in (stages.pending_metadata(db, root_id), stages.pending_fingerprints(db, root_id)):
        assert [job.file_id for job in pending] == [away]
    assert stages.save_extractions(db, [Extraction(away, 1_000, NOW, "", error="It is damaged.")]) == 1
    stages.make_passing_pending(db)
    assert not stages.pending_metadata(db, root_id), "a failure of its content replaces the other"
