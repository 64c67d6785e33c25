"""The library screen on a real library: search, order, folders, details, and a library that changes meanwhile."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from textual import events

from tests.screens.filled_library import ROOT, MadeFile, fill, photos
from tests.screens.keys import type_at_once
from tests.screens.scripted_engine import (
    FORBIDDEN,
    HOSTILE_NAMES,
    ScriptedEngine,
    everything_shown,
    screen_text,
)
from tui.display import display
from tui.errors import LibraryError
from tui.library.database import Library
from tui.records import Kind
from tui.screens.clipboard import path_to_copy
from tui.screens.library import LibraryScreen
from tui.screens.shell import FolderOpened

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from tests.screens.conftest import OpenApp

    Wait = Callable[..., Any]

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)])

MIXED = [
    MadeFile(
        b"2019/07 Lisbon/beach.jpg", "2019-07-03T18:22:11", size=3_000_000,
        metadata={"make": "Canon", "model": "Canon EOS 5D", "iso": 100, "rating": 4, "keywords": ("sea", "sun")},
        all_tags={"EXIF:Make": "Canon", "XMP:Hidden": "found only by the extractor", "EXIF:List": ["a", "b"]},
    ),
    MadeFile(b"2019/07 Lisbon/night.jpg", "2019-07-04T01:00:00", size=9_000_000, metadata={"iso": 6400}),
    MadeFile(b"2020/tram.mp4", "2020-01-01T10:00:00", Kind.VIDEO, 50_000_000, metadata={"duration_ms": 61_000}),
    MadeFile(b"2020/broken.jpg", None, size=5, error="the file is truncated"),
    MadeFile(b"2020/waiting.jpg", None, size=7),
]  # fmt: skip


def library_screen(pilot: Pilot[int]) -> LibraryScreen:
    screen = pilot.app.screen
    assert isinstance(screen, LibraryScreen)
    return screen


def shown_names(pilot: Pilot[int]) -> list[str]:
    """Return the names in the table, from the top; the one under the cursor begins with ▸."""
    table = library_screen(pilot).table
    lines = [table.render_line(y).text for y in range(1, table.size.height)]
    return [(line[0] + line[3:]).split("  ")[0].strip() for line in lines if line[3:].strip(" │█")]


async def type_query(pilot: Pilot[int], query: str) -> None:
    await pilot.press("slash", *query)


@SIZES
async def test_all_files_are_shown_the_newest_first(
    open_app: OpenApp, library: Library, wait_until: Wait, size: tuple[int, int]
) -> None:
    await fill(library, MIXED)
    async with open_app("library", size=size) as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        assert shown_names(pilot)[:3] == ["▸tram.mp4", "night.jpg", "beach.jpg"]
        text = screen_text(pilot.app)
        assert "Taken ▼" in text
        assert "! broken.jpg" in text
        assert "… waiting.jpg" in text
        assert "50.0 MB" in text
        assert "1:01" in text
        assert "5 files" in text


@SIZES
async def test_typing_searches_and_escape_shows_all_again(
    open_app: OpenApp, library: Library, wait_until: Wait, size: tuple[int, int]
) -> None:
    await fill(library, MIXED)
    async with open_app("library", size=size) as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        await type_query(pilot, "kind:image iso>800")
        await wait_until(lambda: shown_names(pilot) == ["▸night.jpg"])
        await wait_until(lambda: "1 found" in screen_text(pilot.app))
        await pilot.press("enter")
        await wait_until(lambda: library_screen(pilot).table.has_focus)
        await pilot.press("escape")
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        await wait_until(lambda: "found" not in screen_text(pilot.app))
        await type_query(pilot, "nothing at all")
        await wait_until(lambda: "No file matches." in screen_text(pilot.app))
        await pilot.press("escape")
        await wait_until(lambda: len(shown_names(pilot)) == 5)


async def test_a_mistake_is_shown_at_its_place_and_the_table_stays(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    await fill(library, MIXED)
    async with open_app("library") as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        await type_query(pilot, "kind:image")
        await wait_until(lambda: len(shown_names(pilot)) == 4)
        type_at_once(
            pilot.app, "space", *"iso>many"
        )  # of letters typed one by one some make queries of their own
        await wait_until(lambda: "▲" in screen_text(pilot.app))
        lines = screen_text(pilot.app).split("\n")
        assert lines[2].index("▲") == lines[1].index("many")
        assert "expected" in lines[2]
        assert len(shown_names(pilot)) == 4, "what was found for the part before the mistake stays"
        await pilot.press(*["backspace"] * 4, *"800")
        await wait_until(lambda: shown_names(pilot) == ["▸night.jpg"])
        await wait_until(lambda: "expected" not in screen_text(pilot.app))


async def test_the_last_query_wins_however_fast_one_types(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    await fill(library, photos(300))
    async with open_app("library") as pilot:
        await wait_until(lambda: len(shown_names(pilot)) > 20)
        screen = library_screen(pilot)
        for query in ("IMG", "IMG_00", "IMG_0001", "img_02", "img_0299"):
            screen.box.replace_text(query)
            await asyncio.sleep(0.001)
        await wait_until(lambda: shown_names(pilot) == ["▸IMG_0299.JPG"])
        await pilot.pause(0.3)
        assert shown_names(pilot) == ["▸IMG_0299.JPG"]


async def test_the_order_is_chosen_by_keys(open_app: OpenApp, library: Library, wait_until: Wait) -> None:
    await fill(library, MIXED)
    async with open_app("library") as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        await pilot.press("less_than_sign")
        await wait_until(lambda: shown_names(pilot)[0] == "▸beach.jpg")
        assert "Name ▲" in screen_text(pilot.app)
        await pilot.press("o")
        await wait_until(lambda: shown_names(pilot)[0] == "▸waiting.jpg")
        assert "Name ▼" in screen_text(pilot.app)
        await type_query(pilot, "sort:size-")
        await wait_until(lambda: shown_names(pilot)[0] == "▸tram.mp4")
        assert "Size ▼" in screen_text(pilot.app)
        await pilot.press("enter", "o")
        await wait_until(lambda: shown_names(pilot)[0] == "▸broken.jpg")
        assert library_screen(pilot).box.text == "", "a key takes the order over from the query"
        await pilot.press("greater_than_sign")
        await wait_until(lambda: "★ ▼" in screen_text(pilot.app))
        assert shown_names(pilot)[0] == "▸beach.jpg"


async def test_folders_limit_the_table(open_app: OpenApp, library: Library, wait_until: Wait) -> None:
    await fill(library, MIXED)
    async with open_app("library", size=(120, 40)) as pilot:
        await wait_until(lambda: "/srv/media" in screen_text(pilot.app))
        screen = library_screen(pilot)
        await pilot.press("f", "down", "right")
        await wait_until(lambda: "▸ 2020" in screen_text(pilot.app))
        assert "▸ 2019" in screen_text(pilot.app)
        await pilot.press("down", "down", "enter")
        await wait_until(lambda: len(shown_names(pilot)) == 3)
        assert shown_names(pilot)[0] == "▸tram.mp4"
        assert screen.table.has_focus
        await wait_until(lambda: "in /srv/media/2020" in screen_text(pilot.app))
        await wait_until(lambda: "3 found" in screen_text(pilot.app))
        assert screen.scan_targets() == (b"/srv/media/2020",)
        await type_query(pilot, "kind:video")
        await wait_until(lambda: shown_names(pilot) == ["▸tram.mp4"])
        await pilot.press("escape", "escape", "escape")
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        assert screen.scan_targets() == ()
        await pilot.press("f", "left", "f")
        await wait_until(lambda: not screen.sidebar.display and screen.table.has_focus)


async def test_folders_lie_over_a_narrow_table(open_app: OpenApp, library: Library, wait_until: Wait) -> None:
    await fill(library, MIXED)
    async with open_app("library", size=(80, 24)) as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        assert "All files" not in screen_text(pilot.app)
        await pilot.press("f")
        await wait_until(lambda: "▸ /srv/media" in screen_text(pilot.app))
        assert library_screen(pilot).scan_targets() == ()
        await pilot.press("escape")
        await pilot.pause()
        assert "All files" not in screen_text(pilot.app)
        await pilot.press("f", "down", "enter")
        await wait_until(lambda: "5 found" in screen_text(pilot.app))
        assert "All files" not in screen_text(pilot.app)


async def test_a_folder_from_browse_is_shown(open_app: OpenApp, library: Library, wait_until: Wait) -> None:
    await fill(library, MIXED)
    async with open_app("library") as pilot:
        await type_query(pilot, "tram")
        await wait_until(lambda: shown_names(pilot) == ["▸tram.mp4"])
        pilot.app.post_message(FolderOpened(ROOT + b"/2019"))
        await wait_until(lambda: shown_names(pilot) == ["▸night.jpg", "beach.jpg"])
        pilot.app.post_message(FolderOpened(b"/elsewhere/\x1b[31m"))
        await wait_until(lambda: "no files below" in screen_text(pilot.app))
        assert r"/elsewhere/\x1b[31m" in screen_text(pilot.app)


async def test_details_beside_the_table_follow_the_cursor(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    await fill(library, MIXED)
    async with open_app("library", size=(120, 40), columns=("name", "size")) as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        screen = library_screen(pilot)
        await pilot.press("down", "down", "enter")
        await wait_until(lambda: "found only by the extractor" in screen_text(pilot.app))
        text = screen_text(pilot.app)
        for fact in (
            "Canon EOS 5D",
            "sea, sun",
            "★★★★",
            "2019-07-03 18:22:11",
            "3.0 MB (3,000,000 bytes)",
            "Hidden",
        ):
            assert fact in text
        assert screen.table.has_focus
        await pilot.press("down")
        await wait_until(lambda: "not read yet" in screen_text(pilot.app))
        await pilot.press("enter")
        assert screen.panel.has_focus
        await pilot.press("n")
        await wait_until(lambda: "the file is truncated" in screen_text(pilot.app))
        await pilot.press("N", "enter")
        await pilot.pause()
        assert not screen.panel.display
        assert screen.table.has_focus


async def test_details_cover_a_narrow_table(open_app: OpenApp, library: Library, wait_until: Wait) -> None:
    await fill(library, MIXED)
    async with open_app("library", size=(80, 24)) as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        await pilot.press("end", "enter")
        await wait_until(lambda: "the file is truncated" in screen_text(pilot.app))
        assert "Taken ▼" not in screen_text(pilot.app)
        assert library_screen(pilot).panel.has_focus
        await pilot.press("escape")
        await pilot.pause()
        assert "Taken ▼" in screen_text(pilot.app)
        assert library_screen(pilot).table.has_focus


async def test_a_file_that_goes_while_its_details_are_shown(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    await fill(library, MIXED[:1])
    async with open_app("library") as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == 1)
        await library.writer.run(lambda db: db.execute("DELETE FROM file"))
        await pilot.press("enter")
        await wait_until(lambda: "no longer in the library" in screen_text(pilot.app))


async def test_new_files_appear_and_the_cursor_stays(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    await fill(library, photos(60, first=100))
    async with open_app("library") as pilot:
        await wait_until(lambda: len(shown_names(pilot)) > 20)
        await pilot.press("down", "down", "down")
        (under_cursor,) = [name for name in shown_names(pilot) if name.startswith("▸")]
        async with await Library.open(library.path) as other_process:
            await fill(other_process, photos(100, folder=b"new", first=200))
        await wait_until(lambda: library_screen(pilot).table.row_count() == 160)
        (still_under_cursor,) = [name for name in shown_names(pilot) if name.startswith("▸")]
        assert still_under_cursor == under_cursor
        assert library_screen(pilot).table.cursor > 3


async def test_a_renewal_never_brings_an_older_query_back(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    await fill(library, photos(50))
    async with open_app("library") as pilot:
        await wait_until(lambda: len(shown_names(pilot)) > 20)
        for number in range(10):
            await fill(library, photos(1, folder=b"new", first=1000 + number))
            library_screen(pilot)._renew_not_before = 0
            library_screen(pilot)._renew_if_due()
            library_screen(pilot).box.replace_text(f"img_{1000 + number}")
            await wait_until(lambda number=number: shown_names(pilot) == [f"▸IMG_{1000 + number}.JPG"])


async def test_an_unchanged_library_is_not_read_again(
    open_app: OpenApp, library: Library, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(library, photos(50))
    async with open_app("library") as pilot:
        await wait_until(lambda: len(shown_names(pilot)) > 20)
        seen: list[str] = []
        data_version, open_view = library.reader.data_version, library.reader.open_view

        async def look() -> int:
            seen.append("looked")
            return await data_version()

        async def read(query: Any) -> Any:
            seen.append("read")
            return await open_view(query)

        monkeypatch.setattr(library.reader, "data_version", look)
        monkeypatch.setattr(library.reader, "open_view", read)
        await wait_until(lambda: len(seen) > 3)
        assert set(seen) == {"looked"}


@SIZES
async def test_empty_places_say_what_to_do(
    open_app: OpenApp, engine: ScriptedEngine, wait_until: Wait, size: tuple[int, int]
) -> None:
    async with open_app("library", size=size, keys={"scan": "f9"}) as pilot:
        await wait_until(lambda: "Nothing is catalogued yet." in screen_text(pilot.app))
        assert "Press 1, choose a folder, press f9." in screen_text(pilot.app)
        engine.running = True
        library_screen(pilot).box.replace_text("x")
        library_screen(pilot).box.replace_text("")
        await wait_until(lambda: "The scan has not found a file yet." in screen_text(pilot.app))


async def test_a_running_scan_reads_first_what_the_user_looks_at(
    open_app: OpenApp, library: Library, engine: ScriptedEngine, wait_until: Wait
) -> None:
    await fill(library, MIXED)
    async with open_app("library") as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        engine.running = True
        await pilot.press("down")
        await wait_until(lambda: engine.priority == b"/srv/media/2019/07 Lisbon")


async def test_a_library_that_cannot_be_read_is_said(
    open_app: OpenApp, library: Library, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(library, MIXED)

    async def fail(*_: object) -> None:
        raise LibraryError("The library [/] is damaged", hint="Put it aside.")

    async with open_app("library") as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        monkeypatch.setattr(library.reader, "open_view", fail)
        monkeypatch.setattr(library.reader, "details", fail)
        library_screen(pilot).box.replace_text("beach")
        await wait_until(lambda: "The library [/] is damaged" in everything_shown(pilot.app))
        assert len(shown_names(pilot)) == 5
        await fill(library, photos(1))
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert pilot.app.is_running


@SIZES
async def test_hostile_files_are_shown_and_do_nothing(
    open_app: OpenApp, library: Library, wait_until: Wait, size: tuple[int, int]
) -> None:
    names = [name.replace(b"/", b"") + b".jpg" for name in HOSTILE_NAMES]
    await fill(
        library,
        [
            MadeFile(
                b"\x1b[1m[red]\xff/" + name,
                all_tags={"[/]:\x1b[31m[@click=app.quit]": "\x1b]52;c;eA==\x07[/]"},
                metadata={"title": "[@click=app.quit]\x1b[5m", "keywords": ("[/]", "\u202e")},
            )
            for name in names
        ],
    )
    async with open_app("library", size=size) as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == len(names))
        await pilot.press("f", "down", "right")
        await wait_until(lambda: r"\x1b[1m[red]\xff" in screen_text(pilot.app))
        assert FORBIDDEN.isdisjoint(everything_shown(pilot.app))
        await pilot.press("escape", "home")
        panel, table = library_screen(pilot).panel, library_screen(pilot).table
        for number in range(len(names)):
            await wait_until(lambda place=number: table.cursor == place)
            await pilot.press("enter")
            row = table.cursor_row
            assert row is not None
            title = display(row.name)[:40]
            await wait_until(lambda title=title: title in screen_text(pilot.app).split("Folder")[0])
            assert FORBIDDEN.isdisjoint(everything_shown(pilot.app))
            await pilot.click(panel, offset=(10, 4))
            type_at_once(pilot.app, "y", "escape", "down")
        assert pilot.app.is_running


async def test_the_path_is_copied(open_app: OpenApp, library: Library, wait_until: Wait) -> None:
    await fill(library, [MadeFile(b"a b/c'd.jpg", "2020-01-01T00:00:00"), MadeFile(b"x/\n\xff.jpg")])
    async with open_app("library") as pilot:
        await pilot.press("y")
        await wait_until(lambda: len(shown_names(pilot)) == 2)
        await pilot.press("home", "y")
        assert pilot.app.clipboard == "/srv/media/a b/c'd.jpg"
        await pilot.press("down", "y")
        assert pilot.app.clipboard == r"$'/srv/media/x/\x0a\xff.jpg'"
        notices = [notice.message for notice in pilot.app._notifications][-2:]
        assert ["quoted for the shell" in notice for notice in notices] == [False, True]


@pytest.mark.parametrize(
    "path", [b"/a\nrm -rf x", b"/caf\xe9 'q' \\ $HOME `id`", b"/\x1b]52;c;x\x07", "/x\u202ey".encode()]
)
def test_a_quoted_path_is_read_back_by_the_shell(path: bytes) -> None:
    word, is_quoted = path_to_copy(path)
    assert is_quoted
    assert display(word) == word
    said = subprocess.run(
        ["bash", "-c", f"printf %s {word}"], capture_output=True, check=True, env={"LC_ALL": "C"}
    )
    assert said.stdout == path


async def test_what_is_typed_ahead_goes_where_the_keys_say(
    open_app: OpenApp, library: Library, engine: ScriptedEngine, wait_until: Wait
) -> None:
    await fill(library, MIXED)
    async with open_app("library") as pilot:
        await wait_until(lambda: len(shown_names(pilot)) == 5)
        engine.running = True
        for key, character in (
            ("slash", "/"),
            ("a", "a"),
            ("slash", "/"),
            ("1", "1"),
            ("s", "s"),
            ("enter", None),
        ):
            pilot.app.post_message(events.Key(key, character))
        await wait_until(lambda: library_screen(pilot).box.text == "a/1s")
        await wait_until(lambda: library_screen(pilot).table.has_focus)
        assert engine.aborts == 0


async def test_a_folder_from_browse_is_shown_also_when_the_library_was_not_yet(
    open_app: OpenApp, library: Library, wait_until: Wait
) -> None:
    await fill(library, MIXED)
    async with open_app("browse") as pilot:
        pilot.app.post_message(FolderOpened(ROOT + b"/2019"))
        await wait_until(lambda: isinstance(pilot.app.screen, LibraryScreen))
        await wait_until(lambda: shown_names(pilot) == ["▸night.jpg", "beach.jpg"])
        await wait_until(lambda: "in /srv/media/2019" in screen_text(pilot.app))
        assert library_screen(pilot).table.has_focus
