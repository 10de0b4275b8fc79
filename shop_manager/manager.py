"""ShopManager at work: replies, deadlines and wishes come in, `decide` says what follows, and it is stored and sent.

The order of effects is written down, numbered, in README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from domain.messages import SHOP_MANAGER, Message, Notice, Reply
from domain.refusals import Refused
from messaging.broker import Parcel
from messaging.database import Database, Tx
from messaging.envelope import encode
from messaging.outbox import Outbox
from messaging.parked import ParkedMessage, park
from messaging.worker import LostRace
from shop_manager import store
from shop_manager.decide import after_the_end, decide, start
from shop_manager.happenings import Decision, Happening, Parked, Policy, Replied, Started, Woke
from shop_manager.outages import Outages
from shop_manager.processes import Catalogue
from shop_manager.saga import Entry, Saga
from shop_manager.store import Held, schema

Also = Callable[[Tx, Saga, Decision, int], None]
"""(transaction, the saga before, what was decided, now)."""
SWEEP = 200
"""Clerks woken in one transaction (T7: small enough that replies are not kept waiting)."""
RACES = 5


@dataclass
class Sheet:
    """What a batch comes to: the sagas as they will be, new history, outgoing messages, ignored replies."""

    held: dict[str, Held]
    sagas: dict[str, Saga] = field(default_factory=dict)
    entries: list[tuple[str, int, Entry]] = field(default_factory=list)
    send: list[Message] = field(default_factory=list)
    ignored: list[Mapping[str, Any]] = field(default_factory=list)

    def saga(self, clerk: str) -> Saga | None:
        held = self.held.get(clerk)
        return self.sagas.get(clerk) or (held.saga if held else None)

    def take(self, decision: Decision) -> None:
        """Add one decision; a resend changes the saga without any entry."""
        saga = decision.saga
        first = saga.version - len(decision.entries) + 1
        self.entries += [(saga.id, first + index, entry) for index, entry in enumerate(decision.entries)]
        self.send += decision.send
        if decision.entries or decision.send:
            self.sagas[saga.id] = saga

    def write(self, tx: Tx) -> None:
        changes = [(saga, self.held[clerk].revision, self.held[clerk].digest) for clerk, saga in self.sagas.items()]
        store.write(tx, sorted(changes, key=lambda change: change[0].id), self.entries)
        store.write_ignored(tx, self.ignored)


@dataclass(frozen=True)
class Taken:
    """What one happening came to: the Clerk before, the decision, and the deliveries to send after the commit."""

    before: Saga
    decision: Decision
    parcels: list[Parcel]


class Manager:
    """The process manager over its store. One instance a process; any number of processes (T3)."""

    def __init__(
        self, database: Database, outbox: Outbox, catalogue: Catalogue, policy: Policy, outages: Outages
    ) -> None:
        self.database = database
        self.outbox = outbox
        self.catalogue = catalogue
        self._policy = policy
        self.outages = outages
        self.on_change: Callable[[Iterable[str]], None] = lambda ids: None
        self._fresh: list[str] = []

    @property
    def policy(self) -> Policy:
        """The engine's numbers with the outages known now."""
        known = self.outages.known
        return replace(self._policy, outages=known) if known else self._policy

    def _decide(self, saga: Saga, happening: Happening, now: int) -> Decision:
        """An ended Clerk needs no process any more: its may have been taken out long ago."""
        if saga.ended:
            return after_the_end(saga, happening, now)
        return decide(self.catalogue[saga.process], saga, happening, now, self.policy)

    # --- replies and notices, from the worker ----------------------------------------------------------------------

    def handle(self, tx: Tx, messages: Sequence[Message]) -> list[Message]:
        """A batch of replies: constant statements, however many there are."""
        now = tx.lock(sorted({clerk for message in messages if (clerk := message.clerk)}))
        sheet = Sheet(store.read(tx, {clerk for message in messages if (clerk := message.clerk)}))
        parked: list[ParkedMessage] = []
        for message in messages:
            if isinstance(message, Reply):
                self._reply(sheet, message, now, parked)
            elif isinstance(message, Notice):
                self._notice(sheet, message, now, parked)
        park(tx, schema.parked, parked, now)
        sheet.write(tx)
        self._fresh = list(sheet.sagas)
        return sheet.send

    def after_commit(self) -> None:
        """Tell those who wait for a Clerk, once what they will read is committed."""
        fresh, self._fresh = self._fresh, []
        if fresh:
            self.on_change(fresh)

    def _reply(self, sheet: Sheet, reply: Reply, now: int, parked: list[ParkedMessage]) -> None:
        saga = sheet.saga(reply.clerk)
        if saga is None:
            parked.append(_unknown(reply, f"there is no Clerk {reply.clerk}"))
            return
        if not saga.ended and reply.step not in self.catalogue[saga.process].names:
            parked.append(_unknown(reply, f"process {saga.process} has no step {reply.step!r}"))
            return
        decision = self._decide(saga, Replied(reply), now)
        sheet.take(decision)
        if decision.ignored:
            sheet.ignored.append(_not_taken(reply, decision.ignored, now))

    def _notice(self, sheet: Sheet, notice: Notice, now: int, parked: list[ParkedMessage]) -> None:
        parked.append(
            ParkedMessage(
                notice.service,
                notice.queue,
                notice.reason,
                notice.command,
                notice.body,
                notice.killer,
                whole_size=notice.size,
                known_as=notice.parked,
            )
        )
        saga = sheet.saga(notice.clerk) if notice.clerk else None
        if saga is not None and notice.command:
            happening = Parked(notice.command, notice.service, notice.reason)
            sheet.take(self._decide(saga, happening, now))

    # --- time ------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """One tick: beat, then wake the Clerks whose time has come. While the broker is away nobody is woken (T5).

        It beats between the batches too: to be busy with many deadlines is no outage.
        """
        woken = SWEEP
        while woken == SWEEP and self.outages.link.connected:
            self.outages.beat()
            woken = self._wake_due()

    def _wake_due(self) -> int:
        with self.database.read() as tx:
            ids = store.due(tx, tx.now(), SWEEP)
        if not ids:
            return 0
        try:
            with self.database.begin() as tx:
                now = tx.lock(ids)
                sheet = Sheet(store.read(tx, ids))
                for held in sheet.held.values():
                    sheet.take(self._decide(held.saga, Woke(), now))
                sheet.write(tx)
                parcels = self.outbox.write(tx, sheet.send, now)
        except LostRace:  # somebody else was quicker; the next tick sees what is left
            return 0
        if sheet.sagas:
            self.on_change(list(sheet.sagas))
        self.outbox.send(parcels)
        return len(ids)

    # --- wishes, from the doors ------------------------------------------------------------------------------------

    def open(self, tx: Tx, clerk: str, started: Started, process: str, now: int) -> tuple[Saga, list[Parcel]]:
        """Create a Clerk in the caller's transaction; post the parcels after its commit."""
        definition = self.catalogue[process]
        decision = start(definition, clerk, started, now, self.policy)
        entries = [(clerk, number, entry) for number, entry in enumerate(decision.entries, start=1)]
        store.write(tx, [(decision.saga, 0, definition.digest)], entries)
        return decision.saga, self.outbox.write(tx, decision.send, now)

    def wish(
        self, clerk: str, happening: Happening, version: int | None = None, also: Also | None = None
    ) -> Saga | Refused | None:
        """Cancel, expire, an operator's act: the saga as it is then, a refusal, or None for an unknown Clerk.

        `version`: refuse with `version_conflict` unless the Clerk is at that version (If-Match). `also` writes more in
        the same transaction.
        """
        for _ in range(RACES):
            try:
                return self._wish(clerk, happening, version, also)
            except LostRace:
                continue
        raise LostRace(f"Clerk {clerk} was changed by others {RACES} times in a row")

    def _wish(self, clerk: str, happening: Happening, version: int | None, also: Also | None) -> Saga | Refused | None:
        with self.database.begin() as tx:
            taken = self.take_within(tx, clerk, happening, version)
            if taken is None:
                return None
            if also:
                also(tx, taken.before, taken.decision, tx.now())
        self.tell([taken])
        return taken.decision.refused or taken.decision.saga

    def take_within(self, tx: Tx, clerk: str, happening: Happening, version: int | None = None) -> Taken | None:
        """Read, decide, write in the caller's transaction, who calls `tell` after its commit; None: no such Clerk."""
        now = tx.lock([clerk])
        sheet = Sheet(store.read(tx, [clerk]))
        saga = sheet.saga(clerk)
        if saga is None:
            return None
        if version is not None and version != saga.version:
            refused = Refused("version_conflict", f"the session is at version {saga.version}, not at {version}")
            decision = Decision(saga, refused=refused)
        else:
            decision = self._decide(saga, happening, now)
        sheet.take(decision)
        if decision.refused and decision.refused.code == "past_the_pivot":  # recorded, although it changes nothing
            sheet.ignored.append(_came_too_late(saga, happening, decision.refused, now))
        if decision.ignored and isinstance(happening, Replied):
            sheet.ignored.append(_not_taken(happening.reply, decision.ignored, now))
        sheet.write(tx)
        return Taken(saga, decision, self.outbox.write(tx, sheet.send, now))

    def tell(self, taken: Sequence[Taken]) -> None:
        """After the commit: wake who waits for these Clerks, hand the commands to the postman."""
        changed = [each.before.id for each in taken if each.decision.saga is not each.before]
        if changed:
            self.on_change(changed)
        self.outbox.post([parcel for each in taken for parcel in each.parcels])


def _not_taken(reply: Reply, reason: str, now: int) -> Mapping[str, Any]:
    return {"clerk": reply.clerk, "at": now, "message": reply.id, "outcome": reply.outcome, "reason": reason}


def _came_too_late(saga: Saga, happening: Happening, refused: Refused, now: int) -> Mapping[str, Any]:
    wish = f"{saga.id}/{type(happening).__name__.lower()}"
    return {"clerk": saga.id, "at": now, "message": wish, "outcome": "refused", "reason": refused.detail}


def _unknown(reply: Reply, reason: str) -> ParkedMessage:
    return ParkedMessage(SHOP_MANAGER, "shop_manager.replies.v1", reason, reply.id, b"[" + encode(reply) + b"]")
