"""Amounts: currencies without and with three decimal places, nothing to pay, prices that change, cards that follow."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from payment_service.payment import reference_of
from payment_service.store import ledger
from scenario_tests.api_client import content_of
from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.reported_faults.cases import Act, Room
from scenario_tests.reported_faults.place import Place, short

MONEY = Room()


def charged(currency: str, price: int, quantity: int) -> Act:
    """What an order of so many costs, is authorised for, and is shown to operators as."""

    def act(place: Place) -> object:
        order = download(place, currency, price, quantity).becomes("completed")
        row = place.ask("GET", f"/ops/clerks/{order.id}", key=place.keys.operator).json()
        return order.session()["total"], order.payment()["amount"], row["currency"], row["total"]

    return act


def download(place: Place, currency: str, price: int, quantity: int = 1) -> OrderUnderTest:
    """An order of a digital article in a shop of that currency, with a good card."""
    branch, sku = place.name(f"shop-{currency}"), place.name(f"SONG-{currency}")
    place.ask("PUT", f"/shop/shops/{branch}", {"name": "Songs", "type": "digital", "currency": currency})
    article = {"name": "A song", "unit_amount": price, "currency": currency, "kind": "digital"}
    place.ask("PUT", f"/shop/products/{sku}", article)
    order = {"shop": branch, "items": [{"sku": sku, "quantity": quantity}], "payment": {"token": "tok_ok"}}
    return OrderUnderTest(place.api, content_of(place.ask("POST", "/shop/session", order), 201), place.shop.sku)


def article(changes: dict[str, Any]) -> Act:
    def act(place: Place) -> object:
        content = {"name": "Bone", "unit_amount": 100, "currency": "EUR", "kind": "physical", **changes}
        return place.short("PUT", f"/shop/products/{place.name('BONE')}", content)

    return act


MONEY.row(
    200,
    "yen have no hundredth",
    "cartalyst/stripe 59, cal.diy 29984",
    charged("JPY", 1500, 2),
    (3000, 3000, "JPY", 3000),
)
MONEY.row(
    201,
    "dinars have a thousandth",
    "woocommerce-gateway-stripe 2720, active_merchant 3589",
    charged("KWD", 12_345, 1),
    (12_345, 12_345, "KWD", 12_345),
)
MONEY.row(
    203,
    "a price is no fraction of the smallest coin",
    "killbill 494",
    article({"unit_amount": 0.999}),
    "422 invalid_request",
)
MONEY.row(204, "a price is not negative", "nopCommerce 4184", article({"unit_amount": -1}), "422 invalid_request")
MONEY.row(
    205,
    "a currency that nobody has is refused",
    "swiss-payment 23",
    article({"currency": "ZZZ"}),
    "422 invalid_request",
)
MONEY.row(
    206, "a currency is written in capitals", "Charitable 761", article({"currency": "eur"}), "422 invalid_request"
)


@MONEY.case(
    202, "an order of nothing is completed without a payment", "oc-mall-plugin 1009, coopcycle-web 1260", (0, "none")
)
def free(place: Place) -> object:
    session = download(place, "EUR", 0).becomes("completed").session()
    return session["total"], session["payment_status"]


@MONEY.case(207, "an article in another currency is not in the order", "adyen-prestashop 151", "article_unknown")
def other_currency(place: Place) -> object:
    branch = place.name("yen")
    place.ask("PUT", f"/shop/shops/{branch}", {"name": "Yen", "type": "physical", "currency": "JPY"})
    place.shop.stocks("BONE", 5)
    order = {"shop": branch, "items": [{"sku": place.name("BONE"), "quantity": 1}], "payment": {"token": "tok_ok"}}
    opened = OrderUnderTest(place.api, place.ask("POST", "/shop/session", order).json(), str)
    return opened.becomes("failed").session()["failure"]["code"]


@MONEY.case(208, "the dearest order is counted to the last coin", "api-guidelines 174", 999 * 10**9)
def dearest(place: Place) -> object:
    place.shop.stocks("YACHT", 5, 10**9)
    order = place.opens().fills_cart({"YACHT": 999})
    return place.ask("GET", f"/shop/carts/{order.id}").json()["total"]


# --- between the cart and the money -----------------------------------------------------------------------------------


@MONEY.case(220, "a new price is not that of an order which is placed", "medusa 16407", (1295, 1295))
def new_price(place: Place) -> object:
    order = place.session_with_bones()
    place.shop.stocks("BONE", 100, 9999)
    order.pays()
    return order.session()["total"], order.payment()["amount"]


@MONEY.case(221, "nothing gets into a cart that is placed", "razorpay-magento 219", ("409 not_allowed_now", 1295))
def cart_is_closed(place: Place) -> object:
    order = place.session_with_bones()
    path = f"/shop/carts/{order.id}/items/{place.shop.sku('BONE')}"
    return place.short("PUT", path, {"quantity": 5}), order.payment()["amount"]


@MONEY.case(222, "another card after a good one takes nothing more", "mollie/WooCommerce 1204", ("202", "visa", [1295]))
def second_card(place: Place) -> object:
    order = place.session_with_bones().pays()
    answer = place.ask("POST", f"/payment/{order.id}", {"token": "tok_capture_refused"})
    return short(answer), order.payment()["card"]["brand"], authorised(place, order)


@MONEY.case(
    223, "a declined card may be followed by a good one", "solidus_stripe 189", ((402, "card_declined"), None, [1295])
)
def after_a_decline(place: Place) -> object:
    order = place.session_with_bones()
    tried = order.tries_to_pay("tok_declined"), order.tries_to_pay("tok_ok")
    return *tried, authorised(place, order)


@MONEY.case(224, "who pays late for what is called off pays nothing", "CoreShop 2529", ((409, "session_ended"), []))
def late_payment(place: Place) -> object:
    order = place.session_with_bones().cancels().becomes("canceled")
    return order.tries_to_pay("tok_ok"), authorised(place, order)


@MONEY.case(225, "an order that is called off gives its goods back once", "nopCommerce 388", (100, 0))
def goods_come_back(place: Place) -> object:
    place.session_with_bones(3).pays("tok_capture_refused").becomes("failed")
    level = place.shop.stock_of("BONE")
    return level.on_hand, level.reserved


def authorised(place: Place, order: OrderUnderTest) -> list[int]:
    """Every authorisation that the provider has given for this order, in minor units."""
    made = (
        (ledger.c.payment == reference_of(order.id)) & (ledger.c.kind == "authorize") & (ledger.c.outcome == "approved")
    )
    with place.harness.database("payment").read() as tx:
        return [row.amount for row in tx.execute(select(ledger).where(made))]
