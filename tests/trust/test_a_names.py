r"""Section A of the threats: hostile file names, through the real program and the real ExifTool.

Cases 1 to 7 and 10 share one tree: each hostile text is the name of a file and of a folder, and every file has a camera of
its own, so that a record that was mixed up with another is seen. Cases 8 and 9 are about what people are shown: see
`test_a_shown.py`.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from tests.media import jpeg_bytes, write_file
from tests.trust.conftest import WHOLE
from tests.trust.ground import path_of

if TYPE_CHECKING:
    from tests.trust.ground import Ground, Outcome

TEXTS: dict[int, tuple[bytes, ...]] = {
    1: (b'x\n-if\nsystem("touch PWNED");1\nvictim', b"-if\nsystem('touch PWNED')"),
    2: (b"x\n-all=\nvictim", b"y\n-o\ncopy.jpg\nz", b"\n-overwrite_original\n-all=", b"x\n-w\ntxt\ny"),
    3: (b"\n-execute\n", b"\n-stay_open\nFalse\n", b"x\n-execute7\n-ver\n", b"{ready100}\n{ready101}"),
    4: (b"\nlead", b"\n\n", b"in\r\nthe middle"),
    5: (
        b"-ver", b"--", b"-", b"-execute", b"-@", b"-stay_open", b"#x", b"#[CSTR]x\\nsystem", b" leading", b"\ttab",
        b"trailing ", b"return\r", b"$x@y\n", b"${path}@{[system('touch PWNED')]}", b"%d%f", b"*", b"?[a-z]{b,c}",
    ),
    6: (b"touch PWNED|", b"|touch PWNED", b">PWNED", b"<in", b"`touch PWNED`", b"$(touch PWNED)", b";touch PWNED;"),
    7: (
        b"caf\xe9", b"\xff\xfe", "nai\u0308ve".encode(), "na\u00efve".encode(), b"\xed\xa0\x80", "\U0001f468\u200d".encode(),
        "\u212a".encode(), b"K",
    ),
}  # fmt: skip
"""Hostile texts by case; the last two of case 7 are equal for whoever folds case (KELVIN SIGN and K)."""

MADE = ("PWNED", "copy.jpg", "z.jpg", "out")
"""What would be made if a name was obeyed."""

LONGEST_NAME = b"n" * 251 + b".jpg"
LONGEST_PATH = 4095
"""Bytes of the longest path that the system takes."""

NO_MEDIUM = b"\0\1\2\3\4\xff\xfe\xfd no medium"
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (DEBUG|INFO|WARNING|ERROR) +[a-z.]+: .+")


def test_1_to_7_each_name_is_one_record_of_its_own_and_is_never_obeyed(ground: Ground) -> None:
    cameras = fill(ground)
    ground.begin()
    outcome = ground.scan()
    assert (outcome.code, outcome.objects[-1]["files"]) == (0, len(cameras))
    found = ground.found()
    for number, paths in by_case(cameras).items():
        for path in paths:
            told = [item["model"] for item in found if path_of(item) == path]
            assert told == [cameras[path]], f"case {number}: {path!r} has the records {told}"
    assert len(found) == len(cameras)
    check_nothing_was_made(ground)
    exact, _ = ground.start(
        "search", "--null"
    ).communicate()  # not for eyes, so no output that the oracle judges
    assert set(exact.split(b"\0")) - {b""} == set(cameras), "a name did not come back in its very bytes"
    shown = ground.run("show", "--json", "--", *cameras).objects
    assert [path_of(item) for item in shown] == list(cameras), "a path as argument means another file"


def test_10_whatever_is_in_a_name_the_log_and_the_report_have_a_line_for_each_event(ground: Ground) -> None:
    ground.configure('[logging]\nlevel = "debug"\nterminal = true\n')
    forged = (
        b"x\n2026-01-01 00:00:00 ERROR    scan: forged\r\nyapmo: forged\x85\xe2\x80\xa8forged\x0bforged.jpg"
    )
    folder = bytes(ground.media)
    write_file(folder + b"/" + forged, NO_MEDIUM)
    write_file(folder + b"/" + forged.replace(b".jpg", b".png"), NO_MEDIUM)
    os.mkfifo(folder + b"/fifo" + forged)
    write_file(folder + b"/in\nit/good.jpg", jpeg_bytes(1))
    os.symlink(b"in\nit", folder + b"/\nlink")
    ground.failing = ground.paths((forged, forged.replace(b".jpg", b".png"), b"fifo" + forged))
    ground.begin()
    texts = [
        ground.run("scan", os.fsencode(ground.media)),
        ground.run("scan", "--retry-failed", folder),
        ground.run("problems"),
        ground.run("search"),
    ]
    assert [text.code for text in texts] == [0, 0, 0, 0]
    log = ground.log.read_text(encoding="utf-8")
    bad = [line for line in log.splitlines() if not LOG_LINE.fullmatch(line)]
    assert not bad, f"no line of the log: {bad}"
    assert "forged" in log
    for text in texts:
        check_lines(text)
    assert len(texts[2].stdout.splitlines()) == 3
    assert len(texts[3].stdout.splitlines()) == 3


def check_nothing_was_made(ground: Ground) -> None:
    """Check that no name was obeyed, where the program runs and where its children do."""
    made = [
        name for place in ("/", ground.folder, ground.media) for name in os.listdir(place) if name in MADE
    ]
    assert not made, f"a name was obeyed: {made}"


def check_lines(outcome: Outcome) -> None:
    """Check that no line of the output begins with what stands in a name."""
    for line in (outcome.stdout + outcome.stderr).decode().splitlines():
        assert not line.startswith(("2026-01-01", "yapmo: forged", "forged")), f"forged: {line!r}"


def fill(ground: Ground) -> dict[bytes, str]:
    """Write a picture under every hostile name, one in a folder of that name, and plain ones between; return their cameras."""
    cameras: dict[bytes, str] = {}

    def add(name: bytes, case: int) -> None:
        path = bytes(ground.media) + b"/" + name
        cameras[path] = f"case {case} camera {len(cameras)}"
        write_file(path, jpeg_bytes(len(cameras), model=cameras[path], size=(8, 8)))

    for case, texts in TEXTS.items():
        for number, text in enumerate(texts):
            add(text + b".jpg", case)
            if (
                WHOLE or number == 0 or b"\n" not in text
            ) and case != 7:  # a process for each with a line feed
                add(text + b"/inside.jpg", case)
            add(b"plain %d-%d.jpg" % (case, number), case)
            write_file(bytes(ground.media) + b"/" + text + b"/" + text, b"not a medium")
    add(b"victim.jpg", 2)
    add(LONGEST_NAME, 7)
    add(b"n" * 249 + b"\xff\xfe.jpg", 7)
    deep = b""
    while (left := LONGEST_PATH - len(bytes(ground.media)) - len(deep) - 1) > 255:
        deep += b"d" * min(200, left - 10) + b"/"
    add(deep + b"e" * (left - 4) + b".jpg", 7)
    return cameras


def by_case(cameras: dict[bytes, str]) -> dict[int, list[bytes]]:
    """Return the paths by the number of their case."""
    cases: dict[int, list[bytes]] = {}
    for path, camera in cameras.items():
        cases.setdefault(int(camera.split()[1]), []).append(path)
    return cases
