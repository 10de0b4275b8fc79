"""The oracle: says at the end of a run which invariants do not hold.

It runs `verifier.check` over the databases, and checks what only the simulation can know: that nothing is under way,
that every order has ended, how much stock there was in the beginning, which messages were bad, and what people were
told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from domain.messages import SHOP_MANAGER
from shop_manager.saga.state import ENDED
from simulation.bad_messages import parked_id
from simulation.run_context import RunContext
from verifier.checking import check
from verifier.quiescence import still_under_way


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant that does not hold."""

    invariant: str
    clerk: str | None
    what: str


def find_violations(context: RunContext) -> list[Finding]:
    """All findings in a fixed order: those of the databases first, because they say most."""
    _count_rare(context)
    return [*_databases(context), *_scenario(context)]


def _count_rare(context: RunContext) -> None:
    """Count the rare events that show in the databases."""
    [(late,)] = context.stores.peek(SHOP_MANAGER, "SELECT count(*) FROM ignored WHERE reason LIKE 'late%'")
    [(parked,)] = context.stores.peek(SHOP_MANAGER, "SELECT count(*) FROM parked")
    [(reports,)] = context.stores.peek(SHOP_MANAGER, "SELECT count(*) FROM history WHERE what = 'reported'")
    [(overtaken,)] = context.stores.peek(SHOP_MANAGER, "SELECT count(*) FROM ignored WHERE outcome = 'report'")
    context.monitor.rare["report"] += reports
    context.monitor.rare["overtaken report"] += overtaken
    context.monitor.rare["late reply"] += late
    context.monitor.rare["parked message"] += parked


def _databases(context: RunContext) -> Iterator[Finding]:
    expected = {parked_id(bad) for bad in context.scenario.bad}
    for violation in check(context.stores.plain, context.clock.now, expected_parked=expected, patience=0):
        yield Finding(violation.invariant, violation.clerk, f"expected {violation.expected}; found {violation.found}")


def _scenario(context: RunContext) -> Iterator[Finding]:
    under_way = still_under_way(context.stores.plain, context.clock.now)
    if under_way:
        yield Finding("quiet", None, under_way)
    for clerk, status, stuck in context.stores.peek(
        SHOP_MANAGER, "SELECT id, status, stuck_kind FROM clerks ORDER BY id"
    ):
        if status not in ENDED:
            yield Finding("I1", clerk, f"everybody has done his part, and the Clerk is {status}, stuck: {stuck}")
    yield from _stock(context)
    yield from _confirmations(context)


def _stock(context: RunContext) -> Iterator[Finding]:
    """I4: the pieces of each article are as many as in the beginning."""
    rows = context.stores.peek("fulfillment", "SELECT sku, on_hand + reserved + shipped FROM stock ORDER BY sku")
    for sku, pieces in rows:
        if pieces != context.scenario.stock[sku]:
            yield Finding("I4", None, f"{context.scenario.stock[sku]} pieces of {sku} in the beginning, {pieces} now")


EVIDENCE: Mapping[str, tuple[str, str, str]] = {
    "opened": (SHOP_MANAGER, "SELECT 1 FROM clerks WHERE id = ?", "a session that was opened is not there"),
    "shipped": (
        "fulfillment",
        "SELECT 1 FROM shipments WHERE status = 'shipped' AND session = ?",
        "the warehouse was told that it has shipped, and it has not",
    ),
    "paid": (
        "payment",
        "SELECT 1 FROM payment_trail WHERE what != 'closed' AND session = ?",
        "the customer was told that the payment is {}, and nothing was paid",
    ),
    "ordered": (
        "shop",
        "SELECT 1 FROM turns WHERE state IN ('done', 'undone') AND clerk = ?",
        "the customer was told that the order is placed, and it was not",
    ),
    "operated": (
        SHOP_MANAGER,
        "SELECT 1 FROM history WHERE json_extract(data, '$.by') = 'operator:olga' AND clerk = ?",
        "an operator was told that he has acted, and the history knows nothing of it",
    ),
}
"""By what people were told: (service, query for the row of this Clerk that proves it, finding when there is none)."""


def _confirmations(context: RunContext) -> Iterator[Finding]:
    """I13: what people were told with a 2xx is true."""
    opened: dict[int, str] = {}
    for what, clerk, detail in context.confirmed:
        service, query, finding = EVIDENCE[what]
        if what == "opened" and opened.setdefault(detail, clerk) != clerk:
            yield Finding("I13", clerk, f"the same Idempotency-Key had opened {opened[detail]} before")
        elif not context.stores.peek(service, query, clerk):
            yield Finding("I13", clerk, finding.format(detail))
