"""Orders whose customer takes every turn: fills the cart, places the order and pays."""

from __future__ import annotations

from scenario_tests.shop import Shop, StockLevel


def test_cart_order_and_card_by_hand(shop: Shop) -> None:
    # Given a customer who has come in
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").comes_in().waits_for("place_order")
    assert clerk.session()["status"] == "open"
    # When the cart is filled, the order placed and the card given
    clerk.fills_cart({"SQUEAKY-BONE": 2}).places_order()
    clerk.pays("tok_ok").gets_shipped()
    # Then it is an order like any other
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


def test_a_guest_may_do_everything_by_hand(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.guest().comes_in().fills_cart({"SQUEAKY-BONE": 1}).places_order().pays().gets_shipped()
    clerk.becomes("completed")


def test_S5_no_piece_is_reserved_before_the_payment_is_authorised(shop: Shop) -> None:
    # Given an order that waits for its payment
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 2}).waits_for("pay")
    # Then no piece is kept from others, also not by a card that is declined
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=5, reserved=0, shipped=0)
    clerk.tries_to_pay("tok_declined")
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=5, reserved=0, shipped=0)
    # Only the payment reserves them
    clerk.pays("tok_ok").is_at("shipping", "waiting")
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=3, reserved=2, shipped=0)
    clerk.gets_shipped().becomes("completed")


def test_the_last_quantity_put_into_the_cart_counts(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    shop.stocks("GOLDEN-BALL", 5)
    clerk = shop.customer("ada").comes_in()
    clerk.fills_cart({"SQUEAKY-BONE": 4, "GOLDEN-BALL": 1}).fills_cart({"SQUEAKY-BONE": 1, "GOLDEN-BALL": 0})
    clerk.places_order().waits_for("pay")
    assert [(item["sku"], item["quantity"]) for item in clerk.session()["items"]] == [(shop.sku("SQUEAKY-BONE"), 1)]
    clerk.cancels().becomes("canceled")


def test_a_price_that_the_customer_has_not_seen_is_not_ordered(shop: Shop) -> None:
    # Given a cart at 10.00, and a price that goes up meanwhile
    shop.stocks("SQUEAKY-BONE", 5, price=1000)
    clerk = shop.customer("ada").comes_in().fills_cart({"SQUEAKY-BONE": 1})
    shop.sells("SQUEAKY-BONE", price=40_000, kind="physical")
    # When the order is placed at the total that was seen, it is not; the customer sees the new one, and decides
    assert clerk.tries_to_order(total=1000) == (409, "price_changed")
    clerk.places_order(total=40_000).waits_for("pay")
    assert clerk.session()["total"] == 40_000
    clerk.cancels().becomes("canceled")


def test_a_second_card_may_be_tried_after_a_declined_one(shop: Shop) -> None:
    # Given a customer at the cash desk
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).waits_for("pay")
    # When the first card is declined, the order is not lost
    assert clerk.tries_to_pay("tok_declined") == (402, "card_declined")
    clerk.waits_for("pay")
    # Then the second one pays it, and no refusal is in its history
    clerk.pays("tok_ok").gets_shipped().becomes("completed")
    clerk.went_through(
        "shopping done",
        "credit done",
        "payment done",
        "stock done",
        "capture done",
        "shipping done",
        "settle done",
    )


def test_placing_the_order_twice_is_placing_it_once(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").comes_in().fills_cart({"SQUEAKY-BONE": 1})
    clerk.places_order().places_order().waits_for("pay")
    assert clerk.session()["items"][0]["quantity"] == 1
    clerk.cancels().becomes("canceled")


def test_paying_twice_charges_once(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).pays("tok_ok")
    assert clerk.tries_to_pay("tok_ok") is None
    clerk.gets_shipped().becomes("completed")
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=4, reserved=0, shipped=1)
    assert clerk.document()["payment"]["status"] == "captured"


def test_an_empty_cart_cannot_be_ordered_and_may_still_be_filled(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").comes_in().fills_cart({"SQUEAKY-BONE": 0})
    assert clerk.tries_to_order() == (422, "cart_empty")
    clerk.fills_cart({"SQUEAKY-BONE": 1}).places_order().waits_for("pay")
    clerk.cancels().becomes("canceled")


def test_a_card_number_is_refused_and_the_token_taken(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).waits_for("pay")
    assert clerk.tries_to_pay("4242424242424242") == (422, "card_number_refused")
    clerk.pays("tok_ok").gets_shipped().becomes("completed")


def test_nobody_may_act_after_the_end(shop: Shop) -> None:
    # Given an order that was called off while the customer stood at the cash desk
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").orders({"SQUEAKY-BONE": 1}).waits_for("pay")
    clerk.cancels().becomes("canceled")
    # Then neither ordering nor paying revives it
    assert clerk.tries_to_order() == (409, "session_ended")
    assert clerk.tries_to_pay("tok_ok") == (409, "session_ended")
    assert clerk.session()["status"] == "canceled"


def test_nobody_may_act_after_the_deadline_even_before_the_undo_has_come(shop: Shop) -> None:
    # Given a session whose time is over while ShopManager is away
    shop.stocks("SQUEAKY-BONE", 5)
    clerk = shop.customer("ada").comes_in(expires_in=3).fills_cart({"SQUEAKY-BONE": 1})
    with shop.without("shop_manager"):
        clerk.outlives_its_deadline()
        # Then the click is refused all the same (T2)
        assert clerk.tries_to_order() == (409, "session_ended")
    clerk.becomes("expired", because="session_expired")
