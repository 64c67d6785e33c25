r"""ExifTool in `-stay_open` mode as a kind of children.

Arguments are lines there, so a file name with a line break would be code (`x\n-if\nsystem(…)`). One
function, `_line`, makes every line that is sent, and refuses what is not one argument; a file with such a name
is read by a process of its own, with the name as one word of its command.

Sources: ExifTool documentation, "-stay_open", "-execute", "-echo4", "-config", "-api"; and 12.57's script:
`FilterArgfileLine` takes off leading white space and trailing line breaks and obeys `#[CSTR]`.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.workers.errors import (
    FILE_GONE,
    AnswerTooLargeError,
    DesynchronisedError,
    TaskFailedError,
    TaskRefusedError,
)
from tui.workers.exiftool_program import (
    ExiftoolMissingError,
    ExiftoolProgram,
    ExiftoolTooOldError,
    find_exiftool,
)
from tui.workers.kind import Reply, WorkerKind, WorkerLimits

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from tui.config import ExiftoolConfig

__all__ = [
    "BULK_OPTIONS",
    "ExiftoolAnswer",
    "ExiftoolKind",
    "ExiftoolMissingError",
    "ExiftoolProgram",
    "ExiftoolTooOldError",
    "exiftool_kind",
    "find_exiftool",
]

BULK_OPTIONS: tuple[bytes, ...] = (
    b"-json",
    b"--sort",  # sorting by group, which groups bring along, would cost 6 % of ExifTool's time
    b"-n",
    b"-e",
    b"-q",
    b"-q",
    b"-api",
    b"LargeFileSupport=1",
    b"-api",
    b"StructFormat=JSONQ",  # quotes every value where it is known; older versions ignore it
)
"""What is asked of every file: all tags but composite ones, as JSON, unconverted."""

TRACK_EXTENSIONS = frozenset(
    (b"mp4", b"m4v", b"mov", b"qt", b"3gp", b"3gpp", b"3g2", b"f4v", b"insv", b"360", b"crm", b"mkv", b"webm")
)
"""Extensions of films whose tracks have groups of their own in family 1; under family 0 the last one wins."""

_FIRST = (b"-config", b"")
_UNSAFE_BYTES = re.compile(rb"[\n\r\0]")
_FILE_SYSTEM_TAGS = re.compile(
    rb'^  "(?:SourceFile|(?:File:|System:)?(?:FileName|Directory|FileSize|FileModifyDate|FileAccessDate'
    rb'|FileInodeChangeDate|FileCreateDate|FilePermissions))": .*,\n',
    re.MULTILINE,
)
_SPOILT_TAG = re.compile(
    rb'"ICC_Profile:(?:Media(?:White|Black)Point|(?:Red|Green|Blue)MatrixColumn|ChromaticAdaptation|Luminance'
    rb"|Profile(?:Copyright|Description|DescriptionML)|Device(?:Mfg|Model)Desc|ViewingCondDesc|Technology"
    rb'|CalibrationDateTime)": "\(Binary data '
)
_NAMELESS_GROUP = b'\n  "Unknown:'
_LAST_FILE_SYSTEM_TAG = b'FilePermissions": '
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, strict=False)
_MARK_BYTES = 64
_LINE_BREAK = ord("\n")
_QUOTED_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class ExiftoolAnswer:
    """What ExifTool said of one file.

    Attributes:
        tags: tag to value, with the family 0 group before it (`EXIF:Make`), for films in `TRACK_EXTENSIONS`
            the family 1 group (`Track1:MediaDuration`). Every number is text as ExifTool wrote it, so that
            `1.10` and `1e999` survive; lists are lists; `true` may be a bool. What only tells where the file
            lies (its name, size, dates of the file system) is left out.
        raw: the same as JSON text, one object, UTF-8.
        extractor: the program and its version, such as `exiftool 12.57`.
        error: why ExifTool could not read the content, in its own words; empty when it could.
        warnings: what it complained about although it could.
        stderr: what it said on standard error meanwhile.
        status: its exit status for this file, 0 for good.
    """

    tags: dict[str, Any]
    raw: bytes
    extractor: str
    error: str = ""
    warnings: tuple[str, ...] = ()
    stderr: str = ""
    status: int = 0


def exiftool_kind(
    config: ExiftoolConfig,
    *,
    program: ExiftoolProgram | None = None,
    options: Sequence[bytes] = BULK_OPTIONS,
    follow_links: bool = False,
) -> ExiftoolKind:
    """Return the kind of children that read pictures and films.

    Args:
        config: path, timeouts and limits.
        program: what `find_exiftool` returned; None looks for it now, which takes 0.1 s.
        options: what to ask of every file; it must make ExifTool print JSON.
        follow_links: read what symbolic links lead to.

    Raises:
        ExiftoolMissingError: there is no ExifTool.
        ExiftoolTooOldError: it is too old.
    """
    limits = WorkerLimits(
        timeout_s=config.timeout,
        cpu_s=config.cpu_seconds,
        memory_bytes=config.memory_mb * 1_000_000,
        recycle_bytes=config.recycle_mb * 1_000_000,
    )
    return ExiftoolKind(program or find_exiftool(config), limits, options=options, follow_links=follow_links)


def group_option(path: bytes) -> bytes:
    """Return which groups to ask for: family 1 costs more of ExifTool's time, so only where it matters."""
    extension = path.rpartition(b".")[2].lower()
    return b"-G1" if extension in TRACK_EXTENSIONS else b"-G0"


