"""`yapmo scan` where another process scans already: show that scan, or ask it to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from tui.commands.outcome import ABORTED
from tui.commands.output import write_json, write_note
from tui.commands.scan_report import exit_code, print_summary, process_members, report_progress, summary_event
from tui.commands.session import run_session
from tui.display import display, name_process
from tui.errors import LibraryError
from tui.library.roots import list_roots
from tui.paths import absolute, is_inside, json_path
from tui.scan.presence import GLANCE_S, look_alone
from tui.scan.request import ScanRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.commands.session import ScanSession, Session
    from tui.commands.shared_options import SharedOptions
    from tui.library.scans import ScanRunningError
    from tui.records import ScanSummary
    from tui.scan.watch import ScanWatch

ENDING_S = 60.0
"""How long an abort that was asked for may take: a second as a rule; a disk or a share that does not answer, some more."""

_LEAVING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def watch_scan(
    session: ScanSession, running: ScanRunningError, request: ScanRequest, *, as_json: bool, strict: bool
) -> int:
    """Show the scan of another process that keeps `request` from being served, until it ends; return the exit code."""
    watch = await session.service.watch(running.scan_id)
    if not as_json:
        write_note(f"yapmo: {running.message}. This is that scan.")
        write_note(
            "       Ctrl-C stops watching and leaves it running; `yapmo scan --abort` asks it to stop."
        )
    reporter = asyncio.create_task(report_progress(watch, as_json=as_json))
    try:
        summary = await _wait_unless_left(watch)
    finally:
        reporter.cancel()
        await asyncio.gather(reporter, return_exceptions=True)
    if as_json:
        write_json(_end_event(watch, summary), flush=True)
    elif summary is None:
        write_note("yapmo: no longer watching; the scan goes on.")
    else:
        print_summary(summary)
        write_note(f"That was the scan of {name_process(watch.process)}.")
        if not _is_served(session, request, watch.paths):
            write_note("It did not cover all that you asked for: scan again.")
    return ABORTED if summary is None else exit_code(summary, strict=strict)


async def _wait_unless_left(watch: ScanWatch) -> ScanSummary | None:
    """Return how the scan ends; None when a signal ends the watching first."""
    with _hearing_signals() as left:
        waiting = {asyncio.create_task(watch.wait()), asyncio.create_task(left.wait())}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return None if watch.running else await watch.wait()


@contextlib.contextmanager
def _hearing_signals() -> Iterator[asyncio.Event]:
    """Set the event at the first signal that asks to leave."""
    loop, left = asyncio.get_running_loop(), asyncio.Event()
    heard = [number for number in _LEAVING if signal.getsignal(number) is not signal.SIG_IGN]  # nohup
    for number in heard:
        loop.add_signal_handler(number, left.set)
    try:
        yield left
    finally:
        for number in heard:
            loop.remove_signal_handler(number)


def _end_event(watch: ScanWatch, summary: ScanSummary | None) -> dict[str, Any]:
    if summary is not None:
        return summary_event(summary, watch.process)
    return {"event": "left", "state": str(watch.snapshot().state), **process_members(watch.process)}


def _is_served(session: Session, request: ScanRequest, paths: Sequence[bytes]) -> bool:
    """Tell whether a plain scan of `paths` did what was asked for."""
    wanted = [os.path.realpath(path) for path in request.paths] or [
        root.path for root in session.read(list_roots)
    ]
    is_plain = request == ScanRequest(request.paths, workers=request.workers)
    return is_plain and all(any(is_inside(path, folder) for folder in paths) for path in wanted)


def abort_scans(paths: Sequence[str], shared: SharedOptions) -> int:
    """Ask the scans that run (of the roots of `paths`, or all) to stop, wait until they have, and return the exit code."""

    async def work(session: Session) -> int:
        from tui.scan.service import ScanService

        service = ScanService(session.library, session.config)
        try:
            places = await asyncio.gather(*(_find_place(absolute(path)) for path in paths))
            watches = await service.watch_living(places)
            ended = await asyncio.gather(*(_abort(watch, as_json=shared.as_json) for watch in watches))
        finally:
            await service.close()
        if not watches and not shared.as_json:
            write_note("No scan is running there." if paths else "No scan is running.")
        return 0 if all(ended) else LibraryError.exit_code

    return run_session(work, shared, read_only=False)


async def _find_place(path: bytes) -> bytes:
    """Return an absolute path without links, as roots have it; as it is where its disk does not answer."""
    try:
        return await look_alone(lambda: os.path.realpath(path), GLANCE_S)
    except (TimeoutError, OSError):
        return path


async def _abort(watch: ScanWatch, *, as_json: bool) -> bool:
    """Ask for the end of one scan and wait for it; returns whether it came."""
    what, who = ", ".join(map(display, watch.paths)), name_process(watch.process)
    if not as_json:
        write_note(f"yapmo: asking {who} to stop its scan of {what}")
    await watch.ask_to_abort()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(watch.wait(), ENDING_S)
    state = watch.snapshot().state
    if as_json:
        paths = [json_path(path) for path in watch.paths]
        event = {"event": "abort", "state": str(state), "paths": paths, **process_members(watch.process)}
        write_json(event, flush=True)
    elif watch.running:
        write_note(f"yapmo: it has not stopped within {ENDING_S:.0f} s. {_last_resort(watch)}")
    else:
        print(f"{state}: {what}", file=sys.stdout, flush=True)
    return not watch.running


def _last_resort(watch: ScanWatch) -> str:
    process = watch.process
    if process.is_here:
        return f"`kill {process.pid}` ends its process; what is finished is kept."
    return f"It runs on {display(process.host)}: it can be asked from here, and killed only there."
