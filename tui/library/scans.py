"""Scans on record, and the lease that keeps two of them from one root.

A lease is the row of a running scan: host, process and heartbeat. Who finds one whose process is dead, or whose
heart has not beaten for a minute, takes the root over; who lost a lease that way hears it at the next beat.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from tui.display import display, name_process
from tui.errors import LibraryError
from tui.library.locks import host_name, process_identity, process_lives
from tui.library.values import stored_text
from tui.records import ScanCounters, ScanProcess, ScanState, Stage, StageProgress

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

LEASE_NS = 60_000_000_000
"""Nanoseconds without a heartbeat after which a scan counts as dead."""

_RUNNING = "('running', 'paused', 'aborting')"
_COLUMNS = "scan.id, scan.root_id, scan.path, scan.state, started_at, finished_at, counters, error, heartbeat, host, pid"


_SAME_RUN = "other.started_at = scan.started_at AND other.process = scan.process AND other.pid = scan.pid"


class ScanRunningError(LibraryError):
    """Another process scans the root.

    Attributes:
        scan_id: id of its scan, for `request_abort`.
        host: machine that it runs on.
        pid: its process.
        path: the root, absolute.
    """

    def __init__(self, path: bytes, scan: ScanRecord) -> None:
        """Say which root (`path`), and who scans it (`scan`)."""
        super().__init__(
            f"{display(path)} is being scanned by {name_process(scan.process)}",
            hint="`yapmo scan --watch` shows how far it is, `yapmo scan --abort` asks it to stop.",
        )
        self.path = path
        self.scan_id = scan.scan_id
        self.host = scan.host
        self.pid = scan.pid


@dataclass(frozen=True, slots=True)
class ScanRecord:
    """One scan of one root as the library remembers it; times are nanoseconds since the epoch.

    Attributes:
        scan_id: id in table `scan`.
        root_id: id of the root.
        path: what was scanned, absolute.
        state: how it stands or ended.
        started_at: when it began.
        finished_at: when it ended, None while it runs.
        counters: the counts.
        error: why it failed, empty otherwise.
        heartbeat: when its process last gave a sign of life.
        host: machine it runs or ran on.
        pid: its process.
        further_roots: how many other roots the same run scanned; the counts are those of the whole run.
        stages: how far each stage is; empty before the first heartbeat and from the end on.
        note: what it waits for, one sentence; empty otherwise.
    """

    scan_id: int
    root_id: int
    path: bytes
    state: ScanState
    started_at: int
    finished_at: int | None
    counters: ScanCounters
    error: str
    heartbeat: int
    host: str
    pid: int
    further_roots: int = 0
    stages: tuple[StageProgress, ...] = ()
    note: str = ""

    @property
    def process(self) -> ScanProcess:
        """Who runs or ran it."""
        return ScanProcess(self.host, self.pid, self.started_at, is_here=self.host == host_name())

    @property
    def what(self) -> str:
        """What was scanned, for people."""
        more = f" and {self.further_roots} more" if self.further_roots else ""
        return f"{display(self.path)}{more}"


def start_scan(db: sqlite3.Connection, root_id: int, path: bytes, *, now_ns: int) -> int:
    """Record a scan of `path` in a root and take the root's lease; return the scan's id.

    Raises:
        ScanRunningError: a living process holds the lease.
    """
    refuse_running(db, root_id, now_ns=now_ns)
    cursor = db.execute(
        "INSERT INTO scan (root_id, path, state, started_at, heartbeat, host, pid, process) "
        "VALUES (?1, ?2, 'running', ?3, ?3, ?4, ?5, ?6)",
        (root_id, path, now_ns, host_name(), os.getpid(), process_identity(os.getpid())),
    )
    return int(cursor.lastrowid or 0)


def note_rescan(db: sqlite3.Connection, scan_id: int, rescan: str) -> bool:
    """Note what a scan reads again (`metadata`, `everything`); return whether it has to make that pending.

    It has not where it goes on with a scan of the same part that was to read the same and did not get to its end.
    """
    last = db.execute(
        "SELECT last.state, last.rescan FROM scan AS this JOIN scan AS last "
        "ON last.root_id = this.root_id AND last.path = this.path AND last.id < this.id "
        "WHERE this.id = ? ORDER BY last.id DESC LIMIT 1",
        (scan_id,),
    ).fetchone()
    db.execute("UPDATE scan SET rescan = ? WHERE id = ?", (rescan, scan_id))
    return last not in [(state, rescan) for state in ("aborted", "failed")]


def refuse_running(db: sqlite3.Connection, root_id: int, *, now_ns: int) -> None:
    """Raise `ScanRunningError` when a living process scans the root; record what a dead one left as aborted."""
    for scan_id, identity in db.execute(
        f"SELECT id, process FROM scan WHERE root_id = ? AND state IN {_RUNNING}", (root_id,)
    ).fetchall():
        record = _scan(db, scan_id)
        if _is_alive(record, identity, now_ns):
            (root_path,) = db.execute("SELECT path FROM root WHERE id = ?", (root_id,)).fetchone()
            raise ScanRunningError(root_path, record)
        db.execute(
            "UPDATE scan SET state = 'aborted', finished_at = heartbeat, error = ? WHERE id = ?",
            ("its process ended without a word", scan_id),
        )


def _is_alive(record: ScanRecord, identity: str, now_ns: int) -> bool:
    lives = process_lives(record.host, record.pid, identity)
    if lives is False:
        return False
    # the clock may have been set back meanwhile: a heartbeat from the future is a recent one
    return now_ns - record.heartbeat < LEASE_NS


def beat(
    db: sqlite3.Connection,
    scan_id: int,
    counters: ScanCounters,
    state: ScanState,
    *,
    stages: Sequence[StageProgress] = (),
    note: str = "",
    now_ns: int,
) -> bool:
    """Renew the lease of a running scan and note how it stands; False when the lease was lost to another process."""
    return bool(
        db.execute(
            f"UPDATE scan SET heartbeat = ?, counters = ?, state = ? WHERE id = ? AND state IN {_RUNNING}",
            (now_ns, _dump(counters, stages, note), str(state), scan_id),
        ).rowcount
    )


def finish_scan(
    db: sqlite3.Connection,
    scan_id: int,
    state: ScanState,
    counters: ScanCounters,
    *,
    error: str = "",
    now_ns: int,
) -> None:
    """Record how a scan ended and give its lease back; nothing when the lease was lost to another process."""
    changed = db.execute(
        f"UPDATE scan SET state = ?, finished_at = ?, heartbeat = ?2, counters = ?, error = ? "
        f"WHERE id = ? AND state IN {_RUNNING}",
        (str(state), now_ns, _dump(counters), stored_text(error), scan_id),
    ).rowcount
    if changed and state is ScanState.COMPLETED:
        db.execute(
            "UPDATE root SET last_scan_id = ?1 WHERE id = (SELECT root_id FROM scan WHERE id = ?1)",
            (scan_id,),
        )


def request_abort(db: sqlite3.Connection, scan_id: int) -> bool:
    """Ask the process that runs a scan to abort it; False when it does not run."""
    return bool(
        db.execute(
            f"UPDATE scan SET abort_requested = 1 WHERE id = ? AND state IN {_RUNNING}", (scan_id,)
        ).rowcount
    )


def abort_requested(db: sqlite3.Connection, scan_id: int) -> bool:
    """Return whether a scan must stop: someone asked for it, or its lease was lost."""
    row = db.execute(
        f"SELECT abort_requested OR state NOT IN {_RUNNING} FROM scan WHERE id = ?", (scan_id,)
    ).fetchone()
    return row is None or bool(row[0])


def look_at_scan(db: sqlite3.Connection, scan_id: int, *, now_ns: int) -> tuple[ScanRecord, bool] | None:
    """Return a scan, and whether a living process holds its lease; None when its root was forgotten."""
    row = db.execute("SELECT process FROM scan WHERE id = ?", (scan_id,)).fetchone()
    if row is None:
        return None
    record = _scan(db, scan_id)
    return record, record.finished_at is None and _is_alive(record, row[0], now_ns)


def paths_of_run(db: sqlite3.Connection, scan_id: int) -> tuple[bytes, ...]:
    """Return what the run of a scan scans altogether, in the order of its scans."""
    rows = db.execute(
        f"SELECT other.path FROM scan JOIN scan AS other ON {_SAME_RUN} WHERE scan.id = ? ORDER BY other.id",
        (scan_id,),
    )
    return tuple(path for (path,) in rows)


def living_scans(db: sqlite3.Connection, *, now_ns: int) -> list[tuple[ScanRecord, bytes]]:
    """Return the scans whose lease a living process holds, each with the path of its root."""
    rows = db.execute(
        f"SELECT scan.id, root.path FROM scan JOIN root ON root.id = scan.root_id WHERE state IN {_RUNNING} ORDER BY scan.id"
    ).fetchall()
    found = [(look_at_scan(db, scan_id, now_ns=now_ns), path) for scan_id, path in rows]
    return [(looked[0], path) for looked, path in found if looked is not None and looked[1]]


def recent_scans(db: sqlite3.Connection, *, root_id: int | None = None, limit: int = 50) -> list[ScanRecord]:
    """Return scans, the latest first; running ones are among them, and one of several roots is one scan.

    Args:
        db: the library.
        root_id: only scans of this root.
        limit: at most so many.
    """
    rows = db.execute(
        f"SELECT {_COLUMNS}, (SELECT count(*) FROM scan AS other WHERE {_SAME_RUN} AND other.id <> scan.id) FROM scan "
        f"WHERE iif(?1 IS NULL, NOT EXISTS (SELECT 1 FROM scan AS other WHERE {_SAME_RUN} AND other.id < scan.id), "
        "root_id = ?1) ORDER BY id DESC LIMIT ?2",
        (root_id, limit),
    )
    return [_to_record(row) for row in rows]


def _scan(db: sqlite3.Connection, scan_id: int) -> ScanRecord:
    return _to_record(db.execute(f"SELECT {_COLUMNS} FROM scan WHERE id = ?", (scan_id,)).fetchone())


def _to_record(row: tuple[Any, ...]) -> ScanRecord:
    scan_id, root_id, path, state, started_at, finished_at, text, error, heartbeat, host, pid, *further = row
    noted = json.loads(text)
    return ScanRecord(
        scan_id,
        root_id,
        path,
        ScanState(state),
        started_at,
        finished_at,
        ScanCounters(**_known(noted, ScanCounters)),
        error,
        heartbeat,
        host,
        pid,
        further_roots=further[0] if further else 0,
        stages=tuple(
            StageProgress(**_known(stage, StageProgress) | {"stage": Stage(stage["stage"])})
            for stage in noted.get("stages", ())
        ),
        note=noted.get("note", ""),
    )


def _dump(counters: ScanCounters, stages: Sequence[StageProgress] = (), note: str = "") -> str:
    """Return what column `counters` holds: the counts, and of a running scan how far each stage is."""
    noted: dict[str, Any] = {name: number for name, number in asdict(counters).items() if number}
    if stages:
        noted["stages"] = [
            {name: value for name, value in asdict(stage).items() if value} for stage in stages
        ]
    if note:
        noted["note"] = stored_text(note)
    return json.dumps(noted)


def _known(noted: dict[str, Any], record: type[ScanCounters | StageProgress]) -> dict[str, Any]:
    """Return what a record has fields for; another version may have noted more."""
    names = {item.name for item in fields(record)}
    return {name: value for name, value in noted.items() if name in names}
