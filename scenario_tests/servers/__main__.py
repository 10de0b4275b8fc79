"""`python -m scenario_tests.servers run -- COMMAND…`: a command between the start and the end of private servers.

The command finds them in CLERK_TEST_BROKER_URL, CLERK_TEST_DATABASE_URL and CLERK_TEST_SERVERS. Exits as it did.
Inside it, `python -m scenario_tests.servers ctl -- ARGUMENT…` is `rabbitmqctl` for that broker.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from scenario_tests.servers import NotAvailable, attached_servers, private_servers
from scenario_tests.servers.processes import pid_file_beside, recording_pid

USAGE = "usage: python -m scenario_tests.servers run -- COMMAND [ARGUMENT…], or inside it: ctl -- ARGUMENT…"


def main(arguments: Sequence[str]) -> int:
    acts = {"run": _serve, "ctl": _control}
    if len(arguments) < 3 or arguments[0] not in acts or arguments[1] != "--":
        _say(USAGE)
        return 2
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    try:
        return acts[arguments[0]](arguments[2:])
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except RuntimeError as error:
        _say(f"servers: {error}")
        return 1


def _serve(command: Sequence[str]) -> int:
    with private_servers() as servers:
        return _run(command, os.environ | servers.environment(), servers.state_file)


def _control(arguments: Sequence[str]) -> int:
    servers = attached_servers()
    if servers is None:
        raise NotAvailable("ctl works only inside `run`")
    sys.stdout.write(servers.broker.ctl(*arguments))
    return 0


def _run(command: Sequence[str], environment: dict[str, str], state_file: Path | None) -> int:
    """The command's exit code, in a shell's way; the command is always ended when we leave."""
    # Should we be killed meanwhile, the watcher ends it together with the servers.
    pid_file = None if state_file is None else pid_file_beside(state_file, "command")
    child = subprocess.Popen(recording_pid(pid_file, command), env=environment)
    try:
        code = child.wait()
    except KeyboardInterrupt:
        # A terminal has told the command too, and a second interrupt would disturb its cleaning up.
        code = _end(child, None if sys.stdin.isatty() else signal.SIGINT)
    except SystemExit:
        _end(child, signal.SIGTERM)
        raise
    return code if code >= 0 else 128 - code


def _end(child: subprocess.Popen[bytes], number: signal.Signals | None, limit: float = 20.0) -> int:
    """Pass the signal on and wait; kill what does not end."""
    if number is not None:
        child.send_signal(number)
    try:
        return child.wait(limit)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
