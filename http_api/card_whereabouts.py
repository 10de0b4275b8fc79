"""Where in a request that was refused a card number is, and what its sender can do. Pure (security S12).

Only looked for after `card_search.py` has found one, so requests without any pay nothing for it. The first place is
found by halving: it costs about as much as looking once more, however many fields there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from http_api.card_fields import (
    BODY,
    BODY_LISTS,
    BODY_OBJECT_LISTS,
    BODY_OBJECTS,
    HEADERS,
    PARAMETERS,
    PATHS,
    is_never_kept,
)
from http_api.card_numbers import any_is_card_number, find_card_number, find_in_any, find_in_numbers
from http_api.card_search import as_text
from http_api.number_schemes import is_parcel_number
from http_api.problems import Problem, WrongField
from http_api.validation_errors import param_of

Way = tuple[str | int, ...]
"""The names and numbers that lead to a value of a JSON body."""
PlaceT = TypeVar("PlaceT")
Rule = Callable[[list[str]], bool]
"""Does one of these texts hold a card number?"""


@dataclass(frozen=True, slots=True)
class Place:
    """`param` as in problems; `identifier`: it is a field for identifiers, where a letter in front helps."""

    param: str
    identifier: bool = False


def refused(place: Place) -> Problem:
    """The 422 that names the place and says what to do there, without the number."""
    detail = f"this looks like a payment card's number, and nothing of it was kept: {_what_to_do(place)}"
    wrong: WrongField = {"param": place.param, "detail": detail}
    return Problem("card_number_refused", f"{place.param}: {detail}", param=place.param, errors=[wrong])


def _what_to_do(place: Place) -> str:
    if place.identifier:
        return "write letters directly before a number of your own, such as `NO` and then its digits."
    if place.param.endswith(".token"):
        return "send the payment provider's token of the card."
    return (
        "leave it out. A number of your own belongs in a field for identifiers (`client_reference`, `reference`, "
        "`sku`), with letters directly before it."
    )


def in_head(headers: Sequence[tuple[bytes, bytes]], path: str, query: bytes) -> Place:
    """As `card_search.head_holds_card`, of which it is known that it has found one."""
    kept = [(as_text(name), as_text(value), name in HEADERS) for name, value in headers if not is_never_kept(name)]
    found = (
        _first([(name.title(), value) for name, value, known in kept if known], any_is_card_number)
        or _first([(name.title(), value) for name, value, known in kept if not known], find_in_any)
        or ("header" if find_in_any([name for name, _, known in kept if not known]) else None)
    )
    if found is not None:
        return Place(found, found.lower().encode() in HEADERS)
    return _in_path(path) or in_parameters(query, "query")


def _in_path(path: str) -> Place | None:
    for template in PATHS:
        match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path)
        if match:
            name = _first(list(match.groupdict().items()), any_is_card_number)
            return Place(name, identifier=True) if name else None
    return Place("path") if find_card_number(path) else None


def in_parameters(encoded: bytes, whole: str = "$") -> Place:
    """In a query, or in the body of an HTML form; `whole` where a name holds the number, or it is no single field."""
    pairs = [pair.partition(b"=") for pair in encoded.replace(b"+", b" ").split(b"&")]
    named = [(as_text(name), as_text(value)) for name, _, value in pairs]
    found = _first([each for each in named if each[0] in PARAMETERS], any_is_card_number)
    if found is not None:
        return Place(found, identifier=True)
    found = _first([each for each in named if each[0] not in PARAMETERS], find_in_any)
    return Place(whole if found is None or find_card_number(found) else found[:60])


def in_json(value: Any) -> Place:
    """As `card_search.json_holds_card`, of which it is known that it has found one. The value stays as it is."""
    identifiers: list[tuple[Way, str]] = []
    texts: list[tuple[Way, str]] = []
    numbers: list[tuple[Way, str]] = []
    parcel = isinstance(value, dict) and is_parcel_number(_text(value, "carrier"), _text(value, "tracking"))
    for way, leaf in _leaves(value, ()):
        if not isinstance(leaf, str):
            numbers.append((way, orjson.dumps(leaf).decode()))
        elif _is_identifier(way):
            identifiers += [] if parcel and way == ("tracking",) else [(way, leaf)]
        else:
            texts.append((way, leaf))
    rules: list[tuple[list[tuple[Way, str]], Rule]] = [
        (identifiers, any_is_card_number),
        (texts, find_in_any),
        (numbers, lambda each: find_in_numbers("x".join(each))),
    ]
    for leaves, rule in rules:
        found = _first(leaves, rule)
        if found is not None:
            return Place(_shown(found), leaves is identifiers)
    return Place("$")


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name, "")
    return found if isinstance(found, str) else ""


def _leaves(value: Any, way: Way) -> Iterator[tuple[Way, Any]]:
    """Each text and number, and each name in an object as a text of the object itself."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*way, ""), name
            yield from _leaves(inner, (*way, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*way, number))
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield way, value


def _is_identifier(way: Way) -> bool:
    match way:
        case (str(name),):
            return name in BODY
        case (str(name), int()):
            return name in BODY_LISTS
        case (str(name), str(field)):
            return field in BODY_OBJECTS.get(name, ())
        case (str(name), int(), str(field)):
            return field in BODY_OBJECT_LISTS.get(name, ())
    return False


def _first(places: list[tuple[PlaceT, str]], rule: Rule) -> PlaceT | None:
    """The first whose text the rule finds; None where it finds none, or only all of them together."""
    if not places or not rule([text for _, text in places]):
        return None
    while len(places) > 1:
        half = len(places) // 2
        first, second = places[:half], places[half:]
        places = first if rule([text for _, text in first]) else second
    return places[0][0] if rule([places[0][1]]) else None


def _shown(way: Way) -> str:
    """As a JSONPath, as far as no name in it holds the number itself."""
    way = way[:-1] if way and way[-1] == "" else way
    while way and find_card_number(param_of(("body", *way))):
        way = way[:-1]
    return param_of(("body", *way))
