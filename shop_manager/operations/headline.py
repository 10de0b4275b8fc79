"""What is up with one Clerk in one sentence of shop words, whose move it is, and what happens by itself. Pure.

`now` is in ms. "Paid €25.90, not shipped: the warehouse has been silent for 14 min; asked again in 40 s."
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from domain.document import part
from domain.times import to_wire
from shop_manager.causes import OWNER
from shop_manager.operations.words import duration, money
from shop_manager.ops_clerk import deadlines
from shop_manager.processes.definition import Process
from shop_manager.saga import Question, Saga, Stuck

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
    if saga.stuck:
        return OWNER
    waits_for = saga.question.waits_for
    return waits_for if waits_for in ("customer", "warehouse") else "service"  # type: ignore[return-value]  # just seen


def coming_next(saga: Saga, process: Process | None, now: int) -> dict[str, Any] | None:
    """`{what: session|step|resend, at, in_seconds, then}`: what happens by itself next; None when nothing will."""
    found = _soonest(saga, process)
    if found is None:
        return None
    at, line = found
    return {**line, "at": to_wire(at), "in_seconds": max(0, at - now) // 1000}


def _soonest(saga: Saga, process: Process | None) -> tuple[int, Mapping[str, Any]] | None:
    """A deadline at which nothing more happens is left out."""
    question, moments = saga.question, {"session": saga.expires_at}
    if question and question.deadline is not None:
        moments["step"] = question.deadline
    if saga.resend:
        moments["resend"] = saga.resend.at
    lines = [(moments[line["what"]], line) for line in deadlines(saga, process) if line["what"] in moments]
    return min((each for each in lines if not each[1]["then"].startswith("nothing")), key=lambda each: each[0],
               default=None)  # fmt: skip


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
    if saga.stuck:
        return undoing + _stuck(saga.stuck, question, process, now)
    return undoing + _waiting(question, process, now)


def _why(failure: Mapping[str, Any] | None) -> str:
    if not failure:
        return ""
    at = f" at {failure['step']}" if failure.get("step") else ""
    return f"{at}, {failure.get('detail') or failure.get('code')}"


def _waiting(question: Question, process: Process | None, now: int) -> str:
    silent = duration(now - question.asked_at)
    if question.waits_for == "customer":
        act = "placed the order" if process and question.step == process.names[0] else "paid"
        return f"the customer has not {act} for {silent}"
    if question.paused:
        return f"{_service(question, process)} could not {_task(question)} yet ({_times(question.failures)})"
    who = "the warehouse" if question.waits_for == "warehouse" else _service(question, process)
    return f"{who} has been silent for {silent}" if who == "the warehouse" else (
        f"{who} has been silent for {silent}, asked to {_task(question)}"
    )  # fmt: skip


def _stuck(stuck: Stuck, question: Question, process: Process | None, now: int) -> str:
    service, silent = _service(question, process), duration(now - question.asked_at)
    if stuck.kind == "undo_failing":
        return f"{service} cannot undo {stuck.step}: {stuck.detail}"
    if stuck.kind == "no_answer":
        return f"{service} has been silent for {silent}, longer than {stuck.step} may take"
    if stuck.kind == "overdue":
        who = f"the {question.waits_for}" if question.waits_for else service
        return f"{who} has been silent for {silent}, longer than allowed" if stuck.code == "overdue" else (
            f"{service} cannot {_task(question)}: {stuck.detail}"
        )  # fmt: skip
    if stuck.kind == "parked_message":
        return stuck.detail
    return f"{service} does not know the command {question.command}"


def _coming(saga: Saga, process: Process | None, now: int) -> str:
    found = _soonest(saga, process)
    if found is None:
        return ""
    at, line = found
    within = f"in {duration(at - now)}" if at >= now + 1_000 else "now"
    if line["what"] == "resend":
        return f"asked again {within}"
    return f"{line['then']} {within}"


def _service(question: Question, process: Process | None) -> str:
    return process.step(question.step).asks if process else "the service"


def _task(question: Question) -> str:
    return f"undo {question.step}" if question.direction == "undo" else f"do {question.step}"


def _times(count: int) -> str:
    return "tried once" if count == 1 else f"tried {count} times"
