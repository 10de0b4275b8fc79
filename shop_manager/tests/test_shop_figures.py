"""The shop's figures for the monitoring: they agree with the pages, only grow where they count, and name no code."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import delete, event, update

from domain.times import days, minutes
from messaging.parked import ParkedMessage, park
from shop_manager.engine.tables import clerks, operations_schema, technical
from shop_manager.operations.shop_figures import ShopFigures
from shop_manager.operations.tallies import count_lately
from shop_manager.operations.totals import add_up, opens_and_ends_ever
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_api import stuck_one

Counted = dict[tuple[str, str], int]


def figures(harness: HttpHarness) -> dict[str, dict[tuple[str, ...], float]]:
    """Of each sample's name the values by label values."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    registry = CollectorRegistry()
    registry.register(ShopFigures(harness.database, harness.manager.processes, ["shopping"]))
    for metric in registry.collect():
        for sample in metric.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def counted(harness: HttpHarness) -> Counted:
    while not count_lately(harness.database):
        pass
    with harness.database.read() as tx:
        return dict(opens_and_ends_ever(tx))


def test_what_is_stuck_and_the_money_are_those_of_the_home_page(harness: HttpHarness) -> None:
    stuck_one(harness)
    summary: Any = harness.call("GET", "/ops/summary", "op_night").json()
    [cause] = summary["stuck"]["causes"]
    found = figures(harness)
    labels = (cause["kind"], cause["process"], cause["step"])
    assert found["clerk_stuck_clerks"] == {labels: cause["count"]}
    money = {(cause["kind"], currency): float(each) for currency, each in cause["money_at_risk"].items()}
    assert found["clerk_money_at_risk_minor_units"] == money
    assert found["clerk_stuck_oldest_age_seconds"] == {(cause["kind"],): cause["oldest_seconds"]}
    assert sum(found["clerk_live_clerks"].values()) == sum(
        summary["counts"][status] for status in ("open", "processing", "requires_action", "canceling")
    )


def test_a_code_that_a_service_makes_up_is_no_label(harness: HttpHarness) -> None:
    ids = [stuck_one(harness) for _ in range(3)]
    with harness.database.begin() as tx:
        for number, clerk in enumerate(ids):
            tx.execute(update(clerks).where(clerks.c.id == clerk).values(stuck_code=f"made up {number}"))
    assert list(figures(harness)["clerk_stuck_clerks"].values()) == [3]


def test_parked_messages_are_counted_by_who_has_parked_them_and_strangers_are_one(harness: HttpHarness) -> None:
    with harness.database.begin() as tx:
        for number, service in enumerate(("risk", "risk", "eve", "mallory")):
            park(tx, technical.parked, [ParkedMessage(service, "q", "bad", None, b"[]", known_as=f"prk_{number}")], 1)
    found = figures(harness)["clerk_parked_messages"]
    assert found[("risk",)] == 2 and found[("other",)] == 2 and found[("shop",)] == 0


def test_opens_and_ends_only_grow_also_when_the_tallies_are_forgotten_and_two_count(harness: HttpHarness) -> None:
    harness.brings_all()
    harness.goes_on_to_the_end()
    first = counted(harness)
    assert first == {("standard/1", "opened"): 1, ("standard/1", "completed"): 1}
    harness.now += minutes(90)
    harness.brings_all()
    second = {**first, ("standard/1", "opened"): 2}
    assert counted(harness) == second
    with harness.database.begin() as tx:
        add_up(tx, harness.now - minutes(2))  # as another ShopManager does at the same moment
    assert counted(harness) == second
    harness.now += days(9)
    assert counted(harness) == second
    with harness.database.begin() as tx:
        tx.execute(delete(operations_schema.tallies))
    with harness.database.read() as tx:
        assert dict(opens_and_ends_ever(tx)) == second, "they are in the sums, each once"


def test_no_figure_walks_through_the_ended_clerks(harness: HttpHarness) -> None:
    sent: list[tuple[str, Any]] = []

    def keep(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        sent.append((statement, parameters))

    event.listen(harness.database.engine, "before_cursor_execute", keep)
    figures(harness)
    event.remove(harness.database.engine, "before_cursor_execute", keep)
    with harness.database.read() as tx:
        plans = [
            step[-1]
            for statement, parameters in sent
            if statement.startswith("SELECT")
            for step in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    walks = [plan for plan in plans if plan.startswith("SCAN clerks")]
    assert any("clerks" in plan for plan in plans)
    assert [plan for plan in walks if "USING INDEX clerks_stuck" not in plan] == []
