"""The traffic of the demo shop: each visit is a story, of a customer who orders, hesitates, pays, or does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from clerk_cli.demo.door import Door
from clerk_cli.demo.goods import Good
from clerk_cli.demo.people import SMALL_LIMIT, Person
from clerk_cli.demo.timetable import Story, Timetable

SHOP, DOWNLOADS = "squeaky-toys", "squeaky-sounds"
"""The two shops that every new data folder has: goods, and downloads."""
SOLD_OUT = "SQUEAKY-POSTMAN"
EVERY_S, MOST_TRIES = 0.1, 300
PIECES = 500


@dataclass(frozen=True, slots=True)
class Stage:
    """What the stories play with. `chance` is theirs alone."""

    door: Door
    chance: Random
    goods: Sequence[Good]
    people: Sequence[Person]

    def basket(self, most: int = 3) -> list[dict[str, Any]]:
        """Some goods that are there."""
        there = [good for good in self.goods if good.kind == "physical" and good.sku != SOLD_OUT]
        return self._some(there, most)

    def downloads(self) -> list[dict[str, Any]]:
        return self._some([good for good in self.goods if good.kind == "digital"], 2)

    def someone(self, kind: str = "regular") -> Person:
        fitting = [each for each in self.people if each.type == kind and each.limit != SMALL_LIMIT]
        return self.chance.choice(fitting)

    def poor(self) -> Person:
        return next(each for each in self.people if each.limit == SMALL_LIMIT)

    def opens(self, person: Person, **wanted: Any) -> str:
        """A session of this customer's."""
        return self.door.opens(
            customer=person.id, shipping_address=person.address,
            client_reference=f"web-{self.chance.randint(10_000, 99_999)}", **{"shop": SHOP, **wanted},
        )  # fmt: skip

    def _some(self, there: Sequence[Good], most: int) -> list[dict[str, Any]]:
        chosen = self.chance.sample(there, self.chance.randint(1, most))
        return [{"sku": good.sku, "quantity": self.chance.choice((1, 1, 1, 2))} for good in chosen]


def token(name: str) -> dict[str, str]:
    """A payment means of the test provider."""
    return {"token": f"tok_{name}"}


# --- visits ----------------------------------------------------------------------------------------------------------


def in_a_hurry(stage: Stage) -> Story:
    """Order and card come along."""
    stage.opens(stage.someone(), items=stage.basket(), payment=token("ok"))
    yield from ()


def at_leisure(stage: Stage) -> Story:
    """Looks around, orders, pays."""
    session, chance = stage.opens(stage.someone()), stage.chance
    yield chance.uniform(1, 5)
    stage.door.puts(session, stage.basket())
    yield chance.uniform(1, 5)
    stage.door.orders(session)
    yield from until_it_is_time_to_pay(stage.door, session)
    yield chance.uniform(2, 15)
    stage.door.pays(session, "tok_ok")


def second_card(stage: Stage) -> Story:
    """The first card is declined, the second one is not."""
    session = stage.opens(stage.someone(), items=stage.basket())
    yield from until_it_is_time_to_pay(stage.door, session)
    stage.door.pays(session, "tok_declined")
    yield stage.chance.uniform(3, 12)
    stage.door.pays(session, "tok_ok")


def declined(stage: Stage) -> Story:
    stage.opens(stage.someone(), items=stage.basket(), payment=token("declined"))
    yield from ()


def bank_says_no(stage: Stage) -> Story:
    """The card is good, and the money cannot be taken all the same: everything is undone."""
    stage.opens(stage.someone(), items=stage.basket(), payment=token("capture_refused"))
    yield from ()


def slow_bank(stage: Stage) -> Story:
    stage.opens(stage.someone(), items=stage.basket(), payment=token(stage.chance.choice(("slow", "lost", "down"))))
    yield from ()


def sold_out(stage: Stage) -> Story:
    items = [{"sku": SOLD_OUT, "quantity": 1}]
    stage.opens(stage.someone(), items=items, payment=token("ok"))
    yield from ()


def too_much(stage: Stage) -> Story:
    """More than the customer's credit."""
    items = [{**item, "quantity": 9} for item in stage.basket()]
    stage.opens(stage.poor(), items=items, payment=token("ok"))
    yield from ()


def changes_mind(stage: Stage) -> Story:
    session = stage.opens(stage.someone(), items=stage.basket())
    yield stage.chance.uniform(3, 10)
    stage.door.cancels(session)


def leaves(stage: Stage) -> Story:
    """Never comes back: the session has a short limit, and expires."""
    session = stage.opens(stage.someone(), expires_in=stage.chance.randint(8, 25))
    yield stage.chance.uniform(1, 3)
    stage.door.puts(session, stage.basket())
    if stage.chance.random() < 0.5:
        stage.door.orders(session)


def downloads(stage: Stage) -> Story:
    stage.opens(stage.someone(), items=stage.downloads(), payment=token("ok"), shop=DOWNLOADS)
    yield from ()


def on_invoice(stage: Stage) -> Story:
    """A trusted customer gets the goods first, and pays when they have come."""
    session = stage.opens(stage.someone("trusted"), items=stage.basket())
    yield from until_it_is_time_to_pay(stage.door, session)
    yield stage.chance.uniform(5, 40)
    stage.door.pays(session, "tok_ok")


VISITS: dict[Callable[[Stage], Story], int] = {
    in_a_hurry: 30, at_leisure: 22, second_card: 5, declined: 6, bank_says_no: 3, slow_bank: 5, sold_out: 4,
    too_much: 2, changes_mind: 6, leaves: 7, downloads: 8, on_invoice: 6,
}  # fmt: skip
"""Each with how many of about a hundred visits are so."""


def until_it_is_time_to_pay(door: Door, session: str) -> Story:
    """Looks again and again; an order that ends before, or takes too long, is not waited for any longer."""
    for _ in range(MOST_TRIES):
        found = door.session(session)
        if (found["next_action"] or {}).get("type") == "pay" or found["status"] not in ("open", "processing"):
            return
        yield EVERY_S


# --- what goes on all the time ---------------------------------------------------------------------------------------


def customers_come(stage: Stage, table: Timetable, a_minute: float, first: int) -> Story:
    """Visits without end: the `first` ones in quick succession, then so many a minute on average."""
    kinds, weights = list(VISITS), list(VISITS.values())
    while True:
        [visit] = stage.chance.choices(kinds, weights)
        table.add(visit(stage))
        first -= 1
        yield 0.15 if first > 0 else stage.chance.expovariate(a_minute / 60)


def goods_arrive(stage: Stage, every: float) -> Iterator[float]:
    """The van fills up what has become scarce; the postman stays sold out."""
    while True:
        for good in stage.goods:
            if good.kind == "physical" and good.sku != SOLD_OUT:
                stage.door.stocks(good.sku, PIECES)
        yield every
