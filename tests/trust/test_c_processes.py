"""Section C of the threats: an ExifTool that dies, hangs, floods, lies or will not start, and a program that is killed.

The ExifTool is the fake one of tests/workers: the name of a file says how it behaves when it is asked for that file.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.media import jpeg_bytes, write_file
from tests.process_tree import MemoryWatch, command_line, descendants, is_alive
from tests.terminal.pseudo_terminal import PseudoTerminal
from tests.trust import oracle
from tests.trust.conftest import WHOLE
from tests.workers.fake_exiftool import Asked, read_notes, write_fake_exiftool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.trust.ground import Ground

MEMORY_LIMIT = 500_000_000
"""Of the program and all its children together; they take about 150 MB when nothing is wrong."""

PATIENCE_S = 60.0
LEAVING_S = 30.0
"""How long the program may take to end when it is told to. The promise is 5 s on a quiet machine; measured: 0.5."""

SHORT_TIMES = "[exiftool]\ntimeout = 1.0\n"


@dataclass(frozen=True)
class Fake:
    """A fake ExifTool and the folder in which it leaves its notes."""

    folder: Path

    def write(self, **how: Any) -> None:
        """Put one that behaves otherwise into its place."""
        write_fake_exiftool(self.folder, notes=True, **how)

    def notes(self) -> list[Asked]:
        return read_notes(self.folder)

    def asked(self) -> Counter[str]:
        """Return how often it was asked for each file, by name."""
        return Counter(note.name.decode() for note in self.notes())


def use_fake(ground: Ground, **how: Any) -> Fake:
    folder = ground.folder / "fake"
    folder.mkdir()
    fake = Fake(folder)
    fake.write(**how)
    ground.use_exiftool(folder / "exiftool")
    return fake


def fill(ground: Ground, *groups: list[str]) -> None:
    """Write files of these names, each group into a folder of its own; one folder is read after the other."""
    for number, names in enumerate(groups):
        for name in names:
            write_file(ground.media / str(number) / f"{name}.jpg", jpeg_bytes(0) + name.encode())
    ground.begin()


def expect_failures(ground: Ground, *names: str) -> None:
    ground.failing = {bytes(path) for name in names for path in ground.media.rglob(f"{name}.jpg")}
    assert len(ground.failing) == len(names)


def numbered(name: str, number: int) -> list[str]:
    return [f"{name}-{index:02}" for index in range(number)]


def check_models(ground: Ground, without: int = 0) -> None:
    """Check that every file but so many has the answer that was given for it, and no other's."""
    models = {os.path.basename(row["path"]): row["model"] for row in ground.found()}
    assert models.pop("big.jpg", "abab").startswith("abab")
    wrong = {name: model for name, model in models.items() if model not in (None, name.encode().hex())}
    assert not wrong
    assert list(models.values()).count(None) == without


def test_24_a_child_that_dies(ground: Ground) -> None:
    """Before, within and after a reply: the file is tried once more, by another child, and then fails alone."""
    fake = use_fake(ground)
    bad, once = ["die_before", "die_mid"], ["die_before-once", "die_mid-once"]
    others = [*numbered("good", 40), *numbered("die_after", 4), *numbered("good-too", 10)]
    fill(ground, [*bad, *once], others[:40], others[40:])
    expect_failures(ground, *bad)
    assert ground.scan("--strict").code == 1
    twice = {f"{name}.jpg": 2 for name in (*bad, *once)}
    assert fake.asked() == {**twice, **{f"{name}.jpg": 1 for name in others}}
    for name in twice:
        first, second = (note for note in fake.notes() if note.name.decode() == name)
        assert first.pid != second.pid
        assert second == next(note for note in fake.notes() if note.pid == second.pid), "it had read another"
    check_models(ground, without=len(bad))


def test_25_a_child_that_hangs(ground: Ground) -> None:
    """It is killed, also when it ignores SIGTERM or answers too late; then as many children read as before."""
    fake = use_fake(ground)
    ground.configure(SHORT_TIMES)
    bad = ["hang", "stubborn", "late"]
    fill(ground, [*bad, "hang-once"], [*numbered("good", 10), *numbered("meet", 30)])
    expect_failures(ground, *bad)
    assert ground.scan("--workers", "2").code == 0
    check_models(ground, without=len(bad))
    assert all("took longer than 1 s" in message for message in ground.problems().values())
    notes = fake.notes()
    killed = max(note.when_ns for note in notes if not note.name.startswith((b"good", b"meet", b"*")))
    assert any(note.when_ns > killed for note in notes if note.name == b"*together*"), "one child is left"


