"""Whole scans through the service, with the real ExifTool and real media."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.media import jpeg_bytes, make_encoded, make_jpeg, make_wav, write_file
from tests.scan.engine import Engine
from tui.errors import LibraryError, RootUnavailableError, UsageError
from tui.records import ScanState, Stage
from tui.scan.service import ScanRequest, ScanService
from tui.scan.walk_stage import WalkStage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path


FILES = 120
"""Enough that one exiftool is still at work when its first outcomes are committed."""


def children() -> set[int]:
    """Return the processes that this one started and that still run."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return {int(line.split()[0]) for line in listed.stdout.splitlines() if "ps" not in line.split()[1:]}


async def state_of(engine: Engine, column: str = "metadata_state") -> dict[str, int]:
    return dict(await engine.rows(f"SELECT display_name, {column} FROM file"))


async def test_a_mixed_folder_is_catalogued_with_metadata(tmp_path: Path) -> None:
    root = tmp_path / "media"
    make_jpeg(root / "photos/beach.jpg", 1, gps=(38.7, -9.14), model="Canon EOS 5D Mark IV")
    make_encoded(root / "music/song.mp3", 1, title="Fado", artist="Amália")
    make_encoded(root / "film.mp4", 2)
    make_wav(root / "noise.wav")
    async with Engine.open(tmp_path) as engine:
        summary = await engine.scan(root)
        assert summary.state == ScanState.COMPLETED
        counts = summary.counters
        assert (counts.files, counts.new, counts.metadata_done, counts.problems) == (4, 4, 4, 0)
        assert counts.fingerprints_done == 4
        rows = await engine.rows(
            "SELECT display_name, kind, model, title, artist, duration_ms, taken_local, latitude, longitude FROM file"
        )
        found = {row[0]: row[1:] for row in rows}
        assert found["beach.jpg"][:2] == ("image", "Canon EOS 5D Mark IV")
        assert found["beach.jpg"][5] == "2019-07-03T18:22:11"
        assert found["beach.jpg"][6:] == (pytest.approx(38.7, abs=1e-3), pytest.approx(-9.14, abs=1e-3))
        assert found["song.mp3"][2:4] == ("Fado", "Amália")
        assert 400 <= found["film.mp4"][4] <= 600
        assert found["noise.wav"][4] == 100
        assert await engine.rows("SELECT rowid FROM search WHERE search MATCH 'beach*'")
    assert children() == set()


async def test_a_second_scan_reads_nothing_and_writes_no_file_row(tmp_path: Path) -> None:
    root = tmp_path / "media"
    for number in range(5):
        make_jpeg(root / f"{number}.jpg", number)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root)
        before = await engine.dump("file", "extracted", "folder", "problem")
        summary = await engine.scan(root)
        assert (
            summary.counters.unchanged,
            summary.counters.metadata_done,
            summary.counters.fingerprints_done,
        ) == (5, 0, 0)
        assert await engine.dump("file", "extracted", "folder", "problem") == before


async def test_a_changed_file_is_read_again_and_alone(tmp_path: Path) -> None:
    root = tmp_path / "media"
    make_jpeg(root / "a.jpg", 1, model="Old")
    make_jpeg(root / "b.jpg", 2)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root)
        make_jpeg(root / "a.jpg", 1, model="A much newer camera")
        summary = await engine.scan(root)
        assert (summary.counters.changed, summary.counters.metadata_done) == (1, 1)
        assert await engine.rows("SELECT model FROM file WHERE display_name = 'a.jpg'") == [
            ("A much newer camera",)
        ]


async def test_what_cannot_be_read_is_a_problem_and_the_rest_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "media"
    make_jpeg(root / "good.jpg", 1)
    write_file(root / "empty.jpg", b"")
    write_file(root / "text.jpg", b"this is no picture at all\n" * 10)
    write_file(root / "damaged.mp3", b"\x00" * 4000)
    os.mkfifo(root / "pipe.jpg")
    async with Engine.open(tmp_path) as engine:
        summary = await engine.scan(root)
        assert summary.state == ScanState.COMPLETED
        counts = summary.counters
        assert counts.metadata_done + counts.metadata_failed == counts.files == 4
        states = await state_of(engine)
        assert states["good.jpg"] == 1
        assert states["empty.jpg"] == 2
        problems = await engine.rows(
            "SELECT f.display_name, p.path, p.stage, p.message FROM problem p LEFT JOIN file f ON f.id = p.file_id"
        )
        named = {name or os.path.basename(path).decode() for name, path, _, _ in problems}
        assert {"empty.jpg", "damaged.mp3", "pipe.jpg"} <= named
        assert all(message for *_, message in problems)
        again = await engine.scan(root)
        assert again.counters.metadata_failed == 0, "a failed file is not tried again by itself"
        retried = await engine.scan(root, retry_failed=True)
        assert retried.counters.metadata_failed == counts.metadata_failed


