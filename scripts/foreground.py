"""Runs a command so that Ctrl-C reaches it alone: `foreground.py COMMAND…`; exits as it does.

On Ctrl-C make itself ends with an error, however cleanly the command ends. So, on a terminal, the command gets a
process group of its own in the foreground. Without a terminal it simply replaces this process.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


def main(command: list[str]) -> int:
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
        in_front = os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        in_front = False
    if not in_front:
        os.execv(command[0], command)  # noqa: S606  no shell is meant
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # or giving the terminal away, and taking it back, would stop us
    child = os.fork()
    if child == 0:
        _take_terminal(terminal)
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # Ctrl-Z: no shell could continue it
        os.execv(command[0], command)  # noqa: S606  no shell is meant
    return _wait(child, terminal)


def _take_terminal(terminal: int) -> None:
    """Become a process group of its own, in the foreground of the terminal."""
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())


def _wait(child: int, terminal: int) -> int:
    """Wait for the command, passing signals on to it; then take the terminal back. Returns its exit code."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        os.kill(child, number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    _, status = os.waitpid(child, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
