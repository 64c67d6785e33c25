"""What comes from a terminal all at once is a paste, whether the terminal says so or not."""

from __future__ import annotations

from tui.widgets.terminal import FLOOD_CHARACTERS, PasteMarks

FLOOD = "x" * FLOOD_CHARACTERS


def test_many_characters_at_once_are_a_paste_and_what_follows_at_once_too() -> None:
    marks = PasteMarks()
    assert marks.split("typed ahead") == ("", "typed ahead")
    assert marks.split(FLOOD) == (FLOOD, "")
    assert marks.split("the end of it", goes_on=True) == ("the end of it", "")
    assert marks.split("typed after a pause") == ("", "typed after a pause")
    assert marks.split(FLOOD + "\x1b[A") == (FLOOD, "\x1b[A"), "a key behind it is a key"
    assert marks.split(f"A{FLOOD}") == ("", f"A{FLOOD}"), "a control sequence may not have ended"
    assert marks.split("\x1b") == ("", "\x1b")
    marks.pause()
    assert marks.split(FLOOD) == (FLOOD, ""), "the key Escape before it"


def test_inside_of_a_marked_paste_nothing_is_a_flood_wherever_the_marks_are_cut() -> None:
    for cut in range(1, 6):
        begin, end = "\x1b[200~", "\x1b[201~"
        marks = PasteMarks()
        parts = [f"a{begin[:cut]}", f"{begin[cut:]}{FLOOD}", FLOOD, FLOOD + end[:cut], end[cut:]]
        for part in (*parts, "keys behind it"):
            assert marks.split(part) == ("", part)
        assert marks.split(FLOOD) == (FLOOD, "")
