"""Whoever can put messages on the broker is still not every service: what is not theirs to say is parked (B4, S13)."""

from __future__ import annotations

from typing import Any

import pytest

from scenario_tests.shop import Shop
from scenario_tests.waiting import until
from shop_manager.processes.standard import STANDARD

NOBODY = None
EVERYTHING = {
    "order": {"status": "placed", "total": 1},
    "credit": {"status": "reserved", "amount": 1},
    "payment": {"status": "captured", "amount": 1, "reference": "pay_forged"},
    "shipment": {"status": "shipped", "carrier": "Sled", "tracking": "SLED-1"},
}


@pytest.fixture(autouse=True)
def _senders_are_known(shop: Shop) -> None:
    if not shop.harness.knows_senders:
        pytest.skip("the broker is not ours: all services share its one user")


@pytest.mark.parametrize("forger", ["risk", "fulfillment", "guest", NOBODY])
def test_B4_forged_commands_ship_no_900_pieces(shop: Shop, forger: str | None) -> None:
    # Given a full warehouse, and an order of one piece that waits for its money
    shop.stocks("SQUEAKY-BONE", 1000)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).waits_for("pay")
    # When somebody else than ShopManager asks for 900 pieces: for that order, and for one that nobody has placed
    document = clerk.document()
    document["order"]["items"][0]["quantity"] = 900
    sent = [
        shop.forges_command(command, each, step, document, forger)
        for each in (clerk.id, f"clk_ghost_{shop.suffix}")
        for command, step in (("AllocateStock", "stock"), ("ShipOrder", "shipping"))
    ]
    # Then operators see why it was parked, and no piece has moved
    for message in sent:
        shop.has_parked_as_forged(message, "shop_manager")
    level = shop.stock_of("SQUEAKY-BONE")
    assert (level.on_hand, level.reserved, level.shipped) == (1000, 0, 0)
    # And the order goes on as if nothing had been said
    clerk.is_not_stuck()
    clerk.pays().gets_shipped().becomes("completed")
    level = shop.stock_of("SQUEAKY-BONE")
    assert (level.on_hand, level.shipped) == (999, 1)


@pytest.mark.parametrize("forger", ["fulfillment", "shop_manager", "guest", NOBODY])
def test_B4_forged_answers_complete_no_order_that_was_not_paid(shop: Shop, forger: str | None) -> None:
    # Given an order that waits for its money
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 2}).waits_for("pay")
    # When somebody who is not payment says that it was paid, and answers everything that follows
    paid = shop.forges_answer("AuthorizePayment", clerk.id, "payment", EVERYTHING, forger)
    captured = shop.forges_answer("CapturePayment", clerk.id, "capture", EVERYTHING, forger)
    # Then it is parked, and the order waits as before
    for message in (paid, captured):
        shop.has_parked_as_forged(message, "payment")
    shop.all_quiet()
    clerk.waits_for("pay").is_not_stuck()
    clerk.went_through("shopping done", "credit done")
    # And it ends as its customer wishes
    clerk.pays().gets_shipped().becomes("completed")


def test_B4_a_service_that_was_taken_over_answers_for_its_own_steps_only(shop: Shop) -> None:
    # Given an order at risk, whose own answers are kept back
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.holds_back_answer("ReserveCredit") as held:
        clerk = ada.orders({"SQUEAKY-BONE": 1})
        held.until_there(clerk.id)
        # When risk answers for everybody
        own = shop.forges_answer("ReserveCredit", clerk.id, "credit", EVERYTHING, "risk")
        forged = {
            step.name: shop.forges_answer(step.do, clerk.id, step.name, EVERYTHING, "risk")
            for step in STANDARD.steps
            if step.asks != "risk"
        }
        # Then its own word counts, and of its order nothing else is believed: not even the price
        for step in STANDARD.steps:
            if step.name in forged:
                shop.has_parked_as_forged(forged[step.name], step.asks)
        clerk.is_at("credit", "done")
    clerk.gets_shipped().becomes("completed")
    assert own not in {each["message"] for each in shop.parked()}
    assert clerk.document()["payment"]["amount"] == clerk.document()["order"]["total"] > 1


def test_B4_an_operator_cannot_have_a_forged_answer_taken_after_all(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 2}).waits_for("pay")
    forged = shop.forges_answer("AuthorizePayment", clerk.id, "payment", EVERYTHING, "shop")
    shop.has_parked_as_forged(forged, "payment")
    [parked] = [each for each in shop.parked() if each["message"] == forged]
    assert decided(shop, parked["id"], "replay") == "not_allowed_now"
    assert decided(shop, parked["id"], "discard") == "discarded"
    clerk.waits_for("pay").cancels().becomes("canceled")


def decided(shop: Shop, parked: str, action: str) -> str:
    """The code of the refusal, or the state of the parked message after the act."""
    act: dict[str, Any] = {"action": action, "reason": "seen by the night shift"}
    answer = shop.api.ask("POST", "shop_manager", f"/ops/parked/{parked}/actions", shop.harness.keys.operator, act)
    return str(answer.json().get("code") or answer.json()["state"])


def test_B4_a_forged_message_in_the_middle_of_many_costs_the_others_nothing(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 50)
    ada = shop.customer("ada", token="tok_ok")
    with shop.holds_back("ReserveCredit") as held:
        clerks = [ada.orders({"SQUEAKY-BONE": 1}) for _ in range(5)]
        for clerk in clerks:
            held.until_there(clerk.id)
        forged = [shop.forges_command("ReserveCredit", each.id, "credit", {}, "payment") for each in clerks]
        held.let_go()
    for clerk in clerks:
        clerk.gets_shipped().becomes("completed")
    found = {each["message"] for each in shop.parked()}
    until(lambda: set(forged) <= found | {each["message"] for each in shop.parked()}, "all forged ones are parked")
