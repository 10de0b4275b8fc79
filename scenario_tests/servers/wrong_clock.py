"""Where libfaketime is, with which a process is given a clock that is wrong (Debian's package of that name)."""

from __future__ import annotations

from pathlib import Path


def library() -> Path | None:
    """The library that is loaded ahead of all others; None where it is not installed."""
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


def installed() -> bool:
    return library() is not None


def environment(seconds: int) -> dict[str, str]:
    """For a process whose clock is so far ahead; what measures durations stays right."""
    return {"LD_PRELOAD": str(library()), "FAKETIME": f"{seconds:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
