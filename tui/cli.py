"""The command line: which commands and options there are. What they do lies in `tui.commands`.

Everything slow is imported by the command that needs it: `yapmo --help` must answer at once. For the same reason
annotations are not postponed in this module: Typer would evaluate their text anew for each command.
"""

from typing import Annotated

import typer

from tui import __version__
from tui.commands import completion
from tui.commands.frame import (
    Commands,
    ConfigOption,
    DiskKind,
    JsonOption,
    LibraryOption,
    OnlyStage,
    OptionName,
    ProblemStage,
    QueryCommand,
    Rescan,
    RootArgument,
    StrictOption,
    command_group,
    examples,
    exit_codes,
    shared_options,
    takes_shared_options,
)
from tui.commands.outcome import run_to_exit_code
from tui.commands.shared_options import SharedOptions
from tui.errors import UsageError

app = typer.Typer(
    cls=Commands,
    name="yapmo",
    help="A catalogue of photos, videos and music for the terminal.\n\n"
    "Without a command it opens the terminal application; with a PATH it scans that first, if it is new.",
    epilog=exit_codes(),
    subcommand_metavar="[PATH | COMMAND [ARGS]...]",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
roots_app = command_group(
    "List the folders that are catalogued; name and forget them.",
    "yapmo roots",
    "yapmo roots set /mnt/nas --disk network",
    'yapmo roots label ~/Pictures "Family photos"',
    "yapmo roots forget /mnt/old-disk",
)
config_app = command_group(
    "Show the options and where each comes from; change them.",
    "yapmo config",
    "yapmo config get scan.max_workers",
    "yapmo config set scan.max_workers 4",
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"yapmo {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    library: LibraryOption = "",
    config: ConfigOption = "",
    as_json: JsonOption = False,
    version: Annotated[  # noqa: ARG001  # handled by its callback
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = SharedOptions(library, config, as_json)
    if context.invoked_subcommand is None:
        _leave(_open(None, context.obj))


def _leave(exit_code: int) -> None:
    raise typer.Exit(exit_code)


def _open(path: str | None, shared: SharedOptions) -> int:
    if shared.as_json:
        raise UsageError(
            "--json goes with a command; the terminal application has none.",
            hint="`yapmo --help` lists the commands.",
        )
    from tui.opening import open_application

    return open_application(path, library_path=shared.library, config_path=shared.config)


@app.command("open", hidden=True)
def open_command(
    context: typer.Context, path: str, library: LibraryOption = "", config: ConfigOption = ""
) -> None:
    """Open the terminal application on PATH."""
    import os

    if not os.path.lexists(os.path.expanduser(path)):
        raise UsageError(f"There is no command and no path {path}.", hint=_near_command(path))
    _leave(_open(path, shared_options(context, library, config)))


@app.command(epilog=examples("yapmo scan ~/Pictures /mnt/nas/music", "yapmo scan --only metadata"))
@takes_shared_options
def scan(
    shared: SharedOptions,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Folders or files; none: all roots."),
    ] = None,
    only: Annotated[
        OnlyStage | None,
        typer.Option(
            help="walk: find files; metadata: find and read them; fingerprint: hash those known where they were last (default: all)."
        ),
    ] = None,
    rescan: Annotated[Rescan | None, typer.Option(help="Which known files are read again.")] = None,
    accept_missing: Annotated[
        bool,
        typer.Option(
            "--accept-missing",
            help="Mark files missing however many they are; on a disk that seems not to be mounted only by PATH.",
        ),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try files again that failed before.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=32, help="Number of exiftool processes (default: as configured).")
    ] = None,
    strict: StrictOption = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Where another process scans already, show that scan to its end.")
    ] = False,
    abort: Annotated[
        bool, typer.Option("--abort", help="Ask scans that run (of PATH, or all) to stop, and wait for it.")
    ] = False,
) -> int:
    """Catalogue folders: new, changed, moved and missing files.

    Ctrl-C stops it; everything finished is kept, and the next scan goes on from there. A root that another process scans is not scanned twice: a terminal is shown that scan, a pipe or cron gets exit code 4.
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
        watch=watch,
        abort=abort,
    )
    return run_scan(options, shared)


@app.command(
    cls=QueryCommand,
    epilog=examples(
        "yapmo search beach kind:image 'iso>800' taken:2019..2021-06 sort:taken-",
        "yapmo search --json kind:audio | jq .artist",
        "yapmo search --null missing:no 'size>1GB' | xargs -0 ls -l",
        "yapmo search '(beach or sea) -kind:raw added:last-30d'",
        "yapmo search --save best 'rating>=4 sort:taken-' && yapmo search @best kind:image",
    ),
)
@takes_shared_options
def search(
    shared: SharedOptions,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY...",
            help="Words and fields; none: every file.",
            autocompletion=completion.query_words,
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Print at most N files (default: all).")
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Print only how many files there are.")] = False,
    null: Annotated[
        bool, typer.Option("--null", help="Print exact paths, each ended by a NUL byte.")
    ] = False,
    save: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep the query, to be used as @NAME; print nothing.")
    ] = None,
    list_saved: Annotated[
        bool, typer.Option("--list-saved", help="List the queries that were kept.")
    ] = False,
    forget: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Forget a query that was kept.", autocompletion=completion.saved_names
        ),
    ] = None,
) -> int:
    """Find files by words and fields.

    A terminal gets a table, a pipe the paths, one a line. A word finds files with a word that begins with it; `-` in front of a term takes files out; `or` and parentheses join terms. Use quotes where the
    shell has its own idea of a character (`<`, `>`, `*`, `"`, `(`, `)`).
    """
    from tui.commands.search import SearchOptions, run_search

    options = SearchOptions(
        query=" ".join(words or ()),
        limit=limit,
        count=count,
        null=null,
        save=save,
        list_saved=list_saved,
        forget=forget,
    )
    return run_search(options, shared)


@app.command(epilog=examples("yapmo show ~/Pictures/IMG_0412.CR2", "yapmo show --json 1207"))
@takes_shared_options
def show(
    shared: SharedOptions,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Paths or ids; a file whose name is a number: ./12."),
    ],
    all_tags: Annotated[
        bool, typer.Option("--all", help="Print everything that the extractor said as well.")
    ] = False,
) -> int:
    """Show everything that the library knows of each file."""
    from tui.commands.show import run_show

    return run_show(files, shared, all_tags=all_tags)


@app.command(
    epilog=examples(
        "yapmo problems --stage metadata --path ~/Pictures/2019",
        "yapmo problems --retry && yapmo scan",
        "yapmo problems 17 18 --ignore",
    )
)
@takes_shared_options
def problems(
    shared: SharedOptions,
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID...", help="Only these problems.")] = None,
    stage: Annotated[ProblemStage | None, typer.Option(help="Only problems of this stage.")] = None,
    path: Annotated[
        str,
        typer.Option("--path", metavar="PATH", help="Only at PATH or below."),
    ] = "",
    retry: Annotated[bool, typer.Option("--retry", help="Let the next scan try these files again.")] = False,
    ignore: Annotated[bool, typer.Option("--ignore", help="List these problems no more.")] = False,
    ignored: Annotated[
        bool, typer.Option("--ignored", help="Those that are ignored; `--retry` ends that.")
    ] = False,
) -> int:
    """List what could not be read; try it again, or ignore it.

    `--retry` and `--ignore` act on what would be listed.
    """
    from tui.commands.problems import ProblemOptions, run_problems

    options = ProblemOptions(
        ids=tuple(ids or ()),
        stage=stage.value if stage else None,
        path=path,
        retry=retry,
        ignore=ignore,
        ignored=ignored,
    )
    return run_problems(options, shared)


@app.command(epilog=examples("yapmo stats", "yapmo stats --json | jq .by_camera"))
@takes_shared_options
def stats(shared: SharedOptions) -> int:
    """Count files, bytes and playing time: kinds, years, cameras."""
    from tui.commands.stats import run_stats

    return run_stats(shared)


app.add_typer(roots_app, name="roots")


@roots_app.callback()
def roots(
    context: typer.Context,
    as_json: JsonOption = False,
    library: LibraryOption = "",
    config: ConfigOption = "",
) -> None:
    """Run `roots` itself, which lists; or take the options for the command that follows."""
    shared = context.find_root().obj = shared_options(context, library, config, as_json)
    if context.invoked_subcommand is None:
        from tui.commands.roots import run_roots

        _leave(run_roots(shared))


@roots_app.command("label", epilog=examples('yapmo roots label ~/Pictures "Family photos"'))
@takes_shared_options
def roots_label(
    shared: SharedOptions,
    root: RootArgument,
    label: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
) -> int:
    """Call a root something."""
    from tui.commands.roots import label_root

    return label_root(root, label, shared)


@roots_app.command(
    "set", epilog=examples("yapmo roots set /mnt/backup --disk hdd", 'yapmo roots set 2 --label "Old photos"')
)
@takes_shared_options
def roots_set(
    shared: SharedOptions,
    root: RootArgument,
    disk: Annotated[
        DiskKind | None, typer.Option(help="What it lies on, for the number of reads at once; auto: guess.")
    ] = None,
    label: Annotated[str | None, typer.Option(metavar="NAME", help="What to call it.")] = None,
) -> int:
    """Say what kind of disk a root lies on, and what to call it."""
    from tui.commands.roots import set_root

    return set_root(root, shared, disk=disk.value if disk else None, label=label)


@roots_app.command("forget", epilog=examples("yapmo roots forget /mnt/old-disk"))
@takes_shared_options
def roots_forget(
    shared: SharedOptions,
    root: RootArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Take a root and its files out of the library, with edits and tags. The files on disk stay."""
    from tui.commands.roots import forget_root

    return forget_root(root, shared, agreed=yes)


