"""Mutants of ShopManager: it overwrites, forgets deadlines, undoes in the wrong order, revives what has ended."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from sqlalchemy import update

from domain.document import SECTION_OF
from domain.messages import Reply
from messaging.database import Tx
from shop_manager.engine import store
from shop_manager.engine.manager import SWEEP, Manager
from shop_manager.engine.recent import RecentClerks
from shop_manager.engine.rows import clerk_row, history_row
from shop_manager.engine.store import VersionedSaga
from shop_manager.engine.tables import clerks, history
from shop_manager.processes.definition import NOTHING_TO_UNDO, Step
from shop_manager.saga import replies, state, undoing
from shop_manager.saga.asking import ask_undo
from shop_manager.saga.draft import Draft
from shop_manager.saga.happenings import Decision, Happening, Replied
from shop_manager.saga.state import HistoryEntry, Question, Saga
from simulation.mutants.mutant import replaced, replaced_items


def no_compare_and_set() -> AbstractContextManager[None]:
    """What was read a while ago is written over what is there now; history that is there already stays."""

    def overwrites(
        tx: Tx,
        changes: Sequence[tuple[Saga, int, str]],
        entries: Sequence[tuple[str, int, HistoryEntry]],
        early: Mapping[str, int] | None = None,
    ) -> list[VersionedSaga]:
        rows = [clerk_row(changed, revision, digest) for changed, revision, digest in changes]
        for row in rows:
            row["wake_at"] = (early or {}).get(row["id"], row["wake_at"])
        tx.upsert(clerks, rows, ["id"], keep=["opened_at"])
        tx.insert_new(history, [history_row(*entry) for entry in entries], ["clerk", "number"])
        return []

    return replaced(store, write=overwrites)


def memory_without_a_look() -> AbstractContextManager[None]:
    """A Clerk that was written here lately is taken for what is there, whoever has written it since."""

    def trusts(self: RecentClerks, tx: Tx, ids: Collection[str]) -> tuple[int, dict[str, VersionedSaga]]:
        known = {clerk: self._clerks[clerk] for clerk in ids if clerk in self._clerks}
        return tx.lock(ids), known | store.read(tx, [clerk for clerk in ids if clerk not in known])

    return replaced(RecentClerks, lock_and_read=trusts)


@contextmanager
def whole_document_overwrite() -> Iterator[None]:
    """The document of a reply replaces the Clerk's, whoever wrote what in it."""

    def takes_all(draft: Draft, what: str, reply: Reply, step: Step) -> None:
        section = SECTION_OF[step.asks]
        content, whole = reply.document.get(section), dict(reply.document)
        draft.write(what, step.name, attempt=reply.attempt, section=section, content=content, whole=whole)

    def evolves(before: Saga, entry: HistoryEntry) -> state.FieldChanges:
        return {**answered(before, entry), "document": entry.data["whole"] or before.document}

    answered = state._answered
    with replaced(replies, _merge=takes_all), replaced_items(state._EVOLVES, done=evolves, undone=evolves):
        yield


def deadline_cleared_before_its_outcome() -> AbstractContextManager[None]:
    """First it is noted that the Clerks were woken; then, in a transaction of its own, comes what follows from that."""
    wake, due = Manager._wake_due, store.due

    def clears_first(self: Manager) -> int:
        with self.database.begin() as tx:
            ids = due(tx, SWEEP)
            tx.execute(update(clerks).where(clerks.c.id.in_(ids)).values(wake_at=None))
        with replaced(store, due=lambda *_: ids):
            return wake(self)

    return replaced(Manager, _wake_due=clears_first)


@contextmanager
def undo_forwards() -> Iterator[None]:
    """The first step that was done is undone first."""

    def undoes_the_first(draft: Draft) -> None:
        for step in draft.process.steps[: draft.process.pivot_index]:
            kept = draft.saga.state_of(step.name) in ("asked", "waiting", "done")
            if kept and step.undo != NOTHING_TO_UNDO:
                ask_undo(draft, step)
                return
        draft.write("ended", status=draft.saga.ending or "failed")

    with replaced(undoing, undo_next=undoes_the_first), replaced(replies, undo_next=undoes_the_first):
        yield


def revive_after_the_end() -> AbstractContextManager[None]:
    """A late "done" sets an order that has ended going again."""
    decide = Manager._decide

    def revives(self: Manager, ended: Saga, happening: Happening, now: int) -> Decision:
        if not (ended.ended and isinstance(happening, Replied) and happening.reply.outcome == "done"):
            return decide(self, ended, happening, now)
        reply, process = happening.reply, self.processes[ended.process]
        do = process.step(reply.step).do
        question = Question(reply.step, "do", reply.attempt, do, now, None, None)
        alive = replace(ended, status="running", ending=None, failure=None, question=question, expires_at=now + 60_000)
        return replies.take_reply(Draft(process, alive, now, self.policy), reply)

    return replaced(Manager, _decide=revives)
