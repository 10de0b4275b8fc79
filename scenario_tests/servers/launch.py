"""Starts one server as a daemon (own session, the right user, a pid file), then ends.

It is a program of its own, `python -m scenario_tests.servers.launch SPEC.json`, because forking in a test process with
threads is unsafe, and because the process that starts a server may end before it.
"""

from __future__ import annotations

import json
import os
import pwd
import resource
import sys
from pathlib import Path
from typing import Any

_FILES = 4096
"""Open files a server may have: Erlang sizes tables by it."""


def main(spec_file: str) -> None:
    spec: dict[str, Any] = json.loads(Path(spec_file).read_text())
    pid = os.fork()
    if pid == 0:
        _become(spec)
    Path(spec["pid_file"]).write_text(str(pid))


def _become(spec: dict[str, Any]) -> None:
    """Turn this process into the server. Returns never."""
    try:
        os.setsid()
        _use_log(spec["log"])
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        os.chdir(spec["folder"])
        if spec["user"]:
            _drop_to(spec["user"])
        os.execve(spec["command"][0], spec["command"], spec["environment"])  # a list, no shell
    except OSError as error:
        os.write(2, f"cannot start {spec['command'][0]}: {error}\n".encode())
    finally:
        os._exit(127)


def _use_log(log: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _drop_to(user: str) -> None:
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


if __name__ == "__main__":
    main(sys.argv[1])
