"""The one door through which a scan is aborted, paused and resumed."""

from __future__ import annotations

import threading


class ScanCancelledError(Exception):
    """The scan was aborted; raised inside the engine only, never shown."""


class CancelToken:
    """Tells every stage of one scan, in any thread, to stop or to wait.

    Aborting is final. A paused stage sleeps without using the processor and still hears an abort at once.
    """

    def __init__(self) -> None:
        self._aborted = threading.Event()
        self._going = threading.Event()
        self._going.set()

    @property
    def aborted(self) -> bool:
        """True once `abort` was called."""
        return self._aborted.is_set()

    @property
    def paused(self) -> bool:
        """True between `pause` and `resume`."""
        return not self._going.is_set()

    def abort(self) -> None:
        """Stop the scan; wakes whatever is paused."""
        self._aborted.set()
        self._going.set()

    def pause(self) -> None:
        """Let every stage stop at its next step; no effect after an abort."""
        if not self.aborted:
            self._going.clear()

    def resume(self) -> None:
        """Let paused stages go on."""
        self._going.set()

    def check(self) -> None:
        """Return when work may go on; blocks the calling thread while paused.

        Raises:
            ScanCancelledError: the scan was aborted.
        """
        if not self._going.is_set():
            self._going.wait()
        if self._aborted.is_set():
            raise ScanCancelledError
