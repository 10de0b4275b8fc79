"""The faulty transport over both brokers: what is kept back, lost, duplicated, and delivered again after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import orjson
import pytest

from clerk_cli.faults.switchboard import Fault, Switchboard
from clerk_cli.faults.transport import QUEUES, FaultyTransport, FaultyTransports
from messaging.broker import (
    COMMANDS_DESTINATION,
    DEAD_LETTER_QUEUE,
    REPLIES_DESTINATION,
    REPLIES_QUEUE,
    Delivery,
    OutboundMessage,
    commands_queue,
)
from messaging.memory import MemoryBroker
from messaging.tests.brokers import Broker, Rabbit, broker_url, connected, eventually, take, without_queues

LIMIT = 20.0
RISK = commands_queue("risk")


@pytest.fixture(params=["memory", pytest.param("rabbitmq", marks=pytest.mark.broker)])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "rabbitmq":
        return Rabbit(without_queues(broker_url()))
    return MemoryBroker()


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


@pytest.fixture
def transports(broker: Broker, board: Switchboard) -> Iterator[FaultyTransports]:
    """Those of ShopManager and risk, connected."""
    made = FaultyTransports(broker.transport, board)
    for queue in (REPLIES_QUEUE, RISK):
        connected(made.connect(queue, QUEUES[queue]))
    yield made
    for transport in made.of.values():
        transport.close()


@pytest.fixture
def manager(transports: FaultyTransports) -> FaultyTransport:
    return transports.of["shop_manager"]


@pytest.fixture
def risk(transports: FaultyTransports) -> FaultyTransport:
    return transports.of["risk"]


def command(*ids: int, step: str = "credit", name: str = "ReserveCredit", number: int = 1) -> OutboundMessage:
    messages = [{"kind": "command", "id": one, "step": step, "name": name} for one in ids]
    return OutboundMessage(number, COMMANDS_DESTINATION, f"risk.{name}.v1", orjson.dumps(messages))


def reply(*ids: int, step: str = "credit", name: str = "ReserveCredit", kind: str = "reply") -> OutboundMessage:
    messages = [{"kind": kind, "id": one, "step": step, "name": name} for one in ids]
    return OutboundMessage(1, REPLIES_DESTINATION, f"shop_manager.{name}.v1", orjson.dumps(messages))


def ids(transport: FaultyTransport, deliveries: int) -> list[list[int]]:
    """The ids in the next deliveries, each acknowledged."""
    taken = take(transport, deliveries)
    transport.acknowledge(taken)
    return [[message["id"] for message in orjson.loads(each.body)] for each in taken]


def comes_nothing(transport: FaultyTransport) -> bool:
    return transport.take(10, 0.05) == []


def test_without_faults_everything_goes_its_way(manager: FaultyTransport, risk: FaultyTransport) -> None:
    assert manager.publish([command(1), command(2, number=2)]) == {1, 2}
    assert ids(risk, 2) == [[1], [2]]
    assert risk.publish([reply(1)]) == {1}
    assert ids(manager, 1) == [[1]]
    assert (risk.connected, risk.trouble, risk.connections) == (True, None, 1)


def test_a_paused_service_takes_nothing_and_all_of_it_later(
    manager: FaultyTransport, risk: FaultyTransport, board: Switchboard
) -> None:
    board.put(Fault("risk", "pause"))
    assert manager.publish([command(1)]) == {1}
    assert comes_nothing(risk)
    assert (risk.connected, risk.trouble) == (False, "paused by a fault")
    board.resume("risk")
    assert ids(risk, 1) == [[1]]


def test_a_pause_is_over_by_itself_after_its_seconds(
    manager: FaultyTransport, risk: FaultyTransport, board: Switchboard
) -> None:
    board.put(Fault("risk", "pause", seconds=0.2))
    manager.publish([command(1)])
    assert ids(risk, 1) == [[1]]
    assert board.in_force() == []


def test_a_paused_step_waits_while_others_go_on(
    manager: FaultyTransport, risk: FaultyTransport, board: Switchboard
) -> None:
    board.put(Fault("risk", "pause", step="credit"))
    manager.publish([command(1), command(2, step="settle", name="SettleCredit", number=2)])
    assert ids(risk, 1) == [[2]]
    assert comes_nothing(risk)
    board.lift()
    assert ids(risk, 1) == [[1]]


def test_what_is_kept_back_is_not_acknowledged_and_comes_again_when_the_service_dies(
    manager: FaultyTransport, risk: FaultyTransport, board: Switchboard
) -> None:
    board.put(Fault("risk", "pause", step="credit"))
    manager.publish([command(1)])
    assert comes_nothing(risk)
    risk.drop_connection()
    eventually(lambda: risk.connected, "connected again")
    board.lift()
    [delivery] = take(risk, 1)
    risk.acknowledge([delivery])
    assert risk.connections == 2
    assert comes_nothing(risk)


def test_a_delayed_message_comes_later_and_holds_up_no_other(
    manager: FaultyTransport, risk: FaultyTransport, board: Switchboard
) -> None:
    board.put(Fault("risk", "delay", step="credit", seconds=0.5))
    before = board.clock()
    manager.publish([command(1), command(2, step="settle", name="SettleCredit", number=2)])
    assert ids(risk, 1) == [[2]]
    assert ids(risk, 1) == [[1]]
    assert board.clock() - before >= 0.5


def test_replies_that_are_dropped_count_as_sent_and_never_arrive(
    manager: FaultyTransport, risk: FaultyTransport, board: Switchboard
) -> None:
    board.put(Fault("risk", "drop_replies", step="credit", times=2))
    assert risk.publish([reply(1, 2, 3)]) == {1}
    assert ids(manager, 1) == [[3]]
    board.put(Fault("risk", "drop_replies"))
    assert risk.publish([reply(4)]) == {1}
    assert risk.publish([reply(5, kind="notice")]) == {1}
    assert ids(manager, 1) == [[5]]
    assert comes_nothing(manager)


def test_what_is_doubled_arrives_twice_whether_to_the_service_or_from_it(
    manager: FaultyTransport, risk: FaultyTransport, board: Switchboard
) -> None:
    board.put(Fault("risk", "duplicate", step="credit"))
    assert manager.publish([command(1), command(2, step="settle", name="SettleCredit", number=2)]) == {1, 2}
    assert sorted(ids(risk, 3)) == [[1], [1], [2]]
    risk.publish([reply(3)])
    assert ids(manager, 2) == [[3], [3]]
    assert comes_nothing(risk) and comes_nothing(manager)


def test_after_a_dropped_connection_what_was_unacknowledged_is_delivered_again(
    manager: FaultyTransport, risk: FaultyTransport
) -> None:
    manager.publish([command(1)])
    take(risk, 1)
    risk.drop_connection()
    [again] = take(risk, 1)
    assert again.redelivered
    assert risk.connections == 2


def test_a_transport_that_was_closed_stays_closed(risk: FaultyTransport) -> None:
    risk.close()
    risk.drop_connection()
    assert risk.closed and not risk.connected
    assert risk.publish([reply(1)]) == set()


@pytest.mark.parametrize("body", [b"", b"no JSON", b"{}", b'[{"step": 7}]', b"\xff\x00"])
def test_raw_bytes_arrive_as_they_are_past_all_faults_of_the_way_out(
    risk: FaultyTransport, board: Switchboard, body: bytes
) -> None:
    board.put(Fault("risk", "duplicate"))
    assert risk.publish_raw("risk", body, times=2)
    assert [each.body for each in take(risk, 2)] == [body, body]
    assert comes_nothing(risk)


def test_raw_bytes_for_shop_manager_arrive_among_its_replies(manager: FaultyTransport) -> None:
    assert manager.publish_raw("shop_manager", b"?", times=1)
    assert [each.body for each in take(manager, 1)] == [b"?"]


def test_the_queue_of_dead_letters_knows_no_faults(transports: FaultyTransports) -> None:
    transport = transports.connect(DEAD_LETTER_QUEUE, "graves")
    assert not isinstance(transport, FaultyTransport)
    transport.close()


def test_who_waits_at_a_pause_is_woken_by_its_end(
    manager: FaultyTransport, risk: FaultyTransport, board: Switchboard
) -> None:
    board.put(Fault("risk", "pause"))
    manager.publish([command(1)])
    taken: list[Delivery] = []
    taker = Thread(target=lambda: taken.extend(risk.take(1, LIMIT)))
    taker.start()
    before = board.clock()
    board.lift()
    taker.join(LIMIT)
    assert board.clock() - before < LIMIT / 2
    assert len(taken or take(risk, 1)) == 1
