"""The terminal application: its first picture, main screens, keys that hold everywhere, leaving.

What the first picture does not need is imported behind it. Textual reads `TEXTUAL_FPS` when it is imported: at 60
frames a second the wait for the frame timer alone would take half of the 30 ms that a key may take to the screen.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import time
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

os.environ["TEXTUAL_FPS"] = os.environ.get("TEXTUAL_FPS", "120")

from textual import events, work
from textual._styles_cache import StylesCache
from textual.app import App, ScreenStackError, SystemCommand
from textual.css.query import NoMatches
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.actions import Place, bindings, check_keymap
from tui.display import display
from tui.errors import LibraryError, YapmoError
from tui.screens.opening import OpeningScreen
from tui.screens.typed_keys import KeysInOrder
from tui.widgets.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from textual.driver import Driver
    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from tui.config import Config
    from tui.screens.scan_control import ScanControl
    from tui.screens.session import ScreenSession
    from tui.screens.shell import FolderOpened, QueryOpened, ShellScreen

T = TypeVar("T")

logger = logging.getLogger("yapmo.app")

INTERRUPT_WINDOW_S = 3.0
"""How long after one Ctrl-C the next one leaves."""

COUNT_PERIOD_S = 2.0
"""Time between two counts of the files in the library while a scan runs."""

FIRST_ROWS_PATIENCE_S = 0.05
"""How long the first screen waits for its rows, so that it is mostly painted once."""

LEAVE_LIMIT_S = 5.0
"""How long leaving waits for the engine to commit what is done."""


class YapmoApp(App[int]):
    """The terminal application on one library.

    It returns the exit code of the process: 0, or 3 when leaving cut a scan short.

    Attributes:
        failure: why the library could not be opened, None when it could.
    """

    TITLE = "YAPMO"
    CSS_PATH = "app.tcss"
    BINDINGS = bindings(Place.EVERYWHERE)
    ACTIONS_WITHOUT_LIBRARY: ClassVar[frozenset[str]] = frozenset({"quit", "interrupt", "hang_up"})

    def __init__(
        self,
        config: Config,
        open_session: Callable[[], Awaitable[ScreenSession]],
        start_path: bytes | None = None,
        *,
        first_mode: str = "",
    ) -> None:
        """Prepare the application; nothing is opened yet.

        Args:
            config: the configuration in force.
            open_session: opens the library and what belongs to it, after the first picture; the caller closes them.
            start_path: folder or file to begin with (absolute): shown, and scanned if the library does not have it.
            first_mode: main screen to begin with; empty for the library, or for Browse while that has no roots.
        """
        super().__init__()
        self.failure: YapmoError | None = None
        self.animation_level = "none"
        self._config = config
        self._open_session = open_session
        self._start_path = start_path
        self._first_mode = first_mode
        self._session: ScreenSession | None = None
        self._scan_control: ScanControl | None = None
        self._interrupted_at = -INTERRUPT_WINDOW_S
        self._counted_at = -COUNT_PERIOD_S
        self._leaving = False
        self._is_taken_apart = False
        self._keys = KeysInOrder(self, config.interface.keys, lambda: self._shell, super().on_event)
        self._use_interface_config()

    @property
    def session(self) -> ScreenSession:
        """The library and what belongs to it, once it is open."""
        if self._session is None:
            raise RuntimeError("the library is not open yet")
        return self._session

    @property
    def scan_control(self) -> ScanControl:
        """What starts and watches scans, once the library is open."""
        if self._scan_control is None:
            raise RuntimeError("the library is not open yet")
        return self._scan_control

    @property
    def is_open(self) -> bool:
        """Whether the library is open."""
        return self._session is not None

    def get_default_screen(self) -> Screen[Any]:
        """Return what is shown while the library opens (called by Textual)."""
        return OpeningScreen(dict(self._config.interface.keys))

    def get_driver_class(self) -> type[Driver]:
        """Return the driver that bears a hang-up (called by Textual)."""
        return Terminal

    def delay_update(self, delay: float = 0.05) -> None:
        """Show a change of screens at once; Textual hides 50 ms of it, and throws away what is painted meanwhile."""

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
        # Textual's cache of colours keeps all that closed notices were painted with, about 50 kB each
        StylesCache.get_inner_outer.cache_clear()
        text = "\n".join(display(line) for line in message.split("\n"))
        super().notify(text, title=display(title), severity=severity, timeout=timeout, markup=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Yield what the command palette offers on `screen`: the actions whose keys are heard there."""
        from tui.screens.palette import action_commands

        yield from action_commands(self, screen, self._config.interface.keys)
        yield SystemCommand("Theme", "Choose other colours.", self.action_change_theme)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tell whether an action makes sense now (called by Textual)."""
        del parameters
        if self._session is None:
            return action in self.ACTIONS_WITHOUT_LIBRARY
        # heard before what has the focus, so that what is typed ahead arrives in order
        if action == "show_mode":
            return not isinstance(self.focused, Input) and not isinstance(self.screen, ModalScreen)
        if action == "abort":
            return self._session.shows_running_scan
        return self._session.engine.running if action == "pause" else True

    def on_mount(self) -> None:
        """Listen to signals; open the library when the first picture is on the screen."""
        if not self.is_headless:
            self._listen_to_signals()
        self.call_after_refresh(self._open)

    async def on_event(self, event: events.Event) -> None:
        """Hear what is typed in its order, when what it is meant for is there (called by Textual)."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self._keys.hear(event)
        else:
            await super().on_event(event)

    async def on_shell_screen_content_arrived(self) -> None:
        """Hear the keys that waited for it."""
        await self._keys.content_arrived()
        if self.session.files is None:
            self._count_files()

    @work(name="opening")
    async def _open(self) -> None:
        """Open the library, then show the first main screen."""
        try:
            session = await self._open_session()
        except YapmoError as error:
            self.failure = error
            self.exit(error.exit_code)
        else:
            self.call_later(self._show_first, session)

    async def _show_first(self, session: ScreenSession) -> None:
        """Show the first main screen, and let it have the keys that were typed ahead before any later ones."""
        from tui.screens.catalogue import has_roots
        from tui.screens.first_rows import FirstRows
        from tui.screens.modes import screen_makers
        from tui.screens.scan_control import ScanControl

        self._session = session
        if self._start_path is None and self._first_mode in ("", "library"):
            session.first_rows = FirstRows(session.library.reader)
        self._scan_control = ScanControl(self, session, self._show_snapshot, self.ring)
        for mode, make in screen_makers(session).items():
            self.add_mode(mode, make)
        is_empty = self._start_path is None and await self._ask(has_roots(session.library)) is False
        if session.first_rows is not None:
            await session.first_rows.wait(FIRST_ROWS_PATIENCE_S)
        await self.switch_mode(self._first_mode or ("browse" if is_empty else "library"))
        for mistake in check_keymap(session.keymap):
            self.notify(f"[interface.keys] {mistake}", severity="warning", timeout=15)
        if self._start_path is not None:
            await self._begin_at(self._start_path)
        elif session.engine.running:
            self.scan_control.watch()
        self._show_snapshot()
        self._look_for_roots()
        await self._keys.begin()
        if not self.is_headless:
            gc.freeze()  # what is loaded now stays; the collector need not look at it again
            gc.enable()

    @work(name="roots", group="roots")
    async def _look_for_roots(self) -> None:
        """See which disks are there; say so when one is newly away."""
        from tui.screens.catalogue import fetch_roots

        try:
            news = await self.session.engine.look_for_roots()
        except YapmoError as error:  # nobody asked, so nobody need hear
            logger.info("the roots could not be looked at: %s", error)
            return
        if not news:
            return
        known = await self._ask(fetch_roots(self.session.library)) or []
        away = [display(root.path) for root in known if root.offline_since is not None]
        if away:
            self.notify(
                f"Offline: {', '.join(away)}. The files stay in the library and can be searched.", timeout=8
            )
        self._count_files()

    async def _begin_at(self, path: bytes) -> None:
        """Show a path of the command line in the library, and scan it if the library does not have it.

        It is shown before anything is waited for: what is typed belongs to what is shown then.
        """
        from tui.screens.catalogue import is_in_root

        shell = self._shell
        if shell is not None:
            shell.show_folder(path)
        if await self._ask(is_in_root(self.session.library, path)) is False:
            self._start_scan((path,))

    async def _ask(self, question: Awaitable[T]) -> T | None:
        """Return an answer of the library; None when it cannot be read, and the user is told why."""
        try:
            return await question
        except LibraryError as error:
            from tui.screens.faults import tell_fault

            tell_fault(self, error)
            return None

    def _start_scan(self, targets: tuple[bytes, ...]) -> None:
        """Start a scan; keys typed meanwhile (to pause it, to abort it) wait until it runs."""
        shell = self._shell
        if shell is not None:
            shell.expect("scan")
        self._wait_for_start(targets, shell)

    @work(name="starting")
    async def _wait_for_start(self, targets: tuple[bytes, ...], shell: ShellScreen | None) -> None:
        try:
            await self.scan_control.start(targets)
        finally:
            if shell is not None:
                shell.arrived("scan")

    def ring(self, message: str) -> None:
        """Ring the bell and let the terminal show a notification (OSC 9)."""
        self.bell()
        if self._driver is not None:
            self._driver.write(f"\x1b]9;{display(message)}\x07")

    async def action_show_mode(self, mode: str) -> None:
        """Show a main screen; keys typed ahead wait until it can hear them."""
        await self.switch_mode(mode)

    def action_scan(self) -> None:
        """Scan what the shown screen means."""
        shell = self._shell
        self._start_scan(shell.scan_targets() if shell is not None else ())

    def action_abort(self) -> None:
        """Stop the scan; what is done is kept."""
        self.scan_control.abort()

    def action_pause(self) -> None:
        """Let the scan hold, or go on."""
        self.scan_control.toggle_pause()

    def action_toggle_log(self) -> None:
        """Open or close the log panel."""
        self.session.log_open = not self.session.log_open
        shell = self._shell
        if shell is not None:
            shell.show_log()

    def action_help(self) -> None:
        """Show the keys of the screen."""
        from tui.screens.help import HelpScreen

        shell = self._shell
        places = shell.PLACES if shell is not None else ()
        self.push_screen(HelpScreen(places, self.session.keymap))

    def action_interrupt(self) -> None:
        """Abort the scan; when none runs, or the second time, leave."""
        now = time.monotonic()
        again = now - self._interrupted_at < INTERRUPT_WINDOW_S
        self._interrupted_at = now
        if again:
            self._leave()
        elif self._scan_runs:
            self.action_abort()
            self.notify("The scan is being aborted; Ctrl-C again leaves.", timeout=INTERRUPT_WINDOW_S)
        else:
            self.notify("Ctrl-C again leaves, and so does q.", timeout=INTERRUPT_WINDOW_S)

    async def action_quit(self) -> None:
        """Leave; a running scan is aborted first and goes on next time."""
        if self._scan_runs:
            self.notify("Aborting the scan; it goes on where it was next time.")
        self._leave()

    def action_hang_up(self) -> None:
        """Leave because the terminal is gone or a signal says so."""
        self._leave()

    async def on_folder_opened(self, message: FolderOpened) -> None:
        """Show a folder in the library."""
        await self.switch_mode("library")
        shell = self._shell
        if shell is not None:
            shell.show_folder(message.path)
        await self._keys.go_on()

    async def on_query_opened(self, message: QueryOpened) -> None:
        """Show in the library what a query finds."""
        await self.switch_mode("library")
        shell = self._shell
        if shell is not None:
            shell.show_query(message.text)
        await self._keys.go_on()

    @property
    def _shell(self) -> ShellScreen | None:
        """The main screen, while it is on top and not under a window."""
        from tui.screens.shell import ShellScreen

        try:
            screen = self.screen
        except ScreenStackError:  # the application is closing
            return None
        return screen if isinstance(screen, ShellScreen) else None

    @property
    def _scan_runs(self) -> bool:
        return self._session is not None and self._session.engine.running

    async def _shutdown(self) -> None:
        """Stop what works for the screens before they are taken apart (called by Textual)."""
        self._is_taken_apart = True
        self.workers.cancel_all()
        await asyncio.sleep(0)
        await super()._shutdown()

    def _handle_exception(self, error: Exception) -> None:
        """End because of a fault (called by Textual); work begun while screens are taken apart may miss widgets: that is none."""
        if self._is_taken_apart and isinstance(getattr(error, "error", error), NoMatches):
            logger.debug("given up while leaving: %s", error)
            return
        super()._handle_exception(error)

    def _leave(self) -> None:
        if not self._leaving:
            self._leaving = True
            self._abort_and_exit()

    @work(name="leave", exit_on_error=False)
    async def _abort_and_exit(self) -> None:
        cut_short = self._scan_runs
        if cut_short:
            self.scan_control.abort()
            try:
                await asyncio.wait_for(self.session.engine.wait(), LEAVE_LIMIT_S)
            except TimeoutError:
                logger.warning("the scan did not end within %g s; leaving it", LEAVE_LIMIT_S)
        self.exit(3 if cut_short else 0)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.action_interrupt)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.action_hang_up)

    def _fatal_error(self) -> None:
        """Say in two lines that the program failed, and leave the traceback to the log (called by Textual).

        Textual would print it with the values of all variables, and names of files are among those.
        """
        from tui.screens.faults import log_mistake

        self.panic(log_mistake(self._exception, self._config.logging))

    def _show_snapshot(self) -> None:
        shell = self._shell
        if shell is not None:
            shell.show_snapshot()
        now = time.monotonic()
        if shell is not None and shell.awaits_content:
            return  # counting a million files would hold up what is waited for
        if now - self._counted_at >= COUNT_PERIOD_S or not self.session.shows_running_scan:
            self._counted_at = now
            self._count_files()

    @work(name="file count", group="file count", exclusive=True)
    async def _count_files(self) -> None:
        from tui.screens.catalogue import fetch_file_count

        files = await self._ask(fetch_file_count(self.session.library))
        shell = self._shell
        if files is not None:
            self.session.files = files
        if files is not None and shell is not None:
            shell.show_file_count()

    def _use_interface_config(self) -> None:
        interface = self._config.interface
        if interface.theme in self.available_themes:
            self.theme = interface.theme
        else:
            self.call_later(self.notify, f"There is no theme {interface.theme!r}.", severity="warning")
        if interface.keys:
            self.set_keymap(interface.keys)
