"""The worker: one participant's loop. It takes messages, handles them in one transaction, publishes and acknowledges.

Every service and ShopManager run this one. What differs is the handler of batches: (transaction, messages) → outgoing
messages. What goes wrong on the way is decided here too: tried again, or parked (semantics B1, B2).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic

import structlog
from sqlalchemy.exc import IntegrityError

from domain.messages import SHOP_MANAGER, Message, ParkedNotice
from messaging.broker import Delivery, Transport
from messaging.database import Database, Tx
from messaging.database_errors import DATABASE_ERRORS, ConcurrencyError, said_by
from messaging.envelope import decode, encode, unpack
from messaging.failpoints import reached
from messaging.fields import DecodeError
from messaging.outbox import Outbox
from messaging.parked import (
    ParkedMessage,
    count_tries,
    forget_tries,
    notice_of,
    park,
    read_poison,
    read_tried,
    tries_of,
)
from messaging.parked_bound import ParkedBound
from messaging.senders import BY_NAME, Senders
from messaging.technical_tables import TechnicalTables

BATCH = 40
"""Deliveries taken at once; each may carry a pack of messages."""
TRIES = 5
"""How often a message that makes the handler fail is tried before it is parked (semantics B2)."""
RACES = 3
"""How often a batch is decided anew because somebody else wrote first (T3), before its messages are tried apart."""
FIRST_PAUSE = 0.5
"""Seconds before a message that failed is tried again; doubles with each try."""

BatchHandler = Callable[[Tx, Sequence[Message]], list[Message]]
"""Handles a batch inside the worker's transaction; returns the messages to send when it has committed."""
log = structlog.get_logger()


@dataclass(eq=False)
class Source:
    """A delivery that is not acknowledged yet; `open` counts its messages that are neither handled nor parked."""

    delivery: Delivery
    open: int = 0


@dataclass(eq=False)
class PendingMessage:
    """One message to handle, and the delivery that it came in.

    `due`: not to be tried before (monotonic seconds), 0 for one that has just come. `counted`: it has a row in tries.
    """

    message: Message
    source: Source
    due: float = 0.0
    counted: bool = False


@dataclass
class Batch:
    """What one round works on. `bad` are the messages that cannot be read: they are parked."""

    sources: list[Source] = field(default_factory=list)
    items: list[PendingMessage] = field(default_factory=list)
    bad: list[ParkedMessage] = field(default_factory=list)


