"""Finds the nginx of this machine; its folder is in root's path only."""

from __future__ import annotations

import os
import shutil


def installed() -> str | None:
    """The path of the program; None when there is none."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
