"""How a Clerk and its history become rows of the database, and back. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from domain.document import Document
from shop_manager.saga.deadlines import wake_at
from shop_manager.saga.state import Heard, HistoryEntry, Progress, Question, Reported, Resend, Saga, Stuck

_SELDOM_CHANGES = ("clerk", "customer", "metadata")


def clerk_row(saga: Saga, revision: int, digest: str) -> dict[str, Any]:
    return {
        "id": saga.id,
        "revision": revision + 1,
        "seen_revision": revision,
        "digest": digest,
        **listed(saga),
        "state": encode_state(saga),
        "state_more": encode_more(saga),
        "document": encode_document(saga.document),
    }


def listed(saga: Saga) -> dict[str, Any]:
    """The columns by which Clerks are found, counted and woken; each follows from the saga."""
    head, order = saga.document["clerk"], saga.document.get("order") or {}
    question = saga.question
    total = order.get("total")
    return {
        "version": saga.version,
        "status": saga.status,
        "process": saga.process,
        "shop": head["shop"],
        "customer": saga.document["customer"].get("id"),
        "client_reference": head.get("client_reference"),
        "currency": head["currency"],
        "total": total if type(total) is int else None,
        "step": question.step if question else None,
        "waiting_for": (saga.waits_for or "service") if question else None,
        "stuck_kind": saga.stuck.kind if saga.stuck else None,
        "stuck_code": saga.stuck.code[:128] if saga.stuck else None,
        "stuck_since": saga.stuck.since if saga.stuck else None,
        "opened_at": saga.opened_at,
        "updated_at": saga.updated_at,
        "expires_at": saga.expires_at,
        "wake_at": wake_at(saga),
    }


def encode_document(document: Document) -> str:
    """The sections that seldom change come last: of a row that changes, PostgreSQL logs neither how it begins nor how
    it ends when both stay as they were (docs/decisions/099).
    """
    return orjson.dumps({name: document[name] for name in sorted(document, key=_SELDOM_CHANGES.__contains__)}).decode()


def _decode_document(text: str) -> Document:
    stored: Document = orjson.loads(text)
    return {**{name: stored[name] for name in _SELDOM_CHANGES if name in stored}, **stored}


def encode_state(saga: Saga) -> str:
    return orjson.dumps(
        {
            "process": saga.process,
            "version": saga.version,
            "status": saga.status,
            "opened_at": saga.opened_at,
            "updated_at": saga.updated_at,
            "expires_at": saga.expires_at,
            "steps": {name: _progress(each) for name, each in saga.steps.items()},
            "question": saga.question,
            "resend": saga.resend,
            "ending": saga.ending,
            "failure": saga.failure,
            "stuck": saga.stuck,
            "past_pivot": saga.past_pivot,
            "traceparent": saga.traceparent,
        }
    ).decode()


def encode_more(saga: Saga) -> str | None:
    """What a ShopManager of an older version knows nothing of; it leaves this column as it is."""
    if saga.reported is None and not saga.amended and saga.heard is None and not saga.stuck_before:
        return None
    names = ("reported", "amended", "amendments", "heard", "stuck_before")
    return orjson.dumps({name: getattr(saga, name) for name in names}).decode()


def _progress(progress: Progress) -> list[Any]:
    return [progress.state, progress.at, progress.attempts, *([True] if progress.by_hand else [])]


def decode_saga(clerk: str, state: str, document: str, more: str | None) -> Saga:
    fields = orjson.loads(state)
    added = orjson.loads(more) if more else {}
    fields["reported"] = Reported(**added["reported"]) if added.get("reported") else None
    fields["heard"] = Heard(**added["heard"]) if added.get("heard") else None
    fields["stuck_before"] = added.get("stuck_before", False)
    fields |= {name: added.get(name, 0) for name in ("amended", "amendments")}
    fields["steps"] = {name: Progress(*progress) for name, progress in fields["steps"].items()}
    fields["question"] = Question(**fields["question"]) if fields["question"] else None
    fields["resend"] = Resend(**fields["resend"]) if fields["resend"] else None
    fields["stuck"] = Stuck(**fields["stuck"]) if fields["stuck"] else None
    return Saga(id=clerk, document=_decode_document(document), **fields)


def history_row(clerk: str, number: int, entry: HistoryEntry) -> dict[str, Any]:
    data = orjson.dumps(dict(entry.data)).decode()
    return {"clerk": clerk, "number": number, "at": entry.at, "what": entry.what, "step": entry.step, "data": data}
