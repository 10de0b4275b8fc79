"""Somebody who comes into the shop, with a name or without, and what they bring along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scenario_tests.clerk_on_stage import ClerkOnStage
from scenario_tests.wire import Wire, content_of

CURRENCY = "EUR"


class Customer:
    """Somebody who orders. `token`: the card that is brought along with an order."""

    def __init__(self, wire: Wire, known: str | None, token: str | None, sku_of: Callable[[str], str]) -> None:
        self.known = known
        self.token = token
        self._wire = wire
        self._sku_of = sku_of

    def comes_in(self, **wishes: Any) -> ClerkOnStage:
        """Opens a session and does everything by hand."""
        return self._open(wishes)

    def orders(self, items: Mapping[str, int], **wishes: Any) -> ClerkOnStage:
        """Opens a session that brings its order along (and the card, if there is one)."""
        wanted = [{"sku": self._sku_of(word), "quantity": quantity} for word, quantity in items.items()]
        return self._open({"items": wanted, **wishes})

    def _open(self, wishes: Mapping[str, Any]) -> ClerkOnStage:
        body = {"currency": CURRENCY, **wishes}
        if self.token and "payment" not in body:
            body["payment"] = {"token": self.token}
        if self.known:
            body["customer"] = self.known
        answer = self._wire.ask("POST", "shop_manager", "/shop/session", self._wire.stage.keys.server, body)
        return ClerkOnStage(self._wire, content_of(answer, 201), self._sku_of)
