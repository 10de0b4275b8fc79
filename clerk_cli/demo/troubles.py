"""Orders that get stuck, in each of the five ways: made with the faults of `/dev/faults`, each for one Clerk alone.

What is narrowed to the first attempt is over when an operator asks again. What makes a service say "I cannot" is not:
there a person settles by hand, or the faults are lifted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clerk_cli.demo.door import Door
from clerk_cli.demo.timetable import Story
from clerk_cli.demo.visits import DOWNLOADS, EVERY_S, MOST_TRIES, SOLD_OUT, Stage, until_it_is_time_to_pay
from shop_manager.saga import StuckKind

FIRST_TRY = {"attempt": 1}
Trouble = Callable[[Stage], Story]


def capture_unanswered(stage: Stage) -> Story:
    """The money is taken, and the answer is lost."""
    session = yield from _at_the_till(stage)
    stage.door.harms("payment", "drop_replies", step="capture", clerk=session, **FIRST_TRY)
    stage.door.pays(session, "tok_ok")


def stock_not_released(stage: Stage) -> Story:
    """In the service's own words: the capture is refused, and the goods cannot be put back."""
    session = yield from _at_the_till(stage)
    stage.door.harms("fulfillment", "fail_undo", step="stock", clerk=session)
    stage.door.pays(session, "tok_capture_refused")


def void_unanswered(stage: Stage) -> Story:
    """In silence: the goods are sold out, and nobody says whether the card is free again."""
    session = yield from _at_the_till(stage, [{"sku": SOLD_OUT, "quantity": 1}, *stage.basket(2)])
    stage.door.harms("payment", "drop_replies", step="payment", name="VoidPayment", clerk=session, **FIRST_TRY)
    stage.door.pays(session, "tok_ok")


def not_shipped(stage: Stage) -> Story:
    """Paid, and fulfillment cannot ship."""
    session = yield from _at_the_till(stage)
    stage.door.harms("fulfillment", "refuse", step="shipping", clerk=session)
    stage.door.pays(session, "tok_ok")


def not_settled(stage: Stage) -> Story:
    """Shipped, and risk cannot settle."""
    session = yield from _at_the_till(stage)
    stage.door.harms("risk", "refuse", step="settle", clerk=session)
    stage.door.pays(session, "tok_ok")


def capture_parked(stage: Stage) -> Story:
    """The command to take the money comes in a form that payment cannot read."""
    session = yield from _at_the_till(stage)
    stage.door.harms("payment", "drop_replies", step="capture", clerk=session, **FIRST_TRY)
    stage.door.pays(session, "tok_ok")
    yield from _until_asked(stage.door, session, "capture")
    stage.door.sends_raw("payment", _broken(session, "capture"))


def settling_parked(stage: Stage) -> Story:
    """The same behind the shipping, at risk."""
    session = yield from _at_the_till(stage)
    stage.door.harms("risk", "drop_replies", step="settle", clerk=session, **FIRST_TRY)
    stage.door.pays(session, "tok_ok")
    yield from _until_asked(stage.door, session, "settle")
    stage.door.sends_raw("risk", _broken(session, "settle"))


def shipping_unknown(stage: Stage) -> Story:
    """A fulfillment that is too old for the process."""
    session = yield from _at_the_till(stage)
    stage.door.harms("fulfillment", "unsupported", step="shipping", clerk=session, **FIRST_TRY)
    stage.door.pays(session, "tok_ok")


def delivery_unknown(stage: Stage) -> Story:
    """The same in the shop of downloads."""
    session = yield from _at_the_till(stage, stage.downloads(), shop=DOWNLOADS)
    stage.door.harms("fulfillment", "unsupported", step="delivery", clerk=session, **FIRST_TRY)
    stage.door.pays(session, "tok_ok")


TROUBLES: dict[StuckKind, dict[Trouble, int]] = {
    "undo_failing": {stock_not_released: 2, void_unanswered: 2},
    "no_answer": {capture_unanswered: 4},
    "overdue": {not_shipped: 3, not_settled: 1},
    "parked_message": {capture_parked: 2, settling_parked: 1},
    "unsupported": {shipping_unknown: 3, delivery_unknown: 2},
}
"""Of each kind what makes it, and how many orders get stuck so."""


def noise(stage: Stage) -> Story:
    """Messages of nobody's, which services park."""
    stage.door.sends_raw("fulfillment", b'[{"kind": "command", "id": "who knows"}]')
    stage.door.sends_raw("shop", b"<order><sku>SQUEAKY-BONE</sku></order>")
    yield from ()


def _at_the_till(stage: Stage, items: Any = None, **wanted: Any) -> Any:
    """A session of a named customer's at which everything is done but the paying; returns its id."""
    session = stage.opens(stage.someone(), items=items or stage.basket(), **wanted)
    yield from until_it_is_time_to_pay(stage.door, session)
    return session


def _until_asked(door: Door, session: str, step: str) -> Story:
    for _ in range(MOST_TRIES):
        states = {each["step"]: each["state"] for each in door.session(session)["progress"]}
        if states[step] == "asked":
            return
        yield EVERY_S


def _broken(session: str, step: str) -> bytes:
    """A double of the step's first command without its name."""
    return f'[{{"kind": "command", "id": "{session}/{step}/1/do"}}]'.encode()
