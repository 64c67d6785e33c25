"""The demonstration library: what is in it, as ExifTool reads it, and what making it leaves alone."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mutagen
import pytest

from tui.commands.demo import prepare_demo
from tui.config import default_config
from tui.errors import UsageError
from tui.operations import demo, demo_recordings
from tui.operations.demo import DAMAGED, DUPLICATE, DUPLICATE_OF, MARKER, DemoReport, make_demo
from tui.operations.demo_photos import PHOTOS
from tui.operations.demo_recordings import FILMS, SONGS

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DemoReport:
    """The whole demo, made once for all processes that the tests run in."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with open(shared / "demo.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return make_demo(os.fsencode(shared / "demo"))


@pytest.fixture(scope="module")
def folder(made: DemoReport) -> Path:
    return Path(os.fsdecode(made.folder))


@pytest.fixture(scope="module")
def tags(folder: Path) -> Mapping[str, dict[str, Any]]:
    """What ExifTool says of every file, by path below the folder."""
    done = subprocess.run(["exiftool", "-j", "-n", "-r", "-q", folder], capture_output=True, check=False)
    return {os.path.relpath(found["SourceFile"], folder): found for found in json.loads(done.stdout)}


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_everything_planned_is_there_and_nothing_else(made: DemoReport, folder: Path) -> None:
    planned = {photo.path for photo in PHOTOS} | {song.path for song in SONGS} | {film.path for film in FILMS}
    assert set(snapshot(folder)) == planned | {DUPLICATE, DAMAGED, MARKER}
    assert (made.made + made.kept, made.left_out) == (len(planned) + 2, ())
    assert not list(folder.rglob(".*"))


def test_every_media_file_has_an_extension_that_is_scanned(folder: Path) -> None:
    kinds = default_config().scan.kind_by_extension
    found = {kinds[path.suffix[1:].lower().encode()] for path in folder.rglob("*.*") if path.name != MARKER}
    assert found == {"image", "video", "audio"}


def test_photos_tell_camera_time_position_and_content(tags: Mapping[str, dict[str, Any]]) -> None:
    photo = tags["Photos/2019/07 Lisbon/DSC_1002.JPG"]
    assert photo["Model"] == "NIKON D850"
    assert photo["LensModel"].startswith("AF-S NIKKOR")
    assert (photo["ISO"], photo["FNumber"], photo["FocalLength"]) == (64, 11, 16)
    assert (photo["DateTimeOriginal"], photo["OffsetTimeOriginal"]) == ("2019:07:03 18:22:11", "+01:00")
    assert photo["GPSLatitude"] == pytest.approx(38.7139, abs=1e-5)
    assert photo["GPSLongitude"] == pytest.approx(-9.1394, abs=1e-5)
    assert photo["GPSAltitude"] == 88
    assert (photo["Title"], photo["Rating"], photo["City"]) == ("Atlantic", 5, "Lisbon")
    assert photo["Subject"] == ["beach", "sea", "travel"]
    assert photo["PersonInImage"] == "Ana"
    assert len({found["Model"] for found in tags.values() if "Model" in found}) >= 6
    assert (
        len({str(found["DateTimeOriginal"])[:4] for found in tags.values() if "DateTimeOriginal" in found})
        >= 5
    )


def test_each_format_of_picture_keeps_its_tags(tags: Mapping[str, dict[str, Any]]) -> None:
    assert tags["Photos/2023/04 京都/DSCF3313.TIF"]["GPSLatitude"] == pytest.approx(35.0116, abs=1e-5)
    assert tags["Photos/2023/04 京都/DSCF3313.TIF"]["DateTimeOriginal"] == "2023:04:04 08:05:00"
    assert tags["Photos/Phone/panorama.webp"]["Model"] == "iPhone 13 Pro"
    assert tags["Photos/Drawings/poster.png"]["Title"] == "Poster for the exhibition"
    assert "DateTimeOriginal" not in tags["Photos/Phone/IMG-20240103-WA0007.jpg"]
    upright = tags["Photos/2019/07 Lisbon/DSC_1005.JPG"]
    assert (upright["Orientation"], upright["ImageWidth"], upright["ImageHeight"]) == (6, 1200, 800)


def test_songs_and_films_are_tagged(folder: Path, tags: Mapping[str, dict[str, Any]]) -> None:
    for song in SONGS:
        found = tags[song.path]
        assert (found["Title"], found["Artist"], found["Album"]) == (song.title, song.artist, song.album)
        sound = mutagen.File(folder / song.path)
        assert sound is not None
        assert 7.5 < sound.info.length < 9
    for film in FILMS:
        found = tags[film.path]
        assert found["Title"] == film.title
        seconds = float(
            str(found["Duration"]).rpartition(":")[2]
        )  # Matroska has it as hours:minutes:seconds too
        assert seconds == pytest.approx(film.seconds, abs=0.3)
        assert (found["ImageWidth"], found["ImageHeight"]) == (640, 360)
    assert tags[FILMS[0].path]["CreateDate"] == "2019:07:03 17:30:00"
    assert tags[FILMS[0].path]["GPSLatitude"] == pytest.approx(38.7139, abs=1e-4)


