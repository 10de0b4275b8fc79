"""A `Link` with a hand on it, between a participant and its broker: only for `clerk up --faults`.

It keeps deliveries back (pause, delay), loses and doubles messages (drop_replies, duplicate), and can be broken off
as by the death of its process (crash). Whatever it keeps back is not acknowledged: a crash loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import Any

import orjson

from clerk_cli.assembly import Connect
from clerk_cli.faults import Sign, Switchboard
from domain.document import SERVICES
from domain.messages import SHOP_MANAGER
from messaging.broker import COMMANDS_EXCHANGE, REPLIES_EXCHANGE, REPLIES_QUEUE, Delivery, Link, Parcel, commands_queue

QUEUES = {REPLIES_QUEUE: SHOP_MANAGER} | {commands_queue(service): service for service in SERVICES}


@dataclass(eq=False, slots=True)
class KeptBack:
    """A delivery in our hands. `due`: not to be passed on before; `connection`: the one that it came through."""

    delivery: Delivery
    signs: Sequence[Sign]
    due: float
    connection: int


class FaultyLink:
    """A `Link` (messaging/broker.py) of one service. `make` gives a fresh link to the same broker and queue.

    One thread takes, as of every link; the other methods may be called from any thread.
    """

    def __init__(self, service: str, make: Callable[[], Link], board: Switchboard) -> None:
        self.service = service
        self.closed = False
        self._make = make
        self._board = board
        self._inner = make()
        self._earlier_connections = 0
        self._kept_back: list[KeptBack] = []
        self._changed = Event()
        self._swapping = Lock()
        board.on_change.append(self.wake)

    @property
    def connected(self) -> bool:
        """A paused service is as good as gone: it is not ready, and ShopManager's clock stands still (T5)."""
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

    def break_off(self) -> None:
        """As the broker sees a process die: what is unacknowledged goes back, and a new connection is made.

        Nobody may be taking meanwhile.
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
        self._drop_void()
        ready = self._ready(most)
        if len(ready) < most:
            before = self.connections
            arrived = self._inner.take(most - len(ready), 0.0 if ready else self._patience(wait))
            self._keep_back(arrived, before)
            ready += self._ready(most - len(ready))
        return ready

    def _drop_void(self) -> None:
        """After a reconnect the broker delivers again what we keep back."""
        self._kept_back = [each for each in self._kept_back if each.connection == self.connections]

    def _keep_back(self, deliveries: Sequence[Delivery], connection: int) -> None:
        """Everything that arrives, if only for a moment: whether it may go on is judged in one place.

        If the connection was a new one meanwhile, nobody knows through which they came: taken for the new one's they
        are worked off once too often at worst, and never forgotten.
        """
        now, after = self._board.clock(), self.connections
        for delivery in deliveries:
            signs = signs_of(delivery.body)
            delays = (self._board.use(self.service, "delay", sign) for sign in signs)
            late = next((fault.seconds for fault in delays if fault and fault.seconds), 0.0)
            self._kept_back.append(KeptBack(delivery, signs, now + late, max(connection, after)))

    def _ready(self, most: int) -> list[Delivery]:
        now = self._board.clock()
        ready = [each for each in self._kept_back if each.due <= now and not self._is_paused(each)][:most]
        self._kept_back = [each for each in self._kept_back if each not in ready]
        return [each.delivery for each in ready]

    def _is_paused(self, kept: KeptBack) -> bool:
        return any(self._board.holds(self.service, sign) for sign in kept.signs)

    def _patience(self, wait: float) -> float:
        """No longer than until the next one that is kept back is due."""
        now = self._board.clock()
        return min([wait, *(each.due - now for each in self._kept_back if each.due > now)])

    # --- what goes out ---------------------------------------------------------------------------------------------

    def publish(self, parcels: Sequence[Parcel], limit: float = 10.0) -> set[int]:
        """A reply that is to vanish counts as confirmed: for its sender it is out."""
        if not self._inner.connected:
            return self._inner.publish(parcels, limit)
        kept = [(parcel.number, self._without_lost(parcel)) for parcel in parcels]
        going = [parcel for _, parcel in kept if parcel is not None]
        confirmed = self._inner.publish(going, limit) if going else set()
        copies = [copy for parcel in going if parcel.number in confirmed and (copy := self._copy(parcel))]
        if copies:
            self._inner.publish(copies, limit)
        return confirmed | {number for number, parcel in kept if parcel is None}

    def publish_raw(self, body: bytes, times: int, limit: float = 5.0) -> bool:
        """Put these bytes on this service's own queue, so often; False when the broker does not confirm all of them."""
        exchange = REPLIES_EXCHANGE if self.service == SHOP_MANAGER else COMMANDS_EXCHANGE
        parcels = [Parcel(-number, exchange, f"{self.service}.Raw.v1", body) for number in range(1, times + 1)]
        return len(self._inner.publish(parcels, limit)) == times

    def _without_lost(self, parcel: Parcel) -> Parcel | None:
        """The parcel without the replies that are to vanish; None when nothing is left of it."""
        if parcel.exchange != REPLIES_EXCHANGE:
            return parcel
        messages = messages_in(parcel.body)
        left = [message for message in messages if not self._is_lost(message)]
        if len(left) == len(messages):
            return parcel
        return replace(parcel, body=orjson.dumps(left)) if left else None

    def _is_lost(self, message: Any) -> bool:
        is_reply = isinstance(message, dict) and message.get("kind") == "reply"
        return is_reply and self._board.use(self.service, "drop_replies", sign_of(message)) is not None

    def _copy(self, parcel: Parcel) -> Parcel | None:
        """A second parcel with the messages that are to arrive twice: those to, and those by, a service."""
        services = {self.service, parcel.routing_key.split(".", 1)[0]}
        again = [message for message in messages_in(parcel.body) if self._is_doubled(message, services)]
        return replace(parcel, body=orjson.dumps(again)) if again else None

    def _is_doubled(self, message: Any, services: set[str]) -> bool:
        sign = sign_of(message)
        return any(self._board.use(service, "duplicate", sign) for service in sorted(services))


class FaultyLinks:
    """Makes the links of `clerk up --faults`, one a service; `connect` is a `Connect` (assembly.py)."""

    def __init__(self, connect: Connect, board: Switchboard) -> None:
        self._connect = connect
        self.board = board
        self.of: dict[str, FaultyLink] = {}

    def connect(self, queue: str, name: str) -> Link:
        """The dead-letter queue's link stays as it is: it belongs to no step."""
        service = QUEUES.get(queue)
        if service is None:
            return self._connect(queue, name)
        self.of[service] = FaultyLink(service, lambda: self._connect(queue, name), self.board)
        return self.of[service]


def messages_in(body: bytes) -> list[Any]:
    """The messages of a delivery; none when it cannot be read."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    return content if isinstance(content, list) else []


def sign_of(message: Any) -> Sign:
    if not isinstance(message, dict):
        return Sign()
    step, name, clerk = (_text(message.get(field)) for field in ("step", "name", "clerk"))
    attempt = message.get("attempt")
    return Sign(step, name, clerk, attempt if type(attempt) is int else None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def signs_of(body: bytes) -> list[Sign]:
    """The signs of all its messages; of what cannot be read the blank one."""
    return [sign_of(message) for message in messages_in(body)] or [Sign()]
