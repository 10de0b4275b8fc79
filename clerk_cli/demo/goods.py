"""What the demo shop sells besides its squeaky toys: names, kinds and prices, drawn at random from lists."""

from __future__ import annotations

from random import Random
from typing import Literal, NamedTuple

THINGS = (
    ("rope tug", 690, 1490), ("chew ring", 490, 1190), ("dog bed", 2990, 8990), ("lead", 1290, 3490),
    ("collar", 990, 2690), ("rain coat", 2490, 5490), ("biscuit tin", 590, 1290), ("puzzle feeder", 1490, 3490),
    ("travel bowl", 690, 1690), ("cooling mat", 1990, 4490), ("bath towel", 890, 1990), ("training dummy", 1190, 2290),
)  # fmt: skip
"""(what, lowest price, highest price), in cents."""
LOOKS = ("Braided", "Red", "Tartan", "Waxed", "Striped", "Reflective", "Extra strong", "Old English", "Soft")
COURSES = (
    ("Loose-lead walking (video course)", 2490), ("Recall in ten days (video course)", 2990),
    ("Sounds of the city (download)", 690), ("Quiet at the door (video course)", 1990),
)  # fmt: skip


class Good(NamedTuple):
    """An article; `unit_amount` in cents."""

    sku: str
    name: str
    unit_amount: int
    kind: Literal["physical", "digital"]


def goods(chance: Random) -> list[Good]:
    """Each thing once, in a random look, and the courses, which are downloads."""
    made = [_good(f"{chance.choice(LOOKS)} {what}", _price(chance, *prices), "physical") for what, *prices in THINGS]
    return made + [_good(name, price, "digital") for name, price in COURSES]


def _good(name: str, price: int, kind: Literal["physical", "digital"]) -> Good:
    words = "".join(each if each.isalnum() else " " for each in name.partition("(")[0].upper()).split()
    return Good("-".join(words), name, price, kind)


def _price(chance: Random, least: int, most: int) -> int:
    """A price that ends on 90 or 95 cents."""
    euros = chance.randint(least // 100, most // 100)
    return euros * 100 + chance.choice((90, 95))
