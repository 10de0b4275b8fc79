"""All that concerns a customer is in the session: the open cart, how the payment goes, who gets the package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from clerk_cli.databases import opened_shop
from tests.whole_shop import LIMIT, WholeShop
from verifier import check, still_under_way

HOME = {"street": "Bone Street 1", "city": "Dogtown"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeShop]:
    """One for all tests; at its end everything in it is as it should be."""
    folder: Path = tmp_path_factory.mktemp("whole")
    with WholeShop(folder) as shop:
        yield shop
        with opened_shop(None, folder) as databases:
            shop.until(lambda: still_under_way(databases) is None)
            assert list(check(databases, patience=0)) == []


class Visit:
    """A customer with a session of his own."""

    def __init__(self, shop: WholeShop, **body: Any) -> None:
        self.shop = shop
        answered = shop.answer("POST", "/shop/session", None, body)
        assert answered.status_code == 201, answered.text
        self.session: dict[str, Any] = answered.json()
        self.id, self.secret = self.session["id"], self.session["client_secret"]

    def call(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.shop.answer(method, path, self.secret, json, named)

    def sees(self) -> dict[str, Any]:
        self.session = self.call("GET", f"/shop/session/{self.id}").json()
        return self.session

    def until(self, **expected: Any) -> dict[str, Any]:
        """The session as soon as these fields are so; its version never falls meanwhile."""
        versions = [0]

        def is_so() -> bool:
            seen = self.sees()
            versions.append(seen["version"])
            return all(seen[name] == value for name, value in expected.items())

        self.shop.until(is_so)
        assert versions == sorted(versions)
        return self.session

    def puts(self, quantity: int) -> httpx.Response:
        return self.call("PUT", f"/shop/carts/{self.id}/items/SQUEAKY-BONE", {"quantity": quantity})

    def orders(self) -> httpx.Response:
        return self.call("POST", f"/shop/carts/{self.id}/order")

    def pays(self, token: str) -> httpx.Response:
        return self.call("POST", f"/payment/{self.id}", {"token": token})


def at_the_payment(shop: WholeShop, **body: Any) -> Visit:
    visit = Visit(shop, items=[{"sku": "SQUEAKY-BONE", "quantity": 1}], **body)
    visit.until(status="requires_action")
    return visit


def test_the_open_cart_is_in_the_session_and_its_last_state_arrives(shop: WholeShop) -> None:
    visit = Visit(shop)
    for quantity in (1, 2, 3):
        visit.puts(quantity)
    seen = visit.until(total=3 * 1295)
    assert (seen["status"], seen["items"][0]["quantity"]) == ("open", 3)
    visit.call("POST", seen["links"]["cancel"])
    visit.until(status="canceled")


def test_a_declined_card_bumps_the_version_and_is_told_until_another_one_is_authorised(shop: WholeShop) -> None:
    visit = at_the_payment(shop)
    before = visit.session
    assert before["last_payment_error"] is None
    assert visit.pays("tok_declined").status_code == 402
    waited = visit.call(
        "GET", f"/shop/session/{visit.id}", If_None_Match=f'"{before["version"]}"', Prefer="wait=10"
    ).json()
    told = visit.until(payment_status="none", status="requires_action") if waited["next_action"] is None else waited
    assert told["version"] > before["version"]
    assert told["last_payment_error"]["code"] == "card_declined"
    assert told["next_action"]["type"] == "pay"
    visit.pays("tok_ok")
    assert visit.until(status="completed")["last_payment_error"] is None


def test_while_the_provider_is_asked_nobody_is_told_to_pay(shop: WholeShop) -> None:
    visit = at_the_payment(shop, name="Ada", shipping_address=HOME)
    paying = shop.in_the_background(lambda: visit.pays("tok_slow"))
    seen = visit.until(payment_status="authorizing")
    assert (seen["status"], seen["next_action"]) == ("processing", None)
    ended = visit.until(status="completed")
    assert ended["payment_status"] == "captured"
    shipment = visit.call("GET", f"/fulfillment/{visit.id}").json()
    assert (shipment["name"], shipment["shipping_address"]) == ("Ada", HOME)
    paying.join(LIMIT)


@pytest.mark.parametrize("again", ["GET", "POST"])
def test_who_has_heard_authorizing_never_sees_pay_again(shop: WholeShop, again: str) -> None:
    """Whoever asks payment, in this tab or in another: the session is no older than what was answered."""
    paying = []
    for _ in range(5):
        visit = at_the_payment(shop)
        paying.append(shop.in_the_background(lambda visit=visit: visit.pays("tok_slow")))  # type: ignore[misc]
        body = {"token": "tok_slow"} if again == "POST" else None
        heard: dict[str, Any] = {}

        def is_told(visit: Visit = visit, heard: dict[str, Any] = heard) -> bool:
            found = visit.call("GET", f"/payment/{visit.id}")
            heard["etag"] = found.headers["session-etag"]
            return bool(found.json()["status"] == "authorizing")

        shop.until(is_told)
        if body:
            twice = visit.call("POST", f"/payment/{visit.id}", body)
            assert (twice.status_code, twice.json()["status"]) == (202, "authorizing")
        seen = visit.sees()
        assert (seen["payment_status"], seen["next_action"]) == ("authorizing", None)
        assert heard["etag"] == f'"{seen["version"]}"'
    for call in paying:
        call.join(LIMIT)


def test_the_warehouse_sees_the_address_as_it_was_amended(shop: WholeShop) -> None:
    visit = at_the_payment(shop, shipping_address={"city": "Old Town"})
    tag = f'"{visit.session["version"]}"'
    path = f"/shop/session/{visit.id}"
    answered = visit.call("PATCH", path, {"shipping_address": HOME, "name": "Bella"}, If_Match=tag)
    assert answered.status_code == 200, answered.text
    visit.pays("tok_ok")
    visit.until(status="completed")
    shipment = visit.call("GET", f"/fulfillment/{visit.id}").json()
    assert (shipment["name"], shipment["shipping_address"]) == ("Bella", {**HOME})


def test_every_answer_about_cart_payment_and_shipment_has_the_sessions_etag(shop: WholeShop) -> None:
    visit = Visit(shop)
    empty = visit.orders()
    answers = [empty, visit.puts(2), visit.call("GET", f"/shop/carts/{visit.id}"), visit.orders()]
    visit.until(status="requires_action")
    shop.until(lambda: visit.call("GET", f"/payment/{visit.id}").status_code == 200)
    answers += [visit.call("GET", f"/payment/{visit.id}"), visit.pays("tok_declined"), visit.pays("tok_ok")]
    visit.until(status="completed")
    answers += [visit.call("GET", f"/fulfillment/{visit.id}"), visit.pays("tok_ok")]
    assert [answer.status_code for answer in answers] == [422, 200, 200, 202, 200, 402, 202, 200, 202]
    versions = [int(answer.headers["session-etag"].strip('"')) for answer in answers]
    assert versions == sorted(versions)
    assert answers[-1].headers["session-etag"] == f'"{visit.session["version"]}"'
    known = visit.call("GET", f"/shop/session/{visit.id}", If_None_Match=answers[-1].headers["session-etag"])
    assert known.status_code == 304


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_S1_who_may_not_see_the_session_does_not_learn_that_it_is_there(shop: WholeShop, method: str) -> None:
    visit, stranger = Visit(shop), Visit(shop)
    for path in (f"/shop/carts/{visit.id}", f"/payment/{visit.id}", f"/shop/carts/{visit.id}/items/SQUEAKY-BONE"):
        for key in (None, stranger.secret):
            for body in (None, {"quantity": "many"}):
                assert "session-etag" not in shop.answer(method, path, key, body).headers
