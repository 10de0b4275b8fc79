"""One order of a scenario test, over HTTP: what its customer does, what can be read of it, what is expected."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from time import monotonic
from typing import Any, Self

from domain.times import from_wire
from scenario_tests.api_client import ApiClient, Refusal, content_of
from scenario_tests.waiting import LIMIT, until

ENDED = frozenset({"completed", "failed", "canceled", "expired"})
SHOWN = frozenset({"done", "refused", "undone"})
"""The history lines that `went_through` compares; the others are technical."""
POLL = 1
"""Seconds of one long poll. Some ends do not change the session's version: they are seen when the poll is over."""


class OrderUnderTest:
    """A session and its client secret. Every method that waits gives up after a limit and shows the timeline."""

    def __init__(self, api: ApiClient, opened: Mapping[str, Any], sku_of: Callable[[str], str]) -> None:
        self._api = api
        self._sku_of = sku_of
        self.id: str = opened["id"]
        self.secret: str = opened["client_secret"]
        self.expires_at = from_wire(opened["expires_at"])
        self._opened = opened
        self._version = 0

    def seen_by(self, api: ApiClient) -> OrderUnderTest:
        """The same session, seen through another ApiClient: that of a second ShopManager."""
        return OrderUnderTest(api, self._opened, self._sku_of)

    # --- what the customer does --------------------------------------------------------------------------------------

    def fills_cart(self, items: Mapping[str, int]) -> Self:
        for word, quantity in items.items():
            path = f"/shop/carts/{self.id}/items/{self._sku_of(word)}"
            content_of(self._api.ask("PUT", "shop", path, self.secret, {"quantity": quantity}), 200)
        return self

    def places_order(self, total: int | None = None) -> Self:
        """`total`: what the customer has seen that it comes to."""
        assert self.tries_to_order(total) is None
        return self

    def pays(self, token: str = "tok_ok") -> Self:
        """Pay at the payment step, as soon as it is there."""
        self.waits_for("pay")
        assert self.tries_to_pay(token) is None
        return self

    def cancels(self) -> Self:
        assert self.tries_to_cancel() is None
        return self

    def tries_to_order(self, total: int | None = None) -> Refusal | None:
        seen = None if total is None else {"expected_total": total}
        return self._api.try_post("shop", f"/shop/carts/{self.id}/order", self.secret, seen)

    def tries_to_pay(self, token: str, at: str = "payment") -> Refusal | None:
        """`at` ShopManager, as the outside does, or at the service itself."""
        return self._api.try_post(at, f"/payment/{self.id}", self.secret, {"token": token})

    def tries_to_cancel(self) -> Refusal | None:
        return self._api.try_post("shop_manager", f"/shop/session/{self.id}/cancel", self.secret)

    def is_watched(self) -> AbstractContextManager[Refusal | None]:
        """Somebody with the session's secret follows its events while the block lasts; the refusal of who may not."""
        return self._api.stream("shop_manager", f"/shop/session/{self.id}/events", self.secret)

    def outlives_its_deadline(self) -> Self:
        """Wait until the session's time, as its customer was told it, is over."""
        moment = self.expires_at
        until(lambda: time.time() * 1000 > moment, "the session's deadline passes")
        return self

    # --- what the shop does ------------------------------------------------------------------------------------------

    def is_expired_by_the_shop(self) -> Refusal | None:
        path = f"/shop/session/{self.id}/expire"
        return self._api.try_post("shop_manager", path, self._api.harness.keys.server)

    def gets_shipped(self) -> Self:
        """The warehouse ships, as soon as the goods are called for."""
        self.is_at("shipping", "waiting")
        path, shipment = f"/fulfillment/{self.id}/ship", {"carrier": "Sled", "tracking": f"SLED-{self.id[4:]}"}
        key = self._api.harness.keys.warehouse
        self._until(lambda: self._api.try_post("fulfillment", path, key, shipment) is None, "the warehouse may ship")
        return self

    # --- what is to be seen ------------------------------------------------------------------------------------------

    def session(self) -> dict[str, Any]:
        seen = content_of(self._api.ask("GET", "shop_manager", f"/shop/session/{self.id}", self.secret), 200)
        return self._not_backwards(seen)

    def document(self) -> dict[str, Any]:
        """The whole Clerk document, for the shop's backend."""
        found: dict[str, Any] = self._api.get(
            "shop_manager", f"/shop/session/{self.id}/clerk", self._api.harness.keys.server
        )
        return found

    def payment(self) -> dict[str, Any]:
        found: dict[str, Any] = self._api.get("payment", f"/payment/{self.id}", self.secret)
        return found

    def timeline(self) -> list[dict[str, Any]]:
        """Every line of the history, as operators see it, the oldest first."""
        path = f"/ops/clerks/{self.id}/timeline?limit=200"
        lines: list[dict[str, Any]] = self._api.get("shop_manager", path, self._api.harness.keys.operator)["data"]
        return lines

    def for_operators(self) -> dict[str, Any]:
        found: dict[str, Any] = self._api.get("shop_manager", f"/ops/clerks/{self.id}", self._api.harness.keys.operator)
        return found

    def ignored(self) -> list[str]:
        """Why replies were ignored, in order."""
        return [line["reason"] for line in self.timeline() if line["what"] == "ignored"]

    def is_helped(self, action: str, seen: int | None = None, **what: Any) -> Refusal | None:
        """An operator acts on it, with its present version (or the one given) in If-Match. None when it was done."""
        version = self.for_operators()["version"] if seen is None else seen
        answer = self._api.ask(
            "POST",
            "shop_manager",
            f"/ops/clerks/{self.id}/actions",
            self._api.harness.keys.operator,
            {"action": action, "reason": "seen by the night shift", **what},
            {"If-Match": f'"{version}"'},
        )
        return None if answer.status_code == 200 else Refusal(answer.status_code, answer.json()["code"])

    # --- what must become of it --------------------------------------------------------------------------------------

    def becomes(self, status: str, because: str | None = None, limit: float = LIMIT) -> Self:
        """Wait until the session has this status; `because` is its failure's code."""
        seen = self._wait(lambda session: session["status"] == status, f"becomes {status}", limit)
        if because is not None:
            code = (seen["failure"] or {}).get("code")
            assert code == because, self._with_timeline(f"became {status} because of {code}, not of {because}")
        return self

    def is_at(self, step: str, state: str, limit: float = LIMIT) -> Self:
        """Wait until a step is so far, e.g. `("credit", "asked")`."""
        self._wait(
            lambda session: (
                {"step": step, "state": state}.items()
                <= next((each for each in session["progress"] if each["step"] == step), {}).items()
            ),
            f"{step} is {state}",
            limit,
        )
        return self

    def waits_for(self, act: str) -> Self:
        """Wait until it is the customer's turn to `place_order` or `pay`, and the service that they turn to knows it.

        ShopManager tells the customer a moment before it has asked the service.
        """
        self._wait(
            lambda session: (session["next_action"] or {}).get("type") == act, f"the customer's turn: {act}", LIMIT
        )
        if act == "pay":
            path = f"/payment/{self.id}"
            self._until(
                lambda: self._api.ask("GET", "payment", path, self.secret).status_code == 200, "payment is asked"
            )
        return self

    def is_stuck(self, kind: str, limit: float = LIMIT) -> Self:
        """Wait until operators see it stuck, and assert that this is the cause; its customer never sees it (E3)."""
        self._until(lambda: self.for_operators()["stuck"] is not None, f"stuck: {kind}", limit)
        seen = self.for_operators()["stuck"]["kind"]
        assert seen == kind, self._with_timeline(f"is stuck: {seen}, not {kind}")
        assert self.session()["status"] in ("processing", "canceling")
        return self

    def has_ignored(self, reason: str, limit: float = LIMIT) -> Self:
        """Wait until a reply was ignored for a reason that begins so: `late`, `repeated`, `not asked`."""
        self._until(lambda: any(why.startswith(reason) for why in self.ignored()), f"ignored a reply: {reason}", limit)
        return self

    def has_been_told(self, what: str, step: str, limit: float = LIMIT) -> Self:
        """Wait until its timeline has such a line of this step, e.g. `("do_failed", "settle")`."""
        self._until(
            lambda: any((line["what"], line["step"]) == (what, step) for line in self.timeline()),
            f"{what} of {step}",
            limit,
        )
        return self

    def is_not_stuck(self) -> Self:
        assert self.for_operators()["stuck"] is None, self._with_timeline("is stuck")
        return self

    def went_through(self, *steps: str) -> Self:
        """Exactly this, in this order: `"shopping done"`, `"payment refused"`, `"shopping undone"`, …"""
        went = tuple(f"{line['step']} {line['what']}" for line in self.timeline() if line["what"] in SHOWN)
        assert went == steps, self._with_timeline(f"went through {', '.join(went)}")
        return self

    # --- waiting -----------------------------------------------------------------------------------------------------

    def _wait(self, state: Callable[[dict[str, Any]], bool], what: str, limit: float) -> dict[str, Any]:
        """Long-poll until the session is so; an end that is not what was waited for fails at once."""
        end = monotonic() + limit
        seen = self.session()
        while not state(seen):
            if seen["status"] in ENDED or monotonic() > end:
                raise AssertionError(
                    self._with_timeline(f"did not come within {limit} s: {what}; it is {seen['status']}")
                )
            seen = self._next_session(seen)
        return seen

    def _next_session(self, seen: dict[str, Any]) -> dict[str, Any]:
        headers = {"If-None-Match": f'"{seen["version"]}"', "Prefer": f"wait={POLL}"}
        path = f"/shop/session/{self.id}"
        answer = self._api.ask("GET", "shop_manager", path, self.secret, headers=headers)
        return seen if answer.status_code == 304 else self._not_backwards(content_of(answer, 200))

    def _not_backwards(self, seen: dict[str, Any]) -> dict[str, Any]:
        """A client never sees the order go backwards (I13)."""
        assert seen["version"] >= self._version, f"version {seen['version']} was shown after {self._version}"
        self._version = seen["version"]
        return seen

    def _until(self, state: Callable[[], bool], what: str, limit: float = LIMIT) -> None:
        until(state, lambda: self._with_timeline(what), limit)

    def _with_timeline(self, what: str) -> str:
        """The text of a failed assertion: what is wrong, and the order's timeline."""
        lines = [f"  {' '.join(str(part) for part in line.values() if part)}" for line in self.timeline()]
        return "\n".join([f"{self.id} {what}. Its timeline:", *lines])
