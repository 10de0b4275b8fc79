"""Keeps passwords out of `ps`: a command that was given a URL with a password starts itself anew without it.

Everybody on a machine can read every process's arguments, as long as it runs; its environment is its owner's only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, MutableMapping, Sequence

from messaging.server_urls import mask_url

VARIABLE = "_CLERK_ARGUMENTS"
"""The arguments as they were given, as JSON; only between the two starts."""
ADVICE = (
    "a password on the command line is seen by everybody on this machine for a moment, and stays in the shell's "
    "history: set it in CLERK_DATABASE_URL or CLERK_BROKER_URL, or name a file with it in CLERK_DATABASE_PASSWORD_FILE "
    "or CLERK_BROKER_PASSWORD_FILE"
)


def masked(arguments: Sequence[str]) -> list[str]:
    """The arguments with `***` for each password in a URL."""
    return [_masked(each) for each in arguments]


def _masked(argument: str) -> str:
    """Of `URL` and of `--flag=URL`."""
    flag, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    return f"{flag}{equals}{mask_url(value)}" if "://" in value else argument


def again(arguments: Sequence[str], command: Sequence[str], environment: Mapping[str, str]) -> list[str] | None:
    """The command with which to start anew: `command` ends with `arguments`. None when no password is in them."""
    shown = masked(arguments)
    if shown == list(arguments) or VARIABLE in environment:
        return None
    return [*command[: len(command) - len(arguments)], *shown]


def given_arguments() -> list[str]:
    """The arguments of this process; does not return, but starts it anew, when a password is in them."""
    arguments = sys.argv[1:]
    command = again(arguments, sys.orig_argv, os.environ)
    if command is not None and sys.executable:
        os.execve(sys.executable, command, {**os.environ, VARIABLE: json.dumps(arguments)})  # noqa: S606  # itself
    return restored(arguments, os.environ)


def restored(arguments: list[str], environment: MutableMapping[str, str]) -> list[str]:
    """The arguments as they were given, where this is the second start; children do not inherit them."""
    kept = environment.pop(VARIABLE, None)
    if kept is None:
        return arguments
    sys.stderr.write(f"clerk: warning: {ADVICE}\n")
    given: list[str] = json.loads(kept)
    return given
