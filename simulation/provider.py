"""The simulated payment provider: honest about idempotency keys, and about nothing else.

It writes the same ledger as the test provider, but forgives less: a second authorisation or capture under a new key is
carried out. It answers late, twice, never, or by a notice only; what it has done stays done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from messaging.database import Database
from payment_service.ledger import CARDS, Entry, read_entries, reckon, write_entries
from payment_service.provider import Answer, Call
from payment_service.store import ledger

Done = Callable[[Sequence[Answer]], None]


class Outside(Protocol):
    """What the provider knows of the world; world.py is it."""

    def submitting(self, port: str) -> None: ...

    def outer_fault(self) -> str | None: ...

    def pause(self, about: str, least: int, most: int) -> int: ...

    def later(self, delay: int, what: str, act: Callable[[], None]) -> None: ...

    def notices(self, answer: Answer) -> None: ...


class SimulatedProvider:
    """A `Provider` (payment_service/provider.py). Each call is carried out alone, at its own time."""

    def __init__(self, database: Database, outside: Outside) -> None:
        self._database = database
        self._outside = outside

    def submit(self, calls: Sequence[Call], done: Done) -> None:
        self._outside.submitting("submit")
        for call in calls:
            self._accept(call, done)
        self._outside.submitting("submitted")

    def close(self) -> None:
        """It has no threads."""

    def _accept(self, call: Call, done: Done) -> None:
        fault = self._outside.outer_fault()
        if fault == "deaf":
            return
        wait = self._outside.pause(f"provider/{call.key}", 1, 60)
        if fault == "slow":
            wait += self._outside.pause(f"slow/{call.key}", 500, 20_000)
        self._outside.later(wait, f"provider does {call.kind}", lambda: self._act(call, done, fault))

    def _act(self, call: Call, done: Done, fault: str | None) -> None:
        answer = self._carry_out(call)
        if fault == "by_notice":
            for number in (1, 2):
                wait = self._outside.pause(f"notice/{call.key}/{number}", 100, 30_000)
                self._outside.later(wait, "provider sends a notice", lambda: self._outside.notices(answer))
        if fault in ("mute", "by_notice"):
            return
        for number in range(2 if fault == "twice" else 1):
            wait = self._outside.pause(f"answer/{call.key}/{number}", 1, 60 if number == 0 else 10_000)
            self._outside.later(wait, "provider answers", lambda: done([answer]))

    def _carry_out(self, call: Call) -> Answer:
        with self._database.begin() as tx:
            book = read_entries(tx, ledger, [call.payment]).get(call.payment, [])
            entry = next((each for each in book if each.key == call.key), None)
            if entry is None:
                entry = judge(book, call, tx.now())
                write_entries(tx, ledger, [entry])
        return recorded(entry)


def judge(book: Sequence[Entry], call: Call, now: int) -> Entry:
    """The entry that a new key makes. Only what the port promises is refused: see `Provider`."""
    amount, reason = call.amount, ""
    sums = reckon(book)
    if call.kind in ("authorize", "charge"):
        if any(entry.kind == "void" for entry in book):
            reason = "the payment was called off"
        elif call.token not in CARDS or call.token == "tok_declined":  # noqa: S105  a name, not a secret
            reason = "the card was declined"
    elif call.kind == "capture":
        if call.token == "tok_capture_refused":  # noqa: S105  a name, not a secret
            reason = "the card's bank refused to capture"
        elif sums.authorized <= sums.voided:
            reason = "nothing is authorised"
    elif call.kind == "void":
        amount, reason = (sums.captured, "the money was taken already") if sums.captured else (_open(book), "")
    outcome = "declined" if reason else "approved"
    return Entry(call.key, call.payment, call.kind, amount, call.currency, call.token, outcome, reason, now)


def _open(book: Sequence[Entry]) -> int:
    sums = reckon(book)
    return sums.authorized - sums.captured - sums.voided


def recorded(entry: Entry) -> Answer:
    """What is answered to the call of an entry, the first time and every time."""
    approved = entry.outcome == "approved"
    card = CARDS.get(entry.token or "") if approved and entry.kind in ("authorize", "charge") else None
    moved = entry.amount if approved or entry.kind == "void" else None
    return Answer(entry.key, "approved" if approved else "declined", entry.payment, card, entry.reason, moved)
