"""What became of each harm: one JSON line each, in the file that CLERK_FAULTS_RECORD names; reliability.md tells it."""

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

from scenario_tests.faults.harm import Blow, Harm

FILE = "CLERK_FAULTS_RECORD"
HELD = "held"
_ROOT = Path(__file__).parents[2]


@dataclass
class Watch:
    """Between the end of a fault and quiet; `over` starts it, `quiet` stops it."""

    seconds: float | None = None
    _began: float = 0.0

    def over(self) -> None:
        """The fault is over and everything stands again."""
        self._began = monotonic()

    def quiet(self) -> None:
        """Nothing is in flight any more."""
        self.seconds = round(monotonic() - self._began, 2)


@contextmanager
def recorded(harm: Harm, blow: Blow) -> Iterator[Watch]:
    """The block plays the harm; however it ends, that is recorded, where somebody asks for it."""
    watch, outcome = Watch(), HELD
    try:
        yield watch
    except BaseException as error:
        outcome = f"broke: {str(error).splitlines()[0][:300] if str(error) else type(error).__name__}"
        raise
    finally:
        append(
            {
                "row": harm.row,
                "name": harm.name,
                "evidence": blow.evidence,
                "in_flight": len(blow.hit),
                "seconds_to_quiet": watch.seconds,
                "outcome": outcome,
            }
        )


def append(line: dict[str, object]) -> None:
    """One more line, with commit and date; nothing when nobody asks for a recording."""
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
