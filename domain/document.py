"""The Clerk document: who owns which section, and the one way a section changes (semantics D1).

A document is plain JSON (`dict`), so that every part nobody here knows survives untouched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]
"""`{"clerk": {…}, "customer": {…}, "order": {…}, …}`: one JSON object a section."""

SECTION_OF: Mapping[str, str] = {
    "shop": "order",
    "risk": "credit",
    "payment": "payment",
    "fulfillment": "shipment",
}
"""The one section each service owns. `clerk`, `customer`, `metadata` and all the rest belong to ShopManager."""

SERVICES = tuple(SECTION_OF)


def with_section(document: Document, section: str, content: Mapping[str, Any]) -> Document:
    """The document with the named keys of one section set anew; keys of it that we do not name stay."""
    return {**document, section: {**(document.get(section) or {}), **content}}


def split_by_owner(ours: Document, theirs: Document, section: str) -> tuple[Document | None, list[str]]:
    """What ShopManager reads in the document of a reply from the service that owns `section` (D1).

    Returns that section (None where it is missing or no object), which is all that is taken, and the sorted names of
    the other sections in which the two documents differ: somebody edited them who does not own them.
    """
    foreign: list[str] = []
    if {**ours, section: None} != {**theirs, section: None}:  # mostly they are equal, and no name need be looked at
        names = ours.keys() | theirs.keys()
        foreign = sorted(name for name in names if name != section and ours.get(name) != theirs.get(name))
    content = theirs.get(section)
    return content if isinstance(content, dict) else None, foreign


def part(document: Document, section: str) -> Mapping[str, Any]:
    """A section, or an empty one where the document has none."""
    content = document.get(section)
    return content if isinstance(content, dict) else {}


def order_total(document: Document) -> int:
    """What the order comes to in minor units, as the shop has computed it; ValueError when the document has no such."""
    total = part(document, "order").get("total")
    if type(total) is not int or total < 0:
        raise ValueError("document.order.total is no amount in minor units")
    return total
