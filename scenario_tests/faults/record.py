"""Records the outcome of each fault test: one JSON line each, in the file that CLERK_FAULTS_RECORD names.

docs/reliability.md is made of these lines.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import monotonic

from scenario_tests.faults.fault import Fault, Injection

FILE = "CLERK_FAULTS_RECORD"
HELD = "held"
_ROOT = Path(__file__).parents[2]


@dataclass
class RecoveryTimer:
    """Measures the seconds from the end of a fault (`over`) until nothing is in flight any more (`quiet`)."""

    seconds: float | None = None
    _began: float = 0.0

    def over(self) -> None:
        """The fault is over, and everything runs again."""
        self._began = monotonic()

    def quiet(self) -> None:
        """Nothing is in flight any more."""
        self.seconds = round(monotonic() - self._began, 2)


@contextmanager
def recorded(fault: Fault, injection: Injection) -> Iterator[RecoveryTimer]:
    """The block runs the fault; its outcome is recorded, however it ends, if CLERK_FAULTS_RECORD is set."""
    timer, outcome = RecoveryTimer(), HELD
    try:
        yield timer
    except BaseException as error:
        outcome = f"broke: {str(error).splitlines()[0][:300] if str(error) else type(error).__name__}"
        raise
    finally:
        append(
            {
                "row": fault.row,
                "name": fault.name,
                "evidence": injection.evidence,
                "in_flight": len(injection.hit),
                "seconds_to_quiet": timer.seconds,
                "outcome": outcome,
            }
        )


def append(line: dict[str, object]) -> None:
    """Append a line, with commit and date, if CLERK_FAULTS_RECORD is set."""
    file = os.environ.get(FILE)
    if file:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with Path(file).open("a", encoding="utf-8") as record:
            record.write(json.dumps({**line, "commit": commit(), "date": now}, ensure_ascii=False) + "\n")


@cache
def commit() -> str:
    """The commit that is played, in short; `-changed` when the files differ from it; `unknown` outside a repository."""
    asked = ["git", "describe", "--always", "--abbrev=10", "--dirty=-changed", "--exclude=*"]
    said = subprocess.run(asked, cwd=_ROOT, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"
