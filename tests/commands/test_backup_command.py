"""`yapmo backup` and `yapmo restore`: a copy of the library, and the way back."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.commands.test_completion import offered
from tui.library import backups
from tui.library.connections import connect_writing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Catalogue, Yapmo


def names(path: Path) -> set[bytes]:
    with closing(sqlite3.connect(path)) as db:
        return {name for (name,) in db.execute("SELECT name FROM file")}


def write_setting(path: Path, value: str) -> None:
    with closing(connect_writing(os.fsencode(path))) as db:
        db.execute("INSERT OR REPLACE INTO setting VALUES ('mark', ?)", (value,))


def setting(path: Path) -> str | None:
    with closing(sqlite3.connect(path)) as db:
        row = db.execute("SELECT value FROM setting WHERE name = 'mark'").fetchone()
        return None if row is None else str(row[0])


def others(folder: Path, *known: str) -> set[str]:
    """The files of a folder beside those that are known and the locks."""
    return {
        path.name
        for path in folder.iterdir()
        if not path.name.endswith(("-lock", "-queue", ".yapmo-wal", ".yapmo-shm"))
    } - set(known)


def test_a_copy_is_whole_and_private_and_says_how_it_is_brought_back(
    yapmo: Yapmo, catalogue: Catalogue
) -> None:
    with closing(connect_writing(os.fsencode(catalogue.library))) as db:
        db.execute("INSERT INTO setting VALUES ('mark', 'in the log only')")
        outcome = yapmo("backup", *catalogue.option)
    assert outcome.code == 0
    (line,) = outcome.lines
    copy = catalogue.library.parent / os.path.basename(line)
    assert copy.name.startswith("library.yapmo.by-hand-")
    assert copy.name.endswith(".backup")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert (names(copy), setting(copy)) == (names(catalogue.library), "in the log only")
    assert f"yapmo restore --library {catalogue.library} {copy}" in outcome.stderr


def test_copies_of_one_second_have_names_of_their_own(
    yapmo: Yapmo, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "stamp", lambda: b"20240703-182211")
    copies = {yapmo("backup", *catalogue.option).lines[0] for _ in range(3)}
    assert len(copies) == 3
    assert others(catalogue.library.parent, "library.yapmo") == {os.path.basename(copy) for copy in copies}


def test_a_copy_goes_where_it_is_told_and_overwrites_nothing(
    yapmo: Yapmo, catalogue: Catalogue, tmp_path: Path
) -> None:
    target = tmp_path / "copies" / "mine.backup"
    target.parent.mkdir()
    told = yapmo("backup", "--json", *catalogue.option, str(target)).objects
    assert told == [{"event": "backed up", "path": str(target), "bytes": target.stat().st_size}]
    target.write_bytes(b"precious")
    again = yapmo("backup", *catalogue.option, str(target))
    assert (again.code, target.read_bytes()) == (2, b"precious")
    assert "is not overwritten" in again.stderr
    assert others(target.parent) == {"mine.backup"}
    folder = tmp_path / "folder"
    folder.mkdir()
    assert yapmo("backup", *catalogue.option, str(folder)).code == 0
    (copy,) = others(folder)
    assert copy.startswith("library.yapmo.by-hand-")


def test_a_folder_that_is_not_there(yapmo: Yapmo, catalogue: Catalogue, tmp_path: Path) -> None:
    outcome = yapmo("backup", *catalogue.option, str(tmp_path / "nowhere" / "copy"))
    assert outcome.code == 4
    assert "cannot be copied: no such file or directory" in outcome.stderr


def test_a_copy_is_brought_back_and_the_way_back_is_said(yapmo: Yapmo, catalogue: Catalogue) -> None:
    write_setting(catalogue.library, "old")
    copy = yapmo("backup", *catalogue.option).lines[0]
    write_setting(catalogue.library, "new")
    outcome = yapmo("restore", *catalogue.option, copy)
    assert outcome.code == 0, outcome
    assert setting(catalogue.library) == "old"
    assert stat.S_IMODE(catalogue.library.stat().st_mode) == 0o600
    assert "7 files" in outcome.lines[0]
    (aside,) = others(catalogue.library.parent, "library.yapmo", os.path.basename(copy))
    assert setting(catalogue.library.parent / aside) == "new"
    _, way_back = outcome.stderr.split("The way back: yapmo ")
    assert yapmo(*shlex.split(way_back)).code == 0
    assert setting(catalogue.library) == "new"


def test_what_is_only_in_the_log_is_put_aside_with_its_library(yapmo: Yapmo, catalogue: Catalogue) -> None:
    copy = yapmo("backup", *catalogue.option).lines[0]
    left = catalogue.library.parent / "left"
    with closing(connect_writing(os.fsencode(catalogue.library))) as db:
        db.execute("INSERT INTO setting VALUES ('mark', 'in the log only')")
        left.mkdir()  # a power cut: the files as they are, with nobody who has them open
        for name in ("library.yapmo", "library.yapmo-wal"):
            shutil.copy(catalogue.library.parent / name, left)
    library = left / "library.yapmo"
    assert yapmo("restore", "--library", str(library), copy).code == 0
    assert setting(library) is None
    aside = next(left / name for name in others(left) if "aside" in name and not name.endswith("-wal"))
    assert yapmo("restore", "--library", str(library), str(aside)).code == 0
    assert setting(library) == "in the log only"


def test_a_library_that_is_gone_comes_back(yapmo: Yapmo, catalogue: Catalogue) -> None:
    copy = yapmo("backup", *catalogue.option).lines[0]
    known = names(catalogue.library)
    catalogue.library.unlink()
    told = yapmo("restore", "--json", *catalogue.option, copy).objects[0]
    assert (told["event"], told["aside"], told["files"]) == ("restored", None, 7)
    assert names(catalogue.library) == known


def test_a_library_that_someone_has_open_is_not_replaced(yapmo: Yapmo, catalogue: Catalogue) -> None:
    copy = yapmo("backup", *catalogue.option).lines[0]
    code = (
        "import os, sys; from tui.library.connections import connect_reading; "
        "db = connect_reading(os.fsencode(sys.argv[1])); db.execute('SELECT count(*) FROM file').fetchone(); "
        "print('ready', flush=True); sys.stdin.read()"
    )
    import subprocess
    import sys

    command = [sys.executable, "-c", code, str(catalogue.library)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"ready\n"
        before = catalogue.library.read_bytes()
        outcome = yapmo("restore", *catalogue.option, copy)
        assert (outcome.code, catalogue.library.read_bytes()) == (4, before)
        assert "Another program has the library" in outcome.stderr
        assert not [name for name in others(catalogue.library.parent) if "aside" in name or "new" in name]
        reader.communicate()
    assert yapmo("restore", *catalogue.option, copy).code == 0


@pytest.mark.parametrize("harm", ["cut", "page", "foreign", "newer", "empty"])
def test_a_copy_that_is_not_whole_is_refused(yapmo: Yapmo, catalogue: Catalogue, harm: str) -> None:
    copy = yapmo("backup", *catalogue.option).lines[0]
    if harm == "cut":
        os.truncate(copy, os.path.getsize(copy) // 2)
    elif harm == "empty":
        os.truncate(copy, 0)
    elif harm == "page":
        with open(copy, "r+b") as file:
            file.seek(4096 * 20)
            file.write(b"\xff" * 4096)
    elif harm == "foreign":
        os.unlink(copy)
        with closing(sqlite3.connect(copy)) as db:
            db.execute("CREATE TABLE cookies (id)")
    else:
        with closing(sqlite3.connect(copy)) as db:
            db.execute("PRAGMA user_version = 999")
    before = catalogue.library.read_bytes()
    outcome = yapmo("restore", *catalogue.option, copy)
    assert (outcome.code, catalogue.library.read_bytes()) == (4, before), outcome
    assert "Nothing was changed" in outcome.stderr
    assert not [name for name in others(catalogue.library.parent) if "aside" in name or "new" in name]


def test_what_is_no_copy_is_wrong_usage(yapmo: Yapmo, catalogue: Catalogue) -> None:
    assert yapmo("restore", *catalogue.option, "nowhere.backup").code == 2
    outcome = yapmo("restore", *catalogue.option, str(catalogue.library))
    assert outcome.code == 2
    assert "is the library itself" in outcome.stderr
    assert yapmo("backup", "--library", "nowhere.yapmo").code == 2


def test_the_shell_is_offered_the_copies_beside_the_library(yapmo: Yapmo, catalogue: Catalogue) -> None:
    copy = yapmo("backup", *catalogue.option).lines[0]
    assert offered(f"yapmo restore --library {catalogue.library} ") == [copy]
    assert offered("yapmo restore --library /nowhere/x.yapmo ") == []


def test_the_journal_of_what_was_there_is_not_played_into_what_comes_back(
    yapmo: Yapmo, catalogue: Catalogue
) -> None:
    """SQLite takes `library.yapmo-journal` for the unfinished work of whatever lies beside it."""
    backup = yapmo("backup", *catalogue.option).lines[0]
    journal = catalogue.library.with_name("library.yapmo-journal")
    journal.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"what another program left unfinished" * 40)
    left = journal.read_bytes()
    assert yapmo("restore", *catalogue.option, backup).code == 0
    assert not journal.exists()
    assert [path.read_bytes() for path in catalogue.library.parent.glob("library.yapmo.aside-*-journal")] == [
        left
    ]


@pytest.mark.parametrize("what", ["folder", "pipe"])
def test_what_is_no_file_is_not_replaced(
    yapmo: Yapmo, catalogue: Catalogue, tmp_path: Path, what: str
) -> None:
    backup = yapmo("backup", *catalogue.option).lines[0]
    place = tmp_path / "precious"
    if what == "folder":
        (place / "photos").mkdir(parents=True)
    else:
        os.mkfifo(place)
    before = os.lstat(place)
    outcome = yapmo("restore", "--library", str(place), backup)
    assert outcome.code == 4
    assert "is no file" in outcome.stderr
    assert os.lstat(place).st_ino == before.st_ino
    assert not list(tmp_path.glob("precious.aside*"))
