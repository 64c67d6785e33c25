"""Everything that a key does in the terminal application, in one table.

Bindings, footer, command palette, help screen and the table in the documentation are all made from
`ACTIONS`; the user's own keys (`[interface.keys]`) replace the keys of an action by its id.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.binding import BindingType


class Place(StrEnum):
    """Where an action's keys hold; the value is the heading in help and documentation."""

    EVERYWHERE = "Everywhere"
    BROWSE = "Browse"
    LIBRARY = "Library"
    SEARCH = "Search box"
    GO_TO = "Typing an answer"
    PROGRESS = "Progress"
    PROBLEMS = "Problems"
    STATISTICS = "Statistics"
    LOG = "Log panel"
    LISTS = "Moving in lists"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person can ask for.

    Attributes:
        id: name in `[interface.keys]`, in the keymap and in tests.
        keys: keys as Textual names them, separated by commas.
        label: one to three words for footer and palette.
        help: one sentence for help, tooltip and palette.
        place: where the keys hold.
        call: what runs, in Textual's notation; without a namespace it is a method of the node that binds it.
        footer: rank in the footer, lowest first; 0 keeps it out.
        palette: whether the command palette offers it.
        priority: whether the key is taken before the focused widget sees it. Needed where typing begins: only
            then does the very next key go to the line to type into.
    """

    id: str
    keys: str
    label: str
    help: str
    place: Place
    call: str
    footer: int = 0
    palette: bool = True
    priority: bool = False


def _everywhere() -> tuple[Action, ...]:
    def show(key: str, mode: str, label: str, help_text: str) -> Action:
        call = f"app.show_mode('{mode}')"
        return Action(f"show_{mode}", key, label, help_text, Place.EVERYWHERE, call, priority=True)

    place = Place.EVERYWHERE
    return (
        show("1", "browse", "Browse", "The folders of this machine, to choose what is catalogued."),
        show("2", "library", "Library", "The table of all files."),
        show("3", "progress", "Progress", "The running scan and the scans before it."),
        show("5", "problems", "Problems", "Files that could not be read, and why."),
        show("6", "statistics", "Statistics", "How much of what there is in the library."),
        Action(
            "scan",
            "s",
            "scan",
            "Scan what the cursor stands for: a folder, or all roots.",
            place,
            "app.scan",
            10,
        ),
        Action(
            "abort",
            "a",
            "abort",
            "Stop the scan, or ask its process to; what is done stays.",
            place,
            "app.abort",
            20,
        ),
        Action("pause", "p", "pause", "Let the scan rest, or go on.", place, "app.pause", 30),
        Action("log", "l", "log", "Open or close the log.", place, "app.toggle_log", 80),
        Action("help", "question_mark", "help", "The keys of where you are.", place, "app.help", 90),
        Action(
            "palette", "ctrl+p", "commands", "All commands by name.", place, "app.command_palette", 0, False
        ),
        Action(
            "quit", "q", "quit", "Leave; a running scan stops and goes on next time.", place, "app.quit", 95
        ),
        Action(
            "interrupt",
            "ctrl+c",
            "abort, then leave",
            "Abort the scan; once more, or when none runs: leave.",
            place,
            "app.interrupt",
            palette=False,
            priority=True,
        ),
    )


def _browse() -> tuple[Action, ...]:
    place = Place.BROWSE
    return (
        Action(
            "choose_folder",
            "enter",
            "open",
            "Show the folder in the library, or unfold it.",
            place,
            "choose",
            1,
        ),
        Action("unfold", "right,space", "unfold", "Unfold the folder, or fold it again.", place, "unfold"),
        Action(
            "go_up", "left,backspace", "up", "Fold the folder, or go to the one above.", place, "go_up", 2
        ),
        Action("go_home", "tilde", "home", "Go to your home folder.", place, "go_home", 3),
        Action(
            "go_to_path",
            "slash",
            "go to",
            "Type the path of a folder to go to.",
            place,
            "go_to_path",
            4,
            priority=True,
        ),
        Action(
            "show_hidden",
            "full_stop",
            "hidden",
            "Show or hide folders that begin with a dot.",
            place,
            "show_hidden",
            5,
        ),
        Action("reread", "r", "reread", "Read the folder under the cursor again.", place, "reread"),
    )


def _library() -> tuple[Action, ...]:
    def action(name: str, keys: str, label: str, help_text: str, footer: int = 0) -> Action:
        return Action(name, keys, label, help_text, Place.LIBRARY, name, footer)

    return (
        replace(action("open_search", "slash", "search", "Search by words and fields.", 40), priority=True),
        action(
            "open_details",
            "enter",
            "details",
            "Show a file's details, or a folder's files.",
            50,
        ),
        action("show_folders", "f", "folders", "Show or hide the folders of the library.", 60),
        action("unfold_folder", "right,space", "unfold", "Unfold the folder under the cursor."),
        action(
            "fold_folder",
            "left,backspace",
            "fold",
            "Fold the folder, or go to the one above.",
        ),
        action("sort_left", "less_than_sign", "sort left", "Sort by the column to the left."),
        action(
            "sort_right",
            "greater_than_sign",
            "sort right",
            "Sort by the column to the right.",
        ),
        action("reverse_order", "o", "order", "Turn the order round.", 70),
        action("next_file", "n", "next file", "Next file, also while details are shown."),
        action("previous_file", "N", "previous file", "File before, also while details are shown."),
        action("save_query", "ctrl+s", "save query", "Keep the query in the search box by a name."),
        action("open_saved", "ctrl+o", "saved queries", "Choose one of the queries that were kept."),
        action("copy_path", "y", "copy path", "Copy the path of the file (OSC 52).", 75),
        action("go_to_place", "colon", "go to", "Go to a row by its number, or by a share: 50 %."),
        action("go_back", "escape", "back", "Close details; clear search; all folders."),
    )


def _typing() -> tuple[Action, ...]:
    """Return what is bound by the lines that are typed in; a test sees to it that both say the same."""

    def action(name: str, keys: str, label: str, help_text: str, place: Place, footer: int = 0) -> Action:
        return Action(name, keys, label, help_text, place, name, footer, palette=False)

    search, go_to = Place.SEARCH, Place.GO_TO
    return (
        action("show_found", "enter", "to the files", "Go to the files that were found.", search, 1),
        action("clear_search", "escape", "clear", "Empty the box; leave it when it is empty.", search, 2),
        action("older_query", "up", "older query", "What was searched for before.", search, 3),
        action("newer_query", "down", "newer query", "Back again; below the newest, to the files.", search),
        action(
            "complete", "tab", "complete", "Take what is suggested; once more, the next of it.", search, 4
        ),
        action("complete_back", "shift+tab", "complete back", "Take the suggestion before.", search),
        action("go_there", "enter", "take it", "Take what was typed.", go_to, 1),
        action("stay_here", "escape", "give up", "Go back, and leave all as it was.", go_to, 2),
    )


def _progress() -> tuple[Action, ...]:
    place = Place.PROGRESS
    return (
        Action(
            "more_workers", "plus", "more workers", "Read with one worker more.", place, "more_workers", 40
        ),
        Action("fewer_workers", "minus", "fewer", "Read with one worker less.", place, "fewer_workers", 41),
    )


def _problems() -> tuple[Action, ...]:
    place = Place.PROBLEMS
    return (
        Action("problem_details", "enter", "show", "Show the whole message.", place, "problem_details", 40),
        Action(
            "filter_stage",
            "f",
            "stage",
            "Show the problems of one stage, then of the next.",
            place,
            "filter_stage",
            41,
        ),
        Action("retry", "r", "retry", "Try the file again at the next scan.", place, "retry", 42),
        Action("retry_all", "R", "retry all", "Try all files that are listed again.", place, "retry_all", 43),
        Action("reload", "f5", "reload", "Read the list again.", place, "reload"),
    )


def _statistics() -> tuple[Action, ...]:
    def action(name: str, keys: str, label: str, help_text: str, footer: int = 0) -> Action:
        return Action(name, keys, label, help_text, Place.STATISTICS, name, footer)

    return (
        action("open_group", "enter", "files", "Show the files that the row stands for.", 40),
        action("next_section", "right,n", "next section", "Go to the next section.", 41),
        action("previous_section", "left,N", "section before", "Go to the section before."),
        action("reload_statistics", "r,f5", "reload", "Read the sums again.", 42),
    )


def _log() -> tuple[Action, ...]:
    place = Place.LOG
    return (
        Action("log_level", "L", "log level", "Show fewer lines of the log, by level.", place, "log_level"),
    )


def _lists() -> tuple[Action, ...]:
    def move(name: str, keys: str, help_text: str) -> Action:
        call = f"move('{name.removeprefix('cursor_').removeprefix('to_')}')"
        return Action(name, keys, name.replace("_", " "), help_text, Place.LISTS, call, palette=False)

    return (
        move("cursor_up", "up,k", "One line up."),
        move("cursor_down", "down,j", "One line down."),
        move("page_up", "pageup,ctrl+b", "One page up."),
        move("page_down", "pagedown,ctrl+f", "One page down."),
        move("to_start", "home,g", "To the first line."),
        move("to_end", "end,G", "To the last line."),
    )


ACTIONS: tuple[Action, ...] = (
    *_everywhere(),
    *_browse(),
    *_library(),
    *_typing(),
    *_progress(),
    *_problems(),
    *_statistics(),
    *_log(),
    *_lists(),
)
"""All actions, in the order in which help and documentation list them."""

BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}
"""The actions by id."""

_KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "full_stop": ".",
    "plus": "+",
    "minus": "-",
    "tilde": "~",
    "comma": ",",
    "colon": ":",
    "semicolon": ";",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "escape": "esc",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


def bindings(place: Place) -> list[BindingType]:
    """Return the bindings of one place, for a `BINDINGS` of an app, a screen or a widget."""
    from textual.binding import Binding

    return [
        Binding(
            action.keys,
            action.call,
            action.label,
            show=False,
            tooltip=action.help,
            id=action.id,
            priority=action.priority,
        )
        for action in ACTIONS
        if action.place is place
    ]


def key_name(key: str) -> str:
    """Return a key as footer, help and documentation write it (`question_mark` is `?`)."""
    *modifiers, last = key.strip().split("+") if key.strip() != "+" else ["plus"]
    return "+".join([*modifiers, _KEY_NAMES.get(last, last)])


def key_names(keys: str) -> str:
    """Return the keys of an action as help and documentation write them (`←  backspace`)."""
    return "  ".join(key_name(key) for key in keys.split(","))


def keys_of(action: Action, keymap: Mapping[str, str]) -> str:
    """Return the keys of an action: the user's, where `keymap` (action id to keys) has them."""
    return keymap.get(action.id) or action.keys


