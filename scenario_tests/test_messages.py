"""Messages come twice, late, or in the wrong order; the effect comes once."""

from __future__ import annotations

import pytest

from scenario_tests.shop import PRICE, Shop, StockLevel

ALL_DONE = (
    "shopping done",
    "credit done",
    "payment done",
    "stock done",
    "capture done",
    "shipping done",
    "settle done",
)


def test_an_order_completes_once_though_everything_is_delivered_twice(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.delivers_twice():
        clerk = ada.orders({"SQUEAKY-BONE": 2}).gets_shipped().becomes("completed")
        shop.all_quiet()
    clerk.went_through(*ALL_DONE)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=3, reserved=0, shipped=2)
    assert clerk.document()["payment"]["amount"] == 2 * PRICE
    assert shop.credit_of("ada").reserved == 0
    # And the repeated answers were seen, and ignored with the reason
    assert clerk.ignored()


@pytest.mark.parametrize(
    ("token", "code", "went"),
    [
        ("tok_declined", "card_declined", ("payment refused", "credit undone", "shopping undone")),
        (
            "tok_capture_refused",
            "capture_refused",
            (
                "payment done",
                "stock done",
                "capture refused",
                "stock undone",
                "payment undone",
                "credit undone",
                "shopping undone",
            ),
        ),
    ],
)
def test_an_order_fails_once_though_everything_is_delivered_twice(
    shop: Shop, token: str, code: str, went: tuple[str, ...]
) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token=token)
    with shop.books_stay_as_they_are(), shop.delivers_twice():
        clerk = ada.orders({"SQUEAKY-BONE": 2}).becomes("failed", because=code)
        shop.all_quiet()
    clerk.went_through("shopping done", "credit done", *went)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=5, reserved=0, shipped=0)


def test_a_cancel_undoes_once_though_everything_is_delivered_twice(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.books_stay_as_they_are(), shop.delivers_twice():
        clerk = ada.orders({"SQUEAKY-BONE": 2}).waits_for("pay").cancels().becomes("canceled")
        shop.all_quiet()
    clerk.went_through("shopping done", "credit done", "payment undone", "credit undone", "shopping undone")


@pytest.mark.parametrize("command", ["CapturePayment", "AllocateStock", "ShipOrder", "SettleCredit"])
def test_one_command_delivered_twice_has_its_effect_once(shop: Shop, command: str) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.delivers_twice(command) as traffic:
        clerk = ada.orders({"SQUEAKY-BONE": 2}).gets_shipped().becomes("completed")
        traffic.wait_seen("command", command, clerk.id)
        shop.all_quiet()
    clerk.went_through(*ALL_DONE)
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=3, reserved=0, shipped=2)


def test_an_undo_that_overtakes_its_do_leaves_a_tombstone(shop: Shop) -> None:
    # Given a reservation of credit that is still on its way when the order is called off
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok", limit=2 * PRICE)
    with shop.books_stay_as_they_are(), shop.holds_back("ReserveCredit") as held:
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        held.until_there(clerk.id)
        clerk.cancels().becomes("canceled")
        # When it arrives after its undo
        held.let_go()
        clerk.has_ignored("late")
    # Then it reserves nothing: the whole credit is free for the next order
    assert shop.credit_of("ada").reserved == 0
    ada.orders({"SQUEAKY-BONE": 2}).gets_shipped().becomes("completed")


def test_an_authorisation_that_arrives_after_its_void_takes_no_money(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.holds_back("AuthorizePayment") as held:
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        held.until_there(clerk.id)
        clerk.cancels().becomes("canceled")
        held.let_go()
        clerk.has_ignored("late")
    assert clerk.session()["payment_status"] == "none"


def test_a_lost_command_is_asked_again_under_the_same_id(shop: Shop) -> None:
    # Given a command that is swallowed again and again
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada", token="tok_ok")
    with shop.harness.traffic() as traffic, shop.holds_back("ReserveCredit") as held:
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        asked = traffic.wait_seen("command", "ReserveCredit", clerk.id, times=3)
        held.loses_everything()
    # Then it is the same message every time (M1, M4), and the order goes on once it comes through
    assert len({message["id"] for message in asked}) == 1
    clerk.gets_shipped().becomes("completed")


def test_an_answer_is_taken_only_if_it_was_asked_for(shop: Shop) -> None:
    # Given an answer from risk that nobody asked for: to a later attempt
    shop.stocks("SQUEAKY-BONE", 5)
    ada = shop.customer("ada")
    with shop.harness.traffic() as traffic:
        clerk = ada.orders({"SQUEAKY-BONE": 2}).waits_for("pay")
        answer = traffic.wait_seen("answer", "ReserveCredit", clerk.id)[0]
    for step, reason in (("credit", "not asked"), ("settle", "not asked")):
        shop.puts_answer(answer, "risk", step=step, attempt=7)
        clerk.has_ignored(reason)
    # Then it changed nothing
    clerk.went_through("shopping done", "credit done")
    clerk.pays().gets_shipped().becomes("completed")
