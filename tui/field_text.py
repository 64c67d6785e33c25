"""How single values of the catalogue are written for people: cameras, times, places, rates, paths.

Every function takes None for "not known" where the catalogue may not know, and returns None for it. What comes back may
hold foreign text: pass it through `display()` before it is shown.
"""

from __future__ import annotations

import os
from datetime import datetime
from functools import lru_cache

from tui.display import format_time


def camera_name(make: str | None, model: str | None) -> str | None:
    """Return maker and model as people say them: `Canon EOS 5D`, not `Canon Canon EOS 5D`."""
    if not model or not make:
        return model or make
    makers = make.replace(",", " ").split()
    first_word = model.casefold().split()[:1]
    if not makers or first_word in [[word.casefold()] for word in makers]:
        return model
    return f"{makers[0]} {model}"


@lru_cache(maxsize=4096)
def format_local(taken_local: str, date_format: str) -> str:
    """Return a wall-clock time (ISO 8601) after `date_format` (`strftime`); what is no time comes back as it is."""
    try:
        return datetime.fromisoformat(taken_local).strftime(date_format)
    except ValueError:
        return taken_local


def format_offline(since: int | None, seen_at: int | None, date_format: str) -> str:
    """Return since when a root is offline and when it was last seen (ns since the epoch), empty while it is there."""
    if since is None:
        return ""
    seen = f", last seen {format_time(seen_at, date_format)}" if seen_at is not None else ""
    return f"since {format_time(since, date_format)}{seen}"


def format_position(latitude: float | None, longitude: float | None) -> str | None:
    """Return a place on Earth in degrees with the hemispheres: `38.7223° N 9.1393° W`."""
    if latitude is None or longitude is None:
        return None
    north = "N" if latitude >= 0 else "S"
    east = "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.4f}° {north} {abs(longitude):.4f}° {east}"


def format_exposure(seconds: float | None) -> str | None:
    """Return an exposure time as photographers write it: `1/250 s`, `0.8 s`, `30 s`."""
    if seconds is None:
        return None
    return f"1/{round(1 / seconds)} s" if 1e-6 < seconds < 0.4 else f"{seconds:g} s"


def format_offset(minutes: int | None) -> str | None:
    """Return an offset from UTC, given in minutes, as `+02:00`."""
    if minutes is None:
        return None
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def format_scaled(value: float | None, unit: str, divisor: float = 1) -> str | None:
    """Return `value` divided by `divisor` with at most four digits and its unit: `320 kb/s`, `44.1 kHz`."""
    if value is None:
        return None
    scaled = value / divisor
    return f"{scaled:.4g} {unit}" if abs(scaled) < 1000 else f"{scaled:.0f} {unit}"


def format_rating(rating: int | None) -> str | None:
    """Return a rating of 0 to 5 as so many stars; 0 is a rating too, shown as a dash."""
    if rating is None:
        return None
    return "★" * min(rating, 5) if rating > 0 else "-"


@lru_cache(maxsize=1024)
def short_path(path: bytes) -> str:
    """Return `path` as text with `~` for the user's home directory."""
    text, home = os.fsdecode(path), os.path.expanduser("~")
    inside = home != "/" and (text == home or text.startswith(home + "/"))
    return "~" + text[len(home) :] if inside else text
