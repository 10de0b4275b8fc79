"""When the shop is asked: commands and what is answered to them."""

from __future__ import annotations

from collections.abc import Iterable

from domain.messages import Command
from domain.refusals import Refused
from messaging.turns import Answer, Done, Service, Undone, Waiting
from shop_service.order import place
from shop_service.request import brought_items, cart_of
from shop_service.store import ShopBooks, open_books

NOTHING = {"status": "none"}


def start_shopping(command: Command, books: ShopBooks, now: int) -> Answer:
    """StartShopping: open a cart and wait for the customer; or place the order that was brought along, at once."""
    cart = cart_of(command)
    brought = brought_items(command)
    if brought is None:
        books.open_cart(cart)
        return Waiting()
    outcome = place(cart, brought, books.shelf, now, command.deadline)
    if isinstance(outcome, Refused):
        books.remember_ended(cart.session, cart.secret_sha256)
        return outcome
    books.place(outcome)
    return Done(outcome.section())


def cancel_order(command: Command, books: ShopBooks, now: int) -> Answer:
    """CancelOrder: the cart and the order vanish, whatever had become of them."""
    return Undone({"status": "canceled"} if books.forget(command.clerk) else NOTHING)


def _no_locks(command: Command) -> Iterable[str]:
    return ()  # sessions share nothing in here: the Clerk's own lock is enough


def shop() -> Service[ShopBooks]:
    """The service: who knows its commands finds each rule here."""
    return Service(
        name="shop",
        rules={("StartShopping", 1): start_shopping, ("CancelOrder", 1): cancel_order},
        open_books=open_books,
        locks=_no_locks,
        blank=NOTHING,
    )
