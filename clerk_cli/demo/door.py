"""The demo's hand on the shop: its public API with the shop's, the operator's and the customers' keys, and the faults.

Refusals are part of the play and come back as they are; what is no answer at all is NotServed.
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
OK = range(200, 300)


class NotServed(Exception):
    """The shop has no time for us, or is gone: this visit ends here."""


class Door:
    """For one thread. `transport` replaces the network."""

    def __init__(self, url: str, keys: Credentials, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT, trust_env=False, transport=transport)
        self._shop = {"Authorization": f"Bearer {keys.server_key}"}
        self._operator = {"Authorization": f"Bearer {keys.operator_key}"}

    # --- the shop's backend ----------------------------------------------------------------------------------------

    def offers(self, good: Good, on_hand: int) -> None:
        """An article of the shop, and how many of it are in the house."""
        content = {"name": good.name, "unit_amount": good.unit_amount, "currency": "EUR", "kind": good.kind}
        self._must("PUT", f"/shop/products/{good.sku}", content)
        if good.kind == "physical":
            self.stocks(good.sku, on_hand)

    def stocks(self, sku: str, on_hand: int) -> None:
        self._must("PUT", f"/fulfillment/stock/{sku}", {"on_hand": on_hand})

    def knows(self, person: Person) -> None:
        content = {"name": person.name, "email": person.email, "type": person.type}
        self._must("PUT", f"/shop/customers/{person.id}", content)
        self._must("PUT", f"/risk/customers/{person.id}", {"limit": person.limit})

    def products(self) -> list[Good]:
        """All that is offered."""
        names = ("sku", "name", "unit_amount", "kind")
        found = self._must("GET", "/shop/products?limit=200")["data"]
        return [Good(*(each[name] for name in names)) for each in found]

    # --- customers -------------------------------------------------------------------------------------------------

    def opens(self, **wanted: Any) -> str:
        """The id of a new session with these fields of the opening request; those that are None are left out."""
        content = {name: value for name, value in wanted.items() if value is not None}
        return str(self._must("POST", "/shop/session", content)["id"])

    def session(self, session: str) -> dict[str, Any]:
        found: dict[str, Any] = self._must("GET", f"/shop/session/{session}")
        return found

    def puts(self, session: str, items: Sequence[Mapping[str, Any]]) -> None:
        """These articles into the cart."""
        for item in items:
            self._ask("PUT", f"/shop/carts/{session}/items/{item['sku']}", {"quantity": item["quantity"]})

    def orders(self, session: str) -> None:
        self._ask("POST", f"/shop/carts/{session}/order")

    def pays(self, session: str, token: str) -> None:
        """Declined or not: a customer may try again."""
        self._ask("POST", f"/payment/{session}", {"token": token})

    def cancels(self, session: str) -> None:
        self._ask("POST", f"/shop/session/{session}/cancel")

    # --- whoever makes trouble, and looks at it --------------------------------------------------------------------

    def harms(self, service: str, fault: str, **narrowed: Any) -> None:
        """Put a fault in force, as anybody on this machine may (docs/faults.md)."""
        self._must("POST", "/dev/faults", {"service": service, "fault": fault, **narrowed})

    def sends_raw(self, service: str, body: bytes) -> None:
        self.harms(service, "send_raw", bytes=b64encode(body).decode())

    def stuck(self) -> dict[str, int]:
        """How many are stuck, by kind."""
        found: dict[str, int] = {}
        for cause in self._must("GET", "/ops/summary", headers=self._operator)["stuck"]["causes"]:
            found[cause["kind"]] = found.get(cause["kind"], 0) + cause["count"]
        return found

    # --- the way there ---------------------------------------------------------------------------------------------

    def _must(self, method: str, path: str, content: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """The answer's JSON; NotServed when it was refused."""
        answer = self._ask(method, path, content, headers)
        if answer.status_code not in OK:
            raise NotServed(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer.json()

    def _ask(
        self, method: str, path: str, content: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        try:
            return self._client.request(method, path, json=content, headers=headers or self._shop)
        except httpx.HTTPError as error:
            raise NotServed(f"{method} {path}: {type(error).__name__}") from None
