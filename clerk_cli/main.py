"""The `clerk` console script: runs a command; whatever goes wrong is one line on standard error, and exit code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from clerk_cli.commands import app
from clerk_cli.errors import CliError, one_line
from clerk_cli.garbage import collect_rarely
from clerk_cli.hidden_arguments import given_arguments


def main() -> None:
    """Run the command that the process was started with. What it writes is its owner's only."""
    os.umask(0o077)
    collect_rarely()
    sys.exit(run(given_arguments()))


def run(arguments: Sequence[str]) -> int:
    """The exit code: 0 done, 1 done but the answer is no, 2 a wrong or impossible request, 130 interrupted."""
    try:
        result = app(list(arguments), prog_name="clerk", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except CliError as error:
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