def check_keymap(keymap: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the user's keys, one sentence a mistake: unknown actions, keys that clash."""
    mistakes = [
        f"There is no action {name!r}; `?` and the documentation list them."
        for name in keymap
        if name not in BY_ID
    ]
    for place in Place:
        taken: dict[str, str] = {}
        for action in _heard_in(place):
            for key in keys_of(action, keymap).split(","):
                other = taken.setdefault(_long_name(key), action.id)
                if other != action.id and (other in keymap or action.id in keymap):
                    mistakes.append(f"Key {key_name(key)!r} is wanted by both {other!r} and {action.id!r}.")
    return list(dict.fromkeys(mistakes))


def _heard_in(place: Place) -> Iterable[Action]:
    """Yield the actions whose keys are heard in one place."""
    return (action for action in ACTIONS if action.place in {place, Place.EVERYWHERE})


def _long_name(key: str) -> str:
    """Return the long name of a key that the user may have written as a sign."""
    signs = {sign: name for name, sign in _KEY_NAMES.items()}
    return signs.get(key.strip(), key.strip())


def markdown_table() -> str:
    """Return all actions as the Markdown tables of the documentation, one a place."""
    parts = []
    for place in Place:
        rows = [
            f"| {' '.join(f'`{key_name(key)}`' for key in action.keys.split(','))} | {action.help} | `{action.id}` |"
            for action in ACTIONS
            if action.place is place
        ]
        if rows:
            parts.append(
                "\n".join([f"### {place.value}", "", "| key | what it does | name |", "|---|---|---|", *rows])
            )
    return "\n\n".join(parts) + "\n"
