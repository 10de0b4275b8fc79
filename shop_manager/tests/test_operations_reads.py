"""What operators read beyond lists: the headline, whose move it is, changes, messages, processes, figures, checks."""

from __future__ import annotations

from typing import Any

import pytest

from domain.messages import ParkedNotice
from domain.times import hours, minutes, seconds, to_wire
from shop_manager.operations import checks
from shop_manager.operations.changes import difference
from shop_manager.operations.formats import duration, money
from shop_manager.operations.tallies import count_lately
from shop_manager.tests.http_harness import SERVER, HttpHarness
from shop_manager.tests.test_operations_api import OPERATOR, read, stuck_one


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(2590, "EUR", "€25.90"), (-5, "USD", "−$0.05"), (123456, "JPY", "¥123,456"), (1000, "SEK", "10.00 SEK"),
     (1500, "KWD", "1.500 KWD")],
)  # fmt: skip
def test_amounts_are_shown_with_the_minor_unit_of_their_currency(minor: int, currency: str, shown: str) -> None:
    assert money(minor, currency) == shown


def test_times_are_shown_in_the_unit_that_a_person_would_choose() -> None:
    shown = [duration(each) for each in (0, 40_000, minutes(14), minutes(90), minutes(60 * 25))]
    assert shown == ["0 s", "40 s", "14 min", "1 h 30 min", "1 d 1 h"]


def test_the_headline_says_what_is_paid_who_is_silent_and_what_comes_next(harness: HttpHarness) -> None:
    clerk = harness.brings_all(SERVER, customer="ada")["id"]
    harness.goes_on_to("ShipOrder")
    harness.now += minutes(14)
    harness.manager.tick()
    found = read(harness, f"clerks/{clerk}")
    assert found["headline"].startswith("Paid €25.90, not shipped: the warehouse has been silent for 14 min; asked")
    assert found["owner"] == "warehouse"
    assert found["next"]["what"] == "resend"
    settle = next(each for each in found["actions"] if each["action"] == "settle")
    assert settle["outcomes"] == ["done"] and "refused" not in settle["consequence"].lower()


def test_a_stuck_clerk_is_the_operators_and_its_acts_say_their_consequence(harness: HttpHarness) -> None:
    found = read(harness, f"clerks/{stuck_one(harness)}")
    assert "payment has been silent for 1 min, longer than capture may take" in found["headline"]
    assert found["owner"] == "operator"
    acts = {each["action"]: each for each in found["actions"]}
    assert list(acts) == ["retry", "undo", "extend", "settle", "note"]
    assert acts["retry"]["consequence"].startswith("payment is asked again at once to do capture, as attempt 2")
    assert acts["undo"]["why_not"]["code"] == "past_the_pivot" and acts["undo"]["consequence"] is None
    assert (acts["settle"]["step"], acts["settle"]["outcomes"]) == ("capture", ["done", "refused"])


@pytest.mark.parametrize("ends_by", ["canceled", "completed"])
def test_an_ended_clerk_is_nobodys_and_takes_notes_only(harness: HttpHarness, ends_by: str) -> None:
    clerk = harness.brings_all()["id"]
    if ends_by == "canceled":
        harness.goes_on_to("AuthorizePayment")
        harness.call("POST", f"/shop/session/{clerk}/cancel", SERVER)
    harness.goes_on_to_the_end()
    found = read(harness, f"clerks/{clerk}")
    assert (found["status"], found["owner"], found["next"]) == (ends_by, "nobody", None)
    assert [each["action"] for each in found["actions"] if each["allowed"]] == ["note"]


