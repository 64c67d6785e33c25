"""The real ExifTool: what it answers, what it may not run, and what it costs at most."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import struct
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.media import encoded_bytes, jpeg_bytes, make_jpeg, write_file
from tests.workers.bombs import png_bomb
from tests.workers.fake_exiftool import write_fake_exiftool
from tui import packages
from tui.config import ExiftoolConfig, default_config
from tui.workers.errors import CpuTimeExceededError, TaskFailedError
from tui.workers.exiftool import (
    BULK_OPTIONS,
    ExiftoolKind,
    ExiftoolMissingError,
    ExiftoolProgram,
    ExiftoolTooOldError,
    exiftool_kind,
    find_exiftool,
    group_option,
)
from tui.workers.kind import Reply
from tui.workers.pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tui.workers.exiftool import ExiftoolAnswer


def configured(path: str | bytes) -> ExiftoolConfig:
    """Return the default configuration with another program."""
    default = default_config().exiftool
    return ExiftoolConfig(
        os.fsdecode(path), default.timeout, default.cpu_seconds, default.recycle_mb, default.memory_mb
    )


async def read(kind: ExiftoolKind, *paths: str | bytes | Path) -> list[ExiftoolAnswer]:
    """Return the answers for `paths` from a pool of one child."""
    async with asyncio.timeout(60), WorkerPool(kind, 1) as pool:
        return await asyncio.gather(*(pool.run(os.fsencode(path)) for path in paths))


async def test_answer_has_groups_texts_and_no_whereabouts(
    media: Path, real: Callable[..., ExiftoolKind]
) -> None:
    path = media / "a.jpg"
    make_jpeg(path, 3, gps=(38.7, -9.1))
    answer = (await read(real(), path))[0]
    assert answer.tags["EXIF:Model"] == "Canon EOS 5D Mark IV"
    assert answer.tags["EXIF:ISO"] == "400"
    assert answer.tags["EXIF:GPSLatitudeRef"] == "N"
    assert answer.tags["File:MIMEType"] == "image/jpeg"
    assert not {"SourceFile", "File:FileName", "File:Directory", "File:FileAccessDate"} & set(answer.tags)
    assert str(media) not in answer.raw.decode()
    assert not any(name.startswith("Composite:") for name in answer.tags)
    assert json.loads(answer.raw, parse_int=str, parse_float=str) == answer.tags
    assert answer.extractor == f"exiftool {answer.tags['ExifTool:ExifToolVersion']}"
    assert (answer.error, answer.warnings, answer.stderr, answer.status) == ("", (), "", 0)


async def test_a_process_of_its_own_answers_the_same(media: Path, real: Callable[..., ExiftoolKind]) -> None:
    for name in ("a.jpg", "a\n.jpg"):
        make_jpeg(media / name, 3)
    plain, hostile = await read(real(), media / "a.jpg", media / "a\n.jpg")
    assert plain == hostile


@pytest.mark.parametrize(
    "text", ["1.10", "1e999", "007", "-0", "12345678901234567890", "0x10", "\u202e\x1b[31m"]
)
async def test_text_stays_as_it_is(media: Path, real: Callable[..., ExiftoolKind], text: str) -> None:
    path = media / "a.jpg"
    make_jpeg(path)
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">'
        f"<photoshop:Headline>{text}</photoshop:Headline></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
    packet = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    content = path.read_bytes()
    path.write_bytes(content[:2] + b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet + content[2:])
    assert (await read(real(), path))[0].tags["XMP:Headline"] == text


async def test_content_that_cannot_be_read_is_an_error(
    media: Path, real: Callable[..., ExiftoolKind]
) -> None:
    (media / "noise.jpg").write_bytes(bytes(range(256)) * 20)
    make_jpeg(media / "good.jpg")
    (media / "cut.jpg").write_bytes((media / "good.jpg").read_bytes()[:60])
    noise, cut, good = await read(real(), media / "noise.jpg", media / "cut.jpg", media / "good.jpg")
    assert noise.error
    assert cut.error or cut.warnings
    assert (good.error, good.warnings) == ("", ())


async def test_video_is_read(media: Path, real: Callable[..., ExiftoolKind]) -> None:
    write_file(media / "a.mp4", encoded_bytes("mp4"))
    write_file(media / "b.MP4\n.mp4", encoded_bytes("mp4"))
    for answer in await read(real(), media / "a.mp4", media / "b.MP4\n.mp4"):
        assert float(answer.tags["QuickTime:Duration"]) == pytest.approx(0.5, abs=0.1)
        assert answer.tags["Track1:HandlerType"] == "vide"
        assert str(media) not in answer.raw.decode()


async def test_links_are_followed_only_on_request(media: Path, real_program: ExiftoolProgram) -> None:
    make_jpeg(media / "a.jpg")
    (media / "b.jpg").symlink_to("a.jpg")
    config = default_config().exiftool
    followed = await read(exiftool_kind(config, program=real_program, follow_links=True), media / "b.jpg")
    assert followed[0].tags["File:FileType"] == "JPEG"
    with pytest.raises(TaskFailedError):
        await read(exiftool_kind(config, program=real_program), media / "b.jpg")


@pytest.mark.parametrize("path", [None, b"/a\n.jpg"])
def test_the_configuration_is_shut_out_first(real: Callable[..., ExiftoolKind], path: bytes | None) -> None:
    """Anywhere but first the option comes too late (ExifTool documentation, "-config")."""
    command = real().command() if path is None else real().single_command(path)
    assert command is not None
    assert list(command[1:3]) == [b"-config", b""]


async def test_nobodys_code_is_run(
    tmp_path: Path, media: Path, monkeypatch: pytest.MonkeyPatch, real_program: ExiftoolProgram
) -> None:
    """Neither a configuration in HOME, EXIFTOOL_HOME or the current folder, nor what Perl's variables name."""
    proof = tmp_path / "proof"
    code = f'open(my $f, ">", "{proof}"); close $f; 1;\n'
    for folder in (tmp_path, media):
        (folder / ".ExifTool_config").write_text(code)
        (folder / "Evil.pm").write_text(code)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("EXIFTOOL_HOME", str(tmp_path))
    monkeypatch.setenv("PERL5LIB", str(tmp_path))
    monkeypatch.setenv("PERL5OPT", "-MEvil")
    monkeypatch.chdir(media)
    subprocess.run([real_program.path, "-ver"], check=True, capture_output=True)
    assert proof.exists(), "the trap does not work"
    proof.unlink()
    for name in ("a.jpg", "a\n.jpg"):
        make_jpeg(media / name)
    config = default_config().exiftool
    await read(exiftool_kind(config, program=find_exiftool(config)), media / "a.jpg", media / "a\n.jpg")
    assert not proof.exists()


