"""The running scan in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.display import display, format_count, format_duration
from tui.widgets.painted_lines import Line, Piece, fit
from tui.widgets.progress_card import STATE_WORDS, format_rate, is_over, name_paths, share_done

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.records import ProgressSnapshot, StageProgress

SHORT_PATH = 24
"""Cells of the path where there is little room."""


def status_lines(snapshot: ProgressSnapshot | None) -> tuple[Line, ...]:
    """Return the line about a scan that stands under every screen, from the fullest to the shortest wording.

    None when there was no scan. However short, it tells the state, what is still to be done, and the problems.
    """
    if snapshot is None:
        return ()
    path = name_paths(snapshot.paths)
    short = fit(path, min(cell_len(path), SHORT_PATH), cut="start")
    word, look = STATE_WORDS[snapshot.state]
    begin = Piece(f" {word} ", look)
    bodies = [_outcome(snapshot)] * 2 if is_over(snapshot.state) else list(_stages(snapshot))
    lines = tuple(
        (begin, Piece(f"{name}  "), *body, *_problems(snapshot))
        for name, body in zip((path, *[short] * len(bodies)), bodies, strict=False)
    )
    if snapshot.process is None:
        return lines
    by = Piece(f"by process {snapshot.process.pid} on {display(snapshot.process.host)}  ", "warning")
    without_path = (begin, by, *bodies[-1], *_problems(snapshot))
    return (*((begin, by, *line[1:]) for line in lines), without_path, *lines)


def _outcome(snapshot: ProgressSnapshot) -> Line:
    counters, time = snapshot.counters, format_duration(round(snapshot.seconds * 1000))
    numbers = f"{format_count(counters.files)} files  {format_count(counters.new)} new  "
    return (Piece(f"in {time}  "), Piece(numbers))


def _stages(snapshot: ProgressSnapshot) -> Iterator[Line]:
    """Yield what is told of the stages: everything, what is left to do, that without rates, the share that is done."""
    left = [stage for stage in snapshot.stages if not stage.finished]
    for stages, rate, eta in (
        (snapshot.stages, True, True), (left, True, True), (left, False, True), (left, False, False),
    ):  # fmt: skip
        yield tuple(piece for stage in stages for piece in _stage(stage, rate=rate, eta=eta))


def _stage(stage: StageProgress, *, rate: bool, eta: bool) -> list[Piece]:
    share = share_done(stage)
    done = format_count(stage.done) if share is None else f"{int(share * 100):3d} %"
    pieces = [Piece(f"{stage.stage.value} ", "dim"), Piece(f"{done}  ")]
    if rate and not stage.finished and stage.per_second:
        pieces.append(Piece(f"{format_rate(stage.per_second)}  "))
    if eta and not stage.finished and stage.eta_s is not None:
        pieces += [Piece("ETA ", "dim"), Piece(f"{format_duration(round(stage.eta_s) * 1000)}  ")]
    return pieces


def _problems(snapshot: ProgressSnapshot) -> Iterator[Piece]:
    problems = snapshot.counters.problems
    yield Piece(f"problems {format_count(problems)}", "warning" if problems else "dim")
    if snapshot.note:
        yield Piece(f"  {display(snapshot.note)}", "warning")
