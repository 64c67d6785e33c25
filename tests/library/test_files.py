"""The rows of files: added, changed, missing, moved, merged, removed; the search index stays right."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.library.found import NOW, folder_files, found
from tui.library import edits, files, problems, roots, search_index, stages, tags
from tui.library.merging import merge_file
from tui.records import (
    Extraction,
    FileState,
    Fingerprint,
    FoundFile,
    Kind,
    Metadata,
    Problem,
    Stage,
    stored_inode,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Add = Callable[..., list[int]]
    Check = Callable[[], None]


def _search(db: sqlite3.Connection, words: str) -> set[int]:
    return {row[0] for row in db.execute("SELECT rowid FROM search WHERE search MATCH ?", (words,))}


def _column(db: sqlite3.Connection, file_id: int, column: str) -> object:
    return db.execute(f"SELECT {column} FROM file WHERE id = ?", (file_id,)).fetchone()[0]


def _where(db: sqlite3.Connection, file_id: int) -> bytes:
    return files.path_and_inode(db, file_id)[0]


def test_found_files_become_rows(db: sqlite3.Connection, root_id: int, check_index: Check) -> None:
    folder_id = files.add_folder(db, root_id, b"2019/07 Lisbon", None)
    number = files.insert_files(
        db,
        folder_id,
        [found(b"IMG_0412.CR2", kind=Kind.RAW), found(b"b.jpg", size=7, inode=2**64 - 1, links=3)],
        NOW,
    )
    assert number == 2
    known = folder_files(db, root_id, b"2019/07 Lisbon")
    assert [(item.name, item.size, item.state) for item in known] == [
        (b"IMG_0412.CR2", 1_000, FileState.PRESENT),
        (b"b.jpg", 7, FileState.PRESENT),
    ]
    assert known[1].inode == stored_inode(2**64 - 1)
    assert (_column(db, 1, "extension"), _column(db, 1, "kind"), _column(db, 2, "links")) == ("cr2", "raw", 3)
    assert _where(db, 1) == b"/srv/photos/2019/07 Lisbon/IMG_0412.CR2"
    for words in ('"img_0412" *', '"0412"', '"cr2"', '"lisb" *', '"2019"', '"photos"'):
        assert 1 in _search(db, words), words
    check_index()


HOSTILE = [
    b"caf\xe9.jpg", b"\xff\xfe.jpg", "cafe\u0301.jpg".encode(), "café.jpg".encode(), b"a\nb.jpg", b"\x1b]52;c;x\x07.jpg",
    b'q"uote.jpg', b"[/].jpg", "‮gpj.jpg".encode(), b"-rf", b"...", b"\xed\xa0\x80.jpg", b"x" * 255,
]  # fmt: skip


def test_any_name_goes_in_and_comes_out(db: sqlite3.Connection, root_id: int, check_index: Check) -> None:
    folder_id = files.add_folder(db, root_id, b"\xff odd\n folder", None)
    assert files.insert_files(db, folder_id, [found(name) for name in HOSTILE], NOW) == len(HOSTILE)
    assert {item.name for item in folder_files(db, root_id, b"\xff odd\n folder")} == set(HOSTILE)
    shown = [row[0] for row in db.execute("SELECT display_name || extension FROM file")]
    assert all(text.isprintable() for text in shown)
    check_index()


@given(name=st.binary(min_size=1, max_size=60).filter(lambda name: b"\0" not in name and b"/" not in name))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_any_bytes_are_a_name(db: sqlite3.Connection, root_id: int, name: bytes) -> None:
    db.execute("SAVEPOINT example")
    folder_id = files.add_folder(db, root_id, name, None)
    files.insert_files(db, folder_id, [found(name)], NOW)
    assert [item.name for item in folder_files(db, root_id, name)] == [name]
    db.execute("ROLLBACK TO example")


def test_extreme_numbers_are_kept_within_what_sqlite_holds(db: sqlite3.Connection, add: Add) -> None:
    (file_id,) = add(b"a.jpg", size=2**70, mtime_ns=-(2**70), inode=2**64 - 2)
    assert _column(db, file_id, "size") == 2**63 - 1
    assert _column(db, file_id, "mtime_ns") == -(2**63)
    files.set_present(db, file_id, found(b"a.jpg", size=2**70, mtime_ns=-(2**70), inode=2**64 - 2))
    assert _column(db, file_id, "metadata_state") == 0


def test_a_name_that_is_taken_is_left_alone(
    db: sqlite3.Connection, add: Add, root_id: int, check_index: Check
) -> None:
    add(b"d/a.jpg")
    folder_id = files.add_folder(db, root_id, b"d", None)
    assert files.insert_files(db, folder_id, [found(b"a.jpg", size=9), found(b"b.jpg")], NOW) == 1
    assert len(folder_files(db, root_id, b"d")) == 2
    check_index()


def test_folders_above_are_added(db: sqlite3.Connection, root_id: int) -> None:
    deep = b"/".join([b"d"] * 1_500)
    folder_id = files.add_folder(db, root_id, deep, "uuid:2")
    assert files.add_folder(db, root_id, deep, "uuid:2") == folder_id
    assert len(files.folders_under(db, root_id, b"")) == 1_501
    assert db.execute("SELECT count(*) FROM folder WHERE file_system IS NOT NULL").fetchone() == (1,)
    files.add_folder(db, root_id, deep, None)
    assert db.execute("SELECT count(*) FROM folder WHERE file_system IS NOT NULL").fetchone() == (0,)


def test_folders_under_one(db: sqlite3.Connection, root_id: int) -> None:
    for path in (b"a", b"a/b", b"a/b/c", b"a!", b"ab", b"a0", b"b"):
        files.add_folder(db, root_id, path, None)
    assert {path for _, path in files.folders_under(db, root_id, b"a")} == {b"a", b"a/b", b"a/b/c"}


def test_changed_content_is_read_again_and_nothing_is_forgotten(db: sqlite3.Connection, add: Add) -> None:
    (file_id,) = add(b"a.jpg")
    _extract(db, file_id, Metadata(title="old"))
    _fingerprint(db, file_id)
    files.update_changed(db, file_id, found(b"a.jpg", size=2_000))
    row = db.execute(
        "SELECT size, metadata_state, fingerprint_state, quick_fingerprint, title FROM file WHERE id = ?",
        (file_id,),
    ).fetchone()
    assert row == (2_000, 0, 0, None, "old")


def test_a_file_that_is_back_as_it_was_is_not_read_again(db: sqlite3.Connection, add: Add) -> None:
    (file_id,) = add(b"a.jpg")
    _extract(db, file_id, Metadata(title="x"))
    files.set_missing(db, [file_id], NOW + 5)
    files.set_present(db, file_id, found(b"a.jpg", inode=77))
    row = db.execute(
        "SELECT state, missing_since, inode, metadata_state FROM file WHERE id = ?", (file_id,)
    ).fetchone()
    assert row == ("present", None, 77, 1)


def test_missing_files_know_when_they_were_last_seen(db: sqlite3.Connection, add: Add, root_id: int) -> None:
    first, second, third = add(b"a.jpg", b"b.jpg", b"c.jpg")
    files.set_missing(db, [first], NOW + 10)
    db.execute("UPDATE root SET settled_at = ? WHERE id = ?", (NOW + 3, root_id))
    files.set_missing(db, [second], NOW + 10)
    files.set_missing(db, [third], NOW + 10, last_seen_ns=NOW + 7)
    files.set_missing(db, [third], NOW + 99)
    rows = db.execute("SELECT state, missing_since, last_seen_at FROM file ORDER BY id").fetchall()
    assert rows == [
        ("missing", NOW + 10, NOW),
        ("missing", NOW + 10, NOW + 3),
        ("missing", NOW + 10, NOW + 7),
    ]


def test_a_missing_file_leaves_its_place_to_another(db: sqlite3.Connection, add: Add, root_id: int) -> None:
    (old,) = add(b"a.jpg")
    files.set_missing(db, [old], NOW)
    (new,) = add(b"a.jpg")
    assert [item.file_id for item in folder_files(db, root_id, b"")] == [old, new]
    with pytest.raises(sqlite3.IntegrityError):
        files.set_present(db, old, found(b"a.jpg"))


def test_the_file_of_a_name(db: sqlite3.Connection, add: Add, root_id: int) -> None:
    folder_id = files.add_folder(db, root_id, b"", None)
    assert files.file_at(db, folder_id, b"a.jpg") is None
    first, second, third = (add(b"a.jpg")[0], 0, 0)
    files.set_missing(db, [first], NOW)
    second = add(b"a.jpg")[0]
    files.set_missing(db, [second], NOW + 1)
    assert files.file_at(db, folder_id, b"a.jpg") == second
    third = add(b"a.jpg")[0]
    assert files.file_at(db, folder_id, b"a.jpg") == third


def test_names_are_looked_up_by_an_index(db: sqlite3.Connection, root_id: int) -> None:
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    files.file_at(db, 1, b"a.jpg")
    files.present_stamps(db, 1)
    files.missing_files(db, 1)
    files.present_ids(db, 1)
    db.set_trace_callback(None)
    for statement in statements:
        assert "SCAN" not in str(db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()), statement


# Moves


def _move(db: sqlite3.Connection, root_id: int, moves: dict[int, bytes]) -> None:
    places = []
    for file_id, path in moves.items():
        folder, _, name = path.rpartition(b"/")
        places.append((file_id, files.add_folder(db, root_id, folder, None), name))
    files.move_files(db, places, now_ns=NOW + 1)


def test_a_swap_and_a_circle(db: sqlite3.Connection, add: Add, root_id: int, check_index: Check) -> None:
    a, b, c, d, e = add(b"a.jpg", b"b.jpg", b"x/c.jpg", b"x/d.jpg", b"e.jpg")
    _move(db, root_id, {a: b"b.jpg", b: b"a.jpg", c: b"x/d.jpg", d: b"e.jpg", e: b"x/c.jpg"})
    assert [_where(db, item)[12:] for item in (a, b, c, d, e)] == [
        b"b.jpg", b"a.jpg", b"x/d.jpg", b"e.jpg", b"x/c.jpg",
    ]  # fmt: skip
    check_index()


def test_a_moved_file_is_found_by_its_new_names_only(
    db: sqlite3.Connection, add: Add, root_id: int, check_index: Check
) -> None:
    (file_id,) = add(b"oslo/old.jpg")
    _move(db, root_id, {file_id: b"lisbon/NEW.PNG"})
    assert _search(db, "old OR oslo OR jpg") == set()
    assert _search(db, "new lisbon png") == {file_id}
    assert _column(db, file_id, "extension") == "png"
    check_index()


def test_whoever_holds_the_new_place_has_gone_from_there(
    db: sqlite3.Connection, add: Add, root_id: int
) -> None:
    a, b = add(b"a.jpg", b"b.jpg")
    _move(db, root_id, {a: b"b.jpg"})
    assert _column(db, b, "state") == "missing"
    assert _where(db, a) == _where(db, b) == b"/srv/photos/b.jpg"


def test_two_files_cannot_move_to_one_place(db: sqlite3.Connection, add: Add, root_id: int) -> None:
    a, b = add(b"a.jpg", b"b.jpg")
    with pytest.raises(sqlite3.IntegrityError):
        _move(db, root_id, {a: b"c.jpg", b: b"c.jpg"})


@given(order=st.permutations(range(6)), moving=st.sets(st.integers(0, 5), min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_any_exchange_of_places_ends_right(
    db: sqlite3.Connection, add: Add, root_id: int, check_index: Check, order: list[int], moving: set[int]
) -> None:
    db.execute("SAVEPOINT example")
    paths = [b"f%d/n%d.jpg" % (index % 3, index) for index in range(6)]
    ids = add(*paths)
    targets = {ids[index]: paths[order[index]] for index in moving}
    _move(db, root_id, targets)
    check_index()
    for index, file_id in enumerate(ids):
        present = _column(db, file_id, "state") == "present"
        if index in moving:
            assert present
            assert _where(db, file_id) == b"/srv/photos/" + targets[file_id]
        else:
            assert present == (paths[index] not in targets.values())
    db.execute("ROLLBACK TO example")


def test_removed_files_leave_nothing_behind(db: sqlite3.Connection, add: Add, check_index: Check) -> None:
    kept, gone = add(b"a.jpg", b"b.jpg")
    _extract(db, gone, Metadata(title="x"))
    tags.add_tag(db, [gone], "family")
    edits.set_edit(db, gone, "title", "y", NOW)
    problems.record_problem(db, Problem(b"", Stage.METADATA, "bad", gone), now_ns=NOW)
    files.remove_files(db, [gone, 12345])
    for table in ("extracted", "edit", "file_tag", "problem"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    assert _search(db, "jpg") == {kept}
    check_index()


def test_ids_are_never_given_twice(db: sqlite3.Connection, add: Add) -> None:
    (first,) = add(b"a.jpg")
    files.remove_files(db, [first])
    (second,) = add(b"a.jpg")
    assert second > first


# Merging


def _extract(db: sqlite3.Connection, file_id: int, metadata: Metadata | None, **more: object) -> None:
    size, mtime_ns = db.execute("SELECT size, mtime_ns FROM file WHERE id = ?", (file_id,)).fetchone()
    item = Extraction(file_id, size, mtime_ns, "exiftool 12.57", metadata, b'{"EXIF:Make": "Canon"}', **more)  # type: ignore[arg-type]  # fields of the record
    assert stages.save_extractions(db, [item], now_ns=NOW) == 1


def _fingerprint(db: sqlite3.Connection, file_id: int, quick: bytes = b"q" * 16) -> None:
    size, mtime_ns = db.execute("SELECT size, mtime_ns FROM file WHERE id = ?", (file_id,)).fetchone()
    assert stages.save_fingerprints(db, [Fingerprint(file_id, size, mtime_ns, quick)], now_ns=NOW) == 1


def test_the_old_file_takes_the_place_of_the_new_row(
    db: sqlite3.Connection, add: Add, check_index: Check
) -> None:
    old, new = add(b"a.jpg", b"elsewhere/b.jpg", size=5)
    _extract(db, old, Metadata(title="old title", make="Canon", description="old words"))
    _extract(db, new, Metadata(title="new title", keywords=("beach",)))
    _fingerprint(db, old)
    _fingerprint(db, new)
    tags.add_tag(db, [old], "family")
    tags.add_tag(db, [old, new], "both")
    tags.add_tag(db, [new], "fresh")
    edits.set_edit(db, old, "title", "mine", NOW)
    edits.set_edit(db, old, "rating", 5, NOW)
    edits.set_edit(db, new, "rating", 2, NOW + 1)
    edits.set_edit(db, new, "place", "Oslo", NOW)
    files.set_missing(db, [old], NOW)
    merge_file(db, new, old)
    assert _where(db, old) == b"/srv/photos/elsewhere/b.jpg"
    row = db.execute(
        "SELECT state, title, make, rating, quick_fingerprint FROM file WHERE id = ?", (old,)
    ).fetchone()
    assert row == ("present", "mine", None, 2, b"q" * 16)
    assert tags.tags_of(db, old) == ["both", "family", "fresh"]
    assert {(item.field, item.value, item.extracted) for item in edits.edits_of(db, old)} == {
        ("title", "mine", "new title"),
        ("rating", 2, None),
        ("place", "Oslo", None),
    }
    assert db.execute("SELECT description, keywords, place FROM extracted").fetchall() == [
        (None, "beach", "Oslo")
    ]
    assert db.execute("SELECT count(*) FROM file").fetchone() == (1,)
    check_index()
    edits.undo_edit(db, old, "title")
    assert _column(db, old, "title") == "new title"


def test_what_was_extracted_stays_when_the_new_row_has_nothing_yet(
    db: sqlite3.Connection, add: Add, check_index: Check
) -> None:
    old, new = add(b"a.jpg", b"b.jpg", size=5)
    _extract(db, old, Metadata(title="known", description="words"))
    edits.set_edit(db, new, "title", "typed meanwhile", NOW)
    files.set_missing(db, [old], NOW)
    merge_file(db, new, old)
    row = db.execute("SELECT title, metadata_state, name FROM file WHERE id = ?", (old,)).fetchone()
    assert row == ("typed meanwhile", 1, b"b.jpg")
    check_index()
    edits.undo_edit(db, old, "title")
    assert _column(db, old, "title") == "known"
    assert _search(db, "known words") == {old}


def test_merging_takes_the_problems_of_the_new_row(db: sqlite3.Connection, add: Add) -> None:
    old, new = add(b"a.jpg", b"b.jpg")
    problems.record_problem(db, Problem(b"", Stage.METADATA, "old", old), now_ns=NOW)
    problems.record_problem(db, Problem(b"", Stage.METADATA, "new", new), now_ns=NOW)
    files.set_missing(db, [old], NOW)
    merge_file(db, new, old)
    assert [(row.problem.message, row.problem.file_id) for row in problems.list_problems(db)] == [
        ("new", old)
    ]


STAGE_STATES = ("pending", "done", "failed")


@pytest.mark.parametrize("of_old", STAGE_STATES)
@pytest.mark.parametrize("of_new", STAGE_STATES)
def test_merging_keeps_state_and_problem_in_step(
    db: sqlite3.Connection, add: Add, of_old: str, of_new: str
) -> None:
    ids = add(b"a.jpg", b"b.jpg")
    for file_id, state in zip(ids, (of_old, of_new), strict=True):
        if state == "done":
            _extract(db, file_id, Metadata(title=f"of {file_id}"))
        elif state == "failed":
            _extract(db, file_id, None, error="broken")
    old, new = ids
    files.set_missing(db, [old], NOW)
    merge_file(db, new, old)
    expected = "done" if (of_old, of_new) == ("done", "pending") else of_new
    assert _column(db, old, "metadata_state") == STAGE_STATES.index(expected)
    listed = [row.problem.file_id for row in problems.list_problems(db)]
    assert listed == ([old] if expected == "failed" else [])
    titles = {"pending": None, "done": f"of {old}", "failed": None}
    assert _column(db, old, "title") == (f"of {new}" if of_new == "done" else titles[of_old])


def test_rebuilding_the_index_finds_the_same(db: sqlite3.Connection, add: Add, check_index: Check) -> None:
    (file_id,) = add(b"lisbon/a.jpg")
    db.execute("INSERT INTO search (search) VALUES ('delete-all')")
    assert _search(db, "lisbon") == set()
    search_index.rebuild(db)
    assert _search(db, "lisbon") == {file_id}
    check_index()


def test_a_file_at_the_root_of_the_file_system(db: sqlite3.Connection, add: Add) -> None:
    root = roots.add_root(db, b"/").root_id
    (file_id,) = add(b"a.jpg", root=root)
    assert _where(db, file_id) == b"/a.jpg"


def test_an_unknown_file_has_no_path(db: sqlite3.Connection) -> None:
    with pytest.raises(LookupError):
        files.path_and_inode(db, 42)
    with pytest.raises(LookupError):
        merge_file(db, 42, 43)


def test_found_files_are_plain_tuples() -> None:
    assert FoundFile(b"a", Kind.IMAGE, 1, 2, 3) == (b"a", Kind.IMAGE, 1, 2, 3, 1)


@pytest.mark.parametrize(
    "odd",
    [
        FoundFile(b"plain.JPG", Kind.IMAGE, 1, 2, 3, 4),
        FoundFile(b"no extension", Kind.AUDIO, 0, -(2**63) + 1, 2**63 - 1),
        FoundFile("Größe.Jpeg".encode(), Kind.IMAGE, 1, 2, 3),
        FoundFile(b"bad\xff.jpg", Kind.RAW, 1, 2, 3),
        FoundFile(b"new\nline.mov", Kind.VIDEO, 1, 2, 3),
        FoundFile(b"huge.mov", Kind.VIDEO, 2**63, 2, 3),
        FoundFile(b"late.mov", Kind.VIDEO, 1, 2**63, 3),
        FoundFile(b"early.mov", Kind.VIDEO, 1, -(2**63), 3),
        FoundFile(b"inode.mov", Kind.VIDEO, 1, 2, 2**64 - 1),
    ],
    ids=lambda file: repr(file.name),
)
def test_many_files_are_stored_as_each_alone(odd: FoundFile) -> None:
    part = [FoundFile(b"a.b.jpg", Kind.IMAGE, 5, 6, 7), odd, FoundFile(b".hidden", Kind.IMAGE, 5, 6, 7)]
    assert list(files._rows_of(part)) == [files._values_of(file) for file in part]
    assert list(files._rows_of([odd])) == [files._values_of(odd)]
