"""RabbitMQ's users and rights by `rabbitmqctl`, on the machine where the broker runs."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cached_property

from pydantic import SecretStr

from clerk_cli.errors import CliError
from messaging.rabbitmq.rights import Rights, as_control_commands

TOOL = "rabbitmqctl"
LIMIT = 60.0
"""Seconds for one command: each starts an Erlang machine."""


class ControlTool:
    """An `Administration` (permissions.py). Passwords go through standard input: `ps` shows arguments."""

    name = TOOL

    def __init__(self) -> None:
        if shutil.which(TOOL) is None:
            raise CliError(
                f"there is no {TOOL} here: run this where the broker runs, or say in CLERK_BROKER_MANAGEMENT_URL where "
                "its HTTP API is (http://USER:PASSWORD@HOST:15672)"
            )

    @cached_property
    def _users(self) -> dict[str, list[str]]:
        listed = json.loads(self._run(["list_users", "--formatter", "json"]))
        return {each["user"]: each["tags"] for each in listed}

    def tags_of(self, user: str) -> list[str] | None:
        return self._users.get(user)

    def set_password(self, user: str, password: SecretStr, tags: list[str] | None) -> None:
        self._run(["add_user" if tags is None else "change_password", user], password.get_secret_value())

    def set_rights(self, vhost: str, rights: Rights) -> None:
        for words in as_control_commands([rights], vhost):
            self._run(words)

    def _run(self, words: list[str], given: str = "") -> str:
        """Its output; the first line of what it says when it fails."""
        try:
            done = subprocess.run(  # noqa: S603  # our own command line, no shell
                [TOOL, "--quiet", *words],
                input=given + "\n",
                capture_output=True,
                text=True,
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CliError(f"{TOOL} {words[0]}: no answer within {LIMIT:g} s") from None
        except OSError as error:
            raise CliError(f"{TOOL} cannot be run: {error.strerror}") from None
        if done.returncode:
            said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            raise CliError(f"{TOOL} {words[0]}: {said[0] if said else 'it failed'}")
        return done.stdout
