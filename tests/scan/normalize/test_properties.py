"""Whatever JSON says: nothing is raised, and every field is of its type and within its range."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scan.normalize.invariants import check
from tui.records import Kind
from tui.scan.normalize import (
    dates,
    exiftool,
    mutagen,
    positions,
    streams,
    words,
)
from tui.scan.normalize.exiftool import metadata_from_exiftool
from tui.scan.normalize.mutagen import metadata_from_mutagen

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def find_names(value: object) -> set[str]:
    """Return every text that looks like the name of a tag in the tables of a module."""
    if isinstance(value, str):
        return {value} if re.fullmatch(r"\w+:[\w-]+|[\w©:. /]+", value) else set()
    if isinstance(value, dict):
        return find_names(tuple(value)) | find_names(tuple(value.values()))
    if isinstance(value, tuple | list | frozenset):
        return set().union(*(find_names(item) for item in value))
    return set()


TAGS = sorted(
    name
    for module in (
        exiftool,
        dates,
        streams,
        positions,
        words,
    )
    for table in vars(module).values()
    for name in find_names(table)
    if ":" in name
)
TRACK_TAGS = sorted(
    {f"Track{n}:{tag.partition(':')[2]}" for tag in TAGS for n in (1, 2)} | {"Track1:HandlerType"}
)
SONG_TAGS = sorted(name for table in vars(mutagen).values() for name in find_names(table))

texts = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="0123456789:-+. TZ/e", max_size=30),
    st.from_regex(
        r"[0-9]{4}:[0-9]{2}:[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([+-][0-9]{2}:[0-9]{2}|Z)?",
        fullmatch=True,
    ),
    st.sampled_from(
        [
            "1e999",
            "-1",
            "0",
            "007",
            "inf",
            "nan",
            "undef",
            "\x00",
            "\ud800",
            "a\udfffb",
            "x" * 100_000,
            "1 2 3 4",
            "0 0",
            "²",
        ]
    ),
    st.text(alphabet=st.characters(codec=None), max_size=20),
)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.just(10**400), st.just(-(10**400))
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
kinds = st.sampled_from(list(Kind))
paths = st.binary(max_size=60) | st.from_regex(rb"/a/IMG_[0-9]{8}_[0-9]{6}\.jpg", fullmatch=True)


@settings(max_examples=120, deadline=None)
@given(
    st.dictionaries(
        st.one_of(st.sampled_from(TAGS), st.sampled_from(TRACK_TAGS), texts), values, max_size=12
    ),
    paths,
    kinds,
    st.integers(min_value=0, max_value=2**62),
    st.integers(min_value=-(2**62), max_value=2**62),
)
def test_exiftool_may_say_anything(
    tags: dict[str, object], path: bytes, kind: Kind, size: int, mtime_ns: int
) -> None:
    check(metadata_from_exiftool(tags, path=path, kind=kind, size=size, mtime_ns=mtime_ns, now=NOW))


@settings(max_examples=120, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": values,
            "mime": values,
            "info": st.one_of(
                values,
                st.dictionaries(
                    st.sampled_from(["length", "bitrate", "sample_rate", "channels", "layer", "codec"]),
                    values,
                ),
            ),
            "tags": st.one_of(values, st.dictionaries(st.sampled_from(SONG_TAGS), values, max_size=12)),
        },
    ),
    st.integers(min_value=0, max_value=2**62),
)
def test_mutagen_may_say_anything(answer: dict[str, object], size: int) -> None:
    check(metadata_from_mutagen(answer, size=size))


def test_every_tag_is_read_whatever_its_value() -> None:
    assert len(TAGS) > 150
    for value in (
        "1",
        "2019:07:03 18:22:11",
        "x" * 200_000,
        ["a", "b"],
        {"a": "b"},
        None,
        10**400,
        True,
        "\ud800",
    ):
        for kind in Kind:
            check(
                metadata_from_exiftool(
                    dict.fromkeys(TAGS, value), path=b"/x", kind=kind, size=1, mtime_ns=0, now=NOW
                )
            )
