"""What operators read of one Clerk: where it stands, its deadlines with what happens then, and its timeline. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from domain.times import to_wire
from shop_manager.deciding.asking import outgoing_document
from shop_manager.deciding.deadlines import wake_at
from shop_manager.ops_reads import stuck
from shop_manager.processes.definition import Process
from shop_manager.public import progress, status_of
from shop_manager.saga import Entry, Question, Saga


def clerk_line(saga: Saga, first_steps: Sequence[str]) -> dict[str, Any]:
    """The same item as in the list, from the Clerk itself."""
    document, question = saga.document, saga.question
    total = (document.get("order") or {}).get("total")
    step = question.step if question else None
    waiting_for = (question.waits_for or "service") if question else None
    due = wake_at(saga)
    return {
        "id": saga.id,
        "status": status_of(saga.status, step, waiting_for, first_steps),
        "stuck": stuck(asdict(saga.stuck)) if saga.stuck else None,
        "step": step,
        "waiting_for": waiting_for,
        "process": saga.process,
        "shop": document["clerk"].get("shop"),
        "customer": document["customer"].get("id"),
        "total": total if type(total) is int else None,
        "currency": document["clerk"].get("currency"),
        "created_at": to_wire(saga.opened_at),
        "updated_at": to_wire(saga.updated_at),
        "next_wake_at": None if due is None else to_wire(due),
        "version": saga.version,
    }


def clerk_detail(
    saga: Saga, process: Process | None, steps: Sequence[str], first_steps: Sequence[str]
) -> dict[str, Any]:
    """The item, and all that is known. `process` is None when it was taken out after its last Clerk had ended."""
    return {
        **clerk_line(saga, first_steps),
        "expires_at": to_wire(saga.expires_at),
        "past_the_pivot": saga.past_pivot,
        "ending": saga.ending,
        "failure": saga.failure,
        "progress": _progress(saga, steps),
        "question": _question(saga.question),
        "deadlines": deadlines(saga, process),
        "document": outgoing_document(saga),
    }


def deadlines(saga: Saga, process: Process | None) -> list[dict[str, Any]]:
    """`{what, at, then}`: when something will happen by itself, and what, in words; the soonest first."""
    found: list[tuple[int, str, str]] = []
    question = saga.question
    if saga.status == "running" and not saga.past_pivot:
        found.append((saga.expires_at, "session", "the order is undone and the session expires"))
    if question is not None and question.deadline is not None:
        found.append((question.deadline, "step", _then(saga, question, process)))
    if question is not None and saga.resend is not None:
        found.append((saga.resend.at, "resend", _asked_again(saga, question)))
    return [{"what": what, "at": to_wire(at), "then": then} for at, what, then in sorted(found)]


def _then(saga: Saga, question: Question, process: Process | None) -> str:
    if not saga.past_pivot:
        return "the order is undone and the session expires"
    step = process.step(question.step) if process else None
    if step is not None and step.overdue and question.command != step.overdue:
        return f"{step.asks} is asked {step.overdue} instead"
    return "it is stuck and waits for a person" if not saga.stuck else "nothing more: it is stuck already"


def _asked_again(saga: Saga, question: Question) -> str:
    if question.paused:
        return f"{question.step} is asked anew, as attempt {question.attempt + 1}"
    count = saga.resend.count + 1 if saga.resend else 1
    return f"the same question goes out again; asked {'once' if count == 1 else f'{count} times'} so far"


def _progress(saga: Saga, steps: Sequence[str]) -> list[dict[str, Any]]:
    """As the public has it, with how often each step was asked."""
    lines = progress(saga, steps)
    for line in lines:
        known = saga.steps.get(line["step"])
        line["attempts"] = known.attempts if known else 0
    return lines


def _question(question: Question | None) -> dict[str, Any] | None:
    if question is None:
        return None
    moments = {
        "asked_at": to_wire(question.asked_at),
        "deadline": None if question.deadline is None else to_wire(question.deadline),
    }
    return {**asdict(question), **moments}


MOMENTS = frozenset({"expires_at", "deadline", "resend_at", "retry_at"})


def timeline(history: Sequence[tuple[int, Entry]], ignored: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """History and what was ignored, by time: `{number, at, what, step, data}`.

    Ignored lines have no number, but `message`, `outcome` and `reason`.
    """
    lines = [(entry.at, number, _history_line(number, entry)) for number, entry in history]
    # An ignored reply came after everything that was known at its moment: it stands behind entries of the same time.
    lines += [(row["at"], 2**62 + row["number"], _ignored_line(row)) for row in ignored]
    return [line for _, _, line in sorted(lines, key=lambda each: each[:2])]


def _history_line(number: int, entry: Entry) -> dict[str, Any]:
    data = {name: _shown(name, value) for name, value in entry.data.items()}
    return {"number": number, "at": to_wire(entry.at), "what": entry.what, "step": entry.step, "data": data}


def _shown(name: str, value: Any) -> Any:
    """A value of an entry's data; moments, which history keeps in ms, as everywhere on the wire."""
    return to_wire(value) if name in MOMENTS and isinstance(value, int) else value


def _ignored_line(row: Mapping[str, Any]) -> dict[str, Any]:
    parts = row["message"].split("/")
    return {
        "number": None,
        "at": to_wire(row["at"]),
        "what": "ignored",
        "step": parts[1] if len(parts) > 1 else None,
        "data": {},
        "message": row["message"],
        "outcome": row["outcome"],
        "reason": row["reason"],
    }
