"""Opening a library: what is made, what is refused, and that a refused file stays as it was."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.library.faults import find_faults
from tui.config import default_config
from tui.errors import LibraryError
from tui.library import database, inspection, schema
from tui.library.backups import back_up
from tui.library.connections import connect_reading, connect_writing
from tui.library.database import Library, create_library, migrate
from tui.library.schema import MIGRATIONS, Migration
from tui.mounts import find_mount

if TYPE_CHECKING:
    from collections.abc import Callable


def _bytes(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


async def test_a_new_library_is_private(path: bytes) -> None:
    async with await Library.open(path) as library:
        await library.writer.run(lambda db: db.execute("INSERT INTO setting VALUES ('a', 1)").rowcount)
        folder = os.path.dirname(path)
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        for name in os.listdir(folder):
            assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600, name


async def test_a_closed_library_is_one_complete_file(path: bytes, tmp_path: os.PathLike[str]) -> None:
    async with await Library.open(path) as library:
        await library.writer.run(lambda db: db.execute("INSERT INTO setting VALUES ('a', 1)").rowcount)
    copy = os.path.join(os.fsencode(tmp_path), b"copy.yapmo")
    shutil.copy(path, copy)
    with closing(connect_reading(copy)) as db:
        assert db.execute("SELECT value FROM setting WHERE name = 'a'").fetchone() == (1,)


async def test_there_is_none(path: bytes) -> None:
    with pytest.raises(LibraryError, match="no library"):
        await Library.open(path, create=False)
    with pytest.raises(LibraryError, match="no library"):
        await Library.open(path, read_only=True)
    assert not os.path.exists(path)


def _make_empty(path: bytes) -> None:
    with open(path, "wb"):
        pass


def _zero_header(path: bytes) -> None:
    with open(path, "r+b") as file:
        file.write(bytes(100))


def _cut_off(path: bytes) -> None:
    os.truncate(path, os.path.getsize(path) // 2)


def _cut_header(path: bytes) -> None:
    os.truncate(path, 40)


def _make_foreign(path: bytes) -> None:
    os.unlink(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE cookies (id)")
        db.commit()


def _make_newer(path: bytes) -> None:
    with closing(connect_writing(path)) as db:
        db.execute("PRAGMA user_version = 999")


def _drop_table(path: bytes) -> None:
    with closing(connect_writing(path)) as db:
        db.execute("DROP TABLE file_tag")


def _damage_schema(path: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_make_empty, "empty"),
        (_zero_header, "no library"),
        (_cut_off, "cut off"),
        (_cut_header, "no library"),
        (_make_foreign, "another program"),
        (_make_newer, "newer YAPMO"),
        (_drop_table, "incomplete"),
        (_damage_schema, "damaged|no library"),
    ],
)
@pytest.mark.parametrize("read_only", [False, True])
async def test_harm_is_seen_and_nothing_is_changed(
    path: bytes, harm: Callable[[bytes], None], message: str, read_only: bool
) -> None:
    create_library(path)
    harm(path)
    before = _bytes(path)
    with pytest.raises(LibraryError, match=message) as caught:
        await Library.open(path, read_only=read_only)
    assert caught.value.hint
    assert "pipx" not in caught.value.hint  # nobody knows how YAPMO was installed
    assert caught.value.exit_code == 4
    assert _bytes(path) == before


async def test_a_newer_schema_that_is_only_in_the_log_is_refused(path: bytes) -> None:
    create_library(path)
    with closing(connect_writing(path)) as db:
        db.execute("PRAGMA user_version = 999")
        before = _bytes(path)
        with pytest.raises(LibraryError, match="newer"):
            await Library.open(path)
        assert _bytes(path) == before


async def test_a_damaged_page_is_named_and_found(path: bytes) -> None:
    async with await Library.open(path) as library:

        def fill(db: sqlite3.Connection) -> None:
            db.executemany("INSERT INTO setting VALUES (?, ?)", ((f"k{n}", "x" * 500) for n in range(500)))

        await library.writer.run(fill)
    with open(path, "r+b") as file:
        size = os.path.getsize(path)
        for page in range(size // 4096 - 40, size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    library = await Library.open(path)
    with pytest.raises(LibraryError, match="damaged"):
        await library.writer.run(lambda db: db.execute("SELECT count(value || '') FROM setting").fetchone())
    with pytest.raises(LibraryError, match="damaged"):
        await library.writer.flush()
    with closing(library.connect_read_only()) as db:
        assert any("damaged" in fault for fault in find_faults(db))
    with pytest.raises(LibraryError, match="damaged"):
        await library.close()
    await library.close()


async def test_a_library_opens_as_configured(path: bytes) -> None:
    config = default_config()
    batches = replace(config.library, write_batch_size=7, write_batch_ms=600)
    async with await database.open_configured_library(replace(config, library=batches), path) as library:
        assert (library.writer._batch_size, library.writer._batch_s) == (7, 0.6)


def test_a_sound_library_has_no_faults(db: sqlite3.Connection) -> None:
    assert list(find_faults(db)) == []


def test_a_wrong_search_index_is_a_fault(db: sqlite3.Connection, add: Callable[..., list[int]]) -> None:
    (file_id,) = add(b"a.jpg")
    db.execute("UPDATE file SET title = 'never indexed' WHERE id = ?", (file_id,))
    assert any("damaged" in fault for fault in find_faults(db))


def test_a_reference_to_nothing_is_a_fault(path: bytes) -> None:
    create_library(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO file_tag VALUES (77, 88)")
        db.commit()
        assert any("refers to nothing" in fault for fault in find_faults(db))


async def test_a_directory_that_may_not_be_written(path: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    create_library(path)
    # root may write anywhere, so what the system would answer is said for it
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(LibraryError, match="cannot be written") as caught:
        await Library.open(path)
    assert "--library" in caught.value.hint
    async with await Library.open(path, read_only=True) as library:
        assert library.read_only
        with closing(library.connect_read_only()) as db:
            assert db.execute("SELECT count(*) FROM file").fetchone() == (0,)
        with pytest.raises(LibraryError, match="reading only"):
            _ = library.writer


async def test_a_network_share_is_refused(
    path: bytes, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = write_mounts(tmp_path, b"/", "nfs4")
    monkeypatch.setattr(
        database, "refuse_network_disk", partial(inspection.refuse_network_disk, mounts=table)
    )
    with pytest.raises(LibraryError, match="network share") as caught:
        await Library.open(path)
    assert "local disk" in caught.value.hint
    assert not os.path.exists(path)


def write_mounts(folder: os.PathLike[str], point: bytes, file_system: str) -> str:
    """Write a table of mounts in which `file_system` lies at `point` (escaped as the kernel does) and ext4 elsewhere."""
    table = os.path.join(folder, "mountinfo")
    with open(table, "wb") as file:
        file.write(b"36 35 8:1 / / rw,noatime shared:1 - ext4 /dev/sda1 rw\n")
        file.write(
            b"37 36 0:50 / %s rw master:2 shared:3 - %s nas:/export rw\n" % (point, file_system.encode())
        )
        file.write(b"cut off\n")
    return table


@pytest.mark.parametrize(
    "kind",
    ["nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "glusterfs", "fuse.glusterfs", "fuse.sshfs", "fuse.rclone"],
)
def test_every_kind_of_network_share_is_refused(tmp_path: os.PathLike[str], kind: str) -> None:
    share = os.path.join(os.fsencode(os.path.realpath(tmp_path)), b"share")
    os.mkdir(share)
    table = write_mounts(tmp_path, share, kind)
    with pytest.raises(LibraryError, match=rf"network share \({kind}\)"):
        inspection.refuse_network_disk(share + b"/yapmo.db", table)
    inspection.refuse_network_disk(share + b"2/yapmo.db", table)
    inspection.refuse_network_disk(os.fsencode(tmp_path) + b"/yapmo.db", table)


def test_a_share_at_a_path_that_the_kernel_escapes_is_refused(tmp_path: os.PathLike[str]) -> None:
    above = os.fsencode(os.path.realpath(tmp_path))
    share = above + b"/a b\tc\nd\\e"
    os.mkdir(share)
    table = write_mounts(tmp_path, above + rb"/a\040b\011c\012d\134e", "nfs4")
    with pytest.raises(LibraryError, match="network share"):
        inspection.refuse_network_disk(share + b"/yapmo.db", table)


def test_a_local_disk_over_a_share_and_no_table_refuse_nothing(tmp_path: os.PathLike[str]) -> None:
    share = os.fsencode(os.path.realpath(tmp_path))
    table = write_mounts(tmp_path, share, "nfs4")
    with open(table, "ab") as file:
        file.write(b"38 37 8:2 / %s rw - ext4 /dev/sdb1 rw\n" % share)
    inspection.refuse_network_disk(share + b"/yapmo.db", table)
    inspection.refuse_network_disk(share + b"/yapmo.db", os.path.join(tmp_path, "nothing"))


def test_the_mount_of_a_folder(tmp_path: os.PathLike[str]) -> None:
    proc, here = find_mount(b"/proc"), find_mount(os.path.realpath(os.fsencode(tmp_path)))
    assert proc is not None
    assert proc.type == "proc"
    assert here is not None
    assert here.type != "proc"


# Migrations


def _add_column(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE file ADD COLUMN mood TEXT")


def _add_table(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE mood (name TEXT)")


def _fail(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE half (name TEXT)")
    raise sqlite3.OperationalError("no such thing")


NEXT = (*MIGRATIONS, Migration(2, "moods", _add_column), Migration(3, "a table of moods", _add_table))


def _version(path: bytes) -> int:
    with closing(connect_reading(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def _tables(path: bytes) -> set[str]:
    with closing(connect_reading(path)) as db:
        return {name for (name,) in db.execute("SELECT name FROM sqlite_schema")}


def test_migrations_are_numbered() -> None:
    assert [step.number for step in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_migration_backs_up_first(path: bytes) -> None:
    create_library(path)
    with closing(connect_writing(path)) as db:
        db.execute("INSERT INTO setting VALUES ('kept', 1)")
        # the change is in the log only: copying the file would lose it
        copy = migrate(path, NEXT)
    assert _version(path) == 3
    assert "mood" in _tables(path)
    assert copy is not None
    assert _version(copy) == 1
    assert stat.S_IMODE(os.stat(copy).st_mode) == 0o600
    with closing(connect_reading(copy)) as db:
        assert db.execute("SELECT name FROM setting").fetchone() == ("kept",)


def test_a_step_that_fails_leaves_the_library_as_it_was(path: bytes) -> None:
    create_library(path)
    with pytest.raises(LibraryError, match="no such thing"):
        migrate(path, (*MIGRATIONS, Migration(2, "moods", _add_column), Migration(3, "wrong", _fail)))
    assert _version(path) == 2
    assert "half" not in _tables(path)


def test_a_step_that_breaks_references_is_not_committed(path: bytes) -> None:
    create_library(path)

    def orphan(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO file_tag VALUES (77, 88)")

    with pytest.raises(LibraryError, match="references"):
        migrate(path, (*MIGRATIONS, Migration(2, "orphans", orphan)))
    assert _version(path) == 1


def test_migrating_twice_does_nothing(path: bytes) -> None:
    create_library(path)
    assert migrate(path, NEXT) is not None
    assert migrate(path, NEXT) is None


async def test_an_older_library_is_brought_up_to_date_when_opened(
    path: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_library(path)
    monkeypatch.setattr(database, "MIGRATIONS", NEXT)
    monkeypatch.setattr(inspection, "SCHEMA_VERSION", 3)
    with pytest.raises(LibraryError, match="older YAPMO"):
        await Library.open(path, read_only=True)
    async with await Library.open(path) as library:
        assert await library.writer.run(lambda db: db.execute("SELECT count(*) FROM mood").fetchone()) == (0,)


_KILLED = """
import os, signal, sys
from tui.library import database
from tui.library.schema import MIGRATIONS, Migration

