"""The running scan in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.display import display, format_count, format_duration
from tui.records import ScanState
from tui.widgets.painted_lines import Line, Piece

if TYPE_CHECKING:
    from tui.records import ProgressSnapshot, StageProgress

STATE_WORDS: dict[ScanState, tuple[str, str]] = {
    ScanState.RUNNING: ("scanning", "accent"),
    ScanState.PAUSED: ("paused", "warning"),
    ScanState.ABORTING: ("aborting", "warning"),
    ScanState.COMPLETED: ("scan completed", "good"),
    ScanState.ABORTED: ("scan aborted", "warning"),
    ScanState.FAILED: ("scan failed", "bad"),
}
"""What people read for each state, and how it looks."""


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


def status_line(snapshot: ProgressSnapshot | None) -> Line:
    """Return the line about a scan that stands under every screen; empty when there was none."""
    if snapshot is None:
        return ()
    word, look = STATE_WORDS[snapshot.state]
    pieces = [Piece(f" {word} ", look), Piece(f"{name_paths(snapshot.paths)}  ")]
    if is_over(snapshot.state):
        counters = snapshot.counters
        pieces.append(Piece(f"in {format_duration(round(snapshot.seconds * 1000))}  "))
        pieces.append(Piece(f"{format_count(counters.files)} files  {format_count(counters.new)} new  "))
    else:
        pieces += [piece for stage in snapshot.stages for piece in _stage(stage)]
    problems = snapshot.counters.problems
    pieces.append(Piece(f"problems {format_count(problems)}", "warning" if problems else "dim"))
    if snapshot.note:
        pieces.append(Piece(f"  {display(snapshot.note)}", "warning"))
    return tuple(pieces)


def _stage(stage: StageProgress) -> list[Piece]:
    share = share_done(stage)
    done = format_count(stage.done) if share is None else f"{int(share * 100):3d} %"
    pieces = [Piece(f"{stage.stage.value} ", "dim"), Piece(f"{done}  ")]
    if not stage.finished and stage.per_second:
        pieces.append(Piece(f"{stage.per_second:,.0f}/s  "))
    if not stage.finished and stage.eta_s is not None:
        pieces += [Piece("ETA ", "dim"), Piece(f"{format_duration(round(stage.eta_s) * 1000)}  ")]
    return pieces