class Worker:
    """One participant's loop.

    `handle` is `Dispatcher.handle` at a service and `Manager.handle` at ShopManager: each `main.py` joins them.
    `before_batch` runs ahead of every batch (ShopManager: noticing an outage, T5), `after_commit` behind each
    transaction of the handler. With `park_all` whatever arrives is parked, for that reason: the worker of the
    dead-letter queue handles nothing. `senders` says which user of the broker may say what (S13).
    """

    def __init__(
        self,
        service: str,
        database: Database,
        technical: TechnicalTables,
        outbox: Outbox,
        handle: BatchHandler,
        *,
        transport: Transport | None = None,
        before_batch: Callable[[], None] = lambda: None,
        after_commit: Callable[[], None] = lambda: None,
        park_all: str = "",
        senders: Senders = BY_NAME,
    ) -> None:
        self.service = service
        self.database = database
        self.technical = technical
        self.outbox = outbox
        self.transport = transport or outbox.transport
        self.handle = handle
        self.before_batch = before_batch
        self.after_commit = after_commit
        self.park_all = park_all
        self.senders = senders
        self.parked_bound = ParkedBound()
        self.held: list[PendingMessage] = []
        """Messages that failed and are to be tried again; their deliveries are not acknowledged."""
        self.poison: set[str] = set()
        """Ids of messages that kill the process: not handled any more."""
        self.tried: set[str] = set()
        """Ids of messages that have a row in tries."""
        self.handled = 0
        self.batches = 0
        self.trouble: str | None = None
        self._connections = 0
        self._stop = Event()
        self._thread = Thread(target=self._run, name=f"{service}-worker", daemon=True)

    def start(self) -> None:
        """Begin taking; the database must be reachable."""
        self.remember()
        self._thread.start()

    def remember(self) -> None:
        """Read what earlier processes have learned: which messages kill, and which were tried in vain."""
        with self.database.read() as tx:
            self.poison = read_poison(tx, self.technical.parked)
            self.tried = read_tried(tx, self.technical.tries)

    def stop(self, limit: float = 4.0) -> None:
        """Take nothing more, finish the batch; waits at most `limit` seconds for it."""
        self._stop.set()
        self.transport.wake()
        if self._thread.is_alive():
            self._thread.join(limit)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.round(wait=0.5)
                self.trouble = None
            except DATABASE_ERRORS as error:
                self._wait_for_database(error)
            except Exception:  # the loop must outlive a bug; what was not handled stays unacknowledged and comes again
                log.exception("worker_round_failed", service=self.service)
                self.trouble = "unexpected error, see the log"
                self._stop.wait(1.0)

    def round(self, wait: float) -> None:
        """The way of a message, as one list of verbs."""
        batch = self._read(self.transport.take(BATCH, 0.05 if self.held else wait))
        batch.items += self._take_due()
        if not batch.sources and not batch.items:
            return
        reached("delivered", names=lambda: _names(batch.items))
        self._when_database_answers(self.before_batch)
        apart = self._count_redelivered(batch)
        self._handle_together([item for item in batch.items if item not in apart], batch.bad)
        for item in apart:
            self._handle_apart(item)
        self.transport.acknowledge([source.delivery for source in batch.sources if not source.open])
        reached("acknowledged")

    # --- reading -----------------------------------------------------------------------------------------------------

    def _read(self, deliveries: Sequence[Delivery]) -> Batch:
        """Decode; what cannot be read is parked with this batch, the rest of its pack goes on (B1)."""
        self._forget_void_deliveries()
        batch = Batch()
        for delivery in deliveries:
            source = Source(delivery)
            batch.sources.append(source)
            try:
                if self.park_all:
                    raise DecodeError(self.park_all)
                contents = unpack(delivery.body)
            except DecodeError as error:
                batch.bad.append(self._unreadable(delivery, error))
                continue
            for content in contents:
                self._read_one(content, source, batch)
        return batch

    def _read_one(self, content: object, source: Source, batch: Batch) -> None:
        delivery = source.delivery
        try:
            message = decode(content, self.service, delivery.sender)
        except DecodeError as error:
            batch.bad.append(self._unreadable(delivery, error))
            return
        forged = self.senders.why_forged(message, delivery.sender)
        if forged:
            batch.bad.append(self._parked(delivery, forged, message.id, forged=True))
        elif message.id not in self.poison:
            source.open += 1
            batch.items.append(PendingMessage(message, source))

    def _unreadable(self, delivery: Delivery, error: DecodeError) -> ParkedMessage:
        """What cannot be read, and comes from nobody who has anything to say here, is parked for that (S13)."""
        stranger = None if self.park_all else self.senders.why_stranger(delivery.sender, self.service)
        reason = f"{stranger}; and {error}" if stranger else str(error)
        return self._parked(delivery, reason, error.command, forged=stranger is not None)

    def _parked(self, delivery: Delivery, reason: str, message: str | None, *, forged: bool = False) -> ParkedMessage:
        sender, body = delivery.sender, delivery.body
        return ParkedMessage(self.service, delivery.queue, reason, message, body, sender=sender, forged=forged)

    def _forget_void_deliveries(self) -> None:
        """After a reconnect the broker delivers again what is held back here: keep none of it."""
        if self.transport.connections != self._connections:
            self._connections = self.transport.connections
            self.held.clear()

    def _take_due(self) -> list[PendingMessage]:
        due = [item for item in self.held if item.due <= monotonic()]
        self.held = [item for item in self.held if item not in due]
        return due

    # --- handling ----------------------------------------------------------------------------------------------------

    def _handle_together(self, items: Sequence[PendingMessage], bad: Sequence[ParkedMessage], races: int = 0) -> None:
        """All in one transaction; when that fails, in halves, until the bad message is alone."""
        try:
            self._when_database_answers(lambda: self._commit(items, bad))
        except (ConcurrencyError, IntegrityError) as error:
            if races < RACES:
                self._handle_together(items, bad, races + 1)
            else:
                self._handle_in_halves(items, bad, error)
        except Exception as error:  # whatever a handler raises is the message's fault until proven otherwise (B2)
            self._handle_in_halves(items, bad, error)

    def _handle_in_halves(
        self, items: Sequence[PendingMessage], bad: Sequence[ParkedMessage], error: Exception
    ) -> None:
        if not items:
            raise error
        if len(items) == 1 and not bad:
            self._when_database_answers(lambda: self._count_failure(items[0], error))
            return
        middle = len(items) // 2
        self._handle_together([], bad)
        self._handle_together(items[:middle], [])
        self._handle_together(items[middle:], [])

    def _commit(self, items: Sequence[PendingMessage], bad: Sequence[ParkedMessage]) -> None:
        """One local transaction: state, outgoing messages, parked ones (M1). After it: publish."""
        if not items and not bad:
            return
        with self.database.begin() as tx:
            outgoing = self.handle(tx, [item.message for item in items]) if items else []
            kept = bad if self.park_all else self.parked_bound.bounded(bad, tx.now())
            park(tx, self.technical.parked, kept, tx.now(), by_sender=self.service == SHOP_MANAGER)
            outgoing += self._notices(kept, tx.now())
            counted = [item.message.id for item in items if item.counted]
            forget_tries(tx, self.technical.tries, counted)
            forgotten = self.outbox.forget(tx)
            outbound = self.outbox.write(tx, outgoing, tx.now())
            reached("in_transaction", names=lambda: _names(items))
            reached("commit_sent", tx, lambda: _names(items))
        reached("committed", names=lambda: _names(items))
        forgotten()
        self.tried.difference_update(counted)
        self.after_commit()
        for item in items:
            item.source.open -= 1
        self.handled += len(items)
        self.batches += 1
        self._acknowledge_held(items)
        self.outbox.send(outbound)

    def _acknowledge_held(self, items: Sequence[PendingMessage]) -> None:
        """A delivery that was held back is acknowledged once its last message is handled or parked."""
        self.transport.acknowledge([item.source.delivery for item in items if item.due and not item.source.open])

    def _count_failure(self, item: PendingMessage, error: Exception) -> None:
        """A message at which the handler raises: counted, tried again after a pause, in the end parked (B2)."""
        reason = f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else 'no text'}"
        with self.database.begin() as tx:
            tries = count_tries(tx, self.technical.tries, [item.message.id], tx.now())[item.message.id]
        log.warning("message_failed", service=self.service, message=item.message.id, tries=tries, reason=reason)
        if tries >= TRIES:
            self._park(item, f"the handler failed {tries} times, last with {reason}", poison=False)
        else:
            item.counted, item.due = True, monotonic() + FIRST_PAUSE * 2 ** (tries - 1)
            self.held.append(item)

    def _park(self, item: PendingMessage, reason: str, poison: bool) -> None:
        delivery, message = item.source.delivery, item.message
        body = b"[" + encode(message) + b"]"
        sender = delivery.sender
        parked = ParkedMessage(self.service, delivery.queue, reason, message.id, body, poison, sender=sender)
        item.counted = True
        if poison:
            self.poison.add(message.id)
        with self.database.begin() as tx:
            now = tx.now()
            park(tx, self.technical.parked, [parked], now, by_sender=self.service == SHOP_MANAGER)
            forget_tries(tx, self.technical.tries, [message.id])
            outbound = self.outbox.write(tx, self._notices([parked], now), now)
        log.error("message_parked", service=self.service, message=message.id, parked=parked.id, reason=reason)
        self.tried.discard(message.id)
        item.source.open -= 1
        self._acknowledge_held([item])
        self.outbox.send(outbound)

    # --- messages that were delivered before -------------------------------------------------------------------------

    def _count_redelivered(self, batch: Batch) -> list[PendingMessage]:
        """Counts messages that were delivered before, ahead of handling them: they may have killed a process (B2).

        So are fresh copies of them, such as a resend: they are no less deadly. When they are counted for the first time
        they stay with the batch; those that were counted before are returned, to be handled one by one.
        """
        items = [item for item in batch.items if not item.due]
        ids = self.tried.union(item.message.id for item in items if item.source.delivery.redelivered)
        redelivered = [item for item in items if item.message.id in ids]
        if not redelivered:
            return []
        apart: list[PendingMessage] = []

        def count() -> None:
            with self.database.begin() as tx:
                known = tries_of(tx, self.technical.tries, [item.message.id for item in redelivered])
                apart[:] = [item for item in redelivered if item.message.id in known]
                fresh = [item.message.id for item in redelivered if item.message.id not in known]
                count_tries(tx, self.technical.tries, fresh, tx.now())

        self._when_database_answers(count)
        reached("counted")
        self.tried.update(item.message.id for item in redelivered)
        for item in redelivered:
            item.counted = True
        return apart

    def _handle_apart(self, item: PendingMessage) -> None:
        if item.message.id in self.poison:  # another copy of it has just been parked
            item.source.open -= 1
            return
        tries = 0

        def count() -> None:
            nonlocal tries
            with self.database.begin() as tx:
                tries = count_tries(tx, self.technical.tries, [item.message.id], tx.now())[item.message.id]

        self._when_database_answers(count)
        if tries > TRIES:
            reason = f"whoever handled it was gone before it was done, {tries - 1} times"
            self._when_database_answers(lambda: self._park(item, reason, poison=True))
        else:
            self._handle_together([item], [])

    # --- the database is away ----------------------------------------------------------------------------------------

    def _when_database_answers(self, act: Callable[[], None]) -> None:
        """Do it, again while the database is away: its absence is nobody's fault and costs no message a try."""
        while True:
            try:
                return act()
            except DATABASE_ERRORS as error:
                self._wait_for_database(error)
                if self._stop.is_set():
                    raise

    def _wait_for_database(self, error: Exception) -> None:
        trouble = f"database: {said_by(error)[:200]}"
        if trouble != self.trouble:
            log.warning("worker_waits", service=self.service, trouble=trouble)
        self.trouble = trouble
        self._stop.wait(random.uniform(0.2, 1.0))  # noqa: S311  # jitter, not a secret

    def _notices(self, parked: Sequence[ParkedMessage], now: int) -> list[Message]:
        """A service tells ShopManager what it parked; ShopManager need not tell itself."""
        if self.service == SHOP_MANAGER:
            return []
        return [notice_of(each, now) for each in parked]


def _names(items: Sequence[PendingMessage]) -> set[str]:
    """Names of the commands, or of those that are answered: for failpoints."""
    return {message.name for item in items if not isinstance(message := item.message, ParkedNotice)}
