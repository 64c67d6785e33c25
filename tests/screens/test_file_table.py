"""The table of files: virtual rows, a cursor that keeps its file, little painting, hostile names."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from textual.app import App, ComposeResult

from tests.screens.file_views import CountlessFiles, ListedFiles, make_row
from tui.actions import Place, bindings
from tui.errors import LibraryError
from tui.records import FileState, StageState
from tui.widgets import file_table
from tui.widgets.file_table import FileTable
from tui.widgets.row_pages import PAGE_ROWS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.geometry import Region
    from textual.message import Message
    from textual.pilot import Pilot

    from tui.records import FileRow
    from tui.widgets.row_pages import FileView

T = TypeVar("T")

MILLION = 1_000_000
NEVER_S = 600.0
"""Longer than any test: what is waited for so long does not come by itself."""
SIZES = [(80, 24), (120, 40)]
COLUMNS = ("name", "taken", "camera", "duration", "size", "rating")


class TableApp(App[None]):
    """A table alone on the screen, moved as the main screens move their lists."""

    BINDINGS = bindings(Place.LISTS)
    CSS_PATH = "../../tui/app.tcss"

    def __init__(self) -> None:
        super().__init__()
        self.table = FileTable(COLUMNS)
        self.heard: list[Message] = []
        self.moves = 0

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()

    def action_move(self, step: str) -> None:
        self.table.move(step)

    def on_line_list_cursor_moved(self) -> None:
        self.moves += 1

    def on_file_table_opened(self, message: FileTable.Opened) -> None:
        self.heard.append(message)

    def on_file_table_sort_chosen(self, message: FileTable.SortChosen) -> None:
        self.heard.append(message)

    def on_file_table_read_failed(self, message: FileTable.ReadFailed) -> None:
        self.heard.append(message)


def shown_lines(table: FileTable) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


async def rows_are_here(pilot: Pilot[None], table: FileTable) -> None:
    """Wait until the table shows what it holds and no row in view is a placeholder any more."""
    for _ in range(500):
        await pilot.pause()
        if table._patience is None and not any(line[1:].strip(" │█") == "…" for line in shown_lines(table)):
            return
        await asyncio.sleep(0.005)
    raise AssertionError(shown_lines(table))


def watch_painting(table: FileTable, monkeypatch: pytest.MonkeyPatch) -> list[Region]:
    """Return a list that grows with every region that the table asks to have painted."""
    painted: list[Region] = []
    real = table.refresh

    def refresh(*regions: Region, **options: Any) -> FileTable:
        painted.extend(regions or [table.size.region])
        return real(*regions, **options)

    monkeypatch.setattr(table, "refresh", refresh)
    return painted


@pytest.mark.parametrize("size", SIZES)
async def test_a_million_rows_cost_a_few_pages(size: tuple[int, int]) -> None:
    app, view = TableApp(), CountlessFiles(MILLION)
    async with app.run_test(size=size, notifications=True) as pilot:
        await app.table.show(view)
        await rows_are_here(pilot, app.table)
        assert app.table.row_count() == MILLION
        assert len(view.asked) <= 3
        for key, name in (
            ("end", "IMG_0999999"),
            ("pageup", None),
            ("home", "IMG_0000000"),
            ("pagedown", None),
        ):
            await pilot.press(key)
            await rows_are_here(pilot, app.table)
            if name:
                assert any(line.startswith("▸") and name in line for line in shown_lines(app.table))
        app.table.move_to(MILLION // 2)
        await rows_are_here(pilot, app.table)
        assert app.table.cursor_row == make_row(MILLION // 2)
        assert len(view.asked) <= 12
        assert sum(limit for _, limit in view.asked) <= 12 * PAGE_ROWS


async def test_memory_does_not_grow_with_what_was_seen() -> None:
    app, view = TableApp(), CountlessFiles(MILLION)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(view)
        for place in range(0, MILLION, 40_000):
            app.table.move_to(place)
            await rows_are_here(pilot, app.table)
        assert len(view.asked) > 25
        assert len(app.table._pages) <= 12 * PAGE_ROWS


async def test_rows_on_the_way_are_placeholders_and_keys_do_not_wait(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    gate = asyncio.Event()

    class SlowFiles(CountlessFiles):
        async def page(self, offset: int, limit: int) -> Sequence[FileRow]:
            if offset:
                await gate.wait()
            return await super().page(offset, limit)

    app = TableApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(SlowFiles(MILLION))
        await pilot.press("end", "up", "up")
        assert app.table.cursor == MILLION - 3
        assert app.table.cursor_row is None
        await wait_until(
            lambda: [line[:4] for line in shown_lines(app.table)[-3:]] == ["▸  …", "   …", "   …"]
        )
        monkeypatch.setattr(file_table, "ROWS_PATIENCE_S", NEVER_S)
        await pilot.press("up")
        assert shown_lines(app.table)[-4].startswith("▸  …"), "whoever sees placeholders waits for nothing"
        gate.set()
        await wait_until(lambda: app.table.cursor_row is not None)
        await rows_are_here(pilot, app.table)
        assert "IMG_0999996" in shown_lines(app.table)[-4]


class GatedPages(CountlessFiles):
    """A million files of which each page but the first is held back until a test lets it come."""

    def __init__(self) -> None:
        super().__init__(MILLION)
        self.gates: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self.gates[0].set()

    async def page(self, offset: int, limit: int) -> Sequence[FileRow]:
        await self.gates[offset // PAGE_ROWS].wait()
        return await super().page(offset, limit)


def running_patience() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "patience"]


async def test_rows_that_come_at_once_are_painted_once(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    monkeypatch.setattr(file_table, "ROWS_PATIENCE_S", NEVER_S)
    app, view = TableApp(), GatedPages()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(view)
        before, moves = shown_lines(app.table), app.moves
        painted = watch_painting(app.table, monkeypatch)
        app.table.move_to(100 * PAGE_ROWS - 5)
        app.table.scroll_rows(10)
        view.gates[99].set()
        await wait_until(lambda: app.table._pages.row(app.table.top) is not None)
        await pilot.pause()
        assert app.table.cursor_row == make_row(100 * PAGE_ROWS - 5), "known at once"
        assert app.moves > moves
        assert painted == []
        assert shown_lines(app.table) == before
        view.gates[100].set()
        await rows_are_here(pilot, app.table)
        assert len({region.y for region in painted}) == len(painted) > 10, "each line once"
        assert running_patience() == []


async def test_a_newer_list_ends_the_wait_for_rows_of_the_older(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_table, "ROWS_PATIENCE_S", NEVER_S)
    app = TableApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(GatedPages())
        app.table.move_to(MILLION // 2)
        await pilot.pause()
        assert running_patience()
        await app.table.show(CountlessFiles(MILLION))
        await rows_are_here(pilot, app.table)
        assert "IMG_0000000" in shown_lines(app.table)[1]
        assert running_patience() == []


@pytest.mark.parametrize("waits_before", [True, False])
async def test_a_table_that_is_gone_waits_for_no_rows(
    monkeypatch: pytest.MonkeyPatch, *, waits_before: bool
) -> None:
    monkeypatch.setattr(file_table, "ROWS_PATIENCE_S", NEVER_S)
    app = TableApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(GatedPages())
        if waits_before:
            app.table.move_to(MILLION // 2)
        await pilot.pause()
        assert bool(running_patience()) is waits_before
        await app.table.remove()
        app.table.move_to(MILLION // 3)
        assert running_patience() == []


async def test_a_cursor_that_moves_paints_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    app = TableApp()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await app.table.show(CountlessFiles(MILLION))
        await rows_are_here(pilot, app.table)
        painted = watch_painting(app.table, monkeypatch)
        await pilot.press("down")
        await pilot.pause()
        assert sorted(region.y for region in painted) == [1, 2]
        assert {region.height for region in painted} == {1}


async def test_renewal_keeps_the_file_on_its_line_and_paints_only_what_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = TableApp()
    rows = [make_row(number) for number in range(0, 400, 2)]
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await app.table.show(ListedFiles(rows))
        app.table.move_to(120)
        await rows_are_here(pilot, app.table)
        before, top = shown_lines(app.table), app.table.top
        painted = watch_painting(app.table, monkeypatch)
        earlier = [make_row(1000 + number, b"AAA%d.JPG" % number) for number in range(300)]
        assert await app.table.renew(ListedFiles([*earlier, *rows]))
        await rows_are_here(pilot, app.table)
        assert app.table.cursor_row == make_row(240)
        assert app.table.cursor == 420
        assert app.table.top == top + 300
        assert [line[:-1] for line in shown_lines(app.table)] == [line[:-1] for line in before]
        assert {region.width for region in painted} <= {1}, "only the scroll bar moved"


async def test_a_changed_row_is_the_one_line_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    app = TableApp()
    rows = [make_row(number) for number in range(30)]
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await app.table.show(ListedFiles(rows))
        await rows_are_here(pilot, app.table)
        painted = watch_painting(app.table, monkeypatch)
        rows[7] = replace(rows[7], size=5)
        assert await app.table.renew(ListedFiles(rows))
        await pilot.pause()
        assert {region.y for region in painted} == {8}


class GatedFiles(ListedFiles):
    """A list that holds back one kind of answer until a test opens its gate."""

    def __init__(self, rows: Sequence[FileRow], held_back: str) -> None:
        super().__init__(rows)
        self.held_back = held_back
        self.gate = asyncio.Event()

    async def count(self) -> int:
        return await self._answer("count", super().count())

    async def page(self, offset: int, limit: int) -> Sequence[FileRow]:
        return await self._answer("page", super().page(offset, limit))

    async def position_of(self, file_id: int) -> int | None:
        return await self._answer("position_of", super().position_of(file_id))

    async def _answer(self, kind: str, answer: Awaitable[T]) -> T:
        given = await answer
        if kind == self.held_back:
            await self.gate.wait()
        return given


@pytest.mark.parametrize("seed", range(3))
async def test_the_cursor_stays_on_its_file_whatever_keys_and_new_rows_come(seed: int) -> None:
    chance = random.Random(seed)
    app = TableApp()
    rows = [make_row(number) for number in range(0, 3_000_000, 3_000)]
    keys = ["up", "down", "pageup", "pagedown", "home", "end", "j", "k"]
    async with app.run_test(size=chance.choice(SIZES), notifications=True) as pilot:
        await app.table.show(ListedFiles(rows))
        await pilot.press("down")
        for _ in range(20):
            for _ in range(chance.randrange(40)):
                number = chance.randrange(3_000_000)
                rows.insert(chance.randrange(len(rows) + 1), make_row(number * 10 + 1))
            newer = GatedFiles(rows, chance.choice(["count", "page", "position_of"]))
            renewal = asyncio.create_task(app.table.renew(newer))
            for key in chance.choices(keys, k=chance.randrange(4)):
                await pilot.press(key)
            await rows_are_here(pilot, app.table)
            assert app.table.cursor_row is not None
            file_id, line = app.table.cursor_row.file_id, app.table.cursor - app.table.top
            newer.gate.set()
            assert await renewal
            await rows_are_here(pilot, app.table)
            assert app.table.row_count() == len(rows)
            assert app.table.cursor_row.file_id == file_id
            assert any(text.startswith("▸") for text in shown_lines(app.table))
            if 0 < app.table.top < len(rows) - app.table.page_height:
                assert app.table.cursor - app.table.top == line


async def test_a_cursor_that_nobody_moved_stays_at_the_top() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(ListedFiles([make_row(5)]))
        assert await app.table.renew(ListedFiles([make_row(3), make_row(5)]))
        await pilot.pause()
        assert app.table.cursor_row == make_row(3)
        app.table.open_cursor()
        assert await app.table.renew(ListedFiles([make_row(1), make_row(3), make_row(5)]))
        await pilot.pause()
        assert app.table.cursor_row == make_row(3), "who opened a file has chosen it"


async def test_the_cursor_of_a_file_that_is_gone_keeps_its_place() -> None:
    app = TableApp()
    rows = [make_row(number) for number in range(10)]
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(ListedFiles(rows))
        app.table.move_to(4)
        await pilot.pause()
        moves = app.moves
        assert await app.table.renew(ListedFiles([row for row in rows if row.file_id != 4]))
        await pilot.pause()
        assert app.table.cursor_row == make_row(5)
        assert app.moves == moves + 1, "whoever shows the file must hear that it is another one"
        app.table.move_to(8)
        assert await app.table.renew(ListedFiles(rows[:2]))
        await pilot.pause()
        assert app.table.cursor_row == make_row(1)
        assert await app.table.renew(ListedFiles([]))
        await pilot.pause()
        assert app.table.row_count() == 0
        await pilot.press("down", "end", "pageup")
        app.table.open_cursor()
        assert app.heard == []


HOSTILE_NAMES = [
    b"[/]",
    b"[a='",
    b"x[/bold]y.jpg",
    b"[@click=app.quit]x.jpg",
    b"[red]Song [live].mp3",
    b"\x1b]52;c;aGk=\x07.jpg",
    b"\x1b[31mred\x9b1m.jpg",
    b"line\nbreak\r\t.jpg",
    b"\xff\xfe.jpg",
    b"caf\xe9.jpg",
    "\u202egpj.exe".encode(),
    "日本語の長い名前の写真".encode() * 6,
    b"",
]


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_names_are_shown_and_do_nothing(size: tuple[int, int]) -> None:
    app = TableApp()
    rows = [
        make_row(number, name, model=name.decode("utf-8", "replace"))
        for number, name in enumerate(HOSTILE_NAMES)
    ]
    async with app.run_test(size=size, notifications=True) as pilot:
        await app.table.show(ListedFiles(rows))
        await rows_are_here(pilot, app.table)
        text = "\n".join(shown_lines(app.table))
        for shown in (
            "[/]",
            "[a='",
            "x[/bold]y.jpg",
            r"\xff\xfe.jpg",
            r"caf\xe9.jpg",
            r"line\nb",
            r"\u202egpj.exe",
        ):
            assert shown in text
        assert not any((ord(sign) < 32 and sign != "\n") or 0x7F <= ord(sign) < 0xA0 for sign in text)
        assert "\u202e" not in text
        for y in range(1, len(rows) + 1):
            assert app.table.render_line(y).cell_length == size[0]
            await pilot.click(app.table, offset=(6, y))
        assert app.is_running
        assert app.table.cursor == len(rows) - 1


async def test_state_is_said_by_a_sign_before_the_name() -> None:
    app = TableApp()
    rows = [
        make_row(0),
        make_row(1, state=FileState.MISSING),
        make_row(2, metadata_state=StageState.FAILED),
        make_row(3, metadata_state=StageState.PENDING),
    ]
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(ListedFiles(rows))
        await rows_are_here(pilot, app.table)
        assert [line[:6] for line in shown_lines(app.table)[1:5]] == ["▸  IMG", " × IMG", " ! IMG", " … IMG"]


async def test_numbers_and_titles_align_and_narrow_tables_drop_columns(
    wait_until: Callable[..., Any],
) -> None:
    app = TableApp()
    rows = [replace(make_row(number), size=10**number) for number in range(3, 10)]
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await app.table.show(ListedFiles(rows))
        await rows_are_here(pilot, app.table)
        head, *lines = shown_lines(app.table)[:8]
        assert {line.index("B ", 60) for line in lines} == {head.index("Size") + 3}
        await pilot.resize_terminal(40, 20)
        await wait_until(lambda: shown_lines(app.table)[0].split() == ["Name", "Taken"])
        await pilot.resize_terminal(120, 40)
        titles = ["Name", "Taken", "Camera", "Length", "Size", "★"]
        await wait_until(lambda: shown_lines(app.table)[0].split() == titles)


async def test_the_order_is_chosen_by_column_and_shown_in_its_title() -> None:
    app = TableApp()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await app.table.show(ListedFiles([make_row(1)]))
        app.table.reverse_sort()  # there is no order to turn round yet
        app.table.sort_beside(1)
        await app.table.show(ListedFiles([make_row(1)]), ("name", False))
        app.table.sort_beside(1)
        app.table.sort_beside(-1)
        await app.table.show(ListedFiles([make_row(1)]), ("size", True))
        app.table.reverse_sort()
        await pilot.pause()
        head = shown_lines(app.table)[0]
        assert "Size ▼" in head
        await pilot.click(app.table, offset=(head.index("Size") + 1, 0))
        await pilot.click(app.table, offset=(4, 0))
        chosen = [
            (heard.field, heard.falling) for heard in app.heard if isinstance(heard, FileTable.SortChosen)
        ]
        assert chosen == [
            ("name", False), ("taken", True), ("rating", True), ("size", False), ("size", False), ("name", False)
        ]  # fmt: skip


async def test_a_double_click_opens_and_the_wheel_moves() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(CountlessFiles(1000))
        await rows_are_here(pilot, app.table)
        await pilot.click(app.table, offset=(10, 5), times=2)
        assert [heard.row for heard in app.heard if isinstance(heard, FileTable.Opened)] == [make_row(4)]
        app.table.scroll_rows(30)
        await rows_are_here(pilot, app.table)
        assert app.table.top == 30
        assert app.table.cursor == 30


async def test_a_list_without_files_says_what_to_do() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.table.set_notice(["Nothing is catalogued yet.", "Press 1, choose a folder, press s. [/]"])
        await app.table.show(ListedFiles([]))
        await pilot.pause()
        text = "\n".join(shown_lines(app.table))
        assert "Press 1, choose a folder, press s. [/]" in text
        assert await app.table.renew(ListedFiles([make_row(1)]))
        await pilot.pause()
        assert "Press 1" not in "\n".join(shown_lines(app.table))


async def test_rows_that_cannot_be_read_are_said_and_tried_again(wait_until: Callable[..., Any]) -> None:
    class BrokenFiles(CountlessFiles):
        broken = True

        async def page(self, offset: int, limit: int) -> Sequence[FileRow]:
            if offset and self.broken:
                raise LibraryError("the library cannot be read")
            return await super().page(offset, limit)

    app, view = TableApp(), BrokenFiles(MILLION)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(view)
        await pilot.press("end")
        await wait_until(lambda: app.heard)
        assert isinstance(app.heard[0], FileTable.ReadFailed)
        view.broken = False
        await pilot.press("up")
        await rows_are_here(pilot, app.table)
        assert app.table.cursor_row == make_row(MILLION - 2)


async def test_an_older_list_never_overwrites_a_newer_one() -> None:
    app = TableApp()
    slow: FileView = ListedFiles([make_row(number) for number in range(200)], delay_s=0.02)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        first = asyncio.create_task(app.table.show(slow))
        await asyncio.sleep(0.03)  # the first page of the slow list is here, its count is not
        await app.table.show(ListedFiles([make_row(7)]))
        await first
        await pilot.pause()
        assert app.table.row_count() == 1
        assert app.table.cursor_row == make_row(7)


async def test_a_renewal_gives_way_to_another_list_and_to_a_hurried_user(
    wait_until: Callable[..., Any],
) -> None:
    class MovingFiles(ListedFiles):
        async def count(self) -> int:
            app.table.move("down")
            return await super().count()

    app = TableApp()
    rows = [make_row(number) for number in range(60)]
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(ListedFiles(rows))
        await pilot.press("down")
        assert not await app.table.renew(MovingFiles(rows[::-1]))
        assert app.table.cursor_row == make_row(app.table.cursor), "the list is as it was"
        gated = GatedFiles(rows[::-1], "count")
        renewal = asyncio.create_task(app.table.renew(gated))
        await asyncio.sleep(0)
        await app.table.show(ListedFiles([make_row(7)]))
        gated.gate.set()
        assert not await renewal
        assert app.table.row_count() == 1


async def test_the_first_rows_do_not_wait_for_their_number(wait_until: Callable[..., Any]) -> None:
    app = TableApp()
    gated = GatedFiles([make_row(number) for number in range(500)], "count")
    async with app.run_test(size=(80, 24), notifications=True):
        showing = asyncio.create_task(app.table.show(gated))
        await wait_until(lambda: "IMG_0000000" in shown_lines(app.table)[1])
        assert app.table.row_count() == PAGE_ROWS
        gated.gate.set()
        await showing
        assert app.table.row_count() == 500


async def test_other_columns_and_dates_show_at_once() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await app.table.show(ListedFiles([make_row(1)]))
        app.table.set_columns(["taken", "name"], "%d.%m.%Y")
        await pilot.pause()
        assert shown_lines(app.table)[1].split() == ["▸", "03.07.2019", "IMG_0000001.CR2"]
