"""How fulfillment is put together: which warehouse ships, and what is in stock at first."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from sqlalchemy import delete

from fulfillment_service.main import build
from fulfillment_service.seed_data import fill
from fulfillment_service.settings import FulfillmentSettings
from fulfillment_service.store import stock
from fulfillment_service.tests.commands import allocates, asks_to_ship, replies_to, statuses, stock_now
from messaging.database import Database
from messaging.memory import MemoryBroker
from messaging.tests.databases import Clock


def test_a_warehouse_is_manual_unless_the_environment_says_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FulfillmentSettings().warehouse == "manual"
    monkeypatch.setenv("CLERK_FULFILLMENT_WAREHOUSE", "auto")
    monkeypatch.setenv("CLERK_FULFILLMENT_AUTO_AFTER", "2.5")
    settings = FulfillmentSettings()
    assert (settings.warehouse, settings.auto_after, settings.ships_at_once) == ("auto", 2.5, False)


def test_a_warehouse_of_another_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="CLERK_FULFILLMENT_WAREHOUSE"):
        FulfillmentSettings.model_validate({"CLERK_FULFILLMENT_WAREHOUSE": "drones"})


@pytest.mark.parametrize(("warehouse", "becomes"), [("auto", "shipped"), ("manual", "requested")])
def test_only_the_automatic_warehouse_ships_by_itself_on_a_tick(
    database: Database, clock: Clock, warehouse: str, becomes: str
) -> None:
    settings = FulfillmentSettings.model_validate({"warehouse": warehouse})
    participant, _ = build(settings, database, MemoryBroker().transport("fulfillment.commands.v1", "fulfillment"))
    replies_to(database, allocates("clk_1", {"SQUEAKY-BONE": 1}))
    replies_to(database, asks_to_ship("clk_1"))
    clock.now += 1_000
    for tick in participant.ticks:
        tick()
    assert statuses(database, ["clk_1"]) == {"clk_1": becomes}


def test_the_demo_stock_fills_an_empty_warehouse_only(database: Database) -> None:
    before = stock_now(database)
    with database.begin() as tx:
        fill(tx)
    assert stock_now(database) == before
    with database.begin() as tx:
        tx.execute(delete(stock))
        fill(tx)
    assert stock_now(database)["SQUEAKY-BONE"] == (1_000, 0, 0)
    assert stock_now(database)["SILENT-BALL"] == (100, 0, 0)
