"""Hashing in threads of their own, of which one that hangs on a disk is given up."""

from __future__ import annotations

import asyncio
import logging
import math
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.display import display
from tui.records import Fingerprint
from tui.scan.cancel import ScanCancelledError
from tui.scan.fingerprint import fingerprint_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.records import FileJob
    from tui.scan.cancel import CancelToken

logger = logging.getLogger("yapmo.scan")

_HAND_IN_S = 0.2

_MOST_GIVEN_UP = 16
"""Threads that may hang; beyond that the scan waits for the disk."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Files to hash, and whether wholly."""

    jobs: Sequence[FileJob]
    full: bool


class _Hand:
    """What one thread is at; it stands for the cancel token while a file is hashed, and so sees each read return.

    Attributes:
        batch: what it works on.
        place: the file of it that it reads.
        outcomes: what it has not handed in yet.
        is_given_up: whether its read did not return in time; what it does from then on does not count.
    """

    def __init__(self, token: CancelToken) -> None:
        """Begin with nothing to do."""
        self._token = token
        self._lock = threading.Lock()
        self._since_s = math.inf
        self.batch = _Batch((), full=False)
        self.place = 0
        self.outcomes: list[Fingerprint] = []
        self.is_given_up = False

    def begin(self, batch: _Batch, place: int) -> None:
        """Turn to a file."""
        with self._lock:
            self.batch, self.place, self._since_s = batch, place, time.monotonic()

    def check(self) -> None:
        """Hear that a read has returned; return when work may go on, as `CancelToken.check`."""
        self._since_s = math.inf
        self._token.check()
        self._since_s = time.monotonic()

    def end(self, outcome: Fingerprint) -> bool:
        """Keep the outcome of the file; False when it was given up meanwhile."""
        with self._lock:
            self._since_s = math.inf
            if not self.is_given_up:
                self.outcomes.append(outcome)
            return not self.is_given_up

    def give_up(self, timeout_s: float) -> bool:
        """Give the file up if its read has not returned for so many seconds; return whether that is so."""
        with self._lock:
            if not self.is_given_up:
                self.is_given_up = time.monotonic() - self._since_s > timeout_s
                return self.is_given_up
        return False

    def take_outcomes(self) -> list[Fingerprint]:
        """Take out what is to be handed in."""
        outcomes, self.outcomes = self.outcomes, []
        return outcomes


class HashingThreads:
    """Hashes batches of files in threads of their own.

    Daemon threads, because a read that never returns must not keep the program from ending. The file whose read does not
    return within its time is given up with its thread, and another thread goes on behind it.
    """

    def __init__(
        self,
        number: int,
        token: CancelToken,
        on_done: Callable[[Sequence[Fingerprint], bool], None],
        *,
        follow_links: bool,
        timeout_s: float = math.inf,
    ) -> None:
        """Prepare `number` threads.

        Args:
            number: how many files are hashed at once.
            token: stops and pauses them.
            on_done: called on the event loop with outcomes, and whether they end a batch.
            follow_links: whether paths that are symbolic links are read.
            timeout_s: how long one read may take.
        """
        self._follow_links = follow_links
        self._token = token
        self._on_done = on_done
        self._number = number
        self._timeout_s = timeout_s
        self._batches: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hands: set[_Hand] = set()
        self._given_up = 0

    def start(self) -> None:
        """Start the threads; call on the event loop."""
        self._loop = asyncio.get_running_loop()
        for _ in range(self._number):
            self._start_thread()

    def submit(self, jobs: Sequence[FileJob], *, full: bool) -> None:
        """Hand in a batch; `full` asks for the hash of the whole content."""
        self._batches.put(_Batch(jobs, full))

    def stop(self) -> None:
        """Let the threads end; after an abort they drop what waits."""
        for _ in range(self._number):
            self._batches.put(None)

    def give_up_hanging(self) -> None:
        """Give up each file whose read does not return, as far as new threads may be started in place of the old."""
        for hand in tuple(self._hands):
            if self._given_up >= _MOST_GIVEN_UP or self._token.paused:
                return
            if not hand.give_up(self._timeout_s):
                continue
            self._given_up += 1
            self._hands.discard(hand)
            self._start_thread()
            job, *rest = hand.batch.jobs[hand.place :]
            message = f"cannot be read: the disk did not answer within {self._timeout_s:g} s"
            failure = Fingerprint(job.file_id, job.size, job.mtime_ns, error=message)
            self._on_done([*hand.outcomes, failure], not rest)
            if rest:
                self._batches.put(_Batch(rest, hand.batch.full))

    def _start_thread(self) -> None:
        hand = _Hand(self._token)
        self._hands.add(hand)
        threading.Thread(target=self._run, args=(hand,), name="fingerprint", daemon=True).start()

    def _run(self, hand: _Hand) -> None:
        while (batch := self._batches.get()) is not None:
            handed_in_s = time.monotonic()
            try:
                for place, job in enumerate(batch.jobs):
                    self._token.check()
                    hand.begin(batch, place)
                    outcome = self._hash(job, hand, full=batch.full)
                    if not hand.end(outcome):
                        return
                    if time.monotonic() - handed_in_s > _HAND_IN_S:
                        self._hand_in(hand.take_outcomes(), ends_batch=False)
                        handed_in_s = time.monotonic()
            except ScanCancelledError:
                if hand.is_given_up:
                    return
            self._hand_in(hand.take_outcomes(), ends_batch=True)

    def _hash(self, job: FileJob, hand: _Hand, *, full: bool) -> Fingerprint:
        """Hash one file; whatever happens, it costs that file at most."""
        try:
            return fingerprint_file(job, hand, full=full, follow_links=self._follow_links)
        except ScanCancelledError:
            raise
        except Exception as error:
            logger.exception("%s: the fingerprint cannot be made", display(job.path))
            message = f"The fingerprint cannot be made: {type(error).__name__}."
            return Fingerprint(job.file_id, job.size, job.mtime_ns, error=message)

    def _hand_in(self, outcomes: Sequence[Fingerprint], *, ends_batch: bool) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._on_done, outcomes, ends_batch)