def test_26_a_child_that_floods_its_standard_error(ground: Ground) -> None:
    """10 MB before it is ready, with an answer, and without end: nothing stands still, and memory does not grow."""
    use_fake(ground, start="flood")
    ground.configure(SHORT_TIMES)
    fill(ground, ["endless_errors", *numbered("flood", 3)], numbered("good", 20))
    expect_failures(ground, "endless_errors")
    scan_within_memory(ground)
    check_models(ground, without=1)


def test_27_a_child_that_lies(ground: Ground) -> None:
    """Wrong marks, half answers and a gigabyte: the child is replaced, and no answer gets to another file."""
    use_fake(ground)
    ground.configure(SHORT_TIMES)
    bad = ["wrong_number", "half_json", "not_json", "swapped", "endless", "markless"]
    once = ["wrong_number-once", "half_json-once", "swapped-once"]
    fill(
        ground,
        [*bad, *once],
        [*numbered("good", 30), "babble", "big", *numbered("good-too", 10)],
    )
    expect_failures(ground, *bad)
    scan_within_memory(ground)
    check_models(ground, without=len(bad))
    messages = {os.path.basename(path): message for path, message in ground.problems().items()}
    assert messages[b"endless.jpg"] == "The answer is larger than 8000000 bytes."


def scan_within_memory(ground: Ground) -> None:
    process = ground.start("scan", "--json", str(ground.media))
    with MemoryWatch(process.pid) as watch:
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    ground.note_output("stdout", stdout)
    ground.note_output("stderr", stderr)
    assert process.returncode == 0, stderr
    assert watch.peak_bytes < MEMORY_LIMIT


@dataclass(frozen=True)
class Unusable:
    """An ExifTool that cannot be used: how it behaves (None where there is none), and what people are told of it."""

    how: dict[str, Any] | None
    says: str


UNUSABLE = [
    Unusable(None, "ExifTool is not installed."),
    Unusable({"version": "11.99"}, "ExifTool 11.99 at {program} is too old: YAPMO needs 12.40 or newer."),
    Unusable({"version": "nonsense"}, "{program} is no working ExifTool; it said: nonsense"),
    Unusable({"start": "garbage"}, "exiftool does not start. ExifTool did not tell its version at its start"),
    Unusable(
        {"start": "dead"},
        "exiftool does not start. The exiftool process died at its start: this ExifTool is broken.",
    ),
]
if WHOLE:  # takes 40 s
    UNUSABLE.append(Unusable({"start": "hang"}, "exiftool does not start. It did not answer at its start"))


def test_28_an_exiftool_that_cannot_be_used(ground: Ground) -> None:
    """Missing, old or broken: exit code 2 and a sentence; no file is blamed, and all are read once it works."""
    fill(ground, numbered("good", 10))
    fake = use_fake(ground)
    program, path = fake.folder / "exiftool", ground.environ["PATH"]
    for unusable in UNUSABLE:
        if unusable.how is None:
            program.unlink()
            ground.environ["PATH"] = str(fake.folder)
        else:
            ground.environ["PATH"] = path
            fake.write(**unusable.how)
        outcome = ground.run("scan", str(ground.media))
        assert (outcome.code, outcome.seconds < 60.0) == (2, True), outcome
        assert unusable.says.format(program=program) in outcome.said
    assert not ground.problems()
    fake.write(start="dead-thrice")  # the pool waits a little longer each time, and loses nothing
    assert ground.scan("--workers", "1").code == 0
    check_models(ground)


def test_28_an_exiftool_that_dies_with_every_file(ground: Ground) -> None:
    """Every file is named, and tried again when that is asked for."""
    fake = use_fake(ground, start="hates_files")
    names = numbered("good", 12)
    fill(ground, names)
    assert ground.scan("--strict").code == 1
    assert len(ground.problems()) == len(names)
    fake.write()
    assert ground.scan("--retry-failed").code == 0
    check_models(ground)


def start_scanning(ground: Ground, face: str, fake: Fake) -> PseudoTerminal:
    """Start a scan by the command or in the application, and return once it has read some more files."""
    before = len(fake.notes())
    if face == "command":
        terminal = ground.terminal("scan", str(ground.media))
    else:
        known = ground.library.exists()
        terminal = ground.terminal(str(ground.media))
        terminal.wait_for("Library")
        if known:  # else it begins of itself
            terminal.send("s")
    wait_until(lambda: len(fake.notes()) > before + 20, terminal)
    return terminal


