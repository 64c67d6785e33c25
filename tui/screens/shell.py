"""The frame of every main screen: header, body, log panel, status of the scan, footer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from tui.actions import ACTIONS, BY_ID, Place, bindings, key_name
from tui.display import format_count
from tui.records import ScanState
from tui.screens.opening import tab, tabs
from tui.screens.scan_status import status_lines
from tui.widgets.bars import FooterBar, HeaderBar, StatusBar
from tui.widgets.log_panel import LogPanel
from tui.widgets.scrolled_lines import ScrolledLines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.screen import Screen as AnyScreen
    from textual.widget import Widget

    from tui.screens.session import ScreenSession


LOW_SCREEN = 8
"""Screens of fewer lines show what they are for instead of a line about the scan."""

_TYPING = frozenset(
    action.call for action in ACTIONS if action.priority and action.place is not Place.EVERYWHERE
)


class FolderOpened(Message):
    """The library is to show what lies below a folder.

    Attributes:
        path: absolute path of the folder.
    """

    def __init__(self, path: bytes) -> None:
        """Keep which folder it is."""
        super().__init__()
        self.path = path


class QueryOpened(Message):
    """The library is to show what a query finds.

    Attributes:
        text: the query.
    """

    def __init__(self, text: str) -> None:
        """Keep the query."""
        super().__init__()
        self.text = text


class ShellScreen(Screen[None]):
    """A main screen. A subclass says its tab and composes its `body`.

    What is read for it takes a moment to come. Keys that were typed meanwhile are meant for what comes: they wait
    while the screen `expect`s something, and are heard when it has `arrived`.

    Textual calls a handler such as `on_mount` for each class, the subclass's first: none calls that of its superclass.

    Attributes:
        TAB: id of the action that shows the screen (`show_library`).
        PLACES: where the keys of the screen are listed in the registry, for its help.
        SHOWS_STATUS: whether the line about the scan is shown here.
    """

    TAB: ClassVar[str] = ""
    PLACES: ClassVar[tuple[Place, ...]] = ()
    SHOWS_STATUS: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Place.LISTS), *bindings(Place.LOG)]
    TITLE = "YAPMO"

    class ContentArrived(Message):
        """All that the screen expected is there."""

    def __init__(self, session: ScreenSession) -> None:
        """Serve `session`."""
        super().__init__()
        # a new screen gets its styles when it is mounted; without this Textual reads all style sheets anew, twice
        self._css_update_count = self.app._css_update_count  # noqa: SLF001  # Textual has no public way to say so
        self.session = session
        self._expected: set[str] = set()
        self._keys_change = False
        self._was_suspended = False

    @property
    def awaits_content(self) -> bool:
        """Whether keys should wait, because what they are meant for is still on its way."""
        return bool(self._expected)

    def expect(self, content: str) -> None:
        """Let keys wait for `content`, a name of the caller's choice, until it has `arrived`."""
        self._expected.add(content)

    def arrived(self, content: str) -> None:
        """Let the keys go on that waited for `content`; safe to repeat."""
        if content in self._expected:
            self._expected.remove(content)
            if not self._expected:
                self.app.post_message(self.ContentArrived())

    def body(self) -> Iterable[Widget]:
        """Yield the widgets between header and footer."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Compose the frame around the body."""
        yield HeaderBar(tabs(self.session.keymap), tab(self.TAB, self.session.keymap))
        yield from self.body()
        yield StatusBar()
        yield FooterBar()

    def on_mount(self) -> None:
        """Keep the footer in step with focus and state, and show how things stand."""
        self.show_log()
        self.show_file_count()
        self.show_snapshot()
        self.bindings_updated_signal.subscribe(self, lambda _screen: self._show_keys_soon())

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was shown; the first time, the frame is not there yet."""
        if not self.query(FooterBar):
            return
        self.show_log()
        self.show_file_count()
        self.show_snapshot()
        self.call_after_refresh(self._show_keys_soon)  # the focus may have moved before the screen was shown

    @on(events.Resize)
    def _show_what_fits(self) -> None:
        self.show_snapshot()

    @on(events.ScreenResume)
    def _keep_styles(self, event: events.ScreenResume) -> None:
        """Keep Textual from working out all styles once more for a screen that has just been mounted with them."""
        event.refresh_styles = self._was_suspended

    def on_screen_suspend(self) -> None:
        """Let nothing wait for a screen that is not shown any more."""
        self._was_suspended = True
        self._expected.discard("library")

    def show_snapshot(self) -> None:
        """Show how the scan stands now (`session.snapshot`); the app calls this at most four times a second."""
        has_room = self.size.height >= LOW_SCREEN
        for bar in self.query(StatusBar) if self.SHOWS_STATUS else ():
            bar.show(*(status_lines(self.session.snapshot) if has_room else ()))

    def show_file_count(self) -> None:
        """Show how many files the library has (`session.files`)."""
        count = self.session.files
        for bar in self.query(HeaderBar):
            bar.show("" if count is None else f"{format_count(count)} files")

    def show_log(self) -> None:
        """Open or close the log panel, as `session.log_open` says."""
        panels = self.query(LogPanel)
        if self.session.log_open and not panels and self.query(StatusBar):
            self.mount(
                LogPanel(self.session.log_feed, self.session.log_level), before=self.query_one(StatusBar)
            )
        elif not self.session.log_open:
            panels.remove()

    def show_folder(self, path: bytes) -> None:
        """Show what lies below a folder; for the screens that can."""

    def show_query(self, text: str) -> None:
        """Show what a query finds in the whole library; for the screens that can."""

    def scan_targets(self) -> tuple[bytes, ...]:
        """Return the folders that the key for scanning means here; empty for all roots."""
        return ()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys that begin typing alone while one types (called by Textual)."""
        del parameters
        return not (action in _TYPING and isinstance(self.focused, Input))

    def action_move(self, step: str) -> None:
        """Move the focused list."""
        if isinstance(self.focused, ScrolledLines):
            self.focused.move(step)

    def action_log_level(self) -> None:
        """Limit the log panel to the next level."""
        for panel in self.query(LogPanel):
            panel.next_level()
            self.session.log_level = panel.level

    async def on_footer_bar_clicked(self, message: FooterBar.Clicked) -> None:
        """Do what the clicked key of the footer does."""
        for active in self.active_bindings.values():
            if active.binding.id == message.action_id:
                await self.app.run_action(active.binding.action, active.node)
                return

    def _show_keys_soon(self) -> None:
        """Show the keys when everything that changes them now has changed them: to find them is dear."""
        if not self._keys_change:
            self._keys_change = True
            self.call_later(self._show_keys)

    def _show_keys(self) -> None:
        self._keys_change = False
        for bar in self.query(FooterBar):
            bar.show(footer_items(self, self.session))


def footer_items(screen: AnyScreen[Any], session: ScreenSession) -> list[tuple[str, str, str]]:
    """Return id, key and label of the actions that the footer shows for a screen as it is now."""
    keys: dict[str, str] = {}
    for key, active in screen.active_bindings.items():
        if active.enabled and active.binding.id in BY_ID:
            keys.setdefault(active.binding.id, key)
    if session.shows_running_scan:
        keys.pop("scan", None)  # there is nothing to begin, and the other keys need the room
    paused = session.snapshot is not None and session.snapshot.state is ScanState.PAUSED
    labels = {"pause": "resume"} if paused else {}
    actions = sorted(
        (action for action in ACTIONS if action.footer and action.id in keys), key=lambda a: a.footer
    )
    return [(action.id, key_name(keys[action.id]), labels.get(action.id, action.label)) for action in actions]
