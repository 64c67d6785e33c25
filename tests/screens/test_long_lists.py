"""Long lists on a real library: any place, any order, a cursor that keeps its file, little held, keys heard in order."""

from __future__ import annotations

import os
import random
import shutil
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from textual.app import App, ComposeResult

from tests.screens.file_views import CountlessFiles
from tests.screens.keys import type_at_once
from tests.screens.test_file_table import TableApp, rows_are_here, shown_lines
from tests.screens.test_library_screen import library_screen
from tui.actions import Place, bindings
from tui.library import files, roots
from tui.library.connections import connect_writing
from tui.library.database import Library, create_library
from tui.library.query import parse_query
from tui.library.query_plans import plan_query
from tui.library.reader import NEAR_ROWS, read_ids
from tui.records import FoundFile, Kind
from tui.widgets.folder_sidebar import ALL_FILES, FolderSidebar
from tui.widgets.folder_tree import FolderTree
from tui.widgets.row_pages import PAGE_ROWS, parse_place
from tui.widgets.scrolled_lines import thumb_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from tests.screens.conftest import OpenApp
    from tui.library.reader import FileView
    from tui.widgets.file_table import FileTable

    Wait = Callable[..., Any]

ROWS = 20_000
MOST_HELD = 12 * PAGE_ROWS
SORTS = ("taken", "name", "size", "iso", "path", "rating", "state", "modified")
"""Orders with and without an index, with and without files that have no value; those of all columns compile in another test."""


