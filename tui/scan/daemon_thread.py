"""One daemon thread that runs blocking functions for the event loop, one after the other.

Not `asyncio.to_thread`: its threads are joined at exit, so one read that never returns from a dead network
disk would keep the program from ending.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class DaemonThread:
    """Runs functions in a thread that never keeps the program alive."""

    def __init__(self, name: str) -> None:
        """Start the thread, called `name` in debuggers."""
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, function: Callable[[], T]) -> T:
        """Return what `function` returns, or raise what it raises, without blocking the event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def call() -> None:
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001  # whatever it is belongs to the one who waits
                _settle_threadsafe(loop, future, None, error)
            else:
                _settle_threadsafe(loop, future, result, None)

        self._calls.put(call)
        return await future

    def stop(self) -> None:
        """Let the thread end after what it was given."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _settle_threadsafe(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[T], result: T | None, error: BaseException | None
) -> None:
    def settle() -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # None only where T admits it

    if not loop.is_closed():
        loop.call_soon_threadsafe(settle)
