"""Where one Clerk stands, in one sentence for people who know shops, and whose move it is. Pure.

`now` is in ms. "Paid €25.90, not shipped: the warehouse has been silent for 14 min; asked again in 40 s."
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from domain.document import part
from shop_manager.operations.causes import OWNER
from shop_manager.operations.formats import duration, money
from shop_manager.operations.upcoming import soonest
from shop_manager.processes.definition import Process
from shop_manager.saga.state import Question, Saga, Stuck

Owner = Literal["customer", "warehouse", "service", "operator", "nobody"]
_MONEY = {
    "captured": "Paid {}",
    "authorized": "{} reserved on the card",
    "voided": "{} released again",
    "refunded": "{} given back",
    "lost": "{} lost, the invoice was not paid",
}
_ENDS = {
    "completed": "the order is complete",
    "failed": "the order has failed",
    "canceled": "the order was called off",
    "expired": "the order has expired",
}


def headline(saga: Saga, process: Process | None, now: int) -> str:
    """One sentence: the money, the goods, what it waits for or why it does not go on, and what comes next."""
    stands = ", ".join(each for each in (_money(saga), _goods(saga)) if each)
    coming = _coming(saga, process, now)
    return f"{stands}: {_situation(saga, process, now)}" + (f"; {coming}" if coming else "") + "."


def owner(saga: Saga) -> Owner:
    """Whose is the next move."""
    if saga.ended or saga.question is None:
        return "nobody"
    if saga.stuck and not saga.stuck_before:
        return OWNER
    waits_for = saga.waits_for
    return waits_for if waits_for in ("customer", "warehouse") else "service"  # type: ignore[return-value]  # just seen


def _money(saga: Saga) -> str:
    total, payment = part(saga.document, "order").get("total"), part(saga.document, "payment")
    if type(total) is not int:
        return "No order yet" if not saga.ended else "Nothing was ordered"
    shown = money(total, str(part(saga.document, "clerk").get("currency")))
    told = _MONEY.get(str(payment.get("status")))
    return told.format(shown) if told else f"{shown} ordered, nothing paid"


def _goods(saga: Saga) -> str:
    status = part(saga.document, "shipment").get("status")
    if status in ("shipped", "delivered"):
        return str(status)
    return "not shipped" if saga.past_pivot and not saga.ended else ""


def _situation(saga: Saga, process: Process | None, now: int) -> str:
    if saga.ended:
        return _ENDS[saga.status] + _why(saga.failure)
    question = saga.question
    if question is None:
        return "nothing is asked"
    undoing = "being undone, " if saga.status == "undoing" else ""
    if saga.stuck and not saga.stuck_before:
        return undoing + _stuck(saga.stuck, question, process, now)
    if saga.is_authorizing:
        return f"the payment provider has been asked, and has not answered for {duration(now - saga.updated_at)}"
    if saga.takes_no_card:
        return "too many cards were declined, and no other one is taken"
    return undoing + _waiting(question, process, now)


def _why(failure: Mapping[str, Any] | None) -> str:
    if not failure:
        return ""
    at = f" at {failure['step']}" if failure.get("step") else ""
    internal = f" ({failure['internal']})" if failure.get("internal") else ""
    return f"{at}, {failure.get('detail') or failure.get('code')}{internal}"


def _waiting(question: Question, process: Process | None, now: int) -> str:
    silent = duration(now - question.asked_at)
    if question.waits_for == "customer":
        act = "placed the order" if process and question.step == process.names[0] else "paid"
        return f"the customer has not {act} for {silent}"
    if question.paused:
        return f"{_service(question, process)} could not {_task(question)} yet ({_times(question.failures)})"
    if question.waits_for == "warehouse":
        return f"the warehouse has been silent for {silent}"
    return f"{_service(question, process)} has been silent for {silent}, asked to {_task(question)}"


def _stuck(stuck: Stuck, question: Question, process: Process | None, now: int) -> str:
    service = _service(question, process)
    if stuck.kind == "undo_failing":
        return f"{service} cannot undo {stuck.step}: {stuck.detail}"
    if stuck.kind == "no_answer":
        return _silent(service, stuck, question, now, f"longer than {stuck.step} may take")
    if stuck.kind == "overdue" and stuck.code == "overdue":
        who = f"the {question.waits_for}" if question.waits_for else service
        return _silent(who, stuck, question, now, "longer than allowed")
    if stuck.kind == "overdue":
        return f"{service} cannot {_task(question)}: {stuck.detail}"
    if stuck.kind == "parked_message":
        return stuck.detail
    return f"{service} does not know the command {question.command}"


def _silent(who: str, stuck: Stuck, question: Question, now: int, too_long: str) -> str:
    """One that was asked anew after it got stuck may have said something before, and has had little time since."""
    asked = duration(now - question.asked_at)
    if question.asked_at > stuck.since:
        return f"{who} has not answered in time, and was asked anew {asked} ago"
    return f"{who} has been silent for {asked}, {too_long}"


def _coming(saga: Saga, process: Process | None, now: int) -> str:
    found = soonest(saga, process, now)
    if found is None:
        return ""
    within = f"in {duration(found.at - now)}" if found.at >= now + 1_000 else "now"
    return f"asked again {within}" if found.what == "resend" else f"{found.then} {within}"


def _service(question: Question, process: Process | None) -> str:
    return process.step(question.step).asks if process else "the service"


def _task(question: Question) -> str:
    return f"undo {question.step}" if question.direction == "undo" else f"do {question.step}"


def _times(count: int) -> str:
    return "tried once" if count == 1 else f"tried {count} times"
