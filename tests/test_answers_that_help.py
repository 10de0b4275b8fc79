"""What a client hears when it does something too early, too late, or wrong: what to do now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.money import LARGEST
from http_api.failure_codes import FAILURES
from shop_service.api import MOST
from shop_service.order import MOST_LINES, MOST_OF_ONE
from tests.whole_shop import WholeShop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeShop]:
    with WholeShop(tmp_path_factory.mktemp("answers")) as shop:
        for sku, price, currency in (("LEAFLET", 0, "EUR"), ("YEN-BONE", 1_500, "JPY")):
            article = {"name": sku.title(), "unit_amount": price, "currency": currency, "kind": "physical"}
            shop.ask("PUT", f"/shop/products/{sku}", shop.server_key, article)
            shop.ask("PUT", f"/fulfillment/stock/{sku}", shop.server_key, {"on_hand": 50})
        yield shop


def answer(shop: WholeShop, method: str, path: str, key: str | None = None, body: Any = None) -> httpx.Response:
    return shop.answer(method, path, key, body)


def opened(shop: WholeShop, **body: Any) -> tuple[str, str]:
    """The id and the client secret of a new guest's session."""
    session = answer(shop, "POST", "/shop/session", None, body).json()
    return session["id"], session["client_secret"]


def same(first: httpx.Response, second: httpx.Response) -> bool:
    own = {"request_id": "", "instance": ""}
    return first.status_code == second.status_code and {**first.json(), **own} == {**second.json(), **own}


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", {"token": "tok_ok"})])
def test_who_pays_before_the_order_is_placed_hears_to_place_it_first(shop: WholeShop, method: str, body: Any) -> None:
    session, secret = opened(shop)
    for key in (secret, shop.server_key):
        early = answer(shop, method, f"/payment/{session}", key, body)
        assert (early.status_code, early.json()["code"]) == (409, "order_not_placed")
        assert f"POST /shop/carts/{session}/order" in early.json()["detail"]
        assert early.json()["session_id"] == session


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize(
    "path",
    ["/shop/carts/{}/", "/shop/carts/{}/nope", "/shop/carts/{}/order/", "/shop/carts/{}/items/A/", "/payment/{}/",
     "/payment/{}/nope", "/fulfillment/{}/", "/fulfillment/{}/nope"],
)  # fmt: skip
def test_an_address_below_a_session_that_no_route_has_is_a_404_for_its_owner_too(
    shop: WholeShop, method: str, path: str
) -> None:
    session, secret = opened(shop)
    for key in (secret, shop.server_key):
        wrong = answer(shop, method, path.format(session), key, None if method == "GET" else {})
        assert (wrong.status_code, wrong.json()["code"]) == (404, "not_found")
        assert "retry-after" not in wrong.headers and "session-etag" not in wrong.headers


def test_S1_a_foreign_session_is_the_404_of_an_unknown_one_however_far_it_is(shop: WholeShop) -> None:
    mine, _ = opened(shop)
    _, foreign = opened(shop)
    for path in ("/payment/{}", "/fulfillment/{}", "/shop/carts/{}"):
        found = answer(shop, "GET", path.format(mine), foreign)
        assert found.status_code == 404 and "retry-after" not in found.headers
        assert same(found, answer(shop, "GET", path.format("clk_unknown"), foreign))


def test_an_order_that_waits_for_its_payment_has_no_shipment_on_its_way(shop: WholeShop) -> None:
    session, secret = opened(shop, items=[{"sku": "SQUEAKY-BONE", "quantity": 1}])
    shop.until(lambda: answer(shop, "GET", f"/shop/session/{session}", secret).json()["status"] == "requires_action")
    early = answer(shop, "GET", f"/fulfillment/{session}", secret)
    assert (early.status_code, early.json()["code"], early.json()["retryable"]) == (409, "order_not_paid", False)
    assert "retry-after" not in early.headers


