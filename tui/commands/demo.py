"""`yapmo demo`: make the demonstration library, telling how far it is."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tui.display import display
from tui.operations.demo import demo_folder, make_demo

if TYPE_CHECKING:
    from tui.operations.demo import DemoReport


def prepare_demo(folder: str, *, as_json: bool = False) -> DemoReport:
    """Make what is missing of the demo and say so on stdout; the caller opens it then.

    Args:
        folder: where; "" for its place in the user's data directory.
        as_json: print one JSON object instead of sentences.

    Raises:
        UsageError: the folder holds other things, or cannot be written.
    """
    place = os.fsencode(folder) if folder else demo_folder()
    done = make_demo(place, None if as_json else _show_progress)
    if as_json:
        from tui.commands.output import to_json
        from tui.paths import json_path

        facts = {
            **json_path(done.folder),
            "made": done.made,
            "kept": done.kept,
            "left_out": list(done.left_out),
        }
        print(to_json({"event": "finished", **facts, "seconds": round(done.seconds, 3)}))
        return done
    print(f"{display(done.folder)}: {done.made} files made, {done.kept} were there.")
    for what in done.left_out:
        print(f"Left out: {display(what)}", file=sys.stderr)
    return done


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        line = f"making the demo: {done} of {total} files" if done < total else "\x1b[K"
        print(f"\r{line}", end="", file=sys.stderr, flush=True)
