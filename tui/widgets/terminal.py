"""The driver of the terminal: Textual's own, made to bear that the terminal goes away, and whatever comes from it.

When an SSH line drops, writing fails and the input ends. Textual's threads would die of it or spin, and the
main thread would wait for them for ever; here output falls into nothing and the application is told. Bytes that are
no UTF-8 would end the thread that reads, and with it every key.
"""

from __future__ import annotations

import codecs
import errno
import os
import selectors
from typing import TYPE_CHECKING, Any, TextIO, cast

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

FLOOD_CHARACTERS = 512
"""So many characters that come at once, without a control sequence, were not typed: they are one paste.

A terminal that does not mark what is pasted would have a megabyte of it obeyed key by key, for minutes, as commands.
"""

_READ_BYTES = 4096
_TICK_S = 0.1
_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"


class _Output:
    """A text stream that swallows everything once its terminal is gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost = False

    def write(self, text: str) -> int:
        if not self.lost:
            try:
                return self._stream.write(text)
            except OSError:
                self.lost = True
        return len(text)

    def flush(self) -> None:
        if not self.lost:
            try:
                self._stream.flush()
            except OSError:
                self.lost = True

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return not self.lost and self._stream.isatty()


class Terminal(LinuxDriver):
    """Input and output on a terminal that may hang up at any time."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        """Drive the terminal of this process (called by Textual)."""
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file: Any = _Output(cast("TextIO", self._file))

    def run_input_thread(self) -> None:
        """Read keys until the application stops, or until the terminal is gone (called by Textual)."""
        try:
            self._read_input()
        except OSError:
            self._app.call_from_thread(self._app.run_action, "hang_up")  # type: ignore[arg-type]  # its type admits no coroutine function

    def _read_input(self) -> None:
        """Hand on what comes from the terminal.

        Raises:
            OSError: the terminal is gone.
        """
        parser = XTermParser(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        marks, flooded = PasteMarks(), False
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if not selector.select(_TICK_S):
                    flooded = False
                    marks.pause()
                else:
                    data = os.read(self.fileno, _READ_BYTES)
                    if not data:  # as reading a terminal that has hung up ends
                        raise OSError(errno.EIO, os.strerror(errno.EIO))
                    text = decode(data)
                    pasted, keys = marks.split(text, goes_on=flooded)
                    flooded = bool(pasted) and not keys
                    if pasted:
                        self.process_message(events.Paste(pasted))
                    for event in parser.feed(keys) if keys else ():
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)


class PasteMarks:
    """Where in the input of a terminal a paste that it marked begins and ends (xterm's bracketed paste mode)."""

    def __init__(self) -> None:
        """Begin outside of a paste."""
        self._inside = False
        self._tail = ""

    def pause(self) -> None:
        """Note that nothing came for a while: what began as a control sequence was a key."""
        self._tail = ""

    def split(self, text: str, *, goes_on: bool = False) -> tuple[str, str]:
        """Take in the next characters; return those that are a paste which the terminal did not mark, and what is typed.

        Args:
            text: the characters that came.
            goes_on: whether they came right behind such a paste; then few are enough.
        """
        seen = self._tail + text
        begins, ends = seen.rfind(_PASTE_BEGINS), seen.rfind(_PASTE_ENDS)
        is_plain = not self._inside and "\x1b" not in self._tail
        self._inside = begins > ends if max(begins, ends) >= 0 else self._inside
        self._tail = seen[-len(_PASTE_BEGINS) + 1 :]
        signs, control, rest = text.partition("\x1b")
        if is_plain and (goes_on or len(signs) >= FLOOD_CHARACTERS):
            return signs, control + rest
        return "", text
