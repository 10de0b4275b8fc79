"""A refusal at each step: what was done before is undone in reverse, and nothing is left behind."""

from __future__ import annotations

import pytest

from scenario_tests.shop import PRICE, Shop, StockLevel


def test_an_article_nobody_knows_fails_the_order_at_once(shop: Shop) -> None:
    ada = shop.customer("ada", token="tok_ok")
    with shop.books_stay_as_they_are():
        clerk = ada.orders({"INVISIBLE-BONE": 1}).becomes("failed", because="article_unknown")
    clerk.went_through("shopping refused")


def test_a_withdrawn_article_fails_the_order(shop: Shop) -> None:
    shop.sells("OLD-BONE", kind="physical", withdrawn=True)
    ada = shop.customer("ada", token="tok_ok")
    with shop.books_stay_as_they_are():
        clerk = ada.orders({"OLD-BONE": 1}).becomes("failed", because="article_unknown")
    clerk.went_through("shopping refused")


def test_an_order_that_comes_to_more_than_the_customer_expects(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5, price=40_000)
    ada = shop.customer("ada", token="tok_ok")
    with shop.books_stay_as_they_are():
        clerk = ada.orders({"SQUEAKY-BONE": 1}, expected_total=1000).becomes("failed", because="price_changed")
    clerk.went_through("shopping refused")
    ada.orders({"SQUEAKY-BONE": 1}, expected_total=40_000).gets_shipped().becomes("completed")


def test_an_order_above_the_credit_limit_is_refused(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 10)
    ada = shop.customer("ada", token="tok_ok", limit=2 * PRICE - 1)
    with shop.books_stay_as_they_are():
        clerk = ada.orders({"SQUEAKY-BONE": 2}).becomes("failed", because="credit_exceeded")
    clerk.went_through("shopping done", "credit refused", "shopping undone")
    assert clerk.session()["payment_status"] == "none"


def test_a_declined_card_gives_the_bones_back(shop: Shop) -> None:
    # Given ten bones, and a customer whose card will be declined
    shop.stocks("SQUEAKY-BONE", 10)
    ada = shop.customer("ada", token="tok_declined")
    with shop.books_stay_as_they_are():
        clerk = ada.orders({"SQUEAKY-BONE": 2})
        # Then the order fails, says why, and everything already done is undone
        clerk.becomes("failed", because="card_declined")
    clerk.went_through("shopping done", "credit done", "payment refused", "credit undone", "shopping undone")
    assert shop.credit_of("ada").reserved == 0


def test_an_empty_shelf_voids_the_payment(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 1)
    ada = shop.customer("ada", token="tok_ok")
    with shop.books_stay_as_they_are():
        clerk = ada.orders({"SQUEAKY-BONE": 2}).becomes("failed", because="out_of_stock")
    clerk.went_through(
        "shopping done",
        "credit done",
        "payment done",
        "stock refused",
        "payment undone",
        "credit undone",
        "shopping undone",
    )
    assert clerk.session()["payment_status"] == "voided"
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=1, reserved=0, shipped=0)


def test_a_refused_capture_undoes_everything_before_it(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 10)
    ada = shop.customer("ada", token="tok_capture_refused")
    with shop.books_stay_as_they_are():
        clerk = ada.orders({"SQUEAKY-BONE": 2}).becomes("failed", because="capture_refused")
    clerk.went_through(
        "shopping done",
        "credit done",
        "payment done",
        "stock done",
        "capture refused",
        "stock undone",
        "payment undone",
        "credit undone",
        "shopping undone",
    )
    assert clerk.session()["failure"]["step"] == "capture"
    assert clerk.session()["payment_status"] == "voided"
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=10, reserved=0, shipped=0)


def test_a_refused_capture_of_a_download_undoes_the_order(shop: Shop) -> None:
    shop.sells("BARKING-MIXTAPE")
    branch = shop.branch("barks-to-go", kind="digital")
    ada = shop.customer("ada", token="tok_capture_refused")
    with shop.books_stay_as_they_are():
        clerk = ada.orders({"BARKING-MIXTAPE": 1}, shop=branch).becomes("failed", because="capture_refused")
    clerk.went_through(
        "shopping done",
        "credit done",
        "payment done",
        "capture refused",
        "payment undone",
        "credit undone",
        "shopping undone",
    )


def test_an_empty_shelf_fails_an_invoice_before_anything_was_paid(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 0)
    branch = shop.branch("kennel-supplies", allows_invoice=True)
    bob = shop.customer("bob", kind="trusted")
    with shop.books_stay_as_they_are():
        clerk = bob.orders({"SQUEAKY-BONE": 1}, shop=branch).becomes("failed", because="out_of_stock")
    clerk.went_through("shopping done", "credit done", "stock refused", "credit undone", "shopping undone")


@pytest.mark.parametrize(
    ("token", "code"), [("tok_declined", "card_declined"), ("tok_capture_refused", "capture_refused")]
)
def test_after_a_failed_order_the_customer_may_simply_order_again(shop: Shop, token: str, code: str) -> None:
    shop.stocks("SQUEAKY-BONE", 2)
    ada = shop.customer("ada", token=token, limit=2 * PRICE)
    ada.orders({"SQUEAKY-BONE": 2}).becomes("failed", because=code)
    ada.token = "tok_ok"
    ada.orders({"SQUEAKY-BONE": 2}).gets_shipped().becomes("completed")
