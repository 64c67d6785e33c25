"""Make a library of N believable files without any media: `python benchmarks/make_library.py N FILE`.

Everything goes in through the library's own functions, so that it also measures them. The same N gives the
same library: photos, films and songs as ten scans found them, copies, tags, files that are missing or cannot be read.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from tui.library import files, problems, roots, scans, search_index, stages, tags
from tui.library.database import Library
from tui.records import (
    Extraction,
    Fingerprint,
    FoundFile,
    Kind,
    Metadata,
    Problem,
    ScanCounters,
    ScanState,
    Stage,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from tui.library.roots import Root
    from tui.library.writer import Writer
    from tui.records import FileJob

CAMERAS = (
    ("Canon", "Canon EOS 5D Mark IV", "EF24-105mm f/4L IS USM"),
    ("Canon", "Canon EOS R6", "RF50mm F1.8 STM"),
    ("NIKON CORPORATION", "NIKON D850", "AF-S NIKKOR 24-70mm f/2.8E ED VR"),
    ("NIKON CORPORATION", "NIKON Z 6", "NIKKOR Z 24-70mm f/4 S"),
    ("SONY", "ILCE-7M3", "FE 24-70mm F2.8 GM"),
    ("SONY", "DSC-RX100M3", "24-70mm F1.8-2.8"),
    ("FUJIFILM", "X-T3", "XF16-55mmF2.8 R LM WR"),
    ("Apple", "iPhone 8", "iPhone 8 back camera 3.99mm f/1.8"),
    ("Apple", "iPhone 12 Pro", "iPhone 12 Pro back triple camera 4.2mm f/1.6"),
    ("Google", "Pixel 6", "Pixel 6 back camera 6.81mm f/1.85"),
    ("Panasonic", "DMC-GX80", "LUMIX G VARIO 12-32/F3.5-5.6"),
    ("OLYMPUS CORPORATION", "E-M10MarkII", "OLYMPUS M.14-42mm F3.5-5.6 EZ"),
)
PLACES = (
    "Lisbon",
    "Oslo",
    "Berlin",
    "Paris",
    "Kyoto",
    "Wien",
    "Zürich",
    "Rome",
    "Porto",
    "Naxos",
    "Tromsø",
    "Cork",
)
EVENTS = (
    "Birthday",
    "Wedding",
    "Hike",
    "Beach",
    "Garden",
    "Concert",
    "Snow",
    "Zoo",
    "Market",
    "Family",
    "Harbour",
    "Trip",
)
WORD_LIST = """
beach sunset family snow mountain lake forest portrait street night macro bird dog cat food car train boat city
river bridge castle museum party friends baby school sport bike run swim sail fire moon stars clouds rain autumn
spring summer winter flower tree garden window door stairs roof tower church market
"""
WORDS = tuple(WORD_LIST.split())
GENRES = ("Rock", "Jazz", "Classical", "Electronic", "Folk", "Hip-Hop", "Ambient", "Soul")
TAGS = ("family", "best", "print", "draft", "to sort", "holiday", "work", "calendar 2024")
PROBLEMS = ("File format error", "Truncated file", "Timed out after 120 s", "Unknown file type")
SCANS = 10
DAY_NS = 86_400 * 10**9
FIRST_SCAN_NS = 1_700_000_000 * 10**9
BATCH = 2_000


def fake_folders(number: int, rng: random.Random) -> Iterator[tuple[bytes, list[FoundFile]]]:
    """Yield folders with found files in them, `number` files in all."""
    inode = 1_000
    originals: list[FoundFile] = []
    while number > 0:
        in_folder = min(number, rng.randint(20, 900))
        number -= in_folder
        year, month = rng.randint(2001, 2024), rng.randint(1, 12)
        music = rng.random() < 0.12
        if music:
            folder = f"Music/{rng.choice(WORDS).title()} {rng.choice(EVENTS)}/{year} {rng.choice(WORDS).title()} {number}"
        else:
            folder = f"{year}/{month:02} {rng.choice(PLACES)}/{rng.choice(EVENTS)} {number}"
        start, found = rng.randint(0, 9_000), []
        for index in range(in_folder):
            inode += rng.randint(1, 3)
            mtime_ns = (1_000_000_000 + (year - 2001) * 31_556_952 + index * 60) * 10**9
            name, kind, size = fake_name(music, index, start, year, month, rng)
            if originals and rng.random() < 0.03:
                original = rng.choice(originals)
                copy = b"copy %d of %s" % (index, original.name)
                found.append(FoundFile(copy, original.kind, original.size, original.mtime_ns, inode, 1))
                continue
            found.append(FoundFile(name.encode(), kind, size, mtime_ns, inode, 1))
            if rng.random() < 0.05:
                originals.append(found[-1])
        yield folder.encode(), found


def fake_name(
    music: bool, index: int, start: int, year: int, month: int, rng: random.Random
) -> tuple[str, Kind, int]:
    """Return a file name with its kind and a size that fits."""
    if music:
        name = f"{index + 1:02} {rng.choice(WORDS).title()} of {rng.choice(WORDS).title()} {index}.flac"
        return name, Kind.AUDIO, rng.randint(8_000_000, 60_000_000)
    draw = rng.random()
    if draw < 0.06:
        return f"MVI_{start + index:04}.MP4", Kind.VIDEO, rng.randint(5_000_000, 2_000_000_000)
    if draw < 0.25:
        return f"IMG_{start + index:04}.CR2", Kind.RAW, rng.randint(20_000_000, 35_000_000)
    if draw < 0.5:
        name = f"PXL_{year}{month:02}{rng.randint(1, 28):02}_{rng.randint(0, 235959):06}{index:03}.jpg"
        return name, Kind.IMAGE, rng.randint(1_000_000, 5_000_000)
    return f"IMG_{start + index:04}.JPG", Kind.IMAGE, rng.randint(2_000_000, 12_000_000)


def fake_fingerprint(job: FileJob) -> Fingerprint:
    """Return a fingerprint that a file shares with its copies only: those have its size and time."""
    quick = hashlib.blake2b(b"%d %d" % (job.size, job.mtime_ns), digest_size=16).digest()
    return Fingerprint(job.file_id, job.size, job.mtime_ns, quick)


def fake_extraction(job: FileJob, rng: random.Random) -> Extraction:
    """Return metadata that fits a file; some cannot be read."""
    if rng.random() < 0.002:
        return Extraction(job.file_id, job.size, job.mtime_ns, "", error=rng.choice(PROBLEMS))
    if job.kind is Kind.AUDIO:
        metadata = Metadata(
            mime="audio/flac", container="FLAC", codec="FLAC", duration_ms=rng.randint(90_000, 480_000),
            title=f"{rng.choice(WORDS)} {rng.choice(WORDS)}", artist=f"The {rng.choice(WORDS).title()}s",
            album=rng.choice(WORDS).title(), genre=rng.choice(GENRES), year=rng.randint(1960, 2024),
            track=rng.randint(1, 14), bit_rate=900_000, sample_rate=44_100, channels=2, bpm=float(rng.randint(60, 180)),
        )  # fmt: skip
    else:
        make, model, lens = rng.choice(CAMERAS)
        video = job.kind is Kind.VIDEO
        placed = rng.random() < 0.35
        metadata = Metadata(
            mime="video/mp4" if video else "image/jpeg", width=6000, height=4000, orientation=1, make=make, model=model,
            lens=lens, duration_ms=rng.randint(1_000, 600_000) if video else None,
            taken_local=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(job.mtime_ns // 10**9 - rng.randint(0, 86_400))),
            date_source="EXIF:DateTimeOriginal", iso=rng.choice((100, 200, 400, 800, 1600, 3200)),
            f_number=rng.choice((1.8, 2.8, 4.0, 5.6, 8.0)), exposure=1 / rng.choice((30, 60, 125, 250, 500)),
            focal_length=float(rng.randint(14, 200)), latitude=rng.uniform(35, 60) if placed else None,
            longitude=rng.uniform(-10, 30) if placed else None, rating=rng.randint(1, 5) if rng.random() < 0.1 else None,
            keywords=tuple(rng.sample(WORDS, rng.randint(0, 4))), place=rng.choice(PLACES) if placed else None,
        )  # fmt: skip
    said = {f"EXIF:{word.title()}": rng.randint(0, 10_000) for word in rng.sample(WORDS, 40)}
    return Extraction(
        job.file_id, job.size, job.mtime_ns, "exiftool 12.57", metadata, json.dumps(said).encode()
    )


async def make_library(number: int, path: str) -> None:
    """Make a library of `number` files at `path`, which must not exist, and say how long each step took."""
    rng = random.Random(number)
    async with await Library.open(path) as library:
        writer = library.writer
        root = await writer.run(lambda db: roots.add_root(db, b"/srv/media", file_system="uuid:demo"))
        began = time.perf_counter()
        await add_files(writer, root, number, rng)
        report("files", number, began)
        began = time.perf_counter()
        connection = library.connect_read_only()
        try:
            while jobs := stages.pending_metadata(connection, root.root_id, limit=BATCH):
                extractions = [fake_extraction(job, rng) for job in jobs]
                await writer.run(partial(stages.save_extractions, extractions=extractions))
                prints = [fake_fingerprint(job) for job in jobs]
                await writer.run(partial(stages.save_fingerprints, fingerprints=prints))
            report("metadata and fingerprints", number, began)
            began = time.perf_counter()
            alike = stages.alike_without_full_fingerprint(connection, [root.root_id])
            jobs = stages.pending_full_fingerprints(connection, alike)
        finally:
            connection.close()
        await writer.run(partial(add_full_fingerprints, jobs=jobs, rng=rng))
        await writer.run(partial(add_human_touches, number=number, rng=rng))
        begin = True
        while await writer.run(partial(search_index.merge_step, begin=begin)):
            begin = False
        report("copies, tags, problems, missing files", number, began)


async def add_files(writer: Writer, root: Root, number: int, rng: random.Random) -> None:
    """Put the files into the library as `SCANS` scans found them: half of them the first, the rest bit by bit."""
    added = before = scan = 0
    for folder, found in fake_folders(number, rng):
        now_ns = FIRST_SCAN_NS + scan * 30 * DAY_NS
        await writer.submit(
            partial(add_folder, root=root, path=folder, found=found, now_ns=now_ns), rows=len(found)
        )
        added += len(found)
        if added >= number * (scan + SCANS) / (2 * SCANS - 1) or added == number:
            counters = ScanCounters(files=added, new=added - before, unchanged=before)
            await writer.run(partial(add_scan, root=root, now_ns=now_ns, counters=counters))
            scan, before = scan + 1, added
    await writer.flush()


def add_folder(
    db: sqlite3.Connection, root: Root, path: bytes, found: Sequence[FoundFile], now_ns: int
) -> None:
    """Put a folder with its files into the library."""
    files.insert_files(db, files.add_folder(db, root.root_id, path, None), found, now_ns)


def add_scan(db: sqlite3.Connection, root: Root, now_ns: int, counters: ScanCounters) -> None:
    """Put a scan that took an hour on record."""
    scan_id = scans.start_scan(db, root.root_id, root.path, now_ns=now_ns)
    scans.finish_scan(db, scan_id, ScanState.COMPLETED, counters, now_ns=now_ns + 3600 * 10**9)


def add_full_fingerprints(db: sqlite3.Connection, jobs: Sequence[FileJob], rng: random.Random) -> None:
    """Say of most files with a twin that all of their content is the same, and of some that it is not."""
    prints = []
    for job in jobs:
        same = hashlib.blake2b(b"all %d %d" % (job.size, job.mtime_ns), digest_size=16).digest()
        full = same if rng.random() < 0.95 else rng.randbytes(16)
        prints.append(Fingerprint(job.file_id, job.size, job.mtime_ns, full=full))
    stages.save_fingerprints(db, prints)


def add_human_touches(db: sqlite3.Connection, number: int, rng: random.Random) -> None:
    """Give tags to one file in twelve, let one in a hundred be missing, and some folders be unreadable."""
    for rank, name in enumerate(TAGS, 1):
        tags.add_tag(db, rng.sample(range(1, number + 1), max(1, number // (20 * rank))), name)
    files.set_missing(db, rng.sample(range(1, number + 1), number // 100), FIRST_SCAN_NS + 300 * DAY_NS)
    for index in range(max(1, number // 100_000)):
        problem = Problem(b"/srv/media/locked %d" % index, Stage.WALK, "Permission denied")
        problems.record_problem(db, problem, now_ns=FIRST_SCAN_NS + 300 * DAY_NS)


def report(what: str, number: int, began: float) -> None:
    """Print how long a step took."""
    seconds = time.perf_counter() - began
    print(f"{what}: {seconds:.1f} s, {number / seconds:,.0f} files/s", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    asyncio.run(make_library(int(sys.argv[1]), sys.argv[2]))
