"""The test provider: behaves as its tokens say, behind the port, with its own ledger and its own transactions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Table

from domain.times import seconds
from messaging.database import Database, Tx
from payment_service.ledger import (
    LedgerEntry,
    lock_and_read_entries,
    new_entry,
    outages_since,
    recorded_answer,
    write_entries,
)
from payment_service.provider import Call, OnAnswer, ProviderAnswer

SLOW_SECONDS = 3.0
DOWN_MS = seconds(10)


class Timer(Protocol):
    """`Scheduler`, or one that a test moves by hand."""

    def __call__(self, seconds: float, act: Callable[[], None]) -> None: ...

    def close(self) -> None: ...


class FakeProvider:
    """A `Provider` that behaves as the token says (docs/design/api.md). A batch of quick calls is one transaction.

    A slow card's call takes effect when its time is over, not before: a void that comes meanwhile fences it.
    """

    __test__ = False  # not a test class, whatever its name

    def __init__(self, database: Database, ledger: Table, outages: Table, scheduler: Timer) -> None:
        self.database = database
        self.ledger = ledger
        self.outages = outages
        self.scheduler = scheduler

    def submit(self, calls: Sequence[Call], done: OnAnswer) -> None:
        slow = [call for call in calls if _is_slow(call)]
        quick = [call for call in calls if not _is_slow(call)]
        if slow:
            self.scheduler(SLOW_SECONDS, lambda: done(self._carry_out(slow)))
        if quick:
            done(self._carry_out(quick))

    def close(self) -> None:
        self.scheduler.close()

    def _carry_out(self, calls: Sequence[Call]) -> list[ProviderAnswer]:
        with self.database.begin() as tx:
            payments = {call.payment for call in calls}
            now, entries = lock_and_read_entries(tx, {f"provider:{each}" for each in payments}, self.ledger, payments)
            down = self._down(tx, calls, now)
            fresh: list[LedgerEntry] = []
            answers = [self._answer(entries, call, call.payment in down, fresh, now) for call in calls]
            write_entries(tx, self.ledger, fresh)
        return answers

    def _answer(
        self, known: dict[str, list[LedgerEntry]], call: Call, down: bool, fresh: list[LedgerEntry], now: int
    ) -> ProviderAnswer:
        if down:
            return ProviderAnswer(call.key, "no_answer", reason="the provider does not answer")
        entries = known.setdefault(call.payment, [])
        for entry in entries:
            if entry.key == call.key:
                return recorded_answer(entry)
        entry = new_entry(entries, call, now)
        entries.append(entry)
        fresh.append(entry)
        if call.token == "tok_lost":  # noqa: S105  # a name, not a secret
            return ProviderAnswer(call.key, "no_answer", reason="the provider's answer was lost")
        return recorded_answer(entry)

    def _down(self, tx: Tx, calls: Sequence[Call], now: int) -> set[str]:
        concerned = {call.payment for call in calls if call.token == "tok_down"}  # noqa: S105  # a name, not a secret
        if not concerned:
            return set()
        since = outages_since(tx, self.outages, concerned, now)
        return {payment for payment in concerned if now < since[payment] + DOWN_MS}


def _is_slow(call: Call) -> bool:
    return call.token == "tok_slow" and call.kind in ("authorize", "charge")  # noqa: S105  # a name, not a secret