async def test_names_that_inject_options_do_nothing_and_are_catalogued(tmp_path: Path) -> None:
    root = tmp_path / "media"
    marker = tmp_path / "PWNED"
    names = [
        f'x\n-if\nsystem("touch {str(marker).replace("/", chr(0x2215))}");1\nvictim.jpg'.encode(),
        b"x\n-all=\nvictim.jpg",
        b"\nlead.jpg",
        b"-ver.jpg",
        b"#[CSTR]x.jpg",
        b"caf\xe9.jpg",
        b" lead space.jpg",
        b"$x@y.jpg",
        b"x\n-execute\n.jpg",
        b"x\n-stay_open\nFalse\n.jpg",
        b"trail\r.jpg",
    ]
    for number, name in enumerate(names):
        make_jpeg(os.path.join(os.fsencode(root), name), number)
    make_jpeg(root / "plain.jpg", 99, model="Plain")
    before = {name: (root / os.fsdecode(name)).read_bytes() for name in names}
    async with Engine.open(tmp_path) as engine:
        summary = await engine.scan(root)
        assert summary.counters.metadata_done == len(names) + 1
        assert await engine.rows("SELECT model FROM file WHERE display_name = 'plain.jpg'") == [("Plain",)]
        assert {name for (name,) in await engine.rows("SELECT name FROM file")} == {*names, b"plain.jpg"}
        dates = await engine.rows("SELECT DISTINCT taken_local FROM file")
        assert dates == [("2019-07-03T18:22:11",)]
    assert not marker.exists()
    assert {name: (root / os.fsdecode(name)).read_bytes() for name in names} == before
    assert len(os.listdir(root)) == len(names) + 1