def test_one_duplicate_and_one_damaged_file(folder: Path, tags: Mapping[str, dict[str, Any]]) -> None:
    contents = [content for name, (_, _, content) in snapshot(folder).items() if name != MARKER]
    assert len(contents) - len(set(contents)) == 1
    assert (folder / DUPLICATE).read_bytes() == (folder / DUPLICATE_OF).read_bytes()
    assert [name for name, found in tags.items() if "Error" in found] == [DAMAGED]


def test_files_are_as_old_as_what_they_show(folder: Path) -> None:
    assert (folder / "Photos/2019/07 Lisbon/DSC_1002.JPG").stat().st_mtime == 1562174531


def test_a_second_call_changes_nothing(made: DemoReport, folder: Path) -> None:
    before = snapshot(folder)
    again = make_demo(made.folder)
    assert (again.made, again.kept) == (0, made.made + made.kept)
    assert snapshot(folder) == before


# With a few files only


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PHOTOS", tuple(photo for photo in PHOTOS if photo.path == DUPLICATE_OF))
    monkeypatch.setattr(demo, "SONGS", SONGS[5:6])
    monkeypatch.setattr(demo, "FILMS", FILMS[2:])


@pytest.mark.usefixtures("small")
def test_only_what_is_missing_is_made_and_changed_files_are_kept(tmp_path: Path) -> None:
    make_demo(str(tmp_path / "demo"))
    (tmp_path / "demo" / SONGS[5].path).unlink()
    (tmp_path / "demo" / DUPLICATE).write_bytes(b"mine now")
    progress: list[tuple[int, int]] = []
    report = make_demo(str(tmp_path / "demo"), lambda done, total: progress.append((done, total)))
    assert (report.made, report.kept) == (1, 4)
    assert (tmp_path / "demo" / DUPLICATE).read_bytes() == b"mine now"
    assert progress == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


@pytest.mark.usefixtures("small")
def test_a_folder_with_other_things_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(UsageError, match="is not empty") as caught:
        make_demo(str(tmp_path))
    assert "yapmo demo FOLDER" in caught.value.hint
    assert os.listdir(tmp_path) == ["holiday.jpg"]


@pytest.mark.usefixtures("small")
def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        make_demo(str(tmp_path / "file" / "demo"))


@pytest.mark.usefixtures("small")
def test_without_ffmpeg_songs_are_wav_and_films_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path))
        report = make_demo(str(tmp_path / "demo"))
    song = os.path.splitext(SONGS[5].path)[0] + ".wav"
    assert report.left_out == ("ffmpeg is not installed: songs are WAV files, and there are no films",)
    assert report.made == 4
    done = subprocess.run(["exiftool", "-j", "-n", tmp_path / "demo" / song], capture_output=True, check=True)
    [found] = json.loads(done.stdout)
    assert (found["Title"], found["Artist"], found["Genre"]) == (SONGS[5].title, SONGS[5].artist, "Techno")
    assert make_demo(str(tmp_path / "demo")).made == 1  # with ffmpeg: the film; the song stays as it is
    assert not (tmp_path / "demo" / SONGS[5].path).exists()


@pytest.mark.usefixtures("small")
def test_an_ffmpeg_that_fails_costs_its_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho Unknown encoder >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    report = make_demo(str(tmp_path / "demo"))
    assert report.made == 3
    assert list(report.left_out) == [
        f"{path}: ffmpeg: Unknown encoder" for path in (SONGS[5].path, FILMS[2].path)
    ]
    assert not list((tmp_path / "demo").rglob(".making*"))


@pytest.mark.usefixtures("small")
def test_a_file_that_appears_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "demo" / DUPLICATE_OF
    real = os.link

    def link(source: str, destination: str) -> None:
        if destination == str(target):
            target.write_bytes(b"another's")
        real(source, destination)

    monkeypatch.setattr(os, "link", link)
    make_demo(str(tmp_path / "demo"))
    assert target.read_bytes() == b"another's"


@pytest.mark.usefixtures("small")
def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert make_demo(str(tmp_path / "demo")).made == 5


@pytest.mark.usefixtures("small")
def test_the_command_makes_it_in_the_data_directory_and_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = prepare_demo("")
    assert report.folder == os.fsencode(home / "data" / "yapmo" / "demo")
    assert demo.demo_library_path() == os.fsencode(home / "data" / "yapmo" / "demo.yapmo")
    said = capsys.readouterr()
    assert (said.out, said.err) == (f"{home}/data/yapmo/demo: 5 files made, 0 were there.\n", "")
    prepare_demo("", as_json=True)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["event"], answer["made"], answer["kept"], answer["left_out"]) == ("finished", 0, 5, [])


def test_ffmpeg_that_vanished_is_an_error_of_that_file(tmp_path: Path) -> None:
    with pytest.raises(demo_recordings.RecordingError, match="ffmpeg"):
        demo_recordings.make_song(SONGS[0], str(tmp_path / "song.flac"), "/nowhere/ffmpeg")
    assert shutil.which("ffmpeg")
