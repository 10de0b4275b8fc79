"""The people of a simulated shop: customers who order, pay, think, leave and cancel, and those of the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from domain.refusals import Refused
from doors.callers import Caller
from fulfillment_service.shipment import Label
from payment_service.till import PaymentAnswer
from shop_manager.happenings import Cancelled, Expired, Happening
from shop_manager.opening import Opened
from shop_manager.opening_request import Item, OpenSession, PaymentMeans
from simulation.scenario import Order

if TYPE_CHECKING:
    from simulation.participants import Participant
    from simulation.world import World

SHOP = Caller("server", None, "shop")
TURNS = {"shopping": "order", "payment": "pay", "collect": "pay"}
PATIENCE = 40
"""How often somebody tries again what did not work."""


class Buyer:
    """A customer with one order. `clerk` is known once the session is open and he was told so."""

    def __init__(self, world: World, number: int, order: Order) -> None:
        self.world = world
        self.number = number
        self.order = order
        self.clerk: str | None = None
        self._token = order.token
        self._acted: set[str] = set()
        self._interrupted = False

    def opens(self) -> None:
        body = OpenSession(
            customer=self.order.customer,
            shop=self.order.shop,
            items=[Item(sku=sku, quantity=count) for sku, count in self.order.items.items()]
            if self.order.brings
            else None,
            payment=PaymentMeans(token=self._token) if self.order.brings else None,
            expires_in=self.order.expires_in and self.order.expires_in * 60,
        )
        key = f"order-{self.number}"
        self.world.visit(
            "shop_manager", "opens", lambda p: p.opening and p.opening.open(body, SHOP, key, None), self._opened
        )

    def _opened(self, opened: Opened) -> None:
        clerk = opened.session["id"]
        self.world.told("opened", clerk, self.number)
        self.clerk = clerk
        self.world.clerks[clerk] = self

    # --- what he sees ----------------------------------------------------------------------------------------------

    def sees(self, step: str, waiting_for: str) -> None:
        """His Clerk is at this step now, and waits for somebody."""
        if waiting_for == "customer" and step in TURNS and step not in self._acted and step != self.order.leaves_at:
            self._acted.add(step)
            self.world.later(self.order.thinks, f"customer {self.number}'s turn", lambda: self._acts(step, PATIENCE))
        self._interrupts(step)
        if step == self.order.mutes:
            self.world.mute(step)

    def _interrupts(self, step: str) -> None:
        if self._interrupted or step not in (self.order.calls_off_at, self.order.expires_at):
            return
        self._interrupted = True
        wish = Cancelled() if step == self.order.calls_off_at else Expired()
        wait = self.world.pause(f"interrupt/{self.number}", 0, 40)
        self.world.later(wait, f"customer {self.number} ends it", lambda: self.wishes(wish))

    def wishes(self, wish: Happening) -> None:
        clerk = self.clerk or ""
        self.world.visit("shop_manager", "wishes", lambda p: p.manager and p.manager.wish(clerk, wish), self._wished)

    def _wished(self, outcome: Any) -> None:
        granted = not isinstance(outcome, Refused)
        self.world.told("wish granted" if granted else "wish refused", self.clerk or "", getattr(outcome, "code", ""))

    # --- what he does ----------------------------------------------------------------------------------------------

    def _acts(self, step: str, patience: int) -> None:
        if patience and not self.world.is_over(self.clerk or ""):
            act = self._fills_and_orders if TURNS[step] == "order" else self._pays
            act(step, lambda: self._again(step, patience - 1))

    def _again(self, step: str, patience: int) -> None:
        wait = self.world.pause(f"again/{self.number}/{step}/{patience}", 200, 2_000)
        self.world.later(wait, f"customer {self.number} again", lambda: self._acts(step, patience))

    def _fills_and_orders(self, step: str, again: Callable[[], None]) -> None:
        clerk = self.clerk or ""

        def act(p: Participant) -> Any:
            if p.counter is None or not self.world.has_cart(clerk):
                return None
            for sku, count in self.order.items.items():
                put = p.counter.put(clerk, sku, min(count, 999))
                if isinstance(put, Refused):
                    return put
            return p.counter.order(clerk)

        def told(outcome: Any) -> None:
            if outcome is None:
                again()
            elif not isinstance(outcome, Refused):
                self.world.told("ordered", clerk, outcome["total"])

        self.world.visit("shop", "orders", act, told)

    def _pays(self, step: str, again: Callable[[], None]) -> None:
        clerk = self.clerk or ""

        def act(p: Participant) -> PaymentAnswer | Refused | None:
            payment = p.till.find(clerk, lambda _secret: True) if p.till else None
            if p.till is None or payment is None:
                return None
            if payment.declined:
                self._token = "tok_ok"  # noqa: S105  a name, not a secret
            return p.till.pay(clerk, self._token)

        def told(outcome: PaymentAnswer | Refused | None) -> None:
            code = outcome.code if isinstance(outcome, Refused) else ""
            status = outcome.status if isinstance(outcome, PaymentAnswer) else ""
            if outcome is None or status == "authorizing" or code == "card_declined":
                again()
            elif isinstance(outcome, PaymentAnswer):
                self.world.told("paid", clerk, outcome.status)

        self.world.visit("payment", "pays", act, told)


class Warehouse:
    """Ships by hand what it finds on its list, some time later; now and then twice."""

    def __init__(self, world: World, after: int) -> None:
        self.world = world
        self.after = after
        self._seen: set[str] = set()

    def looks(self) -> None:
        for (session,) in self.world.stores.peek(
            "fulfillment", "SELECT session FROM shipments WHERE status = 'requested' ORDER BY session"
        ):
            if session not in self._seen:
                self._seen.add(session)
                twice = self.world.pause(f"ships twice/{session}", 1, 5) == 1
                for number in range(2 if twice else 1):
                    wait = self.after + self.world.pause(f"ships/{session}/{number}", 0, 5_000)
                    self.world.later(wait, "the warehouse ships", partial(self._ships, session))

    def _ships(self, session: str) -> None:
        label = Label("Dog Sled", f"T-{session[-6:]}")

        def told(outcome: Any) -> None:
            if outcome is not None and not isinstance(outcome, Refused):
                self.world.told("shipped", session, outcome.tracking)

        self.world.visit("fulfillment", "ships", lambda p: p.dock and p.dock.ship({session: label})[session], told)