def test_the_timeline_shows_what_each_step_changed_in_the_document(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to_the_end()
    done = {line["step"]: line["changes"] for line in read(harness, f"clerks/{clerk}/timeline")["data"]
            if line["what"] == "done"}  # fmt: skip
    assert done["credit"] == {
        "added": {"$.credit.status": "reserved", "$.credit.amount": 2590}, "changed": {}, "removed": {},
    }  # fmt: skip
    assert done["capture"]["changed"] == {"$.payment.status": {"before": "authorized", "after": "captured"}}


def test_changes_name_fields_in_lists_and_what_was_removed() -> None:
    before: dict[str, Any] = {"order": {"items": [{"sku": "A"}], "odd name": 1}}
    after: dict[str, Any] = {"order": {"items": [{"sku": "B"}, {"sku": "C"}]}}
    assert difference(before, after) == {
        "added": {"$.order.items[1].sku": "C"},
        "changed": {"$.order.items[0].sku": {"before": "A", "after": "B"}},
        "removed": {"$.order['odd name']": 1},
    }


def test_the_messages_of_a_clerk_tell_which_were_taken_ignored_and_parked(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    command = harness.goes_on_to("ReserveCredit")
    harness.answers(command)
    harness.answers(command)
    [payment] = harness.sent()
    harness.hears(
        ParkedNotice("payment", "prk_1", "the handler failed", "payment.commands.v1", payment.id, b"[]", 2, harness.now)
    )
    found = read(harness, f"clerks/{clerk}/messages")["data"]
    replies = [(line["step"], line["taken"]) for line in found if line["kind"] == "reply"]
    assert replies == [("shopping", True), ("credit", True), ("credit", False)]
    assert next(line["why"] for line in found if line["taken"] is False).startswith("repeated")
    assert [line["service"] for line in found if line["kind"] == "command"] == ["shop", "risk", "payment"]


def test_processes_are_drawn_from_their_definitions_with_live_counts(harness: HttpHarness) -> None:
    stuck_one(harness)
    found = {each["reference"]: each for each in read(harness, "processes")["data"]}
    assert set(found) == {"standard/1", "invoice/1", "digital/1"}
    capture = next(step for step in found["standard/1"]["steps"] if step["name"] == "capture")
    assert (capture["pivot"], capture["live"], capture["stuck"], capture["within_seconds"]) == (True, 1, 1, 60)
    assert (found["standard/1"]["live"], found["digital/1"]["live"]) == (1, 0)


def test_which_process_a_customer_would_get_is_told_with_the_rule(harness: HttpHarness) -> None:
    guest = read(harness, "processes/chosen?shop=squeaky-toys")
    assert (guest["process"], guest["inputs"]["customer_type"]) == ("standard/1", "guest")
    assert read(harness, "processes/chosen?shop=squeaky-sounds&customer=ada")["process"] == "digital/1"
    assert harness.get("/ops/processes/chosen?shop=nowhere", OPERATOR).status_code == 404


def test_figures_count_opens_and_ends_and_measure_steps(harness: HttpHarness) -> None:
    for _ in range(3):
        harness.brings_all()
        harness.now += seconds(2)
        harness.goes_on_to_the_end()
    while not count_lately(harness.database):
        pass
    assert count_lately(harness.database) is True  # counting again sets the same
    found = read(harness, "figures?hours=1")
    assert sum(bar["opened"] for bar in found["throughput"]) == 3
    assert found["ends"] == [{"process": "standard/1", "status": "completed", "count": 3}]
    [funnel] = found["funnel"]
    assert {(step["asked"], step["done"]) for step in funnel["steps"]} == {(3, 3)}


def answers_after(harness: HttpHarness, milliseconds: int) -> None:
    """Shopping takes so long, and everything behind it no time."""
    harness.brings_all()
    harness.now += milliseconds
    while commands := harness.sent():
        harness.answers(commands[0])
        harness.manager.after_commit()


def test_step_times_are_of_every_step_in_the_time_and_by_whose_turn_it_was(harness: HttpHarness) -> None:
    for took in [2_000] * 12 + [40_000]:
        answers_after(harness, took)
    harness.manager.step_figures.hours.flush(harness.database)
    found = read(harness, "figures?hours=1")
    shopping = next(each for each in found["step_times"] if each["step"] == "shopping")
    assert (shopping["count"], shopping["turns"][0]["turn"], shopping["turns"][0]["count"]) == (13, "service", 13)
    assert shopping["p50_ms"] == pytest.approx(2_000, rel=0.08)
    assert shopping["p95_ms"] == pytest.approx(40_000, rel=0.08)
    shipping = next(each for each in found["step_times"] if each["step"] == "shipping")
    assert shipping["turns"][0]["turn"] == "warehouse", "whoever has to act is told apart from the service"
    harness.now += hours(2)
    assert read(harness, "figures?hours=1")["step_times"] == []
    again = read(harness, "figures?hours=3")
    assert again["step_times"] == found["step_times"]
    assert again["step_times_since"] == found["step_times_since"]


def test_what_became_stuck_is_counted_by_step_and_hour(harness: HttpHarness) -> None:
    stuck_one(harness)
    begun = harness.now
    harness.now += hours(1)
    for _ in range(2):
        stuck_one(harness)
    found = read(harness, "figures?hours=24")["stuck"]
    assert (found["hours"], [each["step"] for each in found["steps"]]) == (1, ["capture"])
    by_hour = dict(zip(found["at"], found["steps"][0]["counts"], strict=True))
    assert by_hour[to_wire(begun - begun % hours(1))] == 1 and sum(by_hour.values()) == 3
    assert read(harness, "figures?hours=168")["stuck"]["hours"] == 7


def test_the_last_recorded_check_is_shown(harness: HttpHarness) -> None:
    assert read(harness, "checks") == {"latest": None}
    drift = {"invariant": "I3", "clerk": "clk_1", "expected": "a", "found": "b", "repair": "by hand"}
    for count in range(checks.KEPT + 2):
        with harness.database.begin() as tx:
            checks.record(tx, started_at=harness.now, finished_at=harness.now + 5, clerks=count, drifts=[drift])
    latest = read(harness, "checks")["latest"]
    assert (latest["clerks"], latest["found"], latest["drifts"]) == (checks.KEPT + 1, 1, [drift])
    assert latest["finished_at"] == to_wire(harness.now + 5)
