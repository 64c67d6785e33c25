"""What is new, changed, gone or come back in one folder: its listing against the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.records import FileState, FolderUpdate, FoundFile

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tui.records import KnownFile


def find_changes(
    path: bytes,
    found: Sequence[FoundFile],
    known: Sequence[KnownFile],
    *,
    unknown: Collection[bytes] = (),
    stable_inodes: bool = True,
    file_system: str | None = None,
) -> FolderUpdate:
    """Compare the media files of one folder with the library's rows for it.

    Args:
        path: the folder, relative to its root.
        found: what the walk saw; names are unique.
        known: the library's rows of that folder, present and missing.
        unknown: names that are there and could not be looked at; their rows stay as they are.
        stable_inodes: False on file systems whose inode numbers change from mount to mount.
        file_system: passed on to the update.

    Returns:
        What the library has to learn. A folder in which nothing changed costs one comparison of two sets.
    """
    if (
        stable_inodes
        and len(found) == len(known)
        and _stamps(found) == _stamps(known)
        and _all_present(known)
    ):
        return FolderUpdate(path, file_system, stable_inodes)
    rows = _rows_by_name(found, known)
    new: list[FoundFile] = []
    changed: list[tuple[int, FoundFile]] = []
    replaced: list[tuple[int, FoundFile]] = []
    returned: list[tuple[int, FoundFile]] = []
    for file in found:
        row = rows.pop(file.name, None)
        if row is None:
            new.append(file)
            continue
        same_stamp = row.size == file.size and row.mtime_ns == file.mtime_ns
        same_inode = not stable_inodes or row.inode == file.inode
        if not same_inode:
            replaced.append((row.file_id, file))
        elif not same_stamp:
            changed.append((row.file_id, file))
        elif row.state is FileState.MISSING:
            returned.append((row.file_id, file))
    return FolderUpdate(
        path=path,
        file_system=file_system,
        stable_inodes=stable_inodes,
        new=tuple(new),
        changed=tuple(changed),
        replaced=tuple(replaced),
        returned=tuple(returned),
        gone=tuple(
            row.file_id for row in rows.values() if row.state is FileState.PRESENT and row.name not in unknown
        ),
    )


def _rows_by_name(found: Sequence[FoundFile], known: Sequence[KnownFile]) -> dict[bytes, KnownFile]:
    """Return the row that speaks for each name: the present one, else of the missing ones the likeliest."""
    rows: dict[bytes, KnownFile] = {}
    doubtful: set[bytes] = set()
    for row in known:
        other = rows.get(row.name)
        if other is None or row.state is FileState.PRESENT:
            rows[row.name] = row
        elif other.state is FileState.MISSING:
            doubtful.add(row.name)
    if doubtful:
        stamps = {file.name: (file.size, file.mtime_ns) for file in found if file.name in doubtful}
        for row in known:
            if row.name in doubtful and stamps.get(row.name) == (row.size, row.mtime_ns):
                rows[row.name] = row
    return rows


def _stamps(files: Sequence[FoundFile] | Sequence[KnownFile]) -> set[tuple[bytes, int, int, int]]:
    return {(file.name, file.size, file.mtime_ns, file.inode) for file in files}


def _all_present(known: Sequence[KnownFile]) -> bool:
    return all(row.state is FileState.PRESENT for row in known)
