"""How a scan stands and how it ended, as `yapmo scan` writes it: lines for people, events for programs."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from tui.commands.output import counted, write_json
from tui.display import PLAIN_TERMINALS, display, format_count, format_duration, format_size
from tui.errors import RootUnavailableError, UsageError
from tui.records import ScanState, Stage
from tui.scan.advice import ScanAdviser

if TYPE_CHECKING:
    from tui.records import ProgressSnapshot, ScanProcess, ScanSummary, StageProgress

_REFRESH_S = 0.25
"""Between two looks at the scan, and between two lines of progress on a terminal."""

_EVENT_S = 1.0
"""Between two progress events of `--json`."""

_PLAIN_LINE_S = 5.0
"""Between two lines of progress where stderr is no terminal: a log file, say."""


class ScanProgress(Protocol):
    """Whoever knows how a scan stands."""

    def snapshot(self) -> ProgressSnapshot | None:
        """Return it; None before the first scan."""


async def report_progress(service: ScanProgress, *, as_json: bool) -> None:
    """Show progress until cancelled: one line anew on a terminal, else a line every few seconds."""
    terminal = sys.stderr.isatty() and os.environ.get("TERM", "") not in PLAIN_TERMINALS and not as_json
    interval_s = _EVENT_S if as_json else _REFRESH_S if terminal else _PLAIN_LINE_S
    started = shown = time.monotonic()
    adviser = ScanAdviser()
    try:
        while True:
            await asyncio.sleep(_REFRESH_S)
            now = time.monotonic()
            snapshot = service.snapshot()
            advice = adviser.advise(snapshot)
            if advice and as_json:
                write_json({"event": "advice", "text": advice}, flush=True)
            elif advice:
                _write_advice(advice, terminal=terminal)
            if snapshot is None or now - shown < interval_s:
                continue
            shown = now
            if as_json:
                write_json(progress_event(snapshot), flush=True)
            elif terminal:
                _rewrite_line(sys.stderr, progress_line(snapshot))
            else:
                print(f"yapmo: {progress_line(snapshot)}", file=sys.stderr, flush=True)
    finally:
        if terminal and shown > started:
            _rewrite_line(sys.stderr, "")


def _write_advice(advice: str, *, terminal: bool) -> None:
    if terminal:
        _rewrite_line(sys.stderr, "")  # the line of progress comes anew below
    print(f"yapmo: {advice}", file=sys.stderr, flush=True)


def _rewrite_line(stream: TextIO, text: str) -> None:
    """Write `text` over the last line, cut to the width of the terminal so that it stays one line."""
    width = os.get_terminal_size(stream.fileno()).columns - 1
    stream.write(f"\r{text[: width if width > 0 else 79]}\x1b[K")
    stream.flush()


def progress_line(snapshot: ProgressSnapshot) -> str:
    """Return how a scan stands as one line of text."""
    parts = [str(snapshot.state), counted(snapshot.counters.files, "file")]
    parts += [_stage_text(stage) for stage in snapshot.stages]
    if snapshot.counters.problems:
        parts.append(f"problems {format_count(snapshot.counters.problems)}")
    if snapshot.note:
        parts.append(display(snapshot.note))
    return "  ".join(part for part in parts if part)


def _stage_text(stage: StageProgress) -> str:
    if stage.finished:
        return f"{stage.stage} done"
    if stage.total and stage.stage is not Stage.WALK:
        text = f"{stage.stage} {stage.done * 100 // stage.total} % {stage.per_second:,.0f}/s"
        return f"{text} ETA {format_duration(round(stage.eta_s * 1000))}" if stage.eta_s is not None else text
    return f"{stage.stage} {format_count(stage.done)}" if stage.done else ""


def progress_event(snapshot: ProgressSnapshot) -> dict[str, Any]:
    """Return how a scan stands as the JSON object of `scan --json`."""
    return {
        "event": "progress",
        "state": str(snapshot.state),
        **process_members(snapshot.process),
        "seconds": round(snapshot.seconds, 3),
        **({"note": snapshot.note} if snapshot.note else {}),
        **asdict(snapshot.counters),
        "stages": {
            str(stage.stage): {
                "done": stage.done,
                "total": stage.total,
                "failed": stage.failed,
                "per_second": round(stage.per_second, 1),
                "bytes_per_second": round(stage.bytes_per_second),
                "eta_s": None if stage.eta_s is None else round(stage.eta_s, 1),
            }
            for stage in snapshot.stages
        },
    }


def process_members(process: ScanProcess | None) -> dict[str, Any]:
    """Return the JSON members that say which other process runs a scan; none for a scan of this one."""
    if process is None:
        return {}
    since = datetime.fromtimestamp(process.since_ns / 1e9).astimezone().isoformat(timespec="seconds")
    return {"process": {"host": process.host, "pid": process.pid, "since": since}}


def summary_event(summary: ScanSummary, process: ScanProcess | None = None) -> dict[str, Any]:
    """Return how a scan ended as the last JSON object of `scan --json`; `process` ran it, if it was another."""
    event: dict[str, Any] = {
        "event": "finished",
        "state": str(summary.state),
        **process_members(process),
        **asdict(summary.counters),
        "seconds": round(summary.seconds, 3),
    }
    reason = summary.error or summary.unavailable
    return {**event, "reason": reason} if reason else event


def summary_line(summary: ScanSummary) -> str:
    """Return how a scan ended, and what its files were: the parts add up to them, missing files stand apart."""
    counts = summary.counters
    named = [
        ("new", counts.new),
        ("changed", counts.changed),
        ("moved", counts.moved),
        ("returned", counts.returned),
        ("unchanged", counts.unchanged),
    ]
    parts = ", ".join(f"{format_count(number)} {name}" for name, number in named if number)
    missing = f"{format_count(counts.missing)} missing" if counts.missing else ""
    size, seconds = format_size(counts.bytes), summary.seconds
    begin = f"{summary.state}: {counted(counts.files, 'file')} ({size}) in {seconds:.1f} s"
    what = "; ".join(filter(None, (parts, missing)))
    return f"{begin}: {what}" if what else begin


def print_summary(summary: ScanSummary) -> None:
    """Print how a scan ended and what to do about it."""
    counts = summary.counters
    print(summary_line(summary))
    if counts.metadata_done or counts.fingerprints_done:
        print(
            f"read metadata of {format_count(counts.metadata_done)}, "
            f"fingerprints of {format_count(counts.fingerprints_done)}"
        )
    sys.stdout.flush()  # in a log that takes both streams the hints come behind what they are about
    if counts.problems:
        print(f"{counted(counts.problems, 'problem')}: see `yapmo problems`", file=sys.stderr)
    for reason in (summary.unavailable, summary.error):
        if reason:
            print(f"yapmo: {display(reason)}", file=sys.stderr)
    if summary.error_code == UsageError.exit_code:
        print("`yapmo doctor` looks at ExifTool; exiftool.path names another one.", file=sys.stderr)
    if summary.state is ScanState.ABORTED:
        print("Everything finished is kept; the next scan goes on from there.", file=sys.stderr)


def exit_code(summary: ScanSummary, *, strict: bool) -> int:
    """Return the exit code for how a scan ended."""
    if summary.state is ScanState.ABORTED:
        return 3
    if summary.state is ScanState.FAILED:
        return summary.error_code
    if summary.unavailable:
        return RootUnavailableError.exit_code
    return 1 if summary.unreadable or (strict and summary.counters.problems) else 0
