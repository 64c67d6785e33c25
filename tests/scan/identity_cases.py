"""The table of docs/identity.md as data: what happens on disk, and what the library then says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.scan.tree_changes import (
    SECOND,
    aside,
    back,
    content,
    copy,
    copy_with_time,
    edit,
    edit_in_place,
    link,
    move_by_copy,
    move_folder_by_copy,
    new_file,
    number_anew,
    remove,
    rename,
    replace_by_editor,
    replace_with_same_time,
    restore_from_backup,
    swap,
    together,
    touch,
    touch_now,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.scan.tree_changes import Change


@dataclass(frozen=True)
class Case:
    """What happens on disk, and what the library says afterwards.

    Attributes:
        title: the row of the table.
        change: changes the tree.
        files: path afterwards → the path that its id belonged to before, None for a new id.
        missing: paths (from before) whose files are missing afterwards.
        counts: counters of the walk after `change` that must hold.
        between: changes made and scanned before `change`.
        stable: whether the file system pretends that its inodes last.
    """

    title: str
    change: Change
    files: Mapping[str, str | None]
    missing: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    between: tuple[Change, ...] = ()
    stable: bool = True


SAME = {"a/1.jpg": "a/1.jpg", "a/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"}


def but(*gone: str) -> dict[str, str | None]:
    """Return the files as they were, without some."""
    return {new: old for new, old in SAME.items() if old not in gone}


def moved(*pairs: tuple[str, str]) -> dict[str, str | None]:
    """Return the files as they were, some of them at new paths."""
    new_of = dict(pairs)
    return {new_of.get(old, old): old for old in SAME}


LINKED = (link("a/1.jpg", "a/l.jpg"),)
LINKED_TWICE = (together(link("a/1.jpg", "a/l.jpg"), link("a/1.jpg", "a/m.jpg")),)

IN_PLACE = [
    Case("nothing", lambda _: None, SAME, counts={"unchanged": 3, "new": 0, "changed": 0}),
    Case("content changed in place", edit("a/1.jpg"), SAME, counts={"changed": 1, "unchanged": 2}),
    Case("replaced by an editor", lambda root: replace_by_editor(root / "a/1.jpg"), SAME, counts={"changed": 1, "new": 0}),
    Case("other content, same size", lambda root: edit_in_place(root / "a/1.jpg", b"CONTENT"), SAME, counts={"changed": 1}),
    Case(
        "same mtime, other size",
        together(lambda root: edit_in_place(root / "a/1.jpg", b"x" * 5000), lambda root: touch(root / "a/1.jpg", 1_600_000_000 * SECOND)),
        SAME,
        counts={"changed": 1},
    ),
    Case("replaced, same mtime, other size", replace_with_same_time("a/1.jpg"), SAME, counts={"changed": 1, "new": 0, "missing": 0}),
    Case("deleted, another file in its place", together(remove("a/1.jpg"), new_file("a/1.jpg")), SAME, counts={"changed": 1, "new": 0}),
    Case("touched", touch_now("a/1.jpg"), SAME, counts={"changed": 1}),
    Case("restored from a backup", lambda root: restore_from_backup(root / "a/1.jpg"), SAME, counts={"changed": 0, "new": 0, "moved": 0}),
    Case("copied over another file", copy("a/1.jpg", "b/3.jpg"), SAME, counts={"changed": 1, "unchanged": 2}),
]  # fmt: skip

MOVED = [
    Case("renamed in its folder", rename("a/1.jpg", "a/one.jpg"), moved(("a/1.jpg", "a/one.jpg")), counts={"moved": 1, "new": 0, "missing": 0}),
    Case("renamed in case only", rename("a/1.jpg", "a/1.JPG"), moved(("a/1.jpg", "a/1.JPG")), counts={"moved": 1, "new": 0, "missing": 0}),
    Case(
        "two names that differ in case only change places",
        swap("a/1.jpg", "a/1.JPG"),
        SAME | {"a/1.jpg": "a/1.JPG", "a/1.JPG": "a/1.jpg"},
        counts={"moved": 2, "new": 0, "missing": 0},
        between=(new_file("a/1.JPG"),),
    ),
    Case("renamed to another kind", rename("a/1.jpg", "a/1.cr2"), moved(("a/1.jpg", "a/1.cr2")), counts={"moved": 1}),
    Case("moved to another folder", rename("a/1.jpg", "c/d/1.jpg"), moved(("a/1.jpg", "c/d/1.jpg")), counts={"moved": 1, "new": 0, "missing": 0}),
    Case(
        "moved and edited at once",
        together(rename("a/1.jpg", "c/1.jpg"), lambda root: edit_in_place(root / "c/1.jpg", b"x" * 999)),
        but("a/1.jpg") | {"c/1.jpg": None},
        {"a/1.jpg"},
        {"new": 1, "missing": 1, "moved": 0},
    ),
    Case("moved and touched at once", together(rename("a/1.jpg", "c/1.jpg"), touch_now("c/1.jpg")), moved(("a/1.jpg", "c/1.jpg")), counts={"moved": 0, "new": 1}),
    Case("moved over file systems", move_by_copy("a/1.jpg", "c/1.jpg"), moved(("a/1.jpg", "c/1.jpg"))),
    Case(
        "moved away, another in its place",
        together(rename("a/1.jpg", "c/1.jpg"), new_file("a/1.jpg")),
        moved(("a/1.jpg", "c/1.jpg")) | {"a/1.jpg": None},
        counts={"moved": 1, "new": 1, "missing": 0},
    ),
    Case(
        "moved and edited, another in its place",
        together(rename("a/1.jpg", "c/1.jpg"), edit("c/1.jpg"), new_file("a/1.jpg")),
        SAME | {"c/1.jpg": None},
        counts={"moved": 0, "new": 1, "changed": 1, "missing": 0},
    ),
    Case("moved over another file", rename("a/1.jpg", "b/3.jpg"), {"a/2.jpg": "a/2.jpg", "b/3.jpg": "a/1.jpg"}, {"b/3.jpg"}, {"moved": 1, "missing": 1}),
    Case("renamed to what is no media file", rename("a/1.jpg", "a/1.txt"), but("a/1.jpg"), {"a/1.jpg"}, {"missing": 1}),
    Case("renamed to what is no media file, and back", rename("a/1.txt", "a/1.jpg"), SAME, counts={"returned": 1}, between=(rename("a/1.jpg", "a/1.txt"),)),
]  # fmt: skip

EXCHANGED = [
    Case("two files swap names", swap("a/1.jpg", "b/3.jpg"), {"a/1.jpg": "b/3.jpg", "b/3.jpg": "a/1.jpg", "a/2.jpg": "a/2.jpg"}, counts={"moved": 2, "new": 0, "missing": 0, "changed": 0}),
    Case(
        "two files exchange their contents in place",
        together(copy("a/1.jpg", "t"), copy("b/3.jpg", "a/1.jpg"), copy("t", "b/3.jpg")),
        SAME,
        counts={"changed": 2, "moved": 0},
    ),
    Case(
        "three files change names in a circle",
        together(rename("a/1.jpg", "t"), rename("a/2.jpg", "a/1.jpg"), rename("b/3.jpg", "a/2.jpg"), rename("t", "b/3.jpg")),
        {"a/1.jpg": "a/2.jpg", "a/2.jpg": "b/3.jpg", "b/3.jpg": "a/1.jpg"},
        counts={"moved": 3, "new": 0, "missing": 0},
    ),
    Case(
        "three files change names in a circle, one is edited",
        together(rename("a/1.jpg", "t"), rename("a/2.jpg", "a/1.jpg"), rename("b/3.jpg", "a/2.jpg"), rename("t", "b/3.jpg"), edit("b/3.jpg")),
        {"a/1.jpg": "a/2.jpg", "a/2.jpg": "b/3.jpg", "b/3.jpg": None},
        {"a/1.jpg"},
        {"moved": 2, "new": 1, "missing": 1},
    ),
    Case(
        "chain",
        together(rename("a/2.jpg", "c/9.jpg"), rename("a/1.jpg", "a/2.jpg")),
        {"c/9.jpg": "a/2.jpg", "a/2.jpg": "a/1.jpg", "b/3.jpg": "b/3.jpg"},
        counts={"moved": 2, "new": 0, "missing": 0},
    ),
    Case(
        "chain over a deleted file",
        together(remove("a/2.jpg"), rename("a/1.jpg", "a/2.jpg")),
        {"a/2.jpg": "a/1.jpg", "b/3.jpg": "b/3.jpg"},
        {"a/2.jpg"},
        {"moved": 1, "new": 0, "missing": 1},
    ),
    Case(
        "chain over a deleted file, a new one at its beginning",
        together(remove("b/3.jpg"), rename("a/2.jpg", "b/3.jpg"), rename("a/1.jpg", "a/2.jpg"), new_file("a/1.jpg")),
        {"b/3.jpg": "a/2.jpg", "a/2.jpg": "a/1.jpg", "a/1.jpg": None},
        {"b/3.jpg"},
        {"moved": 2, "new": 1, "missing": 1},
    ),
]  # fmt: skip

FOLDERS = [
    Case("whole folder renamed", rename("a", "z"), moved(("a/1.jpg", "z/1.jpg"), ("a/2.jpg", "z/2.jpg")), counts={"moved": 2, "new": 0, "missing": 0}),
    Case("whole folder renamed in case only", rename("a", "A"), moved(("a/1.jpg", "A/1.jpg"), ("a/2.jpg", "A/2.jpg")), counts={"moved": 2, "new": 0, "missing": 0}),
    Case("whole folder moved into another", rename("a", "b/a"), moved(("a/1.jpg", "b/a/1.jpg"), ("a/2.jpg", "b/a/2.jpg")), counts={"moved": 2, "new": 0, "missing": 0}),
    Case("whole folder moved over file systems", move_folder_by_copy("a", "z"), moved(("a/1.jpg", "z/1.jpg"), ("a/2.jpg", "z/2.jpg")), counts={"moved": 0}),
    Case(
        "two folders swap names",
        swap("a", "b"),
        {"b/1.jpg": "a/1.jpg", "b/2.jpg": "a/2.jpg", "a/3.jpg": "b/3.jpg", "a/1.jpg": "b/1.jpg"},
        counts={"moved": 4, "new": 0, "missing": 0, "changed": 0},
        between=(new_file("b/1.jpg"),),
    ),
    Case(
        "folder renamed, another in its place",
        together(rename("a", "z"), new_file("a/1.jpg")),
        moved(("a/1.jpg", "z/1.jpg"), ("a/2.jpg", "z/2.jpg")) | {"a/1.jpg": None},
        counts={"moved": 2, "new": 1, "missing": 0},
    ),
    Case(
        "folder renamed, one file in it edited",
        together(rename("a", "z"), edit("z/1.jpg")),
        {"z/1.jpg": None, "z/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"},
        {"a/1.jpg"},
        {"moved": 1, "new": 1, "missing": 1},
    ),
    Case("folder poured into another", together(rename("a/1.jpg", "b/1.jpg"), rename("a/2.jpg", "b/2.jpg"), lambda root: (root / "a").rmdir()), moved(("a/1.jpg", "b/1.jpg"), ("a/2.jpg", "b/2.jpg")), counts={"moved": 2}),
    Case("folder gone, and back under another name", back("z"), moved(("a/1.jpg", "z/1.jpg"), ("a/2.jpg", "z/2.jpg")), counts={"moved": 2, "new": 0}, between=(aside("a"),)),
]  # fmt: skip

COPIED = [
    Case("a copy made", copy("a/1.jpg", "c/1.jpg"), SAME | {"c/1.jpg": None}, counts={"new": 1, "moved": 0}),
    Case("a copy made with its time", copy_with_time("a/1.jpg", "c/1.jpg"), SAME | {"c/1.jpg": None}, counts={"new": 1, "moved": 0}),
    Case(
        "a copy made, later the original deleted",
        remove("a/1.jpg"),
        but("a/1.jpg") | {"c/1.jpg": "c/1.jpg"},
        {"a/1.jpg"},
        between=(copy("a/1.jpg", "c/1.jpg"),),
    ),
    Case("a copy made and the original edited", together(copy("a/1.jpg", "c/1.jpg"), edit("a/1.jpg")), SAME | {"c/1.jpg": None}, counts={"new": 1, "changed": 1}),
    Case("a copy made and the original moved", together(copy("a/1.jpg", "c/1.jpg"), rename("a/1.jpg", "d/1.jpg")), moved(("a/1.jpg", "d/1.jpg")) | {"c/1.jpg": None}, counts={"new": 1, "moved": 1}),
    Case(
        "two copies made and the original deleted",
        together(copy("a/1.jpg", "c/1.jpg", "c/2.jpg"), remove("a/1.jpg")),
        but("a/1.jpg") | {"c/1.jpg": None, "c/2.jpg": None},
        {"a/1.jpg"},
    ),
    Case(
        "two copies made and the original deleted, later one of the copies",
        remove("c/2.jpg"),
        but("a/1.jpg") | {"c/1.jpg": "c/1.jpg"},
        {"a/1.jpg", "c/2.jpg"},
        {"missing": 1, "unchanged": 3},
        between=(together(copy("a/1.jpg", "c/1.jpg", "c/2.jpg"), remove("a/1.jpg")),),
    ),
    Case(
        "a new file, later changed into what another was that is missing",
        new_file("c/1.jpg", content("a/1.jpg")),
        but("a/1.jpg") | {"c/1.jpg": "c/1.jpg"},
        {"a/1.jpg"},
        {"changed": 1},
        between=(together(remove("a/1.jpg"), new_file("c/1.jpg")),),
    ),
    Case(
        "two equal files deleted, one appears",
        together(copy("a/1.jpg", "d/1.jpg"), remove("a/1.jpg", "c/1.jpg")),
        but("a/1.jpg") | {"d/1.jpg": None},
        {"a/1.jpg", "c/1.jpg"},
        between=(copy("a/1.jpg", "c/1.jpg"),),
    ),
]  # fmt: skip

LINKS = [
    Case("a hard link added", link("a/1.jpg", "a/l.jpg"), SAME | {"a/l.jpg": None}, counts={"new": 1, "moved": 0}),
    Case("a third hard link added", link("a/1.jpg", "b/m.jpg"), SAME | {"a/l.jpg": "a/l.jpg", "b/m.jpg": None}, counts={"new": 1, "moved": 0}, between=LINKED),
    Case("one of two hard links renamed", rename("a/l.jpg", "c_l.jpg"), SAME | {"c_l.jpg": "a/l.jpg"}, counts={"moved": 1, "new": 0, "missing": 0}, between=LINKED),
    Case("one of three hard links renamed", rename("a/l.jpg", "x.jpg"), SAME | {"x.jpg": "a/l.jpg", "a/m.jpg": "a/m.jpg"}, counts={"moved": 1, "new": 0, "missing": 0}, between=LINKED_TWICE),
    Case("one of two hard links renamed in case only", rename("a/l.jpg", "a/L.jpg"), SAME | {"a/L.jpg": "a/l.jpg"}, counts={"moved": 1, "new": 0}, between=LINKED),
    Case("one of two hard links removed", remove("a/l.jpg"), SAME, {"a/l.jpg"}, {"missing": 1}, between=LINKED),
    Case("one of three hard links removed", remove("a/1.jpg"), but("a/1.jpg") | {"a/l.jpg": "a/l.jpg", "a/m.jpg": "a/m.jpg"}, {"a/1.jpg"}, {"missing": 1, "unchanged": 4}, between=LINKED_TWICE),
    Case(
        "both hard links renamed",
        together(rename("a/l.jpg", "x.jpg"), rename("a/1.jpg", "y.jpg")),
        but("a/1.jpg") | {"x.jpg": None, "y.jpg": None},
        {"a/1.jpg", "a/l.jpg"},
        between=LINKED,
    ),
    Case(
        "one of three hard links renamed, one removed",
        together(rename("a/l.jpg", "x.jpg"), remove("a/m.jpg")),
        SAME | {"x.jpg": None},
        {"a/l.jpg", "a/m.jpg"},
        {"new": 1, "missing": 2},
        between=LINKED_TWICE,
    ),
    Case(
        "one of two hard links renamed, another added",
        together(rename("a/l.jpg", "x.jpg"), link("a/1.jpg", "y.jpg")),
        SAME | {"x.jpg": None, "y.jpg": None},
        {"a/l.jpg"},
        {"new": 2, "missing": 1},
        between=LINKED,
    ),
    Case(
        "all of three hard links moved with their folder",
        rename("a", "z"),
        {"z/1.jpg": None, "z/l.jpg": None, "z/m.jpg": None, "z/2.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"},
        {"a/1.jpg", "a/l.jpg", "a/m.jpg"},
        {"moved": 1, "new": 3, "missing": 3},
        between=LINKED_TWICE,
    ),
    Case(
        "one of two hard links moved with its folder",
        rename("b", "z"),
        moved(("b/3.jpg", "z/3.jpg")) | {"z/l.jpg": "b/l.jpg"},
        counts={"moved": 2, "new": 0, "missing": 0},
        between=(link("a/1.jpg", "b/l.jpg"),),
    ),
    Case(
        "one of two hard links removed, later the other renamed",
        rename("a/1.jpg", "x.jpg"),
        but("a/1.jpg") | {"x.jpg": "a/1.jpg"},
        {"a/l.jpg"},
        {"moved": 1, "new": 0, "missing": 0},
        between=(*LINKED, remove("a/l.jpg")),
    ),
    Case("two hard links swap names", swap("a/1.jpg", "a/l.jpg"), SAME | {"a/l.jpg": "a/l.jpg"}, counts={"unchanged": 4}, between=LINKED),
    Case("a hard link in the place of another file", together(remove("b/3.jpg"), link("a/1.jpg", "b/3.jpg")), SAME, counts={"changed": 1, "moved": 0, "missing": 0}),
    Case("one of two hard links replaced by an editor", lambda root: replace_by_editor(root / "a/l.jpg"), SAME | {"a/l.jpg": "a/l.jpg"}, counts={"changed": 1}, between=LINKED),
    Case("two hard links edited in place", edit("a/1.jpg"), SAME | {"a/l.jpg": "a/l.jpg"}, counts={"changed": 2}, between=LINKED),
]  # fmt: skip

GONE_AND_BACK = [
    Case("deleted", remove("a/1.jpg"), but("a/1.jpg"), {"a/1.jpg"}, {"missing": 1}),
    Case("deleted, and back", back("a/1.jpg"), SAME, between=(aside("a/1.jpg"),), counts={"returned": 1, "new": 0, "changed": 0}),
    Case("deleted, and back with other content", new_file("a/1.jpg", b"other"), SAME, between=(remove("a/1.jpg"),), counts={"new": 0}),
    Case("deleted, and back at another path", back("b/back.jpg"), moved(("a/1.jpg", "b/back.jpg")), between=(aside("a/1.jpg"),), counts={"moved": 1, "new": 0}),
    Case("deleted, and back as a copy at another path", together(back("t"), move_by_copy("t", "b/back.jpg")), moved(("a/1.jpg", "b/back.jpg")), between=(aside("a/1.jpg"),)),
    Case(
        "its place taken by a new file, then back elsewhere",
        back("b/back.jpg"),
        SAME | {"b/back.jpg": None},
        counts={"new": 1},
        between=(aside("a/1.jpg"), new_file("a/1.jpg", b"other")),
    ),
    Case(
        "its place taken by a moved file, then back elsewhere",
        back("b/back.jpg"),
        {"a/2.jpg": "a/1.jpg", "b/back.jpg": "a/2.jpg", "b/3.jpg": "b/3.jpg"},
        counts={"moved": 1, "new": 0},
        between=(together(aside("a/2.jpg"), rename("a/1.jpg", "a/2.jpg")),),
    ),
    Case(
        "its place taken by a moved file, then back in its place",
        together(rename("a/2.jpg", "a/1.jpg"), back("a/2.jpg")),
        SAME,
        counts={"new": 0, "missing": 0},
        between=(together(aside("a/2.jpg"), rename("a/1.jpg", "a/2.jpg")),),
    ),
]  # fmt: skip

WITHOUT_INODES = [
    Case("inodes do not last: all numbered anew", number_anew, SAME, counts={"unchanged": 3}, stable=False),
    Case("inodes do not last: moved", rename("a/1.jpg", "c/1.jpg"), moved(("a/1.jpg", "c/1.jpg")), counts={"moved": 0, "new": 1, "missing": 1}, stable=False),
    Case("inodes do not last: whole folder renamed", together(number_anew, rename("a", "z")), moved(("a/1.jpg", "z/1.jpg"), ("a/2.jpg", "z/2.jpg")), counts={"moved": 0}, stable=False),
    Case("inodes do not last: two files swap names", swap("a/1.jpg", "b/3.jpg"), SAME, counts={"changed": 2}, stable=False),
    Case("inodes do not last: another file in its place", together(rename("a/1.jpg", "c/1.jpg"), new_file("a/1.jpg")), SAME | {"c/1.jpg": None}, counts={"changed": 1, "new": 1}, stable=False),
    Case("inodes do not last: deleted, and back", together(back("a/1.jpg"), number_anew), SAME, counts={"returned": 1}, between=(aside("a/1.jpg"),), stable=False),
]  # fmt: skip

CASES = [*IN_PLACE, *MOVED, *EXCHANGED, *FOLDERS, *COPIED, *LINKS, *GONE_AND_BACK, *WITHOUT_INODES]
