"""Makes what the documents show of the program: screenshots of each screen, the table of keys, the query fields.

    .venv/bin/python docs/make_documents.py

The screenshots are of the demonstration library, drawn by the program itself.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "benchmarks")]

from photos import make_photos

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    from tui.app import YapmoApp

SIZE = (110, 32)


async def draw(home: str) -> None:
    """Draw every screen of the application on the demonstration library."""
    from tui.app import YapmoApp
    from tui.config import default_config
    from tui.library.database import Library
    from tui.log import set_up_logging
    from tui.operations.demo import make_demo
    from tui.scan.service import ScanService
    from tui.screens.session import Session

    folder = os.fsencode(os.path.join(home, "pictures"))
    make_demo(folder)
    make_photos(600, os.path.join(home, "pictures", "Photos", "2012"))
    config = default_config()
    log = set_up_logging(replace(config.logging, file=False))
    async with await Library.open(os.path.join(home, "library.yapmo")) as library:
        service = ScanService(library, config)

        async def open_session() -> Session:
            return Session(config, library, service, log)

        app = YapmoApp(config, open_session, folder)
        async with app.run_test(size=SIZE) as pilot:
            for name, steps in SCREENS.items():
                await steps(pilot)
                await settle(pilot)
                svg = app.export_screenshot(title=f"YAPMO: {name}")
                with open(os.path.join(HERE, "screenshots", f"{name}.svg"), "w", encoding="utf-8") as file:
                    file.write(svg)
        await service.close()


async def settle(pilot: Pilot[YapmoApp]) -> None:
    """Wait until what the screen asked the library for has come."""
    for _ in range(8):
        await pilot.pause(0.1)


def keys(*names: str) -> Callable[[Pilot[YapmoApp]], Awaitable[None]]:
    """Return a step that presses keys, with a pause after each."""

    async def press(pilot: Pilot[YapmoApp]) -> None:
        for name in names:
            await pilot.press(name)
            await pilot.pause(0.15)

    return press


async def until_half_read(pilot: Pilot[YapmoApp]) -> None:
    """Show Progress while a scan is in the middle of the metadata."""
    while not pilot.app.is_open:
        await pilot.pause(0.05)
    await pilot.press("3")
    for _ in range(600):
        snapshot = pilot.app.session.snapshot
        if snapshot is not None and snapshot.counters.metadata_done > 250:
            return
        await pilot.pause(0.05)


async def until_over(pilot: Pilot[YapmoApp]) -> None:
    """Wait for the end of the scan, then show the library."""
    await pilot.app.session.engine.wait()
    await pilot.press("2")


SCREENS = {
    "progress": until_half_read,
    "library": until_over,
    "details": keys("end", "pageup", "enter"),
    "search": keys("escape", "slash", *"lisbon", "space", *"kind", "colon", *"image"),
    "browse": keys("escape", "escape", "1"),
    "problems": keys("5"),
    "log": keys("2", "l"),
    "help": keys("l", "question_mark"),
}


def write_tables() -> None:
    """Write the tables of keys and of query fields from the registries that the program uses."""
    from tui.actions import markdown_table
    from tui.library.query_fields import FIELDS

    with open(os.path.join(HERE, "keys.md"), "w", encoding="utf-8") as file:
        file.write(
            "# Keys\n\nMade from `tui/actions.py` by `docs/make_documents.py`. `[interface.keys]` in the configuration\n"
        )
        file.write("changes a key by the name in the last column.\n\n" + markdown_table())
    rows = [
        f"| `{field.name}`{''.join(f' `{alias}`' for alias in field.aliases)} | {field.help} | `{field.example}` |"
        for field in FIELDS
    ]
    with open(os.path.join(HERE, "query.md"), "w", encoding="utf-8") as file:
        file.write(
            QUERY_INTRODUCTION
            + "| field | what it is | example |\n|---|---|---|\n"
            + "\n".join(rows).replace("||", "")
            + "\n"
        )


QUERY_INTRODUCTION = """# The query language

The same text works in the search box and in `yapmo search`. Terms are joined by *and*.

- Bare words are looked for in names, folders, titles, descriptions, keywords, people, places, cameras, lenses, artists and
  albums; each is the beginning of a word: `bea` finds *beach*. `"two words"` in quotes stand together.
- `field:value` asks one field; `-` before a term turns it round: `-kind:raw`.
- Numbers, sizes, durations and dates compare: `iso>800`, `size>=20MB`, `dur<30s`, `taken:2019..2021-06`.
- `sort:taken` sorts, `sort:taken-` the other way round.

A mistake is named with its place and with what was expected. The table is made from `tui/library/query_fields.py` by
`docs/make_documents.py`.

"""


def main() -> None:
    """Run from the command line."""
    write_tables()
    os.environ["TZ"] = "UTC"
    home = "/srv/media"  # a short path that looks like a real one; it must not be there yet
    os.makedirs(home)
    try:
        asyncio.run(draw(home))
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
