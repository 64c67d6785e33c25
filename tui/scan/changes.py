"""What is new, changed, gone or come back in one folder: its listing against the library."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.records import FileState, FoundFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tui.records import KnownFile


@dataclass(slots=True)
class FolderChanges:
    """How one folder differs from what the library knows of it.

    Attributes:
        unchanged: how many files are as they were.
        new: files at paths that the library does not know.
        changed: known files with another size or mtime and the same inode, with what was found.
        replaced: known paths that hold another inode now, with what was found: the same file saved anew, or another
            file in its place; only the whole walk can tell.
        returned: files known as missing that are at their path again with the size and mtime they had.
        gone: known present files that the folder no longer holds.
    """

    unchanged: int = 0
    new: list[FoundFile] = field(default_factory=list)
    changed: list[tuple[KnownFile, FoundFile]] = field(default_factory=list)
    replaced: list[tuple[KnownFile, FoundFile]] = field(default_factory=list)
    returned: list[tuple[KnownFile, FoundFile]] = field(default_factory=list)
    gone: list[KnownFile] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """True when the library needs no write for this folder."""
        return not (self.new or self.changed or self.replaced or self.returned or self.gone)


def find_changes(
    found: Sequence[FoundFile], known: Iterable[KnownFile], *, stable_inodes: bool = True
) -> FolderChanges:
    """Compare the media files of one folder with the library's rows for it.

    Args:
        found: what the walk saw; names are unique.
        known: the library's rows of that folder, present and missing.
        stable_inodes: False on file systems whose inode numbers change from mount to mount.

    Returns:
        The differences; a folder without any costs one pass over two sets.
    """
    rows = {row.name: row for row in known}
    changes = FolderChanges()
    seen = 0
    for file in found:
        row = rows.get(file.name)
        if row is None:
            changes.new.append(file)
            continue
        seen += 1
        same_stamp = row.size == file.size and row.mtime_ns == file.mtime_ns
        same_inode = not stable_inodes or row.inode == file.inode
        if row.state is FileState.MISSING:
            (changes.returned if same_stamp and same_inode else changes.replaced).append((row, file))
        elif same_stamp and same_inode:
            changes.unchanged += 1
        elif same_inode:
            changes.changed.append((row, file))
        else:
            changes.replaced.append((row, file))
    if seen < len(rows):
        names = {file.name for file in found}
        changes.gone = [
            row for name, row in rows.items() if name not in names and row.state is FileState.PRESENT
        ]
    return changes
