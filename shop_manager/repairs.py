"""What `clerk repair` does at ShopManager: ordinary acts, each with a note in the Clerk's history, in one transaction.

An undo after the end goes out under the next attempt, so that no message is mistaken for one that was answered before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from domain.messages import Command
from doors.callers import Caller
from messaging.broker import Parcel
from messaging.database import Database, Tx
from messaging.outbox import Outbox
from shop_manager import store
from shop_manager.deciding.asking import outgoing_document, remind
from shop_manager.deciding.draft import Draft
from shop_manager.happenings import Policy
from shop_manager.operations.audit import Line, record
from shop_manager.processes import Catalogue
from shop_manager.processes.definition import NOTHING_TO_UNDO, Step, name_and_version
from shop_manager.saga import Entry, Saga, evolve
from shop_manager.store import Held

BY = "clerk repair"
WHO = Caller("operator", "admin", BY)
"""As the audit names it: whoever runs the command has the databases' passwords."""


def is_repair(entry: Entry) -> bool:
    """Does this note say that an undo was asked once more?"""
    return entry.what == "note" and entry.data.get("by") == BY and "attempt" in entry.data


@dataclass(frozen=True)
class Repairs:
    """The acts. Each returns None when the Clerk has moved on meanwhile, so that there is nothing to do any more."""

    database: Database
    outbox: Outbox
    catalogue: Catalogue
    policy: Policy

    def undo_once_more(self, clerk: str, service: str) -> list[Parcel] | None:
        """Ask a service to undo its part of a Clerk that has ended; `send` the parcels after it."""
        with self.database.begin() as tx:
            now = tx.lock([clerk])
            held = store.read(tx, [clerk]).get(clerk)
            step = self._step_with_undo(held, service) if held else None
            if held is None or step is None or not held.saga.ended:
                return None
            attempt = 1 + _last_attempt((entry for _, entry in store.read_history(tx, clerk)), step.name)
            text = f"{service} is asked once more to put its part back ({step.undo})"
            note = Entry("note", now, step.name, {"text": text, "by": BY, "attempt": attempt, "direction": "undo"})
            saga = evolve(held.saga, note)
            self._write(tx, held, saga, [note], now)
            return self.outbox.write(tx, [_undo(saga, step, attempt, now)], now)

    def ask_once_more(self, clerk: str) -> list[Parcel] | None:
        """Ask the outstanding question of a live Clerk again, under the same id, and set its timers anew."""
        with self.database.begin() as tx:
            now = tx.lock([clerk])
            held = store.read(tx, [clerk]).get(clerk)
            process = self.catalogue.by_reference.get(held.saga.process) if held else None
            if held is None or process is None or held.saga.ended or held.saga.question is None:
                return None
            draft = Draft(process, held.saga, now, self.policy)
            remind(draft, f"{held.saga.question.step} is asked once more", BY)
            self._write(tx, held, draft.saga, draft.entries, now)
            return self.outbox.write(tx, draft.send, now)

    def list_anew(self, clerk: str) -> list[Parcel] | None:
        """Write a Clerk's row again, as its own state says."""
        with self.database.begin() as tx:
            now = tx.lock([clerk])
            held = store.read(tx, [clerk]).get(clerk)
            if held is None:
                return None
            note = Entry("note", now, None, {"text": "it is listed anew, as its own state says", "by": BY})
            self._write(tx, held, evolve(held.saga, note), [note], now)
            return []

    def _step_with_undo(self, held: Held, service: str) -> Step | None:
        process = self.catalogue.by_reference.get(held.saga.process)
        steps = process.steps if process else ()
        return next((step for step in steps if step.asks == service and step.undo not in (None, NOTHING_TO_UNDO)), None)

    @staticmethod
    def _write(tx: Tx, held: Held, saga: Saga, entries: list[Entry], now: int) -> None:
        """The Clerk with its note, and a line in the audit."""
        first = saga.version - len(entries) + 1
        numbered = [(saga.id, first + index, entry) for index, entry in enumerate(entries)]
        store.write(tx, [(saga, held.revision, held.digest)], numbered)
        line = Line("repair", f"clerk:{saga.id}", reason=str(entries[0].data["text"]), seen=held.saga.version)
        record(tx, WHO, line, now)


def _last_attempt(entries: Iterable[Entry], step: str) -> int:
    """Of all that was ever asked of the step, in either direction."""
    return max((entry.data.get("attempt", 1) for entry in entries if entry.step == step), default=1)


def _undo(saga: Saga, step: Step, attempt: int, now: int) -> Command:
    name, version = name_and_version(step.undo or "")
    return Command(
        service=step.asks,
        name=name,
        version=version,
        clerk=saga.id,
        step=step.name,
        attempt=attempt,
        direction="undo",
        document=outgoing_document(saga),
        sent_at=now,
        causation=f"{saga.id}/{saga.version}",
        traceparent=saga.traceparent,
    )