app.add_typer(config_app, name="config")


@config_app.callback()
def config_options(
    context: typer.Context,
    as_json: JsonOption = False,
    changed: Annotated[bool, typer.Option("--changed", help="Only options that your own file sets.")] = False,
    library: LibraryOption = "",
    config: ConfigOption = "",
) -> None:
    """Run `config` itself, which lists; or take the options for the command that follows."""
    shared = context.find_root().obj = shared_options(context, library, config, as_json)
    if context.invoked_subcommand is None:
        from tui.commands.config import run_config

        _leave(run_config(shared, only_changed=changed))


@config_app.command("get", epilog=examples("yapmo config get scan.max_workers"))
@takes_shared_options
def config_get(
    shared: SharedOptions,
    name: OptionName,
) -> int:
    """Print the value of one option."""
    from tui.commands.config import get_option

    return get_option(name, shared)


@config_app.command(
    "set",
    epilog=examples(
        "yapmo config set scan.max_workers 4", "yapmo config set interface.columns name,taken,size"
    ),
)
@takes_shared_options
def config_set(
    shared: SharedOptions,
    name: OptionName,
    value: Annotated[
        str,
        typer.Argument(
            metavar="VALUE",
            help="The value; lists with commas between, or as TOML.",
            autocompletion=completion.option_values,
        ),
    ],
) -> int:
    """Set one option in your own file."""
    from tui.commands.config import change_option

    return change_option(name, value, shared)


