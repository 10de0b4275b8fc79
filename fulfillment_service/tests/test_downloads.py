"""Orders of shops that sell both: what is on the shelf is reserved and shipped, downloads are there once it is paid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.messages import Command
from fulfillment_service.store import read_shipments
from fulfillment_service.tests.commands import (
    ShippingHarness,
    allocates,
    asks_to_ship,
    releases,
    replies_to,
    statuses,
    stock_now,
)
from fulfillment_service.warehouse import sled_label
from messaging.database import Database

ALBUM = {"BARK-ALBUM": 1}
BOTH = {"SQUEAKY-BONE": 2, **ALBUM}


def knowing_kinds(command: Command) -> Command:
    """The command with the kind of each line in its document."""
    lines: list[dict[str, Any]] = command.document["order"]["items"]
    told = [{**line, "kind": "digital" if line["sku"] in ALBUM else "physical"} for line in lines]
    return replace(command, document={**command.document, "order": {"status": "placed", "items": told}})


def allocated(database: Database, ordered: dict[str, int]) -> str:
    (reply,) = replies_to(database, knowing_kinds(allocates("clk_1", ordered)))
    assert reply.outcome == "done"
    return str(reply.document["shipment"]["status"])


def shipped_items(database: Database) -> dict[str, int]:
    with database.read() as tx:
        return {item.sku: item.quantity for item in read_shipments(tx, ["clk_1"])["clk_1"].items}


def test_only_what_is_on_the_shelf_is_reserved_and_shipped(database: Database) -> None:
    assert allocated(database, BOTH) == "allocated"
    assert stock_now(database)["SQUEAKY-BONE"] == (8, 2, 0)
    replies_to(database, asks_to_ship("clk_1"))
    ShippingHarness(database).shipping.ship({"clk_1": sled_label("clk_1")})
    assert stock_now(database)["SQUEAKY-BONE"] == (8, 0, 2)
    assert shipped_items(database) == {"SQUEAKY-BONE": 2}
    assert "BARK-ALBUM" not in stock_now(database)


def test_downloads_only_reserve_nothing_and_are_delivered_at_once(database: Database) -> None:
    before = stock_now(database)
    assert allocated(database, ALBUM) == "allocated"
    (reply, again) = (replies_to(database, asks_to_ship("clk_1"))[0] for _ in range(2))
    assert (reply.outcome, reply.document["shipment"]) == (
        "done",
        {"status": "delivered", "carrier": None, "tracking": None},
    )
    assert again.document["shipment"] == reply.document["shipment"]
    assert (stock_now(database), shipped_items(database)) == (before, ALBUM)


@pytest.mark.parametrize("ordered", [ALBUM, BOTH])
def test_an_undo_gives_back_what_was_reserved(database: Database, ordered: dict[str, int]) -> None:
    before = stock_now(database)
    allocated(database, ordered)
    (reply,) = replies_to(database, releases("clk_1"))
    assert (reply.outcome, reply.document["shipment"]["status"]) == ("undone", "released")
    assert (stock_now(database), statuses(database, ["clk_1"])) == (before, {"clk_1": "released"})


def test_a_line_that_does_not_say_what_it_is_is_on_the_shelf(database: Database) -> None:
    (reply,) = replies_to(database, allocates("clk_1", ALBUM))
    assert reply.refusal is not None and reply.refusal.code == "out_of_stock"
