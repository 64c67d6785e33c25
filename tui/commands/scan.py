"""`yapmo scan`: the engine with a line of progress."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui.commands.outcome import forget_lost_terminal
from tui.commands.output import write_json
from tui.commands.scan_report import exit_code, print_summary, report_progress, summary_event
from tui.commands.session import open_scan_session
from tui.errors import UsageError
from tui.library.scans import ScanRunningError
from tui.paths import absolute
from tui.records import Stage
from tui.scan.service import ScanRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.commands.shared_options import SharedOptions
    from tui.records import ScanSummary
    from tui.scan.service import ScanService

_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """The command line of `yapmo scan`, as given."""

    paths: tuple[str, ...] = ()
    only: str | None = None
    rescan: Literal["changed", "metadata", "everything"] | None = None
    accept_missing: bool = False
    retry_failed: bool = False
    workers: int | None = None
    strict: bool = False
    watch: bool = False
    abort: bool = False


def run_scan(options: ScanOptions, shared: SharedOptions) -> int:
    """Scan, or ask running scans to stop, and return the exit code."""
    if not options.abort:
        return asyncio.run(_scan(options, shared))
    if options != ScanOptions(options.paths, abort=True):
        raise UsageError(
            "--abort goes with paths alone: it asks scans that run to stop.",
            hint="`yapmo scan --abort PATH`, then `yapmo scan PATH` with what you want.",
        )
    from tui.commands.watch_scan import abort_scans

    return abort_scans(options.paths, shared)


async def _scan(options: ScanOptions, shared: SharedOptions) -> int:
    request = ScanRequest(
        paths=tuple(absolute(path) for path in options.paths),
        only=Stage(options.only) if options.only else None,
        rescan=options.rescan,
        accept_missing=options.accept_missing,
        accept_unmounted=options.accept_missing and bool(options.paths),
        retry_failed=options.retry_failed,
        workers=options.workers,
    )
    summary: ScanSummary | None = None
    try:
        async with open_scan_session(request, shared) as session:
            try:
                summary = await _run(session.service, request, as_json=shared.as_json)
            except ScanRunningError as running:
                if not options.watch and (shared.as_json or not sys.stderr.isatty()):
                    raise  # nobody looks, and a program or cron should hear at once
                from tui.commands.watch_scan import watch_scan

                return await watch_scan(
                    session, running, request, as_json=shared.as_json, strict=options.strict
                )
    finally:  # the library says so when it cannot keep all that was found, and `--json` promises a last event
        if summary is not None and shared.as_json:
            write_json(summary_event(summary), flush=True)
    if not shared.as_json:
        print_summary(summary)
    return exit_code(summary, strict=options.strict)


async def _run(service: ScanService, request: ScanRequest, *, as_json: bool) -> ScanSummary:
    """Run one scan to its end, telling how far it is."""
    with _aborting_on_signals(service) as interrupted:
        await service.start(request)
        if interrupted.is_set():
            service.abort()
        reporter = asyncio.create_task(report_progress(service, as_json=as_json))
        try:
            return await service.wait()
        finally:
            reporter.cancel()
            await asyncio.gather(reporter, return_exceptions=True)


@contextlib.contextmanager
def _aborting_on_signals(service: ScanService) -> Iterator[asyncio.Event]:
    """Abort the scan on the first signal, which sets the event; a second Ctrl-C leaves at once.

    A dropped line is nothing to a scan that was started with `nohup`.
    """
    loop = asyncio.get_running_loop()
    interrupted = asyncio.Event()
    ignores_hang_up = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN

    def abort() -> None:
        interrupted.set()
        forget_lost_terminal()
        service.abort()
        loop.remove_signal_handler(signal.SIGINT)

    handled = [number for number in _HANDLED if number != signal.SIGHUP or not ignores_hang_up]
    for number in handled:
        loop.add_signal_handler(number, abort)
    try:
        yield interrupted
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
