"""Operators find what is stuck, and repair it safely: one of two wins, every act is written down for good (O1–O4)."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.times import hours, to_wire
from messaging.worker import TRIES
from scenario_tests.api_client import content_of
from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.shop import PRICE, Shop, StockLevel
from scenario_tests.waiting import until


def reads(shop: Shop, path: str) -> dict[str, Any]:
    found: dict[str, Any] = shop.api.get("shop_manager", f"/ops/{path}", shop.harness.keys.operator)
    return found


def posts(shop: Shop, path: str, **body: Any) -> dict[str, Any]:
    answer = shop.api.ask("POST", "shop_manager", f"/ops/{path}", shop.harness.keys.operator, body)
    found: dict[str, Any] = content_of(answer, 200, 201)
    return found


def overdue(shop: Shop, name: str) -> OrderUnderTest:
    clerk = shop.customer(name, token="tok_ok").orders({"SQUEAKY-BONE": 1}).is_at("shipping", "waiting")
    shop.lets_time_pass(clerk)
    return clerk.is_stuck("overdue")


def test_an_overdue_order_gets_more_time_and_of_two_operators_one_wins(shop: Shop) -> None:
    # Given an order that the warehouse has forgotten
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = overdue(shop, "ada")
    seen = clerk.for_operators()
    assert "Paid" in seen["headline"] and "the warehouse has been silent" in seen["headline"]
    # When two operators act on what both have seen
    until_then = to_wire(shop.harness.database("shop_manager").clock() + hours(24))
    assert clerk.is_helped("extend", seen["version"], until=until_then) is None
    assert clerk.is_helped("retry", seen["version"]) == (412, "version_conflict")
    # Then one of them has won, it is told no more, and both are in the audit, for good
    clerk.is_not_stuck()
    audit = reads(shop, f"audit?target=clerk:{clerk.id}")["data"]
    assert [(line["action"], line["outcome"]) for line in audit] == [("retry", "version_conflict"), ("extend", "done")]
    for change in ("UPDATE audit SET reason = ''", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="only grow"), shop.harness.database("shop_manager").begin() as tx:
            tx.execute(text(change))
    # And the order goes on
    clerk.gets_shipped().becomes("completed")


def test_a_step_settled_by_hand_lets_the_order_go_on(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = overdue(shop, "ada")
    assert clerk.is_helped("undo") == (409, "past_the_pivot")
    assert clerk.is_helped("settle", step="shipping", outcome="done", evidence="signed receipt 4711") is None
    clerk.becomes("completed")
    assert clerk.is_helped("note") is None
    assert clerk.is_helped("retry") == (409, "session_ended")


def test_a_parked_command_is_replayed_once_its_service_is_repaired(shop: Shop) -> None:
    # Given an undo whose command risk has parked
    shop.stocks("SQUEAKY-BONE", 5)
    with ExitStack() as until_replayed:
        with shop.table_is_broken("risk", "reservations"), shop.delivers_often("ReleaseCredit", TRIES):
            clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 2}).waits_for("pay").cancels()
            clerk.is_stuck("parked_message")
            held = until_replayed.enter_context(shop.holds_back("ReleaseCredit"))
        # When risk is repaired, and the message replayed before ShopManager has asked again by itself
        [parked] = [line for line in shop.parked() if line["clerk"] == clerk.id]
        replay = {"action": "replay", "reason": "risk is repaired"}
        assert posts(shop, f"parked/{parked['id']}/actions", **replay)["state"] == "replayed"
        held.until_there(clerk.id)
        asked = [line["data"] for line in clerk.timeline() if (line["what"], line["step"]) == ("asked", "credit")]
        assert [(each["direction"], each["attempt"]) for each in asked] == [("do", 1), ("undo", 1), ("undo", 2)]
        assert clerk.session()["status"] == "canceling"
    # Then the order is undone
    clerk.becomes("canceled", limit=60)
    assert shop.credit_of("ada").reserved == 0


def test_many_stuck_orders_are_asked_at_once_and_each_is_followed_to_its_outcome(shop: Shop) -> None:
    # Given orders that risk does not settle, for it says that it cannot
    shop.stocks("SQUEAKY-BONE", 5)
    with shop.answers_that_it_cannot("SettleCredit", "ledger_closed", "the ledger is closed until six"):
        clerks = [shop.customer(name, token="tok_ok").orders({"SQUEAKY-BONE": 1}) for name in ("ada", "bob", "eve")]
        for clerk in clerks:
            clerk.gets_shipped().has_been_told("do_failed", "settle")
            shop.lets_time_pass(clerk)
            clerk.is_stuck("overdue")
        since = [clerk.for_operators()["stuck"]["since"] for clerk in clerks]
        # When all are asked again while it still cannot, and one of them has changed meanwhile
        ids = [clerk.id for clerk in clerks]
        bulk = posts(shop, "bulk", action="retry", ids=ids, reason="is the ledger open?")
        assert (bulk["count"], bulk["money"], bulk["status"]) == (3, {"EUR": 3 * PRICE}, "preview")
        until(lambda: clerks[1].is_helped("note") is None, "it has changed, though it is asked by itself meanwhile")
        outcomes = finished(shop, bulk["id"])
        # Then none is called healed, and all are stuck since the first moment
        assert outcomes[ids[1]] == "changed" and set(outcomes.values()) <= {"still_stuck", "changed"}
        assert [clerk.for_operators()["stuck"]["since"] for clerk in clerks] == since
    # And when risk can, they are healed
    again = posts(shop, "bulk", action="retry", ids=ids, reason="the ledger is open")
    outcomes = finished(shop, again["id"])
    assert set(outcomes.values()) <= {"healed", "changed", "not_allowed"}, outcomes
    for clerk in clerks:
        clerk.becomes("completed", limit=60)
        clerk.is_not_stuck()
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=2, reserved=0, shipped=3)


def finished(shop: Shop, bulk: str) -> dict[str, str]:
    """Start it, wait until each outcome is known, and return them by Clerk."""
    posts(shop, f"bulk/{bulk}/start", per_minute=1200)
    until(lambda: reads(shop, f"bulk/{bulk}")["status"] == "finished", "the outcome of each is known", 120)
    return {item["target"]: item["outcome"] for item in reads(shop, f"bulk/{bulk}")["items"]["data"]}


def test_everything_that_operators_read_is_there_on_a_real_shop(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 1}).gets_shipped().becomes("completed")
    capture = next(line for line in reads(shop, f"clerks/{clerk.id}/timeline?limit=200")["data"]
                   if (line["step"], line["what"]) == ("capture", "done"))  # fmt: skip
    assert capture["changes"]["changed"]["$.payment.status"] == {"before": "authorized", "after": "captured"}
    assert {line["service"] for line in reads(shop, f"clerks/{clerk.id}/messages")["data"]} >= {"shop", "payment"}
    until(
        lambda: sum(bar["opened"] for bar in reads(shop, "figures?hours=1")["throughput"]) > 0, "opens are counted", 30
    )
    figures = "figures?hours=1"
    until(
        lambda: any(each["step"] == "capture" for each in reads(shop, figures)["step_times"]), "its step is counted", 60
    )
    assert {each["reference"] for each in reads(shop, "processes")["data"]} == {"standard/1", "invoice/1", "digital/1"}
    for path in ("summary", "checks", "people", "keys", "views", "bulk", "parked", "clerks.json"):
        assert isinstance(reads(shop, path), dict)
