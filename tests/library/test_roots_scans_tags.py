"""Roots that never overlap, leases on them, and the user's tags."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.library.found import NOW
from tui.errors import UsageError
from tui.library import files, locks, problems, roots, scans, tags
from tui.library.scans import LEASE_NS, ScanRunningError
from tui.records import Problem, ScanCounters, ScanProcess, ScanState, Stage, StageProgress

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    Add = Callable[..., list[int]]
    Check = Callable[[], None]


def test_a_root_holds_its_paths(db: sqlite3.Connection, root_id: int) -> None:
    for path in (b"/srv/photos", b"/srv/photos/2019", b"/srv/photos/a/b"):
        root = roots.find_root(db, path)
        assert root is not None
        assert root.root_id == root_id
    for path in (b"/srv", b"/srv/photos2", b"/"):
        assert roots.find_root(db, path) is None
    assert roots.add_root(db, b"/srv/photos").root_id == root_id
    with pytest.raises(UsageError, match="lies in the root"):
        roots.add_root(db, b"/srv/photos/2019")
    with pytest.raises(LookupError):
        roots.root_by_id(db, 99)


def test_a_root_above_adopts_and_ids_stay(db: sqlite3.Connection, add: Add, check_index: Check) -> None:
    below = roots.add_root(db, b"/media/disk/photos", file_system="uuid:7").root_id
    beside = roots.add_root(db, b"/media/disk/music").root_id
    a, b = add(b"a.jpg", b"2019/b.jpg", root=below)
    (c,) = add(b"c.mp3", root=beside)
    scan_id = scans.start_scan(db, below, b"/media/disk/photos", now_ns=NOW)
    scans.finish_scan(db, scan_id, ScanState.COMPLETED, ScanCounters(), now_ns=NOW)
    root = roots.add_root(db, b"/media", file_system="uuid:1")
    assert [item.path for item in roots.list_roots(db)] == [b"/media", b"/srv/photos"]
    paths = [files.path_and_inode(db, item)[0] for item in (a, b, c)]
    assert paths == [
        b"/media/disk/photos/a.jpg",
        b"/media/disk/photos/2019/b.jpg",
        b"/media/disk/music/c.mp3",
    ]
    assert {path for _, path in files.folders_under(db, root.root_id, b"")} == {
        b"", b"disk", b"disk/photos", b"disk/photos/2019", b"disk/music",
    }  # fmt: skip
    assert [scan.root_id for scan in scans.recent_scans(db)] == [root.root_id]
    systems = dict(db.execute("SELECT path, file_system FROM folder").fetchall())
    assert systems[b"disk/photos/2019"] == "uuid:7"
    above_all = db.execute(
        "SELECT path FROM folder WHERE parent_id IS NULL AND root_id = ?", (root.root_id,)
    ).fetchall()
    assert above_all == [(b"",)]
    assert db.execute("SELECT count(*) FROM search WHERE search MATCH 'disk'").fetchone() == (3,)
    check_index()


def test_a_root_that_is_scanned_is_not_adopted(db: sqlite3.Connection, root_id: int) -> None:
    scans.start_scan(db, root_id, b"/srv/photos", now_ns=time.time_ns())
    with pytest.raises(ScanRunningError):
        roots.add_root(db, b"/srv")
    with pytest.raises(ScanRunningError):
        roots.forget_root(db, root_id)


def test_counts_of_roots(db: sqlite3.Connection, add: Add, root_id: int) -> None:
    _, gone = add(b"a.jpg", b"x/b.jpg", size=10)
    files.set_missing(db, [gone], NOW)
    roots.add_root(db, b"/empty")
    counted = {
        item.root.path: (item.files, item.missing, item.size, item.folders) for item in roots.count_roots(db)
    }
    assert counted == {b"/srv/photos": (1, 1, 10, 2), b"/empty": (0, 0, 0, 1)}


def test_a_root_is_named_moved_and_forgotten(
    db: sqlite3.Connection, add: Add, root_id: int, check_index: Check
) -> None:
    (file_id,) = add(b"a.jpg")
    roots.rename_root(db, root_id, "Holidays")
    assert db.execute("SELECT rowid FROM search WHERE search MATCH 'holidays'").fetchall() == [(file_id,)]
    roots.relocate_root(db, root_id, b"/mnt/new")
    assert files.path_and_inode(db, file_id)[0] == b"/mnt/new/a.jpg"
    other = roots.add_root(db, b"/mnt/other")
    with pytest.raises(UsageError, match="overlaps"):
        roots.relocate_root(db, root_id, b"/mnt/other/inside")
    with pytest.raises(UsageError, match="overlaps"):
        roots.relocate_root(db, root_id, b"/mnt")
    roots.relocate_root(db, root_id, b"/mnt/new/deeper")
    roots.update_root(db, root_id, file_system="uuid:9")
    assert roots.root_by_id(db, root_id).file_system == "uuid:9"
    problems.record_problem(db, Problem(b"/mnt/new/deeper/x", Stage.WALK, "no"), now_ns=NOW)
    assert roots.forget_root(db, root_id) == 1
    assert [root.root_id for root in roots.list_roots(db)] == [other.root_id]
    for table in ("file", "problem"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    check_index()


# Scans


def _identify(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setattr(scans, "host_name", lambda: host)


def test_one_scan_of_a_root(db: sqlite3.Connection, root_id: int) -> None:
    scan_id = scans.start_scan(db, root_id, b"/srv/photos/2019", now_ns=NOW)
    with pytest.raises(ScanRunningError, match=f"process {os.getpid()} on") as caught:
        scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW + 1)
    assert (caught.value.scan_id, caught.value.pid, caught.value.host) == (
        scan_id,
        os.getpid(),
        locks.host_name(),
    )
    assert (caught.value.path, "--abort" in caught.value.hint) == (b"/srv/photos", True)
    assert not scans.abort_requested(db, scan_id)
    assert scans.beat(db, scan_id, ScanCounters(files=3), ScanState.PAUSED, now_ns=NOW + 2)
    assert scans.request_abort(db, scan_id)
    assert scans.abort_requested(db, scan_id)
    scans.finish_scan(
        db, scan_id, ScanState.ABORTED, ScanCounters(files=5, new=5), error="why", now_ns=NOW + 3
    )
    (record,) = scans.recent_scans(db, root_id=root_id)
    assert (record.state, record.counters.files, record.error, record.finished_at) == (
        ScanState.ABORTED, 5, "why", NOW + 3,
    )  # fmt: skip
    assert record.path == b"/srv/photos/2019"
    assert not scans.beat(db, scan_id, ScanCounters(), ScanState.RUNNING, now_ns=NOW)
    assert not scans.request_abort(db, scan_id)
    assert roots.root_by_id(db, root_id).last_scan_id is None
    scan_id = scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW + 4)
    scans.finish_scan(db, scan_id, ScanState.COMPLETED, ScanCounters(), now_ns=NOW + 5)
    assert roots.root_by_id(db, root_id).last_scan_id == scan_id


def test_the_lease_of_a_dead_process_is_taken_over(db: sqlite3.Connection, root_id: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = locks.process_identity(process.pid)
    scan_id = scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW)
    db.execute("UPDATE scan SET pid = ?, process = ? WHERE id = ?", (process.pid, identity, scan_id))
    with pytest.raises(ScanRunningError):
        scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW + 1)
    process.kill()
    process.communicate()
    assert scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW + 1) > scan_id
    old = scans.recent_scans(db)[1]
    assert (old.state, old.finished_at) == (ScanState.ABORTED, NOW)
    assert scans.abort_requested(db, scan_id)
    assert not scans.beat(db, scan_id, ScanCounters(), ScanState.RUNNING, now_ns=NOW + 2)


def test_how_far_a_running_scan_is_can_be_read_by_others(db: sqlite3.Connection, root_id: int) -> None:
    other_id = roots.add_root(db, b"/srv/music").root_id
    first = scans.start_scan(db, root_id, b"/srv/photos/2019", now_ns=NOW)
    second = scans.start_scan(db, other_id, b"/srv/music", now_ns=NOW)
    stages = (
        StageProgress(Stage.WALK, 12, 12, finished=True),
        StageProgress(Stage.METADATA, 3, 40, 1, 7.5, 1e6, 5.0),
    )
    for scan_id in (first, second):
        scans.beat(
            db,
            scan_id,
            ScanCounters(files=40),
            ScanState.RUNNING,
            stages=stages,
            note="waits\ud800",
            now_ns=NOW + 1,
        )
    looked = scans.look_at_scan(db, second, now_ns=NOW + 2)
    assert looked is not None
    record, is_alive = looked
    assert (record.stages, record.counters.files, is_alive) == (stages, 40, True)
    assert record.note.startswith("waits")
    assert record.process == ScanProcess(locks.host_name(), os.getpid(), NOW)
    assert scans.paths_of_run(db, second) == (b"/srv/photos/2019", b"/srv/music")
    living = [(scan.scan_id, root) for scan, root in scans.living_scans(db, now_ns=NOW + 2)]
    assert living == [(first, b"/srv/photos"), (second, b"/srv/music")]
    db.execute("UPDATE scan SET process = process || '0' WHERE id = ?", (first,))
    scans.finish_scan(db, second, ScanState.COMPLETED, ScanCounters(files=41), now_ns=NOW + 3)
    assert scans.living_scans(db, now_ns=NOW + 4) == []
    ended = scans.look_at_scan(db, second, now_ns=NOW + 4)
    assert ended is not None
    assert (ended[0].stages, ended[0].counters.files, ended[1]) == ((), 41, False)
    roots.forget_root(db, other_id)
    assert scans.look_at_scan(db, second, now_ns=NOW + 4) is None


def test_what_another_version_notes_of_a_scan_is_passed_over(db: sqlite3.Connection, root_id: int) -> None:
    scan_id = scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW)
    noted = '{"files": 3, "dreams": 7, "stages": [{"stage": "walk", "done": 2, "colour": 1}]}'
    db.execute("UPDATE scan SET counters = ? WHERE id = ?", (noted, scan_id))
    (record,) = scans.recent_scans(db)
    assert (record.counters, record.stages) == (ScanCounters(files=3), (StageProgress(Stage.WALK, 2),))


def test_a_process_number_that_was_given_away_again_is_not_the_same_process(
    db: sqlite3.Connection, root_id: int
) -> None:
    scan_id = scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW)
    db.execute("UPDATE scan SET process = process || '0' WHERE id = ?", (scan_id,))
    assert scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW + 1) > scan_id


def test_on_another_machine_the_heartbeat_decides(
    db: sqlite3.Connection, root_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _identify(monkeypatch, "elsewhere")
    scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW)
    monkeypatch.undo()
    with pytest.raises(ScanRunningError, match="on elsewhere"):
        scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW + LEASE_NS - 1)
    assert scans.start_scan(db, root_id, b"/srv/photos", now_ns=NOW + LEASE_NS)


def test_whether_a_process_lives() -> None:
    mine = locks.process_identity(os.getpid())
    assert mine
    assert locks.process_lives(locks.host_name(), os.getpid(), mine) is True
    assert locks.process_lives(locks.host_name(), os.getpid(), mine + "1") is False
    assert locks.process_lives(locks.host_name(), os.getpid(), "another boot/another namespace/1") is None
    assert locks.process_lives("elsewhere", os.getpid(), mine) is None
    # where the system tells nothing but numbers
    assert locks.process_lives(locks.host_name(), os.getpid(), "") is True
    assert locks.process_lives(locks.host_name(), 2**22 + 1, "") is False
    assert locks.process_identity(2**22 + 1) == ""
    with subprocess.Popen(["true"]) as ended:  # and nobody has collected it
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert locks.process_identity(ended.pid) == ""


# Tags


def test_tags(db: sqlite3.Connection, add: Add) -> None:
    a, b = add(b"a.jpg", b"b.jpg")
    assert tags.add_tag(db, [a, b, 999], "Family") == 2
    assert tags.add_tag(db, [a], "family") == 0
    assert tags.add_tag(db, [a], "  new year ") == 1
    assert tags.tags_of(db, a) == ["Family", "new year"]
    assert tags.list_tags(db) == [("Family", 2), ("new year", 1)]
    assert tags.remove_tag(db, [a, b], "FAMILY") == 2
    assert tags.list_tags(db) == [("new year", 1)]
    assert tags.remove_tag(db, [a], "unknown") == 0


@pytest.mark.parametrize("name", ["", "  ", "a,b", "a\nb", "\0"])
def test_what_is_no_tag(db: sqlite3.Connection, add: Add, name: str) -> None:
    (file_id,) = add(b"a.jpg")
    with pytest.raises(UsageError):
        tags.add_tag(db, [file_id], name)


def test_the_disk_of_a_root_is_as_a_person_said_or_as_it_was_guessed(db: sqlite3.Connection) -> None:
    root_id = roots.add_root(db, b"/mnt/disk").root_id
    assert roots.root_by_id(db, root_id).disk_kind == "ssd"
    roots.note_seen(db, root_id, guessed_disk="network", now_ns=NOW)
    assert roots.root_by_id(db, root_id).disk_kind == "network"
    roots.set_disk(db, root_id, "hdd")
    assert roots.root_by_id(db, root_id).disk_kind == "hdd"
    roots.note_seen(db, root_id, guessed_disk="ssd", now_ns=NOW)
    assert roots.root_by_id(db, root_id).disk_kind == "hdd"
    roots.set_disk(db, root_id, None)
    assert roots.root_by_id(db, root_id).disk_kind == "ssd"


def test_a_root_is_offline_since_it_was_first_found_away(db: sqlite3.Connection) -> None:
    root_id = roots.add_root(db, b"/mnt/disk").root_id
    roots.note_seen(db, root_id, now_ns=NOW)
    for later in (1, 2):
        roots.note_offline(db, [root_id], now_ns=NOW + later)
    root = roots.root_by_id(db, root_id)
    assert (root.seen_at, root.offline_since) == (NOW, NOW + 1)
    roots.note_seen(db, root_id, now_ns=NOW + 3)
    root = roots.root_by_id(db, root_id)
    assert (root.seen_at, root.offline_since) == (NOW + 3, None)
