"""The demo's customers: each visit is a story of one who orders, hesitates, pays, or does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from clerk_cli.demo.goods import Good
from clerk_cli.demo.people import SMALL_LIMIT, Person
from clerk_cli.demo.shop_client import ShopClient
from clerk_cli.demo.story_scheduler import Story, StoryScheduler

SHOP, DOWNLOADS = "squeaky-toys", "squeaky-sounds"
"""The two shops that every new data folder has; the second sells downloads."""
SOLD_OUT = "SQUEAKY-POSTMAN"
EVERY_S, MOST_TRIES = 0.1, 300
PIECES = 500


@dataclass(frozen=True, slots=True)
class DemoShop:
    """What the stories need: the client, the goods and people, and random numbers (`chance`)."""

    client: ShopClient
    chance: Random
    goods: Sequence[Good]
    people: Sequence[Person]

    def basket(self, most: int = 3) -> list[dict[str, Any]]:
        """One to `most` articles that are in stock, as lines of an order."""
        there = [good for good in self.goods if good.kind == "physical" and good.sku != SOLD_OUT]
        return self._some(there, most)

    def downloads(self) -> list[dict[str, Any]]:
        return self._some([good for good in self.goods if good.kind == "digital"], 2)

    def someone(self, kind: str = "regular") -> Person:
        fitting = [each for each in self.people if each.type == kind and each.limit != SMALL_LIMIT]
        return self.chance.choice(fitting)

    def poor(self) -> Person:
        return next(each for each in self.people if each.limit == SMALL_LIMIT)

    def open_session(self, person: Person, **wanted: Any) -> str:
        """Open a session for this customer; returns its id."""
        return self.client.open_session(
            customer=person.id, shipping_address=person.address,
            client_reference=f"web-{self.chance.randint(10_000, 99_999)}", **{"shop": SHOP, **wanted},
        )  # fmt: skip

    def _some(self, there: Sequence[Good], most: int) -> list[dict[str, Any]]:
        chosen = self.chance.sample(there, self.chance.randint(1, most))
        return [{"sku": good.sku, "quantity": self.chance.choice((1, 1, 1, 2))} for good in chosen]


def token(name: str) -> dict[str, str]:
    """A payment token of the fake provider."""
    return {"token": f"tok_{name}"}


# --- visits ----------------------------------------------------------------------------------------------------------


def in_a_hurry(demo: DemoShop) -> Story:
    """Brings order and payment token along."""
    demo.open_session(demo.someone(), items=demo.basket(), payment=token("ok"))
    yield from ()


def at_leisure(demo: DemoShop) -> Story:
    """Looks around, orders, pays."""
    session, chance = demo.open_session(demo.someone()), demo.chance
    yield chance.uniform(1, 5)
    demo.client.put_in_cart(session, demo.basket())
    yield chance.uniform(1, 5)
    demo.client.place_order(session)
    yield from until_payment_is_due(demo.client, session)
    yield chance.uniform(2, 15)
    demo.client.pay(session, "tok_ok")


def second_card(demo: DemoShop) -> Story:
    """The first card is declined, the second one is not."""
    session = demo.open_session(demo.someone(), items=demo.basket())
    yield from until_payment_is_due(demo.client, session)
    demo.client.pay(session, "tok_declined")
    yield demo.chance.uniform(3, 12)
    demo.client.pay(session, "tok_ok")


def declined(demo: DemoShop) -> Story:
    demo.open_session(demo.someone(), items=demo.basket(), payment=token("declined"))
    yield from ()


def bank_says_no(demo: DemoShop) -> Story:
    """The payment is authorized, but its capture is refused: everything is undone."""
    demo.open_session(demo.someone(), items=demo.basket(), payment=token("capture_refused"))
    yield from ()


def slow_bank(demo: DemoShop) -> Story:
    demo.open_session(demo.someone(), items=demo.basket(), payment=token(demo.chance.choice(("slow", "lost", "down"))))
    yield from ()


def sold_out(demo: DemoShop) -> Story:
    items = [{"sku": SOLD_OUT, "quantity": 1}]
    demo.open_session(demo.someone(), items=items, payment=token("ok"))
    yield from ()


def too_much(demo: DemoShop) -> Story:
    """More than the customer's credit."""
    items = [{**item, "quantity": 9} for item in demo.basket()]
    demo.open_session(demo.poor(), items=items, payment=token("ok"))
    yield from ()


def changes_mind(demo: DemoShop) -> Story:
    session = demo.open_session(demo.someone(), items=demo.basket())
    yield demo.chance.uniform(3, 10)
    demo.client.cancel(session)


def leaves(demo: DemoShop) -> Story:
    """Never comes back: the session has a short time limit, and expires."""
    session = demo.open_session(demo.someone(), expires_in=demo.chance.randint(8, 25))
    yield demo.chance.uniform(1, 3)
    demo.client.put_in_cart(session, demo.basket())
    if demo.chance.random() < 0.5:
        demo.client.place_order(session)


def downloads(demo: DemoShop) -> Story:
    demo.open_session(demo.someone(), items=demo.downloads(), payment=token("ok"), shop=DOWNLOADS)
    yield from ()


def on_invoice(demo: DemoShop) -> Story:
    """A trusted customer gets the goods first, and pays when they have arrived."""
    session = demo.open_session(demo.someone("trusted"), items=demo.basket())
    yield from until_payment_is_due(demo.client, session)
    yield demo.chance.uniform(5, 40)
    demo.client.pay(session, "tok_ok")


VISITS: dict[Callable[[DemoShop], Story], int] = {
    in_a_hurry: 30, at_leisure: 22, second_card: 5, declined: 6, bank_says_no: 3, slow_bank: 5, sold_out: 4,
    too_much: 2, changes_mind: 6, leaves: 7, downloads: 8, on_invoice: 6,
}  # fmt: skip
"""The visits, each with how many of about a hundred are such."""


def until_payment_is_due(client: ShopClient, session: str) -> Story:
    """Poll the session; stop waiting when it has ended or takes too long."""
    for _ in range(MOST_TRIES):
        found = client.session(session)
        if (found["next_action"] or {}).get("type") == "pay" or found["status"] not in ("open", "processing"):
            return
        yield EVERY_S


# --- what goes on all the time ---------------------------------------------------------------------------------------


def customers_come(demo: DemoShop, stories: StoryScheduler, a_minute: float, first: int) -> Story:
    """Visits without end: the `first` ones in quick succession, then so many a minute on average."""
    kinds, weights = list(VISITS), list(VISITS.values())
    while True:
        [visit] = demo.chance.choices(kinds, weights)
        stories.add(visit(demo))
        first -= 1
        yield 0.15 if first > 0 else demo.chance.expovariate(a_minute / 60)


def goods_arrive(demo: DemoShop, every: float) -> Iterator[float]:
    """Every `every` seconds, fill up the stock of all goods but the sold-out one."""
    while True:
        for good in demo.goods:
            if good.kind == "physical" and good.sku != SOLD_OUT:
                demo.client.set_stock(good.sku, PIECES)
        yield every
