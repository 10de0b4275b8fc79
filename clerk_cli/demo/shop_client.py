"""The demo's HTTP client of the shop: its public API, with the server key and an operator's key, and `/dev/faults`.

What the demo's customers do may be refused, as in a real shop; anything else that fails raises CallFailed.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from clerk_cli.data_folder import Credentials
from clerk_cli.demo.goods import Good
from clerk_cli.demo.people import Person

TIMEOUT = 10.0


class CallFailed(Exception):
    """A call was refused or got no response: the story that made it ends here."""


class ShopClient:
    """To be used by one thread. `transport` replaces the network in tests."""

    def __init__(self, url: str, keys: Credentials, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT, trust_env=False, transport=transport)
        self._server = {"Authorization": f"Bearer {keys.server_key}"}
        self._operator = {"Authorization": f"Bearer {keys.operator_key}"}

    # --- the shop's backend ----------------------------------------------------------------------------------------

    def put_product(self, good: Good, on_hand: int) -> None:
        """Put an article into the catalogue, and its stock if it is a physical one."""
        content = {"name": good.name, "unit_amount": good.unit_amount, "currency": "EUR", "kind": good.kind}
        self._must("PUT", f"/shop/products/{good.sku}", content)
        if good.kind == "physical":
            self.set_stock(good.sku, on_hand)

    def set_stock(self, sku: str, on_hand: int) -> None:
        self._must("PUT", f"/fulfillment/stock/{sku}", {"on_hand": on_hand})

    def put_customer(self, person: Person) -> None:
        content = {"name": person.name, "email": person.email, "type": person.type}
        self._must("PUT", f"/shop/customers/{person.id}", content)
        self._must("PUT", f"/risk/customers/{person.id}", {"limit": person.limit})

    def products(self) -> list[Good]:
        """All that is offered."""
        names = ("sku", "name", "unit_amount", "kind")
        found = self._must("GET", "/shop/products?limit=200")["data"]
        return [Good(*(each[name] for name in names)) for each in found]

    # --- customers -------------------------------------------------------------------------------------------------

    def open_session(self, **wanted: Any) -> str:
        """Open a session with these fields, those that are None left out; returns its id."""
        content = {name: value for name, value in wanted.items() if value is not None}
        return str(self._must("POST", "/shop/session", content)["id"])

    def session(self, session: str) -> dict[str, Any]:
        found: dict[str, Any] = self._must("GET", f"/shop/session/{session}")
        return found

    def put_in_cart(self, session: str, items: Sequence[Mapping[str, Any]]) -> None:
        """Put these articles into the cart."""
        for item in items:
            self._request("PUT", f"/shop/carts/{session}/items/{item['sku']}", {"quantity": item["quantity"]})

    def place_order(self, session: str) -> None:
        self._request("POST", f"/shop/carts/{session}/order")

    def pay(self, session: str, token: str) -> None:
        """Whether it is accepted or declined is not looked at: a customer may try again."""
        self._request("POST", f"/payment/{session}", {"token": token})

    def cancel(self, session: str) -> None:
        self._request("POST", f"/shop/session/{session}/cancel")

    # --- faults, and what they lead to -----------------------------------------------------------------------------

    def put_fault(self, service: str, fault: str, **narrowed: Any) -> None:
        """Put a fault in force (docs/faults.md); `narrowed`: only at this step, Clerk, attempt …"""
        self._must("POST", "/dev/faults", {"service": service, "fault": fault, **narrowed})

    def send_raw(self, service: str, body: bytes) -> None:
        self.put_fault(service, "send_raw", bytes=b64encode(body).decode())

    def stuck(self) -> dict[str, int]:
        """How many Clerks are stuck, by kind."""
        found: dict[str, int] = {}
        for cause in self._must("GET", "/ops/summary", headers=self._operator)["stuck"]["causes"]:
            found[cause["kind"]] = found.get(cause["kind"], 0) + cause["count"]
        return found

    # --- requests --------------------------------------------------------------------------------------------------

    def _must(self, method: str, path: str, content: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """The response's JSON; raises CallFailed when it is an error."""
        response = self._request(method, path, content, headers)
        if not response.is_success:
            raise CallFailed(f"{method} {path}: {response.status_code} {response.text[:200]}")
        return response.json()

    def _request(
        self, method: str, path: str, content: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        try:
            return self._client.request(method, path, json=content, headers=headers or self._server)
        except httpx.HTTPError as error:
            raise CallFailed(f"{method} {path}: {type(error).__name__}") from None
