"""Takes who the customer was out of an order that has ended, and out of its history. Pure (docs/decisions/145)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from domain.document import Document, part
from shop_manager.saga.amending import OF_THE_CUSTOMER
from shop_manager.saga.repairing import BY as REPAIR
from shop_manager.saga.state import HistoryEntry, Saga, evolve

ERASED = "erased"
"""Stands where the text of a note was."""
OF_A_PERSON = (*OF_THE_CUSTOMER, "metadata")
Numbered = tuple[int, HistoryEntry]


class Forgotten(NamedTuple):
    """The saga without a person in it, the new entry that says so, and those entries that are written anew."""

    saga: Saga
    entry: HistoryEntry
    rewritten: list[Numbered]


def forget(saga: Saga, history: Sequence[Numbered], by: str, now: int) -> Forgotten | None:
    """None where nothing of a person is left. ValueError for an order that is under way: its services need the name."""
    if not saga.ended:
        raise ValueError(f"Clerk {saga.id} has not ended")
    document = without_person(saga.document)
    rewritten = [(number, _rewritten(entry)) for number, entry in history]
    changed = [new for new, old in zip(rewritten, history, strict=True) if new != old]
    if document == saga.document and not changed:
        return None
    entry = HistoryEntry("forgotten", now, None, {"by": by})
    return Forgotten(replace(evolve(saga, entry), document=document), entry, changed)


def without_person(document: Document) -> Document:
    """The customer's id and type stay, for the books; name, e-mail, address and the shop's metadata go."""
    return {**document, "customer": {**part(document, "customer"), **nobody()}, "metadata": {}}


def nobody() -> dict[str, Any]:
    """The customer's fields, empty."""
    return {"name": None, "email": None, "shipping_address": {}}


def _rewritten(entry: HistoryEntry) -> HistoryEntry:
    if entry.what == "opened":
        return entry._replace(data={**entry.data, "document": without_person(entry.data["document"])})
    return entry._replace(data={**entry.data, "text": ERASED}) if is_words(entry) else entry


def is_words(entry: HistoryEntry) -> bool:
    """Is it a note that somebody has written? A repair's note is a record of what was asked."""
    return entry.what == "note" and entry.data.get("by") != REPAIR


def public_without_person(session: Mapping[str, Any]) -> dict[str, Any]:
    """A public session as it was answered once, without the person."""
    fields = nobody()
    return {**session, "customer": {name: fields.pop(name) for name in ("name", "email")}, **fields, "metadata": {}}
