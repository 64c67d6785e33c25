"""The folder tree: lazily, in growing lists, never standing still, saying what cannot be read."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from tests.screens.scripted_engine import FORBIDDEN, HOSTILE_NAMES
from tui.display import display
from tui.scan.subfolders import FolderListing, list_subfolders, read_in_thread, sort_key
from tui.widgets.folder_rows import FolderNode, FolderRows
from tui.widgets.folder_tree import FolderMark, FolderTree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Wait = Callable[..., Any]


class TreeApp(App[None]):
    """A tree alone."""

    def __init__(self, top: bytes) -> None:
        super().__init__()
        self.top = top

    def compose(self) -> ComposeResult:
        yield FolderTree(self.top)

    @property
    def tree_view(self) -> FolderTree:
        return self.query_one(FolderTree)

    @property
    def shown(self) -> str:
        return "\n".join(strip.text.rstrip() for strip in self.screen._compositor.render_strips())


def make_folders(top: Path, *names: str) -> bytes:
    for name in names:
        (top / name).mkdir(parents=True)
    return os.fsencode(top)


async def test_folders_unfold_sorted_and_files_are_not_listed(tmp_path: Path, wait_until: Wait) -> None:
    top = make_folders(tmp_path, "b/inner", "A", "c")
    (tmp_path / "file.jpg").touch()
    app = TreeApp(top)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(lambda: "▸ c" in app.shown)
        rows = [line.strip() for line in app.shown.split("\n")[1:4]]
        assert rows == ["▸ A", "▸ b", "▸ c"]
        assert "file.jpg" not in app.shown
        app.tree_view.move_to(2)
        app.tree_view.toggle()
        await wait_until(lambda: "inner" in app.shown)
        app.tree_view.toggle()
        await pilot.pause()
        assert "inner" not in app.shown


async def test_a_folder_that_cannot_be_read_says_so(tmp_path: Path, wait_until: Wait) -> None:
    if os.geteuid() == 0:
        top = os.path.join(os.fsencode(tmp_path), b"gone")
        os.mkdir(top)
        os.rmdir(top)
        reason = "No such file or directory"
    else:
        top = make_folders(tmp_path, "locked")
        top += b"/locked"
        os.chmod(top, 0)
        reason = "Permission denied"
    app = TreeApp(top)
    async with app.run_test(size=(100, 24)):
        await wait_until(lambda: f"cannot be read: {reason}" in app.shown)


async def test_an_empty_folder_says_so(tmp_path: Path, wait_until: Wait) -> None:
    app = TreeApp(os.fsencode(tmp_path))
    async with app.run_test(size=(100, 24)):
        await wait_until(lambda: "no folders in it" in app.shown)


async def test_links_to_folders_are_told_and_broken_ones_left_out(tmp_path: Path, wait_until: Wait) -> None:
    top = make_folders(tmp_path, "real")
    (tmp_path / "to real").symlink_to("real")
    (tmp_path / "to nowhere").symlink_to("missing")
    (tmp_path / "round").symlink_to("round")
    app = TreeApp(top)
    async with app.run_test(size=(100, 24)):
        await wait_until(lambda: "to real (link)" in app.shown)
        assert "nowhere" not in app.shown
        assert "round" not in app.shown


async def test_hidden_folders_are_shown_on_request(tmp_path: Path, wait_until: Wait) -> None:
    app = TreeApp(make_folders(tmp_path, ".secret", "plain"))
    async with app.run_test(size=(100, 24)) as pilot:
        await wait_until(lambda: "plain" in app.shown)
        assert ".secret" not in app.shown
        assert app.tree_view.toggle_hidden()
        await pilot.pause()
        assert ".secret" in app.shown


async def test_going_to_a_path_unfolds_what_is_above_it(tmp_path: Path, wait_until: Wait) -> None:
    top = make_folders(tmp_path, "2019/.raw/07 Lisbon", "2020")
    app = TreeApp(top)
    async with app.run_test(size=(100, 24)):
        app.tree_view.go_to(top + b"/2019/.raw/07 Lisbon")
        await wait_until(lambda: app.tree_view.node.path == top + b"/2019/.raw/07 Lisbon")
        assert "▾ .raw" in app.shown


@pytest.mark.parametrize("goal", [b"/", b"//", b"/elsewhere", b"//etc/"])
async def test_a_goal_outside_of_the_tree_leads_to_its_top(
    tmp_path: Path, wait_until: Wait, goal: bytes
) -> None:
    app = TreeApp(make_folders(tmp_path, "a"))
    async with app.run_test(size=(100, 24)) as pilot:
        await wait_until(lambda: app.tree_view.row_count() == 2)
        app.tree_view.move("end")
        app.tree_view.go_to(goal)
        await pilot.pause()
        assert app.tree_view.cursor == 0


async def test_two_slashes_in_front_are_one(tmp_path: Path, wait_until: Wait) -> None:
    top = make_folders(tmp_path, "a/b")
    app = TreeApp(top)
    async with app.run_test(size=(100, 24)):
        app.tree_view.go_to(b"/" + top + b"/a/b/")
        await wait_until(lambda: app.tree_view.node.path == top + b"/a/b")


async def test_who_moves_is_not_carried_elsewhere(tmp_path: Path, wait_until: Wait) -> None:
    top = make_folders(tmp_path, "a/b/c", "d")
    app = TreeApp(top)
    async with app.run_test(size=(100, 24)) as pilot:
        tree = app.tree_view
        await wait_until(lambda: tree.row_count() == 3)
        tree.go_to(top + b"/a/b/c")
        tree.move("end")
        await pilot.pause(0.3)
        assert tree.node.path == top + b"/d"


async def test_the_cursor_stays_on_its_folder_while_others_arrive(tmp_path: Path, wait_until: Wait) -> None:
    top = make_folders(tmp_path, "m")
    app = TreeApp(top)
    async with app.run_test(size=(100, 24)) as pilot:
        tree = app.tree_view
        await wait_until(lambda: tree.row_count() == 2)
        tree.move("down")
        make_folders(tmp_path, "a", "z")
        tree.unfold(tree.node)
        node = tree.node.parent
        assert node is not None
        tree._read(node)
        await wait_until(lambda: tree.row_count() == 4)
        await pilot.pause()
        assert tree.node.name == b"m"


async def test_going_up_folds_first_then_moves(tmp_path: Path, wait_until: Wait) -> None:
    top = make_folders(tmp_path, "a/b")
    app = TreeApp(top)
    async with app.run_test(size=(100, 24)):
        tree = app.tree_view
        tree.go_to(top + b"/a/b")
        await wait_until(lambda: tree.node.name == b"b" and tree.node.is_open)
        tree.go_up()
        assert not tree.node.is_open
        tree.go_up()
        assert tree.node.name == b"a"


async def test_marks_show_roots_and_counts(tmp_path: Path, wait_until: Wait) -> None:
    top = make_folders(tmp_path, "photos", "other")
    app = TreeApp(top)
    async with app.run_test(size=(100, 24)) as pilot:
        await wait_until(lambda: "photos" in app.shown)
        app.tree_view.show_marks({top + b"/photos": FolderMark(1_204_311, is_root=True)})
        await pilot.pause()
        line = next(line for line in app.shown.split("\n") if "photos" in line)
        assert "root" in line
        assert line.endswith("1,204,311 files")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_hostile_names_are_shown_as_text(
    tmp_path: Path, wait_until: Wait, size: tuple[int, int]
) -> None:
    top = os.fsencode(tmp_path)
    for name in HOSTILE_NAMES:
        os.mkdir(os.path.join(top, name.replace(b"/", b"|")))
    app = TreeApp(top)
    async with app.run_test(size=size, notifications=True):
        await wait_until(lambda: r"caf\xe9\xff" in app.shown)
        assert "[@click=app.quit]x" in app.shown
        assert not FORBIDDEN.intersection(app.shown.replace("\n", ""))


async def test_twenty_thousand_folders_never_hold_the_screen_up(tmp_path: Path, wait_until: Wait) -> None:
    top = os.fsencode(tmp_path)
    for number in range(20_000):
        os.mkdir(b"%s/%06d" % (top, number))
    app = TreeApp(top)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.001)
            longest = max(longest, time.monotonic() - began)

    async with app.run_test(size=(80, 24)):
        watching = asyncio.create_task(watch())
        await wait_until(lambda: app.tree_view.row_count() == 20_001, seconds=60)
        app.tree_view.move("end")
        await wait_until(lambda: "019999" in app.shown)
        watching.cancel()
    assert longest < 0.25, f"the loop stood still for {longest:.3f} s"


def test_a_folder_of_a_hundred_thousand_files_is_listed_in_growing_parts(tmp_path: Path) -> None:
    for number in range(20_000):
        (tmp_path / f"{number}.jpg").touch()
    for number in range(100):
        (tmp_path / f"folder {number}").mkdir()
    listings = list(list_subfolders(os.fsencode(tmp_path), period_s=0.001))
    assert len(listings) > 2
    assert [listing.is_complete for listing in listings] == [False] * (len(listings) - 1) + [True]
    sizes = [len(listing.names) for listing in listings]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 100


def test_a_reader_that_is_stopped_delivers_nothing_more(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    delivered: list[FolderListing] = []
    read_in_thread(os.fsencode(tmp_path), delivered.append, stop)
    for thread in threading.enumerate():
        if thread.name == f"folders of {display(os.fsencode(tmp_path))}":
            thread.join(5)
    assert delivered == []


DEEP = sys.getrecursionlimit() + 100


def test_a_tree_may_be_deeper_than_python_recurses() -> None:
    rows = FolderRows(FolderNode(b"/"))
    node = rows.top
    rows.set_open(node, is_open=True)
    for _ in range(DEEP):
        node = rows.add(node, b"d")
        rows.set_open(node, is_open=True)
    assert len(rows) == DEEP + 1
    assert rows[DEEP].path == b"/" + b"/".join([b"d"] * DEEP)


def listing_of(path: bytes) -> FolderListing:
    (listing,) = list_subfolders(path)
    return listing


def test_folders_that_are_read_again_keep_what_was_unfolded_in_them(tmp_path: Path) -> None:
    top = make_folders(tmp_path, "b/inner")
    rows = FolderRows(FolderNode(top))
    rows.take(rows.top, listing_of(top))
    rows.set_open(rows.top, is_open=True)
    inner = rows[1]
    rows.take(inner, listing_of(inner.path))
    rows.set_open(inner, is_open=True)
    assert [rows[index].name for index in range(len(rows))] == [top, b"b", b"inner"]
    make_folders(tmp_path, "a", "c")
    rows.take(rows.top, listing_of(top))
    assert [rows[index].name for index in range(len(rows))] == [top, b"a", b"b", b"inner", b"c"]
    (tmp_path / "b" / "inner").rmdir()
    (tmp_path / "b").rmdir()
    rows.take(rows.top, listing_of(top))
    assert [rows[index].name for index in range(len(rows))] == [top, b"a", b"c"]


class Model:
    """The same tree, kept the simple way: every row in a list."""

    def __init__(self) -> None:
        self.open: set[bytes] = set()

    def rows(self, names: dict[bytes, list[bytes]], path: bytes = b"/") -> list[bytes]:
        shown = [path]
        if path in self.open:
            for name in sorted(names.get(path, []), key=sort_key):
                shown += self.rows(names, os.path.join(path, name))
        return shown


NAMES = st.sampled_from([b"a", b"B", b"b", b"c9", b"C1", b"\xff"])
PATHS = st.lists(NAMES, max_size=3).map(lambda parts: os.path.join(b"/", *parts))
STEPS = st.lists(st.tuples(st.sampled_from(["open", "close", "list"]), PATHS, st.sets(NAMES)), max_size=30)


@given(steps=STEPS)
def test_row_numbers_agree_with_a_list_of_all_rows(steps: list[tuple[str, bytes, set[bytes]]]) -> None:
    rows, model, names = FolderRows(FolderNode(b"/")), Model(), dict[bytes, list[bytes]]()
    for what, path, found in steps:
        shown = model.rows(names)
        if path not in shown:
            continue
        node = rows[shown.index(path)]
        assert node.path == path
        if what == "list":
            names[path] = sorted(found)
            listed = tuple(sorted(found, key=sort_key))
            rows.take(node, FolderListing(path, listed, listed, frozenset(), is_complete=True))
        else:
            (model.open.add if what == "open" else model.open.discard)(path)
            rows.set_open(node, is_open=what == "open")
        shown = model.rows(names)
        assert [rows[index].path for index in range(len(rows))] == shown
        assert [rows.index_of(rows[index]) for index in range(len(rows))] == list(range(len(shown)))
