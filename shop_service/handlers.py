"""The shop's commands: one handler each, and the definition of the service."""

from __future__ import annotations

from domain.messages import Command
from domain.refusals import Refused
from messaging.turns import Done, HandlerResult, ServiceDefinition, Undone, Waiting
from shop_service.clerk_document import brought_items, cart_of, expected_total
from shop_service.order import Order, at_total, place
from shop_service.store import ShopUnitOfWork, open_unit_of_work

NOTHING = {"status": "none"}


def start_shopping(command: Command, uow: ShopUnitOfWork, now: int) -> HandlerResult:
    """StartShopping: open a cart and wait for the customer; or place the order that was brought along, at once."""
    cart = cart_of(command)
    brought = brought_items(command)
    if brought is None:
        uow.open_cart(cart)
        return Waiting()
    order = place(cart, brought, uow.products, now, command.deadline)
    if isinstance(order, Order):
        order = at_total(order, expected_total(command))
    if isinstance(order, Refused):
        uow.remember_ended(cart.session, cart.secret_sha256)
        return order
    uow.place(order)
    return Done(order.section())


def cancel_order(command: Command, uow: ShopUnitOfWork, now: int) -> HandlerResult:
    """CancelOrder: the cart and the order vanish, whatever had become of them."""
    return Undone({"status": "canceled"} if uow.forget(command.clerk) else NOTHING)


def shop() -> ServiceDefinition[ShopUnitOfWork]:
    """The service. Sessions share nothing in here, so the Clerk's own lock is enough."""
    return ServiceDefinition(
        name="shop",
        handlers={("StartShopping", 1): start_shopping, ("CancelOrder", 1): cancel_order},
        open_unit_of_work=open_unit_of_work,
        blank=NOTHING,
    )
