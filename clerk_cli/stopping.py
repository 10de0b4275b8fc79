"""SIGINT and SIGTERM ask a running process to stop: it looks for them when it can, and ends within a time limit."""

from __future__ import annotations

import os
import signal
import sys
from threading import Event, Thread, Timer

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
LIMIT = 4.7
"""Seconds from being asked to having ended; 5 are allowed (docs/design/api.md)."""
_asked = Event()


def hold_signals() -> None:
    """From now on SIGINT and SIGTERM wait until `asked_to_stop` looks. Call it before any thread is started.

    A thread takes them with sigwait. sigtimedwait would need no thread, but Python's version returns a signal that
    nobody sent when the process was paused (SIGSTOP, Ctrl-Z) for longer than the time given.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    Thread(target=_listen, name="signals", daemon=True).start()


def _listen() -> None:
    signal.sigwait(_SIGNALS)
    leave_in_time(0)  # the limit runs from now, not from the next `asked_to_stop`: that may be late during start-up
    _asked.set()


def asked_to_stop(within: float) -> bool:
    """Wait up to `within` seconds for somebody to ask us to stop."""
    return _asked.wait(within)


def leave_in_time(code: int) -> None:
    """The process ends within LIMIT, with exit code `code`; work still going on then is cut off, which loses nothing
    (semantics M1).
    """
    timer = Timer(LIMIT, _leave, [code])
    timer.daemon = True
    timer.start()


def _leave(code: int) -> None:
    sys.stdout.flush()
    os._exit(code)
