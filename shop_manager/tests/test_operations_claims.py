"""Who looks after a stuck Clerk: claimed once, taken over with a reason, put off and counted all the same."""

from __future__ import annotations

from typing import Any

import httpx

from domain.times import hours, seconds, to_wire
from shop_manager.operations.summary import stuck_causes
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_api import read, stuck_one

OPERATOR, ADMIN, SUPPORT = "op_day", "op_boss", "op_desk"


def claim(harness: HttpHarness, clerk: str, key: str = OPERATOR, action: str = "claim", **more: Any) -> httpx.Response:
    return harness.call("POST", f"/ops/clerks/{clerk}/claim", key, json={"action": action, **more})


def audited(harness: HttpHarness, clerk: str) -> list[tuple[str, str, str]]:
    lines = read(harness, f"audit?target=clerk:{clerk}")["data"]
    return [(line["who"], line["action"], line["outcome"]) for line in lines]


def test_a_claim_is_seen_by_everybody_and_changes_nothing_of_the_clerk(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    before = read(harness, f"clerks/{clerk}")
    assert before["claim"] is None
    answered = claim(harness, clerk)
    assert answered.status_code == 200, answered.text
    first = answered.json()["claim"]
    assert first == {"who": "day", "since": to_wire(harness.now), "snoozed_until": None}
    assert read(harness, f"clerks/{clerk}") == {**before, "claim": first}
    [line] = read(harness, "clerks?stuck=true")["data"]
    assert line["claim"] == first
    harness.now += seconds(1)
    assert claim(harness, clerk).json()["claim"] == first, "the same again is the same answer"
    assert claim(harness, clerk, action="release").json()["claim"] is None
    assert claim(harness, clerk, action="release").json()["claim"] is None


def test_another_one_is_told_who_has_it_and_takes_it_over_with_a_reason(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    claim(harness, clerk)
    for action, more in (("claim", {}), ("release", {}), ("snooze", {"until": to_wire(harness.now + hours(1))})):
        refused = claim(harness, clerk, ADMIN, action, **more)
        assert refused.status_code == 409 and refused.json()["code"] == "not_allowed_now"
        assert "day has it since" in refused.json()["detail"]
    bare = claim(harness, clerk, ADMIN, instead_of="day")
    assert (bare.status_code, bare.json()["param"]) == (422, "$.reason")
    taken = claim(harness, clerk, ADMIN, instead_of="day", reason="day sleeps")
    assert taken.json()["claim"]["who"] == "boss"
    late = claim(harness, clerk, OPERATOR, instead_of="night", reason="mine again")
    assert late.status_code == 409 and "boss has it since" in late.json()["detail"]
    assert audited(harness, clerk) == [
        ("day", "take_over", "not_allowed_now"),
        ("boss", "take_over", "done"),
        ("boss", "snooze", "not_allowed_now"),
        ("boss", "release", "not_allowed_now"),
        ("boss", "claim", "not_allowed_now"),
        ("day", "claim", "done"),
    ]
    [_, line, *_] = read(harness, f"audit?target=clerk:{clerk}")["data"]
    assert (line["reason"], line["before"]["who"], line["after"]["who"]) == ("day sleeps", "day", "boss")


def test_support_and_viewers_see_who_has_it_and_may_not_claim(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    for key in (SUPPORT, "op_night"):
        assert claim(harness, clerk, key).status_code == 403
    assert audited(harness, clerk) == [("night", "claim", "forbidden"), ("desk", "claim", "forbidden")]


def test_what_is_put_off_is_counted_as_stuck_and_nobodys_alert_is_silenced(harness: HttpHarness) -> None:
    clerk, _other = stuck_one(harness), stuck_one(harness)
    until = to_wire(harness.now + hours(2))
    before = read(harness, "summary")["stuck"]
    assert (before["claimed"], before["snoozed"], before["snoozed_until"]) == (0, 0, None)
    assert claim(harness, clerk, action="snooze", until=until).json()["claim"]["snoozed_until"] == until
    stuck = read(harness, "summary")["stuck"]
    assert stuck["count"] == 2 and stuck["money_at_risk"] == before["money_at_risk"]
    [cause] = stuck["causes"]
    for counted in (stuck, cause):
        assert (counted["claimed"], counted["snoozed"], counted["snoozed_until"]) == (1, 1, until)
    with harness.database.read() as tx:
        [watched] = stuck_causes(tx, harness.manager.processes, tx.now())
    assert watched["count"] == 2, "what alerts are about"
    harness.now += hours(2) + 1
    found = read(harness, f"clerks/{clerk}")["claim"]
    assert found["who"] == "day" and found["snoozed_until"] is None, "over, and still claimed"
    assert read(harness, "summary")["stuck"]["snoozed"] == 0


def test_a_wrong_body_is_told_by_its_field(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    wrong: list[tuple[dict[str, str], str]] = [
        ({"action": "snooze"}, "$.until"),
        ({"action": "claim", "until": "2026-11-25T08:00:00Z"}, "$.until"),
        ({"action": "snooze", "until": "in 2 hours"}, "$.until"),
        ({"action": "snooze", "until": "2020-01-01T00:00:00Z"}, "$.until"),
        ({"action": "snooze", "until": "2099-01-01T00:00:00Z"}, "$.until"),
        ({"action": "release", "instead_of": "day"}, "$.instead_of"),
        ({"action": "bribe"}, "$.action"),
    ]
    for body, param in wrong:
        refused = harness.call("POST", f"/ops/clerks/{clerk}/claim", OPERATOR, json=body)
        assert (refused.status_code, refused.json()["param"]) == (422, param), body
    assert read(harness, f"clerks/{clerk}")["claim"] is None


def test_a_claim_ends_when_the_clerk_is_stuck_no_more(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    claim(harness, clerk)
    retried = harness.call(
        "POST", f"/ops/clerks/{clerk}/actions", OPERATOR, json={"action": "retry", "reason": "up again"},
        headers={"If-Match": f'"{harness.saga(clerk).version}"'},
    )  # fmt: skip
    assert retried.json()["claim"]["who"] == "day", "asked again is not healed"
    harness.answers(harness.sent()[-1])
    assert read(harness, f"clerks/{clerk}")["claim"] is None
    refused = claim(harness, clerk)
    assert refused.status_code == 409 and "not stuck" in refused.json()["detail"]
    assert claim(harness, clerk, action="release").status_code == 200
    assert claim(harness, "clk_nobody").status_code == 404


def test_mine_lists_what_i_have_claimed(harness: HttpHarness) -> None:
    mine, theirs = stuck_one(harness), stuck_one(harness)
    claim(harness, mine, ADMIN)
    claim(harness, theirs, OPERATOR)

    def listed(query: str, key: str = ADMIN) -> list[str]:
        return [line["id"] for line in harness.get(f"/ops/clerks?{query}", key).json()["data"]]

    assert listed("mine=true") == listed("mine=true&sort=stuck_since") == [mine]
    assert listed("mine=false") == listed("stuck=true&mine=false") == [theirs]
    assert listed("mine=true", OPERATOR) == [theirs] and listed("mine=true", SUPPORT) == []
    head, line = harness.get("/ops/clerks.csv?mine=true", ADMIN).text.split()
    assert head.endswith(",claimed_by") and line.endswith(",boss")
    bulk = {"action": "note", "reason": "seen", "filter": {"mine": True}}
    frozen = harness.call("POST", "/ops/bulk", ADMIN, json=bulk).json()
    assert [item["target"] for item in frozen["items"]["data"]] == [mine]


def more_time(harness: HttpHarness, clerk: str) -> None:
    body = {"action": "extend", "until": to_wire(harness.now + hours(1)), "reason": "payment is being mended"}
    seen = {"If-Match": f'"{read(harness, f"clerks/{clerk}")["version"]}"'}
    answered = harness.call("POST", f"/ops/clerks/{clerk}/actions", OPERATOR, json=body, headers=seen)
    assert answered.is_success, answered.text


def test_more_time_ends_no_claim_and_an_answer_does(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    first = claim(harness, clerk).json()["claim"]
    more_time(harness, clerk)
    found = read(harness, f"clerks/{clerk}")
    assert found["stuck"] is None and found["claim"] == first
    assert [line["claim"] for line in harness.get("/ops/clerks?mine=true", OPERATOR).json()["data"]] == [first]
    assert claim(harness, clerk).json()["claim"] == first, "the same again is the same answer"
    assert claim(harness, clerk, ADMIN).status_code == 409
    late = claim(harness, clerk, action="snooze", until=to_wire(harness.now + hours(1)))
    assert late.status_code == 409 and "It is not stuck" in late.json()["detail"]
    harness.now += hours(1) + seconds(1)
    harness.ticks()
    found = read(harness, f"clerks/{clerk}")
    assert found["stuck"] and found["claim"] == first, "it is stuck again at the same step: it was never well"
    [cause] = read(harness, "summary")["stuck"]["causes"]
    assert cause["claimed"] == 1
    harness.answers(harness.sent()[-1])
    assert read(harness, f"clerks/{clerk}")["claim"] is None
    assert harness.get("/ops/clerks?mine=true", OPERATOR).json()["data"] == []


def test_what_has_more_time_is_given_back_or_taken_over(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    claim(harness, clerk)
    more_time(harness, clerk)
    taken = claim(harness, clerk, ADMIN, instead_of="day", reason="day sleeps")
    assert taken.json()["claim"]["who"] == "boss"
    assert claim(harness, clerk, ADMIN, action="release").json()["claim"] is None
    assert claim(harness, clerk).status_code == 409, "nobody can claim what is not stuck"


def test_a_bulk_act_names_whose_claimed_orders_are_in_it(harness: HttpHarness) -> None:
    theirs, own, free = (stuck_one(harness) for _ in range(3))
    taken = claim(harness, theirs, OPERATOR).json()["claim"]
    claim(harness, own, ADMIN)
    asked = {"action": "retry", "reason": "payment is up", "filter": {"stuck": True}}
    made = harness.call("POST", "/ops/bulk", ADMIN, json=asked).json()
    assert made["claimed"] == [{"who": "boss", "count": 1}, {"who": "day", "count": 1}]
    claims = {item["target"]: item["claim"] for item in made["items"]["data"]}
    assert claims[theirs] == taken and claims[own]["who"] == "boss" and claims[free] is None
    assert made["count"] == 3 and made["progress"]["left"] == 3 and "leave_claimed" not in made["params"]
    claim(harness, theirs, OPERATOR, "release")
    assert read(harness, f"bulk/{made['id']}")["claimed"] == [{"who": "boss", "count": 1}], "as it is now"


def test_a_bulk_act_leaves_out_what_others_have_when_it_is_told_to(harness: HttpHarness) -> None:
    theirs, own, free = (stuck_one(harness) for _ in range(3))
    claim(harness, theirs, OPERATOR)
    claim(harness, own, ADMIN)
    asked = {"action": "retry", "reason": "payment is up", "filter": {"stuck": True}, "leave_claimed": True}
    made = harness.call("POST", "/ops/bulk", ADMIN, json=asked).json()
    assert made["money"] == {"EUR": 5180} and made["params"]["leave_claimed"] is True
    outcomes = {item["target"]: (item["outcome"], item["detail"]) for item in made["items"]["data"]}
    assert outcomes == {
        theirs: ("not_allowed", f"left out: day has it since {to_wire(harness.now)[:19]}Z"),
        own: (None, None),
        free: (None, None),
    }
    parked = {"action": "discard", "reason": "noise", "filter": {"service": "risk"}, "leave_claimed": True}
    refused = harness.call("POST", "/ops/bulk", ADMIN, json=parked)
    assert (refused.status_code, refused.json()["param"]) == (422, "$.leave_claimed")
