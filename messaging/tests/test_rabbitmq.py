"""What only a real RabbitMQ and a failing network can show of a transport."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic

import pytest

from messaging.broker import DEAD_LETTER_QUEUE, Transport, commands_queue
from messaging.rabbitmq import transport as transport_module
from messaging.rabbitmq.topology import EXCHANGES, QUEUES
from messaging.rabbitmq.transport import RabbitTransport
from messaging.rabbitmq.url import user_in
from messaging.tests.brokers import broker_url, channel, connected, eventually, outbound_messages, take, without_queues
from messaging.tests.tcp_proxy import TcpProxy

pytestmark = pytest.mark.broker
SHOP = commands_queue("shop")
MakeTransport = Callable[..., RabbitTransport]


@pytest.fixture
def url() -> str:
    return without_queues(broker_url())


@pytest.fixture
def network(url: str) -> Iterator[TcpProxy]:
    """Between the transport and the broker; it notices a black hole within seconds."""
    network = TcpProxy(url, query="heartbeat=1&stack_timeout=2")
    yield network
    network.close()


@pytest.fixture
def transport(url: str) -> Iterator[MakeTransport]:
    made: list[RabbitTransport] = []

    def make(at: str = "", consumes: str | None = SHOP, **more: object) -> RabbitTransport:
        made.append(RabbitTransport(at or url, consumes=consumes, name="test", **more))  # type: ignore[arg-type]  # any option
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries at once, so that a test needs not wait for the back-off."""
    monkeypatch.setattr(transport_module, "pause", lambda *_, **__: 0.05)


def test_2000_messages_are_confirmed_in_one_go(transport: MakeTransport) -> None:
    shop = connected(transport(prefetch=2000))
    sent = outbound_messages(1000) + outbound_messages(1000, "risk.ReserveCredit.v1", first=1001)
    assert shop.publish(sent) == set(range(1, 2001))
    deliveries = take(shop, 1000)
    shop.acknowledge(deliveries)
    assert len({one.body for one in deliveries}) == 1000


def test_messages_are_persistent_json_with_their_number(transport: MakeTransport, url: str) -> None:
    assert connected(transport(consumes=None)).publish(outbound_messages(1, first=42)) == {42}
    with channel(url) as plain:
        _, properties, body = plain.basic_get(SHOP)
    assert (properties.delivery_mode, properties.content_type) == (2, "application/json")
    assert (properties.message_id, body) == ("42", b"[42]")


def test_S13_every_message_names_the_user_who_sent_it_and_its_delivery_says_so(
    transport: MakeTransport, url: str
) -> None:
    shop, user = connected(transport()), user_in(url)
    assert shop.publish(outbound_messages(2)) == {1, 2}
    assert [delivery.sender for delivery in take(shop, 2)] == [user, user]
    with channel(url) as plain:
        plain.basic_publish("clerk.commands", "shop.Odd.v1", b"[]")
    assert [delivery.sender for delivery in take(shop, 1)] == [None]