@config_app.command("unset", epilog=examples("yapmo config unset scan.max_workers"))
@takes_shared_options
def config_unset(
    shared: SharedOptions,
    name: OptionName,
) -> int:
    """Take one option out of your own file, so that the default holds."""
    from tui.commands.config import reset_option

    return reset_option(name, shared)


@config_app.command("path", epilog=examples("yapmo config path"))
@takes_shared_options
def config_path(shared: SharedOptions) -> int:
    """Print where your own file lies, or would lie."""
    from tui.commands.config import print_path

    return print_path(shared)


@app.command(epilog=examples("yapmo backup", "yapmo backup /mnt/nas/yapmo-2024.backup"))
@takes_shared_options
def backup(
    shared: SharedOptions,
    target: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="New file, or a folder for it (default: beside the library, with the date)."
        ),
    ] = "",
) -> int:
    """Copy the library to a file, also while a scan writes to it."""
    from tui.commands.backup import run_backup

    return run_backup(target, shared)


@app.command(
    epilog=examples(
        "yapmo restore /mnt/nas/yapmo-2024.backup",
        "yapmo restore --library photos.yapmo photos.yapmo.by-hand-20240703-182211.backup",
    )
)
@takes_shared_options
def restore(
    shared: SharedOptions,
    copy: Annotated[
        str,
        typer.Argument(
            metavar="BACKUP",
            help="The copy, which stays as it is.",
            autocompletion=completion.backups,
        ),
    ],
) -> int:
    """Bring a copy back as the library.

    What is there now is kept beside it under another name, and how to go back is said.
    """
    from tui.commands.backup import run_restore

    return run_restore(copy, shared)


