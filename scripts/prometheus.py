"""Finds the Prometheus of this machine, and promtool, which comes with it (Debian's package `prometheus`)."""

from __future__ import annotations

import shutil

PACKAGE = "prometheus"


def installed() -> str | None:
    """The path of the server; None unless both are there."""
    return shutil.which("prometheus") if shutil.which("promtool") else None
