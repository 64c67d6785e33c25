"""Typing faster than a person can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.app import App

SIGNS = {"slash": "/", "enter": "\r", "space": " "}


def type_at_once(app: App[int], *keys: str) -> None:
    """Let all `keys` come in one instant, as from a line that was held up."""
    for key in keys:
        sign = SIGNS.get(key, key)
        app.post_message(events.Key(key, sign if len(sign) == 1 else None))
