"""The messages between the participants, as tests see them: recorded, and doubled, held back or changed on their way.

It knows no broker: `memory_driver.py` and `rabbit_driver.py` ask `Traffic.pass_on` what to do with each delivery.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from threading import Condition
from typing import Any, Literal

from messaging.broker import COMMANDS_DESTINATION

LIMIT = 20.0
"""Seconds after which a state that should have come never will."""
Kind = Literal["command", "answer"]
Message = dict[str, Any]
Change = Callable[[Message], Message]


@dataclass(frozen=True, slots=True)
class InTransit:
    """One delivery between participants: a packed list of messages for one topic, from one user of the broker."""

    destination: str
    topic: str
    body: bytes
    sender: str | None

    @property
    def kind(self) -> Kind:
        return "command" if self.destination == COMMANDS_DESTINATION else "answer"

    @property
    def name(self) -> str:
        """`risk.ReserveCredit.v1` → `ReserveCredit`; the answer to it has the same name."""
        return self.topic.split(".")[1]

    @property
    def messages(self) -> list[Message]:
        """Empty where the body is no list of messages."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return []
        return [message for message in content if isinstance(message, dict)] if isinstance(content, list) else []


@dataclass(frozen=True, slots=True)
class Selector:
    """Selects deliveries: commands or answers (None: both) of one name (None: all)."""

    kind: Kind | None = None
    name: str | None = None

    def matches(self, delivery: InTransit) -> bool:
        return self.kind in (None, delivery.kind) and self.name in (None, delivery.name)


@dataclass(eq=False)
class HeldBack:
    """The deliveries that are held back, until they are let go."""

    which: Selector
    traffic: Traffic
    deliveries: list[InTransit] = field(default_factory=list)

    def until_there(self, clerk: str) -> None:
        """Wait until a message of this Clerk is held: from then on the fault is at work."""
        self.traffic.wait(
            lambda: any(message.get("clerk") == clerk for delivery in self.deliveries for message in delivery.messages),
            f"{self.which} of {clerk} is held back",
        )

    def let_go(self) -> None:
        """Everything held is delivered now, and nothing more is held."""
        self.traffic.release(self)

    def let_go_shuffled(self, chance: Random) -> None:
        """Everything held is delivered now, in a random order, and nothing more is held."""
        self.traffic.release(self, chance.shuffle)

    def loses_everything(self) -> None:
        """Everything held so far is lost for good, and nothing more is held."""
        self.traffic.release(self, list.clear)


class Traffic:
    """Every delivery goes through `pass_on`. Faults are context managers and may be nested.

    `forward` really sends; it must be callable from any thread.
    """

    def __init__(self, forward: Callable[[InTransit], None]) -> None:
        self._forward = forward
        self._changed = Condition()
        self._multiplied: list[tuple[Selector, int]] = []
        self._copied: list[list[InTransit]] = []
        self._held: list[HeldBack] = []
        self._rewritten: list[tuple[Selector, Change]] = []
        self._seen: deque[tuple[Kind, Message]] = deque(maxlen=5_000)

    def pass_on(self, delivery: InTransit) -> list[InTransit]:
        """What goes on in place of this delivery, now."""
        with self._changed:
            self._seen.extend((delivery.kind, message) for message in delivery.messages)
            self._changed.notify_all()
            for held in self._held:
                if held.which.matches(delivery):
                    held.deliveries.append(delivery)
                    return []
            for which, change in self._rewritten:
                if which.matches(delivery):
                    changed = [change(message) for message in delivery.messages]
                    delivery = replace(delivery, body=json.dumps(changed).encode())
            for copies in self._copied:
                copies.append(delivery)
            times = max((times for which, times in self._multiplied if which.matches(delivery)), default=1)
        return [delivery] * times

    @contextmanager
    def doubling(self, which: Selector, times: int = 2) -> Iterator[None]:
        """Each goes twice, or so many times."""
        with self._changed:
            self._multiplied.append((which, times))
        try:
            yield
        finally:
            with self._changed:
                self._multiplied.remove((which, times))

    @contextmanager
    def copying(self) -> Iterator[list[InTransit]]:
        """What goes by is copied into the list that is given."""
        copies: list[InTransit] = []
        with self._changed:
            self._copied.append(copies)
        try:
            yield copies
        finally:
            with self._changed:
                self._copied = [each for each in self._copied if each is not copies]

    @contextmanager
    def holding(self, which: Selector) -> Iterator[HeldBack]:
        """Each is kept back until it is let go, at the end of the block at the latest."""
        held = HeldBack(which, self)
        with self._changed:
            self._held.append(held)
        try:
            yield held
        finally:
            self.release(held)

    @contextmanager
    def rewriting(self, which: Selector, change: Change) -> Iterator[None]:
        """Each message is changed on the way."""
        with self._changed:
            self._rewritten.append((which, change))
        try:
            yield
        finally:
            with self._changed:
                self._rewritten.remove((which, change))

    def release(self, held: HeldBack, change: Callable[[list[InTransit]], None] = lambda _deliveries: None) -> None:
        """What it held is delivered, after `change` was made to the list of it."""
        with self._changed:
            if held in self._held:
                self._held.remove(held)
            deliveries, held.deliveries = held.deliveries, []
        change(deliveries)
        for delivery in deliveries:
            self._forward(delivery)

    def seen(self, kind: Kind, name: str, clerk: str) -> list[Message]:
        """The messages of this name and Clerk that went by, as they came, in order."""
        with self._changed:
            return [
                message
                for seen_kind, message in self._seen
                if seen_kind == kind and message.get("name") == name and message.get("clerk") == clerk
            ]

    def wait(self, state: Callable[[], bool], what: str, limit: float = LIMIT) -> None:
        """Wait until `state` holds; it is looked at with every message that goes by."""
        with self._changed:
            if not self._changed.wait_for(state, limit):
                raise AssertionError(f"waited {limit} s in vain: {what}")

    def wait_seen(self, kind: Kind, name: str, clerk: str, times: int = 1) -> list[Message]:
        """Wait until as many of them went by; returns them."""
        self.wait(lambda: len(self.seen(kind, name, clerk)) >= times, f"{times} × {kind} {name} of {clerk} went by")
        return self.seen(kind, name, clerk)
