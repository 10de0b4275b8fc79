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
from messaging.turns import Dispatcher
from payment_service.fake_provider import FakeProvider
from payment_service.handlers import payment
from payment_service.ledger import Sums, read_entries, sums_of
from payment_service.payment import Payment, reference_of
from payment_service.provider import Call, ProviderAnswer
from payment_service.provider_gateway import ProviderGateway
from payment_service.reports import PaymentReports
from payment_service.store import ledger, metadata, outages, payment_trail, read_payments, technical, turns
from payment_service.use_cases import PaymentAnswer, PaymentUseCases
from payment_service.work_queue import WorkQueue

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


class ManualTimer:
    """Runs what is due when the test moves the clock."""

    def __init__(self, harness: PaymentHarness) -> None:
        self.harness = harness
        self.waiting: list[tuple[int, int, Callable[[], None]]] = []
        self.numbers = itertools.count()

    def __call__(self, seconds: float, act: Callable[[], None]) -> None:
        self.waiting.append((self.harness.now + round(seconds * 1000), next(self.numbers), act))

    def close(self) -> None:
        self.waiting.clear()

    def run_due(self) -> None:
        due = sorted(each for each in self.waiting if each[0] <= self.harness.now)
        self.waiting = [each for each in self.waiting if each[0] > self.harness.now]
        for _, _, act in due:
            act()


class RecordingProvider:
    """A provider that writes down what it is asked; `deaf` swallows calls, `rewrite` changes answers on their way."""

    def __init__(self, inner: FakeProvider) -> None:
        self.inner = inner
        self.calls: list[Call] = []
        self.deaf = False
        self.rewrite: Callable[[ProviderAnswer], ProviderAnswer] = lambda answer: answer

    def submit(self, calls: Sequence[Call], done: Callable[[Sequence[ProviderAnswer]], None]) -> None:
        self.calls += calls
        if not self.deaf:
            self.inner.submit(calls, lambda answers: done([self.rewrite(each) for each in answers]))

    def close(self) -> None:
        self.inner.close()


class PaymentHarness:
    """Database, worker, gateway and provider of one payment service; `now` is its clock in ms."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.database = Database(f"sqlite:///{folder / 'payment.db'}", clock=lambda: self.now)
        metadata.create_all(self.database.engine)
        broker = MemoryBroker()
        transport, self.shop_manager = (
            broker.transport(None, "payment"),
            broker.transport(REPLIES_QUEUE, "shop_manager"),
        )
        transport.start()
        self.shop_manager.start()
        self.timer = ManualTimer(self)
        self.provider = RecordingProvider(FakeProvider(self.database, ledger, outages, self.timer))
        self.outbox = Outbox(technical.outbox, self.database, transport)
        self.reports: list[Reply] = []
        self.restart()

    def restart(self) -> None:
        """As after a crash: whatever was only in memory is gone."""
        self.timer.waiting.clear()
        self.work_queue = WorkQueue()
        self.dispatcher = Dispatcher(payment(self.work_queue.add_uncommitted), turns)
        self.gateway = ProviderGateway(self.database, self.dispatcher, self.outbox, self.provider, self.work_queue)
        self.under_way = PaymentReports(self.database, self.dispatcher, self.outbox)
        self.payments = PaymentUseCases(
            self.database, self.gateway, self.under_way, arrival_wait=0.0, answer_wait=0.0, waiters=4
        )

    def clear(self) -> None:
        with self.database.begin() as tx:
            for table in metadata.sorted_tables:
                tx.execute(delete(table))
        self.replies()
        self.reports.clear()
        self.provider.calls.clear()
        self.now = START
        self.restart()

    def close(self) -> None:
        self.database.close()

    # --- acts ------------------------------------------------------------------------------------------------------

    def record(self, *commands: Message) -> None:
        """The worker's transaction, and nothing after it."""
        with self.database.begin() as tx:
            outbound = self.outbox.write(tx, self.dispatcher.handle(tx, commands), self.now)
        self.outbox.send(outbound)

    def rolls_back(self, *commands: Message) -> None:
        """The worker's transaction, but the database goes away before its commit."""
        with suppress(ConnectionError), self.database.begin() as tx:
            self.dispatcher.handle(tx, commands)
            raise ConnectionError

    def send(self, *commands: Message) -> list[Reply]:
        """A batch of commands, and all that follows at once; returns the replies."""
        self.record(*commands)
        self.work_queue.committed()
        return self.settle()

    def settle(self) -> list[Reply]:
        while self.gateway.round(wait=0):
            pass
        return self.replies()

    def passes(self, milliseconds: int) -> list[Reply]:
        """Time goes by in quarter seconds, the tick's pace; returns the replies."""
        replies = []
        for _ in range(0, milliseconds, 250):
            self.now += 250
            self.timer.run_due()
            self.work_queue.check_due()
            replies += self.settle()
        return replies

    def pays(self, token: str, clerk: str = CLERK) -> PaymentAnswer | Any:
        """The customer's POST; the provider's quick answer is settled before it returns what is then to be seen."""
        return self.payments.pay(clerk, token)

    # --- looks -----------------------------------------------------------------------------------------------------

    def replies(self) -> list[Reply]:
        """Without reports, which are remembered in `reports`."""
        deliveries = self.shop_manager.take(1000, 0)
        self.shop_manager.acknowledge(deliveries)
        messages = [decode(content, "shop_manager") for delivery in deliveries for content in unpack(delivery.body)]
        replies = [replace(each, sent_at=None) for each in messages if isinstance(each, Reply)]
        self.reports += [each for each in replies if each.report]
        return [each for each in replies if not each.report]

    def payment(self, clerk: str = CLERK) -> Payment:
        with self.database.read() as tx:
            return read_payments(tx, [clerk])[clerk]

    def has_payment(self, clerk: str = CLERK) -> bool:
        with self.database.read() as tx:
            return clerk in read_payments(tx, [clerk])

    def sums(self, clerk: str = CLERK) -> Sums:
        """What the provider has done, as its ledger says."""
        with self.database.read() as tx:
            reference = reference_of(clerk)
            return sums_of(read_entries(tx, ledger, [reference]).get(reference, []))

    def trail(self, clerk: str = CLERK) -> list[str]:
        with self.database.read() as tx:
            rows = tx.execute(
                select(payment_trail.c.what).where(payment_trail.c.session == clerk).order_by(payment_trail.c.number)
            )
            return [row.what for row in rows]

    def asked(self) -> list[str]:
        """The keys handed to the provider, without the Clerk's id."""
        return [call.key.split("/payment/", 1)[1] for call in self.provider.calls]
