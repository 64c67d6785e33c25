"""`yapmo scan`: what it prints, how it ends, how it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.commands.conftest import start
from tests.media import make_jpeg, write_file
from tests.workers.fake_exiftool import write_fake_exiftool
from tui.commands.scan_report import exit_code, progress_event, progress_line, report_progress, summary_event
from tui.records import ProgressSnapshot, ScanCounters, ScanState, ScanSummary, Stage, StageProgress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.commands.conftest import Yapmo


def summary(state: ScanState = ScanState.COMPLETED, **how: Any) -> ScanSummary:
    return ScanSummary(1, state, ScanCounters(files=3, problems=how.pop("problems", 0)), 1.23456, **how)


@pytest.mark.parametrize(
    ("ended", "strict", "code"),
    [
        (summary(), False, 0),
        (summary(problems=2), False, 0),
        (summary(problems=2), True, 1),
        (summary(unreadable=True), False, 1),
        (summary(ScanState.ABORTED, unreadable=True), False, 3),
        (summary(ScanState.FAILED, error="disk full", error_code=4), False, 4),
        (summary(unavailable="not mounted", unreadable=True), False, 5),
    ],
)
def test_exit_codes(ended: ScanSummary, strict: bool, code: int) -> None:
    assert exit_code(ended, strict=strict) == code


def test_the_last_event_has_the_promised_members() -> None:
    event = summary_event(summary(unavailable="too many files are missing"))
    promised = [
        "event",
        "state",
        "files",
        "new",
        "changed",
        "unchanged",
        "moved",
        "missing",
        "problems",
        "bytes",
        "seconds",
    ]
    assert set(promised) < set(event)
    assert (event["event"], event["state"], event["seconds"]) == ("finished", "completed", 1.235)
    assert event["reason"] == "too many files are missing"
    assert "reason" not in summary_event(summary())


def test_progress_as_a_line_and_as_an_event() -> None:
    snapshot = ProgressSnapshot(
        1,
        (b"/srv",),
        ScanState.RUNNING,
        2.0,
        ScanCounters(files=2000, problems=1),
        (
            StageProgress(Stage.WALK, 10, 10, finished=True),
            StageProgress(Stage.METADATA, 500, 2000, 1, 160.4, 5e6, 9.35),
            StageProgress(Stage.FINGERPRINT, 0, 0),
        ),
        note="The disk \x1b[31m is full",
    )
    line = progress_line(snapshot)
    assert "running  2,000 files  walk done  metadata 25 % 160/s ETA 0:09" in line
    assert line.endswith("problems 1  The disk \\x1b[31m is full")
    event = progress_event(snapshot)
    assert (event["event"], event["files"], event["stages"]["metadata"]["eta_s"]) == ("progress", 2000, 9.3)
    assert json.loads(json.dumps(event)) == event


class LargeScan:
    """A scan whose figures are known, for what is printed of it."""

    def __init__(self) -> None:
        self.looks = 0

    def snapshot(self) -> ProgressSnapshot:
        self.looks += 1
        metadata = StageProgress(Stage.METADATA, 100, 400_000, per_second=200.0, eta_s=2_000.0)
        counters = ScanCounters(files=400_000)
        return ProgressSnapshot(1, (b"/srv",), ScanState.RUNNING, counters=counters, stages=(metadata,))


@pytest.mark.parametrize("as_json", [True, False])
async def test_a_large_scan_gets_advice_once(
    capfd: pytest.CaptureFixture[str], wait_until: Callable[..., Any], as_json: bool
) -> None:
    scan = LargeScan()
    report = asyncio.create_task(report_progress(scan, as_json=as_json))
    await wait_until(lambda: scan.looks > 3)
    report.cancel()
    await asyncio.gather(report, return_exceptions=True)
    captured = capfd.readouterr()
    lines = [
        line for line in (captured.out if as_json else captured.err).splitlines() if "400,000 files:" in line
    ]
    assert len(lines) == 1
    if as_json:
        assert json.loads(lines[0])["event"] == "advice"


def test_a_scan_makes_the_library_and_tells_what_it_did(yapmo: Yapmo, tmp_path: Path) -> None:
    for seed in range(3):
        make_jpeg(tmp_path / "media" / f"{seed}.jpg", seed)
    library = ("--library", str(tmp_path / "new" / "library.yapmo"))
    first = yapmo("scan", *library, str(tmp_path / "media"))
    assert first.code == 0
    assert first.lines[0].startswith("completed: 3 files")
    assert first.lines[0].endswith(": 3 new")
    write_file(tmp_path / "media" / "damaged.jpg", b"\x00\x01" * 700)
    second = yapmo("scan", "--json", "--strict", *library)
    assert second.code == 1
    event = second.objects[-1]
    assert event["event"] == "finished"
    assert (event["files"], event["new"], event["unchanged"], event["problems"]) == (4, 1, 3, 1)


def test_what_is_printed_adds_up_to_the_files(yapmo: Yapmo, tmp_path: Path) -> None:
    media, away = tmp_path / "media", tmp_path / "away"
    for seed, name in enumerate(("stays", "changes", "moves", "comes back", "goes")):
        make_jpeg(media / f"{name}.jpg", seed)
    library = ("--library", str(tmp_path / "library.yapmo"))
    yapmo("scan", *library, str(media))
    (media / "comes back.jpg").rename(away)
    yapmo("scan", *library)
    away.rename(media / "comes back.jpg")
    (media / "moves.jpg").rename(media / "moved.jpg")
    (media / "goes.jpg").unlink()
    make_jpeg(media / "changes.jpg", 77, model="Another camera")
    make_jpeg(media / "is new.jpg", 78)
    line = yapmo("scan", *library).lines[0]
    found = re.fullmatch(r"completed: (\d+) files .* s: (.*); (\d+) missing", line)
    assert found is not None, line
    total, parts, missing = found.groups()
    counts = {name: int(number) for number, name in (part.split() for part in parts.split(", "))}
    assert counts == {"new": 1, "changed": 1, "moved": 1, "returned": 1, "unchanged": 1}, line
    assert (int(total), int(missing)) == (sum(counts.values()), 1)


def test_what_seems_unmounted_is_believed_to_be_empty_only_by_its_path(yapmo: Yapmo, tmp_path: Path) -> None:
    media, library = tmp_path / "media", tmp_path / "library.yapmo"
    make_jpeg(media / "1.jpg", 1)
    scan = ("scan", "--library", str(library), "--only", "walk")
    yapmo(*scan, str(media))
    with contextlib.closing(sqlite3.connect(library)) as connection, connection:
        connection.execute("UPDATE root SET file_system = 'uuid:disk'")
    (media / "1.jpg").unlink()
    refused = yapmo(*scan, "--accept-missing")
    assert (refused.code, "missing" in refused.lines[0]) == (5, False)
    assert "another file system" in refused.stderr
    accepted = yapmo(*scan, "--accept-missing", str(media))
    assert (accepted.code, "1 missing" in accepted.lines[0]) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["/no/such/folder"], 5, "There is no /no/such/folder."),
        (["{folder}", "/no/such/folder"], 5, "There is no /no/such/folder."),
        ([], 2, "No folder has been scanned yet."),
        (["--only", "metadata", "--workers", "2"], 2, "No folder has been scanned yet."),
        (["{folder}/notes.txt"], 2, "notes.txt is no media file by its extension."),
        (["{folder}/alone.jpg"], 2, "alone.jpg is in no folder that was scanned."),
        (["--config", "{folder}/wrong.toml", "{folder}"], 2, "wrong.toml"),
        (["--config", "{folder}/without.toml", "{folder}"], 2, "/no/exiftool"),
    ],
)
def test_what_cannot_be_scanned_is_one_message_and_makes_no_library(
    yapmo: Yapmo, home: Path, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    for name, content in (
        ("notes.txt", ""),
        ("alone.jpg", ""),
        ("wrong.toml", "[scan]\nmax_workers = 99\n"),
        ("without.toml", "[exiftool]\npath = '/no/exiftool'\n"),
    ):
        (tmp_path / name).write_text(content)
    outcome = yapmo("scan", *(argument.format(folder=tmp_path) for argument in arguments))
    assert (outcome.code, outcome.stdout) == (code, b"")
    assert outcome.stderr.startswith("yapmo: ")
    assert says in outcome.stderr
    assert len(outcome.stderr.splitlines()) <= 2
    assert not (home / "data").exists()


def test_an_exiftool_that_cannot_be_used_is_exit_code_2(yapmo: Yapmo, tmp_path: Path) -> None:
    program = write_fake_exiftool(tmp_path, start="garbage")
    config = tmp_path / "config.toml"
    config.write_text(f"[exiftool]\npath = '{program.path.decode()}'\n")
    make_jpeg(tmp_path / "media" / "photo.jpg", 1)
    options = ("--config", str(config), "--library", str(tmp_path / "library.yapmo"))
    outcome = yapmo("scan", *options, str(tmp_path / "media"))
    assert outcome.code == 2
    assert outcome.lines[0].startswith("failed: 1 file")
    assert "exiftool does not start" in outcome.stderr
    assert "`yapmo doctor` looks at ExifTool" in outcome.stderr
    assert yapmo("scan", "--library", options[-1]).code == 0  # the file waits for an ExifTool that works


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that one exiftool is at for some seconds."""
    folder = tmp_path_factory.mktemp("many")
    for seed in range(400):
        make_jpeg(folder / f"{seed}.jpg", seed)
    return folder


