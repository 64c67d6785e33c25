"""`python -m tui` and the installed `yapmo` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code; Ctrl-C is 3, also while modules are still being loaded."""
    try:
        from tui.cli import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 3
    sys.exit(code)


if __name__ == "__main__":
    main()
