"""The switchboard of `clerk up --faults`: which faults are in force, and whether one of them meets a message.

Pure rules and a lock: what a fault does is in faulty_link.py (on the way) and faults_worker.py (at the service).
For people it is described in docs/faults.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Literal, NamedTuple

Kind = Literal["pause", "drop_replies", "duplicate", "delay", "refuse", "fail_undo", "unsupported", "crash"]
PROCESS = "process"
"""The `name` of a crash that ends the whole process; no command is called so."""
REMEMBERED = 60.0
"""Seconds for which a fault that is used up still gives the same answer to a message that it has met."""


class Sign(NamedTuple):
    """What of a message a fault can be narrowed to. What cannot be read has nothing of it, and a notice neither."""

    step: str | None = None
    name: str | None = None
    clerk: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at `service`: with every message, or only with those of a step, command, Clerk or attempt.

    `times`: how often, None without end. `seconds`: how long it is in force, None until it is lifted; of a `delay`:
    how late messages come.
    """

    service: str
    kind: Kind
    step: str | None = None
    name: str | None = None
    times: int | None = None
    seconds: float | None = None
    clerk: str | None = None
    attempt: int | None = None

    @property
    def place(self) -> tuple[str, str, Sign]:
        """Two faults at the same place do not add up: the later one replaces the earlier."""
        return (self.service, self.kind, Sign(self.step, self.name, self.clerk, self.attempt))

    @property
    def lasts(self) -> float:
        """Seconds in force."""
        return float("inf") if self.seconds is None or self.kind == "delay" else self.seconds

    def meets(self, sign: Sign) -> bool:
        """Is a message with this sign meant?"""
        names = self.name in (None, PROCESS, sign.name) and self.step in (None, sign.step)
        return names and self.clerk in (None, sign.clerk) and self.attempt in (None, sign.attempt)


@dataclass
class InForce:
    """A fault at work until then, on the switchboard's clock. `left`: how often it still acts; `met`: how often it did.

    `messages` are those that it has met, where they have to meet it again.
    """

    number: int
    fault: Fault
    until: float
    left: int | None
    met: int = 0
    messages: set[str] = field(default_factory=set)

    def use(self, message: str | None) -> bool:
        """Act once, if there is something left; the same message meets the same fault again and costs nothing."""
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

    `clock` gives seconds. Whoever waits for something that a fault keeps back enters itself in `on_change`.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.clock = clock
        self.on_change: list[Callable[[], None]] = []
        self._lock = Lock()
        self._all: list[InForce] = []
        self._count = 0

    def put(self, fault: Fault) -> InForce:
        """From now on this fault is in force, in place of an earlier one at the same place."""
        with self._lock:
            self._count += 1
            added = InForce(self._count, fault, self.clock() + fault.lasts, fault.times)
            self._all = [each for each in self._all if each.fault.place != fault.place] + [added]
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
        """Nothing goes wrong any more."""
        with self._lock:
            self._all = []
        self._tell()

    def in_force(self) -> list[InForce]:
        """What would act on the next message, in the order in which it was put."""
        with self._lock:
            return [each for each in self._current() if each.left != 0]

    def paused(self, service: str) -> bool:
        """Does the service take nothing at all?"""
        with self._lock:
            return any(each.fault.place == (service, "pause", Sign()) for each in self._current())

    def holds(self, service: str, sign: Sign) -> bool:
        """Is a message kept back by a pause?"""
        with self._lock:
            return any(
                each.fault.kind == "pause" and each.fault.service == service and each.fault.meets(sign)
                for each in self._current()
            )

    def use(self, service: str, kind: Kind, sign: Sign, message: str | None = None) -> Fault | None:
        """The fault that meets this message, used once; None when all is well.

        With a `message` id the answer for it stays the same: a batch that has to be decided anew is decided alike.
        """
        with self._lock:
            for each in self._current():
                fault = each.fault
                if fault.service == service and fault.kind == kind and fault.meets(sign) and each.use(message):
                    if each.left == 0:
                        each.until = min(each.until, self.clock() + REMEMBERED)
                    return fault
        return None

    def _current(self) -> list[InForce]:
        now = self.clock()
        self._all = [each for each in self._all if each.until > now]
        return self._all

    def _tell(self) -> None:
        for changed in self.on_change:
            changed()
