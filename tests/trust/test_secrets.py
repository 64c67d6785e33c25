"""Secrets and rights: who may read what the program keeps, what it writes into its log, what it runs, whom it calls."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.media import encoded_bytes, jpeg_bytes, make_encoded, make_jpeg, make_wav, write_file
from tests.trust.ground import CHECKOUT
from tui.bootstrap import _answers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.trust.ground import Ground

SECRET = "Zwiebelfrau"


def fill(ground: Ground) -> None:
    """Make a photo, a song that mutagen reads, a sound that ExifTool reads, and a damaged file."""
    make_jpeg(ground.media / "2019" / "a.jpg", 1, gps=(38.5, -9.25))
    make_encoded(ground.media / "b.mp3", title="a song")
    make_wav(ground.media / "c.wav")
    write_file(ground.media / "damaged.jpg", b"\0\1" * 900)
    ground.failing = ground.paths([b"damaged.jpg"])
    ground.begin()


def open_to_others(*folders: Path) -> dict[str, str]:
    """Return what lies in `folders` and may be read, written or entered by others than its owner, with its mode."""
    places = [place for folder in folders for place in (folder, *folder.rglob("*"))]
    modes = {str(place): stat.S_IMODE(os.lstat(place).st_mode) for place in places}
    return {place: oct(mode) for place, mode in modes.items() if mode & 0o077}


def test_what_is_kept_is_for_its_owner_alone(ground: Ground) -> None:
    """Library, log, config and what lies beside them, while the program runs and after it, whatever the umask says."""
    ground.library.parent.rmdir()
    ground.home.chmod(0o700)
    fill(ground)
    assert ground.run("config", "set", "scan.max_workers", "1", umask=0).code == 0
    assert ground.run("scan", "--json", str(ground.media), umask=0).code == 0
    assert open_to_others(ground.library.parent, ground.home) == {}
    terminal = ground.terminal(environ={"YAPMO_CONFIG": ""})
    terminal.wait_for("Library")
    assert open_to_others(ground.library.parent, ground.home) == {}
    terminal.send("q")
    assert terminal.wait_end() == 0
    kept = {place.name for folder in (ground.library.parent, ground.home) for place in folder.rglob("*")}
    assert {"library.yapmo", "yapmo.log", "config.toml"} <= kept


def test_the_log_does_not_hold_what_the_media_say(ground: Ground) -> None:
    """Titles, people and places are nobody's business but the library's: not in the log, nor on a cron job's stderr."""
    make_jpeg(ground.media / "a.jpg", 1, model=SECRET, gps=(47.123456, 8.654321))
    make_jpeg(ground.media / "odd.jpg", 2, taken=SECRET, make=SECRET)
    make_encoded(ground.media / "b.mp3", title=SECRET, artist=SECRET, date=SECRET, album=SECRET)
    cut = encoded_bytes("flac", tags=(("title", SECRET), ("date", SECRET)))
    write_file(ground.media / "cut.flac", cut[: len(cut) // 2])
    ground.begin()
    assert ground.scan().code == 0
    assert {SECRET} == {item["title"] for item in ground.found("kind:audio", SECRET)}
    with ground.terminal() as terminal:
        terminal.wait_for("b.mp3")
        terminal.send("end", "enter")
        terminal.wait_for(SECRET)
        terminal.send("q")
        terminal.wait_end()
    log = ground.log.read_text()
    assert "INFO" in log
    assert SECRET not in log
    assert "47.12" not in log
    assert not [what for what, data in ground.outputs if SECRET.encode() in data and "stderr" in what]


TRAP = "#!/bin/sh\necho $0 >> {marker}\nexit 1\n"
PYTHON_TRAP = "open('{marker}', 'a').write(__file__)\n"
PERL_TRAP = "open(my $f, '>>', '{marker}'); print $f __FILE__; close($f); 1;\n"


def test_nothing_in_a_scanned_folder_is_run(ground: Ground) -> None:
    """Programs, modules and configurations that lie beside the media, with the folder as the working directory."""
    marker = ground.folder / "PWNED"
    fill(ground)
    for name in (
        "exiftool",
        "perl",
        "python3",
        "ffmpeg",
        "nice",
        "prlimit",
        "setpriv",
        "sh",
        "uname",
        "findmnt",
    ):
        write_file(ground.media / name, TRAP.format(marker=marker).encode())
        (ground.media / name).chmod(0o755)
    for name in (
        "mutagen",
        "PIL",
        "sqlite3",
        "textual",
        "typer",
        "xxhash",
        "sitecustomize",
        "usercustomize",
        "json",
    ):
        write_file(ground.media / f"{name}.py", PYTHON_TRAP.format(marker=marker).encode())
    write_file(ground.media / "tui" / "__init__.py", PYTHON_TRAP.format(marker=marker).encode())
    for name in (".ExifTool_config", "Image/ExifTool.pm", "lib/Image/ExifTool.pm", "strict.pm"):
        write_file(ground.media / name, PERL_TRAP.format(marker=marker).encode())
    write_file(ground.media / "config.toml", b'[scan]\nexiftool = "./exiftool"\n')
    write_file(ground.media / "pyproject.toml", b'[tool.yapmo]\nexiftool = "./exiftool"\n')
    ground.begin()
    ground.environ["PATH"] = f".::{ground.environ['PATH']}"
    assert ground.scan(cwd=ground.media).code == 0
    assert ground.run("doctor", cwd=ground.media).code in {0, 1}
    assert ground.run("search", "--json", cwd=ground.media).code == 0
    assert not marker.exists(), f"ran {marker.read_text()}"


def test_setting_up_runs_nothing_of_the_folder_it_is_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path / "hostile.py", b"print('it runs')")
    monkeypatch.chdir(tmp_path)
    assert not _answers([sys.executable, "-m", "hostile"])


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK"])
def test_a_program_that_asks_for_a_network_is_killed_here(family: str) -> None:
    """What the next test relies on."""
    asks = f"import socket; socket.socket(socket.{family}, socket.SOCK_DGRAM)"
    starts_another = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {asks!r}]) != {-signal.SIGSYS})"
    launcher = [sys.executable, "-m", "tests.trust.without_network"]
    for code, ends in (
        (asks, -signal.SIGSYS),
        (starts_another, 0),
        ("import socket; socket.socketpair()", 0),
    ):
        done = subprocess.run([*launcher, sys.executable, "-c", code], cwd=CHECKOUT, check=False)
        assert done.returncode == ends


