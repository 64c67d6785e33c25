"""What all commands share on the command line: options, examples in the help, exit codes, queries as arguments.

As in `tui.cli`, annotations are not postponed: Typer would evaluate their text anew for each command.
"""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from tui.commands import completion
from tui.commands.outcome import ABORTED
from tui.commands.shared_options import SharedOptions
from tui.errors import FAULT_CODE, SYSTEM_ERROR_CODE

EXIT_CODES = {
    0: "Done.",
    1: "Done, but a root or folder could not be read (--strict: any problem).",
    2: "Wrong usage or configuration, or no library yet.",
    ABORTED: "Aborted; what was finished is kept.",
    4: "The library is locked, damaged, newer, or cannot be written.",
    5: "A root is unavailable, or too many files are gone (--accept-missing).",
    FAULT_CODE: "A fault of the program itself; the log has the details.",
    SYSTEM_ERROR_CODE: "The system refused: the disk that takes the output is full, say.",
}
"""What each exit code means: for the help and for the documents."""


class Commands(TyperGroup):
    """The commands, with exit codes of our own where Typer has others."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; Ctrl-C is 3 (Typer: 130), a closed pipe is no failure (Typer: 1)."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except KeyboardInterrupt:
            raise typer.Exit(ABORTED) from None
        except BrokenPipeError:
            _silence_stdout()
            raise typer.Exit(0) from None
        except OSError:
            _silence_stdout()  # a full disk, say: the flush at exit would fail as well
            raise


class QueryCommand(TyperCommand):
    """A command whose words may begin with a dash: `-tag:draft` is a negation in a query, not an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Put the options first and the words of the query behind `--`."""
        valued = {
            name for option in self.params if not getattr(option, "is_flag", True) for name in option.opts
        }
        options: list[str] = []
        words: list[str] = []
        waiting = iter(args)
        for argument in waiting:
            if argument == "--":
                words.extend(waiting)
            elif argument == "-h" or argument.startswith("--"):
                options.append(argument)
                if argument in valued:
                    options.extend(value for value in [next(waiting, None)] if value is not None)
            else:
                words.append(argument)
        return super().parse_args(ctx, [*options, "--", *words] if words else options)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Offer options, and the query for a word that begins with one dash: a negation."""
        if incomplete.startswith("--") or incomplete == "-":
            return super().shell_complete(ctx, incomplete)
        words = next(option for option in self.params if option.name == "words")
        return words.shell_complete(ctx, incomplete)


def examples(*lines: str) -> str:
    r"""Return the end of a help text; `\b` keeps Typer from folding the lines into one."""
    return "\n".join(["\b", "Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)])


def exit_codes() -> str:
    """Return the exit codes as the end of the help."""
    return "\n".join(
        ["\b", "Exit codes:", *(f"  {code:<2}  {meaning}" for code, meaning in EXIT_CODES.items())]
    )


def command_group(help_text: str, *lines: str) -> typer.Typer:
    """Return a group of commands that does something without a command too; `lines` are its examples."""
    return typer.Typer(
        help=help_text,
        epilog=examples(*lines),
        rich_markup_mode=None,
        invoke_without_command=True,
        subcommand_metavar="[COMMAND [ARGS]...]",
    )


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


class ProblemStage(StrEnum):
    """The stages that `problems --stage` takes."""

    WALK = "walk"
    METADATA = "metadata"
    FINGERPRINT = "fingerprint"
    WRITE = "write"


class DiskKind(StrEnum):
    """What `roots set --disk` takes."""

    SSD = "ssd"
    HDD = "hdd"
    NETWORK = "network"
    AUTO = "auto"


LibraryOption = Annotated[
    str, typer.Option("--library", metavar="FILE", help="Another library than the configured one.")
]
ConfigOption = Annotated[
    str, typer.Option("--config", metavar="FILE", help="Another configuration than your own.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Exit with 1 when any file had a problem.")]
RootArgument = Annotated[str, typer.Argument(metavar="ROOT", help="Path, label or id of the root.")]
OptionName = Annotated[
    str,
    typer.Argument(
        metavar="KEY", help="Option, such as scan.hidden.", autocompletion=completion.option_names
    ),
]


_CONTEXT_PARAMETER = inspect.Parameter(
    "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
)
_SHARED_PARAMETERS = [
    inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=option)
    for name, default, option in [
        ("as_json", False, JsonOption),
        ("library", "", LibraryOption),
        ("config", "", ConfigOption),
    ]
]


def shared_options(
    context: typer.Context, library: str = "", config: str = "", as_json: bool = False
) -> SharedOptions:
    """Return the shared options, given behind the command or before it."""
    before = context.find_root().obj or SharedOptions()
    return SharedOptions(library or before.library, config or before.config, as_json or before.as_json)


def takes_shared_options(command: Callable[..., int]) -> Callable[..., None]:
    """Let a command have the shared options as its first argument, and leave with the exit code that it returns.

    Typer reads options off a signature: it sees the command's own, then --json, --library and --config.
    """

    @functools.wraps(command)
    def run(context: typer.Context, library: str, config: str, as_json: bool, **own: Any) -> None:
        raise typer.Exit(command(shared_options(context, library, config, as_json), **own))

    _, *own_parameters = inspect.signature(command).parameters.values()
    seen = [_CONTEXT_PARAMETER, *own_parameters, *_SHARED_PARAMETERS]
    run.__signature__ = inspect.Signature(seen)  # type: ignore[attr-defined]  # what `inspect` looks for first
    return run


def _silence_stdout() -> None:
    """Point stdout at nothing, so that its flush at exit does not complain about what is closed or full."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
