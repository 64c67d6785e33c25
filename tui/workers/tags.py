"""Music tags as a kind of children: mutagen in `python_worker` processes."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.workers.errors import AnswerTooLargeError, DesynchronisedError
from tui.workers.kind import Reply, WorkerKind, WorkerLimits
from tui.workers.python_worker import HEADER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.config import ExiftoolConfig

_BOOT = (  # this very package, wherever another may be installed; the standard library before all of them
    "import __future__, json, os, struct, sys, typing; sys.path[:] = sys.argv[1:]; "
    "import tui.workers.python_worker as worker; del sys.path[0]; worker.main()"
)
_PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@dataclass(frozen=True, slots=True)
class TagAnswer:
    """What mutagen said of one file.

    Attributes:
        tags: `type`, `mime`, `info` and `tags` as `tag_reader.read_tags` describes them; empty on an error.
        raw: the same as JSON text, one object, UTF-8.
        extractor: the parser and its version, such as `mutagen 1.48.1`.
        error: why mutagen could not read the file, one sentence; empty when it could.
        warnings: what was left out.
    """

    tags: dict[str, Any]
    raw: bytes
    extractor: str
    error: str = ""
    warnings: tuple[str, ...] = ()


def tag_kind(config: ExiftoolConfig, *, follow_links: bool = False) -> TagKind:
    """Return the kind of children that read music tags.

    Args:
        config: timeouts and limits; the same as for exiftool.
        follow_links: read what symbolic links lead to.
    """
    limits = WorkerLimits(
        timeout_s=config.timeout,
        cpu_s=config.cpu_seconds,
        memory_bytes=config.memory_mb * 1_000_000,
        recycle_bytes=config.recycle_mb * 1_000_000,
    )
    return TagKind(limits, follow_links=follow_links)


class TagKind(WorkerKind[TagAnswer]):
    """mutagen in a Python process, one process for many files."""

    name = "tags"
    in_flight = 32

    def __init__(self, limits: WorkerLimits, *, follow_links: bool = False) -> None:
        """Describe children under `limits`."""
        self.limits = limits
        self.follow_links = follow_links
        self._extractor = "mutagen"

    def command(self) -> Sequence[bytes]:
        """Return the command of a child.

        It is this Python, isolated (`-I -S`: no environment, no user's site, no `.pth` file is run), told where
        this process finds its modules.
        """
        words = (sys.executable, "-I", "-S", "-X", "utf8", "-c", _BOOT, *_find_module_folders())
        return tuple(os.fsencode(word) for word in words)

    def open_channel(self) -> FrameChannel:
        """Return the talk with a new child."""
        return FrameChannel(b"tags", self.limits)

    def greeted(self, reply: Reply) -> None:
        """Learn the parser's version from the reply to the greeting."""
        versions = _load_object(reply.output)
        self._extractor = f"mutagen {versions.get('mutagen', '')}".strip()

    def understand(self, reply: Reply) -> TagAnswer:
        """Return the tags in `reply`.

        Raises:
            DesynchronisedError: it is no JSON object.
        """
        tags = _load_object(reply.output)
        if "error" in tags:
            return TagAnswer({}, b"{}", self._extractor, str(tags["error"]))
        warnings = tuple(str(warning) for warning in tags.get("warnings", ()))
        return TagAnswer(tags, reply.output, self._extractor, "", warnings)


class FrameChannel:
    """The talk with one `python_worker`, in its frames."""

    def __init__(self, job: bytes, limits: WorkerLimits) -> None:
        """Begin with a child that is going to be asked for `job` again and again."""
        self._job = job
        self._limits = limits
        self._next_number = 0
        self._asked: deque[int] = deque()
        self._output = bytearray()
        self._errors = bytearray()

    def greet(self) -> bytes:
        """Return a request for the parsers' versions."""
        return self._request(b"greet", b"")

    def ask(self, path: bytes) -> bytes:
        """Return the request for the file at `path`."""
        return self._request(self._job, path)

    def feed_output(self, data: bytes) -> None:
        """Take a chunk of standard output."""
        self._output += data

    def feed_errors(self, data: bytes) -> None:
        """Take a chunk of standard error; of a flood the beginning is kept."""
        self._errors += data[: max(0, self._limits.errors_bytes - len(self._errors))]

    def next_reply(self) -> Reply | None:
        """Return the reply to the oldest request, None while it is not complete.

        Raises:
            DesynchronisedError: it is to another request, or nothing was asked.
            AnswerTooLargeError: it is larger than the limit.
        """
        if len(self._output) < HEADER.size:
            return None
        number, length = HEADER.unpack_from(self._output)
        if not self._asked or number != self._asked[0]:
            raise DesynchronisedError("The process gave an answer to something else")
        if length > self._limits.answer_bytes:
            raise AnswerTooLargeError(f"The answer is larger than {self._limits.answer_bytes} bytes")
        end = HEADER.size + length
        if len(self._output) < end:
            return None
        reply = Reply(bytes(self._output[HEADER.size : end]), bytes(self._errors))
        del self._output[:end]
        self._errors.clear()
        self._asked.popleft()
        return reply

    def last_words(self) -> bytes:
        """Return what standard error said since the last reply."""
        return bytes(self._errors)

    def _request(self, job: bytes, path: bytes) -> bytes:
        number = self._next_number
        self._next_number = (number + 1) % 2**32
        self._asked.append(number)
        payload = job + b"\0" + path
        return HEADER.pack(number, len(payload)) + payload


def _find_module_folders() -> list[str]:
    """Return where this package lies and where other modules do, but not the folder that the user is in."""
    try:
        here = os.getcwd()
    except FileNotFoundError:
        here = ""
    folders = [folder for folder in sys.path if os.path.isabs(folder) and folder != here]
    return [_PACKAGE_PARENT, *folders]


def _load_object(text: bytes) -> dict[str, Any]:
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DesynchronisedError("The process gave an answer that is no JSON") from error
    if not isinstance(loaded, dict):
        raise DesynchronisedError("The process gave an answer that is no object")
    return loaded