class ExiftoolKind(WorkerKind[ExiftoolAnswer]):
    """ExifTool, one process for many files.

    Attributes:
        program: the ExifTool that is run.
    """

    name = "exiftool"
    in_flight = 12

    def __init__(
        self,
        program: ExiftoolProgram,
        limits: WorkerLimits,
        *,
        options: Sequence[bytes] = BULK_OPTIONS,
        follow_links: bool = False,
    ) -> None:
        """Describe children that run `program` with `options` under `limits`."""
        self.program = program
        self.limits = limits
        self.follow_links = follow_links
        self._options = tuple(options)
        self._extractor = f"exiftool {program.version}"

    def command(self) -> Sequence[bytes]:
        """Return the command of a child; `-config ''` comes first, or a user's configuration runs as Perl."""
        words = (b"-stay_open", b"True", b"-@", b"-", b"-common_args", *self._options)
        return (self.program.path, *_FIRST, *words)

    def single_command(self, path: bytes) -> Sequence[bytes] | None:
        """Return the command for a path that cannot be a line, None for all others."""
        if not _UNSAFE_BYTES.search(path):
            return None
        return (self.program.path, *_FIRST, *self._options, group_option(path), b"--", path)

    def check(self, path: bytes) -> os.stat_result:
        """Make sure that `path` is absolute, and a regular file.

        Raises:
            TaskRefusedError: it is not.
        """
        if not path.startswith(b"/"):
            raise TaskRefusedError("The path is not absolute.")
        return super().check(path)

    def open_channel(self) -> ExiftoolChannel:
        """Return the talk with a new child."""
        return ExiftoolChannel(self.limits)

    def greeted(self, reply: Reply) -> None:
        """Make sure that the greeting was answered with a version.

        Raises:
            DesynchronisedError: it was not.
        """
        if not re.fullmatch(rb"\d+\.\d+", reply.output.strip()):
            raise DesynchronisedError("ExifTool did not tell its version at its start")

    def is_spoiled_by(self, reply: Reply) -> bool:
        """Return whether ExifTool met a tag of a colour profile whose type is wrong.

        It then calls that tag binary data in every file after this one, however sound (12.57: `ProcessICC_Profile`
        changes the `ValueConv` of the tag for the whole life of the process).
        """
        return _SPOILT_TAG.search(reply.output) is not None

    def understand(self, reply: Reply) -> ExiftoolAnswer:
        """Return the tags in `reply`; a file that ExifTool cannot read has an `error`, perhaps tags as well.

        Raises:
            DesynchronisedError: it is not the JSON of one file.
            TaskFailedError: it is nested too deeply to be taken apart.
        """
        stderr = reply.errors.decode("utf-8", "replace").strip()
        if not reply.output.strip():
            return ExiftoolAnswer({}, b"{}", self._extractor, _first_error(stderr), (), stderr, reply.status)
        raw = _name_groups(_cut_out_object(reply.output))
        try:
            tags = _DECODER.decode(raw.decode("utf-8", "replace"))
        except ValueError as error:
            raise DesynchronisedError("ExifTool gave an answer that is no JSON") from error
        except RecursionError as error:
            raise TaskFailedError("ExifTool gave an answer that is nested too deeply.") from error
        complaint = str(tags.get("ExifTool:Error", tags.get("Error", "")))
        warnings = _as_texts(tags.get("ExifTool:Warning", tags.get("Warning")))
        return ExiftoolAnswer(tags, raw, self._extractor, complaint, warnings, stderr, reply.status)


