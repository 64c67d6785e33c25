"""What is new, changed, gone or come back in one folder: its listing against the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.records import FileState, FolderUpdate, KnownFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tui.records import FoundFile
    from tui.scan.listing import FoundFiles


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

    Of hard links it counts whether there are several: one link more to a file that has thousands would change as many rows.

    Args:
        path: the folder, relative to its root.
        found: what the walk saw; names are unique.
        known: the library's rows of that folder, present and missing.
        unknown: names that are there and could not be looked at; their rows stay as they are.
        stable_inodes: False on file systems whose inode numbers change from mount to mount.
        file_system: passed on to the update.

    Returns:
        What the library has to learn.
    """
    rows = _rows_by_name(found, known)
    new: list[FoundFile] = []
    changed: list[tuple[int, FoundFile]] = []
    replaced: list[tuple[int, FoundFile]] = []
    returned: list[tuple[int, FoundFile]] = []
    restated: list[tuple[int, FoundFile]] = []
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
        elif row.kind != file.kind or (row.links > 1) != (file.links > 1):
            restated.append((row.file_id, file))
    return FolderUpdate(
        path=path,
        file_system=file_system,
        stable_inodes=stable_inodes,
        new=tuple(new),
        changed=tuple(changed),
        replaced=tuple(replaced),
        returned=tuple(returned),
        restated=tuple(restated),
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


def find_differing(
    found: FoundFiles,
    stamps: Iterable[tuple[int, bytes, int, int, int, int, str]],
    *,
    stable_inodes: bool = True,
) -> tuple[list[FoundFile], list[KnownFile]]:
    """Return the found files, and the present rows, of a folder without those that are equal.

    Args:
        found: what the walk saw.
        stamps: id, name, size, mtime_ns, inode, links and kind of the library's present rows of that folder.
        stable_inodes: as for `find_changes`, which tells the same of what is left as of all.
    """
    rows = {row[1]: row for row in stamps}
    differing: list[FoundFile] = []
    take = rows.get
    columns = (found.names, found.sizes, found.mtimes_ns, found.inodes, found.links, found.kinds)
    for place, (name, size, mtime_ns, inode, links, kind) in enumerate(zip(*columns, strict=True)):
        row = take(name)
        if (
            row is None
            or row[2] != size
            or row[3] != mtime_ns
            or (stable_inodes and row[4] != inode)
            or (row[5] > 1) != (links > 1)
            or row[6] != kind
        ):
            differing.append(found[place])
        else:
            del rows[name]
    return differing, [KnownFile(*row, FileState.PRESENT) for row in rows.values()]
