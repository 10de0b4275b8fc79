"""What can go wrong where, and the two kinds of plans: drawn by a seed, or written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulation.chance import Chance

FAULTS: Mapping[str, Sequence[str]] = {
    # in a participant
    "begin": ("crash",),
    "write": ("intrude",),  # ShopManager is about to write Clerks: another instance gets in between
    "undo": ("crash",),  # an undo was worked off, and is not committed
    "commit": ("crash",),
    "committed": ("crash",),  # the commit succeeded, and nobody heard of it
    "publish": ("crash", "half", "unsent", "unconfirmed", "cut"),
    "published": ("crash",),
    "acknowledge": ("crash", "cut"),
    "acknowledged": ("crash",),
    "submit": ("crash",),
    "submitted": ("crash",),
    "answered": ("crash",),  # the act is committed, and the client never hears so
    "round": ("pause",),
    # outside
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
"""How likely each is at each of its occasions, in a seed that has it at all."""
MORE_LIKELY: Mapping[str, float] = {"undo": 6.0}
"""Ports that are passed so seldom that their faults would hardly ever be drawn: how much more likely they are there."""
MOST_CRASHES = 4
"""A message around which a process dies five times is parked as a killer: an innocent one should not get there."""
MOST_FAULTS = 25


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    occasion: str
    kind: str


@dataclass
class Drawn:
    """A seed's own mix: some kinds of faults, each at its own rate, until there were enough.

    `injected`: what it did.
    """

    chance: Chance
    rates: Mapping[str, float]
    injected: list[Fault] = field(default_factory=list)
    _crashes: int = 0

    def __post_init__(self) -> None:
        self._possible = {
            port: [(kind, self.rates[kind] * MORE_LIKELY.get(port, 1)) for kind in kinds if kind in self.rates]
            for port, kinds in FAULTS.items()
        }

    def at(self, port: str, occasion: str) -> str | None:
        possible = self._possible[port]
        if not possible or len(self.injected) >= MOST_FAULTS:
            return None
        point = self.chance.of(occasion)
        for kind, rate in possible:
            if point < rate:
                return self._inject(port, occasion, kind)
            point -= rate
        return None

    def _inject(self, port: str, occasion: str, kind: str) -> str | None:
        ends = kind in ("crash", "half")
        if ends and (self._crashes == MOST_CRASHES or (port not in MORE_LIKELY and self._too_early(occasion))):
            return None
        self._crashes += ends
        self.injected.append(Fault(occasion, kind))
        return kind

    def _too_early(self, occasion: str) -> bool:
        """Seeds differ in when their crashes begin: else all would be used up before anything interesting happens."""
        return int(occasion.rsplit(".", 1)[1]) < self.chance.pick("crashes begin", (0, 0, 5, 10, 20, 40))


@dataclass
class Written:
    """Exactly these faults."""

    faults: Sequence[Fault]
    injected: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._kinds = {fault.occasion: fault.kind for fault in self.faults}

    def at(self, port: str, occasion: str) -> str | None:
        kind = self._kinds.get(occasion)
        if kind is not None:
            self.injected.append(Fault(occasion, kind))
        return kind


def draw_rates(chance: Chance) -> dict[str, float]:
    """A mix: one seed in ten has no faults at all, the others have about every second kind."""
    if chance.of("calm") < 0.1:
        return {}
    share = 0.25 + chance.of("share") / 2
    return {
        kind: rate * (0.3 + 1.4 * chance.of(f"rate/{kind}"))
        for kind, rate in RATES.items()
        if chance.of(f"has/{kind}") < share
    }
