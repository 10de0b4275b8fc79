"""The test provider: an outer world of our own behind the port, with its own book and its own transactions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy import Table

from domain.times import seconds
from messaging.database import Database, Tx
from payment_service.ledger import CARDS, Entry, enter, outages_since, read_entries, write_entries
from payment_service.provider import Answer, Call

SLOW_SECONDS = 3.0
DOWN_MS = seconds(10)
Done = Callable[[Sequence[Answer]], None]


class Timer(Protocol):
    """later.py's, or a test's own."""

    def __call__(self, seconds: float, act: Callable[[], None]) -> None: ...

    def close(self) -> None: ...


class TestProvider:
    """A `Provider` that behaves as the token says (api.md). A batch of quick calls is one transaction.

    A slow card's call takes effect when its time is over, not before: a void that comes meanwhile fences it.
    """

    __test__ = False  # not a test class, whatever its name

    def __init__(self, database: Database, ledger: Table, outages: Table, later: Timer) -> None:
        self.database = database
        self.ledger = ledger
        self.outages = outages
        self.later = later

    def submit(self, calls: Sequence[Call], done: Done) -> None:
        slow = [call for call in calls if _is_slow(call)]
        quick = [call for call in calls if not _is_slow(call)]
        if slow:
            self.later(SLOW_SECONDS, lambda: done(self._work_off(slow)))
        if quick:
            done(self._work_off(quick))

    def close(self) -> None:
        self.later.close()

    def _work_off(self, calls: Sequence[Call]) -> list[Answer]:
        with self.database.begin() as tx:
            now = tx.lock({f"provider:{call.payment}" for call in calls})
            book = read_entries(tx, self.ledger, {call.payment for call in calls})
            down = self._down(tx, calls, now)
            fresh: list[Entry] = []
            answers = [self._answer(book, call, call.payment in down, fresh, now) for call in calls]
            write_entries(tx, self.ledger, fresh)
        return answers

    def _answer(self, book: dict[str, list[Entry]], call: Call, down: bool, fresh: list[Entry], now: int) -> Answer:
        if down:
            return Answer(call.key, "no_answer", reason="the provider does not answer")
        entries = book.setdefault(call.payment, [])
        for entry in entries:
            if entry.key == call.key:
                return _recorded(entry)
        entry = enter(entries, call, now)
        entries.append(entry)
        fresh.append(entry)
        if call.token == "tok_lost":  # noqa: S105  # a name, not a secret
            return Answer(call.key, "no_answer", reason="the provider's answer was lost")
        return _recorded(entry)

    def _down(self, tx: Tx, calls: Sequence[Call], now: int) -> set[str]:
        concerned = {call.payment for call in calls if call.token == "tok_down"}  # noqa: S105  # a name, not a secret
        if not concerned:
            return set()
        since = outages_since(tx, self.outages, concerned, now)
        return {payment for payment in concerned if now < since[payment] + DOWN_MS}


def _is_slow(call: Call) -> bool:
    return call.token == "tok_slow" and call.kind in ("authorize", "charge")  # noqa: S105  # a name, not a secret


def _recorded(entry: Entry) -> Answer:
    approved = entry.outcome == "approved"
    card = CARDS.get(entry.token or "") if approved and entry.kind in ("authorize", "charge") else None
    moved = entry.amount if approved or entry.kind == "void" else None
    return Answer(entry.key, "approved" if approved else "declined", entry.payment, card, entry.reason, moved)
