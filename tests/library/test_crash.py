"""A writing process is killed at any instant: what was committed is whole, and the next one goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from tests.library.faults import find_faults
from tui.library.connections import connect_writing
from tui.library.database import Library, create_library

_WRITING = """
import asyncio, os, sys, time
from tui.library import files, roots, stages
from tui.library.database import Library
from tui.records import Extraction, FoundFile, Kind, Metadata

async def main():
    library = await Library.open(sys.argv[1], write_batch_size=50, write_batch_ms=1)
    root_id = (await library.writer.run(lambda db: roots.add_root(db, b"/srv"))).root_id
    start = await library.writer.run(lambda db: db.execute("SELECT count(*) FROM folder").fetchone()[0])
    print("ready", flush=True)
    for folder in range(start, start + 100_000):
        def add(db, folder=folder):
            found = [FoundFile(b"%d.jpg" % n, Kind.IMAGE, n, n, n) for n in range(20)]
            files.insert_files(db, files.add_folder(db, root_id, b"f%d" % folder, None), found, folder)
        await library.writer.submit(add, rows=20)
        if folder % 3 == 0:
            def extract(db):
                jobs = stages.pending_metadata(db, root_id, limit=40)
                stages.save_extractions(db, [
                    Extraction(j.file_id, j.size, j.mtime_ns, "x", Metadata(title="t"), b"{}") for j in jobs])
            await library.writer.submit(extract, rows=40)

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(3))
async def test_killed_while_it_writes(path: bytes, seed: int) -> None:
    rng = random.Random(seed)
    create_library(path)
    folders = 0
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", _WRITING, path], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(rng.uniform(0.0, 0.2))  # the instant of the kill: any will do
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with closing(connect_writing(path)) as db:
            assert list(find_faults(db)) == []
            # a folder comes with its twenty files or not at all
            odd = db.execute(
                "SELECT folder.id FROM folder LEFT JOIN file ON file.folder_id = folder.id WHERE folder.path <> x'' "
                "GROUP BY folder.id HAVING count(file.id) <> 20"
            ).fetchall()
            assert odd == []
            (now,) = db.execute("SELECT count(*) FROM folder").fetchone()
        assert now >= folders
        folders = now
    async with await Library.open(path) as library:
        assert await library.writer.run(lambda db: db.execute("SELECT count(*) FROM folder").fetchone()) == (
            folders,
        )
    assert os.listdir(os.path.dirname(path))
