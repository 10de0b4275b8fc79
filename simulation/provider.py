"""The simulated payment provider: it keeps idempotency keys, and answers late, twice, never, or by webhook only.

It writes the same ledger as the fake provider, but forgives less: a second authorisation or capture under a new key is
carried out. What it has done stays done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from messaging.database import Database
from payment_service.ledger import CARDS, LedgerEntry, read_entries, recorded_answer, sums_of, write_entries
from payment_service.provider import Call, OnAnswer, ProviderAnswer
from payment_service.store import ledger


class ProviderHost(Protocol):
    """What the provider needs of the simulated run (see Runtime)."""

    def submitting(self, point: str) -> None: ...

    def provider_fault(self) -> str | None: ...

    def pause(self, occasion: str, least: int, most: int) -> int: ...

    def later(self, delay: int, what: str, act: Callable[[], None]) -> None: ...

    def send_webhook(self, answer: ProviderAnswer) -> None: ...


class SimulatedProvider:
    """A `Provider` (payment_service/provider.py). Each call is carried out alone, at its own time."""

    def __init__(self, database: Database, host: ProviderHost) -> None:
        self._database = database
        self._host = host

    def submit(self, calls: Sequence[Call], done: OnAnswer) -> None:
        self._host.submitting("submit")
        for call in calls:
            self._accept(call, done)
        self._host.submitting("submitted")

    def close(self) -> None:
        """It has no threads."""

    def _accept(self, call: Call, done: OnAnswer) -> None:
        fault = self._host.provider_fault()
        if fault == "deaf":
            return
        wait = self._host.pause(f"provider/{call.key}", 1, 60)
        if fault == "slow":
            wait += self._host.pause(f"slow/{call.key}", 500, 20_000)
        self._host.later(wait, f"provider does {call.kind}", lambda: self._act(call, done, fault))

    def _act(self, call: Call, done: OnAnswer, fault: str | None) -> None:
        answer = self._carry_out(call)
        if fault == "by_notice":
            for number in (1, 2):
                wait = self._host.pause(f"notice/{call.key}/{number}", 100, 30_000)
                self._host.later(wait, "provider sends a notice", lambda: self._host.send_webhook(answer))
        if fault in ("mute", "by_notice"):
            return
        for number in range(2 if fault == "twice" else 1):
            wait = self._host.pause(f"answer/{call.key}/{number}", 1, 60 if number == 0 else 10_000)
            self._host.later(wait, "provider answers", lambda: done([answer]))

    def _carry_out(self, call: Call) -> ProviderAnswer:
        with self._database.begin() as tx:
            entries = read_entries(tx, ledger, [call.payment]).get(call.payment, [])
            entry = next((each for each in entries if each.key == call.key), None)
            if entry is None:
                entry = entry_for(entries, call, tx.now())
                write_entries(tx, ledger, [entry])
        return recorded_answer(entry)


def entry_for(entries: Sequence[LedgerEntry], call: Call, now: int) -> LedgerEntry:
    """The ledger entry that a call under a new key makes. It refuses only what the port `Provider` says."""
    amount, reason = call.amount, ""
    sums = sums_of(entries)
    if call.kind in ("authorize", "charge"):
        if any(entry.kind == "void" for entry in entries):
            reason = "the payment was called off"
        elif call.token not in CARDS or call.token == "tok_declined":  # noqa: S105  a name, not a secret
            reason = "the card was declined"
    elif call.kind == "capture":
        if call.token == "tok_capture_refused":  # noqa: S105  a name, not a secret
            reason = "the card's bank refused to capture"
        elif sums.authorized <= sums.voided:
            reason = "nothing is authorised"
    elif call.kind == "void":
        amount, reason = (sums.captured, "the money was taken already") if sums.captured else (_open(entries), "")
    outcome = "declined" if reason else "approved"
    return LedgerEntry(call.key, call.payment, call.kind, amount, call.currency, call.token, outcome, reason, now)


def _open(entries: Sequence[LedgerEntry]) -> int:
    sums = sums_of(entries)
    return sums.authorized - sums.captured - sums.voided
