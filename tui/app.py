"""The terminal application: main screens, keys that hold everywhere, leaving.

Textual reads `TEXTUAL_FPS` when it is imported: at 60 frames a second the wait for the frame timer alone would
take half of the 30 ms that a key may take to reach the screen.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar

os.environ["TEXTUAL_FPS"] = os.environ.get("TEXTUAL_FPS", "120")

from textual.app import App, SystemCommand

from tui.actions import BY_ID, Place, bindings, check_keymap, key_names, keys_of
from tui.display import display
from tui.screens.scan_control import ScanControl
from tui.screens.session import Session
from tui.screens.shell import FolderOpened, ShellScreen
from tui.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.driver import Driver
    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from tui.config import Config
    from tui.library.database import Library
    from tui.log import LogFeed
    from tui.screens.session import Engine

logger = logging.getLogger("yapmo.app")

INTERRUPT_WINDOW_S = 3.0
"""How long after one Ctrl-C the next one leaves."""

COUNT_PERIOD_S = 2.0
"""Time between two counts of the files in the library while a scan runs."""

LEAVE_LIMIT_S = 5.0
"""How long leaving waits for the engine to commit what is done."""


class YapmoApp(App[int]):
    """The terminal application on one open library.

    It returns the exit code of the process: 0, or 3 when leaving cut a scan short.
    """

    TITLE = "YAPMO"
    CSS_PATH = "app.tcss"
    BINDINGS = bindings(Place.EVERYWHERE)
    SCAN_ACTIONS: ClassVar[frozenset[str]] = frozenset({"abort", "pause"})

    def __init__(
        self,
        config: Config,
        library: Library,
        engine: Engine,
        log_feed: LogFeed,
        start_path: bytes | None = None,
        *,
        first_mode: str = "library",
    ) -> None:
        """Serve `library`.

        Args:
            config: the configuration in force.
            library: the open library; the caller closes it afterwards.
            engine: the scan service; the caller closes it afterwards.
            log_feed: the log to show.
            start_path: folder or file to begin with, scanned at once.
            first_mode: main screen to begin with.
        """
        super().__init__()
        self.session = Session(config, library, engine, log_feed, keymap=dict(config.interface.keys))
        self.scan_control = ScanControl(self, self.session, self._show_snapshot, self.ring)
        self.animation_level = "none"
        self._start_path = start_path
        self._interrupted_at = -INTERRUPT_WINDOW_S
        self._counted_at = -COUNT_PERIOD_S
        self._leaving = False
        for mode, make in _screen_makers(self.session).items():
            self.add_mode(mode, make)
        self._current_mode = first_mode  # Textual itself knows only one DEFAULT_MODE for the class
        self._screen_stacks = {first_mode: []}
        self._use_interface_config()

    def get_driver_class(self) -> type[Driver]:
        """Return the driver that bears a hang-up (called by Textual)."""
        return Terminal

    def delay_update(self, delay: float = 0.05) -> None:
        """Show a change of screens without Textual's wait of 50 ms, which hid transitions that there are not."""
        del delay
        super().delay_update(0.001)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a notice; its text is never markup and never obeyed by the terminal."""
        del markup
        text = "\n".join(display(line) for line in message.split("\n"))
        super().notify(text, title=display(title), severity=severity, timeout=timeout, markup=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Yield what the command palette offers on `screen`: the actions whose keys are heard there."""
        seen = set()
        for active in screen.active_bindings.values():
            action = BY_ID.get(active.binding.id or "")
            if action is None or not action.palette or action.id in seen:
                continue
            seen.add(action.id)
            keys = key_names(keys_of(action, self.session.keymap))
            label = f"{action.label.capitalize()}  ({keys})"
            yield SystemCommand(label, action.help, _runner(self, active.binding.action, active.node))
        yield SystemCommand("Theme", "Choose other colours.", self.action_change_theme)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tell whether an action makes sense now (called by Textual)."""
        del parameters
        return self.session.engine.running if action in self.SCAN_ACTIONS else True

    async def on_mount(self) -> None:
        """Listen to signals and begin with the path from the command line."""
        if not self.is_headless:
            self._listen_to_signals()
        for mistake in check_keymap(self.session.keymap):
            self.notify(f"[interface.keys] {mistake}", severity="warning", timeout=15)
        if self._start_path is not None:
            await self.scan_control.start((self._start_path,))
        elif self.session.engine.running:
            self.scan_control.watch()
        self._show_snapshot()

    def ring(self, message: str) -> None:
        """Ring the bell and let the terminal show a notification (OSC 9)."""
        self.bell()
        if self._driver is not None:
            self._driver.write(f"\x1b]9;{display(message)}\x07")

    def action_show_mode(self, mode: str) -> None:
        """Show a main screen."""
        self.switch_mode(mode)

    async def action_scan(self) -> None:
        """Scan what the shown screen means."""
        targets = self.screen.scan_targets() if isinstance(self.screen, ShellScreen) else ()
        await self.scan_control.start(targets)

    def action_abort(self) -> None:
        """Stop the scan; what is done is kept."""
        self.scan_control.abort()

    def action_pause(self) -> None:
        """Let the scan hold, or go on."""
        self.scan_control.toggle_pause()

    def action_toggle_log(self) -> None:
        """Open or close the log panel."""
        self.session.log_open = not self.session.log_open
        if isinstance(self.screen, ShellScreen):
            self.screen.show_log()

    def action_help(self) -> None:
        """Show the keys of the screen."""
        from tui.screens.help import HelpScreen

        places = self.screen.PLACES if isinstance(self.screen, ShellScreen) else ()
        self.push_screen(HelpScreen(places, self.session.keymap))

    def action_interrupt(self) -> None:
        """Abort the scan; when none runs, or the second time, leave."""
        now = time.monotonic()
        again = now - self._interrupted_at < INTERRUPT_WINDOW_S
        self._interrupted_at = now
        if again:
            self._leave()
        elif self.session.engine.running:
            self.action_abort()
            self.notify("The scan is being aborted; Ctrl-C again leaves.", timeout=INTERRUPT_WINDOW_S)
        else:
            self.notify("Ctrl-C again leaves, and so does q.", timeout=INTERRUPT_WINDOW_S)

    async def action_quit(self) -> None:
        """Leave; a running scan is aborted first and goes on next time."""
        if self.session.engine.running:
            self.notify("Aborting the scan; it goes on where it was next time.")
        self._leave()

    def action_hang_up(self) -> None:
        """Leave because the terminal is gone or a signal says so."""
        self._leave()

    def on_folder_opened(self, message: FolderOpened) -> None:
        """Show a folder in the library."""
        self.switch_mode("library")
        if isinstance(self.screen, ShellScreen):
            self.screen.show_folder(message.path)

    def _leave(self) -> None:
        if not self._leaving:
            self._leaving = True
            self.run_worker(self._abort_and_exit(), name="leave", exit_on_error=False)

    async def _abort_and_exit(self) -> None:
        engine = self.session.engine
        cut_short = engine.running
        if cut_short:
            self.scan_control.abort()
            try:
                await asyncio.wait_for(engine.wait(), LEAVE_LIMIT_S)
            except TimeoutError:
                logger.warning("the scan did not end within %g s; leaving it", LEAVE_LIMIT_S)
        self.exit(3 if cut_short else 0)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.action_interrupt)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.action_hang_up)

    def _show_snapshot(self) -> None:
        if self.is_running and isinstance(self.screen, ShellScreen):
            self.screen.show_snapshot()
        now = time.monotonic()
        if now - self._counted_at >= COUNT_PERIOD_S or not self.session.engine.running:
            self._counted_at = now
            self.run_worker(self._count_files(), name="file count", exclusive=True, group="file count")

    async def _count_files(self) -> None:
        from tui.screens.catalogue import fetch_file_count

        self.session.files = await fetch_file_count(self.session.library)
        if isinstance(self.screen, ShellScreen):
            self.screen.show_file_count()

    def _use_interface_config(self) -> None:
        interface = self.session.config.interface
        if interface.theme in self.available_themes:
            self.theme = interface.theme
        else:
            self.call_later(self.notify, f"There is no theme {interface.theme!r}.", severity="warning")
        if self.session.keymap:
            self.set_keymap(self.session.keymap)


def _runner(app: YapmoApp, action: str, node: Any) -> Callable[[], Any]:
    """Return a call that runs `action` on `node`."""

    async def run() -> None:
        await app.run_action(action, node)

    return run


def _screen_makers(session: Session) -> dict[str, Callable[[], Screen[Any]]]:
    """Return a maker for each main screen; the module of a screen is imported when it is first shown."""

    def make_browse() -> Screen[Any]:
        from tui.screens.browse import BrowseScreen

        return BrowseScreen(session)

    def make_library() -> Screen[Any]:
        from tui.screens.library import LibraryScreen

        return LibraryScreen(session)

    def make_progress() -> Screen[Any]:
        from tui.screens.progress import ProgressScreen

        return ProgressScreen(session)

    def make_problems() -> Screen[Any]:
        from tui.screens.problems import ProblemsScreen

        return ProblemsScreen(session)

    return {
        "browse": make_browse,
        "library": make_library,
        "progress": make_progress,
        "problems": make_problems,
    }


def open_application(path: str | None, *, library_path: str = "", config_path: str = "") -> int:
    """Open the terminal application and return the exit code of the process.

    Args:
        path: folder or file to begin with; None for none.
        library_path: the library to use instead of the configured one; empty for that.
        config_path: the configuration file to use instead of the user's; empty for that.

    Raises:
        YapmoError: configuration or library cannot be used.
    """
    sys.setswitchinterval(0.001)
    return asyncio.run(_run(path, library_path, config_path))


async def _run(path: str | None, library_path: str, config_path: str) -> int:
    from tui.config import effective_library_path, load_config
    from tui.library.database import Library
    from tui.log import set_up_logging
    from tui.paths import absolute
    from tui.scan.service import ScanService

    config = load_config(config_path or None)
    feed = set_up_logging(config.logging)
    async with await Library.open(
        absolute(library_path) if library_path else effective_library_path(config)
    ) as library:
        service = ScanService(library, config)
        try:
            app = YapmoApp(config, library, service, feed, absolute(path) if path else None)
            return await app.run_async() or app.return_code or 0
        finally:
            await service.close()
