"""Ends the servers and removes their folder when their owner is gone: it closed our stdin, or died.

`python -m scenario_tests.servers.watcher FOLDER`, in a session of its own, so that a Ctrl-C does not reach it. The
owner holds the other end of our stdin: whatever happens to it, the system closes that.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from scenario_tests.servers.processes import is_alive, send, wait_until

_LAST_SIGNALS = {"postgres": signal.SIGQUIT}
"""SIGQUIT is PostgreSQL's immediate stop, which also frees its shared memory; the others are just killed."""


def main(folder: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1):
        pass  # nobody writes: this waits for the end
    end_all(folder)
    shutil.rmtree(folder, ignore_errors=True)


def end_all(folder: Path) -> None:
    """Kill every server that has a pid file below `folder`, and wait until they are gone."""
    pids = []
    for pid_file in folder.glob("*/*.pid"):
        text = pid_file.read_text()
        if text.isdigit():
            pids.append(int(text))
            send(pids[-1], _LAST_SIGNALS.get(pid_file.stem, signal.SIGKILL))
    try:
        wait_until(lambda: not any(map(is_alive, pids)), 5.0, "servers end")
    except TimeoutError:
        for pid in pids:
            send(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
