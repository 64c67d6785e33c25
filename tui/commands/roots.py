"""`yapmo roots`: what the library was given to scan."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.commands.json_records import root_object
from tui.commands.output import Column, counted, write_json, write_line, write_note, write_table
from tui.commands.session import run_session
from tui.display import display, format_count, format_size, format_time
from tui.errors import UsageError, YapmoError
from tui.field_text import format_offline
from tui.library.roots import count_roots, rename_root, root_by_id, set_disk
from tui.library.roots import forget_root as delete_root
from tui.library.scans import recent_scans
from tui.paths import absolute, json_path
from tui.scan.presence import look_at_roots

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tui.commands.session import Session
    from tui.commands.shared_options import SharedOptions
    from tui.library.roots import RootCounts
    from tui.library.scans import ScanRecord

_COLUMNS = (
    Column("Id", "dim", right=True),
    Column("Label", "bold"),
    Column("Files", right=True),
    Column("Missing", right=True),
    Column("Size", right=True),
    Column("Disk"),
    Column("Last scan"),
    Column("Path"),
)


@dataclass(frozen=True, slots=True)
class _ListedRoot:
    """A root with its counts and its last scan."""

    counts: RootCounts
    last_scan: ScanRecord | None


def run_roots(shared: SharedOptions) -> int:
    """List the roots with what is in them, and which of them are there now."""
    _look_for_roots(shared)

    async def work(session: Session) -> int:
        listed = session.read(_list)
        if shared.as_json:
            for root in listed:
                write_json(root_object(root.counts, root.last_scan))
            return 0
        write_table(_COLUMNS, (_row(root, session.config.interface.date_format) for root in listed))
        if not listed:
            write_note("No roots yet: `yapmo scan PATH` adds one.")
        return 0

    return run_session(work, shared)


def _look_for_roots(shared: SharedOptions) -> None:
    """Note which roots are there now; where the library cannot be written, what it knows has to do."""

    async def work(session: Session) -> None:
        await look_at_roots(session.library)

    with contextlib.suppress(YapmoError):
        run_session(work, shared, read_only=False)


def _list(db: sqlite3.Connection) -> list[_ListedRoot]:
    return [
        _ListedRoot(counts, next(iter(recent_scans(db, root_id=counts.root.root_id, limit=1)), None))
        for counts in count_roots(db)
    ]


def _row(listed: _ListedRoot, date_format: str) -> Sequence[str | bytes]:
    counts, scan = listed.counts, listed.last_scan
    return (
        str(counts.root.root_id),
        counts.root.label,
        format_count(counts.files),
        format_count(counts.missing),
        format_size(counts.size),
        counts.root.disk_kind,
        f"offline {offline}"
        if (offline := format_offline(counts.root.offline_since, counts.root.seen_at, date_format))
        else f"{format_time(scan.started_at, date_format)} {scan.state}"
        if scan is not None
        else "never",
        counts.root.path,
    )


def label_root(which: str, label: str, shared: SharedOptions) -> int:
    """Give a root another name for people."""
    name = _checked_label(label)

    async def work(session: Session) -> int:
        counts = _chosen(session.read(count_roots), which)
        await session.library.writer.run(lambda db: rename_root(db, counts.root.root_id, name))
        if shared.as_json:
            write_json({"event": "labelled", **_named(counts), "label": name})
        else:
            write_line(f"{display(counts.root.path)} is called {name}")
        return 0

    return run_session(work, shared, read_only=False)


def _checked_label(label: str) -> str:
    if not label.strip():
        raise UsageError("A label is not empty.")
    return label.strip()


def set_root(which: str, shared: SharedOptions, *, disk: str | None, label: str | None) -> int:
    """Change what is known of a root.

    Args:
        which: the root, by path, label or id.
        shared: library, configuration, form of the output.
        disk: `ssd`, `hdd` or `network`; `auto` for what is guessed; None leaves it as it is.
        label: another name for people; None leaves it as it is.
    """
    if disk is None and label is None:
        raise UsageError(
            "Nothing is to be set.",
            hint="Say --disk hdd, --disk ssd, --disk network, --disk auto or --label NAME.",
        )
    name = _checked_label(label) if label is not None else None

    async def work(session: Session) -> int:
        counts = _chosen(session.read(count_roots), which)

        def write(db: sqlite3.Connection) -> None:
            if disk is not None:
                set_disk(db, counts.root.root_id, None if disk == "auto" else disk)
            if name is not None:
                rename_root(db, counts.root.root_id, name)

        await session.library.writer.run(write)
        root = session.read(lambda db: root_by_id(db, counts.root.root_id))
        if shared.as_json:
            guessed = root.disk is None
            write_json(
                {
                    "event": "set",
                    **_named(counts),
                    "label": root.label,
                    "disk": root.disk_kind,
                    "disk_is_guessed": guessed,
                }
            )
        else:
            guess = " (guessed)" if root.disk is None else ""
            write_line(f"{display(root.path)}: {root.label}, disk {root.disk_kind}{guess}")
        return 0

    return run_session(work, shared, read_only=False)


def forget_root(which: str, shared: SharedOptions, *, agreed: bool) -> int:
    """Delete a root from the library, after a question unless `agreed`."""

    async def work(session: Session) -> int:
        counts = _chosen(session.read(count_roots), which)
        if not agreed:
            _ask(counts)
        files = await session.library.writer.run(lambda db: delete_root(db, counts.root.root_id))
        if shared.as_json:
            write_json({"event": "forgotten", **_named(counts), "files": files})
        else:
            write_line(f"{display(counts.root.path)} is forgotten, with {counted(files, 'file')}")
        return 0

    return run_session(work, shared, read_only=False)


def _named(counts: RootCounts) -> dict[str, object]:
    return {"id": counts.root.root_id, **json_path(counts.root.path)}


def _chosen(roots: Sequence[RootCounts], which: str) -> RootCounts:
    """Return the root that a person means by id, path or label."""
    path = absolute(which)
    found = [
        counts
        for counts in roots
        if counts.root.path == path or counts.root.label == which or str(counts.root.root_id) == which
    ]
    if not found:
        raise UsageError(f"There is no root {which}.", hint="`yapmo roots` lists the roots.")
    if len(found) > 1:
        raise UsageError(f"Several roots are meant by {which}.", hint="Name the root by its path.")
    return found[0]


def _ask(counts: RootCounts) -> None:
    """Let the person at the terminal agree; raise UsageError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked whether the root is to be forgotten.", hint="Say --yes.")
    import typer

    files = counted(counts.files + counts.missing, "file")
    question = f"Forget {display(counts.root.path)}: {files} with their edits, tags and problems?"
    typer.confirm(question, abort=True, err=True)
