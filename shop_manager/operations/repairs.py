"""Repairs one Clerk for `clerk repair`: through the Manager as every act, with an audit line in the transaction."""

from __future__ import annotations

from dataclasses import dataclass

from http_api.principals import Principal
from messaging.broker import OutboundMessage
from messaging.database import Tx
from shop_manager.engine import store
from shop_manager.engine.manager import Executed, Manager
from shop_manager.operations.activity_acts import about
from shop_manager.operations.audit import AuditLine, record
from shop_manager.saga.happenings import AskAgain, ListAnew, RepairAct, Repaired, UndoAgain
from shop_manager.saga.repairing import BY

WHO = Principal("operator", "admin", BY)
"""As the audit names it: whoever runs the command has the databases' passwords."""


@dataclass(frozen=True)
class Repairs:
    """Each returns the messages to send after the commit, or None when the Clerk has moved on and nothing was done.

    ConcurrencyError when another ShopManager has changed the Clerk at the same time.
    """

    manager: Manager

    def undo_again(self, clerk: str, service: str) -> list[OutboundMessage] | None:
        """Ask a service to undo its part of a Clerk that has ended."""
        with self.manager.database.begin() as tx:
            tx.lock([clerk])
            history = [entry for _, entry in store.read_history(tx, clerk)]
            return self._repair(tx, clerk, UndoAgain(service, history))

    def ask_again(self, clerk: str) -> list[OutboundMessage] | None:
        """Ask the open question of a live Clerk again, and set its timers anew."""
        with self.manager.database.begin() as tx:
            return self._repair(tx, clerk, AskAgain())

    def list_anew(self, clerk: str) -> list[OutboundMessage] | None:
        """Write a Clerk's row again, as its own state says."""
        with self.manager.database.begin() as tx:
            return self._repair(tx, clerk, ListAnew())

    def _repair(self, tx: Tx, clerk: str, act: RepairAct) -> list[OutboundMessage] | None:
        executed = self.manager.execute_within(tx, clerk, Repaired(act))
        if executed is None or executed.decision.refused:
            return None
        record(tx, WHO, _line(executed), tx.now(), about(executed.before))
        return executed.outbound


def _line(executed: Executed) -> AuditLine:
    before = executed.before
    note = executed.decision.entries[0].data["text"]
    return AuditLine("repair", f"clerk:{before.id}", reason=str(note), seen=before.version)
