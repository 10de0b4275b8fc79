"""A `Transport` that makes faults happen between a participant and its broker: only for `clerk up --faults`.

It keeps deliveries back (pause, delay), loses and duplicates messages (drop_replies, duplicate), and can drop its
connection as if its process had died (crash). What it keeps back is not acknowledged: a crash loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import Any

import orjson

from clerk_cli.brokers import Connect
from clerk_cli.faults.switchboard import MessageTraits, Switchboard
from domain.document import SERVICES
from domain.messages import SHOP_MANAGER
from messaging.broker import (
    COMMANDS_DESTINATION,
    REPLIES_DESTINATION,
    REPLIES_QUEUE,
    Delivery,
    OutboundMessage,
    Transport,
    commands_queue,
)
from messaging.envelope import decode
from messaging.fields import DecodeError

QUEUES = {REPLIES_QUEUE: SHOP_MANAGER} | {commands_queue(service): service for service in SERVICES}
RAW_LIMIT = 5.0
"""Seconds to wait for the broker's confirms of raw bytes."""


@dataclass(eq=False, slots=True)
class HeldDelivery:
    """A delivery that was not passed on yet. `due`: not before this moment; `connection`: the one it came through."""

    delivery: Delivery
    traits: Sequence[MessageTraits]
    due: float
    connection: int


class FaultyTransport:
    """A `Transport` (messaging/broker.py) of one service; `make` makes the real one, again after a crash.

    One thread takes, as from every transport; the other methods may be called from any thread.
    """

    def __init__(self, service: str, make: Callable[[], Transport], board: Switchboard) -> None:
        self.service = service
        self.closed = False
        self._make = make
        self._board = board
        self._inner = make()
        self._earlier_connections = 0
        self._kept_back: list[HeldDelivery] = []
        self._changed = Event()
        self._swapping = Lock()
        board.on_change.append(self.wake)

    @property
    def connected(self) -> bool:
        """False while the service is paused: it is not ready, and ShopManager's deadlines wait (semantics T5)."""
        return self._inner.connected and not self._board.paused(self.service)

    @property
    def trouble(self) -> str | None:
        return "paused by a fault" if self._board.paused(self.service) else self._inner.trouble

    @property
    def connections(self) -> int:
        return self._earlier_connections + self._inner.connections

    def start(self) -> None:
        self._inner.start()

    def wake(self) -> None:
        self._changed.set()
        self._inner.wake()

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self._inner.acknowledge(deliveries)

    def close(self) -> None:
        with self._swapping:
            self.closed = True
            self._inner.close()
        self._changed.set()

    def drop_connection(self) -> None:
        """What the broker sees when a process dies: unacknowledged deliveries go back, and a new connection is made.

        Nobody may call `take` meanwhile.
        """
        with self._swapping:
            if self.closed:
                return
            self._inner.close()
            self._earlier_connections += self._inner.connections
            self._kept_back.clear()
            self._inner = self._make()
            self._inner.start()

    # --- what arrives ----------------------------------------------------------------------------------------------

    def take(self, most: int, wait: float) -> list[Delivery]:
        if self._board.paused(self.service):
            self._changed.wait(wait)
        self._changed.clear()
        if self._board.paused(self.service):
            return []
        self._forget_redelivered()
        ready = self._ready(most)
        if len(ready) < most:
            before = self.connections
            arrived = self._inner.take(most - len(ready), 0.0 if ready else self._wait_at_most(wait))
            self._keep_back(arrived, before)
            ready += self._ready(most - len(ready))
        return ready

    def _forget_redelivered(self) -> None:
        """After a reconnect the broker delivers again what was kept back: forget it here."""
        self._kept_back = [each for each in self._kept_back if each.connection == self.connections]

    def _keep_back(self, deliveries: Sequence[Delivery], connection: int) -> None:
        """Keep all that arrives, if only for a moment: `_ready` alone decides what is passed on.

        After a reconnect in the middle nobody knows through which connection they came. They are counted as the new
        one's: at worst they are handled twice, and never lost.
        """
        now, after = self._board.clock(), self.connections
        for delivery in deliveries:
            traits = all_traits_in(delivery.body)
            delays = (self._board.use(self.service, "delay", each) for each in traits)
            late = next((fault.seconds for fault in delays if fault and fault.seconds), 0.0)
            self._kept_back.append(HeldDelivery(delivery, traits, now + late, max(connection, after)))

    def _ready(self, most: int) -> list[Delivery]:
        now = self._board.clock()
        ready = [each for each in self._kept_back if each.due <= now and not self._is_paused(each)][:most]
        self._kept_back = [each for each in self._kept_back if each not in ready]
        return [each.delivery for each in ready]

    def _is_paused(self, kept: HeldDelivery) -> bool:
        return any(self._board.holds(self.service, each) for each in kept.traits)

    def _wait_at_most(self, wait: float) -> float:
        """`wait`, but no longer than until the next kept delivery is due."""
        now = self._board.clock()
        return min([wait, *(each.due - now for each in self._kept_back if each.due > now)])

    # --- what goes out ---------------------------------------------------------------------------------------------

    def publish(self, outbound: Sequence[OutboundMessage], limit: float = 10.0) -> set[int]:
        """A reply that a fault drops counts as confirmed: its sender believes that it was sent."""
        if not self._inner.connected:
            return self._inner.publish(outbound, limit)
        kept = [(outgoing.number, self._without_lost(outgoing)) for outgoing in outbound]
        going = [outgoing for _, outgoing in kept if outgoing is not None]
        confirmed = self._inner.publish(going, limit) if going else set()
        copies = [copy for outgoing in going if outgoing.number in confirmed and (copy := self._copy(outgoing))]
        if copies:
            self._inner.publish(copies, limit)
        return confirmed | {number for number, outgoing in kept if outgoing is None}

    def publish_raw(self, to: str, body: bytes, times: int) -> bool:
        """Send these bytes to a service's queue, `times` times; False when the broker does not confirm all."""
        exchange = REPLIES_DESTINATION if to == SHOP_MANAGER else COMMANDS_DESTINATION
        outbound = [OutboundMessage(-number, exchange, f"{to}.Raw.v1", body) for number in range(1, times + 1)]
        return len(self._inner.publish(outbound, RAW_LIMIT)) == times

    def _without_lost(self, outgoing: OutboundMessage) -> OutboundMessage | None:
        """The outbound message without the replies that a fault drops; None when no reply is left."""
        if outgoing.destination != REPLIES_DESTINATION:
            return outgoing
        messages = messages_in(outgoing.body)
        left = [message for message in messages if not self._is_lost(message)]
        if len(left) == len(messages):
            return outgoing
        return replace(outgoing, body=orjson.dumps(left)) if left else None

    def _is_lost(self, message: Any) -> bool:
        is_reply = isinstance(message, dict) and message.get("kind") == "reply"
        return is_reply and self._board.use(self.service, "drop_replies", traits_of(message)) is not None

    def _copy(self, outgoing: OutboundMessage) -> OutboundMessage | None:
        """A copy with the messages that a fault of sender or receiver duplicates; None when there are none."""
        services = {self.service, outgoing.topic.split(".", 1)[0]}
        again = [message for message in messages_in(outgoing.body) if self._is_doubled(message, services)]
        return replace(outgoing, body=orjson.dumps(again)) if again else None

    def _is_doubled(self, message: Any, services: set[str]) -> bool:
        traits = traits_of(message)
        return any(self._board.use(service, "duplicate", traits) for service in sorted(services))


