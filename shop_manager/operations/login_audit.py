"""Logins in the audit: who came and went, and who was refused; so that nobody can fill it by guessing (S2, S9).

What an attacker types is never kept: it may be a password in the wrong field. A refused login names the operator
whose name it was, if there is one. Of refused ones only the first are a line each; the others are counted, and their
number is a line now and then.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from http_api.principals import NOBODY, Principal
from http_api.rate_limits import Buckets, Rate
from messaging.database import Database, Tx
from shop_manager.operations.audit import AuditLine, record

SINGLE = Rate(per_second=1 / 60, burst=20)
"""Refused logins that are a line each, of one process."""
SUM_UP_EVERY = 900.0
"""Seconds between two looks at what was only counted."""
MOST = 20
"""Different things that are counted; the rest is one number."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a login, or a change of password, was refused. `name` is that of a known operator, else None."""

    name: str | None
    outcome: str
    why: str
    action: str = "login"

    @property
    def target(self) -> str:
        return f"person:{self.name}" if self.name else "person:"


_REST = Refusal(None, "unauthorized", "others, of many kinds")


class LoginAudit:
    """`clock` gives seconds. Safe in any thread. Every method raises SQLAlchemy's errors."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._buckets = Buckets(1)
        self._counted: Counter[Refusal] = Counter()
        self._lock = Lock()

    def done(self, who: Principal, action: str, prefix: str) -> None:
        """`login` or `logout` of somebody who is known now; `prefix` is the network they called from."""
        with self._database.begin() as tx:
            self.done_within(tx, who, action, prefix)

    def done_within(self, tx: Tx, who: Principal, action: str, prefix: str) -> None:
        """The same, also `password`, in the transaction that did it."""
        record(tx, who, AuditLine(action, f"person:{who.stable_name}", detail=f"from {prefix}"), tx.now())

    def refused(self, refusal: Refusal, prefix: str) -> None:
        """A line, or once there were many, one more that is counted."""
        with self._lock:
            if self._buckets.take("refused", SINGLE, self._clock()):
                self._count(refusal)
                return
        self._write(refusal, f"{refusal.why}, from {prefix}")

    def throttled(self, refusal: Refusal) -> None:
        """Only counted: whoever is throttled goes on trying."""
        with self._lock:
            self._count(refusal)

    def sum_up(self) -> None:
        """A line for everything that was only counted since the last time."""
        with self._lock:
            counted, self._counted = self._counted, Counter()
        for refusal, times in counted.items():
            self._write(refusal, f"{times} more: {refusal.why}")

    def _count(self, refusal: Refusal) -> None:
        known = refusal in self._counted or len(self._counted) < MOST
        self._counted[refusal if known else _REST] += 1

    def _write(self, refusal: Refusal, detail: str) -> None:
        line = AuditLine(refusal.action, refusal.target, refusal.outcome, detail=detail)
        with self._database.begin() as tx:
            record(tx, NOBODY, line, tx.now())
