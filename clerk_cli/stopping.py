"""How a running shop is asked to stop: SIGINT and SIGTERM, taken when we look for them, at no other moment."""

from __future__ import annotations

import os
import signal
import sys
from threading import Timer

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
LIMIT = 4.7
"""Seconds from being asked to being gone; api.md allows 5."""


def hold_signals() -> None:
    """From now on SIGINT and SIGTERM wait until `asked_to_stop` looks. Call it before any thread is started."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def asked_to_stop(within: float) -> bool:
    """Wait up to `within` seconds for somebody to ask us to stop."""
    return signal.sigtimedwait(_SIGNALS, within) is not None


def leave_in_time(code: int) -> None:
    """The process ends within LIMIT, with `code`: whoever still works then is cut off, which loses nothing (M1)."""
    timer = Timer(LIMIT, _leave, [code])
    timer.daemon = True
    timer.start()


def _leave(code: int) -> None:
    sys.stdout.flush()
    os._exit(code)
