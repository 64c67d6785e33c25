"""The fingerprint stage: files hashed by daemon threads, after their metadata and never in front of it."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import TYPE_CHECKING

from tui.scan.cancel import ScanCancelledError
from tui.scan.fingerprint import fingerprint_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.records import FileJob, Fingerprint
    from tui.scan.cancel import CancelToken

_WAITING_BATCHES = 64


class FingerprintThreads:
    """Hashes batches of files in threads of their own.

    Daemon threads, because a read that never returns must not keep the program from ending.
    """

    def __init__(
        self,
        number: int,
        token: CancelToken,
        on_done: Callable[[Sequence[Fingerprint]], None],
        *,
        full: bool,
    ) -> None:
        """Prepare `number` threads; `on_done` is called on the event loop with the outcomes of each batch."""
        self._token = token
        self._on_done = on_done
        self._full = full
        self._number = number
        self._batches: queue.SimpleQueue[Sequence[FileJob] | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = 0

    @property
    def has_room(self) -> bool:
        """True while few enough batches wait; what finds no room stays pending in the library."""
        return self._waiting < _WAITING_BATCHES

    @property
    def idle(self) -> bool:
        """True when every batch that was handed in has come back."""
        return self._waiting == 0

    def start(self) -> None:
        """Start the threads; call on the event loop."""
        self._loop = asyncio.get_running_loop()
        for number in range(self._number):
            threading.Thread(target=self._run, name=f"fingerprint {number + 1}", daemon=True).start()

    def submit(self, jobs: Sequence[FileJob]) -> None:
        """Hand in a batch of files."""
        self._waiting += 1
        self._batches.put(jobs)

    def stop(self) -> None:
        """Let the threads end after what they are at; after an abort they drop what waits."""
        for _ in range(self._number):
            self._batches.put(None)

    def _run(self) -> None:
        while (jobs := self._batches.get()) is not None:
            outcomes: list[Fingerprint] = []
            try:
                for job in jobs:
                    self._token.check()
                    outcomes.append(fingerprint_file(job, self._token, full=self._full))
            except ScanCancelledError:
                pass
            self._hand_back(outcomes)

    def _hand_back(self, outcomes: Sequence[Fingerprint]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._settle, outcomes)

    def _settle(self, outcomes: Sequence[Fingerprint]) -> None:
        self._waiting -= 1
        self._on_done(outcomes)
