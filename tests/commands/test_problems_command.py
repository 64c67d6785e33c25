"""`yapmo problems`: list, retry, ignore."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import pytest

from tui.library.database import Library
from tui.library.problems import record_problem
from tui.records import Problem, Stage

if TYPE_CHECKING:
    from tests.commands.conftest import Catalogue, Yapmo


@pytest.fixture
def troubled(catalogue: Catalogue) -> Catalogue:
    """A library that has a folder that may not be read as well."""

    async def record() -> None:
        async with await Library.open(os.fsencode(catalogue.library)) as library:
            folder = os.fsencode(catalogue.media / "2019") + b"/locked\x1b[31m"
            problem = Problem(folder, Stage.WALK, "Permission denied \x9b")
            await library.writer.run(lambda db: record_problem(db, problem, now_ns=time.time_ns()))

    asyncio.run(record())
    return catalogue


def test_problems_are_listed_with_stage_path_and_reason(yapmo: Yapmo, troubled: Catalogue) -> None:
    outcome = yapmo("problems", *troubled.option)
    assert outcome.code == 0
    assert {(row[1], row[4]) for row in outcome.rows} == {
        ("walk", troubled.path("2019/locked\\x1b[31m")),
        ("metadata", troubled.path("damaged.jpg")),
    }
    assert outcome.rows[0][5] == "Permission denied \\x9b"
    assert all(len(row) == 6 for row in outcome.rows)


def test_json(yapmo: Yapmo, troubled: Catalogue) -> None:
    walk, metadata = yapmo("problems", "--json", *troubled.option).objects
    assert (walk["stage"], walk["file_id"], walk["message"]) == ("walk", None, "Permission denied \x9b")
    assert metadata["path"] == troubled.path("damaged.jpg")
    assert metadata["file_id"] > 0
    assert (metadata["attempts"], metadata["ignored"]) == (1, False)
    assert metadata["first_at"].endswith("Z")


def test_filters(yapmo: Yapmo, troubled: Catalogue) -> None:
    def stages(*options: str) -> list[str]:
        return [item["stage"] for item in yapmo("problems", "--json", *troubled.option, *options).objects]

    assert stages("--stage", "metadata") == ["metadata"]
    assert stages("--stage", "fingerprint") == []
    assert stages("--path", troubled.path("2019")) == ["walk"]
    assert stages("--path", str(troubled.media)) == ["walk", "metadata"]
    [first] = yapmo("problems", "--json", "--stage", "walk", *troubled.option).objects
    assert stages(str(first["id"])) == ["walk"]
    assert yapmo("problems", "--stage", "fingerprint", *troubled.option).stderr == "No problems.\n"


def test_retry_lets_the_next_scan_read_the_file_again(yapmo: Yapmo, troubled: Catalogue) -> None:
    outcome = yapmo("problems", "--retry", *troubled.option)
    assert outcome.lines == ["The next `yapmo scan` tries again: 1 file"]
    [shown] = yapmo("show", "--json", *troubled.option, troubled.path("damaged.jpg")).objects
    assert shown["metadata_state"] == "pending"
    assert yapmo("problems", "--retry", "--json", *troubled.option).objects == [{"retried": 1}]


def test_an_ignored_problem_is_listed_apart_until_it_is_retried(yapmo: Yapmo, troubled: Catalogue) -> None:
    [metadata] = yapmo("problems", "--json", "--stage", "metadata", *troubled.option).objects
    number = str(metadata["id"])
    assert yapmo("problems", number, "--ignore", *troubled.option).lines == ["From now on ignored: 1 problem"]
    assert [row[1] for row in yapmo("problems", *troubled.option).rows] == ["walk"]
    assert [row[0] for row in yapmo("problems", "--ignored", *troubled.option).rows] == [number]
    assert yapmo("problems", "--ignored", "--retry", *troubled.option).code == 0
    assert len(yapmo("problems", *troubled.option).rows) == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["4711"], "There is no problem 4711"),
        (["--retry", "--ignore"], "exclude each other"),
        (["--retry", "9" * 25], "999"),
    ],
)
def test_mistakes_change_nothing(yapmo: Yapmo, troubled: Catalogue, options: list[str], says: str) -> None:
    outcome = yapmo("problems", *options, *troubled.option)
    assert (outcome.code, outcome.stdout) == (2, b"")
    assert says in outcome.stderr
    assert len(yapmo("problems", *troubled.option).rows) == 2