def test_a_session_that_has_ended_says_so_where_it_never_had_a_payment(shop: WholeShop) -> None:
    session, secret = opened(shop)
    shop.ask("POST", f"/shop/session/{session}/cancel", secret)
    assert shop.ended(session)["status"] == "canceled"
    late = answer(shop, "POST", f"/payment/{session}", secret, {"token": "tok_ok"})
    assert (late.status_code, late.json()["code"]) == (409, "session_ended")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/shop/session/{}/cancel", None),
        ("POST", "/shop/session/{}/expire", None),
        ("PATCH", "/shop/session/{}", {"name": "Ada"}),
        ("PUT", "/shop/carts/{}/items/SQUEAKY-BONE", {"quantity": 1}),
        ("POST", "/shop/carts/{}/order", None),
    ],
)
def test_who_has_seen_another_version_is_shown_the_one_of_now_and_which_header_is_wrong(
    shop: WholeShop, method: str, path: str, body: Any
) -> None:
    session, secret = opened(shop)
    shop.until(lambda: answer(shop, "GET", f"/shop/carts/{session}", secret).status_code == 200)
    stale = shop.answer(method, path.format(session), shop.server_key, body, {"If-Match": '"900"'})
    told = stale.json()
    assert (stale.status_code, told["code"], told["param"], told["session_id"]) == (
        412, "version_conflict", "If-Match", session,
    )  # fmt: skip
    seen = told["current"]
    assert session in (seen.get("id"), seen.get("session"))
    now = answer(shop, "GET", path.format(session).split("/items")[0].removesuffix("/order"), shop.server_key)
    if "carts" in path:
        assert (stale.headers["etag"], seen) == (now.headers["etag"], now.json())
    else:
        assert stale.headers["etag"] == f'"{seen["version"]}"'
    shop.ask("POST", f"/shop/session/{session}/cancel", secret)


def test_an_operator_who_has_seen_another_version_is_shown_the_clerk_as_it_is(shop: WholeShop) -> None:
    session, _ = opened(shop)
    act = {"action": "note", "reason": "a look"}
    stale = shop.answer("POST", f"/ops/clerks/{session}/actions", shop.operator_key, act, {"If-Match": '"900"'})
    told = stale.json()
    assert (stale.status_code, told["param"], told["session_id"]) == (412, "If-Match", session)
    assert (told["current"]["id"], stale.headers["etag"]) == (session, f'"{told["current"]["version"]}"')


@pytest.mark.parametrize(
    ("method", "path", "body", "param"),
    [
        ("PATCH", "/shop/session/{}", {"nme": "Ada"}, "$.nme"),
        ("PUT", "/shop/carts/{}/items/SQUEAKY-BONE", {"quantity": "many"}, "$.quantity"),
        ("POST", "/shop/carts/{}/order", {"expected_total": -1}, "$.expected_total"),
        ("POST", "/payment/{}", {}, "$.token"),
        ("POST", "/fulfillment/{}/ship", [], "$"),
    ],
)
def test_what_is_wrong_below_a_session_names_it_and_says_nothing_of_it_to_strangers(
    shop: WholeShop, method: str, path: str, body: Any, param: str
) -> None:
    session, secret = opened(shop)
    _, foreign = opened(shop)
    key = shop.warehouse_key if path.endswith("ship") else secret
    wrong = shop.answer(method, path.format(session), key, body, {"If-Match": '"1"'})
    told = wrong.json()
    assert (wrong.status_code, told["param"], told["session_id"]) == (422, param, session)
    assert "session-etag" not in wrong.headers
    for unknown in (session, "clk_unknown"):
        refused = shop.answer(method, path.format(unknown), foreign, body, {"If-Match": '"1"'})
        assert "session-etag" not in refused.headers
        assert refused.json()["session_id"] == (unknown if refused.status_code == 422 else None)


