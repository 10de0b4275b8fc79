"""Tells ShopManager that the provider is being asked, where it takes longer than a moment (M9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from domain.messages import Reply
from messaging.database import Database, Tx
from messaging.outbox import Outbox
from messaging.turns import Dispatcher, Turn
from payment_service.payment import under_way
from payment_service.queries import asked_since
from payment_service.store import PaymentUnitOfWork, read_payments

AFTER_MS = 1_000
"""A provider that answers within this time is not reported on: its answer says more."""
LOOK_BACK_MS = 10_000
"""So long before the latest call that was seen it is looked again: a call may be committed some time after it began."""
BATCH = 200


class PaymentReports:
    """`tell` says that payments are under way; `tick` does it for those that have been for a while."""

    def __init__(self, database: Database, dispatcher: Dispatcher[PaymentUnitOfWork], outbox: Outbox) -> None:
        self.database = database
        self.dispatcher = dispatcher
        self.outbox = outbox
        self._seen_up_to = 0
        self._told: dict[str, int] = {}

    def tick(self) -> None:
        """To be called regularly. What was told before a restart is told once more, and changes nothing."""
        since = self._seen_up_to - LOOK_BACK_MS
        with self.database.look() as tx:
            asked = asked_since(tx, since, AFTER_MS, BATCH)
        self._told = {key: at for key, at in self._told.items() if at >= since}
        fresh = [record for record in asked if record.call.key not in self._told]
        self.tell({record.clerk for record in fresh})
        self._told |= {record.call.key: record.asked_at for record in fresh}
        self._seen_up_to = max([self._seen_up_to, *(record.asked_at for record in fresh)])

    def tell(self, sessions: Collection[str]) -> None:
        """Report those of the sessions' payments that the provider has been asked for and has not answered."""
        if not sessions or self._are_told(sessions):
            return
        with self.database.begin() as tx:
            now = tx.lock(sorted(sessions))
            outbound = self.outbox.write(tx, self._reports(tx, sessions, now), now)
        self.outbox.post(outbound)

    def _are_told(self, sessions: Collection[str]) -> bool:
        """Without a lock, for those who look again and again."""
        with self.database.read() as tx:
            return all({**turn.section, **keys} == turn.section for turn, keys in self._found(tx, sessions))

    def _reports(self, tx: Tx, sessions: Collection[str], now: int) -> list[Reply]:
        return self.dispatcher.report(tx, self._found(tx, sessions), now)

    def _found(self, tx: Tx, sessions: Collection[str]) -> list[tuple[Turn, Mapping[str, Any]]]:
        """The turns of payments that are under way, with what is to be told of each."""
        found = read_payments(tx, sessions).values()
        told = {(each.session, each.step): keys for each in found if (keys := under_way(each))}
        turns = self.dispatcher.read(tx, told) if told else {}
        return [(turn, told[key]) for key, turn in turns.items()]
