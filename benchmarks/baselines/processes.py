"""Worker processes of a baseline: forked from one that has imported everything, and held or let go together."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import traceback
from collections.abc import Callable


class Workers:
    """Forked workers; they are killed when this process ends."""

    def __init__(self) -> None:
        self.pids: list[int] = []
        self._starter = os.getpid()
        atexit.register(self.end)
        signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))

    def start(self, work: Callable[[], None]) -> None:
        pid = os.fork()
        if pid:
            self.pids.append(pid)
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(2, 1)  # what it prints is no answer
        try:
            work()
        except BaseException:  # whatever it was: the parent's clean-up is not ours
            traceback.print_exc()
        os._exit(1)

    def hold(self) -> None:
        self._tell(signal.SIGSTOP)

    def let_go(self) -> None:
        self._tell(signal.SIGCONT)

    def require_all(self) -> None:
        """RuntimeError when one of them has ended."""
        ended, _ = os.waitpid(-1, os.WNOHANG)
        if ended:
            raise RuntimeError("a worker has ended; its words are in the log")

    def end(self) -> None:
        if os.getpid() == self._starter:
            self._tell(signal.SIGKILL)

    def _tell(self, number: signal.Signals) -> None:
        for pid in self.pids:
            os.kill(pid, number)
