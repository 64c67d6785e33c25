"""The terminal: it hangs up, shrinks, floods, understands nothing or is not there; the program says so, and leaves it whole."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.media import jpeg_bytes, write_file
from tests.terminal.pseudo_terminal import PATIENCE_S
from tests.trust.conftest import WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.terminal.pseudo_terminal import PseudoTerminal
    from tests.trust.ground import Ground

SEED = 20261121
NAMES = (b"a.jpg", "Straße ☃.jpg".encode(), b"caf\xe9.jpg", "日本.jpg".encode(), b"x\x1b[31m.jpg")


def fill(ground: Ground, number: int = 0) -> None:
    """Put five hostile names and `number` plain ones into the media, and begin."""
    for seed, name in enumerate(NAMES):
        write_file(bytes(ground.media) + b"/" + name, jpeg_bytes(seed))
    contents = [jpeg_bytes(seed) for seed in range(4)]
    for index in range(number):
        write_file(
            ground.media / f"{index // 50}/IMG_{index:04}.jpg", contents[index % 4] + str(index).encode()
        )
    ground.begin()


def catalogue(ground: Ground, number: int = 0) -> None:
    """Fill the media and scan them, for a case that reads the library only: it need not be compared once more."""
    fill(ground, number)
    assert ground.scan().code == 0
    ground.library_stays_apart = True


def rest(terminal: PseudoTerminal, seconds: float = 0.3) -> None:
    """Return once nothing has come from the program for a while."""
    while terminal.pump(seconds):
        pass


def escape(terminal: PseudoTerminal) -> None:
    """Type Escape, and let it be heard alone: with the next key it would be another one."""
    terminal.send("escape")
    rest(terminal)


def press_until(terminal: PseudoTerminal, key: str, condition: Callable[[str], bool]) -> None:
    """Press a key again and again until the screen is as it should be: who is busy with a flood hears it late."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition(terminal.text):
        assert time.monotonic() < deadline, terminal.text
        terminal.send(key)
        patience = time.monotonic() + 2
        while not condition(terminal.text) and time.monotonic() < patience:
            terminal.pump(0.1)


def shows_keys(text: str) -> bool:
    """Tell whether the window with the keys is open."""
    return "─ Keys ─" in text


def is_at_rest(text: str) -> bool:
    """Tell whether neither a line to type into nor a window has the keys."""
    return "? help" in text and not shows_keys(text)


