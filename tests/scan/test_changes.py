"""A folder's listing against the library's rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.records import FileState, FolderUpdate, FoundFile, Kind, KnownFile
from tui.scan.changes import find_changes, find_differing
from tui.scan.listing import FoundFiles


def found(name: bytes, size: int = 1, mtime: int = 1, inode: int = 1) -> FoundFile:
    return FoundFile(name, Kind.IMAGE, size, mtime, inode)


def known(
    number: int, name: bytes, size: int = 1, mtime: int = 1, inode: int = 1, *, missing: bool = False
) -> KnownFile:
    state = FileState.MISSING if missing else FileState.PRESENT
    return KnownFile(number, name, size, mtime, inode, 1, "image", state)


def test_nothing_changed_is_nothing_to_learn() -> None:
    update = find_changes(b"", [found(b"a"), found(b"b")], [known(1, b"a"), known(2, b"b")])
    assert update.is_empty


def test_each_kind_of_difference_is_told_apart() -> None:
    update = find_changes(
        b"d",
        [
            found(b"new"),
            found(b"size", size=2),
            found(b"time", mtime=2),
            found(b"other", inode=2),
            found(b"back"),
        ],
        [
            known(1, b"size"),
            known(2, b"time"),
            known(3, b"other"),
            known(4, b"back", missing=True),
            known(5, b"gone"),
        ],
    )
    assert [file.name for file in update.new] == [b"new"]
    assert [file_id for file_id, _ in update.changed] == [1, 2]
    assert [file_id for file_id, _ in update.replaced] == [3]
    assert [file_id for file_id, _ in update.returned] == [4]
    assert update.gone == (5,)


@pytest.mark.parametrize("links", [(1, 2), (2, 1), (3, 1)])
def test_the_first_and_the_last_of_several_links_are_told(links: tuple[int, int]) -> None:
    row, file = known(1, b"a")._replace(links=links[0]), found(b"a")._replace(links=links[1])
    update = find_changes(b"", [file], [row])
    assert update == FolderUpdate(b"", restated=((1, file),))
    assert find_differing(FoundFiles([file]), [row[:7]])[0] == [file]


def test_one_of_many_links_more_or_less_is_nothing_to_learn() -> None:
    row, file = known(1, b"a")._replace(links=2), found(b"a")._replace(links=3)
    assert find_changes(b"", [file], [row]).is_empty
    assert find_differing(FoundFiles([file]), [row[:7]])[0] == []


def test_another_kind_is_told() -> None:
    row, file = known(1, b"a"), found(b"a")._replace(kind=Kind.VIDEO)
    assert find_changes(b"", [file], [row]) == FolderUpdate(b"", restated=((1, file),))
    assert find_differing(FoundFiles([file]), [row[:7]])[0] == [file]


def test_a_missing_file_that_stays_away_is_nothing_to_learn() -> None:
    assert find_changes(b"", [], [known(1, b"a", missing=True)]).is_empty


def test_a_file_that_came_back_with_other_content_is_changed() -> None:
    update = find_changes(b"", [found(b"a", size=9)], [known(1, b"a", missing=True)])
    assert [file_id for file_id, _ in update.changed] == [1]


def test_of_several_missing_files_of_one_name_the_one_that_came_back_is_meant() -> None:
    rows = [known(1, b"a", size=1, missing=True), known(2, b"a", size=2, missing=True)]
    assert find_changes(b"", [found(b"a", size=1)], rows).returned == ((1, found(b"a", size=1)),)
    assert find_changes(b"", [found(b"a", size=2)], rows).returned == ((2, found(b"a", size=2)),)
    present = [known(3, b"a", size=3), *rows]
    assert find_changes(b"", [found(b"a", size=3)], present).is_empty


def test_inodes_say_nothing_where_they_do_not_last() -> None:
    rows = [known(1, b"a", inode=1)]
    assert find_changes(b"", [found(b"a", inode=2)], rows, stable_inodes=False).is_empty
    assert find_changes(b"", [found(b"a", inode=2, size=2)], rows, stable_inodes=False).changed


names = st.sampled_from([b"a", b"b", b"c", b"d", b"\xff"])
stamps = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 3))


@given(
    st.dictionaries(names, stamps),
    st.dictionaries(names, st.tuples(stamps, st.booleans())),
    st.booleans(),
)
def test_every_file_and_every_row_has_exactly_one_outcome(
    on_disk: dict[bytes, tuple[int, int, int]],
    in_library: dict[bytes, tuple[tuple[int, int, int], bool]],
    stable: bool,
) -> None:
    listing = [found(name, *stamp) for name, stamp in on_disk.items()]
    rows = [
        known(number, name, *stamp, missing=missing)
        for number, (name, (stamp, missing)) in enumerate(in_library.items())
    ]
    update = find_changes(b"", listing, rows, stable_inodes=stable)
    assert {file.name for file in update.new} == set(on_disk) - set(in_library)
    by_id = {row.file_id: row for row in rows}
    told = [*update.changed, *update.replaced, *update.returned]
    assert len({file_id for file_id, _ in told}) == len(told)
    for file_id, file in told:
        assert by_id[file_id].name == file.name
    assert {by_id[file_id].name for file_id in update.gone} == {
        row.name for row in rows if row.name not in on_disk and row.state is FileState.PRESENT
    }
    silent = set(on_disk) & set(in_library) - {file.name for _, file in told}
    for row in rows:
        if row.name in silent:
            size, mtime, inode = on_disk[row.name]
            assert (row.size, row.mtime_ns, row.state) == (size, mtime, FileState.PRESENT)
            assert row.inode == inode or not stable


@given(
    st.dictionaries(names, stamps),
    st.dictionaries(names, stamps),
    st.lists(st.tuples(names, stamps), max_size=3),
    st.booleans(),
)
def test_what_is_equal_may_be_left_out(
    on_disk: dict[bytes, tuple[int, int, int]],
    present: dict[bytes, tuple[int, int, int]],
    missing: list[tuple[bytes, tuple[int, int, int]]],
    stable: bool,
) -> None:
    listing = [found(name, *stamp) for name, stamp in on_disk.items()]
    here = [known(number, name, *stamp) for number, (name, stamp) in enumerate(present.items())]
    lost = [known(10 + number, name, *stamp, missing=True) for number, (name, stamp) in enumerate(missing)]
    differing, rows = find_differing(FoundFiles(listing), [row[:7] for row in here], stable_inodes=stable)
    of_all = find_changes(b"", listing, [*lost, *here], stable_inodes=stable)
    assert find_changes(b"", differing, [*lost, *rows], stable_inodes=stable) == of_all
    assert differing or not (of_all.new or of_all.changed or of_all.replaced or of_all.returned)