@pytest.mark.parametrize(
    ("method", "path", "enough", "too_little"),
    [
        ("PATCH", "/shop/session/{}", ("cs_", "sk_"), "op_"),
        ("POST", "/shop/session/{}/cancel", ("cs_", "sk_"), "op_"),
        ("POST", "/shop/session/{}/expire", ("sk_",), "op_"),
        ("GET", "/shop/session/{}", ("cs_", "sk_", "op_"), "wk_"),
    ],
)
def test_a_403_names_the_keys_that_are_enough_there_and_no_others(
    shop: WholeShop, method: str, path: str, enough: tuple[str, ...], too_little: str
) -> None:
    session, _ = opened(shop)
    wrong = shop.operator_key if too_little == "op_" else shop.warehouse_key
    for found in (session, "clk_unknown"):
        body = {"name": "Ada"} if method == "PATCH" else None
        refused = shop.answer(method, path.format(found), wrong, body, {"If-Match": '"1"'})
        assert (refused.status_code, refused.json()["param"]) == (403, "Authorization")
        needed, _, came = refused.json()["detail"].partition(", but ")
        assert {prefix for prefix in ("cs_", "sk_", "wk_", "op_") if prefix in needed} == set(enough)
        assert too_little in came


def test_an_order_of_nothing_is_completed_and_nobody_is_asked_to_pay(shop: WholeShop) -> None:
    session, secret = opened(shop, items=[{"sku": "LEAFLET", "quantity": 2}])
    ended = shop.ended(session)
    assert (ended["status"], ended["total"], ended["payment_status"]) == ("completed", 0, "none")
    paying = answer(shop, "POST", f"/payment/{session}", secret, {"token": "tok_ok"})
    assert paying.status_code == 409


def test_a_trusted_customers_order_of_nothing_is_no_invoice(shop: WholeShop) -> None:
    shop.ask("PUT", "/shop/customers/tess", shop.server_key, {"name": "Tess", "type": "trusted"})
    order = {"customer": "tess", "items": [{"sku": "LEAFLET", "quantity": 1}]}
    ended = shop.ended(shop.ask("POST", "/shop/session", shop.server_key, order)["id"])
    assert (ended["status"], ended["payment_status"], ended["next_action"]) == ("completed", "none", None)
    assert ended["messages"] == [{"code": "shipped", "text": ended["messages"][0]["text"]}]
    assert shop.ask("GET", "/risk/customers/tess", shop.server_key)["score"] == 500


def test_a_customer_hears_of_no_limit_and_no_stock_and_the_shops_backend_of_both(shop: WholeShop) -> None:
    too_dear, _ = opened(shop, items=[{"sku": "SQUEAKY-BONE", "quantity": 999}])
    failure = shop.ended(too_dear)["failure"]
    assert failure["code"] == "credit_exceeded"
    assert "12,937.05 EUR" in failure["detail"] and "500" not in failure["detail"]
    document = shop.ask("GET", f"/shop/session/{too_dear}/clerk", shop.server_key)
    assert "the limit is 500.00 EUR" in document["failure"]["internal"]

    too_many, _ = opened(shop, items=[{"sku": "LEAFLET", "quantity": 999}])
    failure = shop.ended(too_many)["failure"]
    assert failure["code"] == "out_of_stock"
    assert "LEAFLET" in failure["detail"] and not any(digit in failure["detail"] for digit in "0123456789")
    document = shop.ask("GET", f"/shop/session/{too_many}/clerk", shop.server_key)
    assert "999 wanted" in document["failure"]["internal"]


def test_yen_are_never_added_to_cents(shop: WholeShop) -> None:
    japan = {"name": "Japan", "type": "physical", "currency": "JPY"}
    shop.ask("PUT", "/shop/shops/japan", shop.server_key, japan)
    shop.ask("PUT", "/risk/customers/ada", shop.server_key, {"limit": 5_000, "currency": "JPY"})
    for shop_id, sku in (("squeaky-toys", "SQUEAKY-BONE"), ("japan", "YEN-BONE")):
        order = {"customer": "ada", "shop": shop_id, "items": [{"sku": sku, "quantity": 1}]}
        shop.ask("POST", "/shop/session", shop.server_key, {**order})
    shop.until(lambda: len(standing(shop)["reservations"]) == 2)
    found = {each["currency"]: (each["limit"], each["reserved"]) for each in standing(shop)["accounts"]}
    assert found == {"EUR": (100_000, 1_295), "JPY": (5_000, 1_500)}


