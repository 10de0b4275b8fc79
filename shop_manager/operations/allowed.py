"""Which acts an operator can do to a Clerk now, each with its consequence in words, or why it is not allowed. Pure."""

from __future__ import annotations

from typing import Any

from domain.document import part
from shop_manager.processes.definition import Process
from shop_manager.saga.operator_acts import deadlines_of, outcomes_of, why_not
from shop_manager.saga.state import Saga
from shop_manager.saga.undoing import steps_to_undo

NEEDS = {"retry": [], "undo": [], "extend": ["until"], "settle": ["step", "outcome", "evidence"], "note": []}
"""What each act takes beside its `reason`."""


def actions(saga: Saga, process: Process | None) -> list[dict[str, Any]]:
    """`{action, allowed, consequence, why_not: null|{code, detail}, needs}`; `settle` also has its `step`, `outcomes`.

    `consequence` is null when the act is not allowed.
    """
    found = []
    for action, needs in NEEDS.items():
        refused = why_not(saga, action)
        line: dict[str, Any] = {
            "action": action,
            "allowed": refused is None,
            "consequence": None if refused else _consequence(saga, process, action),
            "why_not": refused.as_json() if refused else None,
            "needs": needs,
        }
        if action == "settle":
            line["step"] = saga.question.step if saga.question else None
            line["outcomes"] = list(outcomes_of(saga, process)) if process else []
        found.append(line)
    return found


def _consequence(saga: Saga, process: Process | None, action: str) -> str:
    if action == "note":
        return "The note stands in the timeline; nothing else changes."
    if process is None or saga.question is None:
        return "The order is undone; nothing was asked yet." if action == "undo" else ""
    if action == "retry":
        return _retried(saga, process)
    if action == "undo":
        return _undone(saga, process)
    if action == "extend":
        return _extended(saga)
    return _settled(saga, process)


def _retried(saga: Saga, process: Process) -> str:
    question = saga.question
    if question is None:
        return ""
    task = f"to undo {question.step}" if question.direction == "undo" else f"to do {question.step}"
    return (
        f"{process.step(question.step).asks} is asked again at once {task}, as attempt {question.attempt + 1}; "
        f"what was done already is not done twice.{' It stays stuck until it is answered.' if saga.stuck else ''}"
    )


def _undone(saga: Saga, process: Process) -> str:
    steps = ", then ".join(step.name for step in steps_to_undo(process, saga)) or "nothing"
    money = " What is reserved on the card is released." if _is_reserved(saga) else ""
    return f"The order stops and is undone: {steps}; then it is canceled, for good.{money}"


def _is_reserved(saga: Saga) -> bool:
    return bool(part(saga.document, "payment").get("status") == "authorized")


def _extended(saga: Saga) -> str:
    which = "The session and its step" if len(deadlines_of(saga)) > 1 else "It"
    if saga.past_pivot:
        return "The step has time until then, and is not overdue before; nothing is asked anew."
    return f"{which} cannot expire before the time that you give; the customer and the service may act until then."


def _settled(saga: Saga, process: Process) -> str:
    question = saga.question
    if question is None:
        return ""
    service = process.step(question.step).asks
    if question.direction == "undo":
        return f"{question.step} counts as undone by your word, without {service}'s answer; the undoing goes on."
    outcomes = outcomes_of(saga, process)
    counts = f"{question.step} counts as {' or '.join(outcomes)} by your word and evidence"
    if "refused" not in outcomes:
        return f"{counts}, and {service} is not asked again; the order goes on."
    return (
        f"{counts}, and {service} is not asked again. "
        "Done: the order goes on, and the step is not undone later unless you say so. Refused: the order is undone."
    )
