"""Bulk acts (semantics O4): frozen at the preview, paced, stopped, resumed, each item with its outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.messages import ParkedNotice
from domain.times import from_wire, minutes, seconds
from messaging.parked import ParkedMessage, park
from shop_manager.engine.tables import technical
from shop_manager.operations.facade import Operations
from shop_manager.tests.http_harness import ITEMS, HttpHarness
from shop_manager.tests.test_operations_acts import DAY, WHY, act, audit
from shop_manager.tests.test_operations_api import read, stuck_one
from shop_manager.tests.test_operations_parked_acts import parked_here

BOSS = "op_boss"


def post(harness: HttpHarness, path: str, key: str = BOSS, **body: Any) -> httpx.Response:
    return harness.call("POST", f"/ops/bulk{path}", key, json=body)


def previewed(harness: HttpHarness, **body: Any) -> dict[str, Any]:
    answered = post(harness, "", reason=WHY, **body)
    assert answered.status_code == 201, answered.text
    found: dict[str, Any] = answered.json()
    assert answered.headers["location"] == f"/ops/bulk/{found['id']}"
    return found


def progress(harness: HttpHarness, bulk: str) -> dict[str, int]:
    found: dict[str, int] = read(harness, f"bulk/{bulk}")["progress"]
    return {name: count for name, count in found.items() if count}


def all_answer(harness: HttpHarness) -> None:
    while commands := harness.sent():
        for command in commands:
            harness.answers(command)


def follows(harness: HttpHarness, operations: Operations | None = None) -> None:
    """Time for one more look at what has become of those that were asked."""
    harness.now += seconds(2)
    (operations or harness.operations).bulk_run.tick()


def test_O4_a_preview_freezes_ids_count_and_money_and_does_nothing(harness: HttpHarness) -> None:
    first, second = stuck_one(harness), stuck_one(harness)
    found = previewed(harness, action="retry", filter={"stuck": True, "kind": "no_answer"})
    third = stuck_one(harness)
    assert (found["status"], found["count"], found["money"]) == ("preview", 2, {"EUR": 5180})
    assert {item["target"] for item in found["items"]["data"]} == {first, second}
    harness.operations.bulk_run.tick()
    assert harness.saga(first).stuck and progress(harness, found["id"]) == {"left": 2}
    post(harness, f"/{found['id']}/start", per_minute=1200)
    harness.now += seconds(1)
    harness.operations.bulk_run.tick()
    assert read(harness, f"bulk/{found['id']}")["status"] == "following"
    assert progress(harness, found["id"]) == {"asked": 2}, "a question is no outcome"
    all_answer(harness)
    follows(harness)
    assert read(harness, f"bulk/{found['id']}")["status"] == "finished"
    assert progress(harness, found["id"]) == {"healed": 2}
    assert harness.saga(first).stuck is None and harness.saga(second).stuck is None and harness.saga(third).stuck


def test_O4_what_changed_since_the_preview_is_skipped_and_told(harness: HttpHarness) -> None:
    clerks = [stuck_one(harness) for _ in range(3)]
    found = previewed(harness, action="retry", ids=clerks)
    act(harness, clerks[1], "note")
    post(harness, f"/{found['id']}/start", per_minute=1200)
    harness.now += seconds(1)
    harness.operations.bulk_run.tick()
    items = {item["target"]: item for item in read(harness, f"bulk/{found['id']}")["items"]["data"]}
    assert [items[clerk]["outcome"] for clerk in clerks] == ["asked", "changed", "asked"]
    assert "version" in items[clerks[1]]["detail"]
    assert [line["who"] for line in audit(harness, clerks[0])] == ["boss"]


def test_O4_it_runs_paced_can_be_stopped_and_goes_on_in_another_process(harness: HttpHarness, tmp_path: Path) -> None:
    clerks = [stuck_one(harness) for _ in range(4)]
    bulk = previewed(harness, action="note", ids=clerks)["id"]
    assert post(harness, f"/{bulk}/start", per_minute=6).json()["status"] == "running"
    for _ in range(5):
        harness.operations.bulk_run.tick()
    assert progress(harness, bulk) == {"done": 1, "left": 3}
    harness.now += seconds(10)
    harness.operations.bulk_run.tick()
    assert progress(harness, bulk) == {"done": 2, "left": 2}
    assert (
        post(harness, f"/{bulk}/stop").json()["status"] == post(harness, f"/{bulk}/stop").json()["status"] == "stopped"
    )
    harness.now += minutes(5)
    harness.operations.bulk_run.tick()
    assert progress(harness, bulk) == {"done": 2, "left": 2}
    post(harness, f"/{bulk}/start", per_minute=60)
    restarted = Operations(harness.sessions)
    for _ in range(3):
        restarted.bulk_run.tick()
        harness.operations.bulk_run.tick()
        harness.now += seconds(1)
    assert read(harness, f"bulk/{bulk}")["status"] == "finished"
    notes = [line["what"] for clerk in clerks for line in read(harness, f"clerks/{clerk}/timeline")["data"]]
    assert notes.count("note") == 4
    assert post(harness, f"/{bulk}/start", per_minute=60).json()["code"] == "not_allowed_now"


def test_O4_an_outcome_says_why_an_item_was_refused(harness: HttpHarness) -> None:
    late, early = stuck_one(harness), harness.opened(items=ITEMS)["id"]
    found = previewed(harness, action="undo", ids=[late, early])
    items = {item["target"]: item for item in found["items"]["data"]}
    assert (items[late]["outcome"], "point of no return" in items[late]["detail"]) == ("not_allowed", True)
    assert items[early]["outcome"] is None and found["progress"]["left"] == 1
    assert found["money"] == {"EUR": 0}, "only of those that it is allowed to"
    post(harness, f"/{found['id']}/start", per_minute=60)
    harness.operations.bulk_run.tick()
    assert progress(harness, found["id"]) == {"asked": 1, "not_allowed": 1}
    all_answer(harness)
    follows(harness)
    assert progress(harness, found["id"]) == {"healed": 1, "not_allowed": 1}
    assert [line["action"] for line in audit(harness, late)] == [], "nobody has tried it"


def stuck_at(harness: HttpHarness) -> int:
    since: int = from_wire(read(harness, "summary")["stuck"]["oldest_since"])
    return since


def test_O4_asked_again_while_the_service_is_down_stays_stuck_since_the_first_moment(harness: HttpHarness) -> None:
    clerks = [stuck_one(harness) for _ in range(3)]
    since = stuck_at(harness)
    bulk = previewed(harness, action="retry", ids=clerks)["id"]
    post(harness, f"/{bulk}/start", per_minute=1200)
    for _ in range(60):
        harness.now += seconds(1)
        harness.ticks()
        harness.operations.bulk_run.tick()
        assert (read(harness, "summary")["stuck"]["count"], stuck_at(harness)) == (3, since)
        assert [line["id"] for line in read(harness, "clerks?stuck=true&kind=no_answer")["data"]]
    assert read(harness, f"bulk/{bulk}")["status"] == "finished"
    assert progress(harness, bulk) == {"still_stuck": 3}
    assert "no_answer" in read(harness, f"bulk/{bulk}")["items"]["data"][0]["detail"]


def test_O4_what_was_asked_is_followed_by_another_process_after_a_restart(harness: HttpHarness) -> None:
    clerks = [stuck_one(harness) for _ in range(2)]
    bulk = previewed(harness, action="retry", ids=clerks)["id"]
    post(harness, f"/{bulk}/start", per_minute=1200)
    harness.now += seconds(1)
    harness.operations.bulk_run.tick()
    restarted = Operations(harness.sessions)
    captured = [command for command in harness.sent() if command.attempt == 2]
    harness.answers(captured[0])
    follows(harness, restarted)
    assert progress(harness, bulk) == {"healed": 1, "asked": 1}
    harness.answers(captured[1], "refused", "capture_refused")
    all_answer(harness)
    for each in (restarted, harness.operations):
        follows(harness, each)
    assert progress(harness, bulk) == {"healed": 2}


def test_O4_a_stopped_one_goes_on_being_followed(harness: HttpHarness) -> None:
    clerks = [stuck_one(harness) for _ in range(2)]
    bulk = previewed(harness, action="retry", ids=clerks)["id"]
    post(harness, f"/{bulk}/start", per_minute=6)
    harness.operations.bulk_run.tick()
    post(harness, f"/{bulk}/stop")
    all_answer(harness)
    follows(harness)
    assert (read(harness, f"bulk/{bulk}")["status"], progress(harness, bulk)) == ("stopped", {"healed": 1, "left": 1})


def test_O4_parked_messages_are_discarded_in_bulk(harness: HttpHarness) -> None:
    parked = [parked_here(harness, b"%d" % number) for number in range(3)]
    found = previewed(harness, action="discard", filter={"service": "shop_manager"})
    assert found["count"] == 3
    post(harness, f"/{found['id']}/start", per_minute=1200)
    harness.now += seconds(1)
    harness.operations.bulk_run.tick()
    assert {read(harness, f"parked/{each}")["state"] for each in parked} == {"discarded"}


def test_O4_parked_messages_are_grouped_by_cause_and_one_cause_is_acted_on_at_once(harness: HttpHarness) -> None:
    of_clerks = [parked_for(harness, f"there is no Clerk clk_{number}", f"{number}") for number in range(3)]
    other = parked_for(harness, "the handler failed", "other")
    causes = read(harness, "parked/causes")["data"]
    assert [(each["service"], each["reason"], each["count"]) for each in causes] == [
        ("shop_manager", "there is no Clerk clk_…", 3), ("shop_manager", "the handler failed", 1)
    ]  # fmt: skip
    wanted = {name: causes[0][to] for name, to in (("service", "service"), ("parked_reason", "reason"))}
    found = previewed(harness, action="discard", filter=wanted)
    assert {item["target"] for item in found["items"]["data"]} == set(of_clerks)
    post(harness, f"/{found['id']}/start", per_minute=1200)
    harness.now += seconds(1)
    harness.operations.bulk_run.tick()
    assert {read(harness, f"parked/{each}")["state"] for each in of_clerks} == {"discarded"}
    items = read(harness, f"bulk/{found['id']}")["items"]["data"]
    assert {item["detail"] for item in items} == {"nobody sends it again; it stays listed"}
    assert read(harness, f"parked/{other}")["state"] == "parked"
    assert [each["count"] for each in read(harness, "parked/causes")["data"]] == [1]


def test_O4_a_replay_of_one_cause_tells_what_became_of_each_message(harness: HttpHarness) -> None:
    clerks = [parked_at_credit(harness, f"prk_{number}")[0] for number in range(3)]
    act(harness, clerks[2], "undo", key=DAY)
    all_answer(harness)
    [cause] = read(harness, "parked/causes")["data"]
    assert (cause["service"], cause["count"]) == ("risk", 3)
    wanted = {"service": "risk", "parked_reason": cause["reason"]}
    bulk = previewed(harness, action="replay", filter=wanted)["id"]
    post(harness, f"/{bulk}/start", per_minute=1200)
    harness.now += seconds(1)
    harness.operations.bulk_run.tick()
    asked = {command.clerk: command for command in harness.sent()}
    harness.answers(asked[clerks[0]])
    again = asked[clerks[1]]
    harness.hears(ParkedNotice("risk", "prk_9", WHY, "risk.commands.v1", again.id, b"[]", 2, harness.now, False))
    follows(harness)
    for _ in range(6):
        harness.now += minutes(1)
        harness.ticks()
        follows(harness)
    outcomes = {item["target"]: item["outcome"] for item in read(harness, f"bulk/{bulk}")["items"]["data"]}
    assert outcomes == {"prk_0": "healed", "prk_1": "still_stuck", "prk_2": "not_allowed"}
    assert read(harness, f"bulk/{bulk}")["status"] == "finished"


def parked_for(harness: HttpHarness, reason: str, known_as: str) -> str:
    message = ParkedMessage("shop_manager", "q", reason, None, b"[]", known_as=f"prk_{known_as}")
    with harness.database.begin() as tx:
        park(tx, technical.parked, [message], harness.now)
    return message.id


def parked_at_credit(harness: HttpHarness, known_as: str) -> tuple[str, str]:
    """A Clerk whose credit command risk has parked, and the command."""
    clerk: str = harness.brings_all()["id"]
    command = harness.goes_on_to("ReserveCredit")
    harness.hears(
        ParkedNotice(
            "risk", known_as, "the handler failed", "risk.commands.v1", command.id, b"[]", 2, harness.now, False
        )
    )
    return clerk, command.id


@pytest.mark.parametrize(
    ("body", "param"),
    [({"action": "retry"}, "$.filter"), ({"action": "retry", "ids": ["clk_no"]}, "$.ids"),
     ({"action": "retry", "ids": ["a"], "filter": {}}, "$.filter"), ({"action": "extend", "filter": {}}, "$.until"),
     ({"action": "extend", "filter": {}, "until": "2020-01-01T00:00:00Z"}, "$.until"),
     ({"action": "extend", "filter": {}, "until": "2099-01-01T00:00:00Z"}, "$.until"),
     ({"action": "settle", "filter": {}}, "$.action"), ({"action": "retry", "filter": {"age": 1}}, "$.filter.age"),
     ({"action": "discard", "filter": {"stuck": True}}, "$.filter")],
)  # fmt: skip
def test_a_bulk_act_that_cannot_be_is_refused(harness: HttpHarness, body: dict[str, Any], param: str) -> None:
    answered = post(harness, "", reason=WHY, **body)
    assert (answered.status_code, answered.json()["param"]) == (422, param)


def test_S9_bulk_is_for_admins_and_others_attempts_are_written_down(harness: HttpHarness) -> None:
    clerk = stuck_one(harness)
    bulk = previewed(harness, action="retry", ids=[clerk])["id"]
    assert post(harness, "", DAY, action="retry", ids=[clerk], reason=WHY).status_code == 403
    assert post(harness, f"/{bulk}/start", DAY, per_minute=60).status_code == 403
    assert post(harness, f"/{bulk}/stop", DAY).status_code == 403
    assert len(read(harness, "audit?who=day&outcome=forbidden")["data"]) == 3
    assert read(harness, "bulk")["data"][0]["id"] == bulk
    assert harness.saga(clerk).stuck


def test_O4_what_was_only_asked_anew_by_itself_since_the_preview_has_not_changed(harness: HttpHarness) -> None:
    clerk = harness.brings_all()["id"]
    harness.goes_on_to("SettleCredit")
    for _ in range(9):
        for command in harness.sent():
            harness.answers(command, "refused", "ledger_closed")
        harness.now += minutes(1)
        harness.ticks()
    assert read(harness, f"clerks/{clerk}")["stuck"]["code"] == "ledger_closed"
    bulk = previewed(harness, action="retry", ids=[clerk])["id"]
    for command in harness.sent():
        harness.answers(command, "refused", "ledger_closed")
    harness.now += minutes(1)
    harness.ticks()
    post(harness, f"/{bulk}/start", per_minute=60)
    harness.operations.bulk_run.tick()
    assert progress(harness, bulk) == {"asked": 1}
    for command in harness.sent():
        harness.answers(command, "refused", "ledger_closed")
    follows(harness)
    [item] = read(harness, f"bulk/{bulk}")["items"]["data"]
    assert item["outcome"] == "still_stuck" and "overdue: ledger" in item["detail"]


def test_S9_a_bulk_act_is_one_line_of_the_audit_with_its_items_inside(harness: HttpHarness) -> None:
    clerks = [stuck_one(harness) for _ in range(3)]
    before = len(read(harness, "audit")["data"])
    bulk = previewed(harness, action="retry", ids=clerks)["id"]
    post(harness, f"/{bulk}/start", per_minute=1200)
    harness.now += seconds(1)
    harness.operations.bulk_run.tick()
    all_answer(harness)
    follows(harness)
    line, *others = read(harness, "audit")["data"]
    assert len(others) == before
    assert (line["target"], line["bulk"]) == (f"bulk:{bulk}", None)
    assert (line["items"]["action"], line["items"]["status"]) == ("retry", "finished")
    assert line["items"]["counts"] == {"healed": 3}
    assert [(each["target"], each["outcome"]) for each in line["items"]["first"]] == [
        (each, "healed") for each in clerks
    ]
    inside = read(harness, f"audit?bulk={bulk}")["data"]
    assert sorted(each["action"] for each in inside) == ["bulk_start", "retry", "retry", "retry"]
    assert [each["items"] for each in inside] == [None] * 4
    assert [each["bulk"] for each in audit(harness, clerks[0])] == [bulk], "and beside the Clerk"
