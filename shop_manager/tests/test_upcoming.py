"""What is promised by itself: what is still to come, and leads to something; and what is said of silence. Pure."""

from __future__ import annotations

import pytest

from domain.times import days, minutes, seconds, to_wire
from shop_manager.operations.headline import headline
from shop_manager.operations.upcoming import LATE, coming_next, promised, upcoming
from shop_manager.processes.definition import Process
from shop_manager.processes.invoice import INVOICE
from shop_manager.processes.standard import STANDARD
from shop_manager.saga.happenings import Operated, Retry
from shop_manager.tests.saga_harness import NOON, SagaHarness, given
from shop_manager.tests.test_what_was_heard import settling


def what(clerk: SagaHarness, process: Process | None = STANDARD) -> list[str]:
    return [each.what for each in upcoming(clerk.saga, process, clerk.now)]


def captured() -> SagaHarness:
    return given(STANDARD).started().goes_through("shopping", "credit", "payment", "stock")


def test_a_limit_that_has_made_the_clerk_stuck_leads_to_nothing_more_and_is_not_told() -> None:
    clerk = captured()
    assert what(clerk) == ["resend", "step"]
    clerk.later(seconds(60)).woke().expect_stuck("no_answer").wakes_when_due()
    assert what(clerk) == what(clerk, None) == ["resend"]
    assert what(given(STANDARD).started().goes_through("shopping")) == ["resend", "step", "session"]


def test_a_limit_at_which_another_command_is_asked_is_told() -> None:
    clerk = given(INVOICE).started().goes_through("shopping", "credit", "stock", "shipping")
    assert "step" in what(clerk, INVOICE)
    clerk.later(days(14)).woke()
    assert clerk.question().name == "WriteOffPayment"
    assert what(clerk, INVOICE) == ["resend"]


@pytest.mark.parametrize(("late", "told"), [(0, True), (LATE, True), (LATE + 1, False), (minutes(10), False)])
def test_what_was_due_and_has_not_come_is_not_promised(late: int, told: bool) -> None:
    clerk = captured()
    due = NOON + seconds(5)
    now = due + late
    found = coming_next(clerk.saga, STANDARD, now)
    assert (found is not None and found["at"] == to_wire(due)) == told
    assert ("asked again" in headline(clerk.saga, STANDARD, now)) == told
    assert (promised(due, now) is not None) == told and promised(None, now) is None


def test_the_headline_has_the_words_of_a_service_that_answers_and_does_not_call_it_silent() -> None:
    clerk = settling()
    while clerk.saga.stuck is None:
        clerk.refused("settle", "ledger_closed").wakes_when_due()
    told = headline(clerk.saga, STANDARD, clerk.now)
    assert "risk cannot do settle: ledger closed" in told and "silent" not in told


def test_who_was_asked_anew_a_moment_ago_is_not_called_silent_for_longer() -> None:
    clerk = captured().later(seconds(60)).woke().expect_stuck("no_answer")
    assert "payment has been silent for 1 min, longer than capture may take" in headline(
        clerk.saga, STANDARD, clerk.now
    )
    clerk.later(seconds(40)).happens(Operated(Retry(), "ida", "it is up")).later(seconds(3))
    assert "longer" not in headline(clerk.saga, STANDARD, clerk.now)