@app.command(epilog=examples("yapmo doctor"))
@takes_shared_options
def doctor(shared: SharedOptions) -> int:
    """Tell what YAPMO runs on, what is wrong, and how to mend it."""
    from tui.commands.doctor import run_doctor

    return run_doctor(shared.config, shared.library, shared.as_json)


@app.command(epilog=examples("yapmo demo", "yapmo demo --no-open /tmp/demo"))
def demo(
    context: typer.Context,
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="Where (default: in your data directory).")
    ] = "",
    no_open: Annotated[bool, typer.Option("--no-open", help="Make the files only.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Make the files only, and print one JSON object.")
    ] = False,
    library: LibraryOption = "",
    config: ConfigOption = "",
) -> None:
    """Try YAPMO on generated photos, songs and films.

    They are made once, and opened in a library of their own.
    """
    import os

    from tui.commands.demo import prepare_demo
    from tui.operations.demo import demo_library_path

    shared = shared_options(context, library, config, as_json)
    made = prepare_demo(folder, as_json=shared.as_json)
    if no_open or shared.as_json:
        _leave(0)
    library_path = shared.library or os.fsdecode(demo_library_path())
    _leave(_open(os.fsdecode(made.folder), SharedOptions(library_path, shared.config)))


def run(arguments: list[str]) -> int:
    """Run one command line (without the program's name) and return the exit code of the process."""
    as_json = "--json" in arguments[: arguments.index("--") if "--" in arguments else None]
    return run_to_exit_code(lambda: _run_typer(arguments), as_json=as_json)


def _run_typer(arguments: list[str]) -> int:
    """Run one command line and return its exit code, with YAPMO's errors instead of Typer's."""
    try:
        outcome = app(args=_with_open(arguments), prog_name="yapmo", standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "yapmo"
        raise UsageError(error.format_message(), hint=f"See `{command} --help`.") from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    return outcome if isinstance(outcome, int) else 0


def _command_names() -> set[str]:
    commands = {
        command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands
    }
    return commands | {group.name or "" for group in app.registered_groups}


def _near_command(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, _command_names() - {"open"}, n=1)
    return f"Did you mean `yapmo {near[0]}`?" if near else "`yapmo --help` lists the commands."


def _with_open(arguments: list[str]) -> list[str]:
    """Put the hidden command `open` before a first word that is a path and not a command."""
    index = 0
    while index < len(arguments) and arguments[index].startswith("-") and arguments[index] != "--":
        takes_value = arguments[index] in ("--library", "--config")
        index += 2 if takes_value else 1
    if index >= len(arguments) or arguments[index] in _command_names():
        return arguments
    if arguments[index] == "--" and index + 1 == len(arguments):
        return arguments
    return [*arguments[:index], "open", *arguments[index:]]
