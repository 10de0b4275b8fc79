"""One order of the load generator: its client repeats requests that fail, and knows how the order must end.

A request that was granted with a 2xx must be true: an order that then ends otherwise breaks I13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from scenario_tests.api_client import ApiClient
from scenario_tests.order_under_test import ENDED

LATER = frozenset({429, 503})
"""The statuses that ask a client to come again later."""
Act = Callable[["LoadOrder"], None]


@dataclass(frozen=True, slots=True)
class OrderProfile:
    """What a client orders and does, and how that must end (`ends`): a status, and the failure's code."""

    name: str
    sku: str
    quantity: int
    ends: tuple[str, str | None]
    token: str | None = None
    shop: str | None = None
    customer: str | None = None
    pays: bool = False
    changes_their_mind: bool = False


@dataclass(eq=False)
class LoadOrder:
    """From the first request to the end. `key` is its Idempotency-Key."""

    api: ApiClient
    profile: OrderProfile
    key: str
    session: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.session.get("id", ""))

    @property
    def has_ended(self) -> bool:
        return self.session.get("status") in ENDED

    def goes_on(self) -> None:
        """Sends whatever request is due now: open, read, pay, cancel; or the warehouse's shipping."""
        if not self.session:
            self._open()
        elif not self.has_ended:
            self._look()
            self._act()

    def told_wrong(self) -> str | None:
        """What is wrong with its end; None when it is as expected."""
        failure = self.session["failure"] or {}
        end = (self.session["status"], failure.get("code") if self.profile.ends[1] else None)
        return (
            None
            if end == self.profile.ends
            else f"{self.id} ({self.profile.name}) ended as {end}, not {self.profile.ends}"
        )

    def _open(self) -> None:
        body: dict[str, Any] = {
            "currency": "EUR",
            "items": [{"sku": self.profile.sku, "quantity": self.profile.quantity}],
        }
        body |= {"payment": {"token": self.profile.token}} if self.profile.token else {}
        body |= {name: value for name in ("shop", "customer") if (value := getattr(self.profile, name))}
        headers = {"Idempotency-Key": self.key}
        answer = self.ask("POST", "shop_manager", "/shop/session", self.api.harness.keys.server, body, headers)
        if answer is None or (answer.status_code == 409 and answer.json()["code"] == "idempotency_in_flight"):
            return
        assert answer.status_code == 201, f"an order was not opened: {answer.status_code} {answer.text[:300]}"
        self.session = answer.json()
        self._secret = self.session["client_secret"]

    def _look(self) -> None:
        answer = self.ask("GET", "shop_manager", f"/shop/session/{self.id}", self._secret)
        if answer is None:
            return
        assert answer.status_code == 200, f"{self.id} was granted, and is not there: {answer.status_code} {answer.text}"
        seen = answer.json()
        assert seen["version"] >= self.session["version"], f"{self.id} went backwards to {seen['version']}"
        self.session = seen

    def _act(self) -> None:
        """The next request. A refusal is all right: it was done already, and the answer was lost."""
        turn = (self.session["next_action"] or {}).get("type")
        if turn == "pay" and self.profile.changes_their_mind:
            self.ask("POST", "shop_manager", f"/shop/session/{self.id}/cancel", self._secret)
        elif turn == "pay" and self.profile.pays:
            self.ask("POST", "payment", f"/payment/{self.id}", self._secret, {"token": "tok_ok"})
        elif {"step": "shipping", "state": "waiting"}.items() <= self._step("shipping").items():
            shipment, key = {"carrier": "Sled", "tracking": "SLED-1"}, self.api.harness.keys.warehouse
            self.ask("POST", "fulfillment", f"/fulfillment/{self.id}/ship", key, shipment)

    def ask(
        self, method: str, service: str, path: str, key: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response | None:
        """The answer; None when there was none, or one that says later. An answer of 500 fails the test."""
        try:
            answer = self.api.ask(method, service, path, key, body, headers)
        except httpx.TransportError:
            return None
        if answer.status_code in LATER:
            return None
        assert answer.status_code < 500, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer

    def _step(self, name: str) -> dict[str, Any]:
        return next((each for each in self.session["progress"] if each["step"] == name), {})
