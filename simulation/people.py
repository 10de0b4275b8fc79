"""The people of a simulated shop: customers who order, pay, think, leave and cancel, and those of the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from domain.messages import SHOP_MANAGER
from domain.refusals import Refused
from fulfillment_service.shipment import ShippingLabel
from http_api.principals import Principal
from payment_service.use_cases import PaymentAnswer, TooManyDeclined
from shop_manager.saga.happenings import Cancelled, Expired
from shop_manager.sessions.opening import Caller, Opened
from shop_manager.sessions.opening_request import Item, OpenSession, PaymentMeans
from simulation.operators import SimulatedOperator
from simulation.participants import SimulatedParticipant
from simulation.run_context import RunContext
from simulation.runtime import Runtime
from simulation.scenario import SimulatedOrder

SHOP = Caller(Principal("server", name="shop", key_id="shop"))
TURNS = {"shopping": "order", "payment": "pay", "collect": "pay"}
"""By step: what the customer does when the Clerk waits for him there."""
MAX_TRIES = 40
"""How often a customer tries again what did not work."""
LIVE_CLERKS = """SELECT id, step, waiting_for, status, stuck_since, version FROM clerks
    WHERE wake_at IS NOT NULL ORDER BY id"""


class SimulatedCustomer:
    """A customer with one order. `clerk`: its id, empty until the response to the opening has arrived."""

    def __init__(
        self, runtime: Runtime, number: int, order: SimulatedOrder, customers: dict[str, SimulatedCustomer]
    ) -> None:
        self.context: RunContext = runtime.context
        self.runtime = runtime
        self.number = number
        self.order = order
        self.clerk = ""
        self._customers = customers
        self._token = order.token
        self._acted: set[str] = set()
        self._interrupted = False

    def opens(self) -> None:
        order = self.order
        items = [Item(sku=sku, quantity=count) for sku, count in order.items.items()]
        body = OpenSession(
            customer=order.customer,
            shop=order.shop,
            items=items if order.brings else None,
            payment=PaymentMeans(token=self._token) if order.brings else None,
            expires_in=order.expires_in and order.expires_in * 60,
        )
        key = f"order-{self.number}"
        self.runtime.call(
            SHOP_MANAGER, "opens", lambda p: p.opening and p.opening.open(body, SHOP, key, None), self._opened
        )

    def _opened(self, opened: Opened) -> None:
        self.clerk = opened.session["id"]
        self.context.confirm("opened", self.clerk, self.number)
        self._customers[self.clerk] = self

    # --- what he sees ----------------------------------------------------------------------------------------------

    def sees(self, step: str, waiting_for: str) -> None:
        """His Clerk is at this step now, and waits for somebody."""
        if waiting_for == "customer" and step in TURNS and step not in self._acted and step != self.order.leaves_at:
            self._acted.add(step)
            self.context.later(self.order.thinks, f"customer {self.number}'s turn", lambda: self._acts(step, MAX_TRIES))
        self._interrupts(step)
        if step == self.order.mutes:
            self.runtime.mute(step)

    def _interrupts(self, step: str) -> None:
        """He cancels, or the shop ends the session."""
        if self._interrupted or step not in (self.order.calls_off_at, self.order.expires_at):
            return
        self._interrupted = True
        happening = Cancelled() if step == self.order.calls_off_at else Expired()

        def act(p: SimulatedParticipant) -> Any:
            return p.manager and p.manager.execute(self.clerk, happening)

        def call() -> None:
            self.runtime.call(SHOP_MANAGER, "wishes", act, lambda _: None)

        wait = self.context.pause(f"interrupt/{self.number}", 0, 40)
        self.context.later(wait, f"customer {self.number} ends it", call)

    # --- what he does ----------------------------------------------------------------------------------------------

    def _acts(self, step: str, tries: int) -> None:
        if tries and not self.context.is_over(self.clerk):
            act = self._fills_and_orders if TURNS[step] == "order" else self._pays
            act(lambda: self._again(step, tries - 1))

    def _again(self, step: str, tries: int) -> None:
        wait = self.context.pause(f"again/{self.number}/{step}/{tries}", 200, 2_000)
        self.context.later(wait, f"customer {self.number} again", lambda: self._acts(step, tries))

    def _fills_and_orders(self, again: Callable[[], None]) -> None:
        clerk = self.clerk

        def act(p: SimulatedParticipant) -> Any:
            if p.cart is None or not self.context.has_cart(clerk):
                return None
            for sku, count in self.order.items.items():
                put = p.cart.put(clerk, sku, min(count, 999))
                if isinstance(put, Refused):
                    return put
            return p.cart.order(clerk)

        def on_answer(outcome: Any) -> None:
            if outcome is None:
                again()
            elif not isinstance(outcome, Refused):
                self.context.confirm("ordered", clerk, outcome["total"])

        self.runtime.call("shop", "orders", act, on_answer)

    def _pays(self, again: Callable[[], None]) -> None:
        clerk = self.clerk

        def act(p: SimulatedParticipant) -> PaymentAnswer | Refused | TooManyDeclined | None:
            payment = p.payments.find(clerk, lambda _secret: True) if p.payments else None
            if p.payments is None or payment is None:
                return None
            if payment.declined:
                self._token = "tok_ok"  # noqa: S105  a name, not a secret
            return p.payments.pay(clerk, self._token)

        def on_answer(outcome: PaymentAnswer | Refused | TooManyDeclined | None) -> None:
            code = outcome.code if isinstance(outcome, Refused) else ""
            status = outcome.status if isinstance(outcome, PaymentAnswer) else ""
            if outcome is None or status == "authorizing" or code == "card_declined":
                again()
            elif isinstance(outcome, PaymentAnswer):
                self.context.confirm("paid", clerk, outcome.status)

        self.runtime.call("payment", "pays", act, on_answer)


class WarehouseStaff:
    """Ships by hand what it finds on its list, some time later; now and then twice."""

    def __init__(self, runtime: Runtime, after: int) -> None:
        self.context = runtime.context
        self.runtime = runtime
        self.after = after
        self._seen: set[str] = set()

    def looks(self) -> None:
        context = self.context
        for (session,) in context.stores.peek(
            "fulfillment", "SELECT session FROM shipments WHERE status = 'requested' ORDER BY session"
        ):
            if session not in self._seen:
                self._seen.add(session)
                twice = context.pause(f"ships twice/{session}", 1, 5) == 1
                for number in range(2 if twice else 1):
                    wait = self.after + context.pause(f"ships/{session}/{number}", 0, 5_000)
                    context.later(wait, "the warehouse ships", partial(self._ships, session))

    def _ships(self, session: str) -> None:
        label = ShippingLabel("Dog Sled", f"T-{session[-6:]}")

        def act(p: SimulatedParticipant) -> Any:
            return p.shipping and p.shipping.ship({session: label})[session]

        def on_answer(outcome: Any) -> None:
            if outcome is not None and not isinstance(outcome, Refused):
                self.context.confirm("shipped", session, outcome.tracking)

        self.runtime.call("fulfillment", "ships", act, on_answer)


class SimulatedPeople:
    """Everybody of one run. `customers`: those whose session is open, by Clerk."""

    def __init__(self, runtime: Runtime) -> None:
        scenario = runtime.context.scenario
        self.context = runtime.context
        self.customers: dict[str, SimulatedCustomer] = {}
        self.warehouse = WarehouseStaff(runtime, scenario.ships_after)
        self.operator = SimulatedOperator(runtime, scenario.operator)
        self._last_seen: dict[str, tuple[str, str, str]] = {}

    def look(self, service: str) -> None:
        """Something was committed at this service: those whom it concerns see what is new."""
        if service == SHOP_MANAGER:
            self._look_at_clerks()
        elif service == "fulfillment" and self.context.scenario.warehouse == "by_hand":
            self.warehouse.looks()

    def _look_at_clerks(self) -> None:
        """Customers look at their sessions, and an operator at what is stuck."""
        for clerk, step, waiting, status, stuck_since, version in self.context.stores.peek(SHOP_MANAGER, LIVE_CLERKS):
            self.operator.sees(clerk, stuck_since, version)
            customer, seen = self.customers.get(clerk), (step, waiting, status)
            if customer and status == "running" and self._last_seen.get(clerk) != seen:
                self._last_seen[clerk] = seen
                customer.sees(step or "", waiting or "")
