"""SIGKILL at any instant: of a scan, of a migration, of a restore. The next start finds all that was there, and goes on."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.media import jpeg_bytes, make_wav, write_file
from tests.trust import killed_steps, oracle
from tests.trust.conftest import WHOLE
from tests.trust.ground import CHECKOUT, Ground
from tui.library import backups, edits, files, inspection, roots, tags
from tui.library.connections import connect_writing
from tui.library.database import create_library, migrate
from tui.library.restoring import restore_library
from tui.library.schema import MIGRATIONS
from tui.records import FoundFile, Kind

KILLS = 200 if WHOLE else 8
STRIDE = 1 if WHOLE else 3
"""Of the steps of an operation, every so-manieth is killed."""

FILES = 60
PICTURES = 120
SEED = int(os.environ.get("YAPMO_SEED", "4"))

# the real ExifTool, behind a process that tells what it is asked; no worker may write files, so it tells it through a pipe
_TELLING = r"""#!{python} -IS
import ctypes, os, subprocess, sys

def die_with_parent():
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)

if "-stay_open" not in sys.argv:
    os.execv({real!r}, [{real!r}, *sys.argv[1:]])
told, parent = os.open({pipe!r}, os.O_WRONLY), os.getpid()
child = subprocess.Popen([{real!r}, *sys.argv[1:]], stdin=subprocess.PIPE, preexec_fn=die_with_parent)
while data := os.read(0, 65536):
    for line in data.split(b"\n"):
        if line.startswith({media!r}):
            os.write(told, line + b"\n")
    child.stdin.write(data)
    child.stdin.flush()
child.stdin.close()
sys.exit(child.wait())
"""


class Asked:
    """Which files ExifTool was asked for, as far as it told."""

    def __init__(self, ground: Ground) -> None:
        folder = ground.folder / "telling"
        folder.mkdir()
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        real = shutil.which("exiftool")
        program = folder / "exiftool"
        media = bytes(ground.media) + b"/"
        program.write_text(_TELLING.format(python=sys.executable, real=real, pipe=str(pipe), media=media))
        program.chmod(0o755)
        ground.use_exiftool(program)
        self._pipe = os.open(pipe, os.O_RDWR)
        self._lines: list[bytes] = []
        self._rest = b""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while data := os.read(self._pipe, 65536):
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._lines += lines

    def take(self) -> Counter[bytes]:
        """Return what was asked for since the last call; no ExifTool may be left that could still tell."""
        os.write(self._pipe, b"end\n")
        while b"end" not in self._lines:
            time.sleep(0.001)
        lines, self._lines = self._lines, []
        return Counter(line for line in lines if line != b"end")


_EDITING = """
import asyncio, json, os, sys, time
from tui.library import edits, tags
from tui.library.database import Library

async def write(number):
    async with await Library.open(os.fsencode(sys.argv[1])) as library:
        def change(db):
            ids = [row[0] for row in db.execute("SELECT id FROM file ORDER BY id")]
            if not ids:
                return None
            file_id, tagged = ids[number * 7 % len(ids)], ids[number * 13 % len(ids)]
            edits.set_edit(db, file_id, "title", f"title {number}", time.time_ns())
            tags.add_tag(db, [tagged], f"tag {number % 5}")
            return file_id, f"title {number}", tagged, f"tag {number % 5}"
        return await library.writer.run(change)

for line in sys.stdin:
    print(json.dumps(asyncio.run(write(int(line)))), flush=True)
