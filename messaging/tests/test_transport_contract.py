"""What every implementation of the broker port promises (broker.py, Transport); each test runs against each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from time import monotonic

import pytest

from messaging.broker import (
    DEAD_LETTER_DESTINATION,
    DEAD_LETTER_QUEUE,
    REPLIES_DESTINATION,
    REPLIES_QUEUE,
    OutboundMessage,
    Transport,
    commands_queue,
)
from messaging.rabbitmq.url import user_in
from messaging.tests.brokers import (
    Broker,
    Rabbit,
    broker_url,
    connected,
    eventually,
    outbound_messages,
    take,
    without_queues,
)

SHOP = commands_queue("shop")
MakeTransport = Callable[..., Transport]


@pytest.fixture(params=["memory", "simulated", pytest.param("rabbitmq", marks=pytest.mark.broker)])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "rabbitmq":
        return Rabbit(without_queues(broker_url()))
    if request.param == "simulated":
        from simulation.broker import SimulatedBroker  # noqa: PLC0415  RabbitMQ's tests need nothing of it

        return SimulatedBroker()
    from messaging.memory import MemoryBroker  # noqa: PLC0415  as above

    return MemoryBroker()


@pytest.fixture
def transport(broker: Broker) -> Iterator[MakeTransport]:
    """Makes started and connected transports, and closes them in the end."""
    made: list[Transport] = []

    def make(consumes: str | None = None, name: str = "test", *, started: bool = True) -> Transport:
        made.append(broker.transport(consumes, name))
        return connected(made[-1]) if started else made[-1]

    yield make
    for one in made:
        one.close()


def test_a_command_arrives_at_the_queue_of_its_service(transport: MakeTransport) -> None:
    shop, sender = transport(SHOP), transport()
    assert sender.publish(outbound_messages(1)) == {1}
    [delivery] = take(shop, 1)
    assert (delivery.body, delivery.topic, delivery.queue) == (b"[1]", "shop.StartShopping.v1", SHOP)
    assert not delivery.redelivered


@pytest.mark.parametrize("service", ["shop", "risk", "payment", "fulfillment"])
def test_every_service_gets_its_own_commands_and_no_others(transport: MakeTransport, service: str) -> None:
    receiver, sender = transport(commands_queue(service)), transport()
    keys = ["shop.A.v1", "risk.A.v1", "payment.A.v1", "fulfillment.A.v1"]
    sent = [message for number, key in enumerate(keys) for message in outbound_messages(1, key, first=number)]
    assert sender.publish(sent) == {0, 1, 2, 3}
    [delivery] = take(receiver, 1)
    assert delivery.topic == f"{service}.A.v1"
    assert receiver.take(10, 0.05) == []


def test_a_reply_arrives_at_shop_manager(transport: MakeTransport) -> None:
    manager, sender = transport(REPLIES_QUEUE), transport()
    assert sender.publish([OutboundMessage(7, REPLIES_DESTINATION, "shop_manager.ReserveCredit.v1", b"[]")]) == {7}
    assert take(manager, 1)[0].body == b"[]"


def test_a_dead_letter_arrives_at_the_dead_letter_queue(transport: MakeTransport) -> None:
    keeper, sender = transport(DEAD_LETTER_QUEUE), transport()
    assert sender.publish([OutboundMessage(1, DEAD_LETTER_DESTINATION, "shop.Odd.v1", b"?")]) == {1}
    assert take(keeper, 1)[0].queue == DEAD_LETTER_QUEUE


def test_S13_a_delivery_says_as_whom_its_sender_is_logged_in(broker: Broker, transport: MakeTransport) -> None:
    shop, sender = transport(SHOP), transport(None, "risk")
    sender.publish(outbound_messages(1))
    assert take(shop, 1)[0].sender == (user_in(broker.url) if isinstance(broker, Rabbit) else "risk")


def test_messages_wait_for_a_receiver_that_comes_later(transport: MakeTransport) -> None:
    assert transport().publish(outbound_messages(3)) == {1, 2, 3}
    assert sorted(one.body for one in take(transport(SHOP), 3)) == [b"[1]", b"[2]", b"[3]"]


def test_a_transport_that_consumes_can_publish_too(transport: MakeTransport) -> None:
    shop = transport(SHOP)
    assert shop.publish(outbound_messages(1)) == {1}
    assert len(take(shop, 1)) == 1


def test_an_unroutable_message_is_visible_and_not_confirmed_and_the_others_are(
    transport: MakeTransport,
) -> None:
    sender = transport()
    nowhere = outbound_messages(1, "nobody.Anything.v1", first=2)
    assert sender.publish([*outbound_messages(1), *nowhere, *outbound_messages(1, first=3)]) == {1, 3}
    assert "nobody.Anything.v1" in (sender.trouble or "")


def test_trouble_is_over_when_everything_was_confirmed(transport: MakeTransport) -> None:
    sender = transport()
    sender.publish(outbound_messages(1, "nobody.Anything.v1"))
    assert sender.publish(outbound_messages(1)) == {1}
    assert sender.trouble is None


def test_publishing_nothing_confirms_nothing(transport: MakeTransport) -> None:
    sender = transport()
    assert sender.publish([]) == set()
    assert sender.trouble is None


def test_take_gives_at_most_what_was_asked_for(transport: MakeTransport) -> None:
    shop = transport(SHOP)
    shop.publish(outbound_messages(5))
    sizes: list[int] = []
    while sum(sizes) < 5:
        sizes.append(len(shop.take(2, 10.0)))
    assert max(sizes) <= 2


def test_take_returns_nothing_when_nothing_comes(transport: MakeTransport) -> None:
    assert transport(SHOP).take(10, 0.01) == []


def test_wake_ends_a_take_that_waits(transport: MakeTransport) -> None:
    shop = transport(SHOP)
    results: list[object] = []
    taker = Thread(target=lambda: results.append(shop.take(1, 60)))
    taker.start()
    shop.wake()
    taker.join(10)
    assert results == [[]]


def test_a_wake_before_the_take_is_not_lost_and_wakes_once(transport: MakeTransport) -> None:
    shop = transport(SHOP)
    shop.wake()
    began = monotonic()
    assert shop.take(1, 60) == []
    assert monotonic() - began < 30
    shop.publish(outbound_messages(1))
    assert len(take(shop, 1)) == 1


def test_what_was_acknowledged_does_not_come_again(transport: MakeTransport) -> None:
    first = transport(SHOP)
    first.publish(outbound_messages(4))
    deliveries = take(first, 4)
    first.acknowledge(deliveries[1:])
    first.close()
    [again] = take(transport(SHOP), 1)
    assert again.body == deliveries[0].body


def test_what_was_not_acknowledged_comes_again_and_says_so(transport: MakeTransport) -> None:
    first = transport(SHOP)
    first.publish(outbound_messages(3))
    take(first, 3)
    first.close()
    again = take(transport(SHOP), 3)
    assert all(one.redelivered for one in again)
    assert sorted(one.body for one in again) == [b"[1]", b"[2]", b"[3]"]


def test_acknowledging_twice_is_harmless(transport: MakeTransport) -> None:
    shop = transport(SHOP)
    shop.publish(outbound_messages(2))
    deliveries = take(shop, 2)
    shop.acknowledge(deliveries)
    shop.acknowledge(deliveries)
    assert shop.publish(outbound_messages(1, first=3)) == {3}
    assert take(shop, 1)[0].body == b"[3]"
    assert shop.connections == 1


def test_two_transports_on_one_queue_share_the_work(transport: MakeTransport) -> None:
    first, second = transport(SHOP, "first"), transport(SHOP, "second")
    first.publish(outbound_messages(10))
    bodies: list[bytes] = []

    def both() -> bool:
        for one in (first, second):
            taken = one.take(10, 0.05)
            bodies.extend(each.body for each in taken)
            one.acknowledge(taken)
        return len(bodies) >= 10

    eventually(both, "ten deliveries at two transports")
    assert sorted(bodies) == sorted(message.body for message in outbound_messages(10))


def test_a_transport_that_was_not_started_sends_and_takes_nothing_and_says_why(transport: MakeTransport) -> None:
    shop = transport(SHOP, started=False)
    assert shop.publish(outbound_messages(1)) == set()
    assert shop.take(1, 0.01) == []
    assert not shop.connected
    assert shop.connections == 0
    assert shop.trouble


def test_a_started_transport_is_connected_once_and_without_trouble(transport: MakeTransport) -> None:
    shop = transport(SHOP)
    assert shop.connected
    assert shop.trouble is None
    assert shop.connections == 1


def test_a_closed_transport_sends_and_takes_nothing_and_raises_nothing(transport: MakeTransport) -> None:
    shop = transport(SHOP)
    shop.publish(outbound_messages(2))
    deliveries = take(shop, 1)
    shop.close()
    shop.acknowledge(deliveries)
    shop.wake()
    shop.close()
    assert shop.publish(outbound_messages(1)) == set()
    assert shop.take(1, 0.01) == []
    assert not shop.connected
    assert shop.trouble


def test_a_close_ends_a_take_that_waits(transport: MakeTransport) -> None:
    shop = transport(SHOP)
    results: list[object] = []
    taker = Thread(target=lambda: results.append(shop.take(1, 60)))
    taker.start()
    shop.close()
    shop.wake()
    taker.join(10)
    assert results == [[]]


def test_large_and_odd_bodies_arrive_unchanged(transport: MakeTransport) -> None:
    shop = transport(SHOP)
    bodies = [b"", bytes(range(256)), b"x" * 1_000_000]
    sent = [OutboundMessage(number, "clerk.commands", "shop.Odd.v1", body) for number, body in enumerate(bodies)]
    assert shop.publish(sent) == {0, 1, 2}
    assert sorted(one.body for one in take(shop, 3)) == sorted(bodies)
