"""The public session: what the customer and the shop's backend see of a Clerk (docs/design/api.md). Pure.

It depends on the saga and its steps alone, so the same version always looks the same. That a Clerk is stuck never
shows (semantics E3), and nothing is called confirmed before the pivot (P3). `steps` are the names of its process's
steps, in order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from domain.document import part
from domain.times import to_wire
from shop_manager.processes import ProcessRegistry
from shop_manager.saga.amending import may_be_amended
from shop_manager.saga.state import Question, Saga

PublicStatus = Literal[
    "open", "processing", "requires_action", "completed", "canceling", "canceled", "expired", "failed"
]
_PAYMENT = frozenset({"authorized", "captured", "voided", "refunded"})
_FULFILLMENT = {
    "allocated": "reserved",
    "shipped": "shipped",
    "delivered": "shipped",
    "released": "released",
}
_NO_CARD = frozenset({"card_declined", "too_many_cards"})
_LINE = ("sku", "name", "quantity", "unit_amount", "total")


def steps_of(processes: ProcessRegistry, saga: Saga) -> list[str]:
    """The names of a Clerk's steps, in order. A process may be taken out when all its Clerks have ended: then those
    that were asked.
    """
    process = processes.by_reference.get(saga.process)
    return [step.name for step in process.steps] if process else list(saga.steps)


def status_of(status: str, step: str | None, waiting_for: str | None, first_steps: Collection[str]) -> PublicStatus:
    """The public status from a saga's status, the step it is at, and whom that step waits for.

    `first_steps` are the names of the steps at which a session is open.
    """
    if status == "undoing":
        return "canceling"
    if status == "running":
        if waiting_for != "customer":
            return "processing"
        return "open" if step in first_steps else "requires_action"
    return status  # type: ignore[return-value]  # the four ends are called the same inside and outside


def status(saga: Saga, steps: Sequence[str]) -> PublicStatus:
    """The public status of a Clerk."""
    question = saga.question
    return status_of(saga.status, question.step if question else None, saga.waits_for, steps[:1])


def public_session(saga: Saga, steps: Sequence[str]) -> dict[str, Any]:
    """The whole public session, without its client secret."""
    head, order = part(saga.document, "clerk"), part(saga.document, "order")
    customer = dict(part(saga.document, "customer"))
    total = order.get("total")
    return {
        "id": saga.id,
        "object": "shop.session",
        "version": saga.version,
        "status": status(saga, steps),
        "payment_status": _payment_status(saga),
        "last_payment_error": _last_payment_error(saga),
        "fulfillment_status": _fulfillment_status(saga),
        "process": saga.process,
        "shop": head.get("shop"),
        "currency": head.get("currency"),
        "created_at": to_wire(saga.opened_at),
        "updated_at": to_wire(saga.updated_at),
        "expires_at": to_wire(saga.expires_at),
        "client_reference": head.get("client_reference"),
        "customer": {name: customer.get(name) for name in ("name", "email")},
        "shipping_address": dict(part(customer, "shipping_address")),
        "items": _items(order),
        "total": total if type(total) is int else 0,
        "progress": progress(saga, steps),
        "next_action": _next_action(saga, steps),
        "failure": _failure(saga),
        "messages": _messages(saga),
        "metadata": dict(part(saga.document, "metadata")),
        "links": _links(saga, steps),
    }


def with_secret(session: Mapping[str, Any], client_secret: str) -> dict[str, Any]:
    """The session with its secret behind `client_reference`, where the API documents it."""
    told: dict[str, Any] = {}
    for name, value in session.items():
        told[name] = value
        if name == "client_reference":
            told["client_secret"] = client_secret
    return told


def progress(saga: Saga, steps: Sequence[str]) -> list[dict[str, Any]]:
    """One line a step, in the process's order; steps that an ended Clerk never came to are `skipped`."""
    lines = []
    for step in steps:
        known = saga.steps.get(step)
        if known is None:
            lines.append({"step": step, "state": "skipped" if saga.ended else "to_do"})
        else:
            lines.append({"step": step, "state": known.state, "at": to_wire(known.at)})
    return lines


