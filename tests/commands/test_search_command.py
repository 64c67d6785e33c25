"""`yapmo search`: paths for pipes, exact bytes, objects, counts."""

from __future__ import annotations

import json
import os
import sqlite3
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from tests.commands.conftest import HOSTILE, LATIN_1, start
from tui.library.schema import SCHEMA_VERSION
from tui.records import HOT_FIELDS, LONG_FIELDS

if TYPE_CHECKING:
    from tests.commands.conftest import Catalogue, Outcome, Yapmo


def test_a_pipe_gets_one_safe_path_a_line(yapmo: Yapmo, catalogue: Catalogue) -> None:
    outcome = yapmo("search", *catalogue.option, "sort:name")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert len(outcome.lines) == 7
    assert catalogue.path("2019/forest 東京.jpg") in outcome.lines
    assert catalogue.path("caf\\xe9.jpg") in outcome.lines
    assert catalogue.path("esc\\x1b[31m\\x9b\\u202e.jpg") in outcome.lines
    assert catalogue.path("two\\nlines.jpg") in outcome.lines


def test_null_gives_the_exact_bytes_that_open_the_files(yapmo: Yapmo, catalogue: Catalogue) -> None:
    outcome = yapmo("search", "--null", *catalogue.option)
    assert outcome.stdout.endswith(b"\0")
    paths = outcome.stdout.split(b"\0")[:-1]
    media = os.fsencode(catalogue.media)
    expected = {os.path.join(folder, name) for folder, _, names in os.walk(media) for name in names}
    assert set(paths) == expected
    assert os.path.join(media, LATIN_1) in paths


def test_json_is_one_flat_object_a_file_with_every_column(yapmo: Yapmo, catalogue: Catalogue) -> None:
    [beach] = yapmo("search", "--json", *catalogue.option, "beach").objects
    assert list(beach) == ["id", "path", "kind", "size", "mtime_ns", "state", *HOT_FIELDS, *LONG_FIELDS]
    found = os.stat(catalogue.media / "2019" / "beach.jpg")
    assert (beach["size"], beach["mtime_ns"]) == (found.st_size, found.st_mtime_ns)
    assert beach["path"] == catalogue.path("2019/beach.jpg")
    assert (beach["kind"], beach["state"], beach["iso"]) == ("image", "present", 200)
    assert (beach["latitude"], beach["longitude"]) == (38.5, -9.25)
    assert beach["taken_local"] == "2019-07-03T18:22:11"
    assert (beach["album"], beach["keywords"]) == (None, [])


def test_a_path_that_is_not_utf_8_comes_with_its_exact_bytes(yapmo: Yapmo, catalogue: Catalogue) -> None:
    objects = yapmo("search", "--json", *catalogue.option).objects
    [latin] = [item for item in objects if "path_b64" in item]
    assert latin["path"] == catalogue.path("caf\ufffd.jpg")
    assert b64decode(latin["path_b64"]) == os.fsencode(catalogue.media) + b"/" + LATIN_1


def test_hostile_values_are_exact_in_json_and_harmless_to_a_terminal(
    yapmo: Yapmo, catalogue: Catalogue
) -> None:
    outcome = yapmo("search", "--json", *catalogue.option)
    assert HOSTILE in [item["title"] for item in outcome.objects]
    assert catalogue.path("esc\x1b[31m\x9b\u202e.jpg") in [item["path"] for item in outcome.objects]
    text = outcome.stdout.decode()
    assert "Björk" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_words_fields_and_negations(yapmo: Yapmo, catalogue: Catalogue) -> None:
    def found(*query: str) -> set[str]:
        return {os.path.basename(line) for line in yapmo("search", *catalogue.option, *query).lines}

    assert found("bea") == {"beach.jpg"}
    assert found("kind:audio") == {"song.mp3"}
    assert found("taken:2020") == {"forest 東京.jpg"}
    assert found("camera:canon", "-beach", "path:2019") == set()
    assert found("-beach", "path:2019") == {"forest 東京.jpg"}
    assert found("beach kind:image") == {"beach.jpg"}
    assert found("kind:audio", "--limit", "0") == set()


def test_limit_and_count(yapmo: Yapmo, catalogue: Catalogue) -> None:
    everything = yapmo("search", *catalogue.option, "sort:size-").lines
    assert yapmo("search", *catalogue.option, "--limit", "3", "sort:size-").lines == everything[:3]
    assert yapmo("search", *catalogue.option, "--count").lines == ["7"]
    assert yapmo("search", *catalogue.option, "--count", "--json", "kind:audio").objects == [{"count": 1}]


def test_nothing_found_is_no_failure(yapmo: Yapmo, catalogue: Catalogue) -> None:
    outcome = yapmo("search", *catalogue.option, "nosuchword")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, b"", "")


@pytest.mark.parametrize(
    ("query", "says"),
    [("iso:many", "at character 5 of the query"), ("colour:red", "colour"), ('"open', "character 1")],
)
def test_a_mistake_in_the_query_says_where(yapmo: Yapmo, catalogue: Catalogue, query: str, says: str) -> None:
    outcome = yapmo("search", *catalogue.option, query)
    assert (outcome.code, outcome.stdout) == (2, b"")
    assert says in outcome.stderr
    assert "Expected" in outcome.stderr


def test_a_caret_stands_under_the_mistake(yapmo: Yapmo, catalogue: Catalogue) -> None:
    lines = yapmo("search", *catalogue.option, "東京", "(iso:many", "or", "x)").stderr.splitlines()
    assert lines[1:3] == ["       東京 (iso:many or x)", "       " + " " * len("toki (iso:") + "^"]
    long = " ".join(["beach"] * 30)
    lines = yapmo("search", *catalogue.option, long, "colour:red\x1b[31m", long).stderr.splitlines()
    assert len(lines[1]) < 130
    assert lines[1].index("colour") == lines[2].index("^")
    assert "\x1b" not in "".join(lines)
    outcome = yapmo("search", *catalogue.option, "--json", "beach isoo:5")
    assert json.loads(outcome.stderr)["position"] == 6


