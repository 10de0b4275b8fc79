"""The switchboard of `clerk up --faults`: which faults are in force, and whether one of them meets a message.

It does nothing itself: what a fault does is in `transport.py` (messages on their way) and `worker.py` (at the service).
docs/faults.md describes the faults for users.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Literal, NamedTuple

FaultKind = Literal["pause", "drop_replies", "duplicate", "delay", "refuse", "fail_undo", "unsupported", "crash"]
PROCESS = "process"
"""The `name` of a crash that ends the whole process; no command is called so."""
REMEMBERED = 60.0
"""Seconds for which a fault that is used up still gives the same answer to a message that it has met."""


class MessageTraits(NamedTuple):
    """What of a message a fault can be narrowed to; all None for a notice, and for what cannot be read."""

    step: str | None = None
    name: str | None = None
    clerk: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at `service`: with every message, or only with those of a step, command, Clerk or attempt.

    `times`: how often, None without limit. `seconds`: how long it is in force, None until it is lifted; of a `delay`:
    how much later messages arrive.
    """

    service: str
    kind: FaultKind
    step: str | None = None
    name: str | None = None
    times: int | None = None
    seconds: float | None = None
    clerk: str | None = None
    attempt: int | None = None

    @property
    def key(self) -> tuple[str, str, MessageTraits]:
        """Of two faults with the same key the later one replaces the earlier."""
        return (self.service, self.kind, MessageTraits(self.step, self.name, self.clerk, self.attempt))

    @property
    def lasts(self) -> float:
        """Seconds in force."""
        return float("inf") if self.seconds is None or self.kind == "delay" else self.seconds

    def meets(self, traits: MessageTraits) -> bool:
        """Does the fault concern a message with these traits?"""
        names = self.name in (None, PROCESS, traits.name) and self.step in (None, traits.step)
        return names and self.clerk in (None, traits.clerk) and self.attempt in (None, traits.attempt)


@dataclass
class ActiveFault:
    """A fault in force, until a moment on the switchboard's clock. `left`: how often it still acts; `met`: how often it
    did. `messages`: ids of those that it has met and must meet again if they come again.
    """

    number: int
    fault: Fault
    until: float
    left: int | None
    met: int = 0
    messages: set[str] = field(default_factory=set)

    def use(self, message: str | None) -> bool:
        """Act once more, if any times are left; False if not. For a message met before it acts without using one up."""
        if message is not None and message in self.messages:
            return True
        if self.left == 0:
            return False
        self.met += 1
        if self.left is not None:
            self.left -= 1
        if message is not None and self.left is not None:
            self.messages.add(message)
        return True


class Switchboard:
    """May be asked from any thread. A change is in force when the method that makes it returns.

    `clock` gives seconds. Functions in `on_change` are called after each change, to wake up who waits for one.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.clock = clock
        self.on_change: list[Callable[[], None]] = []
        self._lock = Lock()
        self._all: list[ActiveFault] = []
        self._count = 0

    def put(self, fault: Fault) -> ActiveFault:
        """Put this fault in force, in place of an earlier one with the same key."""
        with self._lock:
            self._count += 1
            added = ActiveFault(self._count, fault, self.clock() + fault.lasts, fault.times)
            self._all = [each for each in self._all if each.fault.key != fault.key] + [added]
        self._tell()
        return added

    def resume(self, service: str, step: str | None = None, name: str | None = None) -> None:
        """Lift the service's pauses: all, or those of a step or a command."""

        def lifted(fault: Fault) -> bool:
            pause = fault.service == service and fault.kind == "pause"
            return pause and step in (None, fault.step) and name in (None, fault.name)

        with self._lock:
            self._all = [each for each in self._all if not lifted(each.fault)]
        self._tell()

    def lift(self) -> None:
        """Lift all faults."""
        with self._lock:
            self._all = []
        self._tell()

    def in_force(self) -> list[ActiveFault]:
        """The faults that may still act, in the order in which they were put in force."""
        with self._lock:
            return [each for each in self._current() if each.left != 0]

    def paused(self, service: str) -> bool:
        """Is the whole service paused?"""
        with self._lock:
            return any(each.fault.key == (service, "pause", MessageTraits()) for each in self._current())

    def holds(self, service: str, traits: MessageTraits) -> bool:
        """Does a pause keep back a message with these traits?"""
        with self._lock:
            return any(
                each.fault.kind == "pause" and each.fault.service == service and each.fault.meets(traits)
                for each in self._current()
            )

    def use(self, service: str, kind: FaultKind, traits: MessageTraits, message: str | None = None) -> Fault | None:
        """The fault that meets this message, which is thereby used once; None when there is none.

        With the id of a `message` the answer for it stays the same: a batch that is handled again goes the same way.
        """
        with self._lock:
            for each in self._current():
                fault = each.fault
                if fault.service == service and fault.kind == kind and fault.meets(traits) and each.use(message):
                    if each.left == 0:
                        each.until = min(each.until, self.clock() + REMEMBERED)
                    return fault
        return None

    def _current(self) -> list[ActiveFault]:
        now = self.clock()
        self._all = [each for each in self._all if each.until > now]
        return self._all

    def _tell(self) -> None:
        for changed in self.on_change:
            changed()
