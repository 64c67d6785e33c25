"""`yapmo problems`: what could not be read, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.commands.json_records import problem_object
from tui.commands.output import Column, counted, write_json, write_line, write_note, write_table
from tui.commands.session import run_session
from tui.display import format_time
from tui.errors import UsageError
from tui.library.problems import ignore_problems, list_problems, retry_problems
from tui.paths import absolute
from tui.records import Stage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui.commands.session import Session
    from tui.commands.shared_options import SharedOptions
    from tui.library.problems import ProblemRow

_COLUMNS = (
    Column("Id", "dim", right=True),
    Column("Stage"),
    Column("Tries", right=True),
    Column("Last"),
    Column("Path"),
    Column("Reason", "yellow"),
)


@dataclass(frozen=True, slots=True)
class ProblemOptions:
    """The command line of `yapmo problems`, as given."""

    ids: tuple[int, ...] = ()
    stage: str | None = None
    path: str = ""
    retry: bool = False
    ignore: bool = False
    ignored: bool = False


def run_problems(options: ProblemOptions, shared: SharedOptions) -> int:
    """List the problems that the options choose, or let them be tried again or ignored."""
    if options.retry and options.ignore:
        raise UsageError("--retry and --ignore exclude each other.")
    changes = options.retry or options.ignore

    async def work(session: Session) -> int:
        problems = session.read(lambda db: _chosen(db, options))
        if changes:
            await _change(session, problems, options, shared)
        elif shared.as_json:
            for problem in problems:
                write_json(problem_object(problem))
        else:
            _list(problems, session.config.interface.date_format)
        return 0

    return run_session(work, shared, read_only=not changes)


def _chosen(db: sqlite3.Connection, options: ProblemOptions) -> list[ProblemRow]:
    """Return the problems that the options choose; raise UsageError for an id that is not among them."""
    found = list_problems(
        db,
        stage=Stage(options.stage) if options.stage else None,
        under=absolute(options.path) if options.path else None,
        ignored=options.ignored,
    )
    if not options.ids:
        return found
    by_id = {problem.problem_id: problem for problem in found}
    unknown = [number for number in options.ids if number not in by_id]
    if unknown:
        raise UsageError(
            f"There is no problem {unknown[0]}.", hint="`yapmo problems` lists them with their ids."
        )
    return [by_id[number] for number in dict.fromkeys(options.ids)]


async def _change(
    session: Session, problems: Sequence[ProblemRow], options: ProblemOptions, shared: SharedOptions
) -> None:
    ids = [problem.problem_id for problem in problems]
    if options.ignore:
        number = await session.library.writer.run(lambda db: ignore_problems(db, ids))
        name, sentence = "ignored", f"From now on ignored: {counted(number, 'problem')}"
    else:
        number = await session.library.writer.run(lambda db: retry_problems(db, ids))
        name, sentence = "retried", f"The next `yapmo scan` tries again: {counted(number, 'file')}"
    if shared.as_json:
        write_json({name: number})
    else:
        write_line(sentence)


def _list(problems: Sequence[ProblemRow], date_format: str) -> None:
    write_table(
        _COLUMNS,
        (
            (
                str(row.problem_id),
                str(row.problem.stage),
                str(row.attempts),
                format_time(row.last_at, date_format),
                row.problem.path,
                row.problem.message,
            )
            for row in problems
        ),
    )
    if not problems:
        write_note("No problems.")
