"""The registry of actions: consistent in itself, and the source of everything that names a key."""

from __future__ import annotations

import pytest

from tui.actions import (
    ACTIONS,
    BY_ID,
    Place,
    bindings,
    check_keymap,
    key_name,
    key_names,
    keys_of,
    markdown_table,
)


def test_every_id_names_one_action() -> None:
    assert len(BY_ID) == len(ACTIONS)


@pytest.mark.parametrize("place", list(Place))
def test_no_key_means_two_things_in_one_place(place: Place) -> None:
    taken: dict[str, str] = {}
    for action in ACTIONS:
        if action.place in {place, Place.EVERYWHERE}:
            for key in action.keys.split(","):
                assert taken.setdefault(key, action.id) == action.id, f"{key} in {place}"


def test_every_action_is_explained_in_a_sentence() -> None:
    for action in ACTIONS:
        assert action.label, action.id
        assert action.help.endswith("."), action.id
        assert action.help[0].isupper(), action.id


def test_bindings_carry_the_id_for_the_keymap_and_the_help_as_tooltip() -> None:
    from textual.binding import Binding

    for place in Place:
        for binding in bindings(place):
            assert isinstance(binding, Binding)
            assert binding.id is not None
            assert binding.tooltip == BY_ID[binding.id].help


@pytest.mark.parametrize(
    ("key", "name"),
    [("question_mark", "?"), ("ctrl+c", "ctrl+c"), ("plus", "+"), ("+", "+"), ("slash", "/"), ("G", "G")],
)
def test_keys_are_named_as_people_write_them(key: str, name: str) -> None:
    assert key_name(key) == name


def test_several_keys_are_listed() -> None:
    assert key_names("left,backspace") == "←  backspace"


def test_the_users_keys_go_before_those_of_the_program() -> None:
    assert keys_of(BY_ID["scan"], {"scan": "x"}) == "x"
    assert keys_of(BY_ID["scan"], {}) == "s"


def test_the_keymap_of_the_program_has_no_mistakes() -> None:
    assert check_keymap({}) == []


def test_mistakes_in_a_keymap_are_named() -> None:
    (unknown,) = check_keymap({"scn": "x"})
    assert "'scn'" in unknown
    (clash,) = check_keymap({"abort": "l"})
    assert "'l'" in clash
    assert "'abort'" in clash
    assert "'log'" in clash
    (clash,) = check_keymap({"abort": "?"})
    assert "'help'" in clash


def test_exchanging_two_keys_is_no_clash() -> None:
    assert check_keymap({"abort": "l", "log": "a"}) == []


def test_the_documentation_lists_every_action() -> None:
    table = markdown_table()
    for action in ACTIONS:
        if action.keys:
            assert f"`{action.id}`" in table
            assert action.help in table
    for line in table.splitlines():
        if line.startswith("|"):
            assert line.count("|") == 4, line


def test_what_is_bound_by_the_lines_that_are_typed_in_is_what_the_registry_says() -> None:
    from textual.binding import Binding

    from tui.widgets.line_prompt import AnswerLine, LinePrompt
    from tui.widgets.search_box import QueryInput

    bound = {
        binding.id: binding.key
        for widget in (QueryInput, AnswerLine, LinePrompt)
        for binding in widget.BINDINGS
        if isinstance(binding, Binding) and binding.id is not None
    }
    assert bound == {
        action.id: action.keys for action in ACTIONS if action.place in {Place.SEARCH, Place.GO_TO}
    }
