"""The messages between the participants, as tests see them: recorded, and doubled, held back or changed on the way.

Pure of any broker: `memory_hand.py` and `broker_hand.py` ask `Traffic.pass_on` what shall become of each delivery.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from threading import Condition
from typing import Any, Literal

from messaging.broker import COMMANDS_EXCHANGE

LIMIT = 20.0
"""Seconds after which a state that should have come never will."""
Kind = Literal["command", "answer"]
Message = dict[str, Any]
Change = Callable[[Message], Message]


@dataclass(frozen=True, slots=True)
class Freight:
    """One delivery on its way: a packed list of messages for one routing key."""

    exchange: str
    routing_key: str
    body: bytes

    @property
    def kind(self) -> Kind:
        return "command" if self.exchange == COMMANDS_EXCHANGE else "answer"

    @property
    def name(self) -> str:
        """`risk.ReserveCredit.v1` → `ReserveCredit`; the answer to it has the same name."""
        return self.routing_key.split(".")[1]

    @property
    def messages(self) -> list[Message]:
        """None, where the body is no list of messages."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return []
        return [message for message in content if isinstance(message, dict)] if isinstance(content, list) else []


@dataclass(frozen=True, slots=True)
class Which:
    """Whose way is meant: commands or answers (None: both) of one name (None: all)."""

    kind: Kind | None = None
    name: str | None = None

    def fits(self, freight: Freight) -> bool:
        return self.kind in (None, freight.kind) and self.name in (None, freight.name)


@dataclass(eq=False)
class Held:
    """What is held back, until it is let go."""

    which: Which
    traffic: Traffic
    freights: list[Freight] = field(default_factory=list)

    def until_there(self, clerk: str) -> None:
        """Wait until a message of this Clerk is held: from then on the fault is at work."""
        self.traffic.wait(
            lambda: any(message.get("clerk") == clerk for freight in self.freights for message in freight.messages),
            f"{self.which} of {clerk} is held back",
        )

    def let_go(self) -> None:
        """Everything held goes its way now, and nothing more is held."""
        self.traffic.release(self)

    def let_go_shuffled(self, chance: Random) -> None:
        """Everything held goes its way now, in an order by chance, and nothing more is held."""
        self.traffic.release(self, chance.shuffle)

    def loses_everything(self) -> None:
        """Everything held so far is gone for good, and nothing more is held."""
        self.traffic.release(self, list.clear)


class Traffic:
    """Every delivery goes through `pass_on`. Faults are entered as contexts and may be nested.

    `forward` really sends; it must be callable from any thread.
    """

    def __init__(self, forward: Callable[[Freight], None]) -> None:
        self._forward = forward
        self._changed = Condition()
        self._multiplied: list[tuple[Which, int]] = []
        self._copied: list[list[Freight]] = []
        self._held: list[Held] = []
        self._rewritten: list[tuple[Which, Change]] = []
        self._seen: deque[tuple[Kind, Message]] = deque(maxlen=5_000)

    def pass_on(self, freight: Freight) -> list[Freight]:
        """What goes on in place of this delivery, now."""
        with self._changed:
            self._seen.extend((freight.kind, message) for message in freight.messages)
            self._changed.notify_all()
            for held in self._held:
                if held.which.fits(freight):
                    held.freights.append(freight)
                    return []
            for which, change in self._rewritten:
                if which.fits(freight):
                    changed = [change(message) for message in freight.messages]
                    freight = Freight(freight.exchange, freight.routing_key, json.dumps(changed).encode())
            for copies in self._copied:
                copies.append(freight)
            times = max((times for which, times in self._multiplied if which.fits(freight)), default=1)
        return [freight] * times

    @contextmanager
    def doubling(self, which: Which, times: int = 2) -> Iterator[None]:
        """Each goes twice, or so many times."""
        with self._changed:
            self._multiplied.append((which, times))
        try:
            yield
        finally:
            with self._changed:
                self._multiplied.remove((which, times))

    @contextmanager
    def copying(self) -> Iterator[list[Freight]]:
        """What goes by is copied into the list that is given."""
        copies: list[Freight] = []
        with self._changed:
            self._copied.append(copies)
        try:
            yield copies
        finally:
            with self._changed:
                self._copied = [each for each in self._copied if each is not copies]

    @contextmanager
    def holding(self, which: Which) -> Iterator[Held]:
        """Each is kept back until it is let go, at the end of the block at the latest."""
        held = Held(which, self)
        with self._changed:
            self._held.append(held)
        try:
            yield held
        finally:
            self.release(held)

    @contextmanager
    def rewriting(self, which: Which, change: Change) -> Iterator[None]:
        """Each message is changed on the way."""
        with self._changed:
            self._rewritten.append((which, change))
        try:
            yield
        finally:
            with self._changed:
                self._rewritten.remove((which, change))

    def release(self, held: Held, change: Callable[[list[Freight]], None] = lambda _freights: None) -> None:
        """What it held goes its way, after `change` was made to the list of it."""
        with self._changed:
            if held in self._held:
                self._held.remove(held)
            freights, held.freights = held.freights, []
        change(freights)
        for freight in freights:
            self._forward(freight)

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