async def test_a_bomb_fails_alone_and_within_its_memory(
    media: Path, real: Callable[..., ExiftoolKind]
) -> None:
    write_file(media / "bomb.png", png_bomb(200))
    make_jpeg(media / "good.jpg")
    async with asyncio.timeout(300), WorkerPool(real(memory_bytes=150_000_000, timeout_s=120.0), 1) as pool:
        outcomes = await asyncio.gather(
            *(pool.run(os.fsencode(media / name)) for name in ("good.jpg", "bomb.png", "good.jpg")),
            return_exceptions=True,
        )
    assert isinstance(outcomes[1], TaskFailedError)
    assert "ut of memory" in outcomes[1].message
    assert not isinstance(outcomes[0], BaseException)
    assert not isinstance(outcomes[2], BaseException)


async def test_a_file_that_burns_cpu_fails_alone(media: Path, real: Callable[..., ExiftoolKind]) -> None:
    content = jpeg_bytes()
    write_file(media / "slow.jpg", content[:2] + b"\xff\xfe\x00\x04ab" * 400_000 + content[2:])
    make_jpeg(media / "good.jpg")
    async with asyncio.timeout(60), WorkerPool(real(cpu_s=0.5), 1) as pool:
        outcomes = await asyncio.gather(
            *(pool.run(os.fsencode(media / name)) for name in ("slow.jpg", "good.jpg")),
            return_exceptions=True,
        )
    assert isinstance(outcomes[0], CpuTimeExceededError)
    assert not isinstance(outcomes[1], BaseException)


def test_exiftool_is_found(real_program: ExiftoolProgram) -> None:
    assert os.path.isabs(real_program.path)
    assert real_program.version.count(".") == 1


def test_a_configured_exiftool_is_used(tmp_path: Path) -> None:
    program = write_fake_exiftool(tmp_path, version="13.60")
    assert find_exiftool(configured(program.path)) == program


@pytest.mark.parametrize(
    ("version", "warned"), [("12.40", False), ("12.81", False), ("12.82", True), ("13.53", True)]
)
def test_doubtful_versions_are_warned_of(tmp_path: Path, version: str, warned: bool) -> None:
    program = write_fake_exiftool(tmp_path, version=version)
    assert bool(find_exiftool(configured(program.path)).warning) == warned