class ExiftoolChannel:
    """The talk with one ExifTool.

    Each request has a number, and two marks end its reply: `{ready123}` on standard output, and on standard
    error a line that `-echo4` prints. Numbers start anywhere and the error mark holds a random word, so that no
    text out of a file can stand for a mark.
    """

    def __init__(self, limits: WorkerLimits) -> None:
        """Begin with a child that has been told nothing."""
        self._limits = limits
        self._next_number = secrets.randbelow(900_000_000) + 100_000_000
        self._word = secrets.token_hex(8).encode("ascii")
        self._mark = re.compile(rb"\{%b-(\d+)=(\d+)\}\r?\n" % self._word)
        self._asked: deque[int] = deque()
        self._output = bytearray()
        self._searched = 0
        self._errors = bytearray()
        self._endings: deque[tuple[int, bytes, int]] = deque()

    def greet(self) -> bytes:
        """Return a request for the version, which needs no file."""
        return self._request((b"-ver",))

    def ask(self, path: bytes) -> bytes:
        """Return the request for the file at `path`.

        Raises:
            TaskRefusedError: the path cannot be written as a line.
        """
        if not path.startswith(b"/"):
            raise TaskRefusedError("The path is not absolute.")
        return self._request((group_option(path), path))

    def feed_output(self, data: bytes) -> None:
        """Take a chunk of standard output."""
        self._output += data

    def feed_errors(self, data: bytes) -> None:
        """Take a chunk of standard error; of a flood the beginning is kept."""
        self._errors += data
        while match := self._mark.search(self._errors):
            said = bytes(self._errors[: min(match.start(), self._limits.errors_bytes)])
            self._endings.append((int(match[1]), said, int(match[2])))
            del self._errors[: match.end()]
        if len(self._errors) > self._limits.errors_bytes + _MARK_BYTES:
            del self._errors[self._limits.errors_bytes : -_MARK_BYTES]

    def next_reply(self) -> Reply | None:
        """Return the reply to the oldest request, None while one of its two marks is missing.

        Raises:
            DesynchronisedError: it ends with another request's mark, or nothing was asked.
            AnswerTooLargeError: it grows beyond the limit.
        """
        if not self._asked:
            if self._output:
                raise DesynchronisedError("ExifTool spoke without being asked")
            return None
        ready = self._find_ready()
        if ready is None:
            if len(self._output) > self._limits.answer_bytes:
                raise AnswerTooLargeError(f"The answer is larger than {self._limits.answer_bytes} bytes")
            return None
        begin, end = ready
        if self._output[begin:end].rstrip() != b"{ready%d}" % self._asked[0]:
            raise DesynchronisedError("ExifTool gave an answer to something else")
        if not self._endings:
            return None
        number, errors, status = self._endings.popleft()
        if number != self._asked.popleft():
            raise DesynchronisedError("ExifTool gave an answer to something else")
        reply = Reply(bytes(self._output[:begin]), errors, status)
        del self._output[:end]
        self._searched = 0
        return reply

    def last_words(self) -> bytes:
        """Return what standard error said since the last mark."""
        return bytes(self._errors)

    def _request(self, arguments: tuple[bytes, ...]) -> bytes:
        number = self._next_number
        self._next_number += 1
        mark = b"{%b-%d=${status}}" % (self._word, number)
        words = (b"-echo4", mark, *arguments, b"-execute%d" % number)
        request = b"".join([_line(word) for word in words])
        self._asked.append(number)
        return request

    def _find_ready(self) -> tuple[int, int] | None:
        """Return where the first line that is a ready mark begins and ends.

        Within JSON a line break is always escaped, so that no value can begin a line.
        """
        output, start = self._output, self._searched
        while (begin := output.find(b"{ready", start)) >= 0:
            end = output.find(b"\n", begin)
            if end < 0:
                self._searched = begin
                return None
            if begin == 0 or output[begin - 1] == _LINE_BREAK:
                return begin, end + 1
            start = begin + 1
        self._searched = max(0, len(output) - len(b"{ready"))
        return None


def _line(argument: bytes) -> bytes:
    """Return `argument` as a line of an argument file: the lowest place that every argument passes.

    Raises:
        TaskRefusedError: ExifTool would not take it for exactly this one argument.
    """
    if (
        not argument
        or _UNSAFE_BYTES.search(argument)
        or argument.startswith((b"#", b" ", b"\t", b"\f", b"\v"))
    ):
        raise TaskRefusedError("The name of the file cannot be told to ExifTool.")
    return argument + b"\n"


def _cut_out_object(output: bytes) -> bytes:
    """Return the one object in a JSON array of one, without the lines that only tell where the file lies."""
    text = output.strip()
    if not (text.startswith(b"[{") and text.endswith(b"}]")):
        raise DesynchronisedError("ExifTool gave an answer that is not the JSON of one file")
    last = text.find(_LAST_FILE_SYSTEM_TAG)
    head_end = text.find(b"\n", last) + 1 if last >= 0 else len(text) - 1
    return _FILE_SYSTEM_TAGS.sub(b"", text[1:head_end]) + text[head_end:-1]


def _name_groups(raw: bytes) -> bytes:
    """Return an answer in which tags of ID3 have their group.

    A frame of another version of ID3 than its tag has the group `Unknown`, unless a file of that version was read
    before by the same process (12.57: `ProcessID3v2` takes it from a table that is not loaded).
    """
    return raw.replace(_NAMELESS_GROUP, b'\n  "ID3:') if b'"File:ID3Size": ' in raw else raw


def _as_texts(value: object) -> tuple[str, ...]:
    """Return a tag's value, one or a list or none at all, as texts."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(item) for item in values)


def _first_error(stderr: str) -> str:
    """Return the first complaint in `stderr` without the path that ExifTool puts behind it."""
    for line in stderr.splitlines():
        if line.startswith("Error: File not found"):
            return FILE_GONE
        if line.startswith(("Error: ", "Warning: ")):
            return line.partition(": ")[2].partition(" - /")[0]
    return stderr[:_QUOTED_CHARACTERS] or "ExifTool said nothing of the file."
