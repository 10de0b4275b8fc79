"""The oracle finds what only the simulation can know: an order that did not end, lost stock, untrue answers (I13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from simulation.database_hooks import NoHooks
from simulation.faults import WrittenFaults
from simulation.oracle import EVIDENCE, find_violations
from simulation.patches import patched
from simulation.run_context import RunContext
from simulation.scenario import Scenario, SimulatedOrder
from simulation.scenario_setup import fill_stores
from simulation.stores import Stores
from simulation.trace import Trace
from simulation.world import World

Damage = Callable[[RunContext], object]
NOBODY = "clk_0000000000000000000000"


def update(service: str, statement: str) -> Damage:
    return lambda context: context.stores.peek(service, statement)


def untrue(what: str) -> Damage:
    return lambda context: context.confirm(what, NOBODY, "captured")


DAMAGES: dict[str, tuple[str, str, Damage]] = {
    "a piece vanished": (
        "I4",
        "pieces of BONE in the beginning",
        update("fulfillment", "UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'BONE'"),
    ),
    "not ended": ("I1", "and the Clerk is running", update("shop_manager", "UPDATE clerks SET status = 'running'")),
    "the same key opened two Clerks": (
        "I13",
        "the same Idempotency-Key",
        lambda context: context.confirm("opened", NOBODY, 0),
    ),
    **{
        f"{what} is not true": ("I13", sentence.format("captured"), untrue(what))
        for what, (_, _, sentence) in EVIDENCE.items()
    },
}


@pytest.fixture
def finished() -> Iterator[RunContext]:
    """A run that is over, of an order that people acted in at every step."""
    stores = Stores()
    scenario = Scenario("by hand", [SimulatedOrder(brings=False)], warehouse="by_hand")
    fill_stores(stores, scenario)
    with patched(stores.clock.monotonic, bytes):
        context = RunContext(scenario, 1, WrittenFaults([]), stores, Trace())
        World(context).run_until_quiet()
        stores.hooks = NoHooks()
        yield context
    stores.close()


def test_nothing_is_found_after_a_run_without_faults(finished: RunContext) -> None:
    assert find_violations(finished) == []
    assert {what for what, *_ in finished.confirmed} == {"opened", "ordered", "paid", "shipped"}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_is_found_by_its_invariant(name: str, finished: RunContext) -> None:
    invariant, words, damage = DAMAGES[name]
    damage(finished)
    found = [finding for finding in find_violations(finished) if finding.invariant == invariant]
    assert any(words in finding.what for finding in found), found