def wait_until(condition: Callable[[], object], terminal: PseudoTerminal | None = None) -> float:
    """Wait until something holds, reading what comes to the terminal meanwhile; return the seconds that it took."""
    began = time.monotonic()
    while not condition():
        if terminal is not None:
            terminal.pump(0.02)
        assert time.monotonic() < began + PATIENCE_S, terminal.text if terminal else condition
        time.sleep(0.005)
    return time.monotonic() - began


@pytest.mark.parametrize("face", ["command", "application"])
def test_29_the_program_is_killed(ground: Ground, face: str) -> None:
    """Its children end with it; what was committed is not read again."""
    fake = use_fake(ground, pace_s=0.02, start="outlives")
    fill(ground, numbered("good", 99))
    terminal = start_scanning(ground, face, fake)
    wait_until(lambda: oracle.read_files(ground.library), terminal)
    children = descendants(terminal.process.pid)
    assert len(children) >= 2
    terminal.process.kill()
    seconds = wait_until(lambda: not any(map(is_alive, children)))
    print(f"children gone {seconds:.3f} s after the {face} was killed")
    check_resumed(ground, fake)


def test_29_children_that_outlive_the_program(ground: Ground) -> None:
    """Where the kernel is not told to end them with their parent, the next start does."""
    fake = use_fake(ground, pace_s=0.02, start="outlives")
    path, ground.environ["PATH"] = ground.environ["PATH"], str(fake.folder)  # without setpriv
    fill(ground, numbered("good", 60))
    process = ground.start("scan", "--workers", "2", str(ground.media))
    wait_until(lambda: len(fake.notes()) > 20)
    children = {pid for pid in descendants(process.pid) if "exiftool" in command_line(pid)}
    process.kill()
    process.communicate()
    assert len(children) == 2
    assert all(map(is_alive, children)), "there is nothing to end"
    ground.environ["PATH"] = path
    check_resumed(ground, fake)
    assert not any(map(is_alive, children))


def check_resumed(ground: Ground, fake: Fake) -> None:
    """Check that the next scan reads all that was not committed, and nothing else."""
    committed = oracle.read_files(ground.library)
    before = fake.asked()
    fake.write()
    assert ground.scan().code == 0
    asked_again = {os.fsdecode(os.path.basename(path)) for path in committed} & (fake.asked() - before).keys()
    assert not asked_again
    check_models(ground)


WAYS_TO_END: dict[str, Callable[[PseudoTerminal], object]] = {
    "SIGTERM": lambda terminal: terminal.process.send_signal(signal.SIGTERM),
    "SIGHUP": lambda terminal: terminal.process.send_signal(signal.SIGHUP),
    "Ctrl-C": lambda terminal: terminal.send("ctrl+c"),
    "a closed terminal": lambda terminal: terminal.hang_up(),
}


@pytest.mark.parametrize("face", ["command", "application"])
def test_30_the_program_is_told_to_end(ground: Ground, face: str) -> None:
    """It ends soon, with its children, and leaves the terminal as it was; the next scan goes on from there."""
    fake = use_fake(ground, pace_s=0.02)
    names = numbered("good", 300)
    fill(ground, names)
    for way, end in WAYS_TO_END.items():
        terminal = start_scanning(ground, face, fake)
        children = descendants(terminal.process.pid)
        assert len(children) >= 2
        began = time.monotonic()
        end(terminal)
        if (way, face) == ("Ctrl-C", "application"):  # the first aborts the scan, the second leaves
            terminal.wait_for("scan aborted")
            terminal.send("ctrl+c")
        code, seconds = terminal.wait_end(), time.monotonic() - began
        print(f"{way} ended the {face} in {seconds:.2f} s")
        assert (way, code) == (way, 0 if (way, face) == ("Ctrl-C", "application") else 3)
        assert seconds < LEAVING_S
        assert not any(map(is_alive, children))
        assert way == "a closed terminal" or terminal.is_restored
    if face == "command":
        let_a_line_drop_under_nohup(ground, fake)
    else:
        fake.write()
        assert ground.scan().code == 0
    check_models(ground)
    again = {name: times for name, times in fake.asked().items() if times > 1}
    assert len(again) <= 2 * len(WAYS_TO_END), "more was read again than what the children were at"


def let_a_line_drop_under_nohup(ground: Ground, fake: Fake) -> None:
    """Check that a scan which was started with `nohup` goes on to its end."""
    before = len(fake.notes())
    words = [os.fsdecode(word) for word in ground.command("scan", str(ground.media))]
    with PseudoTerminal(["nohup", *words], environ=ground.environ, cwd=str(ground.folder)) as terminal:
        wait_until(lambda: len(fake.notes()) > before + 5, terminal)
        terminal.hang_up()
        assert terminal.wait_end() == 0