async def test_an_abort_keeps_what_is_finished_and_the_next_scan_does_the_rest(
    tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    root = tmp_path / "media"
    for number in range(FILES):
        write_file(root / f"{number % 7}/{number}.jpg", jpeg_bytes(number % 5) + str(number).encode())
    async with Engine.open(tmp_path, max_workers=1) as engine:
        await engine.service.start(ScanRequest((os.fsencode(root),)))
        await wait_until(lambda: engine.snapshot.counters.metadata_done > 0)
        engine.service.abort()
        summary = await engine.service.wait()
        assert summary.state == ScanState.ABORTED
        done = summary.counters.metadata_done
        assert 0 < done < FILES
        assert list((await state_of(engine)).values()).count(1) == done, "what was counted is committed"
        assert children() == set()
        assert await engine.rows("SELECT state FROM scan ORDER BY id DESC LIMIT 1") == [("aborted",)]
        rest = await engine.scan(root)
        assert rest.state == ScanState.COMPLETED
        assert rest.counters.metadata_done + done == FILES, "nothing is read twice and nothing is left out"
        assert set((await state_of(engine)).values()) == {1}
        assert set((await state_of(engine, "fingerprint_state")).values()) == {1}


@pytest.mark.parametrize("after_files", [0, 1, 30])
async def test_an_abort_at_any_time_leaves_a_library_that_the_next_scan_completes(
    tmp_path: Path, wait_until: Callable[..., Any], after_files: int
) -> None:
    root = tmp_path / "media"
    for number in range(40):
        write_file(root / f"{number % 5}/{number}.jpg", jpeg_bytes(number % 5) + str(number).encode())
    async with Engine.open(tmp_path) as engine:
        await engine.service.start(ScanRequest((os.fsencode(root),)))
        await wait_until(lambda: engine.snapshot.counters.files >= after_files)
        engine.service.abort()
        await engine.service.wait()
        await engine.scan(root)
        assert set((await state_of(engine)).values()) == {1}
        assert await engine.rows("SELECT count(*) FROM file") == [(40,)]


async def test_an_abort_on_a_full_disk_ends_and_says_why(
    tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    root = tmp_path / "media"
    for number in range(400):
        write_file(root / f"{'long name ' * 8}{number}.jpg", b"x")
    async with Engine.open(tmp_path) as engine:
        await engine.library.writer.run(lambda db: grow_by_at_most(db, 4))
        await engine.service.start(ScanRequest((os.fsencode(root),), only=Stage.WALK))
        await wait_until(lambda: "is full" in engine.snapshot.note)
        engine.service.abort()
        async with asyncio.timeout(20):
            summary = await engine.service.wait()
        assert summary.state == ScanState.FAILED
        assert "is full" in summary.error
        await engine.library.writer._connection.transact(lambda db: grow_by_at_most(db, 10_000))


def grow_by_at_most(db: sqlite3.Connection, pages: int) -> None:
    """Make the disk full for the library when it has grown by some pages."""
    (now,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {now + pages}")


async def test_a_paused_scan_stands_still_and_goes_on(tmp_path: Path, wait_until: Callable[..., Any]) -> None:
    root = tmp_path / "media"
    for number in range(FILES):
        write_file(root / f"{number}.jpg", jpeg_bytes(number % 5) + str(number).encode())
    async with Engine.open(tmp_path, max_workers=1) as engine:
        await engine.service.start(ScanRequest((os.fsencode(root),)))
        await wait_until(lambda: any(worker.done for worker in engine.snapshot.workers), pause_s=0)
        engine.service.pause()
        assert engine.snapshot.state == ScanState.PAUSED
        run = engine.service._run
        assert run is not None
        metadata_feeder = run._reading._disks[0]._backlog.feeders[-1]
        await wait_until(lambda: metadata_feeder.under_way == 0)
        held = engine.snapshot.counters.metadata_done
        assert 0 < held < FILES
        commits = engine.library.writer.committed  # the next commit is a heartbeat, up to two seconds later
        await wait_until(lambda: engine.library.writer.committed > commits)
        assert engine.snapshot.counters.metadata_done == held
        engine.service.resume()
        summary = await engine.service.wait()
        assert (summary.state, summary.counters.metadata_done) == (ScanState.COMPLETED, FILES)


async def test_the_number_of_workers_changes_while_a_scan_runs(
    tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    root = tmp_path / "media"
    for number in range(FILES):
        write_file(root / f"{number}.jpg", jpeg_bytes(number % 5) + str(number).encode())
    async with Engine.open(tmp_path, max_workers=1) as engine:
        await engine.service.start(ScanRequest((os.fsencode(root),)))
        assert engine.service.workers == 1
        engine.service.set_workers(3)
        await wait_until(
            lambda: len([worker for worker in engine.snapshot.workers if worker.kind == "exiftool"]) == 3
        )
        engine.service.set_workers(99)
        assert engine.service.workers == 32
        engine.service.abort()
        await engine.service.wait()
    assert children() == set()


REAL_EXIFTOOL = shutil.which("exiftool") or ""


def meddling_exiftool(folder: Path, what: str) -> str:
    """Write an exiftool that runs `what` (Python; `line` is what it is sent) before the real one gets each line."""
    fake = folder / "meddling-exiftool"
    fake.write_text(
        f"#!{sys.executable}\n"
        "import os, subprocess, sys, time\n"
        f"if '-ver' in sys.argv: sys.exit(subprocess.call([{REAL_EXIFTOOL!r}, *sys.argv[1:]]))\n"
        f"child = subprocess.Popen([{REAL_EXIFTOOL!r}, *sys.argv[1:]], stdin=subprocess.PIPE)\n"
        "for line in sys.stdin.buffer:\n"
        + textwrap.indent(what, "    ")
        + "\n    child.stdin.write(line); child.stdin.flush()\n"
    )
    fake.chmod(0o755)
    return str(fake)


def use_exiftool(engine: Engine, path: str, **options: Any) -> None:
    config = engine.service._config
    engine.service = ScanService(
        engine.library, replace(config, exiftool=replace(config.exiftool, path=path, **options))
    )


async def test_a_hung_worker_costs_one_file(tmp_path: Path) -> None:
    root = tmp_path / "media"
    for number in range(6):
        make_jpeg(root / f"{number}.jpg", number)
    async with Engine.open(tmp_path, max_workers=2) as engine:
        use_exiftool(
            engine,
            meddling_exiftool(tmp_path, "if line.endswith(b'3.jpg\\n'): time.sleep(3600)"),
            timeout=1.0,
        )
        summary = await engine.scan(root)
        assert (summary.counters.metadata_done, summary.counters.metadata_failed) == (5, 1)
        states = await state_of(engine)
        assert states["3.jpg"] == 2
    assert children() == set()


async def test_one_file_is_read_alone_however_many_wait_before_it(tmp_path: Path) -> None:
    root = tmp_path / "media"
    for number in range(600):
        write_file(root / f"{number}.jpg", jpeg_bytes(number % 5) + str(number).encode())
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root, only=Stage.WALK)
        ((last,),) = await engine.rows("SELECT display_name FROM file ORDER BY id DESC LIMIT 1")
        assert (await engine.scan(root / last)).counters.metadata_done == 1
        assert [name for name, state in (await state_of(engine)).items() if state == 1] == [last]


async def test_one_file_is_read_again_without_its_neighbours(tmp_path: Path) -> None:
    root = tmp_path / "media"
    for number in range(3):
        make_jpeg(root / f"{number}.jpg", number)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root)
        summary = await engine.scan(root / "1.jpg", rescan="metadata")
        assert summary.counters.metadata_done == 1
        assert set((await state_of(engine)).values()) == {1}


async def test_reading_all_again_goes_on_where_it_was_aborted(
    tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    """A scan that is cut short each night gets to its end all the same."""
    root = tmp_path / "media"
    for number in range(FILES):
        write_file(root / f"{number}.jpg", jpeg_bytes(number % 5) + str(number).encode())
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root)
        request = ScanRequest((os.fsencode(root),), rescan="metadata")
        await engine.service.start(request)
        await wait_until(lambda: any(worker.done for worker in engine.snapshot.workers), pause_s=0)
        engine.service.abort()
        aborted = await engine.service.wait()
        assert (aborted.state, aborted.counters.metadata_done < FILES) == (ScanState.ABORTED, True)
        await engine.service.start(request)
        done = await engine.service.wait()
        assert done.counters.metadata_done == FILES - aborted.counters.metadata_done
        assert (await engine.scan(root, rescan="metadata")).counters.metadata_done == FILES


async def test_all_roots_are_scanned_although_one_is_away(tmp_path: Path) -> None:
    roots = [tmp_path / "here", tmp_path / "away"]
    for root in roots:
        make_jpeg(root / "1.jpg", 1)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(*roots)
        roots[1].rename(tmp_path / "elsewhere")
        make_jpeg(roots[0] / "2.jpg", 2)
        await engine.service.start(ScanRequest())
        summary = await engine.service.wait()
        assert (summary.state, summary.counters.new, summary.counters.missing) == (ScanState.COMPLETED, 1, 0)
        assert "There is no" in summary.unavailable
        roots[0].rename(tmp_path / "elsewhere too")
        with pytest.raises(RootUnavailableError, match="There is no"):
            await engine.service.start(ScanRequest())


async def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    root = tmp_path / "media"
    make_jpeg(root / "a.jpg", 1, model="Camera")
    path, length = str(root / "a.jpg"), os.path.getsize(root / "a.jpg")
    with open(path, "ab") as file:
        file.write(b"more")
    shorten = f"if line.endswith(b'a.jpg\\n') and os.path.getsize({path!r}) != {length}: os.truncate({path!r}, {length})"
    async with Engine.open(tmp_path) as engine:
        use_exiftool(engine, meddling_exiftool(tmp_path, shorten))
        summary = await engine.scan(root)
        assert (summary.counters.metadata_done, summary.counters.problems) == (1, 0)
        size, mtime_ns, model = (await engine.rows("SELECT size, mtime_ns, model FROM file"))[0]
        assert (size, mtime_ns, model) == (length, os.lstat(path).st_mtime_ns, "Camera")


async def test_a_file_whose_place_another_takes_is_left_to_the_next_scan(tmp_path: Path) -> None:
    """Only a walk can tell whether the file was replaced or moved away: what is known of it stays with it."""
    root = tmp_path / "media"
    make_jpeg(root / "a.jpg", 1, model="Before")
    after = tmp_path / "next.jpg"
    make_jpeg(after, 2, model="After")
    swap = (
        f"if line.endswith(b'a.jpg\\n') and os.path.exists({str(after)!r}): "
        f"os.rename({str(root / 'a.jpg')!r}, {str(root / 'moved.jpg')!r}); "
        f"os.rename({str(after)!r}, {str(root / 'a.jpg')!r})"
    )
    async with Engine.open(tmp_path) as engine:
        use_exiftool(engine, meddling_exiftool(tmp_path, swap))
        summary = await engine.scan(root)
        assert (summary.counters.metadata_done, summary.counters.metadata_failed) == (0, 1)
        assert "Another file lies at its path" in (await engine.rows("SELECT message FROM problem"))[0][0]
        (was,) = (await engine.ids()).values()
        summary = await engine.scan(root)
        assert (summary.counters.moved, summary.counters.new) == (1, 1)
        assert (await engine.ids())["moved.jpg"] == was
        assert await engine.rows("SELECT name, model FROM file ORDER BY name") == [
            (b"a.jpg", "After"),
            (b"moved.jpg", "Before"),
        ]
        assert await engine.rows("SELECT * FROM problem") == []


async def test_files_that_moved_before_the_walk_are_read_where_it_finds_them(
    tmp_path: Path, wait_until: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is pending is read while the walk still goes, at paths where other files may lie by now, or none."""
    root = tmp_path / "media"
    for number in range(4):
        make_jpeg(root / f"a/{number}.jpg", number, model=f"Camera {number}")
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root, only=Stage.WALK)
        before = await engine.ids()
        (root / "b").mkdir()
        (root / "a/1.jpg").rename(root / "b/moved.jpg")
        (root / "a/2.jpg").rename(root / "b/2.jpg")
        make_jpeg(root / "a/2.jpg", 9, model="Another camera")
        walk = WalkStage.run

        async def walk_late(stage: WalkStage) -> None:
            """Let everything be read that is pending before the walk begins."""
            await wait_until(lambda: sum(len(held) for held in held_back(engine)) == 2)
            await walk(stage)

        monkeypatch.setattr(WalkStage, "run", walk_late)
        summary = await engine.scan(root)
        assert (summary.state, summary.counters.problems) == (ScanState.COMPLETED, 0)
        assert (summary.counters.moved, summary.counters.new, summary.counters.missing) == (2, 1, 0)
        after = await engine.ids()
        assert (after["b/moved.jpg"], after["b/2.jpg"]) == (before["a/1.jpg"], before["a/2.jpg"])
        found = await engine.rows("SELECT id, model, metadata_state, fingerprint_state FROM file")
        assert {row[1] for row in found} == {*(f"Camera {number}" for number in range(4)), "Another camera"}
        assert next(row[1] for row in found if row[0] == before["a/2.jpg"]) == "Camera 2"
        assert {row[2:] for row in found} == {(1, 1)}


def held_back(engine: Engine) -> list[set[int]]:
    """Return what the stages of the running scan have put aside until its walk has settled."""
    run = engine.service._run
    if run is None:
        return []
    return [feeder._aside for disk in run._reading._disks for feeder in disk._backlog.feeders]


async def test_a_file_that_never_holds_still_is_given_up_as_a_problem(tmp_path: Path) -> None:
    root = tmp_path / "media"
    make_jpeg(root / "a.jpg", 1)
    make_jpeg(root / "b.jpg", 2)
    touch = "if line.endswith(b'a.jpg\\n'): os.utime(line[:-1])"
    async with Engine.open(tmp_path) as engine:
        use_exiftool(engine, meddling_exiftool(tmp_path, touch))
        summary = await engine.scan(root)
        assert summary.state is ScanState.COMPLETED
        assert (summary.counters.metadata_done, summary.counters.metadata_failed) == (1, 1)
        problems = await engine.rows("SELECT message FROM problem")
        assert "changes while it is read" in problems[0][0]


async def test_stages_alone(tmp_path: Path) -> None:
    root = tmp_path / "media"
    make_jpeg(root / "a.jpg", 1)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root, only=Stage.WALK)
        assert await engine.rows("SELECT metadata_state, fingerprint_state FROM file") == [(0, 0)]
        await engine.scan(root, only=Stage.FINGERPRINT)
        assert await engine.rows("SELECT metadata_state, fingerprint_state FROM file") == [(0, 1)]
        await engine.scan(root, only=Stage.METADATA)
        assert await engine.rows("SELECT metadata_state, fingerprint_state FROM file") == [(1, 1)]
        again = await engine.scan(root, rescan="metadata")
        assert (again.counters.metadata_done, again.counters.fingerprints_done) == (1, 0)
        again = await engine.scan(root, rescan="everything")
        assert (again.counters.metadata_done, again.counters.fingerprints_done) == (1, 1)


async def test_equal_ends_are_told_apart_by_the_whole_content(tmp_path: Path) -> None:
    root = tmp_path / "media"
    ends = os.urandom(70_000)
    for number in range(2):
        write_file(root / f"{number}.jpg", ends + bytes([number]) * 100_000 + ends)
    write_file(root / "other.jpg", ends + b"x" * 100_001 + ends)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root, only=Stage.WALK)
        await engine.scan(root, only=Stage.FINGERPRINT)
        rows = await engine.rows("SELECT quick_fingerprint, fingerprint FROM file ORDER BY display_name")
        assert rows[0][0] == rows[1][0] != rows[2][0]
        assert None not in (rows[0][1], rows[1][1])
        assert rows[0][1] != rows[1][1]
        assert rows[2][1] is None, "nothing else has these ends, so the whole is not read"


async def test_a_part_of_a_root_and_a_single_file(tmp_path: Path) -> None:
    root = tmp_path / "media"
    for name in ("a/1.jpg", "b/2.jpg"):
        make_jpeg(root / name, 1)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root, only=Stage.WALK)
        make_jpeg(root / "a/new.jpg", 3)
        make_jpeg(root / "b/new.jpg", 4)
        make_jpeg(root / "b/other.jpg", 5)
        os.unlink(root / "b/2.jpg")
        part = await engine.scan(root / "a", only=Stage.WALK)
        assert (part.counters.new, part.counters.missing) == (1, 0)
        single = await engine.scan(root / "b/new.jpg", only=Stage.WALK)
        assert (single.counters.new, single.counters.missing) == (1, 0)
        assert len(await engine.rows("SELECT id FROM root")) == 1
        whole = await engine.scan(root, only=Stage.WALK)
        assert (whole.counters.new, whole.counters.missing) == (1, 1)


async def test_a_folder_above_a_root_adopts_it(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "b/2.jpg"):
        make_jpeg(tmp_path / "media" / name, 1)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(tmp_path / "media/a", only=Stage.WALK)
        before = await engine.ids_by_path()
        summary = await engine.scan(tmp_path / "media", only=Stage.WALK)
        assert (summary.counters.new, summary.counters.unchanged) == (1, 1)
        assert before.items() <= (await engine.ids_by_path()).items()
        assert len(await engine.rows("SELECT id FROM root")) == 1


async def test_what_cannot_be_scanned_says_why(tmp_path: Path) -> None:
    async with Engine.open(tmp_path) as engine:
        with pytest.raises(RootUnavailableError, match="There is no"):
            await engine.scan(tmp_path / "nowhere")
        write_file(tmp_path / "notes.txt", b"x")
        with pytest.raises(UsageError, match="no media file"):
            await engine.scan(tmp_path / "notes.txt")
        with pytest.raises(UsageError, match="No folder has been scanned"):
            await engine.service.start(ScanRequest())
        missing = replace(
            engine.service._config,
            exiftool=replace(engine.service._config.exiftool, path="/nowhere/exiftool"),
        )
        with pytest.raises(UsageError, match=r"(?i)exiftool"):
            await ScanService(engine.library, missing).start(ScanRequest((os.fsencode(tmp_path),)))
    assert children() == set()


async def test_a_root_that_is_being_scanned_is_not_scanned_twice(tmp_path: Path) -> None:
    root = tmp_path / "media"
    make_jpeg(root / "a.jpg", 1)
    async with Engine.open(tmp_path) as engine:
        await engine.service.start(ScanRequest((os.fsencode(root),)))
        engine.service.pause()
        other = ScanService(engine.library, engine.service._config)
        with pytest.raises(LibraryError) as refused:
            await other.start(ScanRequest((os.fsencode(root),)))
        assert str(os.getpid()) in refused.value.message
        engine.service.abort()
        await engine.service.wait()
        await other.start(ScanRequest((os.fsencode(root),)))
        assert (await other.wait()).state == ScanState.COMPLETED
        await other.close()


async def test_fingerprints_are_made_as_configured(tmp_path: Path) -> None:
    root = tmp_path / "media"
    write_file(root / "a.jpg", jpeg_bytes(1) + b"x" * 300_000)
    for option, state, is_whole in (("off", 0, False), ("auto", 1, False), ("full", 1, True)):
        home = tmp_path / option
        home.mkdir()
        async with Engine.open(home, fingerprint=option) as engine:
            summary = await engine.scan(root)
            assert (summary.counters.metadata_done, summary.counters.fingerprints_done) == (1, state)
            stages = [stage.stage for stage in engine.snapshot.stages]
            assert (Stage.FINGERPRINT in stages) == bool(state)
            rows = await engine.rows("SELECT fingerprint_state, fingerprint IS NOT NULL FROM file")
            assert rows == [(state, is_whole)]


async def test_what_is_read_again_is_as_configured(tmp_path: Path) -> None:
    root = tmp_path / "media"
    make_jpeg(root / "a.jpg", 1)
    for option, expected in (("changed", (0, 0)), ("metadata", (1, 0)), ("everything", (1, 1))):
        async with Engine.open(tmp_path, rescan=option) as engine:
            if option == "changed":
                await engine.scan(root)
            counts = (await engine.scan(root)).counters
            assert (counts.unchanged, (counts.metadata_done, counts.fingerprints_done)) == (1, expected)


async def test_links_that_are_followed_are_read_and_hashed(tmp_path: Path) -> None:
    root = tmp_path / "media"
    make_jpeg(tmp_path / "outside/a.jpg", 1)
    make_wav(tmp_path / "outside/b.wav")
    root.mkdir()
    os.symlink(tmp_path / "outside/a.jpg", root / "a.jpg")
    os.symlink(tmp_path / "outside", root / "folder")
    os.symlink(tmp_path / "outside/b.wav", root / "b.wav")
    async with Engine.open(tmp_path, follow_symlinks=True) as engine:
        counts = (await engine.scan(root)).counters
        assert (counts.files, counts.metadata_done, counts.fingerprints_done, counts.problems) == (4, 4, 4, 0)


async def test_a_file_that_patterns_leave_out_is_not_scanned_by_its_name(tmp_path: Path) -> None:
    root = tmp_path / "media"
    make_jpeg(root / "a.jpg", 1)
    make_jpeg(root / ".hidden.jpg", 2)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root, only=Stage.WALK)
        summary = await engine.scan(root / ".hidden.jpg", only=Stage.WALK)
        assert (summary.unavailable, summary.counters.files, summary.counters.missing) == ("", 0, 0)


async def test_what_a_second_scan_writes_does_not_depend_on_the_number_of_files(tmp_path: Path) -> None:
    """It writes its own row in table `scan`, which is its lease, and that of its root; of the files nothing."""
    sizes = []
    for number in (2, 400):
        home, root = tmp_path / str(number), tmp_path / str(number) / "media"
        for index in range(number):
            write_file(root / f"{index % 20}/{index}.jpg", str(index).encode())
        async with Engine.open(home) as engine:
            await engine.catalogue(root)
        async with Engine.open(home) as engine:
            tables = [
                name
                for (name,) in await engine.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
                if name not in ("scan", "root", "sqlite_sequence")
            ]
            before = [await engine.rows(f"SELECT * FROM {table}") for table in tables]
            counts = (await engine.scan(root, only=Stage.WALK)).counters
            assert counts.unchanged == counts.files == number
            assert [await engine.rows(f"SELECT * FROM {table}") for table in tables] == before
            sizes.append(os.path.getsize(home / "library.yapmo-wal"))
    assert sizes[1] <= sizes[0] + 4 * 4096, "bytes of the write-ahead log"


async def test_media_are_only_read(tmp_path: Path) -> None:
    root = tmp_path / "media"
    make_jpeg(root / "a.jpg", 1)
    make_wav(root / "b.wav")
    before = {
        name: (os.lstat(root / name).st_mtime_ns, (root / name).read_bytes()) for name in os.listdir(root)
    }
    modes = stat.S_IMODE(os.lstat(root).st_mode)
    async with Engine.open(tmp_path) as engine:
        await engine.scan(root)
    assert {
        name: (os.lstat(root / name).st_mtime_ns, (root / name).read_bytes()) for name in os.listdir(root)
    } == before
    assert stat.S_IMODE(os.lstat(root).st_mode) == modes
