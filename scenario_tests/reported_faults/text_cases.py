"""Texts and numbers that another end of the line, or a database, reads otherwise."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import quote

from scenario_tests.reported_faults.cases import Act, Room
from scenario_tests.reported_faults.place import JSON, Place

TEXTS = Room()
LINE_ENDS = "a\u2028b\u2029c\x85d"
ODD = "e\u0301 \u00e9 \U0001f9b4 \u202eabc \u200d \ufeff \ufffe"
"""A combining accent and the one letter it makes, a bone, text turned around, a joiner, a BOM, a non-character."""


def opening(body: bytes) -> Act:
    return lambda place: place.send("POST", "/shop/session", body, JSON)


def comes_back(metadata: dict[str, Any]) -> Act:
    """What the session shows of its metadata later, when that differs."""

    def act(place: Place) -> object:
        sent = json.dumps({"metadata": metadata}, ensure_ascii=False).encode()
        with place.wire() as wire:
            opened = wire.asks("POST", "/shop/session", place.bearer, JSON, body=sent).hears().json
            seen = wire.asks("GET", f"/shop/session/{opened['id']}", place.bearer).hears().json["metadata"]
        return "the same" if repr(seen) == repr(metadata) == repr(opened["metadata"]) else seen

    return act


def put_in_cart(quantity: str) -> Act:
    def act(place: Place) -> object:
        place.shop.stocks("BONE", 5)
        path = f"/shop/carts/{place.opens().id}/items/{place.shop.sku('BONE')}"
        return place.send("PUT", path, f'{{"quantity": {quantity}}}'.encode(), JSON)

    return act


def found(place: Place, reference: str) -> int:
    """How many sessions the list finds under this reference, put into the query as it is."""
    return len(place.ask("GET", f"/shop/session?client_reference={reference}").json()["data"])


# --- JSON that parsers read in two ways -------------------------------------------------------------------------------

TEXTS.row(
    100,
    "deep nesting is refused, and nothing overflows",
    "technocore-chat 130, ds4 43",
    opening(b'{"metadata":' + b"[" * 20_000),
    "422 invalid_json",
)
TEXTS.row(101, "NaN is no number", "fastapi 4589, QwenPaw 7677", opening(b'{"metadata":{"a":NaN}}'), "422 invalid_json")
TEXTS.row(
    102, "nor is one that no float holds", "MemMachine 211", opening(b'{"metadata":{"a":1e999}}'), "422 invalid_json"
)
TEXTS.row(
    103,
    "nor is one of five thousand digits",
    "spinta 462",
    opening(b'{"metadata":{"a":%s}}' % (b"9" * 5000)),
    "422 invalid_json",
)
TEXTS.row(
    104,
    "a key that comes twice is refused, also deep inside",
    "cityjson specs 2, gnatcoll-core 3",
    opening(b'{"metadata":{"a":[{"b":1,"b":2}]}}'),
    "422 invalid_json",
)
TEXTS.row(105, "true is no number", "fastapi 453, pydantic 360", put_in_cart("true"), "422 invalid_request")
TEXTS.row(106, "a text is no number", "pydantic 360", put_in_cart('"2"'), "422 invalid_request")
TEXTS.row(107, "half a piece is no quantity", "pydantic 360", put_in_cart("1.5"), "422 invalid_request")
TEXTS.row(
    108,
    "a number beyond every database is refused, not broken",
    "api-pgd 156, spinta 462",
    put_in_cart("9" * 18),
    "422 invalid_request",
)
TEXTS.row(
    109,
    "a NUL is refused",
    "pepysdiary 603, phoenix 9123",
    opening(b'{"client_reference":"a\\u0000b"}'),
    "422 invalid_json",
)
TEXTS.row(
    110,
    "half a surrogate pair is refused",
    "phoenix 9123",
    opening(b'{"client_reference":"\\ud83e"}'),
    "422 invalid_json",
)
TEXTS.row(
    111,
    "a line break is in no reference",
    "thirtybees 1670",
    opening(b'{"client_reference":"a\\nb: c"}'),
    "422 invalid_request",
)

# --- texts that must come back as they were ---------------------------------------------------------------------------

TEXTS.row(
    120,
    "every digit of a large number comes back",
    "microsoft api-guidelines 174, edit-json-file 63",
    comes_back({"a": 2**53 + 1, "b": -(2**63) + 1, "c": 0.1, "d": 5e-324}),
    "the same",
)
TEXTS.row(
    121,
    "every character comes back, none is normalised",
    "openfoodfacts-server 8225, Part-DB 465",
    comes_back({"odd": ODD, ODD: 1}),
    "the same",
)
TEXTS.row(
    122,
    "names that languages keep for themselves are names",
    "elysia 1850, aws-xray-sdk-node 529",
    comes_back({"__proto__": {"admin": True}, "": 1, "constructor": None}),
    "the same",
)


@TEXTS.case(123, "an event is one line for every reader", "mcp typescript-sdk 1925, sseclient 9", (1, LINE_ENDS))
def event_is_one_line(place: Place) -> object:
    order = place.opens(client_reference=LINE_ENDS)
    with place.wire() as wire:
        wire.asks("GET", f"/shop/session/{order.id}/events", place.bearer).hears(head=True)
        text = wire.hears_until(b"}\n\n").decode()
    lines = [line for line in text[text.index("data: ") :].splitlines() if line]
    return len(lines), json.loads(lines[0].removeprefix("data: "))["client_reference"]


@TEXTS.case(124, "a session's text is one line of JSON with its other marks kept", "codex-lb 1010", LINE_ENDS)
def line_ends_come_back(place: Place) -> object:
    return place.opens(client_reference=LINE_ENDS).session()["client_reference"]


# --- texts that are compared ------------------------------------------------------------------------------------------


@TEXTS.case(130, "capitals are other letters, in every database", "catalog-service 72, woocommerce 5552", [1, 2])
def case_of_skus(place: Place) -> object:
    for number, word in ((1, "bone"), (2, "BONE")):
        place.shop.stocks(word, 5, number)
    first, second = (f"{word}-{place.shop.suffix}" for word in ("bone", "BONE"))
    order = place.opens().fills_cart({"bone": 1, "BONE": 1})
    lines = {item["sku"]: item["unit_amount"] for item in place.ask("GET", f"/shop/carts/{order.id}").json()["items"]}
    return [lines[first], lines[second]]


@TEXTS.case(131, "a letter and its two halves are found apart", "openfoodfacts-server 8225, gumroad 6963", (1, 1))
def normal_forms(place: Place) -> object:
    forms = [f"{form}-{place.shop.suffix}" for form in ("caf\u00e9", "cafe\u0301")]
    for form in forms:
        place.opens(client_reference=form)
    return tuple(found(place, quote(form)) for form in forms)


@TEXTS.case(132, "a per cent sign or an underscore stands for itself", "privacyidea 5561, ux-datatables 336", (1, 0))
def wildcards(place: Place) -> object:
    place.opens(client_reference=place.name("100%"))
    return found(place, quote(place.name("100%"))), found(place, quote(place.name("%_%")))


@TEXTS.case(133, "SQL in a filter is a text", "ruby-pg 208", (200, 0))
def sql(place: Place) -> object:
    answer = place.ask("GET", f"/shop/session?client_reference={quote(chr(39) + ' OR 1=1; --')}")
    return answer.status_code, len(answer.json()["data"])


@TEXTS.case(134, "a plus in a query is a blank, an encoded one a plus", "marshmallow 1787, connexion 353", (1, 1))
def plus(place: Place) -> object:
    for sign in (" ", "+"):
        place.opens(client_reference=f"a{sign}b{place.shop.suffix}")
    return tuple(found(place, f"a{sign}b{place.shop.suffix}") for sign in ("+", "%2B"))


@TEXTS.case(135, "a table for spreadsheets holds no formula", "joget 20, bluebottle 3518, arangodb 15279", "'=1+1")
def formulas(place: Place) -> object:
    customer = place.name("=1+1")
    place.ask("PUT", f"/shop/customers/{quote(customer)}", {"name": "Ada"})
    place.opens(customer=customer)
    text = place.ask("GET", f"/ops/clerks.csv?customer={quote(customer)}", key=place.keys.operator).text
    [row] = csv.DictReader(io.StringIO(text))
    return row["customer"].removesuffix(f"-{place.shop.suffix}")
