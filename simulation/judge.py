"""Judges a quiet shop: `verifier.check` over its databases, and what only the stage can know.

That is: that nothing is under way, that everybody's order has come to its end, what the shelves held in the beginning,
which messages were bad, and what people were told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.messages import SHOP_MANAGER
from simulation.bad_messages import parked_id
from simulation.operators import NAME
from simulation.setting import ENDED
from verifier.checking import check
from verifier.quiet import quiet

if TYPE_CHECKING:
    from simulation.world import World


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant that does not hold."""

    invariant: str
    clerk: str | None
    what: str


def judge(world: World) -> list[Finding]:
    """Everything that is wrong, in a fixed order: broken databases first, because they say most."""
    _count_rare(world)
    return [*_databases(world), *_stage(world)]


def _count_rare(world: World) -> None:
    """The rare things that leave a trace in the databases."""
    [(late,)] = world.stores.peek(SHOP_MANAGER, "SELECT count(*) FROM ignored WHERE reason LIKE 'late%'")
    [(parked,)] = world.stores.peek(SHOP_MANAGER, "SELECT count(*) FROM parked")
    world.watch.rare["late reply"] += late
    world.watch.rare["parked message"] += parked


def _databases(world: World) -> Iterator[Finding]:
    expected = {parked_id(bad) for bad in world.scenario.bad}
    for drift in check(world.stores.plain, world.clock.now, expected_parked=expected, patience=0):
        yield Finding(drift.invariant, drift.clerk, f"expected {drift.expected}; found {drift.found}")


def _stage(world: World) -> Iterator[Finding]:
    under_way = quiet(world.stores.plain, world.clock.now)
    if under_way:
        yield Finding("quiet", None, under_way)
    for clerk, status, stuck in world.stores.peek(
        SHOP_MANAGER, "SELECT id, status, stuck_kind FROM clerks ORDER BY id"
    ):
        if status not in ENDED:
            yield Finding("I1", clerk, f"everybody has done his part, and the Clerk is {status}, stuck: {stuck}")
    yield from _shelves(world)
    yield from _facts(world)


def _shelves(world: World) -> Iterator[Finding]:
    """I4: no piece has appeared or vanished since the beginning."""
    rows = world.stores.peek("fulfillment", "SELECT sku, on_hand + reserved + shipped FROM stock ORDER BY sku")
    for sku, pieces in rows:
        if pieces != world.scenario.stock[sku]:
            yield Finding("I4", None, f"{world.scenario.stock[sku]} pieces of {sku} in the beginning, {pieces} now")


def _facts(world: World) -> Iterator[Finding]:
    """I13: what was told with a 2xx is true."""
    opened: dict[int, str] = {}
    for what, clerk, detail in world.facts:
        if what == "opened" and opened.setdefault(detail, clerk) != clerk:
            yield Finding("I13", clerk, f"the same Idempotency-Key had opened {opened[detail]} before")
        elif what == "opened" and not _has(world, SHOP_MANAGER, "clerks", "id", clerk):
            yield Finding("I13", clerk, "a session that was opened is not there")
        elif what == "shipped" and not _has(world, "fulfillment", "shipments", "status = 'shipped' AND session", clerk):
            yield Finding("I13", clerk, "the warehouse was told that it has shipped, and it has not")
        elif what == "paid" and not _has(world, "payment", "payment_trail", "what != 'closed' AND session", clerk):
            yield Finding("I13", clerk, f"the customer was told that the payment is {detail}, and nothing was paid")
        elif what == "ordered" and not _has(world, "shop", "turns", "state IN ('done', 'undone') AND clerk", clerk):
            yield Finding("I13", clerk, "the customer was told that the order is placed, and it was not")
        elif what == "operated" and not _has(world, SHOP_MANAGER, "history", _BY_OPERATOR, clerk):
            yield Finding("I13", clerk, "an operator was told that he has acted, and the history knows nothing of it")


_BY_OPERATOR = "json_extract(data, '$.by') = 'operator:" + NAME + "' AND clerk"


def _has(world: World, service: str, table: str, column: str, value: str) -> bool:
    query = f"SELECT 1 FROM {table} WHERE {column} = ?"  # noqa: S608  our own words only
    return bool(world.stores.peek(service, query, value))
