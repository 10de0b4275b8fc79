"""A payment service in one thread, with a clock and a timer of its own: nothing happens unless a test says so."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from domain.messages import Command, Direction, Message, Reply
from messaging.broker import REPLIES_QUEUE
from messaging.database import Database
from messaging.envelope import decode, unpack
from messaging.memory import MemoryBroker
from messaging.outbox import Outbox
from messaging.turns import Desk
from payment_service.calls import Calls
from payment_service.handlers import payment
from payment_service.ledger import Sums, sums_by_payment
from payment_service.mailbox import Mailbox
from payment_service.payment import Payment, reference_of
from payment_service.provider import Answer, Call
from payment_service.store import ledger, metadata, outages, payment_trail, read_payments, schema, turns
from payment_service.till import PaymentAnswer, Till
from payment_service.trial import TestProvider

START = 1_764_000_000_000
CLERK = "clk_0193a0000000700080000000000000aa"
SECRET = "5e" * 32
STEP_OF = {
    "AuthorizePayment": "payment",
    "VoidPayment": "payment",
    "CapturePayment": "capture",
    "CollectPayment": "collect",
    "WriteOffPayment": "collect",
}


def command(
    name: str,
    *,
    token: str | None = None,
    clerk: str = CLERK,
    attempt: int = 1,
    direction: Direction | None = None,
    total: int = 2590,
    deadline: int | None = START + 900_000,
) -> Command:
    head: dict[str, Any] = {"id": clerk, "secret_sha256": SECRET, "currency": "EUR", "shop_type": "physical"}
    if token is not None:
        head["brought"] = {"payment": {"token": token}}
    return Command(
        service="payment",
        name=name,
        version=1,
        clerk=clerk,
        step=STEP_OF[name],
        attempt=attempt,
        direction=direction or ("undo" if name == "VoidPayment" else "do"),
        document={"clerk": head, "customer": {"id": None}, "order": {"status": "placed", "total": total}, "x": [1]},
        sent_at=None,
        deadline=deadline,
    )


class HandTimer:
    """Runs what is due when the test moves the clock."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.waiting: list[tuple[int, int, Callable[[], None]]] = []
        self.numbers = itertools.count()

    def __call__(self, seconds: float, act: Callable[[], None]) -> None:
        self.waiting.append((self.room.now + round(seconds * 1000), next(self.numbers), act))

    def close(self) -> None:
        self.waiting.clear()

    def run_due(self) -> None:
        due = sorted(each for each in self.waiting if each[0] <= self.room.now)
        self.waiting = [each for each in self.waiting if each[0] > self.room.now]
        for _, _, act in due:
            act()


class Recording:
    """A provider that writes down what it is asked; `deaf` swallows calls, `rewrite` changes answers on their way."""

    def __init__(self, inner: TestProvider) -> None:
        self.inner = inner
        self.calls: list[Call] = []
        self.deaf = False
        self.rewrite: Callable[[Answer], Answer] = lambda answer: answer

    def submit(self, calls: Sequence[Call], done: Callable[[Sequence[Answer]], None]) -> None:
        self.calls += calls
        if not self.deaf:
            self.inner.submit(calls, lambda answers: done([self.rewrite(each) for each in answers]))

    def close(self) -> None:
        self.inner.close()


class Room:
    def __init__(self, folder: Path) -> None:
        self.now = START
        self.database = Database(f"sqlite:///{folder / 'payment.db'}", clock=lambda: self.now)
        metadata.create_all(self.database.engine)
        broker = MemoryBroker()
        link, self.shop_manager = broker.link(None, "payment"), broker.link(REPLIES_QUEUE, "shop_manager")
        link.start()
        self.shop_manager.start()
        self.timer = HandTimer(self)
        self.provider = Recording(TestProvider(self.database, ledger, outages, self.timer))
        self.outbox = Outbox(schema.outbox, self.database, link)
        self.restart()

    def restart(self) -> None:
        """As after a crash: whatever was only in memory is gone."""
        self.timer.waiting.clear()
        self.mailbox = Mailbox()
        self.desk = Desk(payment(self.mailbox.note), turns)
        self.calls = Calls(self.database, self.desk, self.outbox, self.provider, self.mailbox)
        self.till = Till(self.database, self.calls, arrival_wait=0.0, answer_wait=0.0, waiters=4)

    def clear(self) -> None:
        with self.database.begin() as tx:
            for table in metadata.sorted_tables:
                tx.execute(delete(table))
        self.replies()
        self.provider.calls.clear()
        self.now = START
        self.restart()

    def close(self) -> None:
        self.database.close()

    # --- acts ------------------------------------------------------------------------------------------------------

    def record(self, *commands: Message) -> None:
        """The worker's transaction, and nothing after it."""
        with self.database.begin() as tx:
            parcels = self.outbox.write(tx, self.desk.handle(tx, commands), self.now)
        self.outbox.send(parcels)

    def rolls_back(self, *commands: Message) -> None:
        """The worker's transaction, but the database goes away before its commit."""
        with suppress(ConnectionError), self.database.begin() as tx:
            self.desk.handle(tx, commands)
            raise ConnectionError

    def send(self, *commands: Message) -> list[Reply]:
        """A batch of commands, and all that follows at once; returns the replies."""
        self.record(*commands)
        self.mailbox.committed()
        return self.settle()

    def settle(self) -> list[Reply]:
        while self.calls.round(wait=0):
            pass
        return self.replies()

    def passes(self, milliseconds: int) -> list[Reply]:
        """Time goes by in quarter seconds, the tick's pace; returns the replies."""
        replies = []
        for _ in range(0, milliseconds, 250):
            self.now += 250
            self.timer.run_due()
            self.mailbox.look()
            replies += self.settle()
        return replies

    def pays(self, token: str, clerk: str = CLERK) -> PaymentAnswer | Any:
        """The customer's POST; the provider's quick answer is settled before it returns what is then to be seen."""
        return self.till.pay(clerk, token)

    # --- looks -----------------------------------------------------------------------------------------------------

    def replies(self) -> list[Reply]:
        deliveries = self.shop_manager.take(1000, 0)
        self.shop_manager.acknowledge(deliveries)
        messages = [decode(content, "shop_manager") for delivery in deliveries for content in unpack(delivery.body)]
        return [replace(each, sent_at=None) for each in messages if isinstance(each, Reply)]

    def payment(self, clerk: str = CLERK) -> Payment:
        with self.database.read() as tx:
            return read_payments(tx, [clerk])[clerk]

    def has_payment(self, clerk: str = CLERK) -> bool:
        with self.database.read() as tx:
            return clerk in read_payments(tx, [clerk])

    def sums(self, clerk: str = CLERK) -> Sums:
        """What the provider's own ledger says."""
        with self.database.read() as tx:
            return sums_by_payment(tx, ledger).get(reference_of(clerk), Sums())

    def trail(self, clerk: str = CLERK) -> list[str]:
        with self.database.read() as tx:
            rows = tx.execute(
                select(payment_trail.c.what).where(payment_trail.c.session == clerk).order_by(payment_trail.c.number)
            )
            return [row.what for row in rows]

    def asked(self) -> list[str]:
        """The keys handed to the provider, without the Clerk's id."""
        return [call.key.split("/payment/", 1)[1] for call in self.provider.calls]
