"""The client changes who the customer is, where the goods go, or the metadata: until the pivot is asked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.document import Document, part
from domain.refusals import Refused
from shop_manager.saga.draft import Draft
from shop_manager.saga.happenings import Decision
from shop_manager.saga.state import Saga
from shop_manager.saga.undoing import PAST_THE_PIVOT

OF_THE_CUSTOMER = ("name", "email", "shipping_address")
MOST = 200
"""Amendments of one session that change something: each is an entry in its history."""
BEING_UNDONE = Refused("session_ended", "the order is being undone: nothing about it can be changed any more")
TOO_MANY = Refused(
    "not_allowed_now",
    f"the session was changed {MOST} times already: it goes on as it is, or cancel it and open a new one",
)


def may_be_amended(saga: Saga) -> bool:
    """May the client still change something?"""
    return saga.status == "running" and not saga.past_pivot and saga.amendments < MOST


def amend(draft: Draft, values: Mapping[str, Any], by: str) -> Decision:
    """Set these fields of `customer`, and `metadata`. The next commands carry what is set; nothing is asked for it.

    Values that are there already change nothing, not even the version.
    """
    saga = draft.saga
    if saga.status == "undoing":
        return draft.decision(refused=BEING_UNDONE)
    if saga.past_pivot:
        return draft.decision(refused=PAST_THE_PIVOT)
    document = amended(saga.document, values)
    changed = [name for name, value in values.items() if field_of(saga.document, name) != value]
    if not changed:
        return draft.decision()
    if saga.amendments >= MOST:
        return draft.decision(refused=TOO_MANY)
    draft.amend(document, sorted(changed), by)
    return draft.decision()


def field_of(document: Document, name: str) -> Any:
    """The value of one of the fields as it is now."""
    return part(document, "customer").get(name) if name in OF_THE_CUSTOMER else document.get(name)


def amended(document: Document, values: Mapping[str, Any]) -> Document:
    """The document with these values."""
    customer = {name: value for name, value in values.items() if name in OF_THE_CUSTOMER}
    others = {name: value for name, value in values.items() if name not in OF_THE_CUSTOMER}
    return {**document, "customer": {**part(document, "customer"), **customer}, **others}
