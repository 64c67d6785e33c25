"""A small tree of files, and what may happen to it on disk: each change is a function of the root."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tests.media import write_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[Path], None]

SECOND = 1_000_000_000


def content(name: str) -> bytes:
    return f"content of {name} ".encode() * 50


def first_tree(root: Path) -> None:
    for number, name in enumerate(("a/1.jpg", "a/2.jpg", "b/3.jpg")):
        write_file(root / name, content(name))
        touch(root / name, 1_600_000_000 * SECOND + number * SECOND)


def touch(path: Path, mtime_ns: int) -> None:
    os.utime(path, ns=(mtime_ns, mtime_ns))


def edit_in_place(path: Path, text: bytes = b"edited") -> None:
    with open(path, "r+b") as file:
        file.write(text)
    touch(path, 1_700_000_000 * SECOND)


def replace_by_editor(path: Path) -> None:
    draft = path.with_suffix(".tmp")
    write_file(draft, b"saved anew")
    os.replace(draft, path)


def restore_from_backup(path: Path) -> None:
    status = os.stat(path)
    draft = path.with_suffix(".tmp")
    shutil.copyfile(path, draft)
    os.replace(draft, path)
    touch(path, status.st_mtime_ns)
    assert os.stat(path).st_ino != status.st_ino


def rename(old: str, new: str) -> Change:
    def change(root: Path) -> None:
        os.makedirs((root / new).parent, exist_ok=True)
        os.rename(root / old, root / new)

    return change


def remove(*names: str) -> Change:
    def change(root: Path) -> None:
        for name in names:
            os.unlink(root / name)

    return change


def copy(old: str, *news: str) -> Change:
    def change(root: Path) -> None:
        for new in news:
            os.makedirs((root / new).parent, exist_ok=True)
            shutil.copyfile(root / old, root / new)

    return change


def link(old: str, new: str) -> Change:
    return lambda root: os.link(root / old, root / new)


def move_by_copy(old: str, new: str) -> Change:
    """Do what `mv` does over file systems: the inode is another, the content the same."""
    return together(copy(old, new), remove(old))


def together(*changes: Change) -> Change:
    def change(root: Path) -> None:
        for step in changes:
            step(root)

    return change


def new_file(name: str, text: bytes = b"something new") -> Change:
    return lambda root: write_file(root / name, text)


def aside(name: str) -> Change:
    """Move a file out of the root, where no scan sees it."""
    return lambda root: os.rename(root / name, root.parent / "aside")


def back(name: str) -> Change:
    return lambda root: os.rename(root.parent / "aside", root / name)


def copy_with_time(old: str, new: str) -> Change:
    def change(root: Path) -> None:
        os.makedirs((root / new).parent, exist_ok=True)
        shutil.copy2(root / old, root / new)

    return change


def swap(one: str, two: str) -> Change:
    """Let two files or folders exchange their names."""
    return together(rename(one, "t"), rename(two, one), rename("t", two))


def edit(name: str) -> Change:
    return lambda root: edit_in_place(root / name)


def touch_now(name: str) -> Change:
    return lambda root: touch(root / name, 1_800_000_000 * SECOND)


def replace_with_same_time(name: str) -> Change:
    """Put another file in the place of one: inode and size are others, the time is the same."""

    def change(root: Path) -> None:
        status = os.stat(root / name)
        replace_by_editor(root / name)
        touch(root / name, status.st_mtime_ns)

    return change


def move_folder_by_copy(old: str, new: str) -> Change:
    def change(root: Path) -> None:
        shutil.copytree(root / old, root / new, copy_function=shutil.copyfile)
        shutil.rmtree(root / old)

    return change


def number_anew(root: Path) -> None:
    """Give every file another inode, as a mount of a file system without lasting inodes does."""
    for path in sorted(root.rglob("*.jpg")):
        restore_from_backup(path)