"""


class Editor:
    """A process that writes edits and tags, by the library's own functions; and what it has written."""

    def __init__(self, ground: Ground) -> None:
        command = [sys.executable, "-c", _EDITING, str(ground.library)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": ground.environ}
        self.process = subprocess.Popen(command, text=True, **pipes)
        self.edits: dict[int, str] = {}
        self.tags: set[tuple[int, str]] = set()

    def write(self, number: int) -> None:
        """Write one edit and one tag; the library is opened for that, as at a start."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        if (written := json.loads(self.process.stdout.readline())) is not None:
            file_id, title, tagged, tag = written
            self.edits[file_id] = title
            self.tags.add((tagged, tag))

    def check(self, db: sqlite3.Connection) -> None:
        """Check that nothing of it is lost."""
        assert dict(db.execute("SELECT file_id, value FROM edit WHERE field = 'title'")) == self.edits
        shown = "SELECT file_id, title FROM edit JOIN file ON file.id = file_id"
        assert dict(db.execute(shown)) == self.edits
        kept = "SELECT file_id, name FROM file_tag JOIN tag ON tag.id = tag_id"
        assert set(db.execute(kept)) == self.tags

    def end(self) -> None:
        """Let the process end."""
        self.process.communicate()


@pytest.fixture
def sweep_ground(ground: Ground) -> Ground:
    """A ground with some hundred small pictures and songs."""
    for number in range(PICTURES):
        write_file(ground.media / f"{number % 8}" / f"{number}.jpg", jpeg_bytes(number) + b"%d" % number)
    for number in range(8):
        make_wav(ground.media / "songs" / f"{number}.wav", number)
    ground.configure("[library]\nwrite_batch_size = 20\nwrite_batch_ms = 10\n[scan]\nmax_workers = 2\n")
    ground.media_may_change = True
    return ground


def change_media(ground: Ground, rng: random.Random, number: int) -> None:
    """Change, move, delete and add files, so that there is something to scan again."""
    pictures = sorted(ground.media.rglob("*.jpg"))
    for path in rng.sample(pictures, len(pictures) // 2):
        write_file(path, jpeg_bytes(rng.randrange(1000)) + b"%d %d" % (number, rng.randrange(1 << 40)))
    for path in rng.sample(pictures, 6):
        path.rename(path.with_name(f"{number} {path.name}"))
    folder = rng.choice(sorted(path for path in ground.media.iterdir() if path.is_dir()))
    folder.rename(folder.with_name(f"{folder.name[:20]}-{number}"))
    left = sorted(ground.media.rglob("*.jpg"))
    for path in rng.sample(left, 3):
        path.unlink()
        write_file(ground.media / "new" / f"{number}-{path.name}", jpeg_bytes(number) + os.urandom(8))


def check_after_kill(ground: Ground, editor: Editor) -> set[bytes]:
    """Check what a start after a kill finds; return the paths whose metadata is done, as the files are now."""
    oracle.check_no_process_is_left({editor.process.pid})
    with closing(sqlite3.connect(ground.library)) as db:
        assert db.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        db.rollback()
        editor.check(db)
        done = (
            "SELECT root.path, folder.path, name, size, mtime_ns FROM file JOIN folder ON folder.id = folder_id "
            "JOIN root ON root.id = root_id WHERE metadata_state = 1 AND missing_since IS NULL"
        )
        known = {os.path.join(*row[:3]): row[3:] for row in db.execute(done)}
    return {path for path, stamp in known.items() if stamp == _stamp(path)}


def _stamp(path: bytes) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def kill_at_random(ground: Ground, rng: random.Random) -> int:
    """Start a scan and kill it at a random instant; return its exit code, 0 when it was quicker."""
    scan = ground.start("scan", str(ground.media), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if rng.random() < 0.75:  # most of the time is spent on starting; the rest should see more of the kills
        while scan.poll() is None and not _is_scanning(ground, scan.pid):
            time.sleep(0.005)
    time.sleep(rng.uniform(0, 1.6))  # the instant of the kill: any will do
    scan.kill()
    return scan.wait()


def _is_scanning(ground: Ground, pid: int) -> bool:
    with closing(oracle.connect(ground.library)) as db:
        return (
            db.execute("SELECT 1 FROM scan WHERE pid = ? AND state = 'running'", (pid,)).fetchone()
            is not None
        )


def test_31_a_scan_that_is_killed_at_any_instant(sweep_ground: Ground) -> None:
    ground, rng = sweep_ground, random.Random(SEED)
    print(f"seed {SEED}")
    create_library(bytes(ground.library))
    asked, editor = Asked(ground), Editor(ground)
    ground.servers.add(editor.process.pid)
    killed = rounds = again = most_again = total = 0
    open_before: set[bytes] = set()
    done_before: set[bytes] = set()
    while killed < KILLS:
        code = kill_at_random(ground, rng)
        assert code in (0, -9), code
        oracle.check_no_process_is_left(ground.servers)
        told = asked.take()
        total += told.total()
        # a file whose outcome was committed is not read again; what was under way is, once
        assert not told.keys() & done_before, (killed, told.keys() & done_before)
        assert max(told.values(), default=1) == 1, told.most_common(3)
        repeated = len(told.keys() & open_before)
        again, most_again = again + repeated, max(most_again, repeated)
        editor.write(killed)
        done_before = check_after_kill(ground, editor)
        open_before = told.keys() - done_before
        killed += code != 0
        if code == 0 or (killed % 10 == 0 and rounds < killed // 10):
            rounds += 1
            check_next_scan(ground)
            total += asked.take().total()
            change_media(ground, rng, killed)
            done_before, open_before = set(), set()
    check_next_scan(ground)
    assert (
        total + asked.take().total() >= 2 * PICTURES
    )  # by the scans that were killed and the last, and by a fresh one
    with closing(oracle.connect(ground.library)) as db:
        editor.check(db)
    ground.library_stays_apart = (
        True  # an edit makes another title than a fresh scan; compared above but for that
    )
    editor.end()
    print(
        f"{killed} kills, {rounds} whole rounds, {total} asked for, {again} of them again, {most_again} at most after one kill"
    )


def check_next_scan(ground: Ground) -> None:
    """Check that the next scan ends, and that the library is then as a fresh one, but for what was edited."""
    outcome = ground.scan()
    assert outcome.code == 0, outcome
    oracle.check_sound(ground.library)
    fresh = Ground.beside(ground)
    assert fresh.scan().code == 0
    copy = ground.folder / "compared.yapmo"
    shutil.copy(ground.library, copy)
    with closing(connect_writing(bytes(copy))) as db:
        for (file_id,) in db.execute("SELECT file_id FROM edit").fetchall():
            edits.undo_edit(db, file_id, "title")
    oracle.check_same_library(copy, fresh.library)


# Migrations and restores, killed at each step


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A folder with a library in which files, edits and tags are, and a copy of it from before they were all there."""
    folder = tmp_path / "steps" / "start"
    folder.mkdir(parents=True, mode=0o700)
    library = bytes(folder / "library.yapmo")
    create_library(library)
    with closing(connect_writing(library)) as db:
        root = roots.add_root(db, b"/media")
        folder_id = files.add_folder(db, root.root_id, b"", None)
        backups.copy_library(db, bytes(folder / "copy"))
        found = [FoundFile(f"{number}.jpg".encode(), Kind.IMAGE, 1, 1, number) for number in range(FILES)]
        files.insert_files(db, folder_id, found, 1)
        edits.set_edit(db, 7, "title", "kept", 1)
        tags.add_tag(db, [7], "kept")
    return folder


def kill_each_step(operation: str, folder: Path) -> list[int]:
    """Let `operation` be killed at its steps; return which, and last the number at which it came to its end."""
    command = [sys.executable, killed_steps.__file__, operation, str(folder), str(STRIDE)]
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(command, env=environ, check=True, capture_output=True, timeout=300)
    return [int(number) for number in done.stdout.split()]


def version_of(library: Path) -> int:
    """Check that a library is whole and holds what was typed; return its schema version."""
    with closing(sqlite3.connect(library)) as db:
        assert db.execute("PRAGMA quick_check").fetchall() == [("ok",)], library
        assert db.execute("PRAGMA foreign_key_check").fetchall() == [], library
        assert db.execute("SELECT count(*) FROM file").fetchone() == (FILES,)
        assert db.execute("SELECT value FROM edit").fetchall() == [("kept",)]
        assert db.execute("SELECT tag.name FROM file_tag JOIN tag ON tag.id = tag_id").fetchall() == [
            ("kept",)
        ]
        (version,) = db.execute("PRAGMA user_version").fetchone()
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        columns = {name for _, name, *_ in db.execute("PRAGMA table_info(mood)")}
    assert ("mood" in tables, "colour" in columns, "new_mood" in tables) == (
        version >= 2,
        version >= 3,
        False,
    )
    return int(version)


def test_36_a_migration_that_is_killed_at_any_step(start: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = kill_each_step("migrate", start.parent)
    assert steps[-1] > 30
    seen: set[tuple[int, bool]] = set()
    for number in steps:
        folder = start.parent / str(number)
        library = folder / "library.yapmo"
        version = version_of(library)
        copies = sorted(folder.glob("*.backup"))
        seen.add((version, bool(copies)))
        assert version == 1 or copies, f"step {number}: migrated without a copy"
        for copy in copies:
            assert stat.S_IMODE(copy.stat().st_mode) == 0o600
            assert version_of(copy) == 1
            assert backups.newest_backup(bytes(library)) == bytes(copy)
        with monkeypatch.context() as patch:
            patch.setattr(inspection, "SCHEMA_VERSION", 3)
            migrate(bytes(library), killed_steps.LATER)
        assert version_of(library) == 3
        first = next(copy for copy in sorted(folder.glob("*.backup")) if version_of(copy) == 1)
        back = restore_library(bytes(first), bytes(library))
        assert (version_of(library), back.files) == (len(MIGRATIONS), FILES)
        assert back.aside is not None
        assert version_of(Path(os.fsdecode(back.aside))) == 3
        shutil.rmtree(folder)
    assert seen == {(1, False), (1, True), (2, True), (3, True)}


def test_35_a_restore_that_is_killed_at_any_step(start: Path) -> None:
    steps = kill_each_step("restore", start.parent)
    states = []
    for number in steps:
        folder = start.parent / str(number)
        library = folder / "library.yapmo"
        with closing(sqlite3.connect(library)) as db:
            (files,) = db.execute("SELECT count(*) FROM file").fetchone()
        asides = [path for path in folder.glob("*.aside-*") if path.suffix != ".yapmo-wal"]
        assert files == FILES or len(asides) == 1, f"step {number}: the former library is gone"
        if files == FILES:
            version_of(library)
        else:
            version_of(asides[0])
        states.append(files)
        assert restore_library(bytes(folder / "copy"), bytes(library)).files == 0
        shutil.rmtree(folder)
    assert (states[0], states[-1]) == (FILES, 0)
    assert states == sorted(states, reverse=True)


def test_a_new_library_that_is_killed_at_any_step(tmp_path: Path) -> None:
    (tmp_path / "start").mkdir()
    steps = kill_each_step("create", tmp_path)
    for number in steps:
        library = tmp_path / str(number) / "library.yapmo"
        create_library(bytes(library))
        assert inspection.inspect_content(bytes(library)) == len(MIGRATIONS)
