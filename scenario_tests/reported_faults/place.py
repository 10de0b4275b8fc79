"""Where a case plays: the running shop, what is in it, and short ways to ask it something."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from scenario_tests.api_client import ApiClient
from scenario_tests.harness import Harness
from scenario_tests.order_under_test import OrderUnderTest
from scenario_tests.reported_faults.wire import Heard, Wire
from scenario_tests.shop import Shop

PLACES = (
    ("/shop/products", "shop"),
    ("/shop/carts", "shop"),
    ("/risk", "risk"),
    ("/payment", "payment"),
    ("/fulfillment", "fulfillment"),
)
"""Which service a path is asked of, by its beginning; ShopManager has the others."""
JSON = "Content-Type: application/json"


class Place:
    """`shop` has names of this case's own."""

    def __init__(self, harness: Harness, api: ApiClient, suffix: str) -> None:
        self.harness = harness
        self.api = api
        self.keys = harness.keys
        self.shop = Shop(harness, api, suffix)

    def name(self, word: str) -> str:
        """This case's own id for that."""
        return f"{word}-{self.shop.suffix}"

    def ask(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer, to the shop's backend unless `key` says otherwise; empty: to nobody."""
        return self.api.ask(method, service_of(path), path, self.keys.server if key is None else key, content, headers)

    def short(self, method: str, path: str, content: Any = None, **more: Any) -> str:
        return short(self.ask(method, path, content, **more))

    def send(self, method: str, path: str, body: bytes, *headers: str) -> str:
        """The short answer to exactly these bytes, sent by the shop's backend."""
        return self.heard(method, path, self.bearer, *headers, body=body).short

    def heard(self, method: str, path: str, *headers: str, body: bytes = b"") -> Heard:
        """The answer to exactly this, by nobody in particular."""
        with self.wire(path) as wire:
            return wire.asks(method, path, *headers, body=body).hears()

    def wire(self, path: str = "/shop/session") -> Wire:
        return Wire(self.harness.url_of(service_of(path)))

    @property
    def bearer(self) -> str:
        """The backend's line of a request."""
        return f"Authorization: Bearer {self.keys.server}"

    def opens(self, **request: Any) -> OrderUnderTest:
        """A new session of the shop's backend for a guest."""
        return self.shop.guest().comes_in(**request)

    def session_with_bones(self, many: int = 1, **request: Any) -> OrderUnderTest:
        """A guest who has brought an order along, and waits to pay."""
        self.shop.stocks("BONE", 100)
        return self.shop.guest().orders({"BONE": many}, **request).waits_for("pay")


def service_of(path: str) -> str:
    return next((service for beginning, service in PLACES if path.startswith(beginning)), "shop_manager")


def short(answer: httpx.Response) -> str:
    """`404 not_found`, `200`."""
    problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    return f"{answer.status_code} {answer.json()['code']}" if problem else f"{answer.status_code}"


def as_bytes(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
