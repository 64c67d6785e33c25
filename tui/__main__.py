"""`python -m tui` and the installed `yapmo` command."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and leave with its exit code; Ctrl-C is 3, also while modules are still being loaded."""
    from tui.paths import trust_only_absolute_programs

    trust_only_absolute_programs()
    _use_utf8()
    gc.disable()  # modules that are being loaded leave nothing to collect, and looking for it takes a tenth of the time
    try:
        code = _run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 3
    sys.exit(code)


def _use_utf8() -> None:
    """Begin anew in Python's UTF-8 mode (PEP 540) where the locale has another encoding.

    Names of files would be other texts there, on the screen, in the library and for who searches it. What is written still
    has the encoding of the locale.
    """
    if sys.flags.utf8_mode or sys.getfilesystemencoding() == "utf-8":
        return
    encoding = getattr(sys.stdout or sys.stderr, "encoding", "ascii")
    os.environ.setdefault("PYTHONIOENCODING", f"{encoding}:backslashreplace")
    os.environ["PYTHONUTF8"] = "1"  # for the processes below this one
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606  # becoming itself is the aim


def _run(arguments: list[str]) -> int:
    from tui.commands.plain_opening import parse_plain_opening

    # a shell that asks what it may offer behind Tab gives no arguments; the answer is Typer's
    opening = None if "_YAPMO_COMPLETE" in os.environ else parse_plain_opening(arguments)
    if opening is None:
        from tui.cli import run

        gc.enable()
        return run(arguments)
    _load_asyncio_without_tls()
    from tui.commands.outcome import run_to_exit_code
    from tui.opening import open_application

    return run_to_exit_code(
        lambda: open_application(opening.path, library_path=opening.library, config_path=opening.config)
    )


def _load_asyncio_without_tls() -> None:
    """Load asyncio as if Python had no `ssl`: nothing here speaks to a network, and it would take 20 ms of the start."""
    if "ssl" not in sys.modules:
        sys.modules["ssl"] = None  # type: ignore[assignment]  # makes its import fail
        import asyncio  # noqa: F401  # for those who import it later

        del sys.modules["ssl"]


if __name__ == "__main__":
    main()
