"""By which terms a Clerk or a customer is found: read from a document, and from what somebody types. Pure.

Case and accents do not matter, nor do blanks and punctuation in numbers and references (docs/decisions/128).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeGuard

from domain.document import Document, part

TermKind = Literal["client_reference", "sku", "tracking", "provider_reference", "name", "email",
                   "customer", "customer_name", "customer_email"]  # fmt: skip
Term = tuple[TermKind, str]
Hashed = Callable[[str], str]
"""The keyed hash of something personal, in hex."""


class TermChange(NamedTuple):
    new: set[Term]
    gone: set[Term]


PERSONAL: tuple[TermKind, ...] = ("name", "email", "customer_name", "customer_email")
"""Kinds of which the index holds keyed hashes only (docs/design/security.md)."""
LONGEST = 80
"""Characters of a term; both a term and what is searched for are cut there."""
MOST_PARTS = 8
"""Places within a reference at which it may be found, and words of a name."""
MOST_ARTICLES = 200
_PART = re.compile(r"[^\W_]+")
_LETTERS_BEFORE_DIGITS = re.compile(r"[^\W\d_]+(?=\d)")
_HASH_LENGTH = 32


def folded(text: str) -> str:
    """Without case and accents: `Zoë` and `ZOE` are the same."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in apart if not unicodedata.combining(each)).casefold()


def squeezed(text: str) -> str:
    """Letters and digits only, as numbers and references are compared: `Order 2026-08` is `order202608`."""
    return "".join(_PART.findall(folded(text)))[:LONGEST]


def words_of(name: str) -> list[str]:
    return _PART.findall(folded(name))[:MOST_PARTS]


def ends_of(reference: str) -> set[str]:
    """The reference from each of its parts on: by the beginning of one of these it is found."""
    text = folded(reference)
    places: list[int] = []
    for piece in _PART.finditer(text):
        places.append(piece.start())
        letters = _LETTERS_BEFORE_DIGITS.match(piece.group())
        if letters:
            places.append(piece.start() + letters.end())
    return {squeezed(text[place:]) for place in places[:MOST_PARTS]}


def name_terms(name: object, hashed: Hashed) -> set[str]:
    """Of each word, and of all of them in whatever order."""
    words = words_of(name) if isinstance(name, str) else []
    return {name_hash([word], hashed) for word in words} | ({name_hash(words, hashed)} if words else set())


def name_hash(words: list[str], hashed: Hashed) -> str:
    return hashed(f"name {' '.join(sorted(words))}")[:_HASH_LENGTH]


def email_hash(email: str, hashed: Hashed) -> str:
    return hashed(f"email {folded(email).strip()}")[:_HASH_LENGTH]


def terms_of(document: Document, hashed: Hashed | None) -> set[Term]:
    """All terms of a Clerk. Without `hashed` the personal ones are left out."""
    return changed_terms({}, document, hashed).new


def changed_terms(before: Document, after: Document, hashed: Hashed | None) -> TermChange:
    """What has become known of a Clerk, by the sections that differ, and what of a person is not true any more.

    What is not personal stays: a canceled order is found by its articles too.
    """
    old: set[Term] = set()
    new: set[Term] = set()
    for name, find in _SECTIONS.items():
        was, now = before.get(name), after.get(name)
        if was is not now and was != now:
            old |= find(was, hashed) if isinstance(was, Mapping) else set()
            new |= find(now, hashed) if isinstance(now, Mapping) else set()
    known = _of_clerk(part(before, "clerk"), hashed) if new else set()
    return TermChange(new - old - known, {term for term in old - new if term[0] in PERSONAL})


def customer_terms(customer: str, name: str, email: str | None, hashed: Hashed | None) -> set[Term]:
    """Of a customer whom the shop knows."""
    found: set[Term] = {("customer", each) for each in ends_of(customer)}
    if hashed:
        found |= {("customer_name", each) for each in name_terms(name, hashed)}
        found |= {("customer_email", email_hash(email, hashed))} if email else set()
    return found


def _of_clerk(section: Mapping[str, Any], _hashed: Hashed | None) -> set[Term]:
    """What the session brings along to be ordered is known before the shop has answered."""
    brought = section.get("brought")
    reference = section.get("client_reference")
    found: set[Term] = {("client_reference", each) for each in ends_of(reference)} if _is_text(reference) else set()
    return found | _articles(brought.get("items") if isinstance(brought, Mapping) else None)


def _of_customer(section: Mapping[str, Any], hashed: Hashed | None) -> set[Term]:
    if hashed is None:
        return set()
    email = section.get("email")
    found: set[Term] = {("name", each) for each in name_terms(section.get("name"), hashed)}
    return found | ({("email", email_hash(email, hashed))} if _is_text(email) else set())


def _of_order(section: Mapping[str, Any], _hashed: Hashed | None) -> set[Term]:
    """A cart that is still being filled is not entered at each of its changes."""
    return set() if section.get("status") == "open" else _articles(section.get("items"))


def _of_payment(section: Mapping[str, Any], _hashed: Hashed | None) -> set[Term]:
    """Payment makes `pay_…` of the Clerk's id: that one is found by the id."""
    reference = section.get("reference")
    if not _is_text(reference) or reference.startswith("pay_"):
        return set()
    return _whole("provider_reference", reference)


def _of_shipment(section: Mapping[str, Any], _hashed: Hashed | None) -> set[Term]:
    tracking = section.get("tracking")
    return _whole("tracking", tracking) if _is_text(tracking) else set()


def _articles(items: object) -> set[Term]:
    lines = items[:MOST_ARTICLES] if isinstance(items, list) else []
    names = [line.get("sku") for line in lines if isinstance(line, Mapping)]
    return {term for name in names if _is_text(name) for term in _whole("sku", name)}


def _whole(kind: TermKind, text: str) -> set[Term]:
    term = squeezed(text)
    return {(kind, term)} if term else set()


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


_SECTIONS: Mapping[str, Callable[[Mapping[str, Any], Hashed | None], set[Term]]] = {
    "clerk": _of_clerk,
    "customer": _of_customer,
    "order": _of_order,
    "payment": _of_payment,
    "shipment": _of_shipment,
}
