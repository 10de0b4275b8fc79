"""How a queue is, as its transport finds out for the monitoring."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from messaging.broker import QueueState, TellsOfItsQueue, commands_queue
from messaging.memory import MemoryBroker
from messaging.rabbitmq.queue_look import QueueLook
from messaging.rabbitmq.transport import RabbitTransport
from messaging.tests.brokers import broker_url, connected, eventually, outbound_messages, without_queues

SHOP = commands_queue("shop")


def test_in_memory_what_waits_and_who_consumes_is_counted() -> None:
    broker = MemoryBroker()
    one, other, sender = broker.transport(SHOP, "shop"), broker.transport(SHOP, "shop"), broker.transport(None, "x")
    assert one.queue_state() == QueueState(SHOP, waiting=0, consumers=0) and sender.queue_state() is None
    for each in (one, other, sender):
        each.start()
    sender.publish(outbound_messages(3))
    assert one.queue_state() == QueueState(SHOP, waiting=3, consumers=2)
    one.take(1, 0.1)
    other.close()
    other.close()
    assert one.queue_state() == QueueState(SHOP, waiting=2, consumers=1)


@pytest.mark.broker
def test_rabbitmq_says_what_nobody_has_taken_yet_and_how_many_consume() -> None:
    url = without_queues(broker_url())
    shop, sender = (RabbitTransport(url, consumes=each, name="test", prefetch=1) for each in (SHOP, None))
    try:
        assert shop.queue_state() is None
        connected(shop)
        connected(sender).publish(outbound_messages(3))
        eventually(lambda: shop.queue_state() == QueueState(SHOP, waiting=2, consumers=1), "two wait, one is taken")
        assert sender.queue_state() is None and shop.connections == 1
    finally:
        shop.close()
        sender.close()
    assert isinstance(shop, TellsOfItsQueue)


class RefusingConnection:
    """As RabbitMQ 4.2.6 answers a passive declaration of somebody without the right: it closes the channel."""

    is_open = True

    def __init__(self) -> None:
        self.asked = 0
        self._closed: Any = None

    def channel(self, on_open_callback: Any) -> None:
        on_open_callback(self)

    def add_on_close_callback(self, callback: Any) -> None:
        self._closed = callback

    def queue_declare(self, _queue: str, *, passive: bool, callback: Any) -> None:
        assert passive
        self.asked += 1
        self._closed(self, SimpleNamespace(reply_code=403))


def test_who_may_not_ask_hears_nothing_and_asks_no_more() -> None:
    connection = RefusingConnection()
    look = QueueLook(SHOP, lambda act: act(), lambda: connection)
    assert [look(), look(), connection.asked] == [None, None, 1]
