"""A few frozen pictures of the main screens, on frozen data: what nobody meant to change stays as it is.

After a change that was meant: `pytest tests/screens/test_snapshots.py --snapshot-update`, and look at the pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pytest_textual_snapshot import SVGImageExtension

from tests.screens.filled_library import MadeFile, fill, photos
from tests.screens.scripted_engine import screen_text
from tests.screens.scripted_engine import snapshot as scan_snapshot
from tui.records import Kind
from tui.scan.subfolders import FolderListing

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from syrupy.assertion import SnapshotAssertion
    from textual.pilot import Pilot

    from tests.screens.conftest import OpenApp
    from tests.screens.scripted_engine import ScriptedEngine
    from tui.library.database import Library

    Wait = Callable[..., Any]

SMALL, LARGE = (80, 24), (120, 40)

CAMERA = {"make": "Canon", "model": "Canon EOS 5D Mark IV", "width": 6720, "height": 4480, "rating": 4}
FILES = [
    *photos(12),
    MadeFile(b"2019/07 Lisbon/IMG_0412.CR2", "2019-07-03T18:22:11", Kind.RAW, 31_204_117, metadata=CAMERA),
    MadeFile(b"2019/07 Lisbon/VID_0099.MOV", "2019-07-03T18:30:00", Kind.VIDEO, 812_000_000,
             metadata={"duration_ms": 3_723_000, "codec": "hevc"}),
    MadeFile("2020/海 sunset.jpg".encode(), "2020-01-31T23:59:59"),
    MadeFile(b"2020/not yet read.jpg", None),
    MadeFile(b"bad/[/]\x1b[31m.jpg", error="File format error"),
    MadeFile(b"bad/hung.mov", kind=Kind.VIDEO, error="timed out after 120 s"),
]  # fmt: skip

FOLDERS = {
    b"/": (b"home", b"media", b"srv"),
    b"/srv": (b"media", b"www"),
    b"/srv/media": (b".trash", b"2019", b"2020", b"bad"),
}


def read_frozen(path: bytes, deliver: Callable[[FolderListing], object], stop: threading.Event) -> None:
    """Stand in for the disk of the machine."""
    names = FOLDERS.get(path, ())
    plain = tuple(name for name in names if not name.startswith(b"."))
    deliver(FolderListing(path, names, plain, frozenset(), is_complete=True))


async def settled(pilot: Pilot[int], wait_until: Wait, *shown: str) -> str:
    """Return the picture once it shows all of `shown` and does not change any more."""
    await wait_until(lambda: all(text in screen_text(pilot.app) for text in shown))
    before = ""
    while (picture := pilot.app.export_screenshot()) != before:
        before = picture
        await pilot.pause(0.1)
    return picture


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """The stored picture of the test."""
    return snapshot.use_extension(SVGImageExtension)


async def test_browse(
    open_app: OpenApp,
    library: Library,
    wait_until: Wait,
    picture: SnapshotAssertion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.widgets.folder_tree.read_in_thread", read_frozen)
    await fill(library, FILES)
    async with open_app("browse", size=SMALL, theme="textual-dark") as pilot:
        assert (
            await settled(pilot, wait_until, "18 files in the library", "14 files", "18 files ─") == picture
        )


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_library(
    open_app: OpenApp, library: Library, wait_until: Wait, picture: SnapshotAssertion, size: tuple[int, int]
) -> None:
    await fill(library, FILES)
    async with open_app("library", size=size, theme="textual-dark") as pilot:
        assert await settled(pilot, wait_until, "▸  海 sunset.jpg", "18 files ─") == picture


async def test_details(
    open_app: OpenApp, library: Library, wait_until: Wait, picture: SnapshotAssertion
) -> None:
    await fill(library, FILES)
    async with open_app("library", size=LARGE, theme="textual-dark") as pilot:
        await wait_until(lambda: "▸  海 sunset.jpg" in screen_text(pilot.app))
        await pilot.press("down", "down", "enter")
        assert await settled(pilot, wait_until, "Canon EOS 5D Mark IV", "18 files ─") == picture


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_progress(
    open_app: OpenApp,
    engine: ScriptedEngine,
    wait_until: Wait,
    picture: SnapshotAssertion,
    size: tuple[int, int],
) -> None:
    engine.running, engine.shown = True, scan_snapshot()
    async with open_app("progress", size=size, theme="textual-dark") as pilot:
        assert await settled(pilot, wait_until, "ETA 8:41", "a abort", "0 files ─") == picture


async def test_problems(
    open_app: OpenApp, library: Library, wait_until: Wait, picture: SnapshotAssertion
) -> None:
    await fill(library, FILES)
    async with open_app("problems", size=SMALL, theme="textual-dark") as pilot:
        assert await settled(pilot, wait_until, "timed out after 120 s", "18 files ─") == picture


async def test_help(open_app: OpenApp, wait_until: Wait, picture: SnapshotAssertion) -> None:
    async with open_app("problems", size=SMALL, theme="textual-dark") as pilot:
        await settled(pilot, wait_until, "No problems.", "0 files ─")
        await pilot.press("question_mark")
        assert await settled(pilot, wait_until, "Try all files that are listed again.") == picture
