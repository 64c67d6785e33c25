"""The folders beside the table: asked for when they are unfolded, and a cursor that keeps its folder."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from textual.app import App, ComposeResult

from tui.actions import Place, bindings
from tui.widgets.folder_sidebar import ALL_FILES, FolderSidebar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Folders:
    """Folders by the folder that they are in."""

    def __init__(self) -> None:
        self.below: dict[bytes, list[bytes]] = {
            ALL_FILES: [b"/srv/music", b"/srv/photos"],
            b"/srv/photos": [b"/srv/photos/2019", b"/srv/photos/2020", b"/srv/photos/\x1b[31m[red]\xff"],
            b"/srv/photos/2019": [b"/srv/photos/2019/07 Lisbon"],
        }
        self.asked: list[bytes] = []
        self.offline: set[bytes] = set()

    async def subfolders(self, folder: bytes) -> Mapping[bytes, int]:
        self.asked.append(folder)
        await asyncio.sleep(0)
        return {path: 10 * len(path) for path in self.below.get(folder, [])}

    async def offline_roots(self) -> frozenset[bytes]:
        return frozenset(self.offline)


class SidebarApp(App[None]):
    """A sidebar alone on the screen."""

    BINDINGS = bindings(Place.LISTS)
    CSS_PATH = "../../tui/app.tcss"

    def __init__(self) -> None:
        super().__init__()
        self.folders = Folders()
        self.sidebar = FolderSidebar(self.folders)
        self.chosen: list[bytes] = []

    def compose(self) -> ComposeResult:
        yield self.sidebar

    def on_mount(self) -> None:
        self.sidebar.focus()

    def action_move(self, step: str) -> None:
        self.sidebar.move(step)

    def on_folder_sidebar_chosen(self, message: FolderSidebar.Chosen) -> None:
        self.chosen.append(message.folder)


def shown_lines(sidebar: FolderSidebar) -> list[str]:
    """Return the rows, each run of blanks between name and number made one."""
    lines = [sidebar.render_line(y).text.rstrip() for y in range(sidebar.row_count())]
    return [re.sub(r"(?<=\S) +", " ", line) for line in lines]


async def test_folders_unfold_one_by_one(wait_until: Callable[..., Any]) -> None:
    app = SidebarApp()
    async with app.run_test(size=(30, 20), notifications=True) as pilot:
        await wait_until(lambda: app.sidebar.row_count() == 3)
        assert shown_lines(app.sidebar) == [
            "● All files 210",
            "  ▸ /srv/music 100",
            "  ▸ /srv/photos 110",
        ]
        assert app.folders.asked == [ALL_FILES], "what is folded is not asked for"
        await pilot.press("end")
        app.sidebar.unfold()
        await wait_until(lambda: app.sidebar.row_count() == 6)
        assert shown_lines(app.sidebar)[2:] == [
            "  ▾ /srv/photos 110",
            "    ▸ 2019 160",
            "    ▸ 2020 160",
            r"    ▸ \x1b[31m[red]\xff 230",
        ]
        app.sidebar.unfold()
        assert app.sidebar.folder == b"/srv/photos/2019", "what is unfolded already is entered"
        app.sidebar.fold()
        assert app.sidebar.folder == b"/srv/photos"
        app.sidebar.fold()
        assert app.sidebar.row_count() == 3
        app.sidebar.fold()
        app.sidebar.fold()
        assert app.sidebar.folder == ALL_FILES
        assert app.sidebar.row_count() == 3


async def test_a_folder_without_folders_loses_its_fold_mark(wait_until: Callable[..., Any]) -> None:
    app = SidebarApp()
    async with app.run_test(size=(30, 20), notifications=True) as pilot:
        await wait_until(lambda: app.sidebar.row_count() == 3)
        await pilot.press("down")
        app.sidebar.unfold()
        await wait_until(lambda: app.folders.asked[-1] == b"/srv/music")
        app.sidebar.fold()
        await wait_until(lambda: shown_lines(app.sidebar)[1] == "    /srv/music 100")


async def test_the_chosen_folder_is_marked(wait_until: Callable[..., Any]) -> None:
    app = SidebarApp()
    async with app.run_test(size=(30, 20), notifications=True) as pilot:
        await wait_until(lambda: app.sidebar.row_count() == 3)
        await pilot.press("down")
        app.sidebar.choose()
        await pilot.pause()
        assert app.chosen == [b"/srv/music"]
        await pilot.click(app.sidebar, offset=(6, 2), times=2)
        await pilot.pause()
        assert app.chosen == [b"/srv/music", b"/srv/photos"]
        app.sidebar.show_as_chosen(b"/srv/music")
        await pilot.pause()
        assert shown_lines(app.sidebar)[1].startswith("●")


async def test_new_folders_leave_the_cursor_where_it_is(wait_until: Callable[..., Any]) -> None:
    app = SidebarApp()
    async with app.run_test(size=(30, 20), notifications=True) as pilot:
        await wait_until(lambda: app.sidebar.row_count() == 3)
        await pilot.press("end")
        app.sidebar.unfold()
        await wait_until(lambda: app.sidebar.row_count() == 6)
        await pilot.press("down", "down")
        assert app.sidebar.folder == b"/srv/photos/2020"
        app.folders.below[ALL_FILES].insert(0, b"/mnt/new")
        app.folders.below[b"/srv/photos"].insert(0, b"/srv/photos/1999")
        app.sidebar.reread()
        await wait_until(lambda: app.sidebar.row_count() == 8)
        assert app.sidebar.folder == b"/srv/photos/2020"
        app.folders.below[b"/srv/photos"] = []
        app.sidebar.reread()
        await wait_until(lambda: app.sidebar.row_count() == 4)
        assert app.sidebar.folder in {b"/srv/photos", b"/srv/music"}


async def test_a_root_whose_disk_is_away_is_called_offline(wait_until: Callable[..., Any]) -> None:
    app = SidebarApp()
    app.folders.offline = {b"/srv/music"}
    async with app.run_test():
        await wait_until(lambda: len(shown_lines(app.sidebar)) >= 3)
        lines = shown_lines(app.sidebar)
        assert ["offline" in line for line in lines if "/srv/" in line] == [True, False]
