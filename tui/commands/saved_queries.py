"""`yapmo search --save`, `--list-saved` and `--forget`: queries that are kept by name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tui.commands.json_records import iso_time
from tui.commands.output import Column, write_json, write_note, write_table
from tui.commands.session import run_session
from tui.library.saved_queries import forget_query, list_saved, save_query, term_of, tidy_name

if TYPE_CHECKING:
    from tui.commands.search import SearchOptions
    from tui.commands.session import Session
    from tui.commands.shared_options import SharedOptions


def run_saved(options: SearchOptions, shared: SharedOptions) -> int:
    """Do what the options say of saved queries; exactly one of them is given."""

    async def show(session: Session) -> int:
        saved = session.read(list_saved)
        if shared.as_json:
            for item in saved:
                write_json({"name": item.name, "query": item.query, "created_at": iso_time(item.created_at)})
        elif saved:
            write_table(
                (Column("Name", "bold"), Column("Query")), [(item.name, item.query) for item in saved]
            )
        else:
            write_note("There are no saved queries; `yapmo search --save NAME QUERY` keeps one.")
        return 0

    async def change(session: Session) -> int:
        writer = session.library.writer
        if options.forget is not None:
            name = options.forget
            await writer.run(lambda db: forget_query(db, name))
            write_note(f"Forgot the query {name}.")
        elif options.save is not None:
            name = tidy_name(options.save)
            replaced = await writer.run(lambda db: save_query(db, name, options.query, time.time_ns()))
            write_note(f"{'Changed' if replaced else 'Kept'} the query {name}; {term_of(name)} asks it.")
        return 0

    if options.list_saved:
        return run_session(show, shared)
    return run_session(change, shared, read_only=False)