def add_photos(db: sqlite3.Connection, number: int, first: int = 0, folder: bytes = b"2019") -> None:
    """Add `number` photos that have every value that a column may be sorted by, some of them by many files alike."""
    root = roots.find_root(db, b"/srv/media") or roots.add_root(db, b"/srv/media")
    folder_id = files.add_folder(db, root.root_id, folder, None)
    found = [
        FoundFile(
            b"IMG_%06d.JPG" % place,
            Kind.IMAGE,
            1_000 + place * 7_919 % 100_003,
            10**18 + place * 10**9,
            place,
        )
        for place in range(first, first + number)
    ]
    files.insert_files(db, folder_id, found, 1_700_000_000_000_000_000)
    # values that are not in the search index, which would have to be told
    db.execute(
        "UPDATE file SET metadata_state = 1, iso = id * 37 % 6400, rating = iif(id % 3, NULL, id % 6), "
        "taken_local = iif(id % 5, printf('20%02d-01-01T00:00:00', id % 24), NULL) WHERE metadata_state = 0"
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of twenty thousand photos, to be copied."""
    path = tmp_path_factory.mktemp("filled") / "library.yapmo"
    create_library(os.fsencode(path))
    with closing(connect_writing(os.fsencode(path))) as db:
        db.execute("BEGIN")
        add_photos(db, ROWS)
        db.execute("COMMIT")
    return path


@pytest.fixture
async def library(filled: Path, tmp_path: Path) -> AsyncIterator[Library]:
    """A copy of it."""
    async with await Library.open(str(shutil.copy(filled, tmp_path))) as opened:
        yield opened


async def open_view(library: Library, text: str) -> FileView:
    return await library.reader.open_view(parse_query(text))


def order_of(library: Library, text: str) -> Sequence[int]:
    with closing(library.connect_read_only()) as db:
        return read_ids(db, plan_query(db, parse_query(text)), 0, 2 * ROWS)


def held_bytes_per_row(view: FileView) -> float:
    order = view._order
    if order is None:
        return 0.0
    ids = order.result()
    return ids.itemsize * len(ids) / ROWS


@pytest.mark.parametrize("sort", SORTS)
async def test_every_order_leads_to_either_end_and_to_any_place(library: Library, sort: str) -> None:
    app, falling = TableApp(), sort in {"taken", "iso"}
    query = f"sort:{sort}{'-' if falling else ''}"
    expected = order_of(library, query)
    assert len(set(expected)) == ROWS
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        view = await open_view(library, query)
        await app.table.show(view, (sort, falling))
        for place in (ROWS - 1, ROWS // 2, NEAR_ROWS - 5, 0):
            app.table.move_to(place)
            await rows_are_here(pilot, app.table)
            assert app.table.cursor_row is not None
            assert app.table.cursor_row.file_id == expected[place]
            assert len(app.table._pages) <= MOST_HELD
        await view.prepare_places()
        assert 0 < held_bytes_per_row(view) <= 8


async def test_the_cursor_keeps_its_file_while_others_come_go_and_change_places(library: Library) -> None:
    app, chance = TableApp(), random.Random(5)
    query = "sort:iso"
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(await open_view(library, query))
        app.table.move_to(ROWS // 2)
        await rows_are_here(pilot, app.table)
        assert app.table.cursor_row is not None
        kept = app.table.cursor_row.file_id

        def add(db: sqlite3.Connection) -> None:
            add_photos(db, 300, first=ROWS, folder=b"new")
            db.execute("UPDATE file SET iso = 0 WHERE id > ?", (ROWS,))

        def remove(db: sqlite3.Connection) -> None:
            files.remove_files(
                db, [number for number in chance.sample(range(1, ROWS), 500) if number != kept]
            )

        def change_places(db: sqlite3.Connection) -> None:
            db.execute("UPDATE file SET iso = 6400 - iso")

        for change in (add, remove, change_places):
            await library.writer.run(change)
            line = app.table.cursor - app.table.top
            assert await app.table.renew(await open_view(library, query))
            await rows_are_here(pilot, app.table)
            assert app.table.cursor_row is not None
            assert app.table.cursor_row.file_id == kept
            assert app.table.cursor - app.table.top == line
            assert order_of(library, query)[app.table.cursor] == kept


async def test_a_newer_list_gives_up_what_the_older_one_still_reads(
    library: Library, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The far page of the older list would take a minute; the newer list and its own far page do not wait for it."""
    from tui.library import reader as reader_module

    app, begun = TableApp(), []
    real = reader_module.read_order

    def read_order(db: sqlite3.Connection, query: Any) -> Any:
        if query.sort == "name":
            begun.append(query)
            db.execute(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000000) SELECT max(i) FROM n"
            ).fetchone()
        return real(db, query)

    monkeypatch.setattr(reader_module, "read_order", read_order)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        older = await open_view(library, "sort:name")
        await app.table.show(older)
        app.table.move_to(ROWS // 2)
        await wait_until(lambda: begun)
        await app.table.show(await open_view(library, "sort:size"))
        app.table.move_to(ROWS // 2)
        await rows_are_here(pilot, app.table)
        assert older._order is None, "given up"
        assert app.heard == []


async def test_a_list_that_stands_gets_ready_for_any_place(library: Library, wait_until: Wait) -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24), notifications=True):
        view = await open_view(library, "sort:name")
        await app.table.show(view)
        await wait_until(lambda: view._order is not None and view._order.done())
        assert held_bytes_per_row(view) == 8
        short = await open_view(library, "sort:name name:IMG_0000")
        await app.table.show(short)
        await short.prepare_places()
        assert short._order is None, "a short list has no place that is far"


# The scroll bar


def thumb_line(table: FileTable) -> int:
    (line,) = [y for y, text in enumerate(shown_lines(table)) if text.endswith("█")]
    return line


async def test_the_scroll_bar_is_dragged_to_any_place() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(CountlessFiles(1_000_000))
        await pilot.mouse_down(app.table, offset=(79, 1))
        for line in (12, 20, 5):
            await pilot.hover(app.table, offset=(40, line))
            await rows_are_here(pilot, app.table)
            assert thumb_line(app.table) == line
            assert app.table.top <= app.table.cursor < app.table.top + app.table.page_height
        await pilot.hover(app.table, offset=(79, 23))
        assert app.table.top == 1_000_000 - app.table.page_height
        await pilot.hover(app.table, offset=(79, 0))
        assert app.table.top == 0
        await pilot.mouse_up(app.table, offset=(79, 0))
        await pilot.hover(app.table, offset=(79, 12))
        assert app.table.top == 0, "the button is up"


async def test_beside_its_thumb_the_bar_jumps_and_a_click_on_it_opens_nothing() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(CountlessFiles(1_000))
        await pilot.click(app.table, offset=(79, 12), times=2)
        await rows_are_here(pilot, app.table)
        assert thumb_line(app.table) == 12
        cursor = app.table.cursor
        await pilot.click(app.table, offset=(79, 12))
        assert app.table.cursor == cursor
        assert app.heard == []


