"""The customers of the demo shop: people with names, addresses and a credit limit, drawn at random from lists."""

from __future__ import annotations

import unicodedata
from random import Random
from typing import Literal, NamedTuple

FIRST = (
    "Amélie", "Bastian", "Clara", "Dimitri", "Eszter", "Finn", "Greta", "Hakim", "Inês", "Jakub", "Katja", "Luca",
    "Maren", "Niklas", "Olga", "Paolo", "Quirin", "Rosa", "Sören", "Tereza", "Umut", "Vera", "Willem", "Yara",
)  # fmt: skip
LAST = (
    "Albers", "Bianchi", "Côté", "Dvořák", "Eriksson", "Fischer", "Garcia", "Horváth", "Ionescu", "Jansen", "Kowalski",
    "Lindqvist", "Moreau", "Novák", "O'Brien", "Petrov", "Rossi", "Schäfer", "Tanaka", "Vermeulen", "Weber", "Yilmaz",
)  # fmt: skip
STREETS = ("Gartenstraße", "Rue des Lilas", "Via Garibaldi", "Kerkstraat", "Mill Lane", "Lipová", "Storgatan")
CITIES = (("Hamburg", "DE"), ("Lyon", "FR"), ("Torino", "IT"), ("Utrecht", "NL"), ("Galway", "IE"), ("Brno", "CZ"))
USUAL_LIMIT, SMALL_LIMIT = 100_000, 2_000
"""Credit in cents."""


class Person(NamedTuple):
    """A customer of the shop; `limit` in cents; `trusted` ones may buy on invoice."""

    id: str
    name: str
    email: str
    type: Literal["regular", "trusted"]
    limit: int
    address: dict[str, str]


def people(chance: Random, count: int) -> list[Person]:
    """`count` people with different names: every fifth is trusted, and the last one has a small limit."""
    pairs = [(first, last) for first in FIRST for last in LAST]
    found = [_person(chance, first, last, number) for number, (first, last) in enumerate(chance.sample(pairs, count))]
    return [*found[:-1], found[-1]._replace(limit=SMALL_LIMIT, type="regular")]


def _person(chance: Random, first: str, last: str, number: int) -> Person:
    name, short = f"{first} {last}", f"{_plain(first)}.{_plain(last)}"
    city, country = chance.choice(CITIES)
    address = {"name": name, "line1": f"{chance.choice(STREETS)} {chance.randint(1, 120)}", "city": city,
               "country": country}  # fmt: skip
    kind: Literal["regular", "trusted"] = "trusted" if number % 5 == 4 else "regular"
    return Person(short, name, f"{short}@example.com", kind, USUAL_LIMIT, address)


def _plain(name: str) -> str:
    """`Dvořák` → `dvorak`: for an id."""
    letters = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss"))
    return "".join(each for each in letters if each.isascii() and each.isalpha())