def test_or_and_parentheses(yapmo: Yapmo, catalogue: Catalogue) -> None:
    def found(*query: str) -> set[str]:
        return {os.path.basename(line) for line in yapmo("search", *catalogue.option, *query).lines}

    assert (
        found("beach", "or", "forest") == found("(beach", "or", "forest)") == {"beach.jpg", "forest 東京.jpg"}
    )
    assert found("kind:image -(beach or forest) path:2019") == set()


def test_queries_are_kept_by_name(yapmo: Yapmo, catalogue: Catalogue) -> None:
    def search(*arguments: str) -> Outcome:
        return yapmo("search", *catalogue.option, *arguments)

    assert "no saved queries" in search("--list-saved").stderr
    kept = search("--save", " in   2019", "path:2019", "sort:name-")
    assert (kept.code, kept.stdout) == (0, b"")
    assert '@"in 2019" asks it' in kept.stderr
    assert search('@"in 2019"').lines == [
        catalogue.path("2019/forest 東京.jpg"),
        catalogue.path("2019/beach.jpg"),
    ]
    assert search('-@"in 2019"', "kind:audio", "--count").lines == ["1"]
    assert search("--save", "IN 2019", "beach").stderr.startswith("Changed")
    assert search("--list-saved").rows == [["IN 2019", "beach"]]
    [listed] = search("--list-saved", "--json").objects
    assert (listed["name"], listed["query"], listed["created_at"][-1]) == ("IN 2019", "beach", "Z")
    assert search("--forget", "in  2019 ").code == 0
    assert search("--list-saved").lines == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--forget", "x"], "no saved query 'x'"),
        (["--save", "x", "colour:red"], "no field 'colour'"),
        (["--save", "x", "@x"], "asks for itself"),
        (["--save", "x"], "no query to save"),
        (["@x"], "no collection or saved query 'x'"),
        (["--save", "x", "a", "--count"], "--save goes with none"),
        (["--list-saved", "--forget", "x"], "--list-saved goes with none"),
        (["--forget", "x", "beach"], "--forget goes with none"),
    ],
)
def test_what_cannot_be_done_with_saved_queries(
    yapmo: Yapmo, catalogue: Catalogue, arguments: list[str], says: str
) -> None:
    outcome = yapmo("search", *catalogue.option, *arguments)
    assert (outcome.code, outcome.stdout) == (2, b"")
    assert says in outcome.stderr


@pytest.mark.parametrize("other", ["--json", "--count"])
def test_null_goes_with_no_other_form(yapmo: Yapmo, catalogue: Catalogue, other: str) -> None:
    assert yapmo("search", *catalogue.option, "--null", other).code == 2


def test_missing_files_appear_when_asked_for(yapmo: Yapmo, catalogue: Catalogue) -> None:
    with sqlite3.connect(catalogue.library) as db:
        db.execute("UPDATE file SET missing_since = 1 WHERE display_name = 'song.mp3'")
    db.close()
    assert len(yapmo("search", *catalogue.option).lines) == 6
    [song] = yapmo("search", *catalogue.option, "missing:yes", "--json").objects
    assert (song["state"], song["artist"]) == ("missing", "Björk")


def test_a_library_where_nothing_can_be_written_is_read(yapmo: Yapmo, catalogue: Catalogue) -> None:
    before = catalogue.library.read_bytes()
    catalogue.library.chmod(0o400)
    catalogue.library.parent.chmod(0o500)
    try:
        assert yapmo("search", *catalogue.option, "--count").lines == ["7"]
    finally:
        catalogue.library.parent.chmod(0o700)
    assert catalogue.library.read_bytes() == before


def test_a_newer_library_is_refused_and_left_as_it_is(yapmo: Yapmo, catalogue: Catalogue) -> None:
    db = sqlite3.connect(catalogue.library)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    before = catalogue.library.read_bytes()
    outcome = yapmo("search", *catalogue.option)
    assert (outcome.code, outcome.stdout) == (4, b"")
    assert "newer YAPMO" in outcome.stderr
    assert catalogue.library.read_bytes() == before


def grow(catalogue: Catalogue, files: int) -> None:
    """Copy one file of the library until there are `files` of its kind more."""
    db = sqlite3.connect(catalogue.library)
    with db:
        db.execute(
            "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?) "
            "INSERT INTO file (folder_id, name, display_name, extension, kind, size, mtime_ns, inode, first_seen) "
            "SELECT folder_id, CAST('copy' || n || '.jpg' AS BLOB), 'copy' || n || '.jpg', 'jpg', kind, size, mtime_ns, "
            "1000000 + n, first_seen FROM file JOIN number WHERE display_name = 'beach.jpg'",
            (files,),
        )
    db.close()


def test_a_reader_that_leaves_early_ends_the_search_in_silence(catalogue: Catalogue) -> None:
    grow(catalogue, 20_000)
    process = start("search", "--json", *catalogue.option)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["id"] > 0
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=20) == 0


def test_without_a_limit_everything_comes(yapmo: Yapmo, catalogue: Catalogue) -> None:
    grow(catalogue, 3_000)
    assert len(set(yapmo("search", "--null", *catalogue.option).stdout.split(b"\0"))) == 3_008
    assert len(yapmo("search", "--json", *catalogue.option, "--limit", "2500").objects) == 2_500