async def test_a_thumb_is_held_where_it_was_gripped() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(CountlessFiles(40))
        assert len(thumb_rows(0, app.table.page_height, 40)) > 5
        await pilot.mouse_down(app.table, offset=(79, 6))
        assert app.table.top == 0
        await pilot.hover(app.table, offset=(79, 7))
        assert 0 < app.table.top < 4


# Places by number


@pytest.mark.parametrize(
    ("text", "place"),
    [("1", 0), (" 500,000 ", 499_999), ("1 000", 999), ("0 %", 0), ("50%", 500_000), ("100 %", 999_999), ("12.5%", 125_000)],
)  # fmt: skip
def test_a_place_is_a_row_or_a_share(text: str, place: int) -> None:
    assert parse_place(text, 1_000_000) == place


@pytest.mark.parametrize("text", ["", "x", "%", "101 %", "-1 %", "nan%", "1.5", "5 rows"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the caller says what to type
        parse_place(text, 1_000)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_place_is_typed(
    open_app: OpenApp, library: Library, wait_until: Wait, size: tuple[int, int]
) -> None:
    async with open_app("library", size=size) as pilot:
        table = library_screen(pilot).table
        await wait_until(lambda: table.row_count() == ROWS)
        type_at_once(pilot.app, "colon", "1", "2", "3", "4", "5", "enter", "down")
        await wait_until(lambda: table.cursor == 12_345)
        assert table.has_focus
        type_at_once(pilot.app, "colon", "x", "enter", "up")
        await wait_until(lambda: table.cursor == 12_344)
        assert "is no place" in [notice.message for notice in pilot.app._notifications][-1]
        type_at_once(pilot.app, "colon", "5", "escape", "home")
        await wait_until(lambda: table.cursor == 0)


# Folders


class Heard(App[int]):
    """A list of folders alone, which notes the keys that it hears."""

    BINDINGS = bindings(Place.LISTS)

    def __init__(self, rows: FolderTree | FolderSidebar) -> None:
        super().__init__()
        self.rows = rows
        self.steps: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.rows

    def on_mount(self) -> None:
        self.rows.focus()

    def action_move(self, step: str) -> None:
        self.steps.append(step)
        self.rows.move(step)


KEYS = {
    "up": "up",
    "down": "down",
    "pagedown": "page_down",
    "pageup": "page_up",
    "home": "start",
    "end": "end",
}


async def test_keys_are_heard_in_order_while_a_folder_of_many_opens(tmp_path: Path, wait_until: Wait) -> None:
    top = os.fsencode(tmp_path)
    for number in range(20_000):
        os.mkdir(b"%s/%05d" % (top, number * 7_919 % 20_000))
    tree = FolderTree(top)
    app, chance = Heard(tree), random.Random(3)
    typed: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        while tree.row_count() < 20_001:
            keys = chance.choices(list(KEYS), k=9)
            typed += keys
            type_at_once(app, *keys)
            await pilot.pause()
        type_at_once(app, "end")
        await wait_until(lambda: tree.node.name == b"19999")
    assert app.steps == [*(KEYS[key] for key in typed), "end"]


class ManyFolders:
    """A library with very many folders in one root."""

    async def subfolders(self, folder: bytes) -> Mapping[bytes, int]:
        """Return the root, and in it the folders, in no order."""
        if folder == ALL_FILES:
            return {b"/srv/media": 20_000}
        return {b"/srv/media/%05d" % (number * 7_919 % 20_000): 1 for number in range(20_000)}

    async def offline_roots(self) -> frozenset[bytes]:
        """Return nothing: all are there."""
        return frozenset()


async def test_the_sidebar_unfolds_very_many_folders_in_their_order(wait_until: Wait) -> None:
    sidebar = FolderSidebar(ManyFolders())
    app = Heard(sidebar)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(lambda: sidebar.row_count() == 2)
        await pilot.press("down")
        sidebar.unfold()
        type_at_once(app, "up", "down")
        await wait_until(lambda: sidebar.row_count() == 20_002)
        assert app.steps == ["down", "up", "down"]
        assert sidebar.folder == b"/srv/media"
        for place in (0, 1, 777, 19_999):
            sidebar.move_to(2 + place)
            assert sidebar.folder == b"/srv/media/%05d" % place