def abort_scan(
    folder: Path, library: Path, *signals: signal.Signals
) -> tuple[int, list[dict[str, Any]], bytes]:
    """Scan, send signals once metadata is being read, and return exit code, further events and stderr."""
    process = start("scan", "--json", "--workers", "1", "--library", str(library), str(folder))
    assert process.stdout is not None
    event = {"event": "progress", "metadata_done": 0}
    while event["event"] == "progress" and not event["metadata_done"]:
        event = json.loads(process.stdout.readline())
    assert event["event"] == "progress"
    began = time.monotonic()
    for number in signals:
        process.send_signal(number)
    rest, errors = process.communicate(timeout=30)
    assert time.monotonic() - began < 5
    return process.returncode, [json.loads(line) for line in rest.splitlines()], errors


def test_ctrl_c_aborts_and_the_next_scan_goes_on(yapmo: Yapmo, many: Path, tmp_path: Path) -> None:
    library = tmp_path / "library.yapmo"
    code, events, errors = abort_scan(many, library, signal.SIGINT)
    assert (code, errors) == (3, b"")
    assert (events[-1]["event"], events[-1]["state"]) == ("finished", "aborted")
    resumed = yapmo("scan", "--json", "--library", str(library)).objects[-1]
    assert (resumed["state"], resumed["new"]) == ("completed", 400 - events[-1]["files"])
    assert resumed["metadata_done"] == 400 - events[-1]["metadata_done"]


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGTERM], [signal.SIGHUP], [signal.SIGINT, signal.SIGINT]],
    ids=["TERM", "HUP", "INT INT"],
)
def test_other_signals_and_a_second_ctrl_c_end_it_too(
    many: Path, tmp_path: Path, signals: list[signal.Signals]
) -> None:
    code, _, errors = abort_scan(many, tmp_path / "library.yapmo", *signals)
    assert (code, b"Traceback" in errors) == (3, False)
