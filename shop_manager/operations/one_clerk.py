"""One Clerk as operators read it: where it stands in shop words, whose move it is, its acts, timeline and messages."""

from __future__ import annotations

from typing import Any

from doors.problems import not_found
from messaging.database import Tx
from shop_manager import store
from shop_manager.operations.allowed import actions
from shop_manager.operations.changes import changes_by_number
from shop_manager.operations.headline import coming_next, headline, owner
from shop_manager.operations.traffic import messages_of
from shop_manager.ops_clerk import clerk_detail, timeline
from shop_manager.processes import Catalogue
from shop_manager.public import steps_of
from shop_manager.saga import Saga

NO_CHANGES: dict[str, dict[str, Any]] = {"added": {}, "changed": {}, "removed": {}}


def read_saga(tx: Tx, clerk: str) -> Saga:
    """Problem 404 for an unknown one."""
    held = store.read(tx, [clerk]).get(clerk)
    if held is None:
        raise not_found()
    return held.saga


def told(saga: Saga, catalogue: Catalogue, first_steps: list[str], now: int) -> dict[str, Any]:
    """All of `ops_clerk.clerk_detail`, and `headline` (a sentence), `owner` (customer, warehouse, service, operator,
    nobody), `next` (`{what, at, in_seconds, then}` or null), `actions` (see allowed.actions).
    """
    process = catalogue.by_reference.get(saga.process)
    return {
        **clerk_detail(saga, process, steps_of(catalogue, saga), first_steps),
        "headline": headline(saga, process, now),
        "owner": owner(saga),
        "next": coming_next(saga, process, now),
        "actions": actions(saga, process),
    }


def read_timeline(tx: Tx, clerk: str) -> list[dict[str, Any]]:
    """Every line of `ops_clerk.timeline`, with `changes`: `{added: {field: value}, changed: {field: {before, after}},
    removed: {field: value}}` of the document. Problem 404 for an unknown Clerk.
    """
    history = store.read_history(tx, clerk)
    if not history:
        raise not_found()
    changes = changes_by_number(history)
    lines = timeline(history, store.read_ignored(tx, clerk))
    return [{**line, "changes": changes.get(line["number"], NO_CHANGES)} for line in lines]


def read_messages(tx: Tx, clerk: str, catalogue: Catalogue) -> list[dict[str, Any]]:
    """See traffic.messages_of."""
    history = store.read_history(tx, clerk)
    if not history:
        raise not_found()
    process = catalogue.by_reference.get(history[0][1].data["process"])
    return messages_of(tx, clerk, history, store.read_ignored(tx, clerk), process)
