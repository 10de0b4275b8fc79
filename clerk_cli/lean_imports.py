"""Libraries that others load for terminals only, and a process that serves has no use for.

structlog loads rich, and rich pygments, to colour tracebacks, which our log never does (logs.py); so does httpx, for a
command of its own.
"""

from __future__ import annotations

import sys

FOR_TERMINALS = ("rich", "pygments")


def do_without_terminals() -> None:
    """From now on those that are not loaded yet are not found; who looks for them does without."""
    for name in FOR_TERMINALS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # so Python says that there is no such module