def _items(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    items = order.get("items")
    if not isinstance(items, list):
        return []
    return [_line(item) for item in items if isinstance(item, dict)]


def _line(item: Mapping[str, Any]) -> dict[str, Any]:
    """Older orders do not say of what kind an article is."""
    line = {key: item.get(key) for key in _LINE}
    return {**line, "kind": item["kind"]} if "kind" in item else line


def _payment_status(saga: Saga) -> str:
    """An invoice that was never paid is `none`: no money has moved."""
    if saga.is_authorizing:
        return "authorizing"
    found = part(saga.document, "payment").get("status")
    return found if isinstance(found, str) and found in _PAYMENT else "none"


def _last_payment_error(saga: Saga) -> dict[str, Any] | None:
    """`{code, detail, at}` of the last card that was declined, until one is authorised; by hand or brought along."""
    told = part(saga.document, "payment").get("last_error")
    if isinstance(told, dict):
        return {name: told.get(name) for name in ("code", "detail", "at")}
    failure, step = saga.failure, saga.steps.get((saga.failure or {}).get("step") or "")
    if failure is None or step is None or failure["code"] not in _NO_CARD:
        return None
    return {"code": failure["code"], "detail": failure.get("detail"), "at": to_wire(step.at)}


def _fulfillment_status(saga: Saga) -> str:
    found = part(saga.document, "shipment").get("status")
    return _FULFILLMENT.get(found, "none") if isinstance(found, str) else "none"


# --- the customer's turn ---------------------------------------------------------------------------------------------


def _customers_turn(saga: Saga) -> Question | None:
    question = saga.question
    return question if saga.status == "running" and question and saga.waits_for == "customer" else None


def _next_action(saga: Saga, steps: Sequence[str]) -> dict[str, Any] | None:
    """What the customer can do now, where, and until when."""
    question = _customers_turn(saga)
    if question is None:
        return None
    until = _until(saga, question)
    shopping = question.step in steps[:1]
    return {
        "type": "place_order" if shopping else "pay",
        "href": f"/shop/carts/{saga.id}/order" if shopping else f"/payment/{saga.id}",
        "expires_at": None if until is None else to_wire(until),
    }


def _until(saga: Saga, question: Question) -> int | None:
    """The earlier of the step's and the session's deadline; from the pivot on there is only the step's."""
    if saga.past_pivot:
        return question.deadline
    return saga.expires_at if question.deadline is None else min(saga.expires_at, question.deadline)


def _links(saga: Saga, steps: Sequence[str]) -> dict[str, str]:
    """Only what is allowed now."""
    here = f"/shop/session/{saga.id}"
    links = {"self": here}
    if saga.status == "running" and not saga.past_pivot:
        links["cancel"] = f"{here}/cancel"
    if may_be_amended(saga):
        links["amend"] = here
    links["events"] = f"{here}/events"
    question = _customers_turn(saga)
    if question is not None:
        shopping = question.step in steps[:1]
        links["cart" if shopping else "payment"] = f"/shop/carts/{saga.id}" if shopping else f"/payment/{saga.id}"
    return links


# --- what went wrong, and what happens with the money ----------------------------------------------------------------


def _failure(saga: Saga) -> dict[str, Any] | None:
    """Shown as soon as it is known, while the order is still being undone."""
    failure = saga.failure
    if failure is None:
        return None
    return {
        "code": failure["code"],
        "step": failure.get("step"),
        "detail": failure.get("detail"),
        "money": _money(saga),
    }


def _money(saga: Saga) -> str:
    """What has happened with the customer's money, as far as payment has told."""
    payment = _payment_status(saga)
    if payment == "authorized":
        return "the reservation on the card is being released"
    if payment == "voided":
        return "the reservation on the card was released"
    if payment == "refunded":
        return "the money was returned"
    if payment == "captured":
        return "the money was charged" if saga.ended else "the money is being returned"
    return "nothing was charged"


def _messages(saga: Saga) -> list[dict[str, str]]:
    """Notes to the customer: `{code, text}`."""
    payment, shipment = part(saga.document, "payment"), part(saga.document, "shipment")
    notes = []
    if shipment.get("status") == "shipped":
        notes.append({"code": "shipped", "text": _on_its_way(shipment)})
    if payment.get("status") == "lost":
        notes.append({"code": "invoice_not_paid", "text": "the invoice was not paid in time"})
    elif payment.get("late"):
        notes.append({"code": "paid_late", "text": "the invoice was paid after it was due"})
    return notes


def _on_its_way(shipment: Mapping[str, Any]) -> str:
    carrier, tracking = shipment.get("carrier"), shipment.get("tracking")
    by = f" with {carrier}" if isinstance(carrier, str) else ""
    return f"the order has left the warehouse{by}" + (f", tracking {tracking}" if isinstance(tracking, str) else "")
