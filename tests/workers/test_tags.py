"""Music tags by mutagen in children: what they answer, and what hostile files do to them."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import mutagen
import mutagen.apev2
import mutagen.id3
import mutagen.mp4
import pytest

from tests.media import encoded_bytes, make_encoded, make_wav, write_file
from tests.workers.bombs import id3_bomb, nested_atoms
from tests.workers.conftest import make_limits
from tui.config import default_config
from tui.workers import tag_reader
from tui.workers.errors import CpuTimeExceededError, DesynchronisedError, TaskFailedError
from tui.workers.kind import Reply, WorkerLimits
from tui.workers.pool import WorkerPool
from tui.workers.python_worker import HEADER, perform, serve
from tui.workers.tag_reader import read_tags
from tui.workers.tags import FrameChannel, TagAnswer, TagKind, tag_kind

REPO = Path(__file__).parents[2]


async def read(*paths: Path, **limits: float) -> list[TagAnswer]:
    """Return the answers for `paths` from a pool of one child."""
    async with asyncio.timeout(60), WorkerPool(TagKind(make_limits(**limits)), 1) as pool:
        return await asyncio.gather(*(pool.run(os.fsencode(path)) for path in paths))


@pytest.mark.parametrize(
    ("extension", "kind", "names"),
    [
        ("mp3", "MP3", ("TIT2", "TPE1", "TRCK")),
        ("flac", "FLAC", ("title", "artist", "tracknumber")),
        ("ogg", "OggVorbis", ("title", "artist", "tracknumber")),
        ("opus", "OggOpus", ("title", "artist", "tracknumber")),
        ("m4a", "MP4", ("©nam", "©ART", "trkn")),
        ("wma", "ASF", ("Title", "Author", "WM/TrackNumber")),
    ],
)
async def test_formats_by_their_own_names(
    tmp_path: Path, extension: str, kind: str, names: tuple[str, str, str]
) -> None:
    path = tmp_path / f"song.{extension}"
    track = "tracknumber" if extension in ("flac", "ogg", "opus") else "track"
    marks = (("title", "Río [live]"), ("artist", "Ñandú"), (track, "3/12"))
    write_file(path, encoded_bytes(extension, 0, marks))
    answer = (await read(path))[0]
    assert answer.error == ""
    assert answer.tags["type"] == kind
    assert answer.tags["mime"].startswith("audio/")
    assert answer.tags["info"]["length"] == pytest.approx(0.5, abs=0.1)
    tags = answer.tags["tags"]
    assert [tags[names[0]][0], tags[names[1]][0]] == ["Río [live]", "Ñandú"]
    assert str(tags[names[2]][0]).startswith("3")
    assert json.loads(answer.raw) == answer.tags == read_tags(os.fsencode(path))
    assert answer.extractor == f"mutagen {mutagen.version_string}"


async def test_frames_pictures_and_freeform_atoms(tmp_path: Path) -> None:
    id3: Any = mutagen.id3  # typed in part only
    mp4: Any = mutagen.mp4
    song, film = tmp_path / "a.mp3", tmp_path / "a.m4a"
    make_encoded(song)
    song_tags = id3.ID3(song)
    song_tags.add(id3.APIC(mime="image/png", data=b"\x89PNG" * 100))
    song_tags.add(id3.TXXX(desc="INITIALKEY", text=["8A", "9A"]))
    song_tags.add(id3.COMM(desc="", lang="eng", text=["plain"]))
    song_tags.add(id3.COMM(desc="iTunNORM", lang="eng", text=["0001"]))
    song_tags.add(id3.POPM(email="a@b", rating=196, count=3))
    song_tags.add(id3.UFID(owner="http://musicbrainz.org", data=b"abc"))
    song_tags.add(id3.TCON(text=["(17)"]))
    song_tags.add(id3.TIPL(people=[["mix", "Ana"]]))
    song_tags.add(id3.TDRC(text=["2019-07-03"]))
    song_tags.add(id3.PCNT(count=7))
    song_tags.add(id3.WOAR(url="https://example.org"))
    song_tags.add(id3.RVA2(desc="x", channel=1, gain=1.0, peak=1.0))
    song_tags.save()
    make_encoded(film)
    atoms = mp4.MP4(film)
    atoms["trkn"] = [(3, 12)]
    atoms["cpil"] = True
    atoms["tmpo"] = [120]
    atoms["----:com.apple.iTunes:initialkey"] = [mp4.MP4FreeForm(b"8A")]
    atoms["covr"] = [mp4.MP4Cover(b"\xff\xd8" * 10)]
    atoms.save()
    answers = await read(song, film)
    assert [answer.tags for answer in answers] == [read_tags(os.fsencode(path)) for path in (song, film)]
    frames, found = (answer.tags["tags"] for answer in answers)
    assert frames["APIC"] == ["(binary, 400 bytes)"]
    assert frames["TXXX:INITIALKEY"] == ["8A", "9A"]
    assert (frames["COMM"], frames["COMM:iTunNORM"]) == (["plain"], ["0001"])
    assert (frames["POPM"], frames["PCNT"]) == ([196], [7])
    assert frames["UFID:http://musicbrainz.org"] == ["(binary, 3 bytes)"]
    assert frames["TCON"] == ["Rock"]
    assert frames["TIPL"] == ["mix: Ana"]
    assert (frames["TDRC"], frames["WOAR"]) == (["2019-07-03"], ["https://example.org"])
    assert frames["RVA2"] == ["(RVA2)"]
    assert (found["trkn"], found["tmpo"], found["cpil"]) == (["3/12"], [120], [1])
    assert found["----:com.apple.iTunes:initialkey"] == ["8A"]
    assert found["covr"] == ["(binary, 20 bytes)"]


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (b"Caf\xe9", "Café"),
        ("Café".encode(), "Café"),
        ("ですのでですので".encode()[:28], "ですのでですので"[:9]),
        (b"Don\x92t", "Don’t"),
        (b"\x83T\x81\x5b", "\x83T\x81["),  # Shift JIS: nothing says so, nothing is lost
    ],
)
def test_old_tags_in_any_encoding(tmp_path: Path, stored: bytes, text: str) -> None:
    frame = bytes.fromhex("fffb9064") + bytes(413)
    old = b"TAG" + stored.ljust(30, b"\0") + b"Ann".ljust(30, b"\0") + bytes(64) + b"\x08"
    write_file(tmp_path / "old.mp3", frame * 20 + old)
    tags = read_tags(os.fsencode(tmp_path / "old.mp3"))["tags"]
    assert (tags["TIT2"], tags["TPE1"], tags["TCON"]) == ([text], ["Ann"], ["Jazz"])


@pytest.mark.parametrize(
    "name", [b"a\n.mp3", b"\xff.mp3", b"-x.mp3", b" .mp3 ", b"a\r", b"\x1b[31m.mp3", b"tags\\0.mp3"]
)
async def test_every_name_can_be_asked_for(media: Path, name: bytes) -> None:
    path = os.path.join(os.fsencode(media), name)
    write_file(path, encoded_bytes("mp3"))
    async with asyncio.timeout(30), WorkerPool(TagKind(make_limits()), 1) as pool:
        assert (await pool.run(path)).tags["type"] == "MP3"


async def test_hostile_files_fail_alone(tmp_path: Path) -> None:
    write_file(tmp_path / "bomb.mp3", id3_bomb(500))
    write_file(tmp_path / "nested.m4a", nested_atoms(5000))
    write_file(tmp_path / "cut.ogg", encoded_bytes("ogg")[:100])
    write_file(tmp_path / "noise.mp3", os.urandom(5000))
    write_file(tmp_path / "picture.mp3", b"\x89PNG\r\n\x1a\n" + bytes(500))
    make_encoded(tmp_path / "good.mp3")
    names = ["bomb.mp3", "nested.m4a", "cut.ogg", "noise.mp3", "picture.mp3", "good.mp3"]
    bomb, nested, cut, noise, picture, good = await read(
        *(tmp_path / name for name in names), memory_bytes=400_000_000, recycle_bytes=300_000_000
    )
    assert "memory" in bomb.error
    assert "nested too deeply" in nested.error
    for answer in (bomb, nested, cut, noise, picture):
        assert answer.error.endswith(".")
        assert (answer.tags, answer.raw) == ({}, b"{}")
    assert good.error == ""


async def test_a_song_that_takes_too_long_fails_alone(tmp_path: Path) -> None:
    write_file(tmp_path / "bomb.mp3", id3_bomb(900))
    make_encoded(tmp_path / "good.mp3")
    kind = TagKind(make_limits(cpu_s=0.25, memory_bytes=8_000_000_000, recycle_bytes=8_000_000_000))
    async with asyncio.timeout(60), WorkerPool(kind, 1) as pool:
        outcomes = await asyncio.gather(
            *(pool.run(os.fsencode(tmp_path / name)) for name in ("bomb.mp3", "good.mp3")),
            return_exceptions=True,
        )
    assert isinstance(outcomes[0], CpuTimeExceededError)
    assert isinstance(outcomes[1], TagAnswer)


def test_long_texts_are_cut_and_too_many_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.flac"
    make_encoded(path)
    song: Any = mutagen.File(path)
    song["lyrics"] = "x" * 200_000
    song.save()
    answer = read_tags(os.fsencode(path))
    assert len(answer["tags"]["lyrics"][0]) == tag_reader.LONGEST_TEXT
    assert answer["warnings"] == []
    monkeypatch.setattr(tag_reader, "MOST_CHARACTERS", 1000)
    assert read_tags(os.fsencode(path))["warnings"] != []
    monkeypatch.setattr(tag_reader, "MOST_VALUES", 1)
    assert read_tags(os.fsencode(path))["warnings"] != []


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.mp3")
    assert "not a regular file" in json.loads(perform(b"tags\0" + os.fsencode(tmp_path / "x.mp3")))["error"]


@pytest.mark.parametrize("value", [10**400, float("inf"), float("nan"), -(2**63) - 1])
def test_numbers_that_json_readers_trip_over_become_text(value: float) -> None:
    assert isinstance(tag_reader._to_plain(value), str)


def test_the_child_answers_every_request_and_ends_with_its_input() -> None:
    requests = [b"greet\0", b"nonsense\0/x", b"tags\0/nowhere.mp3", b""]
    source = io.BytesIO(b"".join(HEADER.pack(7 + n, len(text)) + text for n, text in enumerate(requests)))
    sink = io.BytesIO()
    serve(source, sink)
    sink.seek(0)
    answers = []
    while header := sink.read(HEADER.size):
        number, length = HEADER.unpack(header)
        answers.append((number, json.loads(sink.read(length))))
    assert [number for number, _ in answers] == [7, 8, 9, 10]
    assert answers[0][1] == {"mutagen": mutagen.version_string}
    assert all("error" in answer for _, answer in answers[1:])


def test_a_request_too_long_to_be_one_ends_the_child() -> None:
    sink = io.BytesIO()
    serve(io.BytesIO(HEADER.pack(1, 10_000_000) + bytes(100)), sink)
    assert sink.getvalue() == b""


def start_child() -> subprocess.Popen[bytes]:
    command = TagKind(WorkerLimits()).command()
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", env={})


def test_the_child_ends_when_its_parent_closes_the_pipe() -> None:
    with start_child() as child:
        child.communicate(timeout=20)
        assert child.returncode == 0


def test_the_child_loads_little_and_nothing_from_where_the_user_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mutagen.py").write_text("raise SystemExit('trap')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    words = list(TagKind(WorkerLimits()).command())
    place = words.index(b"-c") + 1
    words[place] = words[place].replace(
        b"worker.main()", b"import mutagen; from tui.workers import tag_reader; print(*sys.modules)"
    )
    done = subprocess.run(words, capture_output=True, check=True, text=True)
    loaded = set(done.stdout.split())
    assert {"mutagen.id3", "tui.workers.tag_reader"} <= loaded
    assert not loaded & {
        "textual",
        "rich",
        "typer",
        "aiosqlite",
        "sqlite3",
        "asyncio",
        "PIL",
        "logging",
        "site",
    }


def test_the_child_runs_this_package_though_another_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tui").mkdir()
    (tmp_path / "tui" / "__init__.py").write_text("raise SystemExit('another')")
    monkeypatch.syspath_prepend(str(tmp_path))
    words = list(TagKind(WorkerLimits()).command())
    place = words.index(b"-c") + 1
    words[place] = words[place].replace(b"worker.main()", b"print(worker.__file__)")
    done = subprocess.run(words, capture_output=True, check=True, text=True)
    assert done.stdout.strip() == str(REPO / "tui" / "workers" / "python_worker.py")


def test_prints_of_a_parser_do_not_spoil_answers(tmp_path: Path) -> None:
    words = list(TagKind(WorkerLimits()).command())
    place = words.index(b"-c") + 1
    words[place] = words[place].replace(
        b"worker.main()", b"import mutagen; mutagen.File = print; worker.main()"
    )
    write_file(tmp_path / "a.mp3", b"x")
    payload = b"tags\0" + os.fsencode(tmp_path / "a.mp3")
    done = subprocess.run(
        words, input=HEADER.pack(5, len(payload)) + payload, capture_output=True, check=True
    )
    number, length = HEADER.unpack_from(done.stdout)
    assert (number, length) == (5, len(done.stdout) - HEADER.size)
    assert b"BufferedReader" in done.stderr


def channel_after(*data: bytes, asked: int = 1, **limits: float) -> FrameChannel:
    channel = FrameChannel(b"tags", make_limits(**limits))
    for _ in range(asked):
        channel.ask(b"/x")
    for piece in data:
        channel.feed_output(piece)
    return channel


def test_frames_arrive_in_any_pieces() -> None:
    frame = HEADER.pack(0, 3) + b"one" + HEADER.pack(1, 0)
    channel = channel_after(asked=2)
    replies = []
    for position in range(len(frame)):
        channel.feed_output(frame[position : position + 1])
        while (reply := channel.next_reply()) is not None:
            replies.append(reply.output)
    assert replies == [b"one", b""]


@pytest.mark.parametrize(
    ("data", "asked", "limits"),
    [
        (HEADER.pack(1, 0), 1, {}),
        (HEADER.pack(0, 0), 0, {}),
        (b"Traceback", 1, {}),
        (HEADER.pack(0, 1000), 1, {"answer_bytes": 999}),
    ],
)
def test_wrong_frames_are_refused(data: bytes, asked: int, limits: dict[str, float]) -> None:
    with pytest.raises(TaskFailedError):
        channel_after(data, asked=asked, **limits).next_reply()


@pytest.mark.parametrize("output", [b"", b"{", b"[]", b"[" * 100_000, b"\xff"])
def test_answers_that_are_no_object_are_refused(output: bytes) -> None:
    with pytest.raises(DesynchronisedError):
        TagKind(WorkerLimits()).understand(Reply(output))


def test_limits_come_from_the_configuration() -> None:
    config = default_config().exiftool
    limits = tag_kind(config).limits
    assert (limits.timeout_s, limits.cpu_s) == (config.timeout, config.cpu_seconds)
    assert limits.memory_bytes == config.memory_mb * 1_000_000
    assert limits.recycle_bytes == config.recycle_mb * 1_000_000


def test_ape_tags(tmp_path: Path) -> None:
    path = tmp_path / "a.wv"
    make_encoded(path)
    song: Any = mutagen.File(path)
    song["Artist"] = ["Ana", "Bea"]
    song["Cover Art (Front)"] = mutagen.apev2.APEValue(b"abc", mutagen.apev2.BINARY)  # type: ignore[no-untyped-call]  # typed in part
    song.save()
    tags = read_tags(os.fsencode(path))["tags"]
    assert tags["Artist"] == ["Ana", "Bea"]
    assert tags["Cover Art (Front)"] == ["(binary, 3 bytes)"]


async def test_wav_and_aiff(tmp_path: Path) -> None:
    make_wav(tmp_path / "a.wav")
    make_encoded(tmp_path / "a.aiff")
    wav, aiff = await read(tmp_path / "a.wav", tmp_path / "a.aiff")
    assert (wav.tags["type"], wav.tags["info"]["sample_rate"], wav.tags["info"]["channels"]) == (
        "WAVE",
        8000,
        1,
    )
    assert aiff.tags["type"] == "AIFF"
