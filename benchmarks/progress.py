"""Progress, for whoever waits for a benchmark."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"bench: {line}\n")
    sys.stderr.flush()