def step(db):
    db.execute("CREATE TABLE mood (name TEXT)")

def killed(db):
    db.execute("CREATE TABLE half (name TEXT)")
    os.kill(os.getpid(), signal.SIGKILL)

database.migrate(os.fsencode(sys.argv[1]), (*MIGRATIONS, Migration(2, "", step), Migration(3, "", killed)))
"""


def test_killed_within_a_step(path: bytes) -> None:
    create_library(path)
    ended = subprocess.run([sys.executable, "-c", _KILLED, path], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert _version(path) == 2
    assert "mood" in _tables(path)
    assert "half" not in _tables(path)
    assert migrate(path, NEXT[:2]) is None


def test_back_up_copies_what_is_only_in_the_log(path: bytes) -> None:
    create_library(path)
    with closing(connect_writing(path)) as db:
        db.execute("INSERT INTO setting VALUES ('a', 1)")
        copy = back_up(db, path, "by-hand")
    with closing(connect_reading(copy)) as other:
        assert other.execute("SELECT name FROM setting").fetchone() == ("a",)
    assert b"by-hand" in copy


def test_two_processes_make_one_library(path: bytes) -> None:
    code = "import os, sys; from tui.library.database import create_library; create_library(os.fsencode(sys.argv[1]))"
    processes = [subprocess.Popen([sys.executable, "-c", code, path]) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    assert os.listdir(os.path.dirname(path)) == [b"library.yapmo"]
    assert _version(path) == schema.SCHEMA_VERSION
