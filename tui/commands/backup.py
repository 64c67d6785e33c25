"""`yapmo backup` and `yapmo restore`: a copy of the library, and the way back."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from tui.commands.output import counted, write_json, write_line, write_note
from tui.commands.session import prepare_session, run_session
from tui.display import display, format_size
from tui.errors import LibraryError, UsageError
from tui.library.backups import back_up, copy_library, restore_command, stamp
from tui.library.restoring import restore_library
from tui.paths import absolute, json_path

if TYPE_CHECKING:
    from tui.commands.session import Session
    from tui.commands.shared_options import SharedOptions

_BY_HAND = "by-hand"
"""What the names of copies say that a person asked for."""


def run_backup(target: str, shared: SharedOptions) -> int:
    """Copy the library to `target`: a new file, a folder, or "" for a file beside the library."""

    async def work(session: Session) -> int:
        path = session.library.path
        try:
            copy = session.read(lambda db: _copy(db, path, target))
        except FileExistsError as error:
            there = os.fsencode(error.filename2 or error.filename or target)
            raise UsageError(
                f"{display(there)} is there already and is not overwritten.", hint="Name a new file."
            ) from None
        except OSError as error:
            raise LibraryError(
                f"The library {display(path)} cannot be copied: {(error.strerror or str(error)).lower()}.",
                hint="Check the folder of the copy, and that its disk has room.",
            ) from None
        size = os.stat(copy).st_size
        if shared.as_json:
            write_json({"event": "backed up", **json_path(copy), "bytes": size})
        else:
            write_line(copy)
            write_note(f"{format_size(size)}. It is brought back by: {restore_command(path, copy)}")
        return 0

    return run_session(work, shared)


def _copy(db: sqlite3.Connection, path: bytes, target: str) -> bytes:
    """Copy the library `db` at `path` to where it is to go; return the copy's path."""
    if not target:
        return back_up(db, path, _BY_HAND)
    copy = absolute(target)
    if os.path.isdir(copy):
        copy = os.path.join(copy, os.path.basename(path) + f".{_BY_HAND}-".encode() + stamp() + b".backup")
    try:
        copy_library(db, copy)
    except sqlite3.OperationalError as error:
        if "full" in str(error):  # the disk of the copy, not that of the library
            raise LibraryError(
                f"The disk that is to hold {display(copy)} is full.", hint="Make room, or name another place."
            ) from None
        raise
    return copy


def run_restore(backup: str, shared: SharedOptions) -> int:
    """Bring the copy at `backup` back as the library."""
    path = prepare_session(shared)
    restored = restore_library(absolute(backup), path)
    if shared.as_json:
        aside = restored.aside
        write_json(
            {
                "event": "restored",
                **json_path(restored.path),
                "backup": json_path(restored.backup)["path"],
                "aside": None if aside is None else json_path(aside)["path"],
                "files": restored.files,
                "bytes": restored.size,
            }
        )
        return 0
    write_line(
        f"{display(restored.path)} is now as {display(restored.backup)} has it: {counted(restored.files, 'file')}."
    )
    if restored.aside is not None:
        write_line(f"What was there before is kept as {display(restored.aside)}.")
        write_note(f"The way back: {restore_command(restored.path, restored.aside)}")
    return 0
