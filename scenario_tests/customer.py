"""A customer of the scenario tests, known or a guest, who opens sessions; and a stranger, who shows no key for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scenario_tests.api_client import ApiClient, Refusal, content_of
from scenario_tests.order_under_test import OrderUnderTest

CURRENCY = "EUR"


class Customer:
    """`known`: the customer's id, None for a guest. `token`: the card token that is sent along with an order."""

    def __init__(self, api: ApiClient, known: str | None, token: str | None, sku_of: Callable[[str], str]) -> None:
        self.known = known
        self.token = token
        self._api = api
        self._sku_of = sku_of

    def comes_in(self, **request: Any) -> OrderUnderTest:
        """Opens an empty session: cart, order and payment follow as the customer's own requests."""
        return self._open(request)

    def orders(self, items: Mapping[str, int], **request: Any) -> OrderUnderTest:
        """Opens a session that has the order in it already, and the card token, if there is one."""
        wanted = [{"sku": self._sku_of(word), "quantity": quantity} for word, quantity in items.items()]
        return self._open({"items": wanted, **request})

    def _open(self, request: Mapping[str, Any]) -> OrderUnderTest:
        body = {"currency": CURRENCY, **request}
        if self.token and "payment" not in body:
            body["payment"] = {"token": self.token}
        if self.known:
            body["customer"] = self.known
        answer = self._api.ask("POST", "shop_manager", "/shop/session", self._api.harness.keys.server, body)
        return OrderUnderTest(self._api, content_of(answer, 201), self._sku_of)


class Stranger:
    """Somebody who calls the shop directly, without any key: what the shop's own web page does for a guest."""

    def __init__(self, api: ApiClient, sku_of: Callable[[str], str]) -> None:
        self._api = api
        self._sku_of = sku_of

    def comes_in(self, key: str | None = None) -> OrderUnderTest:
        """Opens an empty session; `key` is the Idempotency-Key."""
        found = self.tries_to_come_in(key)
        assert isinstance(found, OrderUnderTest), f"a stranger was refused: {found}"
        return found

    def tries_to_come_in(self, key: str | None = None) -> OrderUnderTest | Refusal:
        headers = {"Idempotency-Key": key} if key else {}
        answer = self._api.ask("POST", "shop_manager", "/shop/session", "", {"currency": CURRENCY}, headers)
        if answer.status_code != 201:
            return Refusal(answer.status_code, answer.json()["code"])
        return OrderUnderTest(self._api, answer.json(), self._sku_of)
