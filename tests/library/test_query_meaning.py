"""The query language against a naive evaluation in Python: whatever is asked, the same files in the same order."""

from __future__ import annotations

import operator
import os
import random
import re
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.library.found import NOW, found
from tui.library import answers, edits, files, query_plans, reader, roots, stages, tags
from tui.library.connections import connect_writing
from tui.library.database import create_library
from tui.library.query import parse_query
from tui.library.query_plans import plan_query
from tui.library.query_sql import compile_count, compile_query
from tui.library.words import WordsPlan
from tui.records import Extraction, Kind, Metadata

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

NUMBER = 48
MODELS = ("EOS R6", "EOS 5D", "iPhone 12", "D850")
WORDS = ("beach", "bea", "Lisbon", "img", "eos", "0", "heroes", "2019", "d8", "nothing")


@dataclass(frozen=True)
class Shown:
    """A file as the naive evaluation sees it."""

    file_id: int
    name: str
    folder: str
    kind: str
    size: int
    missing: bool
    tagged: bool
    metadata: Metadata

    @property
    def tokens(self) -> list[str]:
        """The words that the full-text index has of it."""
        said = self.metadata
        texts = (self.name, self.folder, "srv media", said.title, said.make, said.model, said.artist)
        return re.findall(r"[a-z0-9]+", " ".join(text for text in texts if text).lower())


def _make_files() -> list[Shown]:
    rng = random.Random(7)
    shown = []
    for number in range(1, NUMBER + 1):
        kind = rng.choice(list(Kind))
        pictured = kind in (Kind.IMAGE, Kind.RAW)
        camera = rng.choice(MODELS) if pictured else None
        taken = f"20{rng.randint(17, 21)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:30:00"
        metadata = Metadata(
            taken_local=taken if rng.random() < 0.7 else None, make="Canon" if camera and camera[0] == "E" else None,
            model=camera, iso=rng.choice((100, 200, 800, 1600)) if pictured else None,
            rating=rng.choice((None, None, 1, 3, 5)), duration_ms=None if pictured else rng.randint(1, 200) * 1_500,
            title=rng.choice((None, "Beach", "At the beach", "Heroes")), artist=None if pictured else "David Bowie",
        )  # fmt: skip
        name = (
            f"{rng.choice(('IMG', 'clip', 'Song'))}_{number:04}.{rng.choice(('JPG', 'cr2', 'mp4', 'flac'))}"
        )
        folder = rng.choice(("", "2019", "2019/Lisbon", "Music"))
        size = rng.randint(1, 400) * 100_000
        shown.append(
            Shown(number, name, folder, str(kind), size, rng.random() < 0.1, rng.random() < 0.3, metadata)
        )
    return shown


