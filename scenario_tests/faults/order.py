"""One order of a crowd: a person with patience, who asks again when a door is closed, and what they expect to happen.

What a door has granted is believed: an order that then ends otherwise has been lied to (I13).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from scenario_tests.clerk_on_stage import ENDED
from scenario_tests.wire import Wire

LATER = frozenset({429, 503})
"""What a door may say in trouble: come again."""
Act = Callable[["Order"], None]


@dataclass(frozen=True, slots=True)
class Fate:
    """What a person brings along and does, and how it ends: a status, and the failure's code."""

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
class Order:
    """From the first knock at the door to the end. `key` is its Idempotency-Key."""

    wire: Wire
    fate: Fate
    key: str
    session: dict[str, Any] = field(default_factory=dict)
    granted: set[str] = field(default_factory=set)
    knocked: int = 0
    """How often a door was closed."""

    @property
    def id(self) -> str:
        return str(self.session.get("id", ""))

    @property
    def has_ended(self) -> bool:
        return self.session.get("status") in ENDED

    def goes_on(self) -> None:
        """Does whatever can be done now: opens, looks, pays, cancels; the warehouse ships."""
        if not self.session:
            self._open()
        elif not self.has_ended:
            self._look()
            self._act()

    def told_wrong(self) -> str | None:
        """What is wrong with its end; None when it is as it should be."""
        failure = self.session["failure"] or {}
        end = (self.session["status"], failure.get("code") if self.fate.ends[1] else None)
        return None if end == self.fate.ends else f"{self.id} ({self.fate.name}) ended as {end}, not {self.fate.ends}"

    def _open(self) -> None:
        body: dict[str, Any] = {"currency": "EUR", "items": [{"sku": self.fate.sku, "quantity": self.fate.quantity}]}
        body |= {"payment": {"token": self.fate.token}} if self.fate.token else {}
        body |= {name: value for name in ("shop", "customer") if (value := getattr(self.fate, name))}
        headers = {"Idempotency-Key": self.key}
        answer = self.ask("POST", "shop_manager", "/shop/session", self.wire.stage.keys.server, body, headers)
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
        turn = (self.session["next_action"] or {}).get("type")
        if turn == "pay" and self.fate.changes_their_mind:
            self._do("cancel", "shop_manager", f"/shop/session/{self.id}/cancel", self._secret)
        elif turn == "pay" and self.fate.pays:
            self._do("pay", "payment", f"/payment/{self.id}", self._secret, {"token": "tok_ok"})
        elif {"step": "shipping", "state": "waiting"}.items() <= self._step("shipping").items():
            parcel = {"carrier": "Sled", "tracking": "SLED-1"}
            self._do("ship", "fulfillment", f"/fulfillment/{self.id}/ship", self.wire.stage.keys.warehouse, parcel)

    def _do(self, act: str, service: str, path: str, key: str, body: Any = None) -> None:
        """Refusals are no harm: somebody else was quicker, or it was done already and the answer was lost."""
        answer = self.ask("POST", service, path, key, body)
        if answer is not None and answer.status_code < 300:
            self.granted.add(act)

    def ask(
        self, method: str, service: str, path: str, key: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response | None:
        """None when the door was closed, for whatever reason; a broken answer (500) is nobody's patience's business."""
        try:
            answer = self.wire.ask(method, service, path, key, body, headers)
        except httpx.TransportError:
            self.knocked += 1
            return None
        if answer.status_code in LATER:
            self.knocked += 1
            return None
        assert answer.status_code < 500, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer

    def _step(self, name: str) -> dict[str, Any]:
        return next((each for each in self.session["progress"] if each["step"] == name), {})
