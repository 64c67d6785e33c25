"""`yapmo show`: everything that the library knows of a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.commands.json_records import details_object
from tui.commands.output import write_facts, write_json, write_line
from tui.commands.session import run_session
from tui.errors import UsageError
from tui.file_facts import file_facts
from tui.paths import absolute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.commands.session import Session
    from tui.commands.shared_options import SharedOptions
    from tui.library.reader import FileDetails, Reader

_LARGEST_ID = 2**63 - 1


def run_show(names: Sequence[str], shared: SharedOptions, *, all_tags: bool) -> int:
    """Print all that is known of the files; nothing when one of them is unknown.

    Args:
        names: ids or paths; what is only digits is an id.
        shared: library, configuration, form of the output.
        all_tags: print everything that the extractor said as well; with `--json` it is always there.
    """

    async def work(session: Session) -> int:
        reader = session.library.reader
        ids = [await _find(reader, name) for name in names]
        for number, file_id in enumerate(ids):
            details = await reader.details(file_id)
            if details is None:
                raise UsageError(f"{names[number]} has just left the library.")
            if shared.as_json:
                write_json(details_object(details))
            else:
                _write(details, all_tags=all_tags, first=number == 0)
        return 0

    return run_session(work, shared)


async def _find(reader: Reader, name: str) -> int:
    """Return the id of the file that a person means; raise UsageError when the library has none such."""
    is_id = name.isascii() and name.isdigit()
    if is_id:
        file_id = await reader.find(int(name)) if int(name) <= _LARGEST_ID else None
    else:
        file_id = await reader.find(absolute(name))
    if file_id is None:
        what = f"no file with the id {name}" if is_id else f"no file {name}"
        hint = (
            f"A file of that name: ./{name}"
            if is_id
            else "`yapmo search` finds files; `yapmo scan PATH` adds them."
        )
        raise UsageError(f"The library has {what}.", hint=hint)
    return file_id


def _write(details: FileDetails, *, all_tags: bool, first: bool) -> None:
    if not first:
        write_line("")
    write_line(details.row.path)
    write_facts("Library", [("Id", str(details.row.file_id)), ("State", str(details.row.state))])
    for group in file_facts(details if all_tags else replace(details, all_tags={})):
        write_facts(group.title, [(fact.label, fact.value) for fact in group.facts])
