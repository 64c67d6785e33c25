"""An ExifTool that behaves badly on demand: the name of the file it is asked for says how.

`hang.jpg` makes it hang, `die_before-2.jpg` makes it die before the reply, and so on; any other name gets a good
answer. A name that ends in `-once` (`die_mid-once.jpg`) misbehaves the first time only.

Children may not write, so what it notes are the names of empty files in its folder.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.workers.exiftool import ExiftoolProgram

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPT = r"""#!{python} -IS
import json, os, re, signal, sys, time

START, VERSION, PACE_S = {start!r}, {version!r}, {pace_s!r}
MARKS = {marks!r}
ASKED = os.path.join(MARKS, "asked")
out, err = sys.stdout.buffer, sys.stderr.buffer


def say(stream, data):
    try:
        stream.write(data)
        stream.flush()
    except BrokenPipeError:
        if START != "outlives":
            raise


def first_time(name):
    try:
        os.close(os.open(os.path.join(MARKS, name), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def note(what):
    if os.path.isdir(ASKED):
        first_time("asked/%d@%d@%s" % (time.monotonic_ns(), os.getpid(), what.hex()))


def meet():  # waits until another process is here too, or for a while; notes it when one comes
    mine = "here-%d" % os.getpid()
    first_time(mine)
    for _ in range(80):
        if any(name.startswith("here-") and name != mine for name in os.listdir(MARKS)):
            note(b"*together*")
            break
        time.sleep(0.01)
    os.unlink(os.path.join(MARKS, mine))


def answer(path):
    tags = {{"SourceFile": os.fsdecode(path).encode("utf-8", "replace").decode(), "ExifTool:ExifToolVersion": VERSION}}
    tags["EXIF:Model"] = os.path.basename(path).hex()
    lines = ",\n".join("  %s: %s" % (json.dumps(name), json.dumps(value)) for name, value in tags.items())
    return ("[{{\n%s\n}}]\n" % lines).encode()


def reply(path, number, mark):
    name = os.path.basename(path).split(b".")[0].decode("ascii", "replace")
    note(os.path.basename(path))
    time.sleep(PACE_S)
    how = "die_before" if START == "hates_files" else name.split("-")[0]
    if name.endswith("-once") and not first_time(name):
        how = "good"
    ready = b"{{ready%d}}\n" % number
    end = mark.replace(b"${{status}}", b"0") + b"\n"
    good = answer(path)
    if how == "die_before":
        say(err, b"killed by a test")
        os._exit(3)
    if how == "die_mid":
        say(out, good[: len(good) // 2])
        os._exit(3)
    if how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if how in ("hang", "stubborn"):
        while True:
            time.sleep(1000)
    if how == "wait":
        while not os.path.exists(os.path.join(MARKS, "open")):
            time.sleep(0.02)
    if how == "slow":
        time.sleep(0.3)
    if how == "meet":
        meet()
    if how == "late":
        time.sleep(1.5)
    if how == "flood":
        for _ in range(160):
            say(err, b"Warning: again and again\n" * 2621)
    if how == "endless_errors":
        while True:
            say(err, b"Warning: again and again\n" * 2621)
    if how == "endless":
        while True:
            say(out, b"x" * 65536)
    if how == "big":
        good = good.replace(b'"EXIF:Model": "', b'"EXIF:Model": "' + b"ab" * 600_000)
    if how == "spin":
        while True:
            pass
    if how == "greedy":
        hoard = [bytes(1_000_000) for _ in range(100_000)]
    if how == "fat":
        globals()["hoard"] = [os.urandom(1_000_000) for _ in range(60)]
    if how == "spoils":
        globals()["spoilt"] = True
    if "spoilt" in globals():
        white = b'"ICC_Profile:MediaWhitePoint": "(Binary data 17 bytes, use -b option to extract)"'
        good = good.replace(b"\n}}]", b",\n  " + white + b"\n}}]")
    if how == "half_json":
        good = good[: len(good) // 2] + b"\n"
    if how == "not_json":
        good = b"ExifTool Version Number : 12.57\n"
    if how == "silent":
        good = b""
        say(err, b"Error: File not found - " + path + b"\n")
    if how == "wrong_number":
        ready = b"{{ready%d}}\n" % (number + 1)
    if how == "ready_in_value":
        good = good.replace(b'"EXIF:Model": "', b'"EXIF:Model": "{{ready%d}}' % number)
    if how == "swapped":
        end = end.replace(b"-%d=" % number, b"-%d=" % (number + 1))
    if how != "markless":
        say(err, end)
    say(out, good + ready)
    if how == "die_after":
        os._exit(3)
    if how == "babble":
        say(out, b"and another thing\n")


def main():
    arguments = [os.fsencode(word) for word in sys.argv[1:]]
    if b"-ver" in arguments:
        print(VERSION)
    elif b"-stay_open" in arguments:
        stay_open()
    else:
        how = os.path.basename(arguments[-1]).split(b".")[0]
        if b"hang" in how:
            time.sleep(1000)
        if b"die" in how and not (b"once" in how and not first_time("single")):
            os.kill(os.getpid(), signal.SIGSEGV)
        if b"spin" in how:
            while True:
                pass
        if b"endless" in how:
            while True:
                say(out, b"x" * 65536)
        say(out, answer(arguments[-1]))


def stay_open():
    if START == "dead" or (START == "dead-once" and first_time("start")):
        sys.exit("this ExifTool is broken")
    if START == "dead-thrice" and any(first_time("start-%d" % number) for number in range(3)):
        sys.exit("this ExifTool does not feel well")
    if START == "hang":
        time.sleep(1000)
    if START == "flood":
        for _ in range(160):
            say(err, b"Warning: again and again\n" * 2621)
    if START == "garbage":
        say(out, b"Welcome!\n")
    mark = argument = previous = b""
    for line in sys.stdin.buffer:
        line = line.rstrip(b"\r\n")
        match = re.fullmatch(rb"-execute(\d+)", line)
        if previous == b"-echo4":
            mark = line
        elif match and argument == b"-ver":
            say(err, mark.replace(b"${{status}}", b"0") + b"\n")
            say(out, VERSION.encode() + b"\n{{ready%d}}\n" % int(match[1]))
        elif match:
            reply(argument, int(match[1]), mark)
        else:
            argument = line
        previous = line
    if START == "outlives":  # as the real one does that nobody speaks to any more
        time.sleep(1000)


main()
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A file that a fake ExifTool was asked for.

    Attributes:
        when_ns: when, by the monotonic clock.
        pid: by which process it was to be read.
        name: the file's name.
    """

    when_ns: int
    pid: int
    name: bytes


def write_fake_exiftool(
    folder: Path, *, start: str = "good", version: str = "12.57", pace_s: float = 0.0, notes: bool = False
) -> ExiftoolProgram:
    """Write the script into `folder` and return it as a program.

    Args:
        folder: where it lies, and where it leaves its marks.
        start: `good`, `dead`, `dead-once`, `dead-thrice`, `hang`, `flood` or `garbage`: how a `-stay_open` process
            begins; or how it goes on: `hates_files` dies with every file, `outlives` stays when its input has ended.
        version: what it says it is.
        pace_s: how long it takes for each file, seconds.
        notes: whether it notes what it is asked for; see `read_notes`.
    """
    path = folder / "exiftool"
    script = _SCRIPT.format(
        python=sys.executable, start=start, version=version, pace_s=pace_s, marks=str(folder)
    )
    new = folder / "exiftool.new"
    new.write_text(script, encoding="utf-8")
    new.chmod(0o755)
    new.replace(path)  # one that is being started is never half of one
    if notes:
        (folder / "asked").mkdir(exist_ok=True)
    return ExiftoolProgram(str(path).encode(), version)


def read_notes(folder: Path) -> list[Asked]:
    """Return what the ExifTools in `folder` were asked for, in order.

    A file named `*together*` stands for the moment when two processes that were asked for `meet` files met.
    """
    notes = []
    for note in os.listdir(folder / "asked"):
        when, pid, name = note.split("@")
        notes.append(Asked(int(when), int(pid), bytes.fromhex(name)))
    return sorted(notes, key=lambda asked: asked.when_ns)