def test_no_network_is_ever_asked_for(ground: Ground) -> None:
    ground.launcher = [sys.executable, "-m", "tests.trust.without_network"]
    fill(ground)
    assert ground.scan().code == 0
    for command in (
        ["doctor"],
        ["stats"],
        ["roots"],
        ["search", "song"],
        ["show", str(ground.media / "b.mp3")],
    ):
        assert ground.run(*command).code in {0, 1}, command
    with ground.terminal(str(ground.media)) as terminal:
        terminal.wait_for("b.mp3")
        for screen, shown in (("1", "┤ 1 Browse ├"), ("3", "completed"), ("5", "damaged.jpg"), ("6", "Kind")):
            terminal.send(screen)
            terminal.wait_for(shown)
        terminal.send("q")
        assert terminal.wait_end() == 0


def test_a_damaged_file_is_told_without_its_content(ground: Ground) -> None:
    """What a damaged file holds may be anything; the message about it says what is wrong, and does not quote it."""
    write_file(ground.media / "note.jpg", b"\1\2" + f"the password is {SECRET}".encode() * 40)
    write_file(ground.media / "half.jpg", jpeg_bytes(3)[:200] + SECRET.encode() * 40)
    ground.failing = ground.paths([b"note.jpg"])
    ground.begin()
    assert ground.scan().code == 0
    assert all(SECRET not in message for message in ground.problems().values())
    assert SECRET not in ground.log.read_text()
