"""`yapmo config`: the options, their values, and where each comes from."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tui.commands.output import Column, to_json, write_json, write_line, write_note, write_table
from tui.config import (
    list_options,
    load_config,
    option_values,
    set_option,
    unset_option,
    user_config_path,
)
from tui.errors import UsageError
from tui.options import similar
from tui.paths import json_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.commands.shared_options import SharedOptions
    from tui.config import Config, Option

_LONGEST_VALUE = 36


def run_config(shared: SharedOptions, *, only_changed: bool) -> int:
    """List the options; with `--json` one object an option."""
    config = load_config(shared.config or None)
    options = [option for option in list_options(config) if option.overridden or not only_changed]
    _write_options(options, config, as_json=shared.as_json)
    return 0


def get_option(name: str, shared: SharedOptions) -> int:
    """Print the value in force of one option, lists and tables as JSON; or all options of a section."""
    config = load_config(shared.config or None)
    options = list_options(config)
    section = [option for option in options if option.name.startswith(f"{name}.")]
    single = [option for option in options if option.name == name]
    if section or (single and shared.as_json):
        _write_options(section or single, config, as_json=shared.as_json)
        return 0
    value = _value_of(name, config)
    if shared.as_json:
        write_json({"option": name, "value": value})
    else:
        write_line(value if isinstance(value, str) else to_json(value))
    return 0


def _write_options(options: Sequence[Option], config: Config, *, as_json: bool) -> None:
    if as_json:
        for option in options:
            write_json(_option_object(option, config))
        return
    columns = (Column("Option"), Column("Value", "bold"), Column("From", "dim"), Column("Default", "dim"))
    write_table(columns, (_option_row(option, config) for option in options))


def change_option(name: str, text: str, shared: SharedOptions) -> int:
    """Set one option in the user's file."""
    config = set_option(shared.config or None, name, text)
    value = _value_of(name, config)
    if shared.as_json:
        write_json({"event": "set", "option": name, "value": value, "source": config.source})
    else:
        write_note(f"{name} = {to_json(value)} in {config.source}")
    return 0


def reset_option(name: str, shared: SharedOptions) -> int:
    """Take one option out of the user's file."""
    config = unset_option(shared.config or None, name)
    value = _value_of(name, config)
    if shared.as_json:
        write_json({"event": "unset", "option": name, "value": value, "source": "default"})
    else:
        write_note(f"{name} = {to_json(value)}, the default")
    return 0


def print_path(shared: SharedOptions) -> int:
    """Print the path of the user's file, which need not exist."""
    path = user_config_path(shared.config or None)
    if shared.as_json:
        write_json({**json_path(os.fsencode(path)), "exists": os.path.exists(path)})
    else:
        write_line(path)
    return 0


def _value_of(name: str, config: Config) -> object:
    """Return the value in force; raise UsageError when there is no such option."""
    values = option_values(config)
    if name in values:
        return values[name]
    action = name.removeprefix("interface.keys.")
    if action != name:
        return config.interface.keys.get(action, "")
    near = similar(name)
    raise UsageError(
        f"There is no option {name}.",
        hint=f"Did you mean {near}?" if near else "`yapmo config` lists the options.",
    )


def _option_object(option: Option, config: Config) -> dict[str, object]:
    return {
        "option": option.name,
        "value": option.value,
        "default": option.default,
        "source": config.source if option.overridden else "default",
        "allowed": option.allowed,
        "description": option.description,
    }


def _option_row(option: Option, config: Config) -> tuple[str, str, str, str]:
    """Return name, value, source, and the default where it is not in force."""
    if not option.overridden:
        return option.name, _shown(option.value), "default", ""
    return option.name, _shown(option.value), os.path.basename(config.source), _shown(option.default)


def _shown(value: object) -> str:
    """Return a value as JSON; on a terminal not so long that a line of 80 characters overflows."""
    text = to_json(value)
    cut = sys.stdout.isatty() and len(text) > _LONGEST_VALUE
    return f"{text[: _LONGEST_VALUE - 1]}…" if cut else text
