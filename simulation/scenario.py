"""A scenario: orders and their customers, stock and credit limits, and which bad messages come; drawn by a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from simulation.faults import draw_rates
from simulation.seeded_random import SeededRandom

Warehouse = Literal["at_once", "auto", "by_hand"]
Habit = Literal["retries", "undoes", "notes"]
"""What an operator does about a Clerk that is stuck."""
BadKind = Literal["garbage", "shape", "raises", "killer", "unknown"]
PHYSICAL, DIGITAL, MIXED = "squeaky-toys", "squeaky-sounds", "squeaky-everything"
PRICES = {"BONE": 1295, "DUCK": 57, "BALL": 1606, "LEAFLET": 0}
"""Cents; some of them are no finite binary fractions of a euro, and one article costs nothing."""
DOWNLOADS = {"ALBUM": 999}


@dataclass(frozen=True, slots=True)
class SimulatedOrder:
    """One session and the customer behind it. Durations in ms.

    `brings`: the order and the card come with the session; else the customer acts when it is his turn, `thinks` later,
    and never at the step `leaves_at`. `calls_off_at`, `expires_at`: where he cancels, or the shop ends the session.
    """

    customer: str | None = None
    shop: str = PHYSICAL
    items: Mapping[str, int] = field(default_factory=lambda: {"BONE": 1})
    token: str = "tok_ok"  # noqa: S105  a name, not a secret
    brings: bool = True
    opens_after: int = 0
    thinks: int = 2_000
    leaves_at: str | None = None
    calls_off_at: str | None = None
    expires_at: str | None = None
    expires_in: int | None = None
    mutes: str | None = None
    """The step at which the service that was asked falls silent for longer than the step may take."""


@dataclass(frozen=True, slots=True)
class BadMessage:
    """A message that no participant has sent."""

    kind: BadKind
    service: str
    after: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """`stock`, `limits`: pieces and cents in the beginning. `rates`: of the kinds of faults (faults.py)."""

    name: str
    orders: Sequence[SimulatedOrder]
    managers: int = 1
    stock: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(PRICES, 50))
    limits: Mapping[str, int] = field(default_factory=dict)
    warehouse: Warehouse = "at_once"
    ships_after: int = 5_000
    bad: Sequence[BadMessage] = ()
    operator: Habit | None = None
    rates: Mapping[str, float] = field(default_factory=dict)


COUNTS = (1,) * 36 + (2,) * 14 + (3,) * 5 + (4, 5, 6, 7, 8)
"""Clerks in a scenario: mostly few, so that many scenarios can be run; now and then many."""
BEFORE_PIVOT = ("shopping", "credit", "payment", "stock", "capture", "shipping")
LEAVES = ("shopping", "payment", "shopping", "payment", "collect")
"""`collect` only once: an invoice that is never paid takes 14 days and as many resends as fifty other seeds."""
TOKENS = ("tok_ok",) * 8 + ("tok_declined", "tok_capture_refused")


def draw(seed: int) -> Scenario:
    """The scenario of a seed."""
    rng = SeededRandom(seed)
    orders = [_order(rng, number) for number in range(rng.pick("clerks", COUNTS))]
    scarce = rng.of("scarce") < 0.35
    most = 2 if scarce else 50
    return Scenario(
        name=f"seed {seed}",
        orders=orders,
        managers=rng.pick("managers", (1, 1, 1, 2, 2, 3)),
        stock={sku: rng.between(f"stock/{sku}", 1, most) for sku in PRICES},
        limits={name: rng.pick(f"limit/{name}", (100_000, 100_000, 4_000, 1_000)) for name in ("ada", "grace")},
        warehouse=rng.pick("warehouse", ("at_once", "auto", "by_hand", "by_hand")),
        ships_after=rng.pick("ships_after", (1_000, 1_000, 60_000, 60_000, 3_600_000, 180_000_000)),
        bad=_bad(rng),
        operator=rng.pick("operator", (None, "retries", "retries", "undoes", "notes")),
        rates=draw_rates(rng),
    )


def _order(rng: SeededRandom, number: int) -> SimulatedOrder:
    def name(what: str) -> str:
        return f"order/{number}/{what}"

    shop, items = _wanted(rng, name)
    at = rng.pick(name("interrupted at"), BEFORE_PIVOT)
    turn = rng.of(name("turn of events"))
    return SimulatedOrder(
        customer=rng.pick(name("customer"), (None, "ada", "ada", "grace")),
        shop=shop,
        items=items,
        token=rng.pick(name("token"), TOKENS),
        brings=rng.of(name("brings")) < 0.7,
        opens_after=rng.pick(name("opens"), (0, 0, 5, 50, 3_000)),
        thinks=rng.pick(name("thinks"), (10, 10, 500, 2_000, 20_000, 899_990)),
        leaves_at=rng.pick(name("leaves"), LEAVES) if turn < 0.12 else None,
        calls_off_at=at if 0.12 <= turn < 0.32 else None,
        expires_at=at if 0.32 <= turn < 0.40 else None,
        expires_in=rng.pick(name("minutes"), (1, 5, 60)) if 0.40 <= turn < 0.48 else None,
        mutes=at if 0.48 <= turn < 0.55 else None,
    )


def _wanted(rng: SeededRandom, name: Callable[[str], str]) -> tuple[str, dict[str, int]]:
    """Where, and what: one shop in seven sells both, and there every second order has an album, some nothing else."""
    if rng.of(name("digital")) < 0.2:
        return DIGITAL, {"ALBUM": 1}
    items = _items(rng, name("items"))
    if rng.of(name("mixed")) >= 0.15:
        return PHYSICAL, items
    return MIXED, rng.pick(name("album"), (items, {**items, "ALBUM": 2}, {"ALBUM": 1}))


def _items(rng: SeededRandom, name: str) -> dict[str, int]:
    if rng.of(f"{name}/odd") < 0.06:
        return {"NOTHING-LIKE-IT": 1} if rng.of(f"{name}/which") < 0.5 else {"BONE": 1000}
    chosen = {sku: rng.between(f"{name}/{sku}", 0, 2) for sku in PRICES}
    return {sku: quantity for sku, quantity in chosen.items() if quantity} or {"BONE": 1}


def _bad(rng: SeededRandom) -> list[BadMessage]:
    if rng.of("bad") >= 0.12:
        return []
    kinds: Sequence[BadKind] = ("garbage", "shape", "raises", "killer", "unknown")
    kind = rng.pick("bad/kind", kinds)
    services = ("shop_manager",) if kind == "unknown" else ("shop", "risk", "payment", "fulfillment")
    return [BadMessage(kind, rng.pick("bad/service", services), rng.between("bad/after", 0, 100))]
