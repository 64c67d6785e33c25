"""The running scan on a card: bars, rates, counters and what each worker is at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.display import display, format_count, format_duration, format_size, name_process
from tui.records import ScanState, Stage
from tui.widgets.painted_lines import Line, PaintedLines, Piece, fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tui.records import ProgressSnapshot, ScanCounters, ScanProcess, StageProgress, WorkerStatus

STATE_WORDS: dict[ScanState, tuple[str, str]] = {
    ScanState.RUNNING: ("scanning", "accent"),
    ScanState.PAUSED: ("paused", "warning"),
    ScanState.ABORTING: ("aborting", "warning"),
    ScanState.COMPLETED: ("scan completed", "good"),
    ScanState.ABORTED: ("scan aborted", "warning"),
    ScanState.FAILED: ("scan failed", "bad"),
}
"""What people read for each state, and its look."""

NAME_WIDTH = 13
NUMBERS_WIDTH = 53
COUNTER_WIDTH = 26
"""Cells of a stage's name, of the numbers before its bar, and of one counter with its label."""

MOST_WORKERS = 8
MOST_WORKERS_SMALL = 4
"""Workers that are shown one by one, on a card with room and on a small one."""

SLOW_S = 3.0
"""From this time on a worker's time on its file is shown."""


def is_over(state: ScanState) -> bool:
    """Tell whether a scan in `state` has ended."""
    return state in {ScanState.COMPLETED, ScanState.ABORTED, ScanState.FAILED}


def name_paths(paths: tuple[bytes, ...]) -> str:
    """Return what is scanned, for people: the one path, or the first and how many more."""
    if not paths:
        return "all roots"
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return display(paths[0]) + more


def share_done(stage: StageProgress) -> float | None:
    """Return how much of a stage is done, 0 to 1; None while its total is unknown."""
    if stage.finished:
        return 1.0
    if not stage.total:
        return None
    return min(1.0, stage.done / stage.total)


def format_rate(per_second: float) -> str:
    """Return a rate with no more digits than can be read while it changes."""
    return f"{per_second:.1f}/s" if per_second < 9.95 else f"{per_second:,.0f}/s"


class ProgressCard(PaintedLines):
    """Shows one snapshot; the next one repaints the numbers that changed.

    Attributes:
        is_small: whether the card saves lines, for a screen that has few.
    """

    def __init__(self) -> None:
        """Begin without a scan."""
        super().__init__()
        self._snapshot: ProgressSnapshot | None = None
        self.is_small = False

    def show(self, snapshot: ProgressSnapshot | None) -> None:
        """Show `snapshot`, None for no scan yet; asks for a layout only when the number of lines changes."""
        self._snapshot = snapshot
        self.repaint()

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """Return the card for `width` cells."""
        lines = self._card(width)
        if len(lines) != height:
            self.styles.height = len(lines)
        return lines

    def _card(self, width: int) -> list[Line]:
        snapshot = self._snapshot
        if snapshot is None:
            return [(), (Piece(" No scan was made since the start.", "dim"),), ()]
        blank: Line = ()
        frame = [] if self.is_small else [blank]
        lines: list[Line] = [*frame, _title(snapshot, width), *_process(snapshot.process), *frame]
        lines += [_stage(stage, width) for stage in snapshot.stages]
        lines += [blank, *_counters(snapshot.counters, width)]
        if not is_over(snapshot.state):
            lines += [blank, *self._workers(snapshot.workers, width)]
        return [*lines, blank]

    def _workers(self, workers: Sequence[WorkerStatus], width: int) -> Iterable[Line]:
        most = MOST_WORKERS_SMALL if self.is_small else MOST_WORKERS
        for worker in workers[:most]:
            yield _worker(worker, width)
        rest = workers[most:]
        if rest:
            busy = sum(worker.path is not None for worker in rest)
            words = f"{len(rest)} more workers, {busy or 'none'} of them busy"
            if len(rest) == 1:
                words = f"1 more worker, {'busy' if busy else 'idle'}"
            yield (Piece(f" and {words}", "dim"),)


