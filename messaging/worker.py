"""The worker: takes what is waiting, has it handled in one transaction, publishes, acknowledges, forgets.

Every service and ShopManager run this one. What differs is the handler: (transaction, messages) → outgoing messages.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic

import structlog
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.messages import SHOP_MANAGER, Message, Notice
from messaging.broker import Delivery, Link
from messaging.database import Database, Tx
from messaging.envelope import decode, encode, unpack
from messaging.failpoints import reached
from messaging.fields import Unreadable
from messaging.outbox import Outbox
from messaging.parked import ParkedMessage, count_tries, forget_tries, killers, park, tried, tries_of
from messaging.schema import Schema

BATCH = 40
"""Deliveries taken at once; each may carry a pack of messages."""
TRIES = 5
"""How often a message that makes the handler fail is tried before it is parked (semantics B2)."""
NOTICE_BYTES = 16 * 1024
RACES = 3
FIRST_PAUSE = 0.5
"""Seconds before a message that failed is tried again; doubles with each try."""
DATABASE_ERRORS = (OperationalError, InterfaceError, PoolTimeout)

Handler = Callable[[Tx, Sequence[Message]], list[Message]]
log = structlog.get_logger()


class LostRace(Exception):
    """Somebody else wrote first (compare-and-set, T3): the batch is read and decided anew."""


@dataclass(eq=False)
class Source:
    """A delivery that is not acknowledged yet; `open` counts its messages that are not dealt with."""

    delivery: Delivery
    open: int = 0


@dataclass(eq=False)
class Item:
    """One message in hand. `due`: not to be tried before (monotonic seconds); `counted`: it has a row in tries."""

    message: Message
    source: Source
    due: float = 0.0
    counted: bool = False


@dataclass
class Batch:
    """What one round works on."""

    sources: list[Source] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    bad: list[ParkedMessage] = field(default_factory=list)


class Worker:
    """One participant's loop.

    `before_batch` runs ahead of every batch (ShopManager: noticing an outage, T5), `after_commit` behind each
    transaction of the handler. `park_all` is the reason with which whatever arrives is parked: the worker of the
    dead-letter queue handles nothing.
    """

    def __init__(
        self,
        service: str,
        database: Database,
        schema: Schema,
        outbox: Outbox,
        handle: Handler,
        *,
        link: Link | None = None,
        before_batch: Callable[[], None] = lambda: None,
        after_commit: Callable[[], None] = lambda: None,
        park_all: str = "",
    ) -> None:
        self.service = service
        self.database = database
        self.schema = schema
        self.outbox = outbox
        self.link = link or outbox.link
        self.handle = handle
        self.before_batch = before_batch
        self.after_commit = after_commit
        self.park_all = park_all
        self.held: list[Item] = []
        self.killers: set[str] = set()
        self.tried: set[str] = set()
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
        """What earlier lives of this process have learned of messages: which kill, and which were tried in vain."""
        with self.database.read() as tx:
            self.killers = killers(tx, self.schema.parked)
            self.tried = tried(tx, self.schema.tries)

    def stop(self, limit: float = 4.0) -> None:
        """Take nothing more, finish what is in hand."""
        self._stop.set()
        self.link.wake()
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
                self._database_trouble(error)
            except Exception:  # the loop must outlive a bug; what was in hand stays unacknowledged and comes again
                log.exception("worker_round_failed", service=self.service)
                self.trouble = "unexpected error, see the log"
                self._stop.wait(1.0)

    def round(self, wait: float) -> None:
        """The way of a message, as one list of verbs."""
        batch = self._read(self.link.take(BATCH, 0.05 if self.held else wait))
        batch.items += self._take_held()
        if not batch.sources and not batch.items:
            return
        reached("delivered", names=lambda: _names(batch.items))
        self._persist(self.before_batch)
        alone = self._set_suspects_apart(batch)
        self._work_off([item for item in batch.items if item not in alone], batch.bad)
        for item in alone:
            self._work_suspect(item)
        self.link.acknowledge([source.delivery for source in batch.sources if not source.open])
        reached("acknowledged")

    # --- reading ---------------------------------------------------------------------------------------------------

    def _read(self, deliveries: Sequence[Delivery]) -> Batch:
        """Decode; what cannot be read is parked with this batch, the rest of its pack goes on (B1)."""
        self._drop_void_tags()
        batch = Batch()
        for delivery in deliveries:
            source = Source(delivery)
            batch.sources.append(source)
            try:
                if self.park_all:
                    raise Unreadable(self.park_all)
                contents = unpack(delivery.body)
            except Unreadable as error:
                batch.bad.append(self._parked(delivery, str(error), None))
                continue
            for content in contents:
                self._read_one(content, source, batch)
        return batch

    def _read_one(self, content: object, source: Source, batch: Batch) -> None:
        try:
            message = decode(content, self.service)
        except Unreadable as error:
            batch.bad.append(self._parked(source.delivery, str(error), error.command))
            return
        if message.id not in self.killers:
            source.open += 1
            batch.items.append(Item(message, source))

    def _drop_void_tags(self) -> None:
        """After a reconnect the broker delivers again what we hold back: keep none of it."""
        if self.link.connections != self._connections:
            self._connections = self.link.connections
            self.held.clear()

    def _take_held(self) -> list[Item]:
        due = [item for item in self.held if item.due <= monotonic()]
        self.held = [item for item in self.held if item not in due]
        return due

    # --- working off -----------------------------------------------------------------------------------------------

    def _work_off(self, items: Sequence[Item], bad: Sequence[ParkedMessage], races: int = 0) -> None:
        """All in one transaction; when that fails, in halves, until the bad message is alone."""
        try:
            self._persist(lambda: self._commit(items, bad))
        except (LostRace, IntegrityError) as error:
            if races < RACES:
                self._work_off(items, bad, races + 1)
            else:
                self._halve(items, bad, error)
        except Exception as error:  # whatever a handler raises is the message's fault until proven otherwise (B2)
            self._halve(items, bad, error)

    def _halve(self, items: Sequence[Item], bad: Sequence[ParkedMessage], error: Exception) -> None:
        if not items:
            raise error
        if len(items) == 1 and not bad:
            self._persist(lambda: self._failed(items[0], error))
            return
        middle = len(items) // 2
        self._work_off([], bad)
        self._work_off(items[:middle], [])
        self._work_off(items[middle:], [])

    def _commit(self, items: Sequence[Item], bad: Sequence[ParkedMessage]) -> None:
        """One local transaction: state, outgoing messages, parked ones (M1). After it: publish."""
        if not items and not bad:
            return
        with self.database.begin() as tx:
            outgoing = self.handle(tx, [item.message for item in items]) if items else []
            park(tx, self.schema.parked, bad, tx.now())
            outgoing += self._notices(bad, tx.now())
            counted = [item.message.id for item in items if item.counted]
            forget_tries(tx, self.schema.tries, counted)
            forgotten = self.outbox.forget(tx)
            parcels = self.outbox.write(tx, outgoing, tx.now())
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
        self._done_with(items)
        self.outbox.send(parcels)

    def _done_with(self, items: Sequence[Item]) -> None:
        """A delivery that was held back is acknowledged once its last message is dealt with."""
        self.link.acknowledge([item.source.delivery for item in items if item.due and not item.source.open])

    def _failed(self, item: Item, error: Exception) -> None:
        """A message at which the handler raises: counted, retried with patience, in the end parked (B2)."""
        reason = f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else 'no text'}"
        with self.database.begin() as tx:
            tries = count_tries(tx, self.schema.tries, [item.message.id], tx.now())[item.message.id]
        log.warning("message_failed", service=self.service, message=item.message.id, tries=tries, reason=reason)
        if tries >= TRIES:
            self._give_up(item, f"the handler failed {tries} times, last with {reason}", killer=False)
        else:
            item.counted, item.due = True, monotonic() + FIRST_PAUSE * 2 ** (tries - 1)
            self.held.append(item)

    def _give_up(self, item: Item, reason: str, killer: bool) -> None:
        delivery, message = item.source.delivery, item.message
        body = b"[" + encode(message) + b"]"
        parked = ParkedMessage(self.service, delivery.queue, reason, message.id, body, killer)
        item.counted = True
        if killer:
            self.killers.add(message.id)
        with self.database.begin() as tx:
            now = tx.now()
            park(tx, self.schema.parked, [parked], now)
            forget_tries(tx, self.schema.tries, [message.id])
            parcels = self.outbox.write(tx, self._notices([parked], now), now)
        log.error("message_parked", service=self.service, message=message.id, parked=parked.id, reason=reason)
        self.tried.discard(message.id)
        item.source.open -= 1
        self._done_with([item])
        self.outbox.send(parcels)

    # --- messages that came back -----------------------------------------------------------------------------------

    def _set_suspects_apart(self, batch: Batch) -> list[Item]:
        """Messages that were delivered before may have killed whoever took them: they are counted first (B2).

        So is every fresh copy of them, such as a resend: it is no less deadly. On their first return they go with the
        batch; those that come back again are returned, to be worked off alone.
        """
        items = [item for item in batch.items if not item.due]
        suspected = self.tried.union(item.message.id for item in items if item.source.delivery.redelivered)
        suspects = [item for item in items if item.message.id in suspected]
        if not suspects:
            return []
        alone: list[Item] = []

        def count() -> None:
            with self.database.begin() as tx:
                known = tries_of(tx, self.schema.tries, [item.message.id for item in suspects])
                alone[:] = [item for item in suspects if item.message.id in known]
                fresh = [item.message.id for item in suspects if item.message.id not in known]
                count_tries(tx, self.schema.tries, fresh, tx.now())

        self._persist(count)
        reached("counted")
        self.tried.update(item.message.id for item in suspects)
        for item in suspects:
            item.counted = True
        return alone

    def _work_suspect(self, item: Item) -> None:
        if item.message.id in self.killers:  # another copy of it has just been given up
            item.source.open -= 1
            return
        tries = 0

        def count() -> None:
            nonlocal tries
            with self.database.begin() as tx:
                tries = count_tries(tx, self.schema.tries, [item.message.id], tx.now())[item.message.id]

        self._persist(count)
        if tries > TRIES:
            reason = f"whoever handled it was gone before it was done, {tries - 1} times"
            self._persist(lambda: self._give_up(item, reason, killer=True))
        else:
            self._work_off([item], [])

    # --- trouble ---------------------------------------------------------------------------------------------------

    def _persist(self, act: Callable[[], None]) -> None:
        """Until the database answers: its absence is nobody's fault and costs no message a try."""
        while True:
            try:
                return act()
            except DATABASE_ERRORS as error:
                self._database_trouble(error)
                if self._stop.is_set():
                    raise

    def _database_trouble(self, error: Exception) -> None:
        cause = getattr(error, "orig", None) or error
        trouble = f"database: {str(cause).strip().splitlines()[0][:200]}"
        if trouble != self.trouble:
            log.warning("worker_waits", service=self.service, trouble=trouble)
        self.trouble = trouble
        self._stop.wait(random.uniform(0.2, 1.0))  # noqa: S311  # jitter, not a secret

    def _parked(self, delivery: Delivery, reason: str, message: str | None) -> ParkedMessage:
        return ParkedMessage(self.service, delivery.queue, reason, message, delivery.body)

    def _notices(self, parked: Sequence[ParkedMessage], now: int) -> list[Message]:
        """A service tells ShopManager what it parked, so that operators see it in one place."""
        if self.service == SHOP_MANAGER:
            return []
        return [
            Notice(
                service=self.service,
                parked=each.id,
                reason=each.reason,
                queue=each.queue,
                command=each.message,
                body=each.body[:NOTICE_BYTES],
                size=each.size,
                sent_at=now,
                killer=each.killer,
            )
            for each in parked
        ]


def _names(items: Sequence[Item]) -> set[str]:
    """Of the commands, or of the commands that are answered."""
    return {message.name for item in items if not isinstance(message := item.message, Notice)}
