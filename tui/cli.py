"""The command line: which commands and options there are. What they do lies in `tui.commands`.

Everything slow is imported by the command that needs it: `yapmo --help` must answer at once.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from tui import __version__
from tui.display import display
from tui.errors import YapmoError

EXIT_CODES = """\
Exit codes: 0 done; 1 done, but a root or folder could not be read (with --strict: any problem); 2 wrong usage
or configuration; 3 aborted; 4 library locked, damaged or newer; 5 root unavailable, or too many files missing.
"""

app = typer.Typer(
    name="yapmo",
    help="A catalogue of photos, videos and music for the terminal.\n\n"
    "Without a command, yapmo opens the terminal application; `yapmo PATH` opens it and scans PATH if it is new.",
    epilog=EXIT_CODES,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
roots_app = typer.Typer(help="List, name, move and forget roots.", rich_markup_mode=None, no_args_is_help=False)
config_app = typer.Typer(help="Show and change the configuration.", rich_markup_mode=None, no_args_is_help=False)
app.add_typer(roots_app, name="roots")
app.add_typer(config_app, name="config")


class OnlyStage(StrEnum):
    """The stages that `scan --only` takes."""

    WALK = "walk"
    METADATA = "metadata"
    FINGERPRINT = "fingerprint"


class Rescan(StrEnum):
    """What `scan --rescan` takes."""

    CHANGED = "changed"
    METADATA = "metadata"
    EVERYTHING = "everything"


LibraryOption = Annotated[
    str, typer.Option("--library", metavar="FILE", help="The library to use instead of the configured one.")
]
ConfigOption = Annotated[
    str, typer.Option("--config", metavar="FILE", help="The configuration file to use instead of your own.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Exit with 1 when any file had a problem.")]


def _show_version(value: bool) -> None:  # noqa: FBT001  # the shape of a Typer callback
    if value:
        typer.echo(f"yapmo {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    library: LibraryOption = "",
    config: ConfigOption = "",
    version: Annotated[  # noqa: ARG001  # handled by its callback
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = {"library": library, "config": config}
    if context.invoked_subcommand is None:
        raise typer.Exit(_open(None, library, config))


def _shared(context: typer.Context, library: str, config: str) -> tuple[str, str]:
    """Return library and configuration, given behind the command or before it."""
    before = context.find_root().obj or {}
    return library or before.get("library", ""), config or before.get("config", "")


def _open(path: str | None, library: str, config: str) -> int:
    from tui.app import open_application

    return open_application(path, library_path=library, config_path=config)


@app.command("open", hidden=True)
def open_command(
    context: typer.Context, path: str, library: LibraryOption = "", config: ConfigOption = ""
) -> None:
    """Open the terminal application on PATH."""
    raise typer.Exit(_open(path, *_shared(context, library, config)))


@app.command()
def scan(
    context: typer.Context,
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Folders or files; none: all roots.")
    ] = None,
    only: Annotated[OnlyStage | None, typer.Option(help="Run this one stage.")] = None,
    rescan: Annotated[Rescan | None, typer.Option(help="Which known files are read again.")] = None,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="Mark files missing however many they are.")
    ] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try files again that failed before.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=32, help="Number of exiftool processes (default: as configured).")
    ] = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
    library: LibraryOption = "",
    config: ConfigOption = "",
) -> None:
    """Catalogue the media under PATH: new, changed, moved and missing files.

    Ctrl-C stops it; everything finished is kept, and the next scan goes on from there.
    """
    from tui.commands.scan import ScanOptions, run_scan

    options = ScanOptions(
        paths=tuple(paths or ()),
        only=only.value if only else None,
        rescan=rescan.value if rescan else None,
        accept_missing=accept_missing,
        retry_failed=retry_failed,
        workers=workers,
        strict=strict,
        as_json=as_json,
    )
    raise typer.Exit(run_scan(options, *_shared(context, library, config)))


def run(arguments: list[str]) -> int:
    """Run one command line (without the program's name) and return the exit code of the process.

    Errors that a person can mend are said in one or two lines on stderr; there is no traceback.
    """
    try:
        app(args=_with_open(arguments), prog_name="yapmo", standalone_mode=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except YapmoError as error:
        print(f"yapmo: {display(error.message)}", file=sys.stderr)
        if error.hint:
            print(f"       {display(error.hint)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 3
    except BrokenPipeError:
        _silence_stdout()
        return 0
    return 0


def _with_open(arguments: list[str]) -> list[str]:
    """Put the hidden command `open` before a first word that is a path and not a command."""
    commands = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    index = 0
    while index < len(arguments) and arguments[index].startswith("-") and arguments[index] != "--":
        takes_value = arguments[index] in ("--library", "--config")
        index += 2 if takes_value else 1
    if index >= len(arguments):
        return arguments
    if arguments[index] == "--":
        return [*arguments[:index], "open", *arguments[index:]] if index + 1 < len(arguments) else arguments
    return arguments if arguments[index] in commands else [*arguments[:index], "open", *arguments[index:]]


def _silence_stdout() -> None:
    """Point stdout at nothing, so that its flush at exit does not complain about the closed pipe."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
