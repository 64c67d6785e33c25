"""The tables of the documents say what the program does."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """`docs/make_documents.py`, which is a script and no module of the program."""
    spec = importlib.util.spec_from_file_location("make_documents", TOP / "docs" / "make_documents.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["README.md", "docs/keys.md", "docs/query.md"])
def test_tables_are_as_the_program_is(maker: ModuleType, name: str) -> None:
    path = TOP / name
    wanted = maker.documents()[os.fspath(path)]
    assert path.read_text(encoding="utf-8") == wanted, "run: .venv/bin/python docs/make_documents.py --tables"


def test_a_readme_without_a_place_for_a_table_is_noticed(maker: ModuleType) -> None:
    assert maker.with_table("a\n<!-- x -->\nold\n<!-- /x -->\nb\n", "x", "new\n") == (
        "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"
    )
    with pytest.raises(ValueError, match="no place for the table of x"):
        maker.with_table("a\n<!-- x -->\nold\n", "x", "new\n")


@pytest.mark.parametrize("name", ["docs/security.md", "docs/reliability.md"])
def test_the_tests_that_a_document_names_are_there(name: str) -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (TOP / "tests").rglob("test_*.py"))
    modules = {path.stem for path in (TOP / "tests").rglob("test_*.py")}
    named = set(re.findall(r"`(test_[a-z0-9_]+)…?`", (TOP / name).read_text(encoding="utf-8")))
    assert named, "no test is named"
    assert {one for one in named if one not in modules and f"def {one}" not in tests} == set()