FILES = _make_files()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A library of the files above."""
    path = os.fsencode(tmp_path_factory.mktemp("meaning") / "library.yapmo")
    create_library(path)
    with closing(connect_writing(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        root_id = roots.add_root(db, b"/srv/media").root_id
        for file in FILES:
            folder_id = files.add_folder(db, root_id, file.folder.encode(), None)
            walked = found(file.name.encode(), kind=Kind(file.kind), size=file.size, inode=file.file_id)
            files.insert_files(db, folder_id, [walked], NOW)
            stages.save_extractions(db, [Extraction(file.file_id, file.size, NOW, "exiftool", file.metadata)])
        tags.add_tag(db, [file.file_id for file in FILES if file.tagged], "family")
        files.set_missing(db, [file.file_id for file in FILES if file.missing], NOW)
        yield db
        db.execute("ROLLBACK")


@dataclass(frozen=True)
class Asked:
    """One term of a query, and what it means."""

    text: str
    holds: Callable[[Shown], bool]
    about_missing: bool = False


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ":": operator.eq,
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def _compared(
    field: str, column: str, values: st.SearchStrategy[tuple[str, Any]]
) -> st.SearchStrategy[Asked]:
    """Return terms that compare a column with a number."""

    def make(sign: str, value: tuple[str, Any]) -> Asked:
        def holds(file: Shown) -> bool:
            stored = file.size if column == "size" else getattr(file.metadata, column)
            return stored is not None and COMPARISONS[sign](stored, value[1])

        return Asked(f"{field}{sign}{value[0]}", holds)

    return st.builds(make, st.sampled_from(list(COMPARISONS)), values)


def _dated(sign: str, period: str) -> Asked:
    """A period compares like the same number of characters of the date."""

    def holds(file: Shown) -> bool:
        taken = file.metadata.taken_local
        return taken is not None and COMPARISONS[sign](taken[: len(period)], period)

    return Asked(f"taken{sign}{period}", holds)


def _dated_between(one: str, other: str) -> Asked:
    first, last = sorted((one, other))

    def holds(file: Shown) -> bool:
        taken = file.metadata.taken_local
        return taken is not None and taken[: len(first)] >= first and taken[: len(last)] <= last

    return Asked(f"taken:{first}..{last}", holds)


def _of_kinds(kinds: list[str]) -> Asked:
    meant = {kind for word in kinds for kind in (("image", "raw") if word == "photo" else (word,))}
    return Asked(f"kind:{','.join(kinds)}", lambda file: file.kind in meant)


def _with_word(word: str) -> Asked:
    return Asked(word, lambda file: any(token.startswith(word.lower()) for token in file.tokens))


def _named(part: str) -> Asked:
    return Asked(f"name:{part}", lambda file: part.lower() in file.name.lower())


def _fitting(field: str, pattern: str) -> Asked:
    """A pattern for the whole, in which `*` stands for anything."""
    wanted = re.compile(".*".join(re.escape(part) for part in pattern.lower().split("*")))

    def holds(file: Shown) -> bool:
        value = file.name if field == "name" else file.metadata.model
        return value is not None and wanted.fullmatch(value.lower()) is not None

    return Asked(f"{field}:{pattern}", holds)


def _with_phrase(phrase: str) -> Asked:
    """Words one after the other in the name, the last one by its beginning."""
    wanted = re.compile(rf"(?<![0-9a-z]){phrase.lower()}")
    return Asked(phrase, lambda file: wanted.search(file.name.lower()) is not None)


def _negated(asked: Asked) -> Asked:
    return Asked(f"-{asked.text}", lambda file: not asked.holds(file), asked.about_missing)


_PERIODS = st.sampled_from(("2018", "2019", "2019-07", "2020-02", "2020-02-11", "2021-12-28"))
_TERMS = st.one_of(
    _compared("iso", "iso", st.sampled_from([("100", 100), ("800", 800), ("1600", 1600)])),
    _compared("rating", "rating", st.sampled_from([("1", 1), ("3", 3)])),
    _compared("dur", "duration_ms", st.sampled_from([("90000ms", 90_000), ("15000ms", 15_000)])),
    _compared("size", "size", st.sampled_from([("10000000", 10_000_000), ("300000", 300_000)])),
    st.builds(_dated, st.sampled_from(list(COMPARISONS)), _PERIODS),
    st.builds(_dated_between, _PERIODS, _PERIODS),
    st.lists(st.sampled_from((*Kind, "photo")).map(str), min_size=1, max_size=3).map(_of_kinds),
    st.sampled_from(WORDS).map(_with_word),
    st.sampled_from(("img", "_00", "1.", "G_", "nope")).map(_named),
    st.sampled_from(("*_0012.jpg", "IMG_00*.cr2", "*0*3.*", "Song*", "*.flac")).map(
        lambda pattern: _fitting("name", pattern)
    ),
    st.sampled_from(("*EOS*", "E*", "nope*", "*")).map(lambda pattern: _fitting("model", pattern)),
    st.sampled_from(("img_00", "clip_001", "song_0042.m", "IMG_0013.JPG", "img_9")).map(_with_phrase),
    st.sampled_from(("jpg", "CR2", "mp")).map(
        lambda ext: Asked(f"ext:{ext}", lambda file: file.name.lower().endswith(f".{ext.lower()}"))
    ),
    st.just(Asked("tag:family", lambda file: file.tagged)),
    st.just(Asked("path:2019/", lambda file: file.folder.startswith("2019"))),
    st.just(Asked("has:date", lambda file: file.metadata.taken_local is not None)),
    st.just(Asked("missing:yes", lambda file: file.missing, about_missing=True)),
    st.just(Asked("missing:any", lambda _: True, about_missing=True)),
)


def _joined(parts: list[Asked], sign: str, *, negated: bool) -> Asked:
    """A group in parentheses of which all parts must hold, or one."""
    decide = all if sign == " " else any

    def holds(file: Shown) -> bool:
        return decide(part.holds(file) for part in parts) is not negated

    text = f"{'-' if negated else ''}({sign.join(part.text for part in parts)})"
    return Asked(text, holds, any(part.about_missing for part in parts))


_TREES = st.recursive(
    st.one_of(_TERMS, _TERMS.map(_negated)),
    lambda inner: st.builds(
        _joined,
        st.lists(inner, min_size=1, max_size=3),
        st.sampled_from((" ", " or ", " OR ")),
        negated=st.booleans(),
    ),
    max_leaves=6,
)
_FEW = st.sampled_from(((2_000, 50_000), (0, 0), (0, 10**6), (1, 5), (3, 20)))
"""How many files are few, and how many are many."""

_KEYS: dict[str, Callable[[Shown], Any]] = {
    "": lambda file: file.file_id,
    "size": lambda file: file.size,
    "name": lambda file: file.name.lower(),
    "path": lambda file: (file.folder, file.name),
    "taken": lambda file: file.metadata.taken_local,
    "iso": lambda file: file.metadata.iso,
    "rating": lambda file: file.metadata.rating,
    "dur": lambda file: file.metadata.duration_ms,
}


def _evaluate(terms: list[Asked], sort: str, *, falling: bool) -> list[int]:
    """Return what a query finds, by looking at every file."""
    hidden = not any(term.about_missing for term in terms)
    kept = [
        file for file in FILES if all(term.holds(file) for term in terms) and not (hidden and file.missing)
    ]
    key = _KEYS[sort]
    known = sorted(
        (file for file in kept if key(file) is not None), key=lambda file: (key(file), file.file_id)
    )
    unknown = [file for file in kept if key(file) is None]
    backwards = falling and bool(sort)
    return [file.file_id for part in (known, unknown) for file in (reversed(part) if backwards else part)]


@given(
    terms=st.lists(st.tuples(_TERMS, st.booleans()), max_size=3),
    sort=st.sampled_from(list(_KEYS)),
    falling=st.booleans(),
    few=_FEW,
    patience=st.sampled_from((0, 10**6)),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
def test_a_query_finds_what_looking_at_every_file_finds(
    shelf: sqlite3.Connection,
    terms: list[tuple[Asked, bool]],
    sort: str,
    *,
    falling: bool,
    few: tuple[int, int],
    patience: int,
) -> None:
    asked = [_negated(term) if negated else term for term, negated in terms]
    order = f" sort:{sort}{'-' if falling else ''}" if sort else ""
    text = " ".join(term.text for term in asked) + order
    expected = _evaluate(asked, sort, falling=falling)
    query = parse_query(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query_plans, "FEW", few[0])
        patch.setattr(query_plans, "MANY", few[1])
        patch.setattr(answers, "MOST_STEPS", dict.fromkeys(WordsPlan, patience))
        patch.setattr(answers, "_STEPS_BETWEEN_LOOKS", 10)
        assert list(reader.read_order(shelf, query)) == expected, text
        assert reader.count_files(shelf, query) == len(expected), text
        plan = plan_query(shelf, query)
        assert reader.count_files(shelf, query, plan) == len(expected), text
        assert reader.read_ids(shelf, plan, 0, NUMBER) == expected, text
        assert reader.read_ids(shelf, plan, 1, 4, backwards=True) == expected[:-1][-4:], text


@given(
    alternatives=st.lists(st.lists(_TREES, min_size=1, max_size=2), min_size=1, max_size=3),
    sort=st.sampled_from(list(_KEYS)),
    falling=st.booleans(),
    begin=_FEW,
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_or_binds_weaker_than_and_and_parentheses_bind_strongest(
    shelf: sqlite3.Connection,
    alternatives: list[list[Asked]],
    sort: str,
    *,
    falling: bool,
    begin: tuple[int, int],
) -> None:
    conjunctions = [_joined(parts, " ", negated=False) for parts in alternatives]
    whole = _joined(conjunctions, " or ", negated=False)
    order = f" sort:{sort}{'-' if falling else ''}" if sort else ""
    text = " or ".join(" ".join(part.text for part in parts) for parts in alternatives) + order
    expected = _evaluate([whole], sort, falling=falling)
    query = parse_query(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query_plans, "FEW", begin[0])
        patch.setattr(query_plans, "MANY", begin[1])
        assert list(reader.read_order(shelf, query)) == expected, text
        assert reader.count_files(shelf, query) == len(expected), text
        assert reader.read_ids(shelf, plan_query(shelf, query), 2, 5) == expected[2:7], text


@given(words=st.lists(st.text(min_size=1, max_size=6), max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
def test_what_is_typed_is_a_value_never_sql(shelf: sqlite3.Connection, words: list[str]) -> None:
    """The statement for quoted words is the same whatever they are: they are handed over, not written into it."""
    quoted = [word.replace('"', "") or "x" for word in words]
    text = " ".join(f'name:"{word}"' for word in quoted)
    plain = " ".join('name:"x"' if word.isascii() else 'name:"é"' for word in quoted)
    for compiled, model in zip(
        (
            *compile_query(plan_query(shelf, parse_query(text))),
            compile_count(plan_query(shelf, parse_query(text))),
        ),
        (
            *compile_query(plan_query(shelf, parse_query(plain))),
            compile_count(plan_query(shelf, parse_query(plain))),
        ),
        strict=True,
    ):
        assert compiled.ids() == model.ids()
        assert compiled.ids().count("?") == len(compiled.values)


def test_edits_count_as_what_is_there(shelf: sqlite3.Connection) -> None:
    query = parse_query("iso:6400 nevermore")
    assert list(reader.read_order(shelf, query)) == []
    shelf.execute("SAVEPOINT here")
    edits.set_edit(shelf, 1, "iso", 6400, NOW)
    edits.set_edit(shelf, 1, "title", "Nevermore", NOW)
    found_ids = list(reader.read_order(shelf, parse_query("iso:6400 nevermore missing:any")))
    shelf.execute("ROLLBACK TO here")
    assert found_ids == [1]


@pytest.mark.parametrize("field", ["model", "lens"])
def test_a_value_that_only_a_missing_file_has_is_found(shelf: sqlite3.Connection, field: str) -> None:
    shelf.execute("SAVEPOINT here")
    shelf.execute(f"UPDATE file SET {field} = 'Nokia 808', missing_since = ? WHERE id = 1", (NOW,))
    found_ids = list(reader.read_order(shelf, parse_query(f"{field}:nokia missing:any")))
    shelf.execute("ROLLBACK TO here")
    assert found_ids == [1]
