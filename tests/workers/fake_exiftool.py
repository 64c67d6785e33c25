"""An ExifTool that behaves badly on demand: the name of the file it is asked for says how.

`hang.jpg` makes it hang, `die_before-2.jpg` makes it die before the reply, and so on; any other name gets a good
answer. A name that ends in `-once` (`die_mid-once.jpg`) misbehaves the first time only.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tui.workers.exiftool import ExiftoolProgram

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPT = r"""#!{python} -IS
import json, os, re, signal, sys, time

START, VERSION = {start!r}, {version!r}
MARKS = {marks!r}
out, err = sys.stdout.buffer, sys.stderr.buffer


def say(stream, data):
    stream.write(data)
    stream.flush()


def first_time(name):
    try:
        os.close(os.open(os.path.join(MARKS, name), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def answer(path):
    tags = {{"SourceFile": os.fsdecode(path).encode("utf-8", "replace").decode(), "ExifTool:ExifToolVersion": VERSION}}
    tags["EXIF:Model"] = os.path.basename(path).hex()
    lines = ",\n".join("  %s: %s" % (json.dumps(name), json.dumps(value)) for name, value in tags.items())
    return ("[{{\n%s\n}}]\n" % lines).encode()


def reply(path, number, mark):
    name = os.path.basename(path).split(b".")[0].decode("ascii", "replace")
    how = name.split("-")[0]
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
    if how == "slow":
        time.sleep(0.3)
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
    if START == "hang":
        time.sleep(1000)
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


main()
"""


def write_fake_exiftool(folder: Path, *, start: str = "good", version: str = "12.57") -> ExiftoolProgram:
    """Write the script into `folder` and return it as a program.

    Args:
        folder: where it lies, and where it leaves its marks.
        start: `good`, `dead`, `dead-once`, `hang` or `garbage`: how a `-stay_open` process begins.
        version: what it says it is.
    """
    path = folder / "exiftool"
    path.write_text(
        _SCRIPT.format(python=sys.executable, start=start, version=version, marks=str(folder)),
        encoding="utf-8",
    )
    path.chmod(0o755)
    return ExiftoolProgram(str(path).encode(), version)
