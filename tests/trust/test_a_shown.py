"""Cases 8 and 9 of section A: names and tags that act on a terminal, or would be markup, wherever people are shown them."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING, Any

import mutagen.id3
import pytest

from tests.media import encoded_bytes, jpeg_bytes, write_file
from tui.display import display

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.terminal.pseudo_terminal import PseudoTerminal
    from tests.trust.ground import Ground

ACTING = (
    "\x1b]52;c;UFdORUQ=\x07", "\x1b[2J\x1b[31m", "\x9b31m\x90q\x9c", "\u202egpj\u2066", "\x1b]0;PWNED\x07", "\x1bP+q\x1b\\",
    "\r\n\t\x7f\x85", "\x1b[c\x1b[6n", "\x1bc",
)  # fmt: skip
"""What acts on a terminal: the clipboard, erasing, colours, C1, direction, title, DCS, line breaks, questions, a reset."""

MARKUP = (
    "[@click=app.quit]x",
    "[/]",
    "[a='",
    "x[/bold]y",
    "[red]x",
    "[link='https://example.com']x[/link]",
    "\\[b]",
    "$x",
)
"""What Rich or Textual would take for markup."""

TEXTS = (*ACTING, *MARKUP)
LONGEST_IN_PANEL = 20
NO_MEDIUM = b"\0\1\2\3\4\xff\xfe\xfd no medium"
ROOT_NAME = "me[red]\x1b]0;T\x07\x9b\u202e"
STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def hostile(ground: Ground) -> Ground:
    """Return a ground with a root of a hostile name, and in it what `fill_with_what_acts` writes."""
    root = ground.folder / ROOT_NAME
    ground.media.rename(root)
    ground.media = root
    fill_with_what_acts(os.fsencode(root))
    failing = [os.fsencode(f"failing/{name}.png") for name, _ in names_of_files()]
    ground.failing = ground.paths(failing)
    ground.configure('[interface]\ncolumns = ["title"]\n')
    ground.begin()
    return ground


def test_8_and_9_what_commands_print_is_literal_in_pipes_and_on_terminals(hostile: Ground) -> None:
    ground = hostile
    assert ground.scan().code == 0
    found = ground.found()
    said = {item[field] for item in found for field in ("title", "artist", "model", "album", "genre")} - {
        None
    }
    assert said == {stored(text) for text in TEXTS}, "a tag is not what the file says"
    assert {word for item in found for word in item["keywords"]} == {stored(text) for text in TEXTS}
    ids = [str(item["id"]) for item in found]
    names = [name for name, _ in names_of_files()]
    all_stored = [stored(text) for text in TEXTS]
    check_shown(ground, ("search",), names)
    check_shown(ground, ("show", "--all", *ids), all_stored)
    check_shown(ground, ("problems",), names)
    check_shown(ground, ("stats",), all_stored)
    check_shown(ground, ("show", "/no such \x1b]52;c;eA==\x07[/]"), [])
    scan = ground.terminal("scan", "--retry-failed", str(ground.media), columns=200)
    assert scan.wait_end() == 0
    shown = ground.run("show", "--json", *ids).objects
    values = {
        value.strip() for item in shown for value in item["all_tags"].values() if isinstance(value, str)
    }
    assert set(all_stored) <= values, "a tag is not what the file says"


def check_shown(ground: Ground, command: tuple[str, ...], texts: Iterable[str]) -> None:
    """Check that a command prints `texts` as escapes, in a pipe and on a terminal, and nothing that acts."""
    piped, terminal = ground.start(*command), ground.terminal(*command, columns=200, rows=10)
    terminal.wait_end()
    stdout, stderr = piped.communicate()
    ground.note_output(f"{command[0]} in a pipe", stdout + stderr)
    on_terminal = STYLE.sub("", bytes(terminal.received).decode()).replace("\r\n", "\n")
    for where, written in (("in a pipe", stdout.decode()), ("on a terminal", on_terminal)):
        missing = [text for text in texts if display(text) not in written]
        assert not missing, f"{command[0]} does not print {where}: {missing}"
    assert all(line.isprintable() for line in on_terminal.split("\n")), f"{command[0]} on a terminal"


def test_8_and_9_the_application_shows_everything_literally_on_every_screen(hostile: Ground) -> None:
    ground = hostile
    terminal = ground.terminal(str(ground.media))
    terminal.wait_for("scan completed")
    shown = [display(stored(text)) for text in TEXTS]
    failing = [display(name) for name, _ in names_of_files()]

    see(terminal, shown)
    look_through_the_library(terminal)
    terminal.send("3")
    see(terminal, ["┤ 3 Progress", display(ROOT_NAME)])
    terminal.send("5")
    see(terminal, ["┤ 5 Problems", *failing])
    terminal.send("enter")
    see(terminal, ["esc closes", "Stage metadata"])
    leave(terminal, "esc closes")
    terminal.send("R")
    see(terminal, ["14 files again?"])
    terminal.send("n", "6")
    see(terminal, ["┤ 6 Statistics", *shown])
    terminal.send("l")
    see(terminal, ["Log: info", ".png: File format error"])  # the latest lines, all of them of hostile names
    terminal.send("l", "1")
    see(
        terminal, ["┤ 1 Browse", *(display("songs " + name) for name in ("00" + ACTING[0], "09" + MARKUP[0]))]
    )
    terminal.send("/")
    see(terminal, ["Go to /"])
    terminal.send("no[/] [@click=app.quit]x", "enter")
    see(terminal, ["There is no folder", "[@click=app.quit]x."])
    terminal.send("?")
    see(terminal, ["─ Keys ─"])
    leave(terminal, "─ Keys ─")
    terminal.send("6")
    look_for_cameras(terminal)
    ask_about_an_empty_root(ground, terminal)
    terminal.send("q")
    assert terminal.wait_end() == 0
    assert terminal.is_restored
    for text in ACTING:
        assert text.encode() not in terminal.received, f"{text!r} got to the terminal"


def look_through_the_library(terminal: PseudoTerminal) -> None:
    """Show the details of every file with tags, what may follow in the search box, and notices of what was typed."""
    terminal.send("2", "enter")
    told = [""]
    for _ in TEXTS:
        terminal.wait_for(lambda text: title_in_panel(text) not in ("", told[-1]))
        told.append(title_in_panel(terminal.text))
        terminal.send("n")
    missing = {display(stored(text)) for text in TEXTS if len(text) < LONGEST_IN_PANEL} - set(told)
    assert not missing, f"not in the details: {missing}"
    leave(terminal, "▌ Title ")
    terminal.send("/", *"folder:")
    see(terminal, [display(f"songs {number:02}{text}") for number, text in enumerate(ACTING[:2])])
    for _ in range(6):
        terminal.send("tab")
    terminal.wait_for(' / folder:"songs 0')
    terminal.send("enter", "\x13")
    see(terminal, ["Keep the query as"])
    terminal.send(*"[/] [@click=app.quit]x", "enter")
    see(terminal, ['Kept; @"[/] [@click=app.quit]x"'])
    terminal.send("\x0f")
    see(terminal, ["Name of a saved query", "[/] [@click=app.quit]x", "folder:"])
    leave(terminal, "Name of a saved query")
    terminal.send(":")
    see(terminal, ["Go to row"])
    terminal.send(*"[/]x", "enter")
    see(terminal, ["'[/]x' is no place"])


def title_in_panel(text: str) -> str:
    """Return what the details say of the title, empty without details."""
    found = re.search(r"▌ Title +(.+?) *[█│]?$", text, re.MULTILINE)
    return found[1] if found else ""


def look_for_cameras(terminal: PseudoTerminal) -> None:
    """Go from the statistics to the files of each camera: the query holds its name, control characters and all."""
    see(terminal, ["┤ 6 Statistics"])
    terminal.send("right", "right", "right")
    for _ in range(8):
        terminal.send("down", "enter")
        see(terminal, ["┤ 2 Library", ' / model="', "1 found"])
        terminal.send("6")
        see(terminal, ["┤ 6 Statistics"])


def ask_about_an_empty_root(ground: Ground, terminal: PseudoTerminal) -> None:
    """Let the root be empty for a while: the question names it."""
    aside = ground.folder / "aside"
    aside.mkdir()
    for name in os.listdir(ground.media):
        os.rename(ground.media / name, aside / name)
    terminal.send("2")  # not Browse, where the cursor is on a folder of this machine
    see(terminal, ["┤ 2 Library"])
    terminal.send("s")
    see(terminal, ["Mark the files that are gone as missing?"])
    terminal.wait_for(lambda text: display(ROOT_NAME) in "".join(text.split("│")))
    terminal.send("n")
    for name in os.listdir(aside):
        os.rename(aside / name, ground.media / name)


def leave(terminal: PseudoTerminal, words: str) -> None:
    """Close by Escape what shows `words`; keys right behind it would make another key of it."""
    terminal.send("escape")
    terminal.wait_for(lambda text: words not in text)


def see(terminal: PseudoTerminal, texts: Iterable[str]) -> None:
    """Wait until all `texts` are on the screen."""
    for text in texts:
        terminal.wait_for(text)


def stored(text: str) -> str:
    """Return a text as the library keeps it, without white space around it."""
    return text.strip()


def names_of_files() -> list[tuple[str, int]]:
    """Return the texts that can be names of files, with their numbers."""
    return [(f"{number:02}{text}", number) for number, text in enumerate(TEXTS) if "/" not in text]


def fill_with_what_acts(folder: bytes) -> None:
    """Write a picture and a song for every text, with it in the name and in all of the tags; and files that fail."""
    for number, text in enumerate((*ACTING, *MARKUP)):
        name = os.fsencode(f"{number:02}{text}")
        write_file(folder + b"/" + name + b".jpg", tagged_jpeg(number, text))
        write_file(
            folder + b"/songs " + name + b"/song" + name.replace(b"/", b"") + b".mp3", tagged_song(text)
        )
        if b"/" not in name:
            write_file(folder + b"/failing/" + name + b".png", NO_MEDIUM)


def tagged_jpeg(number: int, text: str) -> bytes:
    """Return a picture of which title, description, keywords, artist, camera and lens are `text`."""
    safe = "".join(f"&#{ord(character)};" for character in text)
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" '
        f'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Make="{safe}" tiff:Model="{safe}" aux:Lens="{safe}">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{safe}</rdf:li></rdf:Alt></dc:title>'
        f"<dc:description><rdf:Alt><rdf:li>{safe}</rdf:li></rdf:Alt></dc:description>"
        f"<dc:creator><rdf:Seq><rdf:li>{safe}</rdf:li></rdf:Seq></dc:creator>"
        f"<dc:subject><rdf:Bag><rdf:li>{safe}</rdf:li></rdf:Bag></dc:subject>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    body = b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()
    jpeg = jpeg_bytes(number, make="", model="", size=(8, 8))
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def tagged_song(text: str) -> bytes:
    """Return a song of which title, artist, album, genre and comment are `text`."""
    tags: Any = mutagen.id3.ID3()  # type: ignore[no-untyped-call]  # mutagen has no types
    frames: Any = mutagen.id3
    for name in ("TIT2", "TPE1", "TALB", "TCON"):
        tags.add(getattr(frames, name)(encoding=3, text=[text]))
    tags.add(frames.COMM(encoding=3, lang="eng", desc=text, text=[text]))
    tags.add(frames.TXXX(encoding=3, desc=text, text=[text]))
    buffer = io.BytesIO(encoded_bytes("mp3"))
    tags.save(buffer)
    return buffer.getvalue()