class FaultyTransports:
    """Makes the transports of `clerk up --faults`; `of` has them by service, `connect` is a `Connect` (brokers.py)."""

    def __init__(self, connect: Connect, board: Switchboard) -> None:
        self._connect = connect
        self.board = board
        self.of: dict[str, FaultyTransport] = {}

    def connect(self, queue: str | None, service: str) -> Transport:
        """A faulty transport; the dead-letter queue gets a real one, for it belongs to no service."""
        if queue not in QUEUES:
            return self._connect(queue, service)
        self.of[service] = FaultyTransport(service, lambda: self._connect(queue, service), self.board)
        return self.of[service]

    def send_raw(self, service: str, body: bytes, times: int, sender: str | None = None) -> bool:
        """Put these bytes on the service's queue so often; False when the broker does not confirm all.

        `sender` is the service as which it is done. Unless it is named, bytes that are no message come from somebody
        who may send there, and a whole message from somebody who may not (S13).
        """
        sender = sender or (service if is_message(body, service) else _a_speaker_to(service))
        return self.of[sender].publish_raw(service, body, times)


def is_message(body: bytes, reader: str) -> bool:
    """Is there any message among these bytes that the reader, ShopManager or a service, can read?"""
    for content in messages_in(body):
        with suppress(DecodeError):
            decode(content, reader)
            return True
    return False


def _a_speaker_to(service: str) -> str:
    return SERVICES[0] if service == SHOP_MANAGER else SHOP_MANAGER


def messages_in(body: bytes) -> list[Any]:
    """The messages of a delivery; none when it cannot be read."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    return content if isinstance(content, list) else []


def traits_of(message: Any) -> MessageTraits:
    if not isinstance(message, dict):
        return MessageTraits()
    step, name, clerk = (_text(message.get(field)) for field in ("step", "name", "clerk"))
    attempt = message.get("attempt")
    return MessageTraits(step, name, clerk, attempt if type(attempt) is int else None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def all_traits_in(body: bytes) -> list[MessageTraits]:
    """The traits of all its messages; one without any for a body that cannot be read."""
    return [traits_of(message) for message in messages_in(body)] or [MessageTraits()]
