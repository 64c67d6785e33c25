"""Makes what the documents show of the program: tables of keys, commands, exit codes and query fields; screenshots.

    .venv/bin/python docs/make_documents.py            everything
    .venv/bin/python docs/make_documents.py --tables   only the tables, at once

The tables are made from the registries that the program uses; in README.md they stand between `<!-- name -->` and
`<!-- /name -->`. The screenshots are of the demonstration library, drawn by the program itself.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
sys.path.insert(0, TOP)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from textual.pilot import Pilot

    from tui.app import YapmoApp

SIZE = (110, 32)


async def draw(home: str) -> None:
    """Draw every screen of the application on the demonstration library."""
    sys.path.insert(1, os.path.join(TOP, "benchmarks"))
    from photos import make_photos

    from tui.app import YapmoApp
    from tui.config import default_config
    from tui.library.database import Library
    from tui.log import set_up_logging
    from tui.operations.demo import make_demo
    from tui.scan.service import ScanService
    from tui.screens.session import ScreenSession

    folder = os.fsencode(os.path.join(home, "pictures"))
    make_demo(folder)
    make_photos(600, os.path.join(home, "pictures", "Photos", "2012"))
    config = default_config()
    log = set_up_logging(replace(config.logging, file=False))
    async with await Library.open(os.path.join(home, "library.yapmo")) as library:
        service = ScanService(library, config)

        async def open_session() -> ScreenSession:
            return ScreenSession(config, library, service, log)

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
    "statistics": keys("6"),
    "log": keys("2", "l"),
    "help": keys("l", "question_mark"),
}


QUERY_INTRODUCTION = """# The query language

The same text works in the search box, in `yapmo search` and in saved queries.

- Bare words are looked for in names, folders, titles, descriptions, keywords, people, places, cameras, lenses, artists and
  albums; each is the beginning of a word: `bea` finds *beach*. `"two words"` in quotes stand together.
- `field:value` asks one field, `field:one,two` for any of several values.
- Terms with a blank between must all hold. `or`, in capitals or not, is weaker: `beach sun or forest` is (beach and sun) or
  forest. Parentheses are stronger: `beach (sun or rain)`. `"or"` in quotes is a word.
- `-` before a term or a parenthesis turns it round: `-kind:raw`, `-(draft or rating<2)`. What is not known does not hold, so
  that `-iso>800` finds files without ISO as well.
- Numbers, sizes, durations and dates compare: `iso>800`, `size>=20MB`, `dur<30s`, `taken:2019..2021-06`, `iso:..400`.
- Upper and lower case are the same, and so are `é` in one sign or in two, as a Mac writes it. A text with other letters than
  those of ASCII is compared file by file, without an index: `name:übung` takes some seconds among a million files, the word
  `übung` does not. Tags and collections are found through an index whatever their letters; `tag:strasse` finds `Straße`.
- `sort:taken` sorts, `sort:taken-` the other way round; it stands outside of parentheses.
- Missing files appear only where a term speaks of them (`missing:`, `state:`, `lost:`), and then in the whole query.

| values | how they are written |
| --- | --- |
| sizes | `500kB` `20MB` `1.5GB` `2TB`, `64KiB` `4MiB`, or bytes |
| durations | `250ms` `30s` `5min` `1h` `2d`, `4:33`, `1:02:03`, or seconds |
| dates | `2019`, `2019-07`, `2019-07-03`, `2019-07-03T18:22`; each is a period: `taken:2019-07` is that month, `taken>2019` begins in 2020 |
| ranges | `A..B`, `A..` and `..B`; both ends belong to it. One that ends before it begins is a mistake |
| days by name | `today` `yesterday` `this-week` `this-month` `this-year` `last-week` `last-month` `last-year`; weeks begin on Monday |
| the last … | `last-24h`, and `last-30d` `last-2w` `last-6m` `last-1y`, of which today is the last day; `modified<last-1y` is older than that |
| text | a part of it; `*` and `?` make it a pattern for the whole; `=` asks for the whole |

A query that is kept by a name (`yapmo search --save NAME QUERY`, ctrl+s in the application) is a term like any other: `@NAME`,
`@"two words"`. Its order holds unless another is given. It cannot ask for itself. `collection:NAME` is the same.

The search box shows how the query may go on: `→` takes it, Tab goes through what fits. The shell does so behind Tab
after `yapmo --install-completion`. A mistake is named with its place and with what was expected.

A query becomes one SQL statement, or two: the files that have a value to sort by, then those that have none. Before, a few
short ones count up to a limit how many files each way to the answer would look at. What people write is always handed over
as a parameter, never written into a statement.

