"""The running scan in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.display import display, format_count, format_duration
from tui.widgets.painted_lines import Line, Piece
from tui.widgets.progress_card import STATE_WORDS, format_rate, is_over, name_paths, share_done

if TYPE_CHECKING:
    from tui.records import ProgressSnapshot, StageProgress


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
        pieces.append(Piece(f"{format_rate(stage.per_second)}  "))
    if not stage.finished and stage.eta_s is not None:
        pieces += [Piece("ETA ", "dim"), Piece(f"{format_duration(round(stage.eta_s) * 1000)}  ")]
    return pieces
