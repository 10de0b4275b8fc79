"""How a running shop is asked to stop: SIGINT and SIGTERM, taken when we look for them, at no other moment."""

from __future__ import annotations

import os
import signal
import sys
from threading import Event, Thread, Timer

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
LIMIT = 4.7
"""Seconds from being asked to being gone; api.md allows 5."""
_asked = Event()


def hold_signals() -> None:
    """From now on SIGINT and SIGTERM wait until `asked_to_stop` looks. Call it before any thread is started.

    They are taken by sigwait, in a thread of its own. sigtimedwait would need none, but Python's answers with a signal
    that nobody sent when the process was paused (SIGSTOP, Ctrl-Z) for longer than the time given.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    Thread(target=_listen, name="signals", daemon=True).start()


def _listen() -> None:
    signal.sigwait(_SIGNALS)
    leave_in_time(0)  # from here on, not from when somebody looks: that may be late, as while everything starts
    _asked.set()


def asked_to_stop(within: float) -> bool:
    """Wait up to `within` seconds for somebody to ask us to stop."""
    return _asked.wait(within)


def leave_in_time(code: int) -> None:
    """The process ends within LIMIT, with `code`: whoever still works then is cut off, which loses nothing (M1)."""
    timer = Timer(LIMIT, _leave, [code])
    timer.daemon = True
    timer.start()


def _leave(code: int) -> None:
    sys.stdout.flush()
    os._exit(code)