def wait_until(condition: Callable[[], object], terminal: PseudoTerminal | None = None) -> None:
    """Wait until something holds, taking what comes to the terminal meanwhile."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, terminal.text if terminal is not None else condition
        if terminal is not None:
            terminal.pump(0.005)
        time.sleep(0.002)


# A line that drops, and Ctrl-C


def loaded(pid: int, module: str) -> bool:
    """Tell whether a process has loaded a compiled module of Python by now, or has ended."""
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
            return module in file.read()
    except OSError:
        return True


@pytest.mark.parametrize("module", ["_asyncio", "_sqlite3"] if WHOLE else ["_sqlite3"])
def test_ctrl_c_while_a_command_starts(ground: Ground, module: str) -> None:
    fill(ground)
    process = ground.start("scan", str(ground.media))
    wait_until(lambda: process.poll() is not None or loaded(process.pid, module))
    for _ in range(2):
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    ground.note_output("interrupted scan", stdout + stderr)
    assert process.returncode == 3, stderr
    assert ground.scan().code == 0


def test_ctrl_c_while_the_application_starts_and_while_it_closes(ground: Ground) -> None:
    fill(ground, 60)
    starting = ground.terminal(str(ground.media))
    wait_until(lambda: b"\x1b[?1049h" in starting.received, starting)
    starting.send("ctrl+c", "ctrl+c")
    assert starting.wait_end() in (0, 3)  # 3 where the scan had begun
    assert starting.is_restored
    closing = ground.terminal(str(ground.media))
    closing.wait_for("Library")
    closing.send("s", "q", "ctrl+c", "ctrl+c", "ctrl+c")
    assert closing.wait_end() in (0, 3)
    assert closing.is_restored
    assert ground.scan().code == 0


def test_a_line_that_drops_while_nobody_scans(ground: Ground) -> None:
    catalogue(ground)
    for keys in ("", "?", "/kind:im") if WHOLE else ("?",):
        terminal = ground.terminal()
        terminal.wait_for("a.jpg")
        terminal.send(*keys)
        terminal.hang_up()
        assert terminal.process.wait(PATIENCE_S) == 0, keys


# Sizes


LEAST_COLUMNS, LEAST_ROWS = (1, 1) if WHOLE else (20, 5)
"""The smallest terminal of a storm. Down to 1×1 the screen of two storms in eight stayed empty, for a reason not yet found."""


def test_a_storm_of_sizes_while_a_scan_runs(ground: Ground) -> None:
    fill(ground, 100)
    chance = random.Random(SEED)
    terminal = ground.terminal(str(ground.media), columns=80, rows=24)
    terminal.wait_for("Library")
    for number in range(2_000 if WHOLE else 300):
        if number % 40 == 0:
            terminal.send("123"[number // 40 % 3])
        columns, rows = chance.randint(LEAST_COLUMNS, 250), chance.randint(LEAST_ROWS, 80)
        terminal.resize(columns, rows)
        terminal.pump(0)
    terminal.resize(80, 24)
    rest(terminal)
    terminal.send("3")
    terminal.wait_for("┤ 3 Progress ├")
    terminal.wait_for("scan completed")
    terminal.send("2")
    terminal.wait_for("IMG_0")
    terminal.send("q")
    assert terminal.wait_end() == 0
    assert terminal.is_restored


def test_a_terminal_of_20_columns_and_5_lines(ground: Ground) -> None:
    fill(ground)
    write_file(ground.media / "empty.jpg", b"")
    ground.failing = ground.paths([b"empty.jpg"])
    ground.begin()
    terminal = ground.terminal(str(ground.media), columns=20, rows=5)
    for key, title in (
        ("3", "3 Progress"), ("1", "1 Browse"), ("5", "5 Problems"), ("6", "6 Statistics"), ("2", "2 Library"),
    ):  # fmt: skip
        terminal.wait_for("YAPMO")
        terminal.send(key)
        terminal.wait_for(title[:9])
    terminal.wait_for("jpg")
    assert "scan" not in terminal.text, "the line about the scan leaves its place to the files"
    for keys in ("/", ":", "enter", "f", "?", "ctrl+p", "l", "5", "enter", "1", "/", "2", "s", "a", "ctrl+c"):
        terminal.send(*(keys if keys not in ("enter", "ctrl+p", "ctrl+c") else [keys]))
        rest(terminal, 0.2)
        assert terminal.text.strip(), f"nothing to be seen after {keys}"
        escape(terminal)
        assert terminal.process.poll() is None, keys
    terminal.send("2")
    terminal.wait_for("2 Lib")
    terminal.send("q")
    assert terminal.wait_end() in (0, 3)
    assert terminal.is_restored
    assert ground.scan().code == 0


# What the terminal understands


@pytest.mark.parametrize("term", ["dumb", "", "unknown"] if WHOLE else ["dumb", ""])
def test_a_terminal_that_obeys_nothing_gets_plain_lines(ground: Ground, term: str) -> None:
    fill(ground)
    application = ground.terminal(environ={"TERM": term})
    assert application.wait_end() == 2
    assert f"TERM is {term or 'not set'}" in application.text.replace("\n", " ")
    scan = ground.terminal("scan", str(ground.media), environ={"TERM": term})
    assert scan.wait_end() == 0
    search = ground.terminal("search", environ={"TERM": term})
    assert search.wait_end() == 0
    assert "Straße" in search.text.replace("\n", "")
    for terminal in (application, scan, search):
        assert b"\x1b" not in terminal.received
        assert terminal.is_restored


LOCALES: dict[str, tuple[dict[str, str], str, bytes]] = {
    "C": ({"LC_ALL": "C"}, "utf-8", "/Straße ☃.jpg".encode()),
    "POSIX": ({"LANG": "POSIX", "LC_ALL": "", "LC_CTYPE": ""}, "utf-8", "/Straße ☃.jpg".encode()),
    "ASCII": (
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        "ascii",
        b"/Stra\\xdfe \\u2603.jpg",
    ),
    "Latin-1": (
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "latin-1"},
        "latin-1",
        b"/Stra\xdfe \\u2603.jpg",
    ),
}
"""Environment by what it stands for, its encoding, and how a name looks there. Latin-1 locales are not installed
everywhere; to Python the encoding of files and that of streams are all that they are."""


@pytest.mark.parametrize("name", LOCALES if WHOLE else ["POSIX", "Latin-1"])
def test_a_locale_without_utf_8_changes_nothing_in_the_library(ground: Ground, name: str) -> None:
    environ, encoding, shown = LOCALES[name]
    fill(ground)
    environ = {**ground.environ, **environ}
    scanned = ground.run("scan", "--json", str(ground.media), env=environ)
    assert (scanned.code, scanned.objects[-1]["state"]) == (0, "completed")
    found = ground.run("search", "kind:image", env=environ)
    assert found.code == 0
    assert bytes(ground.media) + shown in found.stdout.split(b"\n")
    assert ground.run("search", "--json", "Straße", env=environ).objects[0]["path"].endswith("Straße ☃.jpg")
    assert ground.run("search", "--null", "straße", env=environ).stdout.endswith("/Straße ☃.jpg\0".encode())
    wrong = ground.run("show", "/nowhere/ß", env=environ)
    assert wrong.code == 2
    # the oracle reads UTF-8 and text; exact bytes, and what has the encoding of the locale, were looked at here
    ground.outputs = [(what, data) for what, data in ground.outputs if "--json" in what]
    terminal = ground.terminal(environ=environ)
    if encoding == "utf-8":
        terminal.wait_for("Straße")
        terminal.send("q")
        assert terminal.wait_end() == 0
    else:
        assert terminal.wait_end() == 2
        assert "UTF-8" in terminal.text
    assert terminal.is_restored


# What comes from the terminal


def flood(terminal: PseudoTerminal, data: bytes) -> None:
    """Send more than a terminal holds, as fast as the program takes it."""
    deadline = time.monotonic() + PATIENCE_S
    left = memoryview(data)
    while left:
        assert time.monotonic() < deadline, f"{len(left)} bytes were not taken:\n{terminal.text}"
        terminal.pump(0)
        if select.select([], [terminal._master], [], 0.05)[1]:
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(terminal._master, left[:4096]) :]


PLACES = {"the search box": ("2", "/"), "Go to of Browse": ("1", "/"), "a prompt": ("2", ":")}
"""Where can be typed, and the keys that lead there."""


def test_a_pasted_megabyte(ground: Ground) -> None:
    catalogue(ground)
    text = ("beach ☃ kind:image " + "x" * 40 + " ").encode() * 20_000
    plain = text[: 1_000_000 if WHOLE else 250_000]
    kinds = {"plain": plain, "marked": b"\x1b[200~" + text[:1_000_000] + b"\x1b[201~"}
    terminal = ground.terminal(columns=80, rows=24)
    terminal.wait_for("a.jpg")
    for place, keys in PLACES.items():
        for kind, data in kinds.items():
            if kind == "marked" and place != "the search box" and not WHOLE:
                continue
            terminal.send(*keys)
            rest(terminal)
            began = time.monotonic()
            flood(terminal, data)
            press_until(terminal, "escape", is_at_rest)
            press_until(terminal, "?", shows_keys)
            print(f"{kind} in {place}: {time.monotonic() - began:.1f} s")
            press_until(terminal, "escape", is_at_rest)
    terminal.send("q")
    assert terminal.wait_end() == 0
    assert terminal.is_restored


def test_a_paste_that_the_terminal_does_not_mark_is_no_command(ground: Ground) -> None:
    catalogue(ground)
    terminal = ground.terminal()
    terminal.wait_for("a.jpg")
    flood(terminal, b"q y s a\r" * 1_000)
    rest(terminal)
    assert terminal.process.poll() is None
    terminal.send("q")
    assert terminal.wait_end() == 0


def test_bytes_that_are_no_utf_8_are_typed(ground: Ground) -> None:
    catalogue(ground)
    terminal = ground.terminal()
    terminal.wait_for("a.jpg")
    os.write(terminal._master, b"/caf\xe9 \xff\xfe")
    terminal.wait_for(lambda text: "caf�" in text and "esc clear" in text)
    press_until(terminal, "escape", is_at_rest)
    terminal.send("q")
    assert terminal.wait_end() == 0


# Streams that are closed, full, or not read


def test_a_full_disk_behind_stdout(ground: Ground) -> None:
    catalogue(ground)
    commands = [["search"], ["scan", "--json", str(ground.media)], ["--version"]]
    commands += [["search", "--null"], ["stats"], ["show", "1"], ["config"], ["roots"]] if WHOLE else []
    with open("/dev/full", "wb") as full:
        for command in commands:
            outcome = ground.run(*command, stdout=full)
            assert (outcome.code, "No space left on device" in outcome.said) == (74, True), command
    assert ground.run("search", stderr=subprocess.DEVNULL).code == 0
    written = ground.log.read_text(encoding="utf-8")
    assert written.count("Traceback") == written.count(" OSError: [Errno 28]") == len(commands)
    ground.log.unlink()  # the traceback of what the system refused belongs there, and the oracle allows none


def test_a_reader_that_has_enough(ground: Ground) -> None:
    catalogue(ground, 100)
    for words in (
        (["search", "--json"], ["show", "--all", *map(str, range(1, 100))])
        if WHOLE
        else (["search", "--json"],)
    ):
        process = ground.start(*words)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        with process.stderr as stderr:
            assert stderr.read() == b"", words
        assert process.wait(PATIENCE_S) == 0, words


def _close(*descriptors: int) -> Callable[[], None]:
    def close() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    return close


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)] if WHOLE else [(0, 1, 2)])
def test_streams_that_are_closed(ground: Ground, closed: tuple[int, ...]) -> None:
    fill(ground)
    for words, code in ((["scan", str(ground.media)], 0), (["search"], 0), ([], 2)):
        outcome = ground.run(*words, preexec_fn=_close(*closed))
        assert outcome.code == code, (words, outcome)


def test_the_log_and_stdout_on_one_full_disk(ground: Ground, tmp_path: Path) -> None:
    """Nothing can be said any more, and the scan is done all the same."""
    fill(ground)
    with open("/dev/full", "wb") as full:
        process = ground.start("scan", str(ground.media), stdout=full, stderr=full)
        assert process.wait(PATIENCE_S) == 74
    assert len(ground.found()) == len(NAMES)
    assert not list(tmp_path.rglob("*core*"))
    ground.log.unlink()
