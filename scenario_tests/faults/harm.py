"""A harm: one way to hurt the running shop, and the proof that it did hurt while there was work in flight.

The fault tests play each harm alone; the nemesis (`make chaos`) draws from the same ones. Faults are those of the
design's table; `ROWS` names its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from scenario_tests.faults.crowd import in_flight
from scenario_tests.faults.ground import Ground
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
    "flood": "a thousand sessions a second for ten seconds",
    "upgrade": "the version before and this one over live load; migration under load",
    "backup": "one service's database restored from an older backup",
    "stop": "SIGTERM; half-written settings; database not migrated; paused",
}
IN_FLIGHT_LIMIT = 20.0


@dataclass(eq=False)
class Blow:
    """One harm being done. `strikes` of a harm says `lands` at the moment the fault fires, with what proves it."""

    ground: Ground
    chance: Random
    evidence: list[str] = field(default_factory=list)
    hit: set[str] = field(default_factory=set)
    """The Clerks that waited for a service's answer when the fault fired."""

    def finds_work(self) -> None:
        """Wait until Clerks are in flight: a fault with nothing to hurt proves nothing."""
        until(lambda: bool(self.in_flight()), "orders are in flight", IN_FLIGHT_LIMIT)

    def lands(self, evidence: str) -> None:
        """The fault has fired. `evidence`: what was seen of it, in a few words with figures."""
        self.hit |= self.in_flight()
        self.evidence.append(evidence)

    def in_flight(self) -> set[str]:
        """The Clerks that wait for a service's answer now."""
        return in_flight(self.ground.stage.database("shop_manager"))


@dataclass(frozen=True)
class Harm:
    """`strikes` begins the fault, sees it fire, and ends it; what it leaves broken `Ground.mend` repairs."""

    row: str
    name: str
    strikes: Callable[[Blow], None]
    cost: float = USUAL_COST
    """Seconds that its test takes, all in all."""
    hurts: frozenset[str] = frozenset()
    """The services whose processes or roads it touches, if that is all it touches; empty: anything."""
    missing: Callable[[], str | None] = lambda: None
    """What this machine lacks for it, in a few words; None when nothing."""

    def __post_init__(self) -> None:
        if self.row not in ROWS:
            raise ValueError(f"harm {self.name!r}: row {self.row!r}: allowed are {', '.join(ROWS)}")
