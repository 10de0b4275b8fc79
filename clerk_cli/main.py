"""The console script: runs a command, and tells whatever went wrong in one line, with exit code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from clerk_cli.commands import app
from clerk_cli.errors import Trouble, one_line


def main() -> None:
    """Run the command that the process was started with."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """The exit code: 0 done, 1 done but the answer is no, 2 a wrong or impossible request, 130 interrupted."""
    try:
        result = app(list(arguments), prog_name="clerk", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except Trouble as error:
        return _tell(str(error))
    except typer.TyperException as error:
        return _tell(error.format_message())
    except typer.Abort:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else Python complains again when it ends
        return 1


def _tell(words: str) -> int:
    sys.stderr.write(f"clerk: {one_line(words)}\n")
    return 2