@pytest.mark.parametrize("version", ["12.39", "9.99"])
def test_an_old_exiftool_is_refused(tmp_path: Path, version: str) -> None:
    program = write_fake_exiftool(tmp_path, version=version)
    with pytest.raises(ExiftoolTooOldError, match=r"12\.40") as caught:
        find_exiftool(configured(program.path))
    assert caught.value.exit_code == 2
    assert "exiftool.org" in caught.value.hint  # the packages of an old system have no newer one


def test_a_missing_exiftool_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dnf").write_text("#!/bin/sh\n")
    (tmp_path / "dnf").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExiftoolMissingError, match="not installed") as caught:
        find_exiftool(configured(""))
    assert caught.value.exit_code == 2
    command = packages.install_command("exiftool")
    assert command.endswith("dnf install -y perl-Image-ExifTool")
    assert caught.value.hint.startswith(f"Install it with: {command}, or ")
    with pytest.raises(ExiftoolMissingError, match="no program"):
        find_exiftool(configured("/nowhere/exiftool"))


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho hello\n", "#!/nowhere\n"])
def test_a_broken_exiftool_is_told(tmp_path: Path, script: str) -> None:
    path = tmp_path / "exiftool"
    path.write_text(script)
    path.chmod(0o755)
    with pytest.raises(ExiftoolMissingError):
        find_exiftool(configured(str(path)))


def test_answers_of_newer_versions_that_quote_everything(real: Callable[..., ExiftoolKind]) -> None:
    kind = real()
    quoted = kind.understand(
        Reply(b'[{\n  "SourceFile": "/a",\n  "EXIF:ISO": "400",\n  "XMP:Title": "true"\n}]\n')
    )
    plain = kind.understand(
        Reply(b'[{\n  "SourceFile": "/a",\n  "EXIF:ISO": 400,\n  "XMP:Title": "true"\n}]\n')
    )
    assert quoted.tags == plain.tags == {"EXIF:ISO": "400", "XMP:Title": "true"}


@pytest.mark.parametrize(
    "output",
    [b"[{}]\n", b'[{\n  "SourceFile": "/a"\n}]\n', b'[{\n  "A": ' + b"[" * 5000 + b"]" * 5000 + b"\n}]"],
)
def test_odd_answers_are_answers_or_failures(real: Callable[..., ExiftoolKind], output: bytes) -> None:
    with contextlib.suppress(TaskFailedError):
        assert real().understand(Reply(output)).error == ""


async def test_same_tags_as_pyexiftool(tmp_path: Path, real: Callable[..., ExiftoolKind]) -> None:
    """For plain names the pool says what pyexiftool, with the same options, says."""
    from exiftool import ExifTool

    paths = []
    for number, extension in enumerate(("jpg", "mp4", "mp3", "flac", "mkv")):
        path = tmp_path / f"plain {number}.{extension}"
        write_file(path, jpeg_bytes(number) if extension == "jpg" else encoded_bytes(extension, number))
        paths.append(str(path))
    answers = await read(real(), *paths)
    options = [os.fsdecode(option) for option in BULK_OPTIONS if option not in (b"-json", b"-q")]
    expected: list[dict[str, Any]] = []
    with ExifTool(common_args=options) as tool:
        for name in paths:
            said = tool.execute("-json", os.fsdecode(group_option(os.fsencode(name))), name)
            expected += json.loads(said, parse_int=str, parse_float=str)
    for answer, tags in zip(answers, expected, strict=True):
        assert answer.tags.items() <= tags.items()
        left_out = {name.rpartition(":")[2] for name in tags.keys() - answer.tags.keys()}
        assert left_out == {
            "SourceFile", "FileName", "Directory", "FileSize", "FileModifyDate", "FileAccessDate",
            "FileInodeChangeDate", "FilePermissions",
        }  # fmt: skip


async def test_a_frame_of_another_version_of_id3_has_its_group_in_the_first_file_too(
    real: Callable[..., ExiftoolKind], media: Path
) -> None:
    frame = b"TDRC" + struct.pack(">IH", 5, 0) + b"\x001981"
    song = b"\xff\xfb\x90\x00" + bytes(413)
    for version in (3, 4):
        write_file(
            media / f"{version}.mp3", b"ID3" + bytes((version, 0, 0, 0, 0, 0, len(frame))) + frame + song * 4
        )
    for names in (("3.mp3",), ("4.mp3", "3.mp3")):
        for answer in await read(real(), *(media / name for name in names)):
            assert answer.tags["ID3:RecordingTime"] == "1981"
