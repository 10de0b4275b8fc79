"""Stories of orders that get stuck, in each of the five ways, by a fault of `/dev/faults` for that one Clerk.

A fault for the first attempt only is over when an operator asks again. A fault that makes a service fail at every
attempt is not: there an operator settles the step by hand, or the faults are lifted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clerk_cli.demo.shop_client import ShopClient
from clerk_cli.demo.story_scheduler import Story
from clerk_cli.demo.visits import DOWNLOADS, EVERY_S, MOST_TRIES, SOLD_OUT, DemoShop, until_payment_is_due
from shop_manager.saga.state import StuckKind

FIRST_TRY = {"attempt": 1}
Trouble = Callable[[DemoShop], Story]


def capture_unanswered(demo: DemoShop) -> Story:
    """The money is taken, and the reply is lost."""
    session = yield from _ready_to_pay(demo)
    demo.client.put_fault("payment", "drop_replies", step="capture", clerk=session, **FIRST_TRY)
    demo.client.pay(session, "tok_ok")


def stock_not_released(demo: DemoShop) -> Story:
    """The capture is refused, and fulfillment fails to undo the stock step."""
    session = yield from _ready_to_pay(demo)
    demo.client.put_fault("fulfillment", "fail_undo", step="stock", clerk=session)
    demo.client.pay(session, "tok_capture_refused")


def void_unanswered(demo: DemoShop) -> Story:
    """The goods are sold out, and the reply to the payment's undo is lost."""
    session = yield from _ready_to_pay(demo, [{"sku": SOLD_OUT, "quantity": 1}, *demo.basket(2)])
    demo.client.put_fault("payment", "drop_replies", step="payment", name="VoidPayment", clerk=session, **FIRST_TRY)
    demo.client.pay(session, "tok_ok")


def not_shipped(demo: DemoShop) -> Story:
    """Paid, and fulfillment fails to ship."""
    session = yield from _ready_to_pay(demo)
    demo.client.put_fault("fulfillment", "refuse", step="shipping", clerk=session)
    demo.client.pay(session, "tok_ok")


def not_settled(demo: DemoShop) -> Story:
    """Shipped, and risk fails to settle."""
    session = yield from _ready_to_pay(demo)
    demo.client.put_fault("risk", "refuse", step="settle", clerk=session)
    demo.client.pay(session, "tok_ok")


def capture_parked(demo: DemoShop) -> Story:
    """Payment cannot read the command to take the money, and parks it."""
    session = yield from _ready_to_pay(demo)
    demo.client.put_fault("payment", "drop_replies", step="capture", clerk=session, **FIRST_TRY)
    demo.client.pay(session, "tok_ok")
    yield from _until_asked(demo.client, session, "capture")
    demo.client.send_raw("payment", _broken(session, "capture"))


def settling_parked(demo: DemoShop) -> Story:
    """The same at risk, after the shipping."""
    session = yield from _ready_to_pay(demo)
    demo.client.put_fault("risk", "drop_replies", step="settle", clerk=session, **FIRST_TRY)
    demo.client.pay(session, "tok_ok")
    yield from _until_asked(demo.client, session, "settle")
    demo.client.send_raw("risk", _broken(session, "settle"))


def shipping_unknown(demo: DemoShop) -> Story:
    """Fulfillment does not know the command, as a version too old for the process."""
    session = yield from _ready_to_pay(demo)
    demo.client.put_fault("fulfillment", "unsupported", step="shipping", clerk=session, **FIRST_TRY)
    demo.client.pay(session, "tok_ok")


def delivery_unknown(demo: DemoShop) -> Story:
    """The same in the shop of downloads."""
    session = yield from _ready_to_pay(demo, demo.downloads(), shop=DOWNLOADS)
    demo.client.put_fault("fulfillment", "unsupported", step="delivery", clerk=session, **FIRST_TRY)
    demo.client.pay(session, "tok_ok")


TROUBLES: dict[StuckKind, dict[Trouble, int]] = {
    "undo_failing": {stock_not_released: 2, void_unanswered: 2},
    "no_answer": {capture_unanswered: 4},
    "overdue": {not_shipped: 3, not_settled: 1},
    "parked_message": {capture_parked: 2, settling_parked: 1},
    "unsupported": {shipping_unknown: 3, delivery_unknown: 2},
}
"""For each kind of being stuck: which stories lead to it, and how many orders each."""


def noise(demo: DemoShop) -> Story:
    """Messages that belong to no order and cannot be read: services park them."""
    demo.client.send_raw("fulfillment", b'[{"kind": "command", "id": "who knows"}]')
    demo.client.send_raw("shop", b"<order><sku>SQUEAKY-BONE</sku></order>")
    yield from ()


def _ready_to_pay(demo: DemoShop, items: Any = None, **wanted: Any) -> Any:
    """Open a customer's session and wait until only the payment is missing; returns its id."""
    session = demo.open_session(demo.someone(), items=items or demo.basket(), **wanted)
    yield from until_payment_is_due(demo.client, session)
    return session


def _until_asked(client: ShopClient, session: str, step: str) -> Story:
    for _ in range(MOST_TRIES):
        states = {each["step"]: each["state"] for each in client.session(session)["progress"]}
        if states[step] == "asked":
            return
        yield EVERY_S


def _broken(session: str, step: str) -> bytes:
    """A copy of the step's first command, unreadable because its name is missing."""
    return f'[{{"kind": "command", "id": "{session}/{step}/1/do"}}]'.encode()