The table is made from `tui/library/query_fields.py`, which the parser uses, by `docs/make_documents.py`.

"""

README = os.path.join(TOP, "README.md")

README_KEYS = (
    "show_browse", "show_library", "show_progress", "show_problems", "scan", "abort", "pause", "more_workers", "fewer_workers",
    "open_search", "open_details", "go_back", "sort_left", "sort_right", "reverse_order", "copy_path", "log", "help",
    "palette", "quit",
)  # fmt: skip
"""The actions that README names; the rest is in keys.md."""


def documents() -> dict[str, str]:
    """Return the path and the text of every document that holds tables, as the program is now."""
    with open(README, encoding="utf-8") as file:
        readme = file.read()
    for name, table in (
        ("keys", readme_keys()),
        ("commands", commands_table()),
        ("exit codes", exit_codes_table()),
    ):
        readme = with_table(readme, name, table)
    return {
        README: readme,
        os.path.join(HERE, "keys.md"): keys_page(),
        os.path.join(HERE, "query.md"): query_page(),
    }


def with_table(text: str, name: str, table: str) -> str:
    """Return `text` with `table` between the marks of `name`; ValueError where they are missing."""
    before, opening, rest = text.partition(f"<!-- {name} -->\n")
    _, closing, after = rest.partition(f"<!-- /{name} -->\n")
    if not (opening and closing):
        raise ValueError(f"README.md has no place for the table of {name}")
    return f"{before}{opening}{table}{closing}{after}"


def markdown(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; `|` in a cell does not end it."""
    titles = list(titles)
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def readme_keys() -> str:
    """Return the keys that README names."""
    from tui.actions import BY_ID, key_name

    rows = []
    for action in (BY_ID[name] for name in README_KEYS):
        signs = " ".join(f"`{key_name(key)}`" for key in action.keys.split(","))
        screen = f"{action.label}: " if action.id.startswith("show_") else ""
        rows.append((signs, f"{screen}{action.help}"))
    return markdown(("key", "what it does"), rows)


def commands_table() -> str:
    """Return every command with what its help says first, and the options that it alone has."""
    rows = [("`yapmo [PATH]`", "The application; a PATH that is new is scanned at once.", "")]
    for words, command in commands():
        options = [option for option in command.params if option.param_type_name == "option"]
        shared = {"--json", "--library", "--config", "--help"}
        own = [option.opts[0] for option in options if not shared.intersection(option.opts)]
        wanted = [option for option in command.params if option.param_type_name == "argument"]
        arguments = "".join(
            f" {option.metavar}" if option.required else f" [{option.metavar}]" for option in wanted
        )
        first = (command.help or "").split("\n")[0]
        rows.append((f"`yapmo {words}{arguments}`", first, " ".join(f"`{name}`" for name in own)))
    return markdown(("command", "what it does", "its own options"), rows)


def commands() -> Iterator[tuple[str, Any]]:
    """Yield the words and the definition of every command, in the order of the help."""
    from typer.main import get_command

    from tui.cli import app

    for name, command in get_command(app).commands.items():
        if command.hidden:
            continue
        yield name, command
        for inner, subcommand in getattr(command, "commands", {}).items():
            yield f"{name} {inner}", subcommand


def exit_codes_table() -> str:
    """Return what each exit code means."""
    from tui.commands.frame import EXIT_CODES

    return markdown(("code", "meaning"), ((str(code), meaning) for code, meaning in EXIT_CODES.items()))


def keys_page() -> str:
    """Return the page of all keys."""
    from tui.actions import markdown_table

    return (
        "# Keys\n\nMade from `tui/actions.py` by `docs/make_documents.py`. `[interface.keys]` in the configuration\n"
        "changes a key by the name in the last column.\n\n" + markdown_table()
    )


def query_page() -> str:
    """Return the page of the query language."""
    from tui.library.query_fields import FIELDS

    rows = (
        (" ".join(f"`{name}`" for name in (field.name, *field.aliases)), field.help, f"`{field.example}`")
        for field in FIELDS
    )
    return QUERY_INTRODUCTION + markdown(("field", "what it is", "example"), rows)


def write_tables() -> None:
    """Bring every document with tables up to date."""
    for path, text in documents().items():
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def main() -> None:
    """Run from the command line."""
    write_tables()
    if "--tables" in sys.argv[1:]:
        return
    os.environ["TZ"] = "UTC"
    home = "/srv/media"  # a short path that looks like a real one; it must not be there yet
    os.makedirs(home)
    try:
        asyncio.run(draw(home))
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
