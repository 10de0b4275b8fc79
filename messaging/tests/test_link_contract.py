"""What every implementation of the broker port promises (broker.py, Link); each test runs against each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from time import monotonic

import pytest

from messaging.broker import DEAD_EXCHANGE, DEAD_QUEUE, REPLIES_EXCHANGE, REPLIES_QUEUE, Link, Parcel, commands_queue
from messaging.tests.brokers import Broker, Rabbit, broker_url, connected, eventually, parcels, take, without_queues

SHOP = commands_queue("shop")
MakeLink = Callable[..., Link]


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
def link(broker: Broker) -> Iterator[MakeLink]:
    """Makes started and connected links, and closes them in the end."""
    made: list[Link] = []

    def make(consumes: str | None = None, name: str = "test", *, started: bool = True) -> Link:
        made.append(broker.link(consumes, name))
        return connected(made[-1]) if started else made[-1]

    yield make
    for one in made:
        one.close()


def test_a_command_arrives_at_the_queue_of_its_service(link: MakeLink) -> None:
    shop, sender = link(SHOP), link()
    assert sender.publish(parcels(1)) == {1}
    [delivery] = take(shop, 1)
    assert (delivery.body, delivery.routing_key, delivery.queue) == (b"[1]", "shop.StartShopping.v1", SHOP)
    assert not delivery.redelivered


@pytest.mark.parametrize("service", ["shop", "risk", "payment", "fulfillment"])
def test_every_service_gets_its_own_commands_and_no_others(link: MakeLink, service: str) -> None:
    receiver, sender = link(commands_queue(service)), link()
    keys = ["shop.A.v1", "risk.A.v1", "payment.A.v1", "fulfillment.A.v1"]
    sent = [parcel for number, key in enumerate(keys) for parcel in parcels(1, key, first=number)]
    assert sender.publish(sent) == {0, 1, 2, 3}
    [delivery] = take(receiver, 1)
    assert delivery.routing_key == f"{service}.A.v1"
    assert receiver.take(10, 0.05) == []


def test_a_reply_arrives_at_shop_manager(link: MakeLink) -> None:
    manager, sender = link(REPLIES_QUEUE), link()
    assert sender.publish([Parcel(7, REPLIES_EXCHANGE, "shop_manager.ReserveCredit.v1", b"[]")]) == {7}
    assert take(manager, 1)[0].body == b"[]"


def test_what_is_dead_arrives_at_the_dead_queue(link: MakeLink) -> None:
    keeper, sender = link(DEAD_QUEUE), link()
    assert sender.publish([Parcel(1, DEAD_EXCHANGE, "shop.Odd.v1", b"?")]) == {1}
    assert take(keeper, 1)[0].queue == DEAD_QUEUE


def test_messages_wait_for_a_receiver_that_comes_later(link: MakeLink) -> None:
    assert link().publish(parcels(3)) == {1, 2, 3}
    assert sorted(one.body for one in take(link(SHOP), 3)) == [b"[1]", b"[2]", b"[3]"]


def test_a_link_that_consumes_can_publish_too(link: MakeLink) -> None:
    shop = link(SHOP)
    assert shop.publish(parcels(1)) == {1}
    assert len(take(shop, 1)) == 1


def test_an_unroutable_parcel_is_not_confirmed_and_visible_and_the_others_are_confirmed(link: MakeLink) -> None:
    sender = link()
    nowhere = parcels(1, "nobody.Anything.v1", first=2)
    assert sender.publish([*parcels(1), *nowhere, *parcels(1, first=3)]) == {1, 3}
    assert "nobody.Anything.v1" in (sender.trouble or "")


def test_trouble_is_over_when_everything_was_confirmed(link: MakeLink) -> None:
    sender = link()
    sender.publish(parcels(1, "nobody.Anything.v1"))
    assert sender.publish(parcels(1)) == {1}
    assert sender.trouble is None


def test_publishing_nothing_confirms_nothing(link: MakeLink) -> None:
    sender = link()
    assert sender.publish([]) == set()
    assert sender.trouble is None


def test_take_gives_at_most_what_was_asked_for(link: MakeLink) -> None:
    shop = link(SHOP)
    shop.publish(parcels(5))
    sizes: list[int] = []
    while sum(sizes) < 5:
        sizes.append(len(shop.take(2, 10.0)))
    assert max(sizes) <= 2


def test_take_returns_nothing_when_nothing_comes(link: MakeLink) -> None:
    assert link(SHOP).take(10, 0.01) == []


def test_wake_ends_a_take_that_waits(link: MakeLink) -> None:
    shop = link(SHOP)
    results: list[object] = []
    taker = Thread(target=lambda: results.append(shop.take(1, 60)))
    taker.start()
    shop.wake()
    taker.join(10)
    assert results == [[]]


def test_a_wake_before_the_take_is_not_lost_and_wakes_once(link: MakeLink) -> None:
    shop = link(SHOP)
    shop.wake()
    began = monotonic()
    assert shop.take(1, 60) == []
    assert monotonic() - began < 30
    shop.publish(parcels(1))
    assert len(take(shop, 1)) == 1


def test_what_was_acknowledged_does_not_come_again(link: MakeLink) -> None:
    first = link(SHOP)
    first.publish(parcels(4))
    deliveries = take(first, 4)
    first.acknowledge(deliveries[1:])
    first.close()
    [again] = take(link(SHOP), 1)
    assert again.body == deliveries[0].body


def test_what_was_not_acknowledged_comes_again_and_says_so(link: MakeLink) -> None:
    first = link(SHOP)
    first.publish(parcels(3))
    take(first, 3)
    first.close()
    again = take(link(SHOP), 3)
    assert all(one.redelivered for one in again)
    assert sorted(one.body for one in again) == [b"[1]", b"[2]", b"[3]"]


def test_acknowledging_twice_is_harmless(link: MakeLink) -> None:
    shop = link(SHOP)
    shop.publish(parcels(2))
    deliveries = take(shop, 2)
    shop.acknowledge(deliveries)
    shop.acknowledge(deliveries)
    assert shop.publish(parcels(1, first=3)) == {3}
    assert take(shop, 1)[0].body == b"[3]"
    assert shop.connections == 1


def test_two_links_on_one_queue_share_the_work(link: MakeLink) -> None:
    first, second = link(SHOP, "first"), link(SHOP, "second")
    first.publish(parcels(10))
    bodies: list[bytes] = []

    def both() -> bool:
        for one in (first, second):
            taken = one.take(10, 0.05)
            bodies.extend(each.body for each in taken)
            one.acknowledge(taken)
        return len(bodies) >= 10

    eventually(both, "ten deliveries at two links")
    assert sorted(bodies) == sorted(parcel.body for parcel in parcels(10))


def test_a_link_that_was_not_started_sends_and_takes_nothing_and_says_why(link: MakeLink) -> None:
    shop = link(SHOP, started=False)
    assert shop.publish(parcels(1)) == set()
    assert shop.take(1, 0.01) == []
    assert not shop.connected
    assert shop.connections == 0
    assert shop.trouble


def test_a_started_link_is_connected_once_and_without_trouble(link: MakeLink) -> None:
    shop = link(SHOP)
    assert shop.connected
    assert shop.trouble is None
    assert shop.connections == 1


def test_a_closed_link_sends_and_takes_nothing_and_raises_nothing(link: MakeLink) -> None:
    shop = link(SHOP)
    shop.publish(parcels(2))
    deliveries = take(shop, 1)
    shop.close()
    shop.acknowledge(deliveries)
    shop.wake()
    shop.close()
    assert shop.publish(parcels(1)) == set()
    assert shop.take(1, 0.01) == []
    assert not shop.connected
    assert shop.trouble


def test_a_close_ends_a_take_that_waits(link: MakeLink) -> None:
    shop = link(SHOP)
    results: list[object] = []
    taker = Thread(target=lambda: results.append(shop.take(1, 60)))
    taker.start()
    shop.close()
    shop.wake()
    taker.join(10)
    assert results == [[]]


def test_large_and_odd_bodies_arrive_unchanged(link: MakeLink) -> None:
    shop = link(SHOP)
    bodies = [b"", bytes(range(256)), b"x" * 1_000_000]
    sent = [Parcel(number, "clerk.commands", "shop.Odd.v1", body) for number, body in enumerate(bodies)]
    assert shop.publish(sent) == {0, 1, 2}
    assert sorted(one.body for one in take(shop, 3)) == sorted(bodies)
