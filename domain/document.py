"""The Clerk document: who owns which section, and the one way a section changes (processes.md; semantics D1).

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


def merge_owned(ours: Document, theirs: Document, section: str) -> tuple[Document, list[str]]:
    """What ShopManager takes from a reply: the owner's section, nothing else (D1).

    Returns the merged document and the sorted names of the sections that somebody edited who does not own them.
    """
    foreign = sorted(
        name for name in ours.keys() | theirs.keys() if name != section and ours.get(name) != theirs.get(name)
    )
    if section not in theirs:
        return ours, foreign
    return {**ours, section: theirs[section]}, foreign


def part(document: Document, section: str) -> Mapping[str, Any]:
    """A section, or an empty one where the document has none."""
    content = document.get(section)
    return content if isinstance(content, dict) else {}