def test_many_threads_publish_over_one_transport(transport: MakeTransport) -> None:
    shop = connected(transport(consumes=None))
    confirmed: list[set[int]] = []

    def send(first: int) -> None:
        confirmed.append(shop.publish(outbound_messages(50, first=first)))

    senders = [Thread(target=send, args=(first,)) for first in range(0, 400, 50)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(20)
    assert set().union(*confirmed) == set(range(400))


def test_a_busy_worker_keeps_its_connection(transport: MakeTransport, network: TcpProxy) -> None:
    shop = connected(transport(network.url))
    until = monotonic() + 4  # four heartbeat intervals without a call of ours
    eventually(lambda: monotonic() > until, "time passes")
    assert shop.connections == 1
    assert shop.connected


def test_everything_is_declared_and_dead_letters_are_kept(transport: MakeTransport, url: str) -> None:
    connected(transport(consumes=None))
    with channel(url) as plain:
        for exchange in EXCHANGES:
            plain.exchange_declare(exchange, passive=True)
        for queue in QUEUES:
            plain.queue_declare(queue.name, passive=True)
        plain.basic_publish("clerk.commands", "shop.Bad.v1", b"bad")
        eventually(lambda: plain.basic_get(SHOP, auto_ack=False)[0] is not None, "the message is there")
        plain.basic_nack(delivery_tag=0, multiple=True, requeue=False)
    keeper = connected(transport(consumes=DEAD_LETTER_QUEUE))
    assert take(keeper, 1)[0].body == b"bad"


def test_a_cut_connection_comes_back_by_itself(transport: MakeTransport, network: TcpProxy) -> None:
    shop = connected(transport(network.url))
    network.cut()
    eventually(lambda: shop.connections == 2 and shop.connected, "connected again")
    assert shop.trouble is None
    assert shop.publish(outbound_messages(1)) == {1}
    assert len(take(shop, 1)) == 1


def test_after_a_cut_old_acknowledgements_are_void_and_the_messages_come_again(
    transport: MakeTransport, network: TcpProxy
) -> None:
    shop = connected(transport(network.url))
    shop.publish(outbound_messages(3))
    stale = take(shop, 3)
    network.cut()
    again = take(shop, 3)
    assert all(one.redelivered for one in again)
    shop.acknowledge(stale)
    assert shop.publish(outbound_messages(1, first=4)) == {4}
    assert take(shop, 1)[0].body == b"[4]"
    assert shop.connections == 2
    shop.close()
    other = connected(transport())
    assert sorted(one.body for one in take(other, 4)) == [b"[1]", b"[2]", b"[3]", b"[4]"]


def test_deliveries_that_nobody_took_before_the_cut_are_not_given_twice(
    transport: MakeTransport, network: TcpProxy
) -> None:
    shop = connected(transport(network.url))
    shop.publish(outbound_messages(5))
    eventually(lambda: len(shop._buffer._deliveries) == 5, "five deliveries are buffered")
    network.cut()
    eventually(lambda: shop.connections == 2, "connected again")
    assert len(take(shop, 5)) == 5
    assert shop.take(1, 0.1) == []


def test_a_broker_that_is_not_there_yet_is_waited_for(transport: MakeTransport, network: TcpProxy) -> None:
    network.refuse()
    shop = transport(network.url)
    shop.start()
    eventually(lambda: shop.trouble == "connection refused", f"refused; trouble: {shop.trouble}")
    assert shop.publish(outbound_messages(1)) == set()
    network.listen()
    eventually(lambda: shop.connected, "connected")
    assert shop.connections == 1
    assert shop.trouble is None


def test_in_a_black_hole_nothing_is_confirmed_and_the_limit_is_kept(
    transport: MakeTransport, network: TcpProxy
) -> None:
    shop = connected(transport(network.url))
    network.block()
    began = monotonic()
    assert shop.publish(outbound_messages(3), limit=0.5) == set()
    assert monotonic() - began < 5
    assert shop.trouble == "3 of 3 parcels unsent: 3 not confirmed in time"
    eventually(lambda: not shop.connected, "the black hole is noticed")
    assert "heartbeat" in (shop.trouble or "")
    network.cut()
    network.heal()
    eventually(lambda: shop.connected, f"connected again; trouble: {shop.trouble}")
    assert shop.publish(outbound_messages(3)) == {1, 2, 3}


def test_a_publish_that_waits_ends_with_the_connection(transport: MakeTransport, network: TcpProxy) -> None:
    shop = connected(transport(network.url))
    network.block()
    answers: list[set[int]] = []
    sender = Thread(target=lambda: answers.append(shop.publish(outbound_messages(1), limit=60)))
    sender.start()
    eventually(lambda: shop._connection is not None and shop._connection._confirms._open, "the message is on its way")
    network.cut()
    network.heal()
    sender.join(10)
    assert answers == [set()]


@pytest.mark.usefixtures("impatient")
def test_B3_a_queue_with_other_arguments_is_one_clear_line_and_left_alone(transport: MakeTransport, url: str) -> None:
    with channel(url) as plain:
        plain.queue_declare(SHOP, durable=True)
        plain.basic_publish("", SHOP, b"precious")
    shop = transport()
    shop.start()
    eventually(lambda: SHOP in (shop.trouble or ""), "the trouble names the queue")
    assert "other arguments" in (shop.trouble or "")
    assert "\n" not in (shop.trouble or "")
    assert not shop.connected
    with channel(url) as plain:
        assert plain.basic_get(SHOP)[2] == b"precious"
        plain.queue_delete(SHOP)
    eventually(lambda: shop.connected, f"connected after the repair; trouble: {shop.trouble}")


@pytest.mark.usefixtures("impatient")
def test_a_deleted_queue_is_declared_and_consumed_again(transport: MakeTransport, url: str) -> None:
    shop = connected(transport())
    with channel(url) as plain:
        plain.queue_delete(SHOP)
    eventually(lambda: shop.connections == 2 and shop.connected, "connected again")
    assert shop.publish(outbound_messages(1)) == {1}
    assert len(take(shop, 1)) == 1


def test_who_declares_nothing_works_on_what_is_there(transport: MakeTransport) -> None:
    connected(transport(consumes=None))
    shop = connected(transport(declares=False))
    assert shop.publish(outbound_messages(1)) == {1}
    assert len(take(shop, 1)) == 1


@pytest.mark.usefixtures("impatient")
def test_who_declares_nothing_names_a_missing_queue_and_waits_for_it(transport: MakeTransport) -> None:
    shop = transport(declares=False)
    shop.start()
    eventually(lambda: "NOT_FOUND" in (shop.trouble or ""), "the missing queue is named")
    assert SHOP in (shop.trouble or "")
    connected(transport(consumes=None))
    eventually(lambda: shop.connected, f"connected; trouble: {shop.trouble}")


def test_a_wrong_password_is_one_clear_line_that_does_not_show_it(transport: MakeTransport, url: str) -> None:
    place = url.split("@")[1]
    shop = transport(f"amqp://guest:hush-hush@{place}")
    shop.start()
    eventually(lambda: "ACCESS_REFUSED" in (shop.trouble or ""), f"refused; trouble: {shop.trouble}")
    assert "hush" not in (shop.trouble or "")


def test_an_unknown_virtual_host_is_one_clear_line(transport: MakeTransport, url: str) -> None:
    shop = transport(url.rpartition("/")[0] + "/no-such-host")
    shop.start()
    eventually(lambda: "no-such-host" in (shop.trouble or ""), f"named; trouble: {shop.trouble}")


def test_closing_while_nobody_answers_ends_within_its_limit(transport: MakeTransport, network: TcpProxy) -> None:
    network.block()
    shop: Transport = transport(network.url)
    shop.start()
    began = monotonic()
    shop.close()
    assert monotonic() - began < 5
    assert not shop.connected


def test_a_blocking_broker_confirms_nothing_says_why_and_goes_on(transport: MakeTransport) -> None:
    shop = connected(transport())
    control("set_vm_memory_high_watermark", "0")
    try:
        assert shop.publish(outbound_messages(1), limit=2) == set()
        eventually(lambda: "broker blocked: " in (shop.trouble or ""), "the trouble says so")
        began = monotonic()
        assert shop.publish(outbound_messages(1, first=2), limit=2) == set()
        assert monotonic() - began < 5
    finally:
        control("set_vm_memory_high_watermark", "0.4")
    eventually(lambda: shop.publish(outbound_messages(1, first=3), limit=2) == {3}, "confirmed again")
    assert shop.trouble is None


def test_a_transport_that_met_a_full_queue_sends_again_once_its_limit_is_lifted(
    transport: MakeTransport, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RabbitMQ goes on refusing the channel that met it full, however empty the queue is meanwhile."""
    monkeypatch.setattr(transport_module, "REFUSED_LIMIT", 1.0)
    shop = connected(transport(consumes=None))
    with full(SHOP):
        eventually(lambda: len(shop.publish(outbound_messages(10), limit=2)) < 10, "the queue is full")
        assert "refused by the broker (queue full?)" in (shop.trouble or "")
        # Others take what is theirs meanwhile, and that does not hide the one that does not
        assert shop.publish(outbound_messages(1, "risk.ReserveCredit.v1", first=11), limit=2) == {11}
    with channel(url) as plain:
        plain.queue_purge(SHOP)
    eventually(lambda: shop.publish(outbound_messages(1, first=12), limit=2) == {12}, "sent again")
    assert shop.trouble is None
    assert shop.connections == 2


@contextmanager
def full(queue: str) -> Iterator[None]:
    """Inside the block the queue takes no more than three."""
    control("set_policy", "full", f"^{re.escape(queue)}$", '{"max-length": 3}', "--apply-to", "queues")
    try:
        yield
    finally:
        control("clear_policy", "full")


def control(*arguments: str) -> None:
    """`rabbitmqctl`, where the broker is one that the test servers started."""
    if "CLERK_TEST_SERVERS" not in os.environ:
        pytest.skip("the broker is not ours: rabbitmqctl is not available")
    command = [sys.executable, "-m", "scenario_tests.servers", "ctl", "--", *arguments]
    subprocess.run(command, check=True)  # which has its own limit
