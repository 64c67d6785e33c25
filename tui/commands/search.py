"""`yapmo search`: the files that a query finds, as they come."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.commands.json_records import file_object
from tui.commands.output import Column, TableWriter, counted, write_json, write_line, write_note, write_path
from tui.commands.session import run_session
from tui.display import format_size
from tui.errors import UsageError
from tui.library.connections import explained
from tui.library.long_fields import read_long_fields
from tui.library.query import parse_query
from tui.library.saved_queries import collection_queries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.commands.session import Session
    from tui.commands.shared_options import SharedOptions
    from tui.records import FileRow

_CHUNK_ROWS = 500
_COLUMNS = (
    Column("Id", "dim", right=True),
    Column("Kind"),
    Column("Taken"),
    Column("Size", right=True),
    Column("Path"),
)


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The command line of `yapmo search`, as given; `limit` is None for all.

    `save` and `forget` name a saved query, None for none.
    """

    query: str = ""
    limit: int | None = None
    count: bool = False
    null: bool = False
    save: str | None = None
    list_saved: bool = False
    forget: str | None = None


def run_search(options: SearchOptions, shared: SharedOptions) -> int:
    """Print what the query finds; or keep, list or forget a saved query."""
    _refuse_contradictions(options, shared)
    if options.list_saved or options.save is not None or options.forget is not None:
        from tui.commands.saved_queries import run_saved

        return run_saved(options, shared)

    async def work(session: Session) -> int:
        query = parse_query(options.query, session.read(collection_queries))
        if options.count:
            number = await (await session.library.reader.open_view(query)).count()
            write_json({"count": number}) if shared.as_json else write_line(str(number))
            return 0
        files = session.library.reader.iterate(query, limit=options.limit)
        await _write(files, session, options, as_json=shared.as_json)
        return 0

    return run_session(work, shared)


def _refuse_contradictions(options: SearchOptions, shared: SharedOptions) -> None:
    about_saved = [
        name
        for name, given in (
            ("--save", options.save is not None),
            ("--list-saved", options.list_saved),
            ("--forget", options.forget is not None),
        )
        if given
    ]
    finds = options.null or options.count or options.limit is not None
    if (
        len(about_saved) > 1
        or (about_saved and finds)
        or (options.query and about_saved not in ([], ["--save"]))
    ):
        raise UsageError(
            f"{about_saved[0]} goes with none of the other options of `search`"
            + (", and with no query." if about_saved[0] != "--save" else "."),
            hint="`yapmo search --help` shows examples.",
        )
    if options.null and (shared.as_json or options.count):
        raise UsageError("--null goes with neither --json nor --count.")
    if options.null and sys.stdout.isatty():
        raise UsageError(
            "--null prints exact bytes, and a terminal would obey those that control it.",
            hint="Send it through a pipe: yapmo search --null … | xargs -0 …",
        )


async def _write(
    files: AsyncIterator[FileRow], session: Session, options: SearchOptions, *, as_json: bool
) -> None:
    """Write each file in the form that was asked for; never more than a chunk is in memory."""
    if as_json:
        await _write_objects(files, session)
    elif options.null:
        async for row in files:
            write_path(row.path)
    elif sys.stdout.isatty():
        await _write_rows(files, limit=options.limit)
    else:
        async for row in files:
            write_line(row.path)


async def _write_objects(files: AsyncIterator[FileRow], session: Session) -> None:
    library = session.library
    with explained(library.path), contextlib.closing(library.connect_read_only()) as db:
        async for rows in _chunks(files):
            long_fields = read_long_fields(db, [row.file_id for row in rows])
            for row in rows:
                write_json(file_object(row, long_fields.get(row.file_id, {})))


async def _chunks(files: AsyncIterator[FileRow]) -> AsyncIterator[list[FileRow]]:
    chunk: list[FileRow] = []
    async for row in files:
        chunk.append(row)
        if len(chunk) == _CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def _write_rows(files: AsyncIterator[FileRow], *, limit: int | None) -> None:
    number = 0
    with TableWriter(*_COLUMNS) as table:
        async for row in files:
            number += 1
            taken = str(row.values.get("taken_local", "")).replace("T", " ")[:16]
            table.add((str(row.file_id), row.kind, taken, format_size(row.size), row.path))
    more = " (there may be more: --limit)" if limit is not None and number == limit else ""
    write_note(f"{counted(number, 'file')}{more}")
