"""The child that runs Python parsers: asked on standard input, answers on standard output, ends with it.

Frames both ways are an 8-byte header, two big-endian unsigned 32-bit numbers (the request's number, and the
length of what follows), and the payload: `JOB NUL PATH` as a request, a JSON object in UTF-8 as an answer.

This module and what it imports stay small: a child starts in the blink of an eye, and it shares nothing with
the program but the code of its parsers.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from tui.workers.errors import FILE_GONE

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = struct.Struct(">II")
"""Number of the request and length of the payload."""

LONGEST_REQUEST = 65_536
"""Bytes of the longest request that makes sense: a path and a word."""

_LONGEST_MESSAGE = 300


def greet(_: bytes) -> dict[str, Any]:
    """Return the versions of the parsers, once they are loaded."""
    import mutagen

    from tui.workers import tag_reader  # noqa: F401  # so that the first file does not pay for it

    return {"mutagen": mutagen.version_string}


def read_tags(path: bytes) -> dict[str, Any]:
    """Return what mutagen says of the file at `path`; see `tag_reader.read_tags`."""
    from tui.workers.tag_reader import read_tags

    return read_tags(path)


JOBS: dict[bytes, Callable[[bytes], dict[str, Any]]] = {b"greet": greet, b"tags": read_tags}
"""What a child can be asked for, by the word in the request."""


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer the requests that arrive from `source` until it ends."""
    while len(header := source.read(HEADER.size)) == HEADER.size:
        number, length = HEADER.unpack(header)
        if length > LONGEST_REQUEST:
            return
        answer = perform(source.read(length))
        sink.write(HEADER.pack(number, len(answer)) + answer)
        sink.flush()


def perform(request: bytes) -> bytes:
    """Return the JSON answer to one request; a parser's failure is an answer with `error`."""
    job, _, path = request.partition(b"\0")
    try:
        answer = JOBS[job](path)
        return _to_json(answer)
    except Exception as error:  # noqa: BLE001  # foreign parsers on damaged files raise whatever comes
        return _to_json({"error": _explain(error)})


def main() -> None:
    """Serve standard input; whatever a parser prints goes to standard error and cannot spoil an answer."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with sink, open(0, "rb", closefd=False) as source:
        serve(source, sink)


def _to_json(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _explain(error: Exception) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return FILE_GONE
    if isinstance(error, MemoryError):
        return "The file needs more memory than it may take."
    if isinstance(error, RecursionError):
        return "The file is nested too deeply."
    text = " ".join(str(error).split())[:_LONGEST_MESSAGE]
    return f"The file is damaged: {text or type(error).__name__}."


if __name__ == "__main__":
    main()
    sys.exit(0)
