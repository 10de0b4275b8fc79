"""Mutants of messaging: acknowledges too early, sends outside of the transaction, requeues bad messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from domain.messages import Message
from messaging.broker import Delivery, OutboundMessage
from messaging.database import Tx
from messaging.envelope import pack
from messaging.outbox import Outbox
from messaging.worker import Batch, Worker
from simulation.broker import SimulatedTransport
from simulation.mutants.mutant import replaced

LATER = 0
"""The number of a message that has no row in the outbox yet."""
COLUMNS = ("exchange", "routing_key", "body")


def ack_before_commit() -> AbstractContextManager[None]:
    read = Worker._read

    def reads_and_acknowledges(self: Worker, deliveries: Sequence[Delivery]) -> Batch:
        self.transport.acknowledge(deliveries)
        return read(self, deliveries)

    return replaced(Worker, _read=reads_and_acknowledges)


@contextmanager
def outbox_outside_the_transaction() -> Iterator[None]:
    """Outgoing messages get a transaction of their own, after the one with the data."""
    send = Outbox.send

    def writes_nothing(self: Outbox, tx: Tx, messages: Sequence[Message], now: int) -> list[OutboundMessage]:
        return [OutboundMessage(LATER, exchange, key, body) for exchange, key, body in pack(messages)]

    def writes_and_sends(self: Outbox, outbound: Sequence[OutboundMessage]) -> None:
        late = [message for message in outbound if message.number == LATER]
        if late:
            with self.database.begin() as tx:
                rows = [
                    {
                        "exchange": each.destination,
                        "routing_key": each.topic,
                        "body": each.body,
                        "written_at": tx.now(),
                    }
                    for each in late
                ]
                numbers = tx.insert_numbered(self.table, rows, "number")
            outbound = [replace(message, number=number) for message, number in zip(late, numbers, strict=True)]
        send(self, outbound)

    with replaced(Outbox, write=writes_nothing, send=writes_and_sends):
        yield


@contextmanager
def bad_message_requeued() -> Iterator[None]:
    """What cannot be read goes back to the queue, as many consumers do by default."""

    def hands_back(self: Worker, deliveries: Sequence[Delivery]) -> Batch:
        batch = read(self, deliveries)
        if batch.bad and isinstance(self.transport, SimulatedTransport):
            bad = [source for source in batch.sources if not source.open]
            batch.sources = [source for source in batch.sources if source.open]
            self.transport.broker.put_back([source.delivery for source in bad])
            batch.bad = []
        return batch

    read = Worker._read
    with replaced(Worker, _read=hands_back):
        yield
