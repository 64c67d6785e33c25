"""How long queries take on a library: `python benchmarks/queries.py LIBRARY [--only PART]`.

Each query is asked as the table asks it, on a fresh connection: the first page of 100 rows in its order, and the count of
the whole result. Beside them a plain peer, the count of the same condition by reading the whole table. Processor time in
milliseconds, the middle one of three; make the library with `make_library.py`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tui.library.connections import connect_reading
from tui.library.query import parse_query
from tui.library.query_plans import plan_query
from tui.library.query_sql import compile_count
from tui.library.reader import count_files, read_ids
from tui.library.rows import read_rows
from tui.library.words import WordsPlan

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

PAGE = 100
ROUNDS = 3

LIMITS_MS = {"words": 50, "many words": 150, "filters and sort": 100}
"""What the first page must reach, by class; the count of the whole result has 500 ms."""

COUNT_LIMIT_MS = 500
MANY = 50_000
"""Files from which on words count as many."""

WORDS = (
    "lisbon",
    "zürich",
    "img_0412",
    "pxl",
    "beach sunset",
    "wedding kyoto",
    "nikon d850",
    '"eos r6"',
    "nov",
    "trom",
    "h",
    "camera:sony",
    "lens:rf50",
    "artist:stars",
    "album:castle",
    "keyword:night",
    "beach -sunset",
    "castle or bridge",
    "naxos sort:name",
    "harbour sort:size-",
    "garden sort:taken-",
    "lisbon sort:taken-",
    "jpg sort:taken-",
    "img_0412 sort:taken-",
    "img_24 sort:taken-",
    "beach sunset sort:taken-",
    "wedding kyoto sort:taken-",
    "artist:stars sort:taken-",
    "keyword:night sort:taken-",
    '"eos r6" sort:taken-',
    "tromsø harb sort:taken-",
    "img_2 sort:taken-",
    "img_2",
)
"""Queries of words and beginnings of words, in the order of the ids and in that of the table."""

FILTERS = (
    "",
    "sort:taken-",
    "sort:name",
    "sort:size-",
    "sort:path",
    "kind:image sort:taken-",
    "kind:raw taken:2019 sort:taken",
    "kind:video dur>5min sort:dur-",
    "kind:audio bpm:120..128 sort:artist",
    "kind:image rating>=4 sort:taken-",
    "iso>800 taken:2015..2016 sort:taken-",
    "iso:3200 f<2.8 sort:size-",
    'model:"NIKON D850" rating:5 sort:taken',
    "model:x-t3 iso>=1600 sort:taken-",
    "lens:24-70 sort:taken-",
    'lens="RF50mm F1.8 STM" rating:5 sort:name',
    "ext:cr2 size>30MB sort:size-",
    "ext:flac year:1977 sort:album",
    "size>1GB sort:size-",
    "size:1MB..1001kB sort:name",
    "lat:40..44 lon:-10..-6 sort:taken-",
    "has:gps sort:taken-",
    "-has:gps kind:image sort:name",
    "tag:family sort:taken-",
    'tag:"calendar 2024" kind:raw sort:taken',
    "tag:best -tag:draft sort:rating-",
    "dup:yes sort:size-",
    "dup:yes kind:video sort:taken-",
    "problem:yes sort:name",
    "missing:yes sort:taken-",
    "ext:cr2 sort:taken-",
    "ext:tiff sort:taken-",
    "lens:no-such sort:size-",
    "height<4000 kind:image sort:name",
    "iso:100 sort:iso-",
    "path:lisbon sort:taken-",
    "path:/srv/media/2019 sort:taken-",
    "path:/srv/media/2019 kind:video sort:size-",
    "name:*_0412.jpg sort:name",
    "genre:jazz year:1977 sort:artist",
    "artist:stars genre:folk sort:year",
    "beach iso>800 sort:taken-",
    "lisbon kind:video sort:dur-",
    "year:2019 or (-has:year taken:2019)",
    "kind:image iso:50 sort:taken-",
    "width>6000 sort:taken-",
    "focal:14 exposure>0.03 sort:taken-",
)
"""Queries of filters, with and without a sort."""


class Measured(NamedTuple):
    """What one query took, milliseconds of processor time."""

    text: str
    kind: str
    page: float
    count: float
    peer: float
    found: int


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("library")
    parser.add_argument("--only", default="", help="only queries with this text in them")
    parser.add_argument(
        "--no-table", action="store_true", help="leave out the peer, which takes most of the time"
    )
    arguments = parser.parse_args()
    path = os.fsencode(arguments.library)
    print(f"{'query':<46}{'found':>10}{'page ms':>10}{'count ms':>10}{'table ms':>10}")
    measured = []
    for text in (*WORDS, *FILTERS):
        if arguments.only in text:
            measured.append(measure(path, text, with_table=not arguments.no_table))
            row = measured[-1]
            print(
                f"{row.text or '(all)':<46}{row.found:>10,}{row.page:>10.1f}{row.count:>10.1f}{row.peer:>10.1f}",
                flush=True,
            )
    for kind, limit in LIMITS_MS.items():
        report(f"first page, {kind}", [row.page for row in measured if row.kind == kind], limit)
    report("count of the whole result", [row.count for row in measured], COUNT_LIMIT_MS)
    report("the same by reading the table", [row.peer for row in measured], COUNT_LIMIT_MS)


def measure(path: bytes, text: str, *, with_table: bool) -> Measured:
    """Return what a query takes."""
    page = median(path, lambda db: read_page(db, text))
    found = 0

    def count(db: sqlite3.Connection) -> None:
        nonlocal found
        found = count_files(db, parse_query(text))

    counted = median(path, count)
    peer = median(path, lambda db: count_by_table(db, text)) if with_table else 0.0
    kind = "filters and sort"
    if text in WORDS:
        kind = "many words" if found > MANY else "words"
    return Measured(text, kind, page, counted, peer, found)


def median(path: bytes, ask: Callable[[sqlite3.Connection], object]) -> float:
    """Return the middle processor time of asking, each time on a fresh connection."""
    times = []
    for _ in range(ROUNDS):
        with closing(connect_reading(path)) as db:
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            began = time.thread_time()
            ask(db)
            times.append((time.thread_time() - began) * 1000)
    return statistics.median(times)


def read_page(db: sqlite3.Connection, text: str) -> None:
    """Read the first rows, as a view of the library does."""
    read_rows(db, read_ids(db, plan_query(db, parse_query(text)), 0, PAGE))


def count_by_table(db: sqlite3.Connection, text: str) -> None:
    """Count what the query finds by reading every row of the table."""
    plan = replace(plan_query(db, parse_query(text)), words=WordsPlan.SET, begin=(), listed="")
    statement = compile_count(plan)
    db.execute(f"SELECT count(*) FROM file NOT INDEXED WHERE {statement.where}", statement.values).fetchone()


def report(title: str, times: Sequence[float], limit: int) -> None:
    """Print the middle and the 95th percentile of some times."""
    if times:
        ordered = sorted(times)
        high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
        print(
            f"{title} ({len(ordered)}): median {statistics.median(ordered):.1f} ms, 95th percentile {high:.1f} ms (limit {limit})"
        )


if __name__ == "__main__":
    main()