def _title(snapshot: ProgressSnapshot, width: int) -> Line:
    word, look = STATE_WORDS[snapshot.state]
    time = format_duration(int(snapshot.seconds) * 1000)
    note = f"  {display(snapshot.note)}" if snapshot.note else ""
    left = f" {word}  {time}  "
    path = fit(
        name_paths(snapshot.paths), min(len(name_paths(snapshot.paths)), width - len(left)), cut="start"
    )
    return (Piece(f" {word}  ", look), Piece(f"{time}  "), Piece(path, "strong"), Piece(note, "warning"))


def _process(process: ScanProcess | None) -> Iterable[Line]:
    """Yield a line about the other process that runs the scan, if it is one."""
    if process is not None:
        where = "" if process.is_here else ", another machine"
        yield (Piece(f" by {name_process(process)}{where}", "warning"),)


def _stage(stage: StageProgress, width: int) -> Line:
    share = share_done(stage)
    cells = max(8, width - NAME_WIDTH - NUMBERS_WIDTH)
    full = int(cells * (share or 0.0))
    percent = "" if share is None else f"{int(share * 100)} %"
    rate = format_rate(stage.per_second) if stage.per_second and not stage.finished else ""
    unit = " folders" if stage.stage is Stage.WALK else " files"
    volume = (
        f"{format_size(round(stage.bytes_per_second))}/s"
        if stage.bytes_per_second and not stage.finished
        else ""
    )
    return (
        Piece(fit(f" {stage.stage.value}", NAME_WIDTH)),
        Piece(fit(percent, 6, align="right")),
        Piece(fit(format_count(stage.done), 12, align="right")),
        Piece(fit(rate, 9, align="right")) if rate else Piece(fit(unit, 9), "dim"),
        Piece(fit(volume, 11, align="right")),
        Piece(fit(_remaining(stage), 12, align="right")),
        Piece("  "),
        Piece("━" * full, "bar"),
        Piece("─" * (cells - full), "track"),
    )


def _remaining(stage: StageProgress) -> str:
    if stage.finished:
        return "done"
    return "" if stage.eta_s is None else f"ETA {format_duration(round(stage.eta_s) * 1000)}"


def _counters(counters: ScanCounters, width: int) -> Iterable[Line]:
    items = (
        ("files", format_count(counters.files), ""),
        ("new", format_count(counters.new), ""),
        ("moved", format_count(counters.moved), ""),
        ("problems", format_count(counters.problems), "warning" if counters.problems else ""),
        ("folders", format_count(counters.folders), ""),
        ("changed", format_count(counters.changed), ""),
        ("missing", format_count(counters.missing), ""),
        ("ignored", format_count(counters.ignored), ""),
        ("size", format_size(counters.bytes), ""),
        ("unchanged", format_count(counters.unchanged), ""),
        ("returned", format_count(counters.returned), ""),
    )
    columns = max(1, min(4, (width - 1) // COUNTER_WIDTH))
    for start in range(0, len(items), columns):
        pieces = [Piece(" ")]
        for label, value, look in items[start : start + columns]:
            pieces += [
                Piece(fit(label, 11), "dim"),
                Piece(fit(value, 11, align="right"), look),
                Piece("    "),
            ]
        yield tuple(pieces)


def _worker(worker: WorkerStatus, width: int) -> Line:
    path = display(worker.path) if worker.path is not None else "idle"
    is_slow = worker.path is not None and worker.busy_s >= SLOW_S
    notes = [f"{worker.busy_s:.0f} s"] if is_slow else []
    if worker.restarts:
        notes.append("restarted once" if worker.restarts == 1 else f"restarted {worker.restarts} times")
    note = ", ".join(notes)
    left = f" {worker.number:>2}  {fit(worker.kind, 9)}"
    room = max(8, width - len(left) - 12 - len(note) - 3)
    return (
        Piece(left, "dim"),
        Piece(fit(format_count(worker.done), 9, align="right")),
        Piece("   "),
        Piece(fit(path, room, cut="start"), "" if worker.path is not None else "dim"),
        Piece(f"  {note} ", "warning"),
    )
