r"""The one place where bytes and foreign text become text that is safe to show.

File names and metadata are hostile: ESC, C1 and bidirectional controls reach the terminal through every
widget and every `print`. Everything that came from a file passes `display()` before a person sees it; what
is not printable becomes a visible escape (`\x1b`, `\u202e`), so nothing is lost and nothing is obeyed.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.records import ScanProcess

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible and bidirectional
    "\ud800-\udfff"  # lone surrogates: bytes that are not UTF-8
    "\U000e0000-\U000e007f"  # tag characters
    "]"
)
PLAIN_TERMINALS = frozenset({"", "dumb", "unknown"})
"""Values of TERM (empty: not set) for which nothing but lines of text may be sent."""

_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}.get(code, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def display(value: bytes | str) -> str:
    """Return `value` as one line of text that no terminal obeys.

    Args:
        value: a path or name (bytes, or text from `os.fsdecode`), or text out of a file.

    Returns:
        Printable text without control, bidirectional or invisible characters; each such character, and each
        byte that is not UTF-8, stands as a visible escape.
    """
    text = os.fsdecode(value) if isinstance(value, bytes) else value
    return _UNSAFE.sub(_escape, text)


def format_size(size: int | None) -> str:
    """Return a size in bytes as people read it: three digits at most and a decimal unit (`31.2 MB`)."""
    if size is None:
        return ""
    value = float(size)
    for unit in _SIZE_UNITS:
        if value < 999.5 or unit == _SIZE_UNITS[-1]:
            break
        value /= 1000
    if unit == "B":
        return f"{int(value)} B"
    return f"{value:.1f} {unit}" if value < 99.95 else f"{value:.0f} {unit}"


def format_duration(duration_ms: int | None) -> str:
    """Return a duration in milliseconds as `m:ss`, or `h:mm:ss` from one hour on."""
    if duration_ms is None:
        return ""
    seconds = round(duration_ms / 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def format_count(count: int | None) -> str:
    """Return a count with thousands separators (`1,204,311`)."""
    return "" if count is None else f"{count:,}"


def format_time(time_ns: int | None, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """Return nanoseconds since the epoch as local time after `pattern` (`strftime`)."""
    if time_ns is None:
        return ""
    try:
        return datetime.fromtimestamp(time_ns / 1e9).astimezone().strftime(pattern)
    except (OverflowError, OSError, ValueError):
        return "?"


def name_process(process: ScanProcess) -> str:
    """Return who runs a scan and since when, for people; with the date when that was another day."""
    since = format_time(process.since_ns, "%H:%M")
    if format_time(process.since_ns, "%x") != datetime.now().astimezone().strftime("%x"):
        since = format_time(process.since_ns)
    return f"process {process.pid} on {display(process.host)} since {since}"
