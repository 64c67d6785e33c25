"""The driver of the terminal: Textual's own, made to bear that the terminal goes away.

When an SSH line drops, writing fails and the input ends. Textual's threads would die of it or spin, and the
main thread would wait for them for ever; here output falls into nothing and the application is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App


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
        """Read keys until the application stops, or until the terminal is gone."""
        try:
            super().run_input_thread()
        except OSError:
            self._app.call_from_thread(self._app.run_action, "hang_up")  # type: ignore[arg-type]  # its type admits no coroutine function
