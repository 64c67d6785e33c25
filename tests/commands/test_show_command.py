"""`yapmo show`: everything known of a file, for people and as JSON."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from tests.commands.conftest import HOSTILE
from tui.library.database import Library
from tui.library.edits import set_edit
from tui.library.tags import add_tag

if TYPE_CHECKING:
    from tests.commands.conftest import Catalogue, Yapmo


def id_of(yapmo: Yapmo, catalogue: Catalogue, word: str) -> int:
    [found] = yapmo("search", "--json", *catalogue.option, word).objects
    return int(found["id"])


async def edit(catalogue: Catalogue, file_id: int) -> None:
    """Let a person tag the file and correct its title."""
    async with await Library.open(os.fsencode(catalogue.library)) as library:
        await library.writer.run(lambda db: add_tag(db, [file_id], "family"))
        await library.writer.run(lambda db: set_edit(db, file_id, "title", "Sunrise", time.time_ns()))


def test_json_has_all_of_search_and_tags_edits_problems(yapmo: Yapmo, catalogue: Catalogue) -> None:
    file_id = id_of(yapmo, catalogue, "beach")
    asyncio.run(edit(catalogue, file_id))
    [searched] = yapmo("search", "--json", *catalogue.option, "beach").objects
    [shown] = yapmo("show", "--json", *catalogue.option, catalogue.path("2019/beach.jpg")).objects
    assert {name: shown[name] for name in searched} == searched
    assert shown["all_tags"]["File:MIMEType"] == "image/jpeg"
    assert shown["tags"] == ["family"]
    [change] = shown["edits"]
    assert (change["field"], change["value"], change["extracted"]) == ("title", "Sunrise", None)
    assert change["edited_at"].endswith("Z")
    assert shown["problems"] == []
    assert shown["title"] == "Sunrise"


def test_a_file_that_failed_shows_its_problem(yapmo: Yapmo, catalogue: Catalogue) -> None:
    [shown] = yapmo("show", "--json", *catalogue.option, catalogue.path("damaged.jpg")).objects
    [problem] = shown["problems"]
    assert (problem["stage"], problem["attempts"], problem["ignored"]) == ("metadata", 1, False)
    assert shown["metadata_state"] == "failed"
    assert problem["message"] in yapmo("show", *catalogue.option, str(shown["id"])).stdout.decode()


def test_a_file_is_named_by_id_or_path_also_a_relative_one(yapmo: Yapmo, catalogue: Catalogue) -> None:
    by_path = yapmo("show", "--json", *catalogue.option, catalogue.path("2019/beach.jpg")).objects
    by_id = yapmo("show", "--json", *catalogue.option, str(by_path[0]["id"])).objects
    relative = os.path.relpath(catalogue.path("2019/beach.jpg"))
    assert yapmo("show", "--json", *catalogue.option, relative).objects == by_id == by_path


def test_a_path_of_any_bytes_finds_its_file(yapmo: Yapmo, catalogue: Catalogue) -> None:
    for name in (b"caf\xe9.jpg", b"esc\x1b[31m\xc2\x9b\xe2\x80\xae.jpg", b"two\nlines.jpg"):
        path = os.fsdecode(os.path.join(os.fsencode(catalogue.media), name))
        assert len(yapmo("show", "--json", *catalogue.option, path).objects) == 1


def test_people_get_groups_and_units_and_nothing_that_a_terminal_obeys(
    yapmo: Yapmo, catalogue: Catalogue
) -> None:
    outcome = yapmo("show", *catalogue.option, catalogue.path("2019/beach.jpg"), catalogue.path("song.mp3"))
    text = outcome.stdout.decode()
    assert outcome.lines[0] == catalogue.path("2019/beach.jpg")
    assert {"Camera", "Content", "Sound"} <= set(outcome.lines)
    assert "38.5000° N 9.2500° W" in text
    assert "2019-07-03 18:22:11" in text
    assert "MIMEType" not in text
    assert HOSTILE.replace("\x1b", "\\x1b").replace("\x07", "\\x07").replace("\u202e", "\\u202e") in text
    assert "\x1b" not in text


def test_all_prints_what_the_extractor_said(yapmo: Yapmo, catalogue: Catalogue) -> None:
    text = yapmo("show", "--all", *catalogue.option, catalogue.path("2019/beach.jpg")).stdout.decode()
    assert "MIMEType" in text


def test_an_unknown_file_prints_nothing_and_says_what_to_do(yapmo: Yapmo, catalogue: Catalogue) -> None:
    known = catalogue.path("song.mp3")
    for unknown in ("999999", "9" * 30, "/no/such.jpg", "0"):
        outcome = yapmo("show", *catalogue.option, known, unknown)
        assert (outcome.code, outcome.stdout) == (2, b"")
        assert unknown in outcome.stderr
