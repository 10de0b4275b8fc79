"""A fault: one thing that goes wrong in the running shop, and the proof that it did so while work was in flight.

The fault tests inject each one alone; the nemesis (`make chaos`) draws from the same ones. `ROWS` names the kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from scenario_tests.faults.environment import Environment
from scenario_tests.faults.load_generator import in_flight
from scenario_tests.faults.selection import USUAL_COST
from scenario_tests.waiting import until

ROWS = {
    "killed": "killed at each point, each service; inside undo; on every start for a while",
    "broker lost": "commit's answer lost; connection cut before confirm; broker restarted, killed, stopped, wiped",
    "broker alarm": "broker memory or disk alarm",
    "broker refuses": "unroutable, queue full, deleted or other; permission or password changed",
    "consumer": "consumer cancelled by the broker, consumer time-out",
    "database": "database restarted, a connection killed, slow, locked, deadlock, disk full",
    "partition": "partition of any link, black hole, one way",
    "messages": "everything doubled, late, reordered; one lost",
    "deadline": "late reply after a deadline; reply and deadline at once on two managers",
    "provider": "provider takes the money and loses the answer; answers twice; declines late; refund fails",
    "clock": "clock an hour on, an hour back, skewed between nodes",
    "managers": "two and five ShopManagers, rolling kills",
    "bad messages": "bad messages: parked once, the queue moves on",
    "flood": "as many sessions as the clients can open, for ten seconds",
    "upgrade": "the version before and this one over live load; migration under load",
    "backup": "one service's database restored from an older backup",
    "stop": "SIGTERM; half-written settings; database not migrated; paused",
}
IN_FLIGHT_LIMIT = 20.0


@dataclass(eq=False)
class Injection:
    """One fault being injected. The fault's function calls `fired` at the moment when it fires, with what proves it."""

    environment: Environment
    chance: Random
    evidence: list[str] = field(default_factory=list)
    hit: set[str] = field(default_factory=set)
    """The Clerks that waited for a service's answer when the fault fired."""

    def waits_for_work(self) -> None:
        """Wait until Clerks are in flight: a fault without work in flight proves nothing."""
        until(lambda: bool(self.in_flight()), "orders are in flight", IN_FLIGHT_LIMIT)

    def fired(self, evidence: str) -> None:
        """The fault has fired. `evidence`: what was seen of it, in a few words with figures."""
        self.hit |= self.in_flight()
        self.evidence.append(evidence)

    def in_flight(self) -> set[str]:
        """The Clerks that wait for a service's answer now."""
        return in_flight(self.environment.harness.database("shop_manager"))


@dataclass(frozen=True)
class Fault:
    """`inject` begins the fault, sees it fire, and ends it; what it leaves broken `Environment.mend` repairs."""

    row: str
    name: str
    inject: Callable[[Injection], None]
    cost: float = USUAL_COST
    """Seconds that its test takes, all in all."""
    affects: frozenset[str] = frozenset()
    """The services whose processes or connections it touches, if that is all it touches; empty: anything."""
    missing: Callable[[], str | None] = lambda: None
    """What this machine lacks for it, in a few words; None when nothing."""

    def __post_init__(self) -> None:
        if self.row not in ROWS:
            raise ValueError(f"fault {self.name!r}: row {self.row!r}: allowed are {', '.join(ROWS)}")
