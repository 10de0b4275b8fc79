"""Each process from its first step to its last, everything going well."""

from __future__ import annotations

from scenario_tests.shop import PRICE, Shop, StockLevel


def test_a_standard_order_is_paid_shipped_and_settled(shop: Shop) -> None:
    # Given ten bones
    shop.stocks("SQUEAKY-BONE", 10)
    # When ada orders two of them, and the warehouse ships
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 2}).gets_shipped()
    # Then every step of the process was done, in order
    clerk.becomes("completed")
    clerk.went_through(
        "shopping done",
        "credit done",
        "payment done",
        "stock done",
        "capture done",
        "shipping done",
        "settle done",
    )
    # And money, goods and credit are where they belong
    assert clerk.session()["payment_status"] == "captured"
    assert clerk.session()["fulfillment_status"] == "shipped"
    assert clerk.document()["payment"]["amount"] == 2 * PRICE
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=8, reserved=0, shipped=2)
    assert shop.credit_of("ada").reserved == 0


def test_a_guest_orders_without_a_name(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 1)
    clerk = shop.guest(token="tok_ok").orders({"SQUEAKY-BONE": 1}).gets_shipped()
    clerk.becomes("completed")
    assert clerk.document()["customer"]["id"] is None


def test_the_goods_wait_for_the_warehouse(shop: Shop) -> None:
    # Given an order that is paid
    shop.stocks("SQUEAKY-BONE", 3)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 3}).is_at("shipping", "waiting")
    # Then the goods are reserved until the warehouse ships them
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=0, reserved=3, shipped=0)
    clerk.gets_shipped().becomes("completed")
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=0, reserved=0, shipped=3)


def test_prices_come_from_the_shops_catalogue(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 10, price=100)
    shop.stocks("GOLDEN-BALL", 10, price=2500)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 3, "GOLDEN-BALL": 1}).gets_shipped()
    clerk.becomes("completed")
    assert clerk.session()["total"] == 2800


def test_an_invoice_is_paid_after_the_goods_were_shipped(shop: Shop) -> None:
    # Given a customer who is trusted, in a shop that allows invoices
    shop.stocks("SQUEAKY-BONE", 10)
    branch = shop.branch("kennel-supplies", allows_invoice=True)
    clerk = shop.customer("bob", kind="trusted").orders({"SQUEAKY-BONE": 1}, shop=branch)
    # When the goods are shipped, the customer's turn to pay comes, and only then
    clerk.is_at("collect", "to_do").gets_shipped().pays()
    # Then the order is settled
    clerk.becomes("completed")
    clerk.went_through("shopping done", "credit done", "stock done", "shipping done", "collect done", "settle done")
    assert clerk.session()["process"] == "invoice/1"
    assert clerk.session()["payment_status"] == "captured"
    assert shop.credit_of("bob").reserved == 0


def test_a_regular_customer_gets_no_invoice(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 10)
    branch = shop.branch("kennel-supplies", allows_invoice=True)
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 1}, shop=branch).gets_shipped()
    clerk.becomes("completed")
    assert clerk.session()["process"] == "standard/1"


def test_a_digital_order_is_delivered_at_once(shop: Shop) -> None:
    # Given a shop of downloads
    shop.sells("BARKING-MIXTAPE")
    branch = shop.branch("barks-to-go", kind="digital")
    # When ada orders one, nobody has to ship anything
    clerk = shop.customer("ada", token="tok_ok").orders({"BARKING-MIXTAPE": 1}, shop=branch)
    clerk.becomes("completed")
    clerk.went_through("shopping done", "credit done", "payment done", "capture done", "delivery done", "settle done")
    assert clerk.session()["process"] == "digital/1"


def test_a_provider_that_loses_its_answer_charges_once(shop: Shop) -> None:
    shop.sells("BARKING-MIXTAPE")
    branch = shop.branch("barks-to-go", kind="digital")
    clerk = shop.customer("ada", token="tok_lost").orders({"BARKING-MIXTAPE": 1}, shop=branch)
    clerk.becomes("completed", limit=60)
    assert clerk.payment()["status"] == "captured"
    assert clerk.document()["payment"]["amount"] == PRICE
