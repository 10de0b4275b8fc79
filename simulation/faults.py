"""What can go wrong at which injection point, and the two kinds of fault plans: drawn by a seed, or written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulation.seeded_random import SeededRandom

FAULTS: Mapping[str, Sequence[str]] = {
    # inside a participant
    "begin": ("crash",),
    "write": ("intrude",),  # ShopManager is about to write Clerks: another instance writes them first
    "undo": ("crash",),  # an undo was handled, and is not committed
    "commit": ("crash",),
    "committed": ("crash",),  # the commit succeeded, and its answer is lost
    "publish": ("crash", "half", "unsent", "unconfirmed", "cut"),
    "published": ("crash",),
    "acknowledge": ("crash", "cut"),
    "acknowledged": ("crash",),
    "submit": ("crash",),
    "submitted": ("crash",),
    "answered": ("crash",),  # the act is committed, and the client gets no answer
    "round": ("pause",),
    # outside of the participants
    "message": ("double", "lose", "late", "hour_late", "foreign_edit"),
    "provider": ("deaf", "mute", "twice", "slow", "by_notice"),
}
RATES: Mapping[str, float] = {
    "crash": 0.03,
    "intrude": 0.3,
    "half": 0.05,
    "unsent": 0.06,
    "unconfirmed": 0.1,
    "cut": 0.04,
    "pause": 0.03,
    "double": 0.2,
    "lose": 0.08,
    "late": 0.1,
    "hour_late": 0.04,
    "foreign_edit": 0.05,
    "deaf": 0.2,
    "mute": 0.25,
    "twice": 0.3,
    "slow": 0.3,
    "by_notice": 0.2,
}
"""By fault: its probability each time that a point where it can happen is passed, in seeds whose mix has it."""
MORE_LIKELY: Mapping[str, float] = {"undo": 6.0}
"""Points that are passed so seldom that their faults would hardly ever be drawn: the factor on their rates there."""
MAX_CRASHES = 4
"""A message at which a process dies five times is parked as poison; fewer crashes, so that no good message is."""
MAX_FAULTS = 25


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong: where and when (`participant.point.number`), and what."""

    occasion: str
    kind: str


@dataclass
class DrawnFaults:
    """A seed's own mix: some kinds of faults, each at its own rate, until there were enough.

    `injected`: those that were drawn so far.
    """

    rng: SeededRandom
    rates: Mapping[str, float]
    injected: list[Fault] = field(default_factory=list)
    _crashes: int = 0

    def __post_init__(self) -> None:
        self._possible = {
            point: [(kind, self.rates[kind] * MORE_LIKELY.get(point, 1)) for kind in kinds if kind in self.rates]
            for point, kinds in FAULTS.items()
        }

    def at(self, point: str, occasion: str) -> str | None:
        possible = self._possible[point]
        if not possible or len(self.injected) >= MAX_FAULTS:
            return None
        drawn = self.rng.of(occasion)
        for kind, rate in possible:
            if drawn < rate:
                return self._inject(point, occasion, kind)
            drawn -= rate
        return None

    def _inject(self, point: str, occasion: str, kind: str) -> str | None:
        ends = kind in ("crash", "half")
        if ends and (self._crashes == MAX_CRASHES or (point not in MORE_LIKELY and self._too_early(occasion))):
            return None
        self._crashes += ends
        self.injected.append(Fault(occasion, kind))
        return kind

    def _too_early(self, occasion: str) -> bool:
        """Seeds differ in when their crashes begin: else all would be used up before anything interesting happens."""
        return int(occasion.rsplit(".", 1)[1]) < self.rng.pick("crashes begin", (0, 0, 5, 10, 20, 40))


@dataclass
class WrittenFaults:
    """Exactly these faults. `injected`: those whose occasion has come."""

    faults: Sequence[Fault]
    injected: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._kinds = {fault.occasion: fault.kind for fault in self.faults}

    def at(self, point: str, occasion: str) -> str | None:
        kind = self._kinds.get(occasion)
        if kind is not None:
            self.injected.append(Fault(occasion, kind))
        return kind


def draw_rates(rng: SeededRandom) -> dict[str, float]:
    """A mix: one seed in ten has no faults at all, the others have about every second kind."""
    if rng.of("calm") < 0.1:
        return {}
    share = 0.25 + rng.of("share") / 2
    return {
        kind: rate * (0.3 + 1.4 * rng.of(f"rate/{kind}"))
        for kind, rate in RATES.items()
        if rng.of(f"has/{kind}") < share
    }
