"""Values that pages show: which deadlines still lead to something, and for whom a process is said to be."""

from __future__ import annotations

from typing import Any

import pytest

from shop_manager.dashboard.clerk_view import upcoming
from shop_manager.dashboard.processes_page import audience
from shop_manager.processes.definition import Process, Suits
from shop_manager.processes.invoice import INVOICE
from shop_manager.processes.standard import STANDARD

STUCK = {"kind": "no_answer"}


def clerk(step: str, command: str, *, past_the_pivot: bool = True, stuck: object = None) -> dict[str, Any]:
    deadlines = [{"what": "step"}, {"what": "resend"}]
    question = {"step": step, "command": command}
    return {"deadlines": deadlines, "past_the_pivot": past_the_pivot, "stuck": stuck, "question": question}


@pytest.mark.parametrize(
    ("found", "process", "expected"),
    [
        (clerk("credit", "ReserveCredit", past_the_pivot=False, stuck=STUCK), STANDARD, ["step", "resend"]),
        (clerk("capture", "CapturePayment"), STANDARD, ["step", "resend"]),
        (clerk("capture", "CapturePayment", stuck=STUCK), STANDARD, ["resend"]),
        (clerk("capture", "CapturePayment", stuck=STUCK), None, ["resend"]),
    ],
)
def test_a_step_deadline_that_has_made_the_clerk_stuck_already_is_not_upcoming(
    found: dict[str, Any], process: Process | None, expected: list[str]
) -> None:
    assert [each["what"] for each in upcoming(found, process)] == expected


def test_a_step_deadline_at_which_another_command_is_asked_is_upcoming() -> None:
    [step] = [step for step in INVOICE.steps if step.overdue]
    assert step.overdue is not None
    first, then = (upcoming(clerk(step.name, each, stuck=STUCK), INVOICE) for each in (step.do, step.overdue))
    assert [each["what"] for each in first] == ["step", "resend"]
    assert [each["what"] for each in then] == ["resend"]


def test_a_process_is_said_to_be_for_everybody_or_for_its_conditions() -> None:
    assert audience(Suits()) == "for everybody"
    assert audience(Suits(customer_type="trusted", allows_invoice=True)) == (
        "when customer type is trusted and the shop allows invoices"
    )
    assert audience(Suits(allows_invoice=False)) == "when allows invoice is False"
