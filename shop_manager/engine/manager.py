"""The process manager: takes replies, deadlines and acts, has `decide` decide, stores what follows, and sends commands.

In which order, and what a crash in between leads to, is numbered in shop_manager/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from domain.document import SERVICES
from domain.messages import SHOP_MANAGER, Message, ParkedNotice, Reply
from domain.refusals import Refused
from messaging.broker import REPLIES_QUEUE, OutboundMessage
from messaging.database import Database, Tx
from messaging.database_errors import ConcurrencyError
from messaging.envelope import encode
from messaging.outbox import Outbox
from messaging.parked import ParkedMessage, park
from messaging.parked_bound import ParkedBound
from messaging.senders import BY_NAME, Senders
from shop_manager.engine import activity, store
from shop_manager.engine.activity import Event
from shop_manager.engine.outages import Outages
from shop_manager.engine.recent import RecentClerks
from shop_manager.engine.search_index import SearchIndex
from shop_manager.engine.step_figures import StepFigures
from shop_manager.engine.store import VersionedSaga
from shop_manager.engine.tables import technical
from shop_manager.processes import ProcessRegistry
from shop_manager.saga.deadlines import wake_at
from shop_manager.saga.decide import after_the_end, decide, start
from shop_manager.saga.happenings import (
    Amended,
    Cancelled,
    Decision,
    Expired,
    Happening,
    Operated,
    Parked,
    Repaired,
    Replied,
    Started,
    Woke,
)
from shop_manager.saga.policy import Policy
from shop_manager.saga.repairing import repair
from shop_manager.saga.state import HistoryEntry, Saga

Changed = Mapping[str, Saga]
"""Clerks that have changed, by id, as they are now."""
AlsoWrite = Callable[[Tx, Saga, Decision, int], None]
"""What else is written in the same transaction: (transaction, the saga before, what was decided, now in ms)."""
SWEEP = 200
"""Clerks woken in one transaction (T7: small enough that replies are not kept waiting)."""
SWEEP_SECONDS = 1.0
"""After so long the rest waits for the next tick: what else a tick looks after has its turn in between."""
RACES = 5
"""So often an act is tried when others change the Clerk at the same moment."""
STORED_NAMES: dict[type[object], str] = {
    Amended: "amended",
    Cancelled: "cancelled",
    Expired: "expired",
    Operated: "operated",
}
"""By happening that can come too late: its name in the stored line. Stored data: a class may be renamed, not these."""


@dataclass
class UnitOfWork:
    """What one transaction will write: sagas, new history, outgoing messages, ignored replies.

    `versioned`: the Clerks as they were read. `good_until`: a `wake_at` beyond it is left as it stands on the row.
    """

    versioned: dict[str, VersionedSaga]
    good_until: int = 0
    sagas: dict[str, Saga] = field(default_factory=dict)
    entries: list[tuple[str, int, HistoryEntry]] = field(default_factory=list)
    send: list[Message] = field(default_factory=list)
    ignored: list[Mapping[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def saga(self, clerk: str) -> Saga | None:
        versioned = self.versioned.get(clerk)
        return self.sagas.get(clerk) or (versioned.saga if versioned else None)

    def take(self, before: Saga, decision: Decision, replayed_by: str = "") -> None:
        """Add one decision; a resend changes the saga without any entry."""
        saga = decision.saga
        self.events += activity.events_of(before, decision, replayed_by)
        first = saga.version - len(decision.entries) + 1
        self.entries += [(saga.id, first + index, entry) for index, entry in enumerate(decision.entries)]
        self.send += decision.send
        if decision.entries or decision.send:
            self.sagas[saga.id] = saga

    def write(self, tx: Tx) -> list[VersionedSaga]:
        """Returns the Clerks that were changed, as they are stored then."""
        in_order = [(self.sagas[clerk], self.versioned[clerk]) for clerk in sorted(self.sagas)]
        changes = [(saga, as_read.revision, as_read.digest) for saga, as_read in in_order]
        store.write_ignored(tx, self.ignored)
        activity.write(tx, self.events)
        return store.write(tx, changes, self.entries, self._early())

    def _early(self) -> dict[str, int]:
        """The moments that stay on the row although nothing is due then: early is harmless, and a `wake_at` that stays
        as it is leaves PostgreSQL's indexes alone (docs/decisions/099).
        """
        kept = ((clerk, self.versioned[clerk].wake_at, wake_at(saga)) for clerk, saga in self.sagas.items())
        return {
            clerk: on_row
            for clerk, on_row, due in kept
            if on_row is not None and due is not None and self.good_until < on_row <= due
        }


@dataclass(frozen=True, slots=True)
class ToOpen:
    """A Clerk that is to be: its id, what happens to it first, and the reference of its process."""

    clerk: str
    started: Started
    process: str


@dataclass(frozen=True)
class Executed:
    """What one happening led to: the Clerk before, the decision, and the deliveries to send after the commit."""

    before: Saga
    decision: Decision
    outbound: list[OutboundMessage]


class Manager:
    """One instance for each running ShopManager; several may work on one database at the same time (T3).

    `search` enters by what each Clerk is found; without one, nothing personal.
    `on_change` is called after each commit with the Clerks that have changed, by id, as they are now.
    """

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        processes: ProcessRegistry,
        policy: Policy,
        outages: Outages,
        *,
        senders: Senders = BY_NAME,
        search: SearchIndex | None = None,
    ) -> None:
        self.database = database
        self.outbox = outbox
        self.processes = processes
        self.senders = senders
        self.search = search or SearchIndex()
        self._policy = policy
        self.outages = outages
        self.on_change: Callable[[Changed], None] = lambda clerks: None
        self.step_figures = StepFigures()
        self._changed: Mapping[str, Saga] = {}
        self._answered: list[tuple[Saga, Decision]] = []
        self._parked_bound = ParkedBound()
        self._recent = RecentClerks()

    @property
    def policy(self) -> Policy:
        """As it is set, with the outages known now."""
        known = self.outages.known
        return replace(self._policy, outages=known) if known else self._policy

    def _decide(self, saga: Saga, happening: Happening | Repaired, now: int) -> Decision:
        """An ended Clerk needs no process any more: the one it ran on may have been taken out since."""
        if isinstance(happening, Repaired):
            return repair(self.processes.by_reference.get(saga.process), saga, happening.act, now, self.policy)
        if saga.ended:
            return after_the_end(saga, happening, now)
        return decide(self.processes[saga.process], saga, happening, now, self.policy)

    # --- replies and notices, from the worker ----------------------------------------------------------------------

    def handle(self, tx: Tx, messages: Sequence[Message]) -> list[Message]:
        """The worker's `handle`; returns the commands to send. Its statements do not grow with the batch."""
        concerned = {clerk for message in messages if (clerk := message.clerk)}
        now, clerks = self._recent.lock_and_read(tx, concerned)
        uow = UnitOfWork(clerks, now + self._policy.resend_first // 2)
        parked: list[ParkedMessage] = []
        self._answered = []
        for message in messages:
            if isinstance(message, Reply):
                self._reply(uow, message, now, parked)
            elif isinstance(message, ParkedNotice):
                self._notice(uow, message, now, parked)
        park(tx, technical.parked, self._parked_bound.bounded(parked, now), now, by_sender=True)
        self._write(tx, uow)
        self._changed = uow.sagas
        return uow.send

    def _write(self, tx: Tx, uow: UnitOfWork) -> None:
        written = uow.write(tx)
        self.search.follow(tx, [(uow.versioned[clerk].saga.document, saga) for clerk, saga in uow.sagas.items()])
        tx.after_commit.append(lambda: self._recent.keep(written))

    def after_commit(self) -> None:
        """Tell those who wait for the Clerks of the last batch: what they will read is committed now."""
        answered, self._answered = self._answered, []
        for before, decision in answered:
            self.step_figures.decided(before, decision)
        changed, self._changed = self._changed, {}
        if changed:
            self.on_change(changed)

    def _reply(self, uow: UnitOfWork, reply: Reply, now: int, parked: list[ParkedMessage]) -> None:
        saga = uow.saga(reply.clerk)
        forged = self.why_forged(saga, reply)
        if forged:
            parked.append(replace(_unknown(reply, forged), forged=True))
            return
        if saga is None:
            parked.append(_unknown(reply, f"there is no Clerk {reply.clerk}"))
            return
        if not saga.ended and reply.step not in self.processes[saga.process].names:
            parked.append(_unknown(reply, f"process {saga.process} has no step {reply.step!r}"))
            return
        decision = self._decide(saga, Replied(reply), now)
        uow.take(saga, decision)
        self._answered.append((saga, decision))
        if decision.ignored:
            uow.ignored.append(_not_taken(reply, decision.ignored, now))

    def why_forged(self, saga: Saga | None, reply: Reply) -> str | None:
        """Why its sender may not answer for this step of this Clerk (S13); None when it is the service that was asked.

        Where nobody knows who was (no such Clerk, no such step, a process that was taken out) it must be some service.
        """
        process = self.processes.by_reference.get(saga.process) if saga else None
        known = process is not None and reply.step in process.names
        asked = (process.step(reply.step).asks,) if process and known else SERVICES
        return self.senders.why_not(reply.sender, *asked)

    def _notice(self, uow: UnitOfWork, notice: ParkedNotice, now: int, parked: list[ParkedMessage]) -> None:
        parked.append(
            ParkedMessage(
                notice.service,
                notice.queue,
                notice.reason,
                notice.command,
                notice.body,
                notice.poison,
                whole_size=notice.size,
                known_as=notice.parked,
                sender=notice.sender,
                forged=notice.forged,
            )
        )
        saga = None if notice.forged or not notice.clerk else uow.saga(notice.clerk)
        if saga is not None and notice.command:
            happening = Parked(notice.command, notice.service, notice.reason)
            uow.take(saga, self._decide(saga, happening, now))

    # --- time ------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Wake the Clerks whose `wake_at` has come. While the broker is away none is woken (T5).

        The heartbeat is written between the batches too: being busy with many deadlines is no outage.
        """
        until = monotonic() + SWEEP_SECONDS
        while self.outages.transport.connected:
            self.outages.beat()
            if self._wake_due() < SWEEP or monotonic() >= until:
                return

    def _wake_due(self) -> int:
        with self.database.look() as tx:
            ids = store.due(tx, SWEEP)
        if not ids:
            return 0
        try:
            with self.database.begin() as tx:
                now, clerks = self._recent.lock_and_read(tx, ids)
                uow = UnitOfWork(clerks, now)
                for clerk, versioned in uow.versioned.items():
                    decision = self._decide(versioned.saga, Woke(), now)
                    uow.take(versioned.saga, decision)
                    if (wake_at(decision.saga) or 0) > now:  # woken early: the row gets the moment that counts
                        uow.sagas[clerk] = decision.saga
                self._write(tx, uow)
                outbound = self.outbox.write(tx, uow.send, now)
        except ConcurrencyError:  # somebody else was quicker; the next tick sees what is left
            return 0
        if uow.sagas:
            self.on_change(uow.sagas)
        self.outbox.send(outbound)
        return len(ids)

    # --- acts, from the HTTP API --------------------------------------------------------------------------------------

    def open(self, tx: Tx, opened: Sequence[ToOpen], now: int) -> tuple[list[Saga], list[OutboundMessage]]:
        """Create Clerks in the given transaction; returns them and the messages to send after the commit."""
        policy = self.policy
        decisions = [start(self.processes[each.process], each.clerk, each.started, now, policy) for each in opened]
        written = store.write(
            tx,
            [(decision.saga, store.NEW, self.processes[decision.saga.process].digest) for decision in decisions],
            [(each.saga.id, number, entry) for each in decisions for number, entry in enumerate(each.entries, start=1)],
        )
        self.search.follow(tx, [({}, decision.saga) for decision in decisions])
        tx.after_commit.append(lambda: self._recent.keep(written))
        send = [message for decision in decisions for message in decision.send]
        return [decision.saga for decision in decisions], self.outbox.write(tx, send, now)

    def execute(
        self, clerk: str, happening: Happening, version: int | None = None, also: AlsoWrite | None = None
    ) -> Saga | Refused | None:
        """Cancel, expire, or an operator's act: the saga after it, a refusal, or None for an unknown Clerk.

        `version`: refuse with `version_conflict` unless the Clerk is at that version (If-Match). `also` writes more in
        the same transaction.
        """
        for _ in range(RACES):
            try:
                return self._execute(clerk, happening, version, also)
            except ConcurrencyError:
                continue
        raise ConcurrencyError(f"Clerk {clerk} was changed by others {RACES} times in a row")

    def _execute(
        self, clerk: str, happening: Happening, version: int | None, also: AlsoWrite | None
    ) -> Saga | Refused | None:
        with self.database.begin() as tx:
            executed = self.execute_within(tx, clerk, happening, version)
            if executed is None:
                return None
            if also:
                also(tx, executed.before, executed.decision, tx.now())
        self.announce([executed])
        return executed.decision.refused or executed.decision.saga

    def execute_within(
        self, tx: Tx, clerk: str, happening: Happening | Repaired, version: int | None = None
    ) -> Executed | None:
        """Read, decide and write in the given transaction; `announce` it after the commit. None: no such Clerk.

        `version`: see `execute`.
        """
        now, clerks = self._recent.lock_and_read(tx, [clerk])
        uow = UnitOfWork(clerks)
        saga = uow.saga(clerk)
        if saga is None:
            return None
        if version is not None and version != saga.version:
            refused = Refused(
                "version_conflict", f"the session is at version {saga.version}, not at {version}: read it again"
            )
            decision = Decision(saga, refused=refused)
        else:
            decision = self._decide(saga, happening, now)
        uow.take(saga, decision, happening.by if isinstance(happening, Replied) else "")
        if decision.refused and decision.refused.code == "past_the_pivot":  # recorded, although it changes nothing
            late = _came_too_late(saga, happening, decision.refused, now)
            if not store.is_ignored(tx, clerk, late["message"]):  # asked again and again it is recorded once
                uow.ignored.append(late)
        if decision.ignored and isinstance(happening, Replied):
            uow.ignored.append(_not_taken(happening.reply, decision.ignored, now))
        self._write(tx, uow)
        return Executed(saga, decision, self.outbox.write(tx, uow.send, now))

    def announce(self, executed: Sequence[Executed]) -> None:
        """After the commit: tell those who wait for these Clerks, and hand the commands to the publisher."""
        changed = {each.before.id: each.decision.saga for each in executed if each.decision.saga is not each.before}
        if changed:
            self.on_change(changed)
        self.outbox.post([outgoing for each in executed for outgoing in each.outbound])


def _not_taken(reply: Reply, reason: str, now: int) -> Mapping[str, Any]:
    outcome = "report" if reply.report else reply.outcome
    return {"clerk": reply.clerk, "at": now, "message": reply.id, "outcome": outcome, "reason": reason}


def _came_too_late(saga: Saga, happening: Happening | Repaired, refused: Refused, now: int) -> Mapping[str, Any]:
    act = f"{saga.id}/{STORED_NAMES[type(happening)]}"
    return {"clerk": saga.id, "at": now, "message": act, "outcome": "refused", "reason": refused.detail}


def _unknown(reply: Reply, reason: str) -> ParkedMessage:
    body = b"[" + encode(reply) + b"]"
    return ParkedMessage(SHOP_MANAGER, REPLIES_QUEUE, reason, reply.id, body, sender=reply.sender)
