"""A refused card number: the problem names its field, says what to do there, and never shows the number (S12)."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import httpx
import pytest

from http_api.card_whereabouts import in_head, in_json, in_parameters
from http_api.tests.harness import HttpHarness

CARD, AMEX = "4242424242424242", "378282246310005"


@pytest.mark.parametrize(
    ("body", "param", "advice"),
    [
        ({"token": CARD}, "$.token", "the payment provider's token"),
        ({"payment": {"token": CARD}}, "$.payment.token", "the payment provider's token"),
        ({"metadata": {"n": CARD}}, "$.metadata.n", "leave it out"),
        ({"metadata": {"a": ["x", {"b": [1, CARD]}]}}, "$.metadata.a[1].b[1]", "leave it out"),
        ({"metadata": {"n": int(CARD)}}, "$.metadata.n", "leave it out"),
        ({"metadata": {CARD: 1}}, "$.metadata", "leave it out"),
        ({"metadata": {CARD: {"n": AMEX}}}, "$.metadata", "leave it out"),
        ({"metadata": {"sku": CARD}}, "$.metadata.sku", "leave it out"),
        ({CARD: 1}, "$", "leave it out"),
        ([CARD], "$[0]", "leave it out"),
        (
            {"shipping_address": {"lines": ["Ada", f"Main Street {CARD}"]}},
            "$.shipping_address.lines[1]",
            "leave it out",
        ),
        ({"client_reference": CARD}, "$.client_reference", "letters directly before"),
        ({"reference": f"{CARD}-1"}, "$.reference", "letters directly before"),
        ({"items": [{"sku": "A"}, {"sku": CARD}]}, "$.items[1].sku", "letters directly before"),
        ({"ids": ["clk_1", CARD]}, "$.ids[1]", "letters directly before"),
        ({"filter": {"client_reference": CARD}}, "$.filter.client_reference", "letters directly before"),
        ({"carrier": "Dog Sled", "tracking": CARD}, "$.tracking", "letters directly before"),
    ],
)
def test_S12_in_a_body_it_is_told_by_its_path(harness: HttpHarness, body: Any, param: str, advice: str) -> None:
    is_told(harness.call("POST", "/orders", json=body), param, advice)


@pytest.mark.parametrize(
    ("path", "headers", "param", "advice"),
    [
        (f"/things/a?limit={CARD}", {}, "limit", "leave it out"),
        (f"/things/a?{CARD}=1", {}, "query", "leave it out"),
        (f"/things/a?limit=1&client_reference={CARD}", {}, "client_reference", "letters directly before"),
        (f"/fulfillment/stock/{CARD}", {}, "sku", "letters directly before"),
        (f"/shop/carts/clk_1/items/{CARD}", {}, "sku", "letters directly before"),
        (f"/payment/clk_-{CARD}", {}, "session", "letters directly before"),
        (f"/things/{CARD}", {}, "path", "leave it out"),
        ("/me", {"Idempotency-Key": CARD}, "Idempotency-Key", "letters directly before"),
        ("/me", {"X-Anything": CARD}, "X-Anything", "leave it out"),
        ("/me", {f"X-{CARD}": "1"}, "header", "leave it out"),
    ],
)
def test_S12_in_an_address_or_a_header_it_is_told_by_its_name(
    harness: HttpHarness, path: str, headers: dict[str, str], param: str, advice: str
) -> None:
    is_told(harness.call("GET", path, headers=headers), param, advice)


def is_told(refused: httpx.Response, param: str, advice: str) -> None:
    told = refused.json()
    assert (refused.status_code, told["code"], told["param"]) == (422, "card_number_refused", param)
    assert [each["param"] for each in told["errors"]] == [param]
    assert advice in told["detail"] and advice in told["errors"][0]["detail"]
    assert CARD not in refused.text and AMEX not in refused.text
    assert told["session_id"] is None


def test_S12_the_advice_for_numbers_of_ones_own_helps(harness: HttpHarness) -> None:
    for value in (f"NO{CARD}", f"DN{CARD}-1"):
        taken = harness.call("POST", "/orders", json={"client_reference": value, "reference": value})
        assert taken.json()["code"] == "invalid_request", "the fields are not this route's, but the number passes"
        assert harness.call("GET", f"/fulfillment/stock/{value}").status_code == 404


def test_a_body_that_is_no_json_is_told_as_a_whole(harness: HttpHarness) -> None:
    broken = harness.call(
        "POST", "/orders", content=f'{{"token": "{CARD}"', headers={"Content-Type": "application/json"}
    )
    is_told(broken, "$", "leave it out")


def test_S4_looking_for_the_place_takes_no_longer_than_it_is_worth() -> None:
    """One lookup costs as many looks as the number of fields has digits, not one for each field."""
    names = [f"a{number}" for number in range(4_000)]
    began = perf_counter()
    assert in_json({"metadata": dict.fromkeys(names, "1") | {"last": CARD}}).param == "$.metadata.last"
    query = "&".join(f"{name}=1" for name in names) + f"&last={CARD}"
    assert in_parameters(query.encode(), "query").param == "last"
    headers = [(f"x-{name}".encode(), b"1") for name in names]
    assert in_head([*headers, (b"x-last", CARD.encode())], "/me", b"").param == "X-Last"
    assert perf_counter() - began < 1.5