def standing(shop: WholeShop) -> Any:
    return shop.ask("GET", "/risk/customers/ada", shop.server_key)


@pytest.mark.parametrize("currency", ["XXX", "BTC", "ZZZ", "eur"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/shop/shops/nowhere", {"name": "Nowhere", "type": "physical"}),
        ("/shop/products/NOPE", {"name": "Nope", "unit_amount": 1, "kind": "physical"}),
        ("/risk/customers/ada", {"limit": 5}),
    ],
)
def test_what_is_no_money_is_refused_in_one_line(
    shop: WholeShop, path: str, body: dict[str, Any], currency: str
) -> None:
    found = answer(shop, "PUT", path, shop.server_key, {**body, "currency": currency}).json()
    assert (found["code"], found["param"]) == ("invalid_request", "$.currency")
    assert f"(is {currency!r})" in found["detail"] and "ISO 4217" in found["detail"]


def test_an_article_that_is_not_there_is_told_with_its_parameter_and_where_to_look(shop: WholeShop) -> None:
    session, secret = opened(shop)
    shop.until(lambda: answer(shop, "GET", f"/shop/carts/{session}", secret).status_code == 200)
    found = answer(shop, "PUT", f"/shop/carts/{session}/items/NOPE", secret, {"quantity": 1}).json()
    assert (found["code"], found["param"]) == ("article_unknown", "sku")
    assert "NOPE" in found["detail"] and "`GET /shop/products?shop=" in found["detail"]


def test_a_declined_card_names_its_field(shop: WholeShop) -> None:
    session, secret = opened(shop, items=[{"sku": "SQUEAKY-BONE", "quantity": 1}])
    shop.until(lambda: answer(shop, "GET", f"/payment/{session}", secret).status_code == 200)
    found = answer(shop, "POST", f"/payment/{session}", secret, {"token": "tok_declined"})
    assert (found.status_code, found.json()["code"], found.json()["param"]) == (402, "card_declined", "$.token")


@pytest.mark.parametrize(
    "moment",
    ["2026-11-23T15:20:53+01:00", "2026-11-23t14:20:53z", "2026-11-23T15:20:53%2B01:00"],
)
def test_a_time_may_have_an_unescaped_plus_and_small_letters(shop: WholeShop, moment: str) -> None:
    found = answer(shop, "GET", f"/shop/session?created_after={moment}", shop.server_key)
    assert found.status_code == 200, found.text


def test_a_time_that_is_none_is_told_with_what_came(shop: WholeShop) -> None:
    found = answer(shop, "GET", "/shop/session?created_after=yesterday", shop.server_key).json()
    assert found["param"] == "created_after"
    assert "2026-11-23T14:20:53Z" in found["detail"] and "yesterday" in found["detail"]


SAY_WHY_AN_ORDER_FAILS = (
    "shop_service/order.py",
    "shop_service/catalogue.py",
    "risk_service/credit.py",
    "payment_service/handlers.py",
    "payment_service/payment.py",
    "fulfillment_service/stock.py",
    "messaging/turns.py",
    "shop_manager/saga/undoing.py",
    "shop_manager/saga/deadlines.py",
    "shop_manager/saga/replies.py",
    "shop_manager/saga/stuck.py",
    "clerk_cli/faults/worker.py",
)
NO_FAILURES = {
    "parked",
    "payment_in_flight",
    "provider_refused",
    "past_the_pivot",
    "unsupported",
    "overdue",
    "no_answer",
    "undo_failed_by_fault",
}
"""These refuse an undo or a call, or tell operators why an order is stuck."""


def test_each_code_of_a_failure_is_in_the_closed_list() -> None:
    root = Path(__file__).parent.parent
    said = {
        code
        for place in SAY_WHY_AN_ORDER_FAILS
        for code in re.findall(r'Refused\(\s*"(\w+)"', (root / place).read_text())
    }
    assert said - NO_FAILURES <= set(FAILURES)
    assert set(FAILURES) - said == {"settled_by_hand"}


def test_no_total_is_above_what_every_client_reads_exactly() -> None:
    assert MOST * MOST_OF_ONE * MOST_LINES <= LARGEST
