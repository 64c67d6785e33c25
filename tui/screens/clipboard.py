"""What is put on the clipboard: exact, and harmless where it is pasted."""

from __future__ import annotations

import os

from tui.display import display


def path_to_copy(path: bytes) -> tuple[str, bool]:
    r"""Return a path as it is copied, and whether it had to be quoted.

    A path of printable characters is copied as it is. One with control characters (a line break would run what follows
    it as a command when it is pasted into a shell) or with bytes that are not UTF-8 (no terminal's clipboard holds
    them) becomes a word that bash, zsh and ksh read as exactly these bytes: `$'a\nb\xff'`.
    """
    text = os.fsdecode(path)
    if display(text) == text:
        return text, False
    return "$'" + "".join(map(_quoted, path)) + "'", True


def _quoted(byte: int) -> str:
    character = chr(byte)
    if character in "\\'":
        return "\\" + character
    return character if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"
