"""What the command palette offers: the actions whose keys are heard on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand

from tui.actions import BY_ID, key_names, keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from textual.app import App
    from textual.screen import Screen


def action_commands(app: App[Any], screen: Screen[Any], keymap: Mapping[str, str]) -> Iterable[SystemCommand]:
    """Yield each action that is heard on `screen` once, with its keys (the user's own where `keymap` has them)."""
    seen = set()
    for active in screen.active_bindings.values():
        action = BY_ID.get(active.binding.id or "")
        if action is None or not action.palette or action.id in seen:
            continue
        seen.add(action.id)
        keys = key_names(keys_of(action, keymap))
        label = f"{action.label.capitalize()}  ({keys})"
        yield SystemCommand(label, action.help, _runner(app, active.binding.action, active.node))


def _runner(app: App[Any], action: str, node: Any) -> Callable[[], Any]:
    """Return a call that runs `action` on `node`."""

    async def run() -> None:
        await app.run_action(action, node)

    return run
